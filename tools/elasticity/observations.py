"""What elasticities are fitted to: units and prices of many series, as numbered arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tools.elasticity.within import Array, Codes


@dataclass(frozen=True)
class Observations:
    """Demand of many series; rows sorted by series, then period.

    Attributes:
        product: Product number (n,).
        series: Series number, product or product and store (n,).
        period: Running number of the week (n,).
        market: Number of the group whose common shocks are taken out by period (n,).
        units: Units, zeros included where it was on sale (n,).
        price: Price asked, positive (n,).
        controls: What else moved demand, in logs or as shares (n, k).
        names: Names of the controls (k,).
        chains: Per product the names of its groups from the widest to the narrowest; the first is common to all.
        exposure: Share of the period in which it could be bought (n,); None for all of it.
        cost: Unit cost, or another thing that moves the price and not demand (n,); None where unknown.
    """

    product: Codes
    series: Codes
    period: Codes
    market: Codes
    units: Array
    price: Array
    controls: Array
    names: tuple[str, ...]
    chains: Sequence[tuple[str, ...]]
    cost: Array | None = None
    exposure: Array | None = None

    @property
    def open(self) -> Array:
        """Log of the exposure (n,)."""
        return np.zeros(len(self.units)) if self.exposure is None else np.log(self.exposure)


def pairs(first: Codes, second: Codes) -> Codes:
    """A running number for each pair that occurs."""
    return np.asarray(
        np.unique(first.astype(np.int64) * (int(second.max()) + 1) + second, return_inverse=True)[1], dtype=np.int64
    )
