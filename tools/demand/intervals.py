"""Intervals around point forecasts, calibrated on the errors of past origins (conformal prediction), and their sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.demand.panel import Array

COVER = 0.8
_FADE = 0.7  # weight of an origin against the next later one
_ENOUGH = 30  # errors needed to judge a horizon by its own
_NARROWEST, _WIDEST = 0.7, 2.0
_ONE_ORIGIN = 1.2  # stretch where a single origin cannot show how much errors change from one to the next


@dataclass(frozen=True)
class Scores:
    """What a backtest left of errors in one class of series.

    Attributes:
        error: Actual less forecast, over the scale of the series (n,).
        ahead: Periods ahead, from 0 (n,).
        weight: Later origins weigh more (n,).
        stretch: Factor on both bounds.
    """

    error: Array
    ahead: NDArray[np.int64]
    weight: Array
    stretch: float


def make_scores(made: Array, actual: Array, scale: Array, age: NDArray[np.int64]) -> Scores:
    """Scores of forecasts (R, H) of series with MASE denominators (R,) from origins `age` origins ago (R,)."""
    error = (actual - made) / scale[:, None]
    known = np.isfinite(error)
    ahead = np.broadcast_to(np.arange(made.shape[1]), made.shape)[known]
    origin = np.broadcast_to(age[:, None], made.shape)[known]
    return Scores(error[known], ahead, _FADE ** origin.astype(float), stretch_of(error[known], origin))


def stretch_of(error: Array, origin: NDArray[np.int64]) -> float:
    """Factor by which bounds learned at some origins must change to hold 80 % at another, from 0.7 to 2.

    Errors of one origin rise and fall together, so they are not exchangeable with those of the next, and plain
    conformal bounds are too narrow; where history has grown since the earlier origins, they can be too wide. The mean
    of two answers: each origin held against the bounds of all others, and against those of the origins before it.

    Args:
        error: Scaled errors (n,).
        origin: How many origins ago (n,), 0 the latest.
    """
    origins = np.unique(origin)
    if len(origins) < 2:
        return _ONE_ORIGIN
    apart = [_needed(error[origin != one], error[origin == one]) for one in origins]
    later = [_needed(error[origin > one], error[origin == one]) for one in origins[:-1]]
    asked = [np.clip(np.quantile(np.concatenate(part), COVER), _NARROWEST, _WIDEST) for part in (apart, later)]
    return float(np.mean(asked))


def _needed(known: Array, new: Array) -> Array:
    """By how much the bounds of known errors must be stretched to reach each new one."""
    low, high = np.quantile(known, ((1 - COVER) / 2, (1 + COVER) / 2))
    return np.asarray(np.where(new < 0, new / min(low, -1e-9), new / max(high, 1e-9)))


def conformal_quantiles(
    point: Array, scale: Array, kinds: NDArray[np.int64], scores: Mapping[int, Scores], widest: float = 1.0
) -> Array:
    """P10, P50, P90 (N, H, 3) from the backtest's scaled errors of the same class and a like horizon.

    Beyond the horizon of the backtest bounds grow with the root of the time ahead, as those of a random walk do.

    Args:
        point: Forecasts (N, H).
        scale: MASE denominators (N,).
        kinds: Class of each series (N,).
        scores: By class; a class without any takes those of another, and without one the interval is the scale itself.
        widest: Scaled error assumed where there are no scores at all.
    """
    horizon = point.shape[1]
    low, high = np.zeros_like(point), np.zeros_like(point)
    for kind in np.unique(kinds):
        rows = kinds == kind
        mine = scores.get(int(kind)) or next(iter(scores.values()), None)
        for h in range(horizon):
            below, above = (-widest, widest) if mine is None else _bounds(mine, h)
            low[rows, h], high[rows, h] = below * scale[rows], above * scale[rows]
    return np.stack([np.minimum((point + low).clip(min=0), point), point, np.maximum(point + high, point)], axis=-1)


def _bounds(scores: Scores, ahead: int) -> tuple[float, float]:
    last = int(scores.ahead.max())
    at, further = min(ahead, last), np.sqrt((max(ahead, last) + 1) / (last + 1))
    near = np.abs(scores.ahead - at) <= max(1, (last + 1) // 6)
    near = near if near.sum() >= _ENOUGH else np.ones(len(near), dtype=bool)
    n, tail = int(near.sum()), (1 - COVER) / 2
    error, weight = scores.error[near], scores.weight[near]
    below = weighted_quantile(error, weight, max(tail - tail / n, 0.0))
    above = weighted_quantile(error, weight, min(1 - tail + tail / n, 1.0))
    reach = scores.stretch * further
    return below * reach, above * reach


def weighted_quantile(values: Array, weights: Array, q: float) -> float:
    """The smallest value at or below which a share q of the weight lies."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][min(int(np.searchsorted(total, q * total[-1])), len(values) - 1)])


def bottom_up(quantiles: Array, groups: NDArray[np.int64], count: int) -> Array:
    """Forecasts of groups (G, H, 3) from those of their series (N, H, 3).

    Medians of skewed series sum low and extremes do not happen together, so the spread of a sum is the root of the
    sum of squares of its parts' half-widths, around the sum of the points (independent errors; an understatement
    where the whole market moves).
    """
    point = np.zeros((count, quantiles.shape[1]))
    down, up = np.zeros_like(point), np.zeros_like(point)
    np.add.at(point, groups, quantiles[..., 1])
    np.add.at(down, groups, (quantiles[..., 1] - quantiles[..., 0]) ** 2)
    np.add.at(up, groups, (quantiles[..., 2] - quantiles[..., 1]) ** 2)
    return np.stack([(point - np.sqrt(down)).clip(min=0), point, point + np.sqrt(up)], axis=-1)
