"""A benchmark's sales as a shop of their own, so that the briefs measured on them are those that ship."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.layout import SalesData
from shop import Shop
from shop import schema as t
from shop.database import insert_new
from shop.importers.online_retail import categoriser
from tools.demand.panel import LEAST_DAYS, Frequency, period_start

Array = NDArray[np.float64]
WEEKS = 12  # a brief plans so many
_OWN = {"product", "name", "category", "description", "cost", "list_price", "launch_date"}
_CHUNK = 20_000


@dataclass(frozen=True)
class PastLaunch:
    """A launch of the past: what was known of it before its first day, and what became of it.

    Attributes:
        sku, name, category, description, attributes: As a product list gives them.
        price: What it was sold at in its first period, which stands for the planned one; None where unknown.
        cost: Unit cost; None where the data hold none.
        day: First day on sale.
        actual: Units by week (12,); NaN in weeks out of stock and after the last sale.
    """

    sku: str
    name: str
    category: str
    description: str
    attributes: dict[str, str]
    price: float | None
    cost: float | None
    day: date
    actual: Array


def build_shop(data: SalesData, url: str) -> tuple[Shop, list[PastLaunch]]:
    """A shop at an SQLAlchemy URL with the sales and products of a data set, and the launches of its test.

    A week's units stand on its first day, a month's are spread evenly over its days, an out-of-stock period marks every
    day of it. A product has a launch date when its first sale lies far enough after the start of the data.
    """
    days = daily_rows(data)
    catalogue = _catalogue(data, days)
    shop = Shop.open(url, create=True)
    with shop.begin() as connection:
        insert_new(connection, t.meta, [{"key": "name", "value": data.name}])
        insert_new(connection, t.products, [_product_row(row) for row in catalogue.to_dict("records")])
        records = days.drop(columns="revenue").assign(day=days["day"].dt.date).to_dict("records")
        for at in range(0, len(records), _CHUNK):
            insert_new(connection, t.daily, [{str(k): v for k, v in row.items()} for row in records[at : at + _CHUNK]])
    return shop, _launches(data, catalogue, days)


def daily_rows(data: SalesData) -> pd.DataFrame:
    """Sales by product and day: `sku, day, units, revenue_cents, in_stock` and `revenue`, stores added up."""
    sales = data.sales
    start = period_start(sales["date"], data.frequency)
    paid = _revenue(data)
    stocked = sales["in_stock"].to_numpy(dtype=float) if "in_stock" in sales else np.full(len(sales), np.nan)
    frame = pd.DataFrame(
        {"sku": sales["product"].to_numpy(), "day": start, "units": sales["units"].to_numpy(), "revenue": paid}
    ).assign(stocked=stocked)
    # Returns can outweigh sales in a period; demand is never below nothing.
    frame = frame.groupby(["sku", "day"], as_index=False).agg(
        units=("units", "sum"), revenue=("revenue", "sum"), stocked=("stocked", "max")
    )
    frame = _spread(frame, data.frequency)
    frame["units"] = frame["units"].clip(lower=0).round().astype(int)
    frame["revenue"] = frame["revenue"].clip(lower=0)
    frame["revenue_cents"] = (100 * frame["revenue"]).round().astype(int)
    frame["in_stock"] = frame.pop("stocked").map({0.0: False, 1.0: True}).astype(object)
    frame["in_stock"] = frame["in_stock"].where(frame["in_stock"].notna(), None)
    return frame


def _spread(frame: pd.DataFrame, frequency: Frequency) -> pd.DataFrame:
    """Periods as days: a month evenly over its days, a week out of stock over all seven, else the first day."""
    if frequency == "day":
        return frame
    length = frame["day"].dt.days_in_month if frequency == "month" else np.where(frame["stocked"] == 0, 7, 1)
    wide = frame.loc[frame.index.repeat(length)]
    number = wide.groupby(level=0).cumcount()
    wide = wide.assign(day=wide["day"] + pd.to_timedelta(number.to_numpy(), unit="D"))
    if frequency == "week":
        wide.loc[number.to_numpy() > 0, ["units", "revenue"]] = 0.0
        return wide.reset_index(drop=True)
    part = (number + 1) / wide["day"].dt.days_in_month
    for column, digits in (("units", 0), ("revenue", 2)):
        # Each day gets what the rounded running total has grown by, so that the days add up to the month.
        running = (wide[column] * part).round(digits)
        wide[column] = running - running.groupby(level=0).shift(fill_value=0.0)
    return wide.reset_index(drop=True)


def _revenue(data: SalesData) -> Array:
    """Takings of each row; from the list price where the rows hold none, nothing where there is no price at all."""
    sales, units = data.sales, data.sales["units"].to_numpy(dtype=float)
    if "revenue" in sales:
        return np.nan_to_num(sales["revenue"].to_numpy(dtype=float))
    if "price" in sales:
        return np.nan_to_num(sales["price"].to_numpy(dtype=float) * units)
    if "list_price" not in data.products:
        return np.zeros(len(sales))
    listed = data.products.set_index("product")["list_price"]
    return np.nan_to_num(sales["product"].map(listed).to_numpy(dtype=float) * units)


def _catalogue(data: SalesData, days: pd.DataFrame) -> pd.DataFrame:
    """One row per product: `sku, name, category, description, attributes, cost, price, launched` (NaT: not seen)."""
    given = data.products.set_index("product")
    sold = days[days["units"] > 0]
    first = sold.groupby("sku")["day"].min()
    known = given.reindex(first.index)
    opening = sold[sold["day"] < sold["sku"].map(first) + pd.Timedelta(days=7)].groupby("sku")[["units", "revenue"]]
    paid = opening.sum()
    price = (paid["revenue"] / paid["units"]).where(paid["revenue"] > 0)
    if "list_price" in known:
        price = known["list_price"].where(known["list_price"] > 0).fillna(price)
    seen = first - days["day"].min() >= pd.Timedelta(weeks=data.min_before)
    if "launch_date" in known:
        began = days["day"].min() + pd.Timedelta(weeks=data.min_before)
        seen &= ~(known["launch_date"] < began)
    name = _texts(known, "name").str.strip().where(_texts(known, "name").str.strip() != "", known.index.to_series())
    category = _texts(known, "category")
    if "category" not in known and data.name == "Online Retail II":
        category = name.map(categoriser())  # the published file has none; its importer gives it these
    return pd.DataFrame(
        {
            "sku": known.index,
            "name": name,
            "category": category,
            "description": _texts(known, "description"),
            "attributes": [_attributes(row) for row in known.assign(product=known.index).to_dict("records")],
            "cost": known["cost"].where(known["cost"] > 0) if "cost" in known else np.nan,
            "price": price,
            "launched": first.where(seen),
        }
    ).reset_index(drop=True)


def _attributes(row: dict[Any, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in row.items() if name not in _OWN and pd.notna(value)}


def _texts(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame:
        return pd.Series("", index=frame.index)
    return frame[column].fillna("").astype(str)


def _product_row(row: dict[Any, Any]) -> dict[str, Any]:
    cost, price = _known(row["cost"]), _known(row["price"])
    return {
        **{name: row[name] for name in ("sku", "name", "category", "description", "attributes")},
        "cost_cents": None if cost is None else round(100 * cost),
        "list_price_cents": None if price is None else round(100 * price),
        "launch_date": None if pd.isna(row["launched"]) else row["launched"].date(),
    }


def _known(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _launches(data: SalesData, catalogue: pd.DataFrame, days: pd.DataFrame) -> list[PastLaunch]:
    """The launches from `test_from` on whose twelve weeks are over."""
    length = {"day": 1, "week": 7}.get(data.frequency) or days["day"].max().days_in_month
    end = days["day"].max() + pd.Timedelta(days=length if data.frequency != "month" else 1)
    inside = (catalogue["launched"] >= data.test_from) & (catalogue["launched"] + pd.Timedelta(weeks=WEEKS) <= end)
    by_sku = dict(list(days[days["sku"].isin(catalogue.loc[inside, "sku"])].groupby("sku")))
    return [
        PastLaunch(
            **{name: row[name] for name in ("sku", "name", "category", "description", "attributes")},
            price=_known(row["price"]),
            cost=_known(row["cost"]),
            day=row["launched"].date(),
            actual=weeks_of(by_sku[row["sku"]], row["launched"].date()),
        )
        for row in catalogue[inside].sort_values(["launched", "sku"]).to_dict("records")
    ]


def weeks_of(days: pd.DataFrame, launch: date) -> Array:
    """Units of one product by week since its launch (12,); NaN out of stock and after its last sale."""
    week = (days["day"] - pd.Timestamp(launch)).dt.days // 7
    units, out = np.zeros(WEEKS), np.zeros(WEEKS)
    inside = (week >= 0) & (week < WEEKS)
    np.add.at(units, week[inside].to_numpy(), days.loc[inside, "units"].to_numpy(dtype=float))
    np.add.at(
        out, week[inside].to_numpy(), (days.loc[inside, "in_stock"].map(lambda x: x is False)).to_numpy(dtype=float)
    )
    last = week[days["units"] > 0].max()
    absent = (out > 7 - LEAST_DAYS) | (np.arange(WEEKS) > last)
    return np.where(absent, np.nan, units)


def written_on(launch: PastLaunch, lead_days: int, frequency: Frequency) -> date:
    """The day a brief is written: a lead time before the launch, when the first buy has to be ordered.

    On the first day of a period at that time or before: within a period the rows would already hold all of it.
    """
    day = launch.day - timedelta(days=lead_days)
    if frequency == "month":
        return day.replace(day=1)
    return launch.day - timedelta(weeks=-(-lead_days // 7)) if frequency == "week" else day
