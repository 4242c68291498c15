"""What a tool may ask of the shop's texts. `retrieval` answers it; tools know only this."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from shop.types import Frozen, Passage

Kind = Literal["product", "review", "policy", "faq", "claim"]


class Scope(Frozen):
    """Which passages may be found; everything left out is not restricted. Dates are inclusive.

    `until` is the last day that may be seen (a review's day, a launch, a policy's first day): pass the shop's cut-off.
    `in_force` keeps policies, and what approved briefs tell, that applied on that day. A category includes the ones
    below it. A product without a price is outside a price range, a passage without a rating outside a range of ratings.
    """

    kinds: tuple[Kind, ...] = ()
    skus: tuple[str, ...] | None = None
    category: str = ""
    language: str = ""
    since: date | None = None
    until: date | None = None
    in_force: date | None = None
    ratings: tuple[int, int] | None = None
    prices: tuple[float, float] | None = None


class Hit(Frozen):
    """A passage that was found. `ref` is the id of its row (SKU, review id, policy id, id of an approved brief).

    `match` says how surely it is about the query at all, between 0 and 1, comparable across queries; `score` only
    orders the hits of one query.
    """

    passage: Passage
    kind: Kind
    ref: str
    sku: str = ""
    language: str = "en"
    day: date | None = None
    rating: int | None = None
    score: float
    match: float


class Found(Frozen):
    """Hits, best first; `degraded` says what part of the search could not be used, for the reader."""

    hits: tuple[Hit, ...]
    degraded: str = ""


class Searcher(Protocol):
    """Finds passages by meaning and by words, and turns texts and pictures into vectors where it has the models.

    `picture_model` is the name of the model for pictures; empty where there is none.
    """

    @property
    def picture_model(self) -> str: ...

    def search(self, query: str, scope: Scope, limit: int = 10) -> Found: ...

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Unit vectors of what texts mean (n, dimensions); None where no model is within reach."""

    def pictures(self, paths: Sequence[str]) -> NDArray[np.float32] | None:
        """Unit vectors of pictures in files (n, dimensions), zero for one that cannot be read; None where none can.

        Raises:
            BadInput: There is no model, or it cannot be loaded.
        """
