"""Cells of columns as text, numbers and times: read strictly, each distinct cell once, under the rows' own index."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shop.importers.values import as_number, as_text, as_time, guess_decimal, guess_time_formats, number


def cells(*values: Any) -> pd.Series[Any]:
    """A column whose rows have the numbers they have in a file."""
    return pd.Series(list(values), index=range(7, 7 + len(values)), dtype=object)


def same(found: pd.Series[Any], wanted: Iterable[Any]) -> bool:
    return found.equals(pd.Series(list(wanted), index=found.index, dtype=found.dtype)) and found.index[0] == 7


def test_text_is_plain_and_changed_where_asked() -> None:
    column = cells("  a  b", None, 2.0, "a b", float("nan"))
    assert same(as_text(column), ["a b", "", "2", "a b", ""])
    asked: list[str] = []
    assert same(as_text(column, lambda text: asked.append(text) or text.upper()), ["A B", "", "2", "A B", ""])  # type: ignore[func-returns-value]
    assert len(asked) == 4, "each distinct cell once; what is no value is one"


def test_numbers_keep_their_rows() -> None:
    assert same(as_number(cells("1.5", "free", "1.5", 2)), [1.5, np.nan, 1.5, 2.0])
    assert same(as_number(cells("1.500,25", "1,5"), ","), [1500.25, 1.5])
    assert same(as_number(cells("1,500.25", "1,5")), [1500.25, np.nan])
    assert same(as_number(cells(1, 2).astype("int64")), [1.0, 2.0])
    assert same(as_number(cells(1.5, np.inf, np.nan).astype("float64")), [1.5, np.nan, np.nan])


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("R$ 3.50", ".", 3.5),
        ("EUR3.50", ".", 3.5),
        ("3.50 ¥", ".", 3.5),
        ("1\u00a0234.50", ".", 1234.5),
        ("1\u202f234,50\u00a0EUR", ",", 1234.5),
        ("1'234.50", ".", 1234.5),
        ("1 234.50", ".", None),
        ("+.5", ".", 0.5),
        ("5.", ".", 5.0),
        ("-1,234,567", ".", -1_234_567.0),
        ("1.234.567,5", ",", 1_234_567.5),
        (3, ",", 3.0),
        (2.5, ",", 2.5),
        ("1.5", ",", None),
        ("1,5", ".", None),
        ("1234,567", ".", None),
        ("-", ".", None),
        ("eur 3", ".", None),
        ("3 EURO", ".", None),
        (True, ".", None),
        (float("inf"), ".", None),
        (None, ".", None),
    ],
)
def test_a_cell_is_one_number_or_none(cell: Any, decimal: str, value: float | None) -> None:
    found = number(cell, decimal)
    assert np.isnan(found) if value is None else found == value


def test_times_have_no_zone() -> None:
    read = as_time(cells("2027-03-01 10:30", "soon", "2027-03-01 10:30", "2027-03-01T10:30+02:00", ""), "ISO8601")
    at = datetime(2027, 3, 1, 10, 30)
    assert same(read, [at, pd.NaT, at, datetime(2027, 3, 1, 8, 30), pd.NaT])
    assert same(as_time(cells("01/03/2027", "03/13/2027"), "%d/%m/%Y"), [datetime(2027, 3, 1), pd.NaT])
    zoned = cells(at, at).astype("datetime64[ns]").dt.tz_localize("Asia/Shanghai")
    assert as_time(zoned, "%d").tolist() == [at, at], "the clock on the wall of whoever wrote it"
    assert same(as_time(cells(at).astype("datetime64[ns]"), "%d"), [at])


@pytest.mark.parametrize(
    ("column", "mark"),
    [
        (["24,90"], ","),
        (["1,2345"], ","),
        (["1.234,5"], ","),
        (["24,90", "24.90"], "."),
        (["24,90", "5,5", "24.90"], ","),
        (["24.90 EUR"], "."),
        (["1,234", "12"], "."),
        ([], "."),
    ],
)
def test_the_decimal_mark_is_what_most_cells_say(column: list[str], mark: str) -> None:
    assert guess_decimal(cells(*column)) == mark


@pytest.mark.parametrize(
    ("column", "forms"),
    [
        (["2027-03-04", "2027-03-04 10:00"], ["ISO8601"]),
        (["03/04/2027", "03/04/2027", ""], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["03/04/2027", "13/04/2027"], ["%d/%m/%Y"]),
        (["03/04/2027", "03/04/2027", "03/13/2027"], ["%m/%d/%Y"]),
        (["13.04.2027 10:30"], ["%d.%m.%Y %H:%M"]),
        (["4 Mar 2027", "5 March 2027", "6 March 2027"], ["%d %B %Y"]),
        (["soon", ""], []),
        ([], []),
    ],
)
def test_the_formats_that_read_most_cells(column: list[str], forms: list[str]) -> None:
    assert guess_time_formats(cells(*column)) == forms
    assert guess_time_formats(pd.to_datetime(cells("2027-03-04"))) == ["ISO8601"]
