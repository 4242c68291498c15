"""What an estimate of elasticity is, and the estimates of a whole shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Z80 = 1.2816  # normal quantile of an 80 % interval
STEEPEST = -8.0  # beyond any elasticity that has been published for a product


@dataclass(frozen=True)
class Elasticity:
    """Percent change of units per percent change of price.

    Attributes:
        value: The estimate.
        sd: Its standard deviation, the spread between groups included.
        source: The group it was estimated in.
        own: Whether the group's own prices took part, or only the wider group's.
        products: Products behind it.
        weeks: Product weeks behind it.
        low_price: Lowest price behind it, as a share of the product's usual one.
        high_price: Highest price behind it, likewise.
    """

    value: float
    sd: float
    source: str
    own: bool
    products: int
    weeks: int
    low_price: float = 0.5
    high_price: float = 1.5

    @property
    def low(self) -> float:
        return self.value - Z80 * self.sd

    @property
    def high(self) -> float:
        return self.value + Z80 * self.sd

    @property
    def identified(self) -> bool:
        """Whether the data tell that a higher price sells less: the 80 % interval lies below zero."""
        return self.high < 0

    def draws(self, count: int, rng: np.random.Generator) -> Array:
        """Draws (count,) from the estimate's normal distribution, cut off at zero and at the steepest ever seen."""
        return np.clip(rng.normal(self.value, self.sd, count), STEEPEST, 0.0)


@dataclass(frozen=True)
class Elasticities:
    """The estimates of a shop.

    Attributes:
        groups: By group: `""` is the whole shop, then category paths, `path | tier` for price tiers.
        products: By SKU, pulled to their group.
        cuts: Prices (money) that part a category path's low, middle and high tier.
        controls: What else moved demand, in logs, by name; for the reader of benchmarks.
        second: The orthogonal estimate of the whole shop and its standard deviation, where it was made.
    """

    groups: Mapping[str, Elasticity]
    products: Mapping[str, Elasticity]
    cuts: Mapping[str, tuple[float, float]]
    controls: Mapping[str, float]
    second: tuple[float, float] | None = None

    def of(self, category: str, price: float | None = None, sku: str | None = None) -> Elasticity | None:
        """The narrowest estimate for a product or a planned one; None where the shop's prices tell nothing."""
        if sku is not None and sku in self.products:
            return self.products[sku]
        path = category.split(" > ") if category else []
        for depth in range(len(path), -1, -1):
            name = " > ".join(path[:depth])
            if name not in self.groups:
                continue
            if price is not None and name in self.cuts:
                tiered = f"{name} | {tier_of(price, self.cuts[name])}"
                return self.groups.get(tiered, self.groups[name])
            return self.groups[name]
        return None


def tier_of(price: float, cuts: tuple[float, float]) -> str:
    """The third of a category's prices that a price lies in."""
    return ("low", "middle", "high")[int(price > cuts[0]) + int(price > cuts[1])] + " price tier"


def as_plain(found: Elasticities) -> dict[str, Any]:
    """As JSON can hold it."""
    return asdict(found)


def from_plain(plain: dict[str, Any]) -> Elasticities:
    """What `as_plain` wrote."""
    return Elasticities(
        groups={name: Elasticity(**each) for name, each in plain["groups"].items()},
        products={name: Elasticity(**each) for name, each in plain["products"].items()},
        cuts={name: (cut[0], cut[1]) for name, cut in plain["cuts"].items()},
        controls=plain["controls"],
        second=None if plain["second"] is None else (plain["second"][0], plain["second"][1]),
    )
