"""Online Retail II (a UK gift wholesaler, 2009 to 2011): CSV, Excel with one sheet a year, or Parquet."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from functools import lru_cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import func, select, update

from shop import schema as t
from shop.errors import BadInput
from shop.importers.finish import finish
from shop.importers.job import Job, declare, first_reason, value_rules
from shop.importers.reading import CHUNK, TableFile, open_table, require_columns
from shop.importers.values import as_number, as_text, as_time, guess_time_formats

KIND = "online-retail-ii"
COLUMNS = {
    "invoice": ("InvoiceNo", "Invoice"),
    "code": ("StockCode",),
    "description": ("Description",),
    "units": ("Quantity",),
    "placed_at": ("InvoiceDate",),
    "price": ("UnitPrice", "Price"),
    "customer": ("CustomerID", "Customer ID"),
    "country": ("Country",),
}
PRODUCT_CODE = re.compile(r"\d{5}[A-Z]{0,3}|DCGS\w+|SP\d{4}|PADS")
WHOLESALE_UNITS = 500  # an order with one line of this size is wholesale
NOT_PRODUCTS = {
    "POST": "postage", "DOT": "postage", "C2": "postage", "M": "manual entry", "D": "discount", "S": "samples",
    "BANK CHARGES": "fee", "AMAZONFEE": "fee", "CRUK": "fee", "ADJUST": "adjustment", "ADJUST2": "adjustment",
    "B": "bad debt",
}  # fmt: skip


def load(job: Job, path: Path) -> str:
    """Read the file into the job's transaction; returns the text encoding, where it is text.

    Raises:
        BadInput: The file is not this data set, or its dates can be read in two ways.
    """
    table = open_table(path)
    names = _columns(table)
    form = _time_format(table, names["placed_at"])
    declare(job.connection, "GBP", "Online Retail II")
    for chunk in job.chunks(table):
        rows = _typed(chunk.frame, names, form)
        reasons = first_reason(rows.index, _rules(rows, job))
        kept = rows[job.keep(chunk, reasons)]
        is_return = kept["series"] == "C"
        job.add_sales(_lines(kept[~is_return]))
        job.add_returns(_lines(kept[is_return]), "cancelled or returned")
    finish(job, categoriser())
    _mark_wholesale(job)
    return table.encoding


def _columns(table: TableFile) -> dict[str, str]:
    found = {key: next((n for n in names if n in table.columns), names[0]) for key, names in COLUMNS.items()}
    require_columns(table, found.values(), "for a file of another shop use `./debut import generic`")
    return found


def _time_format(table: TableFile, column: str) -> str:
    forms = guess_time_formats(table.head(CHUNK)[column])
    if not forms:
        raise BadInput(
            f"No date in the column {column} of {table.path.name} can be read; write them as 2010-12-31 09:30."
        )
    if len(forms) > 1:
        raise BadInput(
            f"The dates in {table.path.name} could have the day or the month first; write them as 2010-12-31 09:30."
        )
    return forms[0]


def _typed(frame: pd.DataFrame, names: dict[str, str], form: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "invoice": as_text(frame[names["invoice"]], str.upper),
            "series": as_text(frame[names["invoice"]], lambda invoice: invoice[:1].upper()),
            "code": as_text(frame[names["code"]], str.upper),
            "description": as_text(frame[names["description"]]),
            "units": as_number(frame[names["units"]]),
            "placed_at": as_time(frame[names["placed_at"]], form),
            "price": as_number(frame[names["price"]]),
            "customer": as_text(frame[names["customer"]]),
            "country": as_text(frame[names["country"]]),
        }
    )


def _rules(rows: pd.DataFrame, job: Job) -> list[tuple[Any, str]]:
    """Why a row is refused, the first that applies; `docs/importing.md` explains each."""
    code, units, price = rows["code"], rows["units"], rows["price"]
    is_credit = rows["series"] == "C"
    is_product = code.map({c: bool(PRODUCT_CODE.fullmatch(c)) for c in code.unique()}).astype(bool)
    other = code.map({c: f"not a product: {_what(c)}" for c in code.unique()})
    return [
        (rows["invoice"] == "", "invoice number is missing"),
        (code == "", "stock code is missing"),
        *value_rules(rows, job.today),
        (job.repeated(rows), "exact duplicate of an earlier row"),
        (rows["series"] == "A", "not a product: bad debt"),
        *[(~is_product & (other == reason), reason) for reason in other[~is_product].unique()],
        (price < 0, "negative price"),
        (units == 0, "no units"),
        ((units < 0) & ~is_credit, "stock adjustment: negative units without a cancellation"),
        ((units > 0) & is_credit, "cancellation with positive units"),
        (price < 0.005, "free of charge: sample, gift or stock correction"),
    ]


def _what(code: str) -> str:
    if code.startswith("GIFT"):
        return "gift voucher"
    return "test entry" if code.startswith("TEST") else NOT_PRODUCTS.get(code, "unknown code")


def _lines(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "order_id": rows["invoice"],
            "sku": rows["code"],
            "name": rows["description"].map({d: clean_name(d) for d in rows["description"].unique()}),
            "customer_id": rows["customer"],
            "region": rows["country"],
            "placed_at": rows["placed_at"],
            "units": rows["units"].abs().astype("int64"),
            "price_cents": (rows["price"] * 100).round().astype("int64"),
            "discount_cents": 0,
        }
    )


_SMALL_WORDS = frozenset(["a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"])
_ACRONYMS = frozenset(["LED", "UK", "USA", "CD", "DVD", "TV", "BBQ", "XL", "II", "III", "WC"])


@lru_cache(maxsize=20_000)
def clean_name(description: str) -> str:
    """A shouted till description as a product name: "SET OF 3 CAKE TINS  PANTRY DESIGN " → "Set of 3 Cake Tins …"."""
    words = description.replace(",", ", ").replace(" ,", ",").strip(" ,.").split()
    letters = [char for char in description if char.isalpha()]
    if sum(char.isupper() for char in letters) < 0.7 * len(letters):
        return " ".join(words)
    named = [_cased(word) for word in words]
    return " ".join([word if place == 0 else _lowered(word) for place, word in enumerate(named)])


def _cased(word: str) -> str:
    if word in _ACRONYMS:
        return word
    if word[:1].isdigit():
        return word.lower()
    return re.sub(r"[^\W\d_](?:[^\W\d_]|')*", lambda match: match[0][0].upper() + match[0][1:].lower(), word)


def _lowered(word: str) -> str:
    return word.lower() if word.lower() in _SMALL_WORDS else word


def categoriser() -> Callable[[str], str]:
    """From a product name to a category path, by the keyword table beside this module; "Other > Unsorted" without."""
    table = tomllib.loads(files("shop.importers").joinpath("online_retail_categories.toml").read_text("utf-8"))
    rules = [
        (rule["category"], re.compile(rf"\b(?:{'|'.join(re.escape(word) for word in rule['words'])})(?:s|es)?\b"))
        for rule in table["rule"]
    ]
    return partial(_category, rules)


def _category(rules: list[tuple[str, re.Pattern[str]]], name: str) -> str:
    plain = name.lower()
    return next((path for path, words in rules if words.search(plain)), "Other > Unsorted")


def _mark_wholesale(job: Job) -> None:
    big = select(t.order_lines.c.order_id).where(t.order_lines.c.units >= WHOLESALE_UNITS)
    mine = (t.orders.c.source == job.source, t.orders.c.id.in_(big))
    job.connection.execute(update(t.orders).where(*mine).values(channel="wholesale"))
    count = job.connection.execute(select(func.count()).select_from(t.orders).where(*mine)).scalar()
    job.notes.append(f"{count} orders with a line of {WHOLESALE_UNITS} units or more are marked wholesale")
