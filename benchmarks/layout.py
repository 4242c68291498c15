"""Reads a benchmark folder: sales, products and meta.json in the documented layout, checked column by column."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from shop.errors import BadInput
from tools.demand.panel import Frequency

ENDINGS = (".parquet", ".csv", ".csv.gz")
_NUMBERS = ("units", "price", "revenue", "promotion", "in_stock")


@dataclass(frozen=True)
class SalesData:
    """One data set of the forecast, stock or brief benchmarks.

    Attributes:
        name: What reports call it.
        frequency: What a row's period is.
        test_from: First day of the test.
        horizon: Periods ahead.
        min_before: Weeks of data that must lie before a launch.
        sales: `product, date, units` and optionally `store, price, revenue, promotion, in_stock`.
        products: `product` and optionally `name, category, description, cost, list_price, launch_date` and further
            attributes; one row per product that sold.
        meta: The whole of meta.json.
    """

    name: str
    frequency: Frequency
    test_from: pd.Timestamp
    horizon: int
    min_before: int
    sales: pd.DataFrame
    products: pd.DataFrame
    meta: dict[str, Any] = field(default_factory=dict)


def read_sales_data(folder: Path) -> SalesData:
    """The data set in `folder`: `sales` (required), `products` (optional), `meta.json` (required).

    Raises:
        BadInput: A file is missing or unreadable, or a column is missing or holds something else than it should; the
            sentence names the file, the column and what was expected.
    """
    meta = _read_meta(folder)
    sales_file = find_file(folder, "sales")
    if sales_file is None:
        raise BadInput(f"{folder.name} has no sales file; put sales.csv, sales.csv.gz or sales.parquet there.")
    sales = check_sales(read_table(sales_file), sales_file.name)
    products_file = find_file(folder, "products")
    products = None if products_file is None else check_products(read_table(products_file), products_file.name)
    return make_sales_data(folder.name, meta, sales, products)


def make_sales_data(name: str, meta: dict[str, Any], sales: pd.DataFrame, products: pd.DataFrame | None) -> SalesData:
    """Put checked frames and settings together; products without a row get an empty one.

    Raises:
        BadInput: A setting of meta.json is missing or not what it should be.
    """
    frequency = meta.get("frequency")
    if frequency not in get_args(Frequency):
        raise BadInput(f'meta.json: "frequency" must be "day", "week" or "month", not {frequency!r}.')
    test_from = pd.to_datetime(str(meta.get("test_from")), errors="coerce")
    if pd.isna(test_from):
        raise BadInput(f'meta.json: "test_from" must be a day such as 2024-07-01, not {meta.get("test_from")!r}.')
    last = sales["date"].max()
    if not sales["date"].min() < test_from <= last:
        raise BadInput(f'meta.json: "test_from" must lie inside the sales, which end on {last.date()}; change it.')
    horizon = _whole(meta, "horizon", 12)
    before = _whole(meta, "min_weeks_before_launch", 8)
    known = pd.DataFrame({"product": sorted(sales["product"].unique())})
    full = known if products is None else known.merge(products, on="product", how="left")
    return SalesData(str(meta.get("name", name)), frequency, test_from, horizon, before, sales, full, meta)


def check_sales(frame: pd.DataFrame, file: str) -> pd.DataFrame:
    """Sales with text products, real dates and numbers.

    Raises:
        BadInput: A column is missing or holds something else.
    """
    need_columns(frame, ("product", "date", "units"), file)
    if frame.empty:
        raise BadInput(f"{file} has no rows; at least one sale is expected.")
    frame = frame.assign(product=frame["product"].astype(str), date=as_days(frame, "date", file))
    if "store" in frame:
        frame["store"] = frame["store"].astype(str)
    for column in _NUMBERS:
        if column in frame:
            frame[column] = as_numbers(frame, column, file)
    if frame["units"].isna().any():
        line = int(frame["units"].isna().to_numpy().argmax()) + 2
        raise BadInput(f"{file}, line {line}: column units is empty; a number of units is expected.")
    return frame


def check_products(frame: pd.DataFrame, file: str) -> pd.DataFrame:
    """Products with text ids, one row each.

    Raises:
        BadInput: A column is missing, holds something else, or a product appears twice.
    """
    need_columns(frame, ("product",), file)
    frame = frame.assign(product=frame["product"].astype(str))
    twice = frame.loc[frame["product"].duplicated(), "product"]
    if len(twice):
        raise BadInput(f"{file}: column product names {twice.iloc[0]} twice; one row per product is expected.")
    for column in ("cost", "list_price"):
        if column in frame:
            frame[column] = as_numbers(frame, column, file)
    if "launch_date" in frame:
        frame["launch_date"] = as_days(frame, "launch_date", file, optional=True)
    return frame


def find_file(folder: Path, stem: str) -> Path | None:
    """The table called `stem` in a folder, whatever its ending."""
    return next((folder / (stem + end) for end in ENDINGS if (folder / (stem + end)).is_file()), None)


def read_table(path: Path) -> pd.DataFrame:
    """A CSV or Parquet file as a frame.

    Raises:
        BadInput: The file cannot be read as what its name says.
    """
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, low_memory=False)
    except (ValueError, OSError) as error:  # pandas' parser, encoding and Arrow errors are all one of the two
        raise BadInput(f"{path.name} cannot be read ({str(error).splitlines()[0]}); save it again.") from error


def need_columns(frame: pd.DataFrame, columns: Sequence[str], file: str) -> None:
    """Raise BadInput for the first of `columns` that is missing."""
    for column in columns:
        if column not in frame:
            found = ", ".join(map(str, frame.columns[:12]))
            raise BadInput(f"{file}: column {column} is missing; its columns are {found}.")


def as_numbers(frame: pd.DataFrame, column: str, file: str) -> pd.Series[float]:
    """A column as floats, empty cells NaN; BadInput names the first line that is not a number."""
    values = frame[column]
    if values.dtype == bool:
        return values.astype(float)
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    wrong = numbers.isna() & values.notna()
    if wrong.any():
        line = int(wrong.to_numpy().argmax())
        raise BadInput(f"{file}, line {line + 2}: column {column} has {values.iloc[line]!r}; a number is expected.")
    return numbers


def as_days(frame: pd.DataFrame, column: str, file: str, optional: bool = False) -> pd.Series[pd.Timestamp]:
    """A column as days without time zone; BadInput names the first line that is not a date."""
    values = frame[column]
    days = pd.to_datetime(values, errors="coerce", utc=True).dt.tz_localize(None).dt.normalize()
    wrong = days.isna() & (values.notna() | (not optional))
    if wrong.any():
        line = int(wrong.to_numpy().argmax())
        raise BadInput(
            f"{file}, line {line + 2}: column {column} has {values.iloc[line]!r}; 2024-07-01 or the like is expected."
        )
    return days


def _read_meta(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder; give the folder that holds meta.json and the tables.")
    path = folder / "meta.json"
    if not path.is_file():
        raise BadInput(f"{folder.name} has no meta.json; it must say name, frequency, test_from and horizon.")
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"meta.json is not valid JSON ({error}); correct it.") from error
    if not isinstance(meta, dict):
        raise BadInput("meta.json must hold an object with name, frequency, test_from and horizon.")
    return meta


def _whole(meta: dict[str, Any], key: str, default: int) -> int:
    value = meta.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadInput(f'meta.json: "{key}" must be a whole number above zero, not {value!r}.')
    return value
