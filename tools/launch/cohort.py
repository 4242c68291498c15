"""A shop's earlier launches as one frame and one matrix of weekly demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shop import Draft, Product, Shop
from tools.launch.season import launch_calendar

Array = NDArray[np.float64]
COLUMNS = ("sku", "name", "category", "text", "price", "launched", "observed")
_MIN_DAYS = 4  # in-stock days that a week needs to say anything about demand


@dataclass(frozen=True)
class Subject:
    """What is known of a product before it sells. `price` is what marks its tier; None where undecided."""

    name: str
    text: str
    category: str
    price: float | None
    launched: pd.Timestamp


@dataclass(frozen=True)
class Cohort:
    """Launches in order of their launch date.

    Attributes:
        frame: One row per launch: `COLUMNS`. `observed` counts whole weeks on sale and seen.
        units: Demand per launch and week since launch (L, W); NaN where not seen: later than the cut-off, after
            delisting, or out of stock for most of the week.
        calendar: Week of the year that each launch week falls in (L, W), from 0 to 51.
    """

    frame: pd.DataFrame
    units: Array
    calendar: NDArray[np.int64]

    def take(self, keep: NDArray[np.bool_]) -> Cohort:
        """The launches where `keep` (L,) is true."""
        return Cohort(self.frame.loc[keep].reset_index(drop=True), self.units[keep], self.calendar[keep])

    def before(self, day: pd.Timestamp) -> NDArray[np.bool_]:
        """Which launches (L,) had at least one whole week behind them on the morning of `day`."""
        earlier: NDArray[np.bool_] = (self.frame["launched"] + pd.Timedelta(days=7) <= day).to_numpy()
        return earlier

    def known_on(self, day: pd.Timestamp) -> Cohort:
        """The launches before `day`, with the weeks that were over on its morning."""
        seen = ((day - self.frame["launched"]).dt.days // 7).to_numpy()
        hidden = np.arange(self.units.shape[1])[None, :] >= seen[:, None]
        frame = self.frame.assign(observed=np.minimum(self.frame["observed"], seen))
        return Cohort(frame, np.where(hidden, np.nan, self.units), self.calendar).take(self.before(day))

    def lost(self, basis: int) -> Array:
        """Of the first `basis` weeks seen, those lost to stock-outs (L,)."""
        seen = self.frame["observed"].clip(upper=basis).to_numpy()
        return np.asarray(seen - np.isfinite(self.units[:, :basis]).sum(axis=1), dtype=float)


def read_cohort(shop: Shop, weeks: int) -> Cohort:
    """Every launch of the shop up to its cut-off, with the first `weeks` weeks of demand."""
    products = shop.products()
    products = products[products["launch_date"].notna()].copy()
    products["launched"] = pd.to_datetime(products["launch_date"])
    cutoff = pd.Timestamp(shop.cutoff)
    products = products[products["launched"] <= cutoff].sort_values(["launched", "sku"])
    sales = shop.launch_weeks(weeks)
    sales = sales[sales["sku"].isin(products["sku"])]
    tomorrow = cutoff + pd.Timedelta(days=1)
    end = pd.to_datetime(products["delisted_date"]).fillna(tomorrow)
    days = (end.where(end < tomorrow, tomorrow) - products["launched"]).dt.days.to_numpy()
    observed = np.clip(days // 7, 0, weeks).astype(np.int64)
    units = _matrix(sales, products["sku"], observed, weeks)
    frame = pd.DataFrame(
        {
            "sku": products["sku"].to_numpy(),
            "name": products["name"].to_numpy(),
            "category": products["category"].to_numpy(),
            "text": [product_text(row) for row in products.to_dict("records")],
            "price": _launch_prices(products, sales),
            "launched": products["launched"].to_numpy(),
            "observed": observed,
        }
    )
    return Cohort(frame[list(COLUMNS)], units, launch_calendar(pd.DatetimeIndex(frame["launched"]), weeks))


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
        return np.where(days_in >= _MIN_DAYS, units * 7 / days_in, np.nan)


def product_text(product: Mapping[Any, Any]) -> str:
    """Name, description and attribute values of a product as one text."""
    attributes = product.get("attributes") or {}
    return " ".join([str(product["name"]), str(product.get("description") or ""), *map(str, attributes.values())])


def subject_of(item: Draft | Product, price: float | None, launched: date) -> Subject:
    """What the forecast may know of a draft or product planned for a day."""
    return Subject(item.name, product_text(item.model_dump()), item.category, price, pd.Timestamp(launched))


def _matrix(sales: pd.DataFrame, skus: pd.Series[str], observed: NDArray[np.int64], weeks: int) -> Array:
    row = dict(zip(skus, range(len(skus)), strict=True))
    units = np.zeros((len(skus), weeks))
    out = np.zeros((len(skus), weeks))
    at = (sales["sku"].map(row).to_numpy(dtype=int), sales["week"].to_numpy(dtype=int) - 1)
    units[at] = sales["units"]
    out[at] = sales["out_of_stock_days"]
    unseen = np.arange(weeks)[None, :] >= observed[:, None]
    return np.where(unseen, np.nan, demand_rate(units, out))


def _launch_prices(products: pd.DataFrame, sales: pd.DataFrame) -> Array:
    # The first week's price stands for the planned one; the later average already answers to how the launch went.
    paid = sales[(sales["units"] > 0) & (sales["revenue"] > 0)].groupby("sku").first()
    listed = products.set_index("sku")["list_price"].astype(float)
    first = (paid["revenue"] / paid["units"]).reindex(listed.index)
    prices: Array = first.fillna(listed).to_numpy(dtype=float)
    return prices
