"""The next best offer: which of the candidates leaves most, by what it adds to the chance to buy and the margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.recommend.histories import Array


@dataclass(frozen=True)
class Offer:
    """A candidate: what it adds to the chance to buy, what a sale leaves, what a contact costs."""

    key: str
    uplift: float
    margin: float
    cost: float = 0.0

    @property
    def worth(self) -> float:
        """Expected contribution that the offer adds."""
        return self.uplift * self.margin - self.cost


def next_best_offer(offers: Sequence[Offer]) -> list[Offer]:
    """Offers that leave something, best first; an empty list means that no offer is the best one."""
    return sorted((each for each in offers if each.worth > 0), key=lambda each: (-each.worth, each.key))


def chance_by_rank(hit: Array, prior: float = 5.0) -> Array:
    """Chance that the item at each place of a list is bought, from past lists, (places,).

    Each place's share of hits, drawn towards the mean of all places by `prior` lists, and made to fall with the place
    (isotonic regression): a lower place is not believed to be better by luck.

    Args:
        hit: 1 where the item at the place was bought, (lists, places).
        prior: Lists' worth of belief in the mean.
    """
    from sklearn.isotonic import IsotonicRegression

    shares = (hit.sum(axis=0) + prior * hit.mean()) / (len(hit) + prior)
    fitted = IsotonicRegression(increasing=False).fit_transform(np.arange(hit.shape[1]), shares)
    return np.asarray(fitted, dtype=float)
