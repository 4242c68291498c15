"""One LightGBM over all series and horizons: lags, season, price, promotion; with contributions that add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.demand.local import average
from tools.demand.panel import Array, Panel
from tools.demand.series import pooled_season, recent_level

LAGS = 8
_WINDOWS = (4, 13, 26)
_MOST_ROWS = 120_000
SETTINGS: dict[str, Any] = {
    "n_estimators": 150,
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_child_samples": 40,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.6,
    "reg_lambda": 5.0,
    "random_state": 0,
    "verbose": -1,
}


@dataclass(frozen=True)
class Planned:
    """What is planned for the periods ahead: price and promotion (N, H); NaN price keeps the last one."""

    price: Array
    promotion: Array


@dataclass(frozen=True)
class Learned:
    """A fitted model and what it needs to forecast: it answers in multiples of each series' recent level."""

    model: lgb.LGBMRegressor
    horizon: int
    categories: NDArray[np.int64]


def trees(panel: Panel, horizon: int, categories: NDArray[np.int64] | None = None, jobs: int = 1) -> Array:
    """Median units ahead (N, H)."""
    learned = fit_trees(panel, horizon, categories, objective="l1", jobs=jobs)
    if learned is None:
        return np.repeat(recent_level(panel)[:, None], horizon, axis=1)
    return predict_trees(learned, panel)


def boost(panel: Panel, horizon: int, categories: NDArray[np.int64] | None = None, jobs: int = 1) -> Array:
    """Mean units ahead (N, H): the same model under the Tweedie loss, which suits lumpy sales."""
    learned = fit_trees(panel, horizon, categories, jobs=jobs)
    if learned is None:
        return np.repeat(recent_level(panel)[:, None], horizon, axis=1)
    return predict_trees(learned, panel)


def hybrid(panel: Panel, horizon: int, categories: NDArray[np.int64] | None = None, jobs: int = 1) -> Array:
    """The seasonal average, corrected by LightGBM on what it got wrong at earlier origins (N, H)."""
    base = average(panel, horizon)
    learned = fit_trees(panel, horizon, categories, jobs=jobs, residual=True, objective="l1")
    if learned is None:
        return base
    frame, _ = _rows(panel, panel.units.shape[1], horizon, learned.categories, None)
    step = np.asarray(learned.model.predict(frame)).reshape(base.shape)
    return np.asarray((base + step * recent_level(panel)[:, None]).clip(min=0))


