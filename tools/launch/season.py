"""How much a week of the year sells compared with an ordinary one, by top category, shrunk to the shop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import func, select

from shop import Shop
from shop import schema as t

Array = NDArray[np.float64]
WEEKS = 52
_SMOOTH = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9
_VOLUME = 200.0  # weekly units at which a category's own season counts as much as the shop's


@dataclass(frozen=True)
class History:
    """Weekly units by top category.

    Attributes:
        weeks: First day of each seven-day bin, ascending (T,).
        units: Units sold (T, C).
        names: Top categories (C,).
    """

    weeks: pd.DatetimeIndex
    units: Array
    names: tuple[str, ...]


def read_history(shop: Shop) -> History:
    """Weekly units of the whole shop up to its cut-off; bins count back from it so that the last is whole."""
    d, p = t.daily, t.products
    query = (
        select(p.c.category, d.c.day, func.sum(d.c.units).label("units"))
        .join(p, p.c.sku == d.c.sku)
        .where(d.c.day <= shop.cutoff)
        .group_by(p.c.category, d.c.day)
    )
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).fetchall(), columns=["category", "day", "units"])
    frame["top"] = frame["category"].map(top_category)
    frame["bin"] = (pd.Timestamp(shop.cutoff) - pd.to_datetime(frame["day"])).dt.days // 7
    table = frame.pivot_table(index="bin", columns="top", values="units", aggfunc="sum", fill_value=0)
    # The oldest bin may hold less than seven days.
    table = table.reindex(range(int(table.index.max()) - 1, -1, -1), fill_value=0)
    first = pd.Timestamp(shop.cutoff) - pd.to_timedelta(table.index.to_numpy() * 7 + 6, unit="D")
    return History(pd.DatetimeIndex(first), table.to_numpy(dtype=float), tuple(table.columns))


def top_category(path: str) -> str:
    """First element of a category path."""
    return path.split(" > ")[0]


def week_of_year(days: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Week of the year from 0 to 51; the last days of the year belong to the last week."""
    index: NDArray[np.int64] = np.minimum((days.dayofyear.to_numpy() - 1) // 7, WEEKS - 1)
    return index


def season_table(history: History, until: pd.Timestamp) -> Array:
    """Log season index by top category and week of the year, from bins that ended before `until`.

    With less than a year of data season and growth cannot be told apart, and the index is 0 (no season). The index
    of a category is shrunk to the shop's by its volume, and the shop's to 0 by the number of years seen.

    Returns:
        (C + 1, 52); the last row is the shop.
    """
    seen = (history.weeks + pd.Timedelta(days=7) <= until).sum()
    if seen < WEEKS:
        return np.zeros((len(history.names) + 1, WEEKS))
    units = history.units[:seen]
    every = np.column_stack([units, units.sum(axis=1)])
    week = week_of_year(history.weeks[:seen])
    raw = np.stack([_log_index(column, week) for column in every.T])
    trust = every.mean(axis=0) / (every.mean(axis=0) + _VOLUME)
    blended = trust[:, None] * raw + (1 - trust[:, None]) * raw[-1]
    blended[-1] = raw[-1]
    years = seen / WEEKS
    return np.asarray(blended * years / (years + 1))


def launch_calendar(launched: pd.DatetimeIndex, weeks: int) -> NDArray[np.int64]:
    """Week of the year of each week since launch (L, weeks)."""
    days = launched.to_numpy()[:, None] + np.arange(weeks)[None, :] * np.timedelta64(7, "D")
    return week_of_year(pd.DatetimeIndex(days.ravel())).reshape(days.shape)


def season_factors(
    table: Array, names: tuple[str, ...], categories: Iterable[str], calendar: NDArray[np.int64]
) -> Array:
    """Season factors (L, W) of launches in `categories` at the weeks of `calendar`, from a `season_table`."""
    row = {name: i for i, name in enumerate(names)}
    rows = np.array([row.get(top_category(category), len(names)) for category in categories], dtype=int)
    return np.asarray(np.exp(table[rows[:, None], calendar]))


def _log_index(units: Array, week: NDArray[np.int64]) -> Array:
    level = np.log(units + 1)
    if len(level) > WEEKS + 8:
        growth = np.median(level[WEEKS:] - level[:-WEEKS]) / WEEKS
        level = level - growth * np.arange(len(level))
    sums = np.bincount(week, level - level.mean(), minlength=WEEKS)
    counts = np.bincount(week, minlength=WEEKS)
    index = np.divide(sums, counts, out=np.zeros(WEEKS), where=counts > 0)
    padded = np.concatenate([index[-2:], index, index[:2]])
    return np.convolve(padded, _SMOOTH, mode="valid")
