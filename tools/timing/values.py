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
from tools.launch import launch_units
from tools.launch.learning import study_of_shop
from tools.timing.calendar import Index

_PRIOR_LOSS = 0.05  # where a shop's launches tell nothing: five per cent a neighbour
_WINDOW = 8  # weeks between two launches within which they are neighbours
_LEAST_LAUNCHES = 20
_RIDGE = 50.0  # pulls the slope on neighbours to none


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
    """Forecast each draft in each week of the calendar.

    Drafts must have a price and a cost. A draft with a launch date is taken to be ready on it, not before. Launching
    into a planned promotion of the category costs what a neighbouring launch costs.

    Raises:
        ToolError: The shop has too few launches to forecast from, or a week lies too far ahead.
    """
    days = [start + timedelta(weeks=w) for w in range(weeks)]
    loss = crowding_loss(shop)
    found = []
    for draft in drafts:
        assert draft.price is not None
        assert draft.cost is not None
        units = launch_units(shop, draft, days)
        promoted = _promoted(shop, draft.category, pd.DatetimeIndex(days))
        margin = draft.price - draft.cost
        ready = 0 if draft.launch_date is None else -(-(draft.launch_date - start).days // 7)
        found.append(Worth(draft, float(units[0]), margin, units * margin * (1 - loss * promoted), max(ready, 0)))
    return found


def crowding_loss(shop: Shop) -> float:
    """Share of a launch's units lost to each other launch of its category within eight weeks.

    Slope of log units, the season taken out, on the number of neighbours, within categories, pulled to five per cent;
    never negative.
    """
    study = study_of_shop(shop)
    if study is None or len(study.evidence.rows) < _LEAST_LAUNCHES:
        return _PRIOR_LOSS
    rows = study.evidence.rows
    launched = study.market.launched[rows]
    category = pd.factorize(study.market.frame["category"].iloc[rows])[0]
    near = np.abs(launched[:, None] - launched[None, :]) <= _WINDOW
    neighbours = ((category[:, None] == category[None, :]) & near).sum(axis=1) - 1.0
    slope = within_slope(neighbours, study.evidence.level, category, _RIDGE)
    return float(np.clip(0.5 * (1 - np.exp(slope)) + 0.5 * _PRIOR_LOSS, 0.0, 0.3))


def within_slope(x: Array, y: Array, groups: Index, ridge: float) -> float:
    """Slope of y on x within groups (least squares on deviations from group means), shrunk to 0 by `ridge`."""
    counts = np.maximum(np.bincount(groups), 1)
    own_x, own_y = (v - (np.bincount(groups, v) / counts)[groups] for v in (x, y))
    return float((own_x * own_y).sum() / ((own_x**2).sum() + ridge))


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
