"""What earlier launches, whole or in their first weeks, and products on sale say about the level of a new one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.demand.panel import Array
from tools.launch.market import Index, Market, season_index

EARLY_NOISE = 0.33  # sd of the log error of a total scaled up from half of it; measured on finished launches


@dataclass(frozen=True)
class Rules:
    """Which launches count.

    Attributes:
        horizon: Periods of a launch.
        least_units: Units below which a launch is not learned from: it was hardly offered.
        least_share: Share of periods with sales that a carried product has.
        least_seen: Periods that must have been seen of an unfinished launch.
    """

    horizon: int = 12
    least_units: float = 50.0
    least_share: float = 0.5
    least_seen: int = 2


@dataclass(frozen=True)
class Evidence:
    """Levels of earlier launches.

    Attributes:
        rows: Which products (L,).
        level: Log of units over the horizon with the season taken out (L,).
        seen: Share of the usual curve that has been seen (L,), 1 for a finished launch.
        curve: Usual share of each period with the season taken out (H,).
        season: Log season index of every period known or ahead, see `market.season_index`.
    """

    rows: Index
    level: Array
    seen: Array
    curve: Array
    season: Array

    def shape(self, at: int) -> Array:
        """Units by period (H,) of a launch of level 0 (one unit without season) in period `at`."""
        horizon = len(self.curve)
        return np.asarray(self.curve * np.exp(self.season[at : at + horizon]))


def launch_windows(market: Market, rows: Index, horizon: int) -> Array:
    """Units of the first periods of launches (L, horizon), NaN where not known."""
    wide = np.pad(market.panel.units, ((0, 0), (0, horizon)), constant_values=np.nan)
    return np.asarray(wide[rows[:, None], market.launched[rows, None] + np.arange(horizon)[None, :]])


def carried(windows: Array, rules: Rules) -> np.ndarray:
    """Which finished launches (L,) were really offered: enough units, sold in enough of the periods."""
    filled = np.nan_to_num(windows)
    enough = (filled > 0).sum(axis=1) >= rules.least_share * windows.shape[1]
    return np.asarray(enough & (filled.sum(axis=1) >= rules.least_units))


def gather(market: Market, rules: Rules) -> Evidence:
    """The evidence in a market as known: seasons, the usual curve, and the level of every launch that counts."""
    known, horizon = market.panel.units.shape[1], rules.horizon
    season = season_of(market, horizon)
    rows = np.flatnonzero((market.launched >= 0) & (market.launched < known))
    windows = launch_windows(market, rows, horizon)
    age = np.minimum(known - market.launched[rows], horizon)
    factor = np.exp(season[market.launched[rows, None] + np.arange(horizon)[None, :]])
    finished = (age == horizon) & carried(windows, rules)
    curve = _usual_curve(np.nan_to_num(windows[finished]) / factor[finished], horizon)

    there = np.arange(horizon)[None, :] < age[:, None]
    sold = ((np.nan_to_num(windows) > 0) & there).sum(axis=1)
    share_seen = (curve[None, :] * there).sum(axis=1)
    units = np.nansum(windows, axis=1)
    # A launch in its first weeks that skips some was often no launch; with the weeks the rule relaxes to the final one.
    wanted = np.where(age == horizon, rules.least_share, max(rules.least_share, 0.7))
    keep = (age >= rules.least_seen) & (sold >= wanted * age) & (units / share_seen >= rules.least_units) & (units > 0)
    level = np.log(np.maximum(units, 1e-9) / (curve[None, :] * factor * there).sum(axis=1))
    return Evidence(rows[keep], level[keep], share_seen[keep], curve, season)


def season_of(market: Market, horizon: int) -> Array:
    """The shop's log season index from its mature products, see `market.season_index`."""
    return season_index(market.panel, market.mature, horizon)


def shelf_levels(market: Market, evidence: Evidence, width: float = 9 / 52) -> tuple[Index, Array, Array]:
    """Level of products that were on sale before the data start, as if launched now without novelty.

    Weeks near the same time of year as the launch to come count most, so that what sold last winter speaks for
    this one.

    Returns:
        Which products, their log units over a horizon with the season taken out, and how much of the weighted time
        each was on sale.
    """
    known, horizon = market.panel.units.shape[1], len(evidence.curve)
    rows = np.flatnonzero(market.mature)
    units = market.panel.units[rows]
    year = market.panel.cycle if market.panel.frequency != "day" else 365
    away = np.abs((np.arange(known) - (known + horizon / 2) + year / 2) % year - year / 2)
    near = np.exp(-(away**2) / 2 / (width * year) ** 2)
    there = np.isfinite(units)
    weight = there @ near
    flat = np.minimum(np.nan_to_num(units), 50 * _typical(units)) / np.exp(evidence.season[:known])
    rate = np.divide(flat @ near, weight, out=np.zeros(len(rows)), where=weight > 0)
    keep = (there.sum(axis=1) >= 4) & (rate * horizon > 1)
    return rows[keep], np.log(rate[keep] * horizon), weight[keep] / near.sum()


def shelf_signal(market: Market, rows: Index, evidence: Evidence, softness: float = 0.09) -> Array:
    """How much better or worse than their price suggests the products on the shelf sell that resemble each of `rows`.

    Kernel regression on text likeness and price, shrunk to 0 where nothing resembles.

    Returns:
        (len(rows),), in log units.
    """
    shelf, level, weight = shelf_levels(market, evidence)
    if len(shelf) < 20:
        return np.zeros(len(rows))
    prices = log_prices(market)
    apart = level - np.average(level, weights=weight)
    slope, offset = np.polyfit(prices[shelf], apart, 1) if np.ptp(prices[shelf]) > 0 else (0.0, 0.0)
    residual = apart - offset - slope * prices[shelf]
    near = np.exp(-(1 - market.likeness(rows, shelf)) / softness) * weight
    near = near * np.exp(-np.abs(prices[rows][:, None] - prices[shelf][None, :]) / 1.5)
    enough = np.exp(-0.5 / softness)
    return np.asarray((near @ residual) / (near.sum(axis=1) + enough))


def log_prices(market: Market) -> Array:
    """Log launch prices (N,), the median where unknown."""
    prices = np.log(market.frame["price"].to_numpy(dtype=float).clip(min=1e-2))
    known = prices[np.isfinite(prices)]
    return np.where(np.isfinite(prices), prices, np.median(known) if len(known) else 0.0)


def _usual_curve(flat: Array, horizon: int) -> Array:
    if not len(flat):
        return np.full(horizon, 1 / horizon)
    # A few launches' own quirks must not become the rule: five flat launches are mixed in.
    shares = flat / flat.sum(axis=1, keepdims=True)
    curve = (shares.sum(axis=0) + 5 / horizon) / (len(flat) + 5)
    return np.asarray(curve / curve.sum())


def _typical(units: Array) -> float:
    sold = units[units > 0]
    return float(np.median(sold)) if len(sold) else 1.0