def fit_trees(
    panel: Panel,
    horizon: int,
    categories: NDArray[np.int64] | None = None,
    jobs: int = 1,
    residual: bool = False,
    **objective: Any,
) -> Learned | None:
    """Learn from forecasts that could have been made at earlier origins; None with too little history.

    Args:
        panel: As known.
        horizon: Periods ahead.
        categories: Number of each series' category (N,).
        jobs: Threads.
        residual: Learn what the seasonal average gets wrong, not the units.
        objective: LightGBM's, such as `objective="quantile", alpha=0.9`; default the Tweedie mean.
    """
    groups = np.zeros(len(panel.keys), dtype=np.int64) if categories is None else categories
    periods = panel.units.shape[1]
    step = max(1, horizon // 2)
    origins = list(range(periods - 1, max(LAGS + 2, periods // 4), -step))[: max(8, 2 * panel.cycle // step)]
    x, y, rows = [], [], 0
    for origin in origins:
        reach = min(horizon, periods - origin)
        frame, target = _rows(panel, origin, reach, groups, None)
        if residual:
            known = panel.until(origin)
            target = target - (average(known, reach) / recent_level(known)[:, None]).ravel()
        keep = np.isfinite(target)
        x.append(frame[keep])
        y.append(target[keep])
        rows += int(keep.sum())
        if rows > _MOST_ROWS:
            break
    if rows < 300:
        return None
    settings = SETTINGS | (objective or {"objective": "tweedie", "tweedie_variance_power": 1.3})
    model = lgb.LGBMRegressor(n_jobs=jobs, **settings)
    model.fit(pd.concat(x, ignore_index=True), np.concatenate(y).clip(-8.0, 8.0))
    return Learned(model, horizon, groups)


def predict_trees(learned: Learned, panel: Panel, planned: Planned | None = None) -> Array:
    """Units ahead (N, H) under planned prices and promotions."""
    frame, _ = _rows(panel, panel.units.shape[1], learned.horizon, learned.categories, planned)
    made = np.asarray(learned.model.predict(frame)).reshape(len(panel.keys), learned.horizon)
    return np.asarray((made * recent_level(panel)[:, None]).clip(min=0))


def contributions(learned: Learned, panel: Panel, row: int, planned: Planned | None = None) -> pd.DataFrame:
    """What each driver adds to a series' forecast (H, drivers): exact TreeSHAP values in the model's own scale.

    Columns sum to the raw prediction: the log of the multiple of the recent level for Tweedie, the multiple itself
    for other objectives (Lundberg et al. 2020; LightGBM's `pred_contrib`).
    """
    frame, _ = _rows(panel, panel.units.shape[1], learned.horizon, learned.categories, planned)
    mine = frame.iloc[row * learned.horizon : (row + 1) * learned.horizon]
    values = np.asarray(learned.model.predict(mine, pred_contrib=True))
    detail = pd.DataFrame(values, columns=[*frame.columns, "usual"])
    grouped = detail.T.groupby([_driver(name) for name in detail.columns], sort=False).sum().T
    return grouped.set_index(pd.RangeIndex(1, learned.horizon + 1, name="period"))


def _driver(name: str) -> str:
    if name.startswith(("lag_", "mean_", "zeros", "trend")):
        return "recent sales"
    return {
        "last_season": "season",
        "season": "season",
        "year_sin": "season",
        "year_cos": "season",
        "price": "price",
        "promotion": "promotion",
        "age": "age",
        "category": "category",
        "ahead": "weeks ahead",
    }.get(name, name)


def _rows(
    panel: Panel, origin: int, horizon: int, groups: NDArray[np.int64], planned: Planned | None
) -> tuple[pd.DataFrame, Array]:
    """Features (N·H) as known before `origin`, and the target where the panel reaches, in recent levels."""
    known = panel if origin == panel.units.shape[1] else panel.until(origin)
    count, cycle = len(panel.keys), panel.cycle
    level = recent_level(known)
    flat = known.units / level[:, None]
    season = pooled_season(known, horizon)
    columns: dict[str, Array] = {}
    for lag in range(1, LAGS + 1):
        columns[f"lag_{lag}"] = _wide(flat[:, -lag] if origin >= lag else np.full(count, np.nan), horizon)
    for window in _WINDOWS:
        columns[f"mean_{window}"] = _wide(_tail_mean(flat, window), horizon)
    columns["trend"] = columns["mean_4"] - columns["mean_26"]
    columns["zeros"] = _wide(_tail_mean((known.units == 0).astype(float), 26), horizon)
    at = origin - cycle + np.arange(horizon)
    old = np.where((at >= 0) & (at < origin), 1, 0)
    last = np.where(old, flat[:, np.clip(at, 0, origin - 1)], np.nan)
    columns["last_season"] = last.ravel()
    columns["season"] = (season[:, origin:] - season[:, max(0, origin - 8) : origin].mean(axis=1)[:, None]).ravel()
    angle = 2 * np.pi * (origin + np.arange(horizon)) / cycle
    columns["year_sin"], columns["year_cos"] = np.tile(np.sin(angle), count), np.tile(np.cos(angle), count)
    columns["ahead"] = np.tile(np.arange(horizon), count)
    columns["age"] = _wide((origin - known.first).clip(max=104), horizon)
    columns["category"] = _wide(groups, horizon)
    price, promotion, target = _ahead(panel, known, origin, horizon, planned)
    usual = _tail_mean(known.price, 26)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns["price"] = np.log(price / usual[:, None]).ravel()
    columns["promotion"] = promotion.ravel()
    return pd.DataFrame(columns), (target / level[:, None]).ravel()


def _ahead(
    panel: Panel, known: Panel, origin: int, horizon: int, planned: Planned | None
) -> tuple[Array, Array, Array]:
    count = len(panel.keys)
    last = np.repeat(known.price[:, -1:], horizon, axis=1)
    if origin == panel.units.shape[1]:
        nothing = np.full((count, horizon), np.nan)
        if planned is None:
            return last, np.zeros((count, horizon)), nothing
        return np.where(np.isfinite(planned.price), planned.price, last), planned.promotion, nothing
    part = slice(origin, origin + horizon)
    return panel.price[:, part], panel.promotion[:, part], panel.units[:, part]


def _wide(values: NDArray[Any], horizon: int) -> Array:
    return np.repeat(np.asarray(values, dtype=float), horizon)


def _tail_mean(values: Array, periods: int) -> Array:
    part = values[:, -periods:]
    known = np.isfinite(part)
    count = known.sum(axis=1)
    out = np.full(len(part), np.nan)
    return np.asarray(np.divide(np.nansum(part, axis=1), count, out=out, where=count > 0))
