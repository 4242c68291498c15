"""Sales of many products by period, as matrices: what every forecaster here reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
Frequency = Literal["day", "week", "month"]
LEAST_DAYS = 4  # in-stock days that a week needs to say anything about demand
CYCLE: dict[str, int] = {"day": 7, "week": 52, "month": 12}  # periods until the season returns


@dataclass(frozen=True)
class Panel:
    """Series of one frequency on one calendar.

    Attributes:
        keys: Names of the series (N,).
        starts: First day of each period, without gaps (T,).
        units: Units sold (N, T); NaN before the first sale, after the last, and where the product was out of stock.
        price: Average price paid (N, T), carried forward over periods without a sale; NaN before the first price.
        promotion: 1 in periods with a promotion, else 0 (N, T).
        frequency: What a period is.
    """

    keys: tuple[str, ...]
    starts: pd.DatetimeIndex
    units: Array
    price: Array
    promotion: Array
    frequency: Frequency

    @property
    def cycle(self) -> int:
        """Periods in a season."""
        return CYCLE[self.frequency]

    @property
    def first(self) -> NDArray[np.int64]:
        """Position of each series' first period on sale (N,); T for a series never seen."""
        there = np.isfinite(self.units)
        return np.asarray(np.where(there.any(axis=1), there.argmax(axis=1), self.units.shape[1]), dtype=np.int64)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Panel:
        """Some of the series."""
        names = np.array(self.keys, dtype=object)[rows]
        return Panel(
            tuple(names), self.starts, self.units[rows], self.price[rows], self.promotion[rows], self.frequency
        )

    def until(self, end: int) -> Panel:
        """The panel as it was known before period `end`: what comes later is gone, and so is the knowledge that a
        series which did not sell of late was going to sell again."""
        units = closing_zeros_absent(self.units[:, :end])
        return Panel(self.keys, self.starts[:end], units, self.price[:, :end], self.promotion[:, :end], self.frequency)


def closing_zeros_absent(units: Array) -> Array:
    """The same units (N, T), NaN after each series' last sale."""
    sold = np.nan_to_num(units) > 0
    later = np.cumsum(sold[:, ::-1], axis=1)[:, ::-1] > 0
    return np.where(later, units, np.nan)


def demand_rate(units: Array, days_out: Array) -> Array:
    """Units per week had the product been in stock all week: sales over the days in stock, times seven.

    Args:
        units: Units sold per week, any shape.
        days_out: Days out of stock per week, same shape.

    Returns:
        Same shape; NaN where the product was out of stock for most of the week.
    """
    days_in = 7 - days_out
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(days_in >= LEAST_DAYS, units * 7 / days_in, np.nan)


def build_panel(sales: pd.DataFrame, frequency: Frequency, keys: Sequence[str] = ("product",)) -> Panel:
    """A panel from long sales.

    Args:
        sales: One or more rows per series and period: the key columns, `date` (any day of the period), `units`, and
            optionally `price` or `revenue`, `promotion` and `in_stock`.
        frequency: "day", "week" (Monday to Sunday, unless every date already is the same weekday) or "month".
        keys: Columns that name a series; their values are joined by " | ".

    Raises:
        ValueError: No rows.
    """
    if sales.empty:
        raise ValueError("no sales to build a panel from")
    start = period_start(sales["date"], frequency)
    calendar = _calendar(start, frequency)
    series = sales[list(keys)].astype(str).agg(" | ".join, axis=1) if len(keys) > 1 else sales[keys[0]].astype(str)
    codes, names = pd.factorize(series, sort=True)
    at = (codes, calendar.get_indexer(start))
    shape = (len(names), len(calendar))
    units = np.zeros(shape)
    np.add.at(units, at, sales["units"].to_numpy(dtype=float))
    # Returns can outweigh sales in a period; demand is never below nothing.
    units = closing_zeros_absent(_opening_absent(units.clip(min=0)))
    if "in_stock" in sales:
        out = np.zeros(shape)
        np.add.at(out, at, (sales["in_stock"].to_numpy(dtype=float) == 0).astype(float))
        units = np.where(out > 0, np.nan, units)
    promotion = np.zeros(shape)
    if "promotion" in sales:
        np.maximum.at(promotion, at, np.nan_to_num(sales["promotion"].to_numpy(dtype=float)))
    return Panel(tuple(map(str, names)), calendar, units, _prices(sales, at, shape), promotion, frequency)


def period_start(dates: pd.Series[pd.Timestamp], frequency: Frequency) -> pd.DatetimeIndex:
    """First day of the period of each date; weeks keep their own weekday where all dates share one."""
    days = pd.DatetimeIndex(dates).normalize()
    if frequency == "month":
        return pd.DatetimeIndex(days.to_period("M").start_time)
    if frequency == "week" and days.weekday.nunique() > 1:
        return days - pd.to_timedelta(days.weekday, unit="D")
    return days


def _calendar(start: pd.DatetimeIndex, frequency: Frequency) -> pd.DatetimeIndex:
    step = {"day": "D", "week": "7D", "month": "MS"}[frequency]
    return pd.date_range(start.min(), start.max(), freq=step)


def _opening_absent(units: Array) -> Array:
    return np.where(np.cumsum(units > 0, axis=1) > 0, units, np.nan)


def _prices(sales: pd.DataFrame, at: tuple[NDArray[np.int64], NDArray[np.int64]], shape: tuple[int, int]) -> Array:
    if "price" not in sales and "revenue" not in sales:
        return np.full(shape, np.nan)
    units = sales["units"].to_numpy(dtype=float).clip(min=0)
    if "price" in sales:
        price = sales["price"].to_numpy(dtype=float)
        # A price on a day without a sale still says what the product cost, if little.
        weight = np.where(price > 0, units + 1e-3, 0.0)
        paid = np.nan_to_num(price) * weight
    else:
        paid = np.nan_to_num(sales["revenue"].to_numpy(dtype=float)).clip(min=0)
        weight = np.where(paid > 0, units, 0.0)
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, at, paid)
    np.add.at(count, at, weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(count > 0, total / count, np.nan)
    return pd.DataFrame(mean).ffill(axis=1).to_numpy()
