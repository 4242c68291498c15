"""What a launch forecast must beat: cohort curves, analogues, plain LightGBM, and time-series models of the shop."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import pandas as pd

from benchmarks.accuracy import Array, Forecasts
from tools.launch.market import Index, Market, log_prices
from tools.launch.members import analogue_weights


@dataclass(frozen=True)
class Task:
    """Launches to forecast in the first unknown period, and the finished ones to learn from."""

    known: Market
    rows: Index
    learned: Index
    windows: Array  # units by period of the finished launches that were really offered (L, H)


def median_curve(task: Task) -> Forecasts:
    """Median units by period of all finished launches."""
    return _same_for_all(task, task.windows, np.median)


def mean_curve(task: Task) -> Forecasts:
    """Mean units by period of all finished launches."""
    return _same_for_all(task, task.windows, np.mean)


def price_tier_median(task: Task) -> Forecasts:
    """Median units by period of the finished launches in the same third of prices."""
    prices = log_prices(task.known)
    tier = np.searchsorted(np.quantile(prices[task.learned], [1 / 3, 2 / 3]), prices)
    parts = [_same_for_all(task, _or_all(task.windows, tier[task.learned] == t), np.median) for t in range(3)]
    assert all(part.weekly is not None and part.total is not None for part in parts)
    at = tier[task.rows]
    every = np.arange(len(task.rows))
    return Forecasts(
        np.stack([p.point for p in parts])[at, every],
        np.stack([p.weekly for p in parts if p.weekly is not None])[at, every],
        np.stack([p.total for p in parts if p.total is not None])[at, every],
    )


def analogues(task: Task) -> Forecasts:
    """Mean of the ten finished launches most alike in text and price."""
    weights = analogue_weights(task.known, task.rows, task.learned) > 0
    groups = [task.windows[chosen] for chosen in weights]
    parts = [_quantities(group, np.mean) for group in groups]
    return Forecasts(*(np.stack(values) for values in zip(*parts, strict=True)))


def lightgbm(task: Task) -> Forecasts:
    """Plain LightGBM on (product, period): price, category, period, time of year; Tweedie mean and quantiles."""
    horizon = task.windows.shape[1]
    learn = _plain_features(task.known, task.learned, horizon)
    new = _plain_features(task.known, task.rows, horizon)
    settings = {"n_estimators": 150, "learning_rate": 0.05, "num_leaves": 15, "verbose": -1, "n_jobs": 1}
    y = task.windows.ravel()

    def fit(**objective: object) -> Array:
        model = lgb.LGBMRegressor(**settings, random_state=0, **objective).fit(learn, y)
        return np.asarray(model.predict(new)).reshape(len(task.rows), horizon).clip(min=0)

    point = fit(objective="tweedie")
    low, high = fit(objective="quantile", alpha=0.1), fit(objective="quantile", alpha=0.9)
    weekly = np.stack([np.minimum(low, point), np.maximum(high, point)], axis=-1)
    return Forecasts(point, weekly)


def seasonal_naive(task: Task) -> Forecasts:
    """Mean units per product on sale in the same periods a year ago; without a year, in the last period."""
    series, horizon = _per_product(task.known), task.windows.shape[1]
    cycle = task.known.panel.cycle
    last_season = np.resize(series[-cycle:], horizon)
    curve = last_season if len(series) >= cycle + horizon else np.full(horizon, series[-1])
    return Forecasts(np.tile(curve, (len(task.rows), 1)))


def auto_ets(task: Task) -> Forecasts:
    """AutoETS of the mean units per product on sale."""
    from statsforecast.models import AutoETS

    return _from_shop(task, AutoETS(season_length=_short_cycle(task.known)))


def auto_arima(task: Task) -> Forecasts:
    """AutoARIMA of the mean units per product on sale."""
    from statsforecast.models import AutoARIMA

    return _from_shop(task, AutoARIMA(season_length=_short_cycle(task.known), max_p=3, max_q=3))


RIVALS: dict[str, Callable[[Task], Forecasts]] = {
    "median_curve": median_curve,
    "mean_curve": mean_curve,
    "price_tier_median": price_tier_median,
    "analogues": analogues,
    "seasonal_naive": seasonal_naive,
    "auto_ets": auto_ets,
    "auto_arima": auto_arima,
    "lightgbm": lightgbm,
}


def shelf_mean(known: Market, rows: Index, horizon: int) -> Forecasts:
    """Mean units per product on sale of late, for days on which no launch is finished yet."""
    series = _per_product(known)
    return Forecasts(np.full((len(rows), horizon), series[-8:].mean() if len(series) else 0.0))


def _same_for_all(task: Task, windows: Array, middle: Callable[..., Array]) -> Forecasts:
    point, weekly, total = _quantities(windows, middle)
    count = len(task.rows)
    return Forecasts(np.tile(point, (count, 1)), np.tile(weekly, (count, 1, 1)), np.tile(total, (count, 1)))


def _quantities(windows: Array, middle: Callable[..., Array]) -> tuple[Array, Array, Array]:
    point = middle(windows, axis=0)
    weekly = np.quantile(windows, [0.1, 0.9], axis=0).T
    low, high = np.quantile(windows.sum(axis=1), [0.1, 0.9])
    total = point.sum()
    return point, weekly, np.array([min(low, total), total, max(high, total)])


def _or_all(windows: Array, inside: np.ndarray) -> Array:
    return windows[inside] if inside.sum() >= 3 else windows


def _plain_features(known: Market, rows: Index, horizon: int) -> pd.DataFrame:
    at = known.launched[rows].clip(max=known.panel.units.shape[1])[:, None] + np.arange(horizon)[None, :]
    return pd.DataFrame(
        {
            "week": np.tile(np.arange(horizon), len(rows)),
            "log_price": np.repeat(log_prices(known)[rows], horizon),
            "category": np.repeat(pd.factorize(known.frame["category"])[0][rows], horizon),
            "time_of_year": (at % known.panel.cycle).ravel(),
        }
    )


def _per_product(known: Market) -> Array:
    units = known.panel.units
    there = np.isfinite(units)
    series = np.divide(
        np.nansum(units, axis=0), there.sum(axis=0), out=np.zeros(units.shape[1]), where=there.any(axis=0)
    )
    # The newest periods are missing the products that have not sold since: their mean would be too high.
    return series[:-1] if len(series) > 1 else series


def _short_cycle(known: Market) -> int:
    cycle = known.panel.cycle
    return cycle if cycle <= 24 and known.panel.units.shape[1] >= 2 * cycle else 1


def _from_shop(task: Task, model: object) -> Forecasts:
    series, horizon = _per_product(task.known), task.windows.shape[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        curve = model.forecast(series, h=horizon + 1)["mean"][1:]  # type: ignore[attr-defined]
    return Forecasts(np.tile(np.asarray(curve).clip(min=0), (len(task.rows), 1)))
