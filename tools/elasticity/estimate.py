"""What an estimate of elasticity is, and the estimates of a whole shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
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
class Second:
    """A second opinion on the slope that all products share, beside the first.

    Attributes:
        value, sd: By double machine learning, with its standard error.
        first, first_sd: By the pooled regression.
    """

    value: float
    sd: float
    first: float
    first_sd: float

    @property
    def apart(self) -> float:
        """How far the two lie from each other, the second less the first, where chance does not explain it; else 0."""
        gap = self.value - self.first
        return gap if abs(gap) > Z80 * float(np.hypot(self.sd, self.first_sd)) else 0.0


@dataclass(frozen=True)
class Elasticities:
    """The estimates of a shop.

    Attributes:
        groups: By group: `""` is the whole shop, then category paths, `path | tier` for price tiers.
        products: By SKU, pulled to their group.
        cuts: Prices (money) that part a category path's low, middle and high tier.
        controls: What else moved demand, in logs, by name; for the reader of benchmarks.
        second: The second opinion on the whole shop, where it was made.
        cross: By department, `""` for the whole shop: percent change of a product's units per percent change of the
            prices of its own substitutes, with its standard deviation.
    """

    groups: Mapping[str, Elasticity]
    products: Mapping[str, Elasticity]
    cuts: Mapping[str, tuple[float, float]]
    controls: Mapping[str, float]
    second: Second | None = None
    cross: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def of(self, category: str, price: float | None = None, sku: str | None = None) -> Elasticity | None:
        """The narrowest estimate for a product or a planned one; None where the shop's prices tell nothing.

        Where two methods disagree on the shop beyond chance, either may be right: the interval takes in the gap.
        """
        found = self._narrowest(category, price, sku)
        gap = 0.0 if self.second is None else self.second.apart
        return found if found is None or not gap else replace(found, sd=float(np.hypot(found.sd, gap)))

    def _narrowest(self, category: str, price: float | None, sku: str | None) -> Elasticity | None:
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
        second=None if plain["second"] is None else Second(**plain["second"]),
        cross={name: (each[0], each[1]) for name, each in plain["cross"].items()},
    )
