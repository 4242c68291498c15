"""Distribution requirements planning: what each warehouse must receive, and what its source must send, by period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.inventory.rules import in_packs

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """A plan by warehouse and period (W, H).

    Attributes:
        receipts: Units that arrive.
        releases: The same units, in the period in which their shipping starts; what should have started earlier
            starts in the first.
        projected: Stock at the end of each period; below zero where even a shipment now comes too late.
    """

    receipts: Array
    releases: Array
    projected: Array

    @property
    def source(self) -> Array:
        """What the source must send by period (H,)."""
        return np.asarray(self.releases.sum(axis=0))


def distribute(
    demand: Array, on_hand: Array, scheduled: Array, safety: Array, lead: NDArray[np.int64], pack: int = 1
) -> Distribution:
    """Net requirements of each warehouse, shipped when they fall due (Martin, DRP: Distribution Resource Planning).

    Args:
        demand: Forecast (W, H).
        on_hand: Units now (W,).
        scheduled: Units already on the way (W, H).
        safety: Stock that must remain at the end of each period (W,).
        lead: Periods from source to warehouse (W,).
        pack: Units are shipped in whole packs.
    """
    houses, periods = demand.shape
    receipts, releases, projected = (np.zeros((houses, periods)) for _ in range(3))
    for house in range(houses):
        stock = float(on_hand[house])
        for t in range(periods):
            stock += scheduled[house, t] - demand[house, t]
            short = safety[house] - stock
            # Before its lead time has passed nothing new can arrive; the need waits for the first period that can.
            if short > 0 and t >= lead[house]:
                sent = in_packs(short, pack=pack)
                receipts[house, t] = sent
                releases[house, t - lead[house]] += sent
                stock += sent
            projected[house, t] = stock
    return Distribution(receipts, releases, projected)
