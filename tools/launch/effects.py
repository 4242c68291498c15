"""What launches did to the products beside them: cannibalisation and halo, by difference in differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.demand.panel import Array
from tools.launch.market import Index, Market
from tools.launch.members import category_steps

WINDOW = 8  # weeks before and after a launch that are compared
LEAST_LAUNCHES = 12
NEIGHBOURS = 5
_LEAST_WEEKS = 4  # of each window that a product must have been on sale
_LEAST_RATE = 1.0  # units a week below which a product says nothing


@dataclass(frozen=True)
class Effects:
    """Past launches and how the sales of the products most like them changed against those unlike them.

    Attributes:
        rows: The launches (L,).
        periods: Their periods of launch (L,).
        change: Log change of their neighbours' weekly sales less that of the controls (L,).
    """

    rows: Index
    periods: Index
    change: Array


@dataclass(frozen=True)
class Impact:
    """What a launch is expected to do to its neighbours.

    Attributes:
        neighbours: The products on sale most like it (K,).
        rates: Their units a week of late (K,).
        change: Mean share by which the sales of neighbours changed, P10 and P90 of it; None where unknown.
        launches: Past launches behind it.
    """

    neighbours: Index
    rates: Array
    change: tuple[float, float, float] | None
    launches: int


def past_effects(market: Market) -> Effects:
    """The change of the neighbours' sales for every launch with eight weeks before and after.

    Neighbours are the five products on the shelf closest in text and price, controls the half that is furthest: both
    lived through the same weeks.
    """
    closeness, units = market.closeness, market.panel.units[market.closeness.shelf]
    rows, periods, changes = [], [], []
    launched = np.flatnonzero((market.launched >= WINDOW) & (market.launched + WINDOW <= units.shape[1]))
    for period in np.unique(market.launched[launched]):
        change = _log_change(units, int(period))
        sold = np.flatnonzero(np.isfinite(change))
        if len(sold) < 4 * NEIGHBOURS:
            continue
        for row in launched[market.launched[launched] == period]:
            near = closeness.near[closeness.at[row], sold]
            order = np.argsort(-near, kind="stable")
            beside, apart = sold[order[:NEIGHBOURS]], sold[order[len(order) // 2 :]]
            rows.append(row)
            periods.append(period)
            changes.append(change[beside].mean() - change[apart].mean())
    return Effects(np.array(rows, dtype=np.int64), np.array(periods, dtype=np.int64), np.array(changes))


def expect(effects: Effects, market: Market, row: int, rng: np.random.Generator, draws: int = 1000) -> Impact:
    """The impact of the launch in `row` of `market`, from launches of its category or, where those are few, of all.

    The interval is a bootstrap over launch periods: launches of one week share that week's accidents.
    """
    closeness = market.closeness
    beside = np.argsort(-closeness.near[closeness.at[row]], kind="stable")
    recent = market.panel.units[closeness.shelf[beside]][:, -WINDOW:]
    selling = np.isfinite(recent).sum(axis=1) >= _LEAST_WEEKS
    neighbours = closeness.shelf[beside][selling][:NEIGHBOURS]
    rates = np.nanmean(recent[selling][:NEIGHBOURS], axis=1) if len(neighbours) else np.zeros(0)
    chosen = _comparable(effects, market, str(market.frame["category"].iloc[row]))
    if len(chosen) < LEAST_LAUNCHES or not len(neighbours):
        return Impact(neighbours, rates, None, len(chosen))
    change, periods = effects.change[chosen], effects.periods[chosen]
    weeks, code = np.unique(periods, return_inverse=True)
    sums, counts = np.bincount(code, change), np.bincount(code)
    picked = rng.integers(0, len(weeks), (draws, len(weeks)))
    means = sums[picked].sum(axis=1) / counts[picked].sum(axis=1)
    low, high = np.expm1(np.quantile(means, [0.1, 0.9]))
    return Impact(neighbours, rates, (float(np.expm1(change.mean())), float(low), float(high)), len(chosen))


def _comparable(effects: Effects, market: Market, category: str) -> Index:
    names = market.frame["category"].to_numpy(dtype=str)[effects.rows]
    for _, inside in reversed(category_steps(category, names) if category else []):
        if inside.sum() >= LEAST_LAUNCHES:
            return np.flatnonzero(inside)
    return np.arange(len(effects.rows))


def _log_change(units: Array, period: int) -> Array:
    """Log of units a week after over before `period` (S,), NaN for products that say nothing."""
    before, after = units[:, period - WINDOW : period], units[:, period : period + WINDOW]
    enough = (np.isfinite(before).sum(axis=1) >= _LEAST_WEEKS) & (np.isfinite(after).sum(axis=1) >= _LEAST_WEEKS)
    change = np.full(len(units), np.nan)
    rate = np.nanmean(before[enough], axis=1)
    change[enough] = np.where(rate >= _LEAST_RATE, np.log1p(np.nanmean(after[enough], axis=1)) - np.log1p(rate), np.nan)
    return change
