"""A second look at the best passages: a cross-encoder by name, which reads the query and each passage together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shop.errors import BadInput

DEPTH = 30  # passages read again; each costs one pass of the model


class Reranker(Protocol):
    """Says how well each text answers the query; only the order of the scores counts."""

    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]: ...


class CrossEncoder:
    """A sentence-transformers cross-encoder by name or folder.

    Raises:
        BadInput: No such model is within reach, or it gives more than one score a pair.
    """

    def __init__(self, name: str) -> None:
        from sentence_transformers import CrossEncoder as Model

        advice = "give another name, a folder that holds one, or leave the setting out to search without it."
        try:
            self._model = Model(name, device="cpu", trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise BadInput(f"The cross-encoder {name} cannot be loaded; {advice}") from error
        if self._model.num_labels != 1:
            raise BadInput(f"The cross-encoder {name} sorts pairs into classes and does not score them; {advice}")

    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        found = self._model.predict([(query, text) for text in texts], show_progress_bar=False, convert_to_numpy=True)
        return np.asarray(found, dtype=np.float32)


def reordered(
    ranked: list[tuple[int, float]], query: str, texts: Sequence[str], reranker: Reranker
) -> list[tuple[int, float]]:
    """The first `DEPTH` of a ranking in the reranker's order; the rest keep their places, every score its row.

    Args:
        ranked: Rows with their scores, best first.
        texts: The text of each ranked row, in the same order.
    """
    head = ranked[:DEPTH]
    order = np.argsort(-reranker.scores(query, texts[:DEPTH]), kind="stable")
    return [head[i] for i in order] + ranked[DEPTH:]
