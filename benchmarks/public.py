"""The public data sets of the shared folder as they came, turned into the benchmark layout in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.layout import SalesData, make_sales_data, read_sales_data, read_table

Parts = tuple[dict[str, Any], pd.DataFrame, pd.DataFrame | None]


def load(folder: Path) -> SalesData:
    """The data set of a folder: in the documented layout, or one of the raw public files known here.

    Raises:
        BadInput: Neither fits.
    """
    if not (folder / "meta.json").is_file():
        for file, convert in CONVERTERS.items():
            found = sorted(folder.glob(file))
            if found:
                return make_sales_data(folder.name, *convert(found[0]))
    return read_sales_data(folder)


def online_retail(path: Path) -> Parts:
    """Weekly units of real articles: no cancellations, no free or written-off lines, no postage or fee codes."""
    lines = read_table(path)
    code = lines["StockCode"].astype(str).str.upper().str.strip()
    real = code.str.match(r"\d{5}") & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)
    lines = lines.assign(product=code)[real & ~lines["InvoiceNo"].astype(str).str.startswith("C")]
    day = lines["InvoiceDate"].dt.normalize()
    lines = lines.assign(
        date=day - pd.to_timedelta(day.dt.weekday, unit="D"),
        units=lines["Quantity"].astype(float),
        revenue=lines["Quantity"] * lines["UnitPrice"],
    ).sort_values("InvoiceDate", kind="stable")
    # The last week ends with the file, on a Thursday.
    last_whole = day.max() - pd.Timedelta(days=6)
    sales = lines[lines["date"] <= last_whole].groupby(["product", "date"], as_index=False)[["units", "revenue"]].sum()
    first_week = lines[lines["date"] == lines.groupby("product")["date"].transform("min")]
    # Name and price as first seen: later ones would not be known before the launch.
    products = first_week.groupby("product", as_index=False).agg(
        name=("Description", "first"), list_price=("UnitPrice", "median")
    )
    return _meta("Online Retail II", "week", "2010-07-01", 12), sales, products


def m5(path: Path) -> Parts:
    """Weekly units per item and store (weeks start on Saturday, as the file's price weeks do)."""
    days = read_table(path)
    day = pd.to_datetime(days["date"])
    week = day - pd.to_timedelta((day.dt.weekday + 2) % 7, unit="D")
    frame = pd.DataFrame(
        {
            "product": days["item_id"],
            "store": days["store_id"],
            "date": week,
            "units": days["value"].astype(float),
            "price": days["sell_price"],
        }
    )
    # A week without a price was a week off the shelf.
    frame = frame[frame["price"] > 0]
    whole = frame.groupby("date")["date"].transform("size") >= 0.9 * 7 * frame["store"].nunique()
    sales = (
        frame[whole]
        .groupby(["product", "store", "date"], as_index=False)
        .agg(units=("units", "sum"), price=("price", "mean"))
    )
    products = days.groupby("item_id", as_index=False).agg(category=("dept_id", "first"))
    return _meta("M5", "week", "2015-06-01", 12), sales, products.rename(columns={"item_id": "product"})


def stallion(path: Path) -> Parts:
    """Monthly volume per agency and article, with price and discount."""
    rows = read_table(path)
    sales = pd.DataFrame(
        {
            "product": rows["sku"].astype(str),
            "store": rows["agency"].astype(str),
            "date": pd.to_datetime(rows["date"]),
            "units": rows["volume"].astype(float),
            "price": rows["price_actual"].astype(float),
            "promotion": (rows["discount_in_percent"] > 15).astype(float),
        }
    )
    return _meta("Stallion", "month", "2017-01-01", 3), sales, None


def weekly_811(path: Path) -> Parts:
    """811 products by week of one year; the file has no dates, so its weeks are laid from 2014-01-06 on."""
    wide = read_table(path)
    weeks = [f"W{i}" for i in range(52)]
    long = wide.melt(id_vars="Product_Code", value_vars=weeks, var_name="week", value_name="units")
    start = pd.Timestamp("2014-01-06") + pd.to_timedelta(long["week"].str[1:].astype(int) * 7, unit="D")
    sales = pd.DataFrame({"product": long["Product_Code"], "date": start, "units": long["units"].astype(float)})
    return _meta("Sales transactions weekly", "week", "2014-09-01", 8), sales, None


def avocado(path: Path) -> Parts:
    """Weekly volume per kind and region with the average price."""
    rows = read_table(path)
    sales = pd.DataFrame(
        {
            "product": rows["type"].astype(str),
            "store": rows["region"].astype(str),
            "date": pd.to_datetime(rows["Date"], format="mixed"),
            "units": rows["Total Volume"].astype(float),
            "price": rows["AveragePrice"].astype(float),
        }
    )
    return _meta("Avocado", "week", "2017-07-02", 8), sales, None


def _meta(name: str, frequency: str, test_from: str, horizon: int) -> dict[str, Any]:
    return {
        "name": name,
        "frequency": frequency,
        "test_from": test_from,
        "horizon": horizon,
        "min_weeks_before_launch": 8,
    }


CONVERTERS: dict[str, Callable[[Path], Parts]] = {
    "transactions_2009-12_2010-12.parquet": online_retail,
    "m5_daily.parquet": m5,
    "stallion.parquet": stallion,
    "weekly_811.csv*": weekly_811,
    "avocado.csv*": avocado,
}
