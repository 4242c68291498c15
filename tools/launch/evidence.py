"""What earlier launches, whole or in their first weeks, and products on sale say about the level of a new one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.demand.panel import Array
from tools.launch.market import NOTHING_NEAR, Index, Market, log_prices, season_index

EARLY_NOISE = 0.33  # sd of the log error of a total scaled up from half of it; measured on finished launches
_LEAST_SHELF = 20


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

    def shape(self, at: Index) -> Array:
        """Units by period (M, H) of launches of level 0 (one unit without season) in the periods `at` (M,)."""
        return np.asarray(self.curve * np.exp(self.season[at[:, None] + np.arange(len(self.curve))]))


def launch_windows(market: Market, rows: Index, horizon: int) -> Array:
    """Units of the first periods of launches (L, horizon), NaN where not known."""
    wide = np.pad(market.panel.units, ((0, 0), (0, horizon)), constant_values=np.nan)
    return np.asarray(wide[rows[:, None], market.launched[rows, None] + np.arange(horizon)[None, :]])


def carried(windows: Array, rules: Rules) -> np.ndarray:
    """Which finished launches (L,) were really offered: enough units, sold in enough of the periods."""
    filled = np.nan_to_num(windows)
    enough = (filled > 0).sum(axis=1) >= rules.least_share * windows.shape[1]
    return np.asarray(enough & (filled.sum(axis=1) >= rules.least_units))


def gather(market: Market, rules: Rules, lead: int = 0) -> Evidence:
    """The evidence in a market as known: seasons, the usual curve, and the level of every launch that counts.

    Args:
        market: As known.
        rules: Which launches count.
        lead: Periods from the first unknown one to the last launch planned; the season reaches so much further.
    """
    known, horizon = market.panel.units.shape[1], rules.horizon
    few = bool((market.launched[market.mature] >= 0).any())
    season = season_index(market.panel, market.mature, horizon + lead, each=few)
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


def shelf_signal(market: Market, evidence: Evidence, width: float = 9 / 52) -> Array:
    """How much better or worse than their price suggests the products on the shelf sell that a launch resembles.

    Products on sale before the data start are taken as if launched now without novelty; weeks near the time of year
    of the last launch planned count most, so that what sold last winter speaks for this one. Then kernel regression
    on likeness and price, shrunk to 0 where nothing resembles.

    Returns:
        For every row of the market's closeness (L,), in log units; 0 where the shelf is too small.
    """
    last = len(evidence.season) - len(evidence.curve)
    return _pull(market.closeness.near, _shelf_sides(market, evidence, np.array([last]), width)[0])


def shelf_signals(market: Market, evidence: Evidence, rows: Index, launched: Index, width: float = 9 / 52) -> Array:
    """The shelf's signal for launches `rows` (M,), each as of its own period of launch `launched` (M,), see above."""
    near = market.closeness.near[market.closeness.at[rows]]
    sides = _shelf_sides(market, evidence, launched, width)
    return np.array([float(_pull(one[None, :], side)[0]) for one, side in zip(near, sides, strict=True)])


def _pull(near: NDArray[np.float32], sides: NDArray[np.float32]) -> Array:
    pull, mass = (near @ sides).astype(float).T
    return np.asarray(pull / (mass + NOTHING_NEAR))


def _shelf_sides(market: Market, evidence: Evidence, launched: Index, width: float) -> NDArray[np.float32]:
    """How far each product of the shelf sells from what its price suggests, times its weight, and the weight (M, S, 2).

    Zeros where the shelf is too small.
    """
    shelf = market.closeness.shelf
    known, horizon = market.panel.units.shape[1], len(evidence.curve)
    units = market.panel.units[shelf]
    year = market.panel.cycle if market.panel.frequency != "day" else 365
    away = np.abs((np.arange(known) - (launched[:, None] + horizon / 2) + year / 2) % year - year / 2)
    recent = np.exp(-(away**2) / 2 / (width * year) ** 2)
    there = np.isfinite(units)
    time_there = there @ recent.T
    flat = np.minimum(np.nan_to_num(units), 50 * _typical(units)) / np.exp(evidence.season[:known])
    rate = np.divide(flat @ recent.T, time_there, out=np.zeros(time_there.shape), where=time_there > 0)
    kept = (there.sum(axis=1) >= 4)[:, None] & (rate * horizon > 1)
    prices = log_prices(market)[shelf]
    sides = np.zeros((len(launched), len(units), 2), dtype=np.float32)
    for at in np.flatnonzero(kept.sum(axis=0) >= _LEAST_SHELF):
        keep = kept[:, at]
        weight = time_there[keep, at] / recent[at].sum()
        apart = np.log(rate[keep, at] * horizon)
        apart = apart - np.average(apart, weights=weight)
        slope, offset = np.polyfit(prices[keep], apart, 1) if np.ptp(prices[keep]) > 0 else (0.0, 0.0)
        sides[at, keep] = np.column_stack([weight * (apart - offset - slope * prices[keep]), weight])
    return sides


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
