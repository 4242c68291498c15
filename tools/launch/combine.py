"""One forecast from several: weights, level and intervals learned on how earlier launches really went."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from tools.demand.panel import Array

STEP = 0.1
HALF_LIFE = 26.0  # periods after which an earlier launch counts half in the intervals
_PRIOR_SCORES = 20.0  # launches that the kriging's own spread is worth
_SHRINK = 0.05  # how much worse equal weights may be before others are taken
NORMAL = 1.2816  # 90th percentile of the standard normal


@dataclass(frozen=True)
class Record:
    """Forecasts made in the past for launches, with what was seen since.

    Attributes:
        units: By member (R, H).
        spread: (R,), see `members.Views`.
        launched: Period of each launch (R,).
        actual: Units by week (R, H), NaN where not known.
    """

    units: dict[str, Array]
    spread: Array
    launched: NDArray[np.int64]
    actual: Array


@dataclass(frozen=True)
class Recipe:
    """How members become a forecast.

    Attributes:
        weights: By member, not negative, summing to one.
        scale: Factor on the combined units.
        total: Log factors from the point forecast to P10 and P90 of the total, in spreads of the kriging.
        weekly: Log factors to P10 and P90 of a week's units, by third of the weekly level.
        cuts: Weekly levels that part the thirds.
    """

    weights: dict[str, float]
    scale: float
    total: tuple[float, float]
    weekly: tuple[tuple[float, float], ...]
    cuts: tuple[float, ...] = field(default=())


def learn(record: Record | None, names: tuple[str, ...], now: int) -> Recipe:
    """The recipe from launches whose forecasts are on record.

    Weights: the point of a grid on the simplex with the least absolute error of weeks and totals, pulled to equal
    weights. Scale: the weighted median of actual over forecast, which minimises the absolute error, pulled to one.
    Intervals: split conformal on log errors (Vovk et al. 2005), later launches weighing more (Barber et al. 2023).

    Args:
        record: Past forecasts; None or an empty record gives the prior recipe.
        names: Members.
        now: Period of the launches to come.
    """
    equal = {name: 1 / len(names) for name in names}
    if record is None or len(record.launched) < 5:
        return Recipe(equal, 1.0, (-NORMAL, NORMAL), ((-1.6, 1.2),))
    weights = _weights(record, names)
    point = sum(w * record.units[name] for name, w in weights.items())
    assert isinstance(point, np.ndarray)
    known = np.isfinite(record.actual)
    made, came = (point * known).sum(axis=1), np.nansum(record.actual, axis=1)
    scale = _scale(made, came)
    age = np.maximum(now - record.launched, 0) / HALF_LIFE
    fade = 0.5**age
    half = known.mean(axis=1) >= 0.5
    total = _total_bounds(np.log1p(came[half]) - np.log1p(scale * made[half]), record.spread[half], fade[half])
    cuts, weekly = _weekly_bounds(scale * point, record.actual, fade)
    return Recipe(weights, scale, total, weekly, cuts)


def mix(units: dict[str, Array], recipe: Recipe) -> Array:
    """The combined point forecast (M, H)."""
    return np.asarray(recipe.scale * sum(w * units[name] for name, w in recipe.weights.items()))


def total_quantiles(point: Array, spread: Array, recipe: Recipe) -> Array:
    """P10, P50, P90 of the units over all weeks (M, 3)."""
    total = point.sum(axis=1)
    low, high = (np.expm1(np.log1p(total) + bound * spread).clip(min=0) for bound in recipe.total)
    return np.stack([np.minimum(low, total), total, np.maximum(high, total)], axis=1)


def weekly_quantiles(point: Array, recipe: Recipe) -> Array:
    """P10, P50, P90 of each week's units (M, H, 3)."""
    third = np.searchsorted(np.array(recipe.cuts), point)
    bounds = np.array(recipe.weekly)[third]
    low = np.expm1(np.log1p(point) + bounds[..., 0]).clip(min=0)
    high = np.expm1(np.log1p(point) + bounds[..., 1]).clip(min=0)
    return np.stack([np.minimum(low, point), point, np.maximum(high, point)], axis=-1)


def _weights(record: Record, names: tuple[str, ...]) -> dict[str, float]:
    known = np.isfinite(record.actual)
    actual = np.nan_to_num(record.actual)
    stack = np.stack([record.units[name] * known for name in names])  # (K, R, H)
    steps = round(1 / STEP)
    grid = np.array([p for p in product(range(steps + 1), repeat=len(names) - 1) if sum(p) <= steps]) / steps
    grid = np.column_stack([grid, 1 - grid.sum(axis=1)])
    scale = max(actual.sum(), 1e-9)
    cost = np.empty(len(grid))
    for i, weights in enumerate(grid):
        mixed = np.tensordot(weights, stack, axes=1)
        week = np.abs(mixed - actual).sum() / scale
        total = np.abs(mixed.sum(axis=1) - actual.sum(axis=1)).sum() / scale
        cost[i] = week + total + _SHRINK * len(names) * ((weights - 1 / len(names)) ** 2).sum()
    # The average over good grid points is steadier than the best one.
    good = np.exp(-(cost - cost.min()) / 0.01)
    mean = (good[:, None] * grid).sum(axis=0) / good.sum()
    return dict(zip(names, map(float, mean), strict=True))


def _scale(made: Array, came: Array) -> float:
    made = np.maximum(made, 1e-9)
    ratio = np.append(came / made, 1.0)
    weight = np.append(made, 20 * made.mean())
    return float(np.clip(weighted_quantile(ratio, weight, 0.5), 0.5, 2.0))


def weighted_quantile(values: Array, weights: Array, q: float) -> float:
    """Smallest value whose share of the weight up to it reaches `q`."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(int(np.searchsorted(reached, q)), len(values) - 1)])


def _total_bounds(errors: Array, spread: Array, fade: Array) -> tuple[float, float]:
    # The kriging's normal enters as a grid of quantiles worth twenty launches, so few launches cannot undo it.
    grid = ndtri((np.arange(40) + 0.5) / 40)
    scores = np.concatenate([errors / np.maximum(spread, 1e-6), grid])
    weights = np.concatenate([fade, np.full(40, _PRIOR_SCORES / 40)])
    return weighted_quantile(scores, weights, 0.1), weighted_quantile(scores, weights, 0.9)


def _weekly_bounds(
    point: Array, actual: Array, fade: Array
) -> tuple[tuple[float, ...], tuple[tuple[float, float], ...]]:
    known = np.isfinite(actual)
    levels, errors = point[known], (np.log1p(np.nan_to_num(actual)) - np.log1p(point))[known]
    weights = np.broadcast_to(fade[:, None], actual.shape)[known]
    cuts = tuple(map(float, np.quantile(levels, [1 / 3, 2 / 3])))
    third = np.searchsorted(np.array(cuts), levels)
    bounds = []
    for part in range(3):
        inside = third == part
        if not inside.any():
            inside = np.ones(len(levels), dtype=bool)
        bounds.append(
            (
                weighted_quantile(errors[inside], weights[inside], 0.1),
                weighted_quantile(errors[inside], weights[inside], 0.9),
            )
        )
    return cuts, tuple(bounds)
