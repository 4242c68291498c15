"""Demand over a lead time and a review, as paths: a learned level, a learned spread, and errors made in like places.

Stock needs the whole distribution of demand over the weeks an order must cover, above all its upper end. Two LightGBM
models learn, across products, what the mean over those weeks is and how far off that mean tends to be; the shape of
the error comes from earlier weeks of products with like level and like spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    import lightgbm as lgb
    from scipy.spatial import cKDTree

Array = NDArray[np.float64]
SETTINGS: dict[str, Any] = {
    "objective": "tweedie",  # the mean of lumpy demand
    "tweedie_variance_power": 1.5,
    "n_estimators": 200,
    "learning_rate": 0.06,
    "num_leaves": 8,
    "min_child_samples": 80,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.7,
    "reg_lambda": 5.0,
    "random_state": 0,
    "verbose": -1,
    "n_jobs": 1,
}
_SMOOTHING = (0.02, 0.05, 0.1, 0.2, 0.4)  # how fast a level may follow; the best on the first windows is the unit
_PATIENCE = 10  # trees without gain on the other half after which no more are grown
_WINDOWS = (4, 8, 13, 26, 52)
_LEAST_LEVEL = 0.02  # units per period under which levels are not told apart
_MOST_ROWS = 25_000
_LOOK_BACK = 104  # periods of windows to learn from, at least
_WILDEST = 20.0  # multiples of the level beyond which one window must not teach the trees
_FURTHEST = 30.0  # spreads beyond which an error says that the spread was wrong
_LEAST_SEEN = 8  # periods known before a window: earlier there is no level to speak of
_LIKE = np.array([1.0, 2.5])  # weight of level and of spread in who is alike


@dataclass(frozen=True)
class Seen:
    """What is known of each series before each period; nothing at position t looks at period t or later.

    Attributes:
        units: Demand (N, T), NaN where not known.
        level: Smoothed level, the unit in which the trees think (N, T + 1); NaN before the first sale.
        features: (N, T + 1, F).
        cycle: Periods in a season.
    """

    units: Array
    level: Array
    features: NDArray[np.float32]
    cycle: int


@dataclass(frozen=True)
class PathModel:
    """Trees and the errors they would have made.

    Attributes:
        horizon: Periods of a path.
        levels: Models of the mean over a path, in levels.
        spreads: Models of the absolute error of that mean, in levels.
        errors: Paths of errors in units of the spread (P, H).
        likeness: Tree over log level and log relative spread of the windows that the errors come from.
        scale: What brings both to one scale (2,).
    """

    horizon: int
    levels: tuple[lgb.LGBMRegressor, ...]
    spreads: tuple[lgb.LGBMRegressor, ...]
    errors: Array
    likeness: cKDTree
    scale: Array


def look(units: Array, cycle: int, horizon: int, until: int) -> Seen:
    """Level and features of every series before every period.

    Args:
        units: Demand (N, T), NaN where not known.
        cycle: Periods in a season.
        horizon: Periods of the paths to be made.
        until: Period before which the speed of the level is chosen.
    """
    smoothed = [np.maximum(_smoothed(units, rate), _LEAST_LEVEL) for rate in _SMOOTHING]
    level = min(smoothed, key=lambda each: _error(each, units[:, :until], horizon))

    def relative(values: Array) -> Array:
        return np.asarray(np.log(np.maximum(values, 0.0) / level + _LEAST_LEVEL))

    columns = [np.log(level), *(relative(each) for each in smoothed if each is not level)]
    for window in _WINDOWS:
        mean, sd, empty = _rolled(units, window)
        columns += [relative(mean), relative(sd)]
        if window in (13, 52):
            columns.append(empty)
    last = np.pad(units, ((0, 0), (1, 0)), constant_values=np.nan)
    highest = pd.DataFrame(units.T).rolling(13, min_periods=1).max().to_numpy().T
    columns += [relative(last), relative(np.pad(highest, ((0, 0), (1, 0)), constant_values=np.nan))]
    columns += _last_season(units, cycle, horizon)
    return Seen(units, level, np.stack(columns, axis=-1).astype(np.float32), cycle)


def fit_paths(seen: Seen, until: int, horizon: int, seed: int = 0) -> PathModel:
    """Learn from windows that were over before period `until`.

    Each half of the series is judged by trees that learned from the other half: errors on what a tree has learned
    from would be too small.

    Raises:
        ValueError: No window of that length was over by then.
    """
    from scipy.spatial import cKDTree

    first = max(4, until - horizon - max(_LOOK_BACK, 2 * seen.cycle))
    origins = np.arange(first, until - horizon + 1)
    if not len(origins):
        raise ValueError("no window of this length was over by then")
    windows = np.lib.stride_tricks.sliding_window_view(seen.units[:, :until], horizon, axis=1)[:, origins]
    old = np.pad(np.cumsum(np.isfinite(seen.units), axis=1), ((0, 0), (1, 0)))[:, origins] >= _LEAST_SEEN
    series, at = np.nonzero(np.isfinite(windows).all(axis=2) & old)
    if not len(series):
        raise ValueError("no window of this length was over by then")
    if len(series) > _MOST_ROWS:
        rng = np.random.default_rng([seed, until])
        kept = np.sort(rng.choice(len(series), _MOST_ROWS, replace=False))
        series, at = series[kept], at[kept]
    paths = windows[series, at]
    level = seen.level[series, origins[at]]
    x = seen.features[series, origins[at]]
    half = np.random.default_rng(seed).integers(0, 2, len(seen.units))[series]
    target = np.minimum(paths.mean(axis=1) / level, _WILDEST)
    levels, middle = _crossed(x, target, half)
    spreads, spread = _crossed(x, np.abs(target - middle), half)
    errors = ((paths - (middle * level)[:, None]) / (spread * level)[:, None]).clip(max=_FURTHEST)
    place = np.column_stack([np.log(middle * level), np.log(spread / middle)])
    scale = _LIKE / np.maximum(place.std(axis=0), 1e-9)
    return PathModel(horizon, levels, spreads, errors, cKDTree(place * scale), scale)


def draw_paths(model: PathModel, seen: Seen, at: int, rows: NDArray[np.int64], draws: int = 500) -> Array:
    """Equally likely paths of demand of some series from period `at` on (n, M, H); zero for one not seen yet."""
    x = seen.features[rows, at]
    level = np.nan_to_num(seen.level[rows, at])
    middle = np.mean([np.asarray(each.predict(x)) for each in model.levels], axis=0)
    spread = np.mean([np.asarray(each.predict(x)) for each in model.spreads], axis=0)
    place = np.column_stack([np.log(np.maximum(middle * level, 1e-6)), np.log(spread / middle)])
    _, near = model.likeness.query(place * model.scale, k=min(draws, len(model.errors)))
    near = near.reshape(len(x), -1)
    paths = (middle * level)[:, None, None] + (spread * level)[:, None, None] * model.errors[near]
    return np.asarray(np.maximum(paths, 0.0))


def _crossed(x: NDArray[np.float32], y: Array, half: NDArray[np.int64]) -> tuple[tuple[lgb.LGBMRegressor, ...], Array]:
    """A model from each half, and each row's prediction by the model that has not seen its half."""
    import lightgbm

    made, models = np.full(len(y), max(float(y.mean()), 1e-6)), []
    for side in (0, 1):
        learn, judge = half != side, half == side
        if not learn.any() or not y[learn].any():
            learn = np.ones(len(y), dtype=bool)
        if not y.any():
            y = y + 1e-6
        model = lightgbm.LGBMRegressor(**SETTINGS)
        if judge.any():
            stop = lightgbm.early_stopping(_PATIENCE, verbose=False)
            model.fit(x[learn], y[learn], eval_X=x[judge], eval_y=y[judge], callbacks=[stop])
        else:
            model.fit(x[learn], y[learn])
        if judge.any():
            made[judge] = np.asarray(model.predict(x[judge]))
        models.append(model)
    return tuple(models), np.maximum(made, 1e-6)


