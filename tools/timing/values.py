"""What each planned launch is worth by week, and how much launches of one category take from each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import select

from shop import Draft, Shop
from shop import schema as t
from tools.demand.panel import Array
from tools.launch import launch_forecast
from tools.launch.cohort import read_cohort
from tools.launch.curves import launch_totals, mean_curve, took, within_slope
from tools.launch.season import launch_calendar, read_history, season_factors, season_table

HORIZON = 12
_PRIOR_LOSS = 0.05  # where a shop's launches tell nothing: five per cent a neighbour
_WINDOW_DAYS = 56


@dataclass(frozen=True)
class Worth:
    """A planned launch in money.

    Attributes:
        draft: The product.
        units: P50 of its first twelve weeks if launched in the first week of the calendar.
        margin: Price less cost.
        by_week: Contribution by week of launch (W,).
        ready: First week in which it can launch.
    """

    draft: Draft
    units: float
    margin: float
    by_week: Array
    ready: int


def value_drafts(shop: Shop, drafts: Sequence[Draft], start: date, weeks: int) -> list[Worth]:
    """Forecast each draft once and move it along the season of its category.

    Drafts must have a price and a cost. A draft with a launch date is taken to be ready on it, not before. Launching
    into a planned promotion of the category costs what a neighbouring launch costs.
    """
    history = read_history(shop)
    table = season_table(history, pd.Timestamp(shop.cutoff) + pd.Timedelta(days=1))
    starts = pd.DatetimeIndex([pd.Timestamp(start + timedelta(weeks=w)) for w in range(weeks)])
    loss = crowding_loss(shop)
    found = []
    for draft in drafts:
        assert draft.price is not None
        assert draft.cost is not None
        forecast = launch_forecast(shop, draft, launch_date=start, weeks=HORIZON)
        units = float(np.median(forecast.total))
        calendar = launch_calendar(starts, HORIZON)
        factors = season_factors(table, history.names, [draft.category] * weeks, calendar).mean(axis=1)
        promoted = _promoted(shop, draft.category, starts)
        margin = draft.price - draft.cost
        by_week = units * factors / factors[0] * margin * (1 - loss * promoted)
        ready = 0 if draft.launch_date is None else -(-(draft.launch_date - start).days // 7)
        found.append(Worth(draft, units, margin, by_week, max(ready, 0)))
    return found


def crowding_loss(shop: Shop) -> float:
    """Share of a launch's units lost to each other launch of its category within eight weeks.

    Slope of log units over the first twelve weeks on the number of neighbours, within categories, pulled to five
    per cent; never negative.
    """
    cohort = read_cohort(shop, HORIZON)
    good = took(cohort.units, HORIZON)
    if good.sum() < 20:
        return _PRIOR_LOSS
    frame = cohort.frame[good].reset_index(drop=True)
    units = cohort.units[good]
    totals = launch_totals(units, mean_curve(units, HORIZON), HORIZON)
    days = frame["launched"].to_numpy().astype("datetime64[D]").astype(int)
    same = frame["category"].to_numpy()[:, None] == frame["category"].to_numpy()[None, :]
    near = np.abs(days[:, None] - days[None, :]) <= _WINDOW_DAYS
    neighbours = (same & near).sum(axis=1) - 1.0
    known = np.isfinite(totals) & (totals > 0)
    slope = within_slope(
        neighbours[known], np.log(totals[known]), frame["category"][known].reset_index(drop=True), 50.0
    )
    return float(np.clip(0.5 * (1 - np.exp(slope)) + 0.5 * _PRIOR_LOSS, 0.0, 0.3))


def _promoted(shop: Shop, category: str, starts: pd.DatetimeIndex) -> Array:
    """1 in weeks in whose first four weeks a promotion of the category runs (W,)."""
    p = t.promotions
    query = select(p.c.starts, p.c.ends).where(p.c.category == category, p.c.ends >= starts[0].date())
    flags = np.zeros(len(starts))
    with shop.engine.connect() as connection:
        for begins, ends in connection.execute(query).all():
            meets = (starts <= pd.Timestamp(ends)) & (starts + pd.Timedelta(days=27) >= pd.Timestamp(begins))
            flags[np.asarray(meets)] = 1.0
    return flags
