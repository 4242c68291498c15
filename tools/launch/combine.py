"""One forecast from several: weights, levels and intervals learned on how earlier launches really went."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from tools.demand.panel import Array

STEP = 0.2
HALF_LIFE = 26.0  # periods after which an earlier launch counts half
LEVELS = (np.arange(100) + 0.5) / 100
BOUNDS = np.array([0.1, 0.5, 0.9])
_LEAST = 5  # launches on record before anything is learned from them
_PRIOR_SCORES = 20.0  # launches that the kriging's own spread is worth
_PRIOR_STRETCH = 20.0  # launches that intervals as learned are worth
_SHRINK = 0.05  # how much worse equal weights may be before others are taken
_STRETCHES = (0.5, 4.0)
_RECENT = 4.0  # periods after which an earlier launch counts half in the stretch


@dataclass(frozen=True)
class Record:
    """Forecasts made in the past for launches, with what was seen since.

    Attributes:
        units: By member (R, H).
        spread: (R,), see `members.Views`.
        launched: Period of each launch (R,).
        actual: Units by week (R, H), NaN where not known.
        total: P10, P50, P90 of the units over all weeks as they were given, before any stretch (R, 3).
        weekly: The same by week (R, H, 3).
    """

    units: dict[str, Array]
    spread: Array
    launched: NDArray[np.int64]
    actual: Array
    total: Array
    weekly: Array


@dataclass(frozen=True)
class Recipe:
    """How members become a forecast. One blend for weeks and total, so that weeks add up to it.

    Attributes:
        weights: Of the members, not negative and summing to one.
        total: Log factors from the point forecast to the total at the quantiles `LEVELS`, in spreads of the kriging.
        weekly: Log factors to P10 and P90 of a week's units, around each of `levels`.
        levels: Log weekly units, ascending; factors in between are interpolated.
        stretch: Factors on the log widths of the total's and the weeks' intervals.
    """

    weights: dict[str, float]
    total: tuple[float, ...]
    weekly: tuple[tuple[float, float], ...]
    levels: tuple[float, ...]
    stretch: tuple[float, float] = (1.0, 1.0)

    def point(self, units: dict[str, Array]) -> Array:
        """Point forecast, in the shape of a member's units."""
        return np.asarray(sum(weight * units[name] for name, weight in self.weights.items()))


@dataclass(frozen=True)
class Made:
    """P10, P50 and P90 of launches: over all weeks (M, 3) and by week (M, H, 3)."""

    total: Array
    weekly: Array


def learn(record: Record | None, names: tuple[str, ...], now: int) -> Recipe:
    """The recipe from launches whose forecasts are on record.

    Weights: the points of a grid on the simplex with the least absolute error of weeks and of totals together, pulled
    to equal weights. Intervals: split conformal on log errors (Vovk et al. 2005), later launches weighing more (Barber
    et al. 2023); then stretched by what the intervals given of late missed (in the manner of Gibbs & Candes 2021).

    Args:
        record: Past forecasts; None or an empty record gives the prior recipe.
        names: Members.
        now: Period of the launches to come.
    """
    if record is None or len(record.launched) < _LEAST:
        equal = {name: 1 / len(names) for name in names}
        return Recipe(equal, tuple(map(float, ndtri(LEVELS))), ((-1.6, 1.2),), (0.0,))
    known = np.isfinite(record.actual)
    plain = Recipe(_weights(record, names), (), (), ())
    point = plain.point(record.units)
    fade = 0.5 ** (np.maximum(now - record.launched, 0) / HALF_LIFE)
    half = known.mean(axis=1) >= 0.5
    errors = np.log1p(np.nansum(record.actual, axis=1)) - np.log1p((point * known).sum(axis=1))
    total = _total_scores(errors[half], record.spread[half], fade[half])
    weekly, levels = _weekly_bounds(point, record.actual, fade)
    return Recipe(plain.weights, total, weekly, levels, _stretches(record, now))


def make(units: dict[str, Array], spread: Array, recipe: Recipe) -> Made:
    """The forecast of launches from their members' views (M, H) and their spreads (M,)."""
    point = recipe.point(units)
    return Made(total_at(point.sum(axis=1), spread, recipe, BOUNDS), weekly_quantiles(point, recipe))


def total_at(total: Array, spread: Array, recipe: Recipe, levels: Array) -> Array:
    """Units over all weeks at the quantiles `levels` (Q,) of launches with point forecasts `total` (M,): (M, Q)."""
    scores = np.interp(levels, LEVELS, recipe.total) * recipe.stretch[0]
    return np.asarray(np.expm1(np.log1p(total)[:, None] + scores * spread[:, None]).clip(min=0))


