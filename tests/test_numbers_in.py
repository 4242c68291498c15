"""Every number that a text may mean, with its readings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.quantities import parse_number
from shop.readings import numbers_for, numbers_in, readings_in
from shop.types import Measure


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("it costs 24,90 €", {24.9}),
        ("$49.90 for GK-200", {49.9, 200}),
        ("in three weeks", {3, 21}),
        ("a week", {1, 7}),
        ("8 wks", {8, 56}),
        ("14 days", {14, 2}),
        ("5 grand", {5000}),
        ("2 months", {2, 60, 8, 9}),
        ("two and a half weeks", {2.5, 18, 2, 0.5}),
        ("成本三万块", {30000}),
        ("十二块五", {12.5}),
        ("三个月", {3, 90, 12, 13}),
        ("15% margin", {15, 0.15}),
        ("thirty per cent", {30, 0.3}),
        ("百分之三十", {30, 0.3}),
        ("四成", {4, 0.4}),
        ("打八折", {8, 0.8, 0.2}),
        ("a budget of 20k", {20000}),
        ("two hundred and fifty", {250}),
        ("a dozen", {12}),
        ("1.200 or 1,200", {1.2, 1200}),
        ("10 000 units", {10000}),
        ("nothing at all, someone", set()),
    ],
)
def test_what_a_text_says_is_among_its_numbers(text: str, meant: set[float]) -> None:
    found = numbers_in(text)
    assert meant <= set(found)
    assert len(found) == len(set(found))
    # No number comes from nowhere: a few readings for each that is said.
    assert len(found) <= len(meant) + 2


@given(st.floats(0.01, 999_999).map(lambda x: round(x, 2)))
def test_a_plain_number_is_found_as_the_parser_reads_it(number: float) -> None:
    assert parse_number(f"{number:.2f}") in numbers_in(f"it is {number:.2f} now")


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    assert all(isinstance(number, float) for number in numbers_in(text))


@pytest.mark.parametrize(
    ("text", "measure", "meant"),
    [
        ("plan D-0179 with 75 days of lead time", "days", [75]),
        ("plan D-0179 with 75 days of lead time", "money", []),
        ("Hearth jam jar 65W, 9000元", "weeks", []),
        ("Hearth jam jar 65W, 9000元", "money", [9000]),
        ("on 3 March 2027 for 6 weeks", "weeks", [6]),
        ("3月1日上市，每周2个", "count", [2]),
        ("4th of February 19 weeks ahead", "weeks", [19]),
        ("seven weeks", "days", [49]),
        ("a three-week promotion", "weeks", [3]),
        ("a service level of 95", "share", [0.95]),
        ("a kettle of two litres", "count", []),
        ("三百多件", "count", [300]),
        ("服务水平改成0.865", "count", [0.865]),
        ("30% off, 12.50 each", "money", [12.5]),
        ("D-0012成本", "share", []),
        ("12折叠桌", "share", []),
        ("毛利要两成", "share", [0.2]),
        ("a budget of 20k", "weeks", []),
        ("at most 3 a week", "count", [3]),
        ("2 launches a week", "count", [2]),
        ("tell 500 people", "money", []),
        ("week 4", "weeks", [4]),
        ("2026-12-01, 30 pcs", "count", [30]),
    ],
)
def test_a_number_stands_for_what_it_is_said_of(text: str, measure: Measure, meant: list[float]) -> None:
    assert numbers_for(measure, readings_in(text)) == meant


@pytest.mark.parametrize(
    ("text", "cost", "price"),
    [
        ("launch a lunch box at 24.90 in March, it costs 9", {24.9, 9}, {24.9}),
        ("cost price 9, sells at 24.90", {9}, {24.9}),
        ("9 landed, 25 retail", {9}, {25}),
        ("price 25 cost 9", {9}, {25}),
        ("进价是九块，卖二十五", {9}, {25}),
        ("出厂价一百二十块钱 终端标130块钱", {120}, {130}),
        ("a lunch box, 9 and 25", {9, 25}, {9, 25}),
        ("price and cost are 25 and 9", {25, 9}, {25, 9}),
    ],
)
def test_what_is_called_a_cost_is_no_price(text: str, cost: set[float], price: set[float]) -> None:
    readings = readings_in(text)
    assert (set(numbers_for("cost", readings)), set(numbers_for("price", readings))) == (cost, price)
