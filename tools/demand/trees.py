"""One LightGBM over all series and horizons: lags, season, price, promotion; with contributions that add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.demand.local import average
from tools.demand.panel import Array, Panel
from tools.demand.series import pooled_season, recent_level

if TYPE_CHECKING:
    import lightgbm as lgb

Index = NDArray[np.int64]
LAGS = 8
_WINDOWS = (4, 13, 26)
_MOST_ROWS = 120_000
_LEAST_ROWS = 300
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
    """A fitted model and what it needs to forecast: it answers in multiples of each series' recent level.

    Attributes:
        model: The trees.
        horizon: Periods ahead it was taught.
        kind: Name in `KINDS`.
    """

    model: lgb.Booster
    horizon: int
    kind: str


# The median, the mean under the Tweedie loss, which suits lumpy sales, and what the seasonal average gets wrong.
KINDS: dict[str, dict[str, Any]] = {
    "trees": {"objective": "l1"},
    "boost": {"objective": "tweedie", "tweedie_variance_power": 1.3},
    "hybrid": {"objective": "l1"},
}


def trees(panel: Panel, horizon: int) -> Array:
    """Median units ahead (N, H)."""
    return _fit_and_predict("trees", panel, horizon)


def boost(panel: Panel, horizon: int) -> Array:
    """Mean units ahead (N, H)."""
    return _fit_and_predict("boost", panel, horizon)


def hybrid(panel: Panel, horizon: int) -> Array:
    """The seasonal average, corrected by LightGBM on what it got wrong at earlier origins (N, H)."""
    return _fit_and_predict("hybrid", panel, horizon)


def fit_trees(panel: Panel, horizon: int, kind: str = "boost", groups: Index | None = None) -> Learned | None:
    """Learn from forecasts that could have been made at earlier origins; None with too little history.

    Args:
        panel: As known.
        horizon: Periods ahead.
        kind: Name in `KINDS`.
        groups: Number of each series' category (N,), a static attribute; None for none.
    """
    import lightgbm as lgb

    periods = panel.units.shape[1]
    step = max(1, horizon // 2)
    origins = list(range(periods - 1, max(LAGS + 2, periods // 4), -step))[: max(8, 2 * panel.cycle // step)]
    x, y, rows = [], [], 0
    for origin in origins:
        reach = min(horizon, periods - origin)
        known = panel.until(origin)
        frame, target = _rows(panel, known, reach, groups, None, pooled_season(known, reach))
        if kind == "hybrid":
            target = target - (average(known, reach) / recent_level(known)[:, None]).ravel()
        keep = np.isfinite(target)
        x.append(frame[keep])
        y.append(target[keep])
        rows += int(keep.sum())
        if rows > _MOST_ROWS:
            break
    if rows < _LEAST_ROWS:
        return None
    # One thread: several that wait for a busy core were ten times slower.
    model = lgb.LGBMRegressor(n_jobs=1, **SETTINGS, **KINDS[kind])
    model.fit(pd.concat(x, ignore_index=True), np.concatenate(y).clip(-8.0, 8.0))
    return Learned(model.booster_, horizon, kind)


def predict_trees(
    learned: Learned | None,
    panel: Panel,
    horizon: int,
    groups: Index | None = None,
    planned: Planned | None = None,
    season: Array | None = None,
) -> Array:
    """Units ahead (N, H) under planned prices and promotions; the seasonal average where there is no model.

    Args:
        learned: From `fit_trees`, taught at least `horizon` periods.
        panel: The series to forecast, some or all of those that were learned from.
        horizon: Periods ahead.
        groups: As in `fit_trees` (N,).
        planned: Prices and promotions ahead.
        season: Log index, known and ahead (N, T + H); None takes the panel's.
    """
    season = pooled_season(panel, horizon) if season is None else season
    if learned is None:
        return average(panel, horizon, season)
    frame, _ = _rows(panel, panel, horizon, groups, planned, season)
    made = np.asarray(learned.model.predict(frame)).reshape(len(panel.keys), horizon) * recent_level(panel)[:, None]
    base = average(panel, horizon, season) if learned.kind == "hybrid" else 0.0
    return np.asarray((base + made).clip(min=0))


def contributions(
    learned: Learned, panel: Panel, horizon: int, groups: Index | None = None, season: Array | None = None
) -> dict[str, Array]:
    """What each driver adds to every forecast, in the model's own scale, each (N, H): exact TreeSHAP values.

    They sum to the raw prediction: the log of the multiple of the recent level for "boost", the multiple itself for
    the others (Lundberg et al. 2020; LightGBM's `pred_contrib`). "usual" is the mean over all that was learned from.
    """
    season = pooled_season(panel, horizon) if season is None else season
    frame, _ = _rows(panel, panel, horizon, groups, None, season)
    values = np.asarray(learned.model.predict(frame, pred_contrib=True))
    found: dict[str, Array] = {}
    for name, column in zip([*frame.columns, "usual"], values.T, strict=True):
        driver = _driver(name)
        found[driver] = found.get(driver, 0.0) + column.reshape(len(panel.keys), horizon)
    return found


def _fit_and_predict(kind: str, panel: Panel, horizon: int) -> Array:
    return predict_trees(fit_trees(panel, horizon, kind), panel, horizon)


def _driver(name: str) -> str:
    if name.startswith(("lag_", "mean_", "zeros", "trend")):
        return "recent level"
    return {
        "last_season": "season",
        "season": "season",
        "year_sin": "season",
        "year_cos": "season",
        "price": "price",
        "price_level": "price tier",
        "promotion": "promotion",
        "age": "age",
        "category": "category",
        "ahead": "weeks ahead",
    }.get(name, name)


def _rows(
    panel: Panel, known: Panel, horizon: int, groups: Index | None, planned: Planned | None, season: Array
) -> tuple[pd.DataFrame, Array]:
    """Features (N·H) as `known` shows them, and the target where the panel reaches further, in recent levels."""
    count, cycle, origin = len(panel.keys), panel.cycle, known.units.shape[1]
    level = recent_level(known)
    flat = known.units / level[:, None]
    columns: dict[str, Array] = {}
    for lag in range(1, LAGS + 1):
        columns[f"lag_{lag}"] = _wide(flat[:, -lag] if origin >= lag else np.full(count, np.nan), horizon)
    for window in _WINDOWS:
        columns[f"mean_{window}"] = _wide(_tail_mean(flat, window), horizon)
    columns["trend"] = columns["mean_4"] - columns["mean_26"]
    columns["zeros"] = _wide(_tail_mean((known.units == 0).astype(float), 26), horizon)
    at = origin - cycle + np.arange(horizon)
    old = (at >= 0) & (at < origin)
    last = np.where(old, flat[:, np.clip(at, 0, origin - 1)], np.nan)
    columns["last_season"] = last.ravel()
    columns["season"] = (season[:, origin:] - season[:, max(0, origin - 8) : origin].mean(axis=1)[:, None]).ravel()
    angle = 2 * np.pi * (origin + np.arange(horizon)) / cycle
    columns["year_sin"], columns["year_cos"] = np.tile(np.sin(angle), count), np.tile(np.cos(angle), count)
    columns["ahead"] = np.tile(np.arange(horizon), count).astype(float)
    columns["age"] = _wide((origin - known.first).clip(max=104), horizon)
    columns["category"] = _wide(np.zeros(count) if groups is None else groups, horizon)
    price, promotion, target = _ahead(panel, known, origin, horizon, planned)
    usual = _tail_mean(known.price, 26)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns["price"] = np.log(price / usual[:, None]).ravel()
        columns["price_level"] = _wide(np.where(usual > 0, np.log(usual), np.nan), horizon)
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