def weekly_quantiles(point: Array, recipe: Recipe) -> Array:
    """P10, P50, P90 of each week's units (M, H, 3) around `point` (M, H)."""
    level = np.log1p(point)
    sides = np.array(recipe.weekly).T * recipe.stretch[1]
    below, above = (np.interp(level, recipe.levels, side) for side in sides)
    low, high = np.expm1(level + below).clip(min=0), np.expm1(level + above).clip(min=0)
    return np.stack([np.minimum(low, point), point, np.maximum(high, point)], axis=-1)


def weighted_quantile(values: Array, weights: Array, q: float) -> float:
    """Smallest value whose share of the weight up to it reaches `q`."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(int(np.searchsorted(reached, q)), len(values) - 1)])


def _weights(record: Record, names: tuple[str, ...]) -> dict[str, float]:
    known, came = np.isfinite(record.actual), np.nan_to_num(record.actual)
    stack = np.stack([record.units[name] * known for name in names])
    sums, summed = stack.sum(axis=2), came.sum(axis=1)
    steps = round(1 / STEP)
    grid = np.array([p for p in product(range(steps + 1), repeat=len(names) - 1) if sum(p) <= steps]) / steps
    grid = np.column_stack([grid, 1 - grid.sum(axis=1)])
    off = np.array(
        [
            np.abs(np.tensordot(weights, stack, axes=1) - came).sum() + np.abs(weights @ sums - summed).sum()
            for weights in grid
        ]
    )
    cost = off / max(2 * float(came.sum()), 1e-9)
    cost += _SHRINK / 2 * len(names) * ((grid - 1 / len(names)) ** 2).sum(axis=1)
    # The average over good grid points is steadier than the best one.
    good = np.exp(-(cost - cost.min()) / 0.005)
    mean = (good[:, None] * grid).sum(axis=0) / good.sum()
    return dict(zip(names, map(float, mean), strict=True))


def _total_scores(errors: Array, spread: Array, fade: Array) -> tuple[float, ...]:
    # The kriging's normal enters as a grid of quantiles worth twenty launches, so few launches cannot undo it.
    grid = ndtri((np.arange(40) + 0.5) / 40)
    scores = np.concatenate([errors / np.maximum(spread, 1e-6), grid])
    weights = np.concatenate([fade, np.full(40, _PRIOR_SCORES / 40)])
    found = np.array([weighted_quantile(scores, weights, q) for q in LEVELS])
    # The point forecast is the middle: around it the distribution bends, P10 and P90 stay.
    tent = np.interp(LEVELS, [0.1, 0.5, 0.9], [0.0, 1.0, 0.0])
    bent = found - float(np.interp(0.5, LEVELS, found)) * tent
    return tuple(map(float, np.maximum.accumulate(bent)))


def _weekly_bounds(
    point: Array, actual: Array, fade: Array
) -> tuple[tuple[tuple[float, float], ...], tuple[float, ...]]:
    """Bounds of the log error of weeks by third of the level forecast, and the middle of each third."""
    known = np.isfinite(actual)
    levels, errors = np.log1p(point[known]), (np.log1p(np.nan_to_num(actual)) - np.log1p(point))[known]
    weights = np.broadcast_to(fade[:, None], actual.shape)[known]
    third = np.searchsorted(np.quantile(levels, [1 / 3, 2 / 3]), levels)
    bounds, middles = [], []
    for part in np.unique(third):
        inside = third == part
        low, high = (weighted_quantile(errors[inside], weights[inside], q) for q in (0.1, 0.9))
        bounds.append((low, high))
        middles.append(float(np.median(levels[inside])))
    return tuple(bounds), tuple(middles)


def _stretches(record: Record, now: int) -> tuple[float, float]:
    """Factors on the log widths of intervals: half the way to those with which four in five of late had been inside."""
    fade = 0.5 ** (np.maximum(now - record.launched, 0) / _RECENT)
    known = np.isfinite(record.actual)
    half = known.mean(axis=1) >= 0.5
    weekly = record.weekly * known[..., None]
    part = weekly[..., 1].sum(axis=1) / np.maximum(record.weekly[..., 1].sum(axis=1), 1e-9)
    total = record.total * part[:, None]
    summed = np.nansum(record.actual, axis=1)
    cells = np.broadcast_to((fade / record.actual.shape[1])[:, None], known.shape)
    return (
        _stretch(total[half], summed[half], fade[half]),
        _stretch(record.weekly[known], record.actual[known], cells[known]),
    )


def _stretch(given: Array, came: Array, weight: Array) -> float:
    low, middle, high = np.log1p(given).T
    off = np.log1p(came) - middle
    side = np.where(off >= 0, high - middle, low - middle)
    reached = np.divide(off, side, out=np.where(off == 0, 0.0, np.inf), where=side != 0)
    # Intervals that were right count as some launches more, so that few launches cannot undo them.
    prior = np.linspace(0.0, 1.25, 40)
    values = np.concatenate([reached, prior])
    weights = np.concatenate([weight, np.full(len(prior), _PRIOR_STRETCH / len(prior))])
    return float(np.sqrt(np.clip(weighted_quantile(values, weights, 0.8), *_STRETCHES)))
