"""A shop's earlier launches as one frame and one matrix of weekly demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shop import Shop
from tools.demand.panel import demand_rate
from tools.launch.season import launch_calendar

Array = NDArray[np.float64]
NOT_SAID = ("image",)  # attributes that are no words: the path of a picture
COLUMNS = ("sku", "name", "category", "text", "price", "launched", "observed")


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
            "price": launch_prices(products, sales),
            "launched": products["launched"].to_numpy(),
            "observed": observed,
        }
    )
    return Cohort(frame[list(COLUMNS)], units, launch_calendar(pd.DatetimeIndex(frame["launched"]), weeks))


def product_text(product: Mapping[Any, Any]) -> str:
    """Name, description and attribute values of a product as one text."""
    attributes = product.get("attributes") or {}
    told = [str(value) for name, value in attributes.items() if name.lower() not in NOT_SAID]
    return " ".join([str(product["name"]), str(product.get("description") or ""), *told])


def _matrix(sales: pd.DataFrame, skus: pd.Series[str], observed: NDArray[np.int64], weeks: int) -> Array:
    row = dict(zip(skus, range(len(skus)), strict=True))
    units = np.zeros((len(skus), weeks))
    out = np.zeros((len(skus), weeks))
    at = (sales["sku"].map(row).to_numpy(dtype=int), sales["week"].to_numpy(dtype=int) - 1)
    units[at] = sales["units"]
    out[at] = sales["out_of_stock_days"]
    unseen = np.arange(weeks)[None, :] >= observed[:, None]
    return np.where(unseen, np.nan, demand_rate(units, out))


def launch_prices(products: pd.DataFrame, sales: pd.DataFrame) -> Array:
    """What each product (L,) was sold at in its first week with a sale, else its list price, else NaN."""
    # The first week's price stands for the planned one; the later average already answers to how the launch went.
    paid = sales[(sales["units"] > 0) & (sales["revenue"] > 0)].groupby("sku").first()
    listed = products.set_index("sku")["list_price"].astype(float)
    first = (paid["revenue"] / paid["units"]).reindex(listed.index)
    prices: Array = first.fillna(listed).to_numpy(dtype=float)
    return prices