def _error(level: Array, units: Array, horizon: int) -> float:
    """Mean absolute error of a level over the windows that follow it, in mean units of each series."""
    if units.shape[1] <= horizon + 4:
        return 0.0
    coming = np.lib.stride_tricks.sliding_window_view(units, horizon, axis=1).mean(axis=2)[:, 4:]
    miss = np.abs(coming - level[:, 4 : 4 + coming.shape[1]])
    known = np.isfinite(miss)
    scale = np.maximum(_mean_over_series(units.T), _LEAST_LEVEL)[:, None]
    return float(np.where(known, miss / scale, 0.0).sum() / max(known.sum(), 1))


def _smoothed(units: Array, rate: float) -> Array:
    """Exponentially smoothed units before each period (N, T + 1), the plain mean while that reacts faster."""
    count, periods = units.shape
    out, level, seen = np.full((count, periods + 1), np.nan), np.full(count, np.nan), np.zeros(count)
    for t in range(periods):
        known = np.isfinite(units[:, t])
        seen += known
        step = np.maximum(rate, 1 / np.maximum(seen, 1)) * (units[:, t] - np.nan_to_num(level))
        level = np.where(known, np.nan_to_num(level) + step, level)
        out[:, t + 1] = level
    return out


def _rolled(units: Array, window: int) -> tuple[Array, Array, Array]:
    """Mean, standard deviation and share of zeros over the last periods before each period, each (N, T + 1)."""
    known = np.isfinite(units)
    parts = (known, np.nan_to_num(units), np.nan_to_num(units) ** 2, known & (units == 0))
    low = np.maximum(np.arange(units.shape[1] + 1) - window, 0)
    sums = []
    for part in parts:
        running = np.pad(np.cumsum(part, axis=1, dtype=float), ((0, 0), (1, 0)))
        sums.append(running - running[:, low])
    count, total, square, empty = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        return mean, np.sqrt(np.maximum(square / count - mean**2, 0.0)), empty / count


def _last_season(units: Array, cycle: int, horizon: int) -> list[Array]:
    """The same periods a season ago, and the ones before them, against that year: own, and over all series."""
    count, periods = units.shape
    ahead, before = np.full((count, periods + 1), np.nan), np.full((count, periods + 1), np.nan)
    year = np.maximum(_rolled(units, cycle)[0], _LEAST_LEVEL)
    coming, past = _rolled(units, horizon)[0], _rolled(units, 8)[0]
    start = np.arange(cycle, periods + 1)
    ahead[:, start] = np.log(coming[:, np.minimum(start - cycle + horizon, start)] / year[:, start] + _LEAST_LEVEL)
    before[:, start] = np.log(past[:, start - cycle] / year[:, start] + _LEAST_LEVEL)
    shop = _mean_over_series(ahead - before)
    return [ahead, before, np.broadcast_to(shop, ahead.shape)]


def _mean_over_series(values: Array) -> Array:
    known = np.isfinite(values)
    total, count = np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))
