"""Reads customer folders: `transactions` or `labels` with meta.json, or one of the published files known here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.experiment import encode
from benchmarks.layout import as_days, as_numbers, find_file, need_columns, read_table
from shop.errors import BadInput

_TRUE, _FALSE = {"1", "1.0", "true", "yes", "y"}, {"0", "0.0", "false", "no", "n"}
_NAMES = {  # columns of a labelled set that tell recency, frequency and money, in order of preference
    "recency": (r"recency", r"days_?since", r"last_?(order|purchase|visit|seen)", r"inactiv"),
    "frequency": (
        r"frequency",
        r"tenure",
        r"orders|purchases|transactions",
        r"visits|sessions|logins",
        r"^product_?rel",
    ),
    "money": (r"monetary", r"total_?(charges|spen|amount|value)", r"spen[dt]", r"charges|amount|revenue", r"values?$"),
}


@dataclass(frozen=True)
class Transactions:
    """Purchases with the day that divides what is known from what is predicted.

    Attributes:
        name: What reports call it.
        frame: `customer, date, amount` and optionally `product, units`.
        split: First day that is not known.
        since: First day looked at; None looks at all.
        weeks: How far ahead.
    """

    name: str
    frame: pd.DataFrame
    split: pd.Timestamp
    since: pd.Timestamp | None
    weeks: float


@dataclass(frozen=True)
class Labels:
    """Customers with features and whether they were lost.

    Attributes:
        name: What reports call it.
        features: (n, k), numbers.
        churned: (n,).
        test: Rows to be predicted, (n,).
        rfm: Risk by recency, frequency and money, (n,); None where no column is named like one of them.
    """

    name: str
    features: pd.DataFrame
    churned: NDArray[np.bool_]
    test: NDArray[np.bool_]
    rfm: NDArray[np.float64] | None = field(default=None)


def read_customers(folder: Path) -> list[Transactions | Labels]:
    """The data sets of value and churn in a folder; none where it holds interactions alone.

    Raises:
        BadInput: A file, column or setting is missing or holds something else; the sentence names it.
    """
    if not (folder / "meta.json").is_file():
        return [_published(folder)]
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"meta.json is not valid JSON ({error}); correct it.") from error
    if not isinstance(meta, dict):
        raise BadInput("meta.json must hold an object with split_date or test_share.")
    files = {stem: find_file(folder, stem) for stem in ("transactions", "labels", "interactions")}
    if not any(files.values()):
        raise BadInput(f"{folder.name} has no transactions, labels or interactions file; put one of them there.")
    name, found = str(meta.get("name", folder.name)), list[Transactions | Labels]()
    if file := files["transactions"]:
        found.append(make_transactions(name, meta, read_table(file), file.name))
    if file := files["labels"]:
        found.append(make_labels(name, meta, read_table(file), file.name))
    return found


def make_transactions(name: str, meta: dict[str, Any], frame: pd.DataFrame, file: str) -> Transactions:
    """Checked purchases and their settings. Without `split_date` the test is the last `predict_weeks`.

    Raises:
        BadInput: A column or setting is missing or holds something else.
    """
    need_columns(frame, ("customer", "date", "amount"), file)
    numbers = [column for column in ("amount", "units") if column in frame]
    frame = frame.assign(
        date=as_days(frame, "date", file), **{column: as_numbers(frame, column, file) for column in numbers}
    )
    frame = frame[frame["customer"].notna() & frame["amount"].notna()]
    frame = frame.assign(customer=frame["customer"].astype(str))
    if frame.empty:
        raise BadInput(f"{file} has no rows with a customer and an amount; at least one is expected.")
    first, last = frame["date"].min(), frame["date"].max()
    weeks = _number(meta, "predict_weeks", max((last - first).days / 7 * float(meta.get("test_share", 1 / 3)), 1))
    given = meta.get("split_date")
    split = pd.to_datetime(str(given), errors="coerce") if given else last + pd.Timedelta(days=1 - round(7 * weeks))
    if pd.isna(split) or not first < split <= last:
        raise BadInput(f'meta.json: "split_date" must be a day from {first.date()} to {last.date()}, not {given!r}.')
    ahead = min(weeks, ((last - split).days + 1) / 7)
    observe = _number(meta, "observe_weeks", 0)
    since = split - pd.Timedelta(days=round(7 * observe)) if observe else None
    return Transactions(name, frame, split, since, ahead)


def make_labels(name: str, meta: dict[str, Any], frame: pd.DataFrame, file: str) -> Labels:
    """Checked features and labels; `test_share` of the rows, drawn with seed 0, are the test.

    Raises:
        BadInput: A column or setting is missing or holds something else.
    """
    need_columns(frame, ("churned",), file)
    said = frame["churned"].astype(str).str.strip().str.lower()
    wrong = ~said.isin(_TRUE | _FALSE)
    if wrong.any():
        line = int(wrong.to_numpy().argmax())
        raise BadInput(f"{file}, line {line + 2}: column churned has {said.iloc[line]!r}; 0 or 1 is expected.")
    share = _number(meta, "test_share", 0.25)
    if not 0 < share < 1:
        raise BadInput(f'meta.json: "test_share" must lie between 0 and 1, not {share}.')
    test = np.zeros(len(frame), dtype=bool)
    test[np.random.default_rng(0).permutation(len(frame))[: round(share * len(frame))]] = True
    churned = said.isin(_TRUE).to_numpy()
    if min(churned[~test].sum(), (~churned[~test]).sum()) < 20:
        raise BadInput(f"{file}: column churned needs twenty rows of either kind outside the test.")
    known = _numeric(frame.drop(columns=["churned"]))
    ids = [c for c in known if c == "customer" or (known[c].dtype == object and known[c].nunique() > 0.9 * len(known))]
    known = known.drop(columns=ids)
    return Labels(name, pd.DataFrame(encode(known)), churned, test, _rfm(known))


def _numeric(frame: pd.DataFrame) -> pd.DataFrame:
    """Text columns that hold numbers, with a few blanks, as numbers."""
    numbers = {
        column: values
        for column in frame.select_dtypes(exclude="number")
        if (values := pd.to_numeric(frame[column], errors="coerce")).notna().mean() > 0.9
    }
    return frame.assign(**numbers)


def _rfm(frame: pd.DataFrame) -> NDArray[np.float64] | None:
    columns = {str(name).lower(): name for name in frame.select_dtypes(include="number")}
    parts = []
    for part, patterns in _NAMES.items():
        found = next((columns[name] for p in patterns for name in columns if re.search(p, name)), None)
        if found is not None:
            rank = frame[found].rank(pct=True).fillna(0.5).to_numpy(dtype=float)
            parts.append(rank if part == "recency" else -rank)
    return np.sum(parts, axis=0) if parts else None


def _number(meta: dict[str, Any], key: str, default: float) -> float:
    value = meta.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise BadInput(f'meta.json: "{key}" must be a number above zero, not {value!r}.')
    return float(value)


def _published(folder: Path) -> Transactions | Labels:
    for pattern, convert in PUBLISHED.items():
        found = sorted(folder.glob(pattern))
        if found and (made := convert(folder.name, read_table(found[0]), found[0].name)) is not None:
            return made
    raise BadInput(f"{folder.name} has no meta.json; it must say split_date or test_share beside the tables.")


def cdnow(name: str, frame: pd.DataFrame, file: str) -> Transactions:
    """Music bought by who first bought in early 1997: 39 weeks known, 39 ahead, as in the literature."""
    frame = frame.assign(date=pd.to_datetime(frame["date"].astype(str)))
    frame = frame.rename(columns={"id": "customer", "amt": "amount", "qty": "units"})
    return make_transactions(name, {"split_date": "1997-10-01", "predict_weeks": 39}, frame, file)


def online_retail(name: str, frame: pd.DataFrame, file: str) -> Transactions:
    """Purchases of known customers: real articles, no cancellations; the last thirteen weeks are ahead."""
    code = frame["StockCode"].astype(str).str.strip()
    frame = frame[frame["CustomerID"].notna() & code.str.match(r"\d{5}") & (frame["Quantity"] > 0)]
    frame = frame.assign(amount=frame["Quantity"] * frame["UnitPrice"])
    frame = frame.rename(
        columns={"CustomerID": "customer", "InvoiceDate": "date", "Quantity": "units", "StockCode": "product"}
    )
    return make_transactions(name, {"predict_weeks": 13}, frame[frame["amount"] > 0], file)


def complete_journey(name: str, frame: pd.DataFrame, file: str) -> Transactions:
    """A sample of a grocer's lines by household; the last thirteen weeks are ahead."""
    names = {
        "household_id": "customer",
        "transaction_timestamp": "date",
        "sales_value": "amount",
        "quantity": "units",
        "product_id": "product",
    }
    return make_transactions(name, {"predict_weeks": 13}, frame.rename(columns=names), file)


def labelled(name: str, frame: pd.DataFrame, file: str) -> Labels | None:
    """Subscribers who left, or sessions that left without buying; a quarter is the test."""
    if "Churn" in frame:
        return make_labels(name, {}, frame.rename(columns={"Churn": "churned"}), file)
    if {"Revenue", "BounceRates"} <= set(frame):
        codes = {c: frame[c].astype(str) for c in ("OperatingSystems", "Browser", "Region", "TrafficType", "Month")}
        frame = frame.assign(churned=1 - frame["Revenue"].astype(int), **{k: "c" + v for k, v in codes.items()})
        return make_labels(name, {}, frame.drop(columns=["Revenue"]), file)
    return None


PUBLISHED: dict[str, Callable[[str, pd.DataFrame, str], Transactions | Labels | None]] = {
    "cdnow*.parquet": cdnow,
    "transactions_2009-12_2010-12.parquet": online_retail,
    "transactions_sample.parquet": complete_journey,
    "train.parquet": labelled,
}
