"""Forecasters that look at one series at a time: naive, averages, smoothing, ARIMA, intermittent, linear trend.

Where one takes a `season`, it is the log index by series and period, known and ahead (N, T + H); left out, the panel's.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tools.demand.panel import Array, Panel
from tools.demand.series import filled, pooled_season, recent_level

Local = Callable[[Panel, int], Array]
_LONGEST = 320  # periods of history that the fitted models look back
_LEAST = 8


def seasonal_naive(panel: Panel, horizon: int) -> Array:
    """The same periods of the last season, else the last period (N, H). A gap takes the latest value before it."""
    carried = _carried(panel.units)
    periods, cycle = carried.shape[1], panel.cycle
    last = np.nan_to_num(carried[:, -1:])
    if periods < cycle:
        return np.repeat(last, horizon, axis=1)
    season = carried[:, periods - cycle + np.arange(horizon) % cycle]
    return np.where(np.isfinite(season), season, last)


def average(panel: Panel, horizon: int, season: Array | None = None, periods: int = 8) -> Array:
    """Mean of the last periods, moved along the pooled season (N, H)."""
    season = pooled_season(panel, horizon) if season is None else season
    level = [s[-periods:].mean() if len(s) else 0.0 for s in filled(panel, season[:, : panel.units.shape[1]])]
    return np.array(level)[:, None] * np.exp(season[:, panel.units.shape[1] :])


def ets(panel: Panel, horizon: int, season: Array | None = None) -> Array:
    """AutoETS (Hyndman et al. 2008); long seasons are taken out first (N, H)."""
    from statsforecast.models import AutoETS

    return _each(panel, horizon, season, lambda m: AutoETS(season_length=m, model="ZZZ" if m > 1 else "ZZN"))


def theta(panel: Panel, horizon: int, season: Array | None = None) -> Array:
    """Dynamic optimised theta (Fiorucci et al. 2016); long seasons are taken out first (N, H)."""
    from statsforecast.models import DynamicOptimizedTheta

    return _each(panel, horizon, season, lambda m: DynamicOptimizedTheta(season_length=m))


def arima(panel: Panel, horizon: int, season: Array | None = None) -> Array:
    """AutoARIMA, with the season where it is short (Hyndman & Khandakar 2008); long ones are taken out (N, H)."""
    from statsforecast.models import AutoARIMA

    return _each(panel, horizon, season, lambda m: AutoARIMA(season_length=m, max_p=3, max_q=3, approximation=True))


def ces(panel: Panel, horizon: int, season: Array | None = None) -> Array:
    """AutoCES, complex exponential smoothing (Svetunkov et al. 2022); long seasons are taken out first (N, H)."""
    from statsforecast.models import AutoCES

    return _each(panel, horizon, season, lambda m: AutoCES(season_length=m))


def croston(panel: Panel, horizon: int, season: Array | None = None) -> Array:
    """Croston with the Syntetos-Boylan correction (N, H)."""
    from statsforecast.models import CrostonSBA

    return _each(panel, horizon, season, lambda m: CrostonSBA(), own_season=False)


def tsb(panel: Panel, horizon: int, season: Array | None = None) -> Array:
    """Teunter-Syntetos-Babai: intermittent demand that may be dying out (N, H)."""
    from statsforecast.models import TSB

    return _each(panel, horizon, season, lambda m: TSB(alpha_d=0.1, alpha_p=0.1), own_season=False)


def linear(panel: Panel, horizon: int) -> Array:
    """Ridge regression of log units on trend, time of year, price and promotion (N, H).

    The future keeps the last price and has no promotion; see `linear_terms` for the contributions.
    """
    out = np.repeat(recent_level(panel)[:, None], horizon, axis=1)
    for i in range(len(panel.keys)):
        fitted = linear_terms(panel, i, horizon)
        if fitted is not None:
            out[i] = np.expm1(sum(fitted.values())).clip(0.0)
    return np.asarray(np.minimum(out, 3 * np.nan_to_num(np.nanmax(panel.units, axis=1, initial=0.0))[:, None]))


def linear_terms(
    panel: Panel, row: int, horizon: int, price: float | None = None, promotion: float = 0.0
) -> dict[str, Array] | None:
    """Contributions of level, trend, season, price and promotion to log(1 + units) ahead, each (H,).

    Args:
        panel: As known.
        row: Which series.
        horizon: Periods ahead.
        price: Future price; None keeps the last.
        promotion: Future promotion, 0 or 1.

    Returns:
        Terms that sum to the log forecast; None with fewer than eight periods of history.
    """
    units = panel.units[row]
    known = np.flatnonzero(np.isfinite(units))
    if len(known) < _LEAST:
        return None
    periods, cycle = len(units), panel.cycle
    prices = panel.price[row]
    base = np.nanmedian(prices[known]) if np.isfinite(prices[known]).any() else np.nan
    rate = np.nan_to_num(np.log(prices / base)) if np.isfinite(base) else np.zeros(periods)
    later = rate[-1] if price is None or not np.isfinite(base) else float(np.log(price / base))
    rates = np.concatenate([rate, np.full(horizon, later)])
    offers = np.concatenate([panel.promotion[row], np.full(horizon, promotion)])
    when = (np.arange(periods + horizon) - periods) / cycle
    waves = 2 if len(known) >= 1.5 * cycle else 1 if len(known) >= cycle else 0
    angles = [2 * np.pi * (k + 1) * when for k in range(waves)]
    columns = [when, *[f(a) for a in angles for f in (np.sin, np.cos)], rates, offers]
    x = np.column_stack(columns)
    penalty = np.array([2.0, *[0.5] * (2 * waves), 0.05, 0.05])
    centre = x[known].mean(axis=0)
    y = np.log1p(units[known])
    weight = 0.5 ** ((known[-1] - known) / (1.5 * cycle))
    middle = np.average(y, weights=weight)
    a = (x[known] - centre) * weight[:, None]
    beta = np.linalg.solve(a.T @ (x[known] - centre) + np.diag(penalty), a.T @ (y - middle))
    ahead = (x[periods:] - centre) * beta
    # A trend is followed for a while only: its contribution stops after half a season.
    ahead[:, 0] = ahead[np.minimum(np.arange(horizon), max(cycle // 2, 1) - 1), 0]
    return {
        "level": np.full(horizon, middle),
        "trend": ahead[:, 0],
        "season": ahead[:, 1 : 1 + 2 * waves].sum(axis=1),
        "price": ahead[:, -2],
        "promotion": ahead[:, -1],
    }


def _each(
    panel: Panel, horizon: int, season: Array | None, make: Callable[[int], Any], own_season: bool = True
) -> Array:
    """Run a statsforecast model on each series; the mean of its last periods where it cannot be fitted.

    Seasons of up to 24 periods are the model's own business; longer ones are taken out and put back.
    """
    cycle, periods = panel.cycle, panel.units.shape[1]
    short = own_season and cycle <= 24
    if short:
        season = np.zeros((len(panel.keys), periods + horizon))
    elif season is None:
        season = pooled_season(panel, horizon)
    out = np.zeros((len(panel.keys), horizon))
    for i, series in enumerate(filled(panel, season[:, :periods])):
        series = series[-_LONGEST:]
        flat = series[-_LEAST:].mean() if len(series) else 0.0
        out[i] = flat
        if len(series) < _LEAST or np.ptp(series) == 0:
            continue
        model = make(cycle if short and len(series) >= 2 * cycle + 2 else 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = np.asarray(model.forecast(series, h=horizon)["mean"])
        # A model that runs away on a bad series is worse than none (it happens with every library).
        if np.isfinite(made).all() and made.max() <= 3 * series.max() + 1:
            out[i] = made.clip(0.0)
    return np.asarray(out * np.exp(season[:, periods:]))


def _carried(units: Array) -> Array:
    return pd.DataFrame(units).ffill(axis=1).to_numpy()
