"""How demand answers price: log-log slopes with product and week effects, partially pooled from shop to category."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shop import Shop

Array = NDArray[np.float64]
Z80 = 1.2816  # normal quantile of an 80 % interval
_WEEKS = 104  # how far back prices still say something about today's buyers
_MIN_PRODUCTS = 3
_MIN_SPREAD = 0.02  # standard deviation of log price, effects out, below which a price hardly moved


@dataclass(frozen=True)
class Elasticity:
    """Percent change of units per percent change of price.

    Attributes:
        value: The estimate.
        sd: Its standard deviation, between-category spread included.
        source: The group it was estimated in.
        own: Whether the category's own prices took part, or only the wider group's.
        products: Products behind it.
        weeks: Product weeks behind it.
    """

    value: float
    sd: float
    source: str
    own: bool
    products: int
    weeks: int

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
        """Draws (count,) from the estimate's normal distribution; a positive answer to price is cut off at zero."""
        return np.minimum(rng.normal(self.value, self.sd, count), 0.0)


def estimate_elasticity(shop: Shop, category: str) -> Elasticity | None:
    """The elasticity of a category, from the last two years of weekly prices; None where no price ever moved."""
    panel = shop.weekly_prices(since=shop.cutoff - timedelta(weeks=_WEEKS))
    categories = shop.products().set_index("sku")["category"]
    return pooled_elasticity(panel.assign(category=panel["sku"].map(categories)), category)


def pooled_elasticity(panel: pd.DataFrame, category: str) -> Elasticity | None:
    """Elasticity of `category`, pulled from the shop down its path.

    Units on price, both in logs, with product and week effects taken out; the slope of each group has a
    product-clustered standard error. Down the path each group's slope is combined with the wider group's by inverse
    variance, where the spread between groups (DerSimonian and Laird, 1986) is added to the wider group's variance.
    A group whose prices hardly moved keeps the wider group's slope with that wider spread.

    Args:
        panel: `sku, week, units, price, category`, positive units and prices, one row per product and week.
        category: Path of the category; empty for the shop.

    Returns:
        None where fewer than three products ever changed price.
    """
    panel = panel[panel.groupby("sku")["week"].transform("size") >= 4]
    if panel.empty:
        return None
    codes, _ = pd.factorize(panel["sku"])
    weeks, _ = pd.factorize(panel["week"])
    x = take_out_effects(np.log(panel["price"].to_numpy(dtype=float)), codes, weeks)
    y = take_out_effects(np.log(panel["units"].to_numpy(dtype=float)), codes, weeks)
    shop = _slope(x, y, codes)
    if shop is None:
        return None
    best = Elasticity(*shop, "the whole shop", not category, len(np.unique(codes)), len(panel))
    path = category.split(" > ") if category else []
    column = panel["category"].fillna("")
    for depth in range(1, len(path) + 1):
        shortened = {each: " > ".join(each.split(" > ")[:depth]) for each in column.unique()}
        group, names = pd.factorize(column.map(shortened))
        best = _step_down(best, x, y, codes, group, list(names), " > ".join(path[:depth]))
    return best


def take_out_effects(values: Array, first: NDArray[np.int64], second: NDArray[np.int64], rounds: int = 20) -> Array:
    """Residuals of `values` (n,) on two sets of dummies, by alternating projections (Guimarães and Portugal, 2010)."""
    left = values - values.mean()
    counts = [np.maximum(np.bincount(group), 1) for group in (first, second)]
    for _ in range(rounds):
        for group, count in zip((first, second), counts, strict=True):
            left = left - np.asarray(np.bincount(group, left) / count)[group]
    return np.asarray(left)


def between_variance(slopes: Array, sds: Array) -> float:
    """Variance between groups' true slopes, DerSimonian and Laird's moment estimate; 0 with fewer than two groups."""
    if len(slopes) < 2:
        return 0.0
    weight = 1 / sds**2
    mean = (weight * slopes).sum() / weight.sum()
    excess = (weight * (slopes - mean) ** 2).sum() - (len(slopes) - 1)
    return float(max(0.0, excess / (weight.sum() - (weight**2).sum() / weight.sum())))


def _step_down(
    wide: Elasticity,
    x: Array,
    y: Array,
    codes: NDArray[np.int64],
    group: NDArray[np.int64],
    names: list[str],
    name: str,
) -> Elasticity:
    """The slope of the group called `name`, combined with the wider group's; `group` numbers the names row by row."""
    found = {each: _slope(x[group == i], y[group == i], codes[group == i]) for i, each in enumerate(names)}
    known = np.array([each for each in found.values() if each is not None]).reshape(-1, 2)
    prior = wide.sd**2 + between_variance(known[:, 0], known[:, 1])
    own = found.get(name)
    if own is None:
        return Elasticity(wide.value, float(np.sqrt(prior)), wide.source, False, wide.products, wide.weeks)
    inside = group == names.index(name)
    weight = prior / (prior + own[1] ** 2)
    value = weight * own[0] + (1 - weight) * wide.value
    sd = float(np.sqrt(weight) * own[1])
    return Elasticity(float(value), sd, name, True, len(np.unique(codes[inside])), int(inside.sum()))


def _slope(x: Array, y: Array, codes: NDArray[np.int64]) -> tuple[float, float] | None:
    """Least-squares slope through zero with its product-clustered standard error."""
    products = len(np.unique(codes))
    if products < _MIN_PRODUCTS or x.std() < _MIN_SPREAD:
        return None
    square = float((x**2).sum())
    slope = float((x * y).sum()) / square
    scores = np.bincount(codes, x * (y - slope * x))
    variance = float((scores**2).sum()) / square**2 * products / (products - 1)
    return slope, float(np.sqrt(max(variance, 1e-8)))
