"""Columns of text, numbers and times out of columns of cells; what cannot be read strictly becomes missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from shop.importers.reading import plain

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_GROUPS = dict.fromkeys(map(ord, "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}'"))
_CURRENCY = re.compile(r"^(?:[$€£¥]|R\$|[A-Z]{3})\s*|\s*(?:[$€£¥]|[A-Z]{3})$")
DAY_FORMATS = (
    "ISO8601",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%d %b %Y",
    "%d %B %Y",
)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p")
TIME_FORMATS = tuple(
    d if d == "ISO8601" else d + clock for d in DAY_FORMATS for clock in (_CLOCKS if d[0] == "%" else ("",))
)


def _by_value(cells: pd.Series[Any], convert: Callable[[Any], Any], dtype: Any) -> pd.Series[Any]:
    """Convert each distinct cell once: columns of sales repeat their values many times."""
    codes, distinct = pd.factorize(cells, use_na_sentinel=False)
    converted = np.empty(len(distinct), dtype=dtype)
    for place, cell in enumerate(distinct):
        converted[place] = convert(cell)
    return pd.Series(converted[codes], index=cells.index)


def as_text(cells: pd.Series[Any], change: Callable[[str], str] = str) -> pd.Series[Any]:
    """Text without outer or double spaces, changed if need be; '' where a cell is empty."""
    return _by_value(cells, lambda cell: change(plain(cell)), object)


def as_number(cells: pd.Series[Any], decimal: str = ".") -> pd.Series[Any]:
    """Numbers; NaN where a cell is not exactly one number (with thousands separators, or a currency, at most)."""
    if pd.api.types.is_numeric_dtype(cells):
        numbers = cells.astype("float64")
        return numbers.where(np.isfinite(numbers))
    return _by_value(cells, lambda cell: number(cell, decimal), np.float64)


def number(cell: Any, decimal: str = ".") -> float:
    """One cell as a number, or NaN. `decimal` is the decimal mark of text; the other mark may group thousands."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell) if np.isfinite(cell) else np.nan
    # Before blanks are made alike: these group thousands, a plain blank does not.
    text = _CURRENCY.sub("", plain(cell.translate(_GROUPS) if isinstance(cell, str) else cell))
    if decimal == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    return float(text) if _NUMBER.fullmatch(text) else np.nan


def as_time(cells: pd.Series[Any], form: str) -> pd.Series[Any]:
    """Times without a zone; NaT where a cell does not follow the format (a key of `TIME_FORMATS` or strftime's)."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        naive: pd.Series[Any] = cells.dt.tz_localize(None)
        return naive
    codes, distinct = pd.factorize(as_text(cells))
    times = pd.to_datetime(pd.Series(distinct, dtype=object), format=form, errors="coerce", utc=True).dt.tz_localize(
        None
    )
    return pd.Series(times.to_numpy()[codes], index=cells.index)


def guess_decimal(cells: pd.Series[Any]) -> str:
    """`,` where cells such as "24,90" say so, else `.`."""
    texts = as_text(cells)
    comma = texts.str.contains(r",\d{1,2}(?:\D|$)|,\d{4,}|\.\d{3},", regex=True).sum()
    return "," if comma > texts.str.contains(r"\.\d{1,2}(?:\D|$)", regex=True).sum() else "."


def guess_time_formats(cells: pd.Series[Any]) -> list[str]:
    """The formats that read the most cells, best first: more than one where day and month cannot be told apart."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        return ["ISO8601"]
    texts = as_text(cells).drop_duplicates()
    hits = {form: int(as_time(texts, form).notna().sum()) for form in TIME_FORMATS}
    most = max(hits.values())
    return [form for form, count in hits.items() if count == most and count > 0]
