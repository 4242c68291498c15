"""What kind of series it is, its scale, its gaps filled, its season taken out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.demand.panel import Array, Panel

CLASSES = ("smooth", "intermittent", "short")
_SHORT = 16  # periods of history below which little can be fitted
_GAP = 1.32  # mean periods between sales that part intermittent from smooth (Syntetos, Boylan & Croston 2005)


def classify(panel: Panel) -> NDArray[np.int64]:
    """Class of each series (N,), an index into `CLASSES`."""
    seen = np.isfinite(panel.units).sum(axis=1)
    sold = (np.nan_to_num(panel.units) > 0).sum(axis=1)
    between = np.divide(seen, sold, out=np.full(len(seen), np.inf), where=sold > 0)
    return np.where(seen < _SHORT, 2, np.where(between > _GAP, 1, 0)).astype(np.int64)


def naive_scale(panel: Panel) -> Array:
    """In-sample mean absolute error of the (seasonal) naive forecast (N,): the denominator of MASE.

    Hyndman & Koehler 2006; by the season where more than one was seen, else by one period. One where it would be 0.
    """
    units, cycle = panel.units, panel.cycle
    seasonal = _mean_step(units, cycle)
    single = _mean_step(units, 1)
    scale = np.where(np.isfinite(seasonal), seasonal, single)
    return np.asarray(np.where(np.isfinite(scale) & (scale > 0), scale, 1.0))


def recent_level(panel: Panel, periods: int = 26) -> Array:
    """Mean units over the last periods that were seen (N,), at least 0.01."""
    known = np.isfinite(panel.units)
    # Counted from the end, so that gaps do not shorten what is looked at.
    late = known & (np.cumsum(known[:, ::-1], axis=1)[:, ::-1] <= periods)
    count = late.sum(axis=1)
    sums = np.where(late, np.nan_to_num(panel.units), 0.0).sum(axis=1)
    level = np.divide(sums, count, out=np.zeros(len(sums)), where=count > 0)
    return np.asarray(np.maximum(np.nan_to_num(level), 0.01))


def filled(panel: Panel, season: Array) -> list[Array]:
    """Each series from its first sale to the end of the panel with its season taken out and its gaps filled.

    Periods out of stock take the demand that lies between their neighbours; periods after the last sale count as
    zero, since the series is still to be forecast. A series never seen is empty.

    Args:
        panel: As known.
        season: Log index of each series and period (N, T).
    """
    flat = panel.units / np.exp(season)
    first = panel.first
    out = []
    for row, start in zip(flat, first, strict=True):
        part = row[start:]
        seen = np.flatnonzero(np.isfinite(part))
        if not len(seen):
            out.append(np.zeros(0))
            continue
        inner = np.interp(np.arange(len(part)), seen, part[seen])
        inner[seen[-1] + 1 :] = 0.0
        out.append(inner)
    return out


def reconstruct(units: Array, in_stock: NDArray[np.bool_], season: Array | None = None) -> Array:
    """Demand of a series whose sales were cut by empty shelves (T,).

    Periods without stock take the season-adjusted level between their neighbours, and never less than what was sold.

    Args:
        units: Units sold (T,).
        in_stock: Whether there was stock all period (T,).
        season: Log season index (T,); None for none.
    """
    index = np.zeros(len(units)) if season is None else season
    flat = units / np.exp(index)
    good = np.flatnonzero(in_stock & np.isfinite(flat))
    if not len(good):
        return np.asarray(units, dtype=float)
    between = np.interp(np.arange(len(units)), good, flat[good]) * np.exp(index)
    return np.where(in_stock, units, np.fmax(units, between))


def pooled_season(panel: Panel, ahead: int) -> Array:
    """Log season index of every series, known and ahead (N, T + ahead): the panel's own, shrunk by its strength.

    The index of the whole panel is the mean over years of its detrended log total, smoothed; each series follows it
    by the slope its own history shows (ridge, towards one half of it). 0 with less than one season of data.
    """
    periods, cycle = panel.units.shape[1], panel.cycle
    count = len(panel.keys)
    if periods < cycle + 4:
        return np.zeros((count, periods + ahead))
    known_units = np.isfinite(panel.units)
    filled_units = np.nan_to_num(panel.units)
    levels = np.maximum(filled_units.sum(axis=1) / np.maximum(known_units.sum(axis=1), 1), 1e-9)
    share = np.minimum(filled_units / levels[:, None], 6.0) * known_units
    counts = known_units.sum(axis=0)
    total = np.log((share.sum(axis=0) / np.maximum(counts, 1)).clip(min=1e-3))
    # Periods with hardly any series say who was there, not what season it was.
    total[counts < max(min(2.0, count), 0.05 * counts.max())] = np.nan
    if np.isfinite(total).sum() < cycle + 4 and count > 1:
        return np.zeros((count, periods + ahead))
    shop = seasonal_component(total, cycle)
    index = np.resize(shop, periods + ahead)
    known = index[:periods]
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.log1p(panel.units) - _trend(np.log1p(panel.units), cycle)
    good = np.isfinite(own)
    top = np.where(good, own * known, 0.0).sum(axis=1)
    bottom = np.where(good, known**2, 0.0).sum(axis=1)
    ridge = 0.5 * (known**2).mean() * cycle
    slope = ((top + 0.75 * ridge) / (bottom + ridge + 1e-12)).clip(0.0, 2.0)
    return np.asarray(slope[:, None] * index[None, :])


def seasonal_component(level: Array, cycle: int) -> Array:
    """Log index of one season (cycle,), mean 0, from a log series: means over years after detrending, smoothed."""
    apart = level - _trend(level[None, :], cycle)[0]
    sums = np.array([np.nansum(apart[k::cycle]) for k in range(cycle)])
    index = sums / np.array([max(np.isfinite(apart[k::cycle]).sum(), 1) for k in range(cycle)])
    if cycle > 24:
        kernel = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9
        index = np.convolve(np.concatenate([index[-2:], index, index[:2]]), kernel, mode="valid")
    years = len(level) / cycle
    return np.asarray((index - index.mean()) * years / (years + 0.5))


def _trend(levels: Array, cycle: int) -> Array:
    """Centred moving mean over a season, held at the ends (N, T)."""
    frame = pd.DataFrame(levels.T)
    smooth = frame.rolling(cycle, center=True, min_periods=max(2, cycle // 2)).mean()
    return np.asarray(smooth.ffill().bfill().to_numpy().T)


def _mean_step(units: Array, lag: int) -> Array:
    if units.shape[1] <= lag:
        return np.full(len(units), np.nan)
    steps = np.abs(units[:, lag:] - units[:, :-lag])
    known = np.isfinite(steps)
    count = known.sum(axis=1)
    return np.asarray(np.divide(np.nansum(steps, axis=1), count, out=np.full(len(units), np.nan), where=count >= 2))
