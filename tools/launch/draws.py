"""Launches drawn from a forecast: whole courses of weeks, so that sums over weeks keep their spread."""

from __future__ import annotations

import numpy as np

from tools.demand.panel import Array
from tools.launch.combine import HALF_LIFE, Recipe, Record, total_at

_LEAST = 5  # whole launches on record from which weeks are drawn
_PLAIN = 0.4  # sd of the log of a week's deviation before


def stratified(count: int, rng: np.random.Generator) -> Array:
    """Quantile levels (N,), one from each of N equal slices in random order: quantiles are steady at a small N."""
    return np.asarray((rng.permutation(count) + 0.5) / count)


def total_draws(total: float, spread: float, recipe: Recipe, count: int, rng: np.random.Generator) -> Array:
    """Draws of the units over all weeks (N,) with exactly the quantiles of `total_at`."""
    return np.asarray(total_at(np.array([total]), np.array([spread]), recipe, stratified(count, rng))[0])


def spread_over_weeks(
    total: Array, point: Array, recipe: Recipe, record: Record | None, rng: np.random.Generator, skip: int = 0
) -> Array:
    """Draws by week (N, H) that add up to `total` (N,).

    Weeks deviate from the shape of `point` the way the weeks of a past launch did from theirs; later launches are
    drawn more often.

    Args:
        total: Units over the weeks.
        point: Forecast by week (H,).
        recipe: How it was made.
        record: Launches forecast in the past; without five whole ones weeks deviate by a log-normal.
        rng: Source of chance.
        skip: Launch weeks before the first of `point`.
    """
    shapes = point * _deviations(recipe, record, len(total), len(point), skip, rng)
    whole = shapes.sum(axis=1, keepdims=True)
    shapes = np.where(whole > 0, shapes / np.maximum(whole, 1e-12), point / max(point.sum(), 1e-12))
    return np.asarray(total[:, None] * shapes)


def _deviations(
    recipe: Recipe, record: Record | None, count: int, weeks: int, skip: int, rng: np.random.Generator
) -> Array:
    whole = np.zeros(0, dtype=bool) if record is None else np.isfinite(record.actual).all(axis=1)
    if record is None or whole.sum() < _LEAST:
        return np.asarray(rng.lognormal(0.0, _PLAIN, (count, weeks)))
    made, came = recipe.point(record.units)[whole, skip:], record.actual[whole, skip:]
    ratio = came / np.maximum(made, 1e-9)
    level = came.sum(axis=1) / np.maximum(made.sum(axis=1), 1e-9)
    fade = 0.5 ** ((record.launched[whole].max() - record.launched[whole]) / HALF_LIFE)
    return np.asarray((ratio / np.maximum(level, 1e-9)[:, None])[rng.choice(len(ratio), count, p=fade / fade.sum())])
