"""Days, durations and numbers as people say them."""

from __future__ import annotations

from datetime import date

import pytest

from shop import ToolError
from shop.dates import parse_day, parse_range, parse_span
from shop.quantities import parse_number

TODAY = date(2027, 2, 17)  # a Wednesday


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2027-03-01", "2027-03-01"),
        ("3 March", "2027-03-03"),
        ("March 3rd 2027", "2027-03-03"),
        ("March 3, 2028", "2028-03-03"),
        ("the 3rd of March", "2027-03-03"),
        ("3 Feb", "2028-02-03"),
        ("17 February", "2027-02-17"),
        ("Wednesday 3 March", "2027-03-03"),
        ("13/04/2027", "2027-04-13"),
        ("early March", "2027-03-01"),
        ("mid-March", "2027-03-15"),
        ("late March", "2027-03-21"),
        ("end of March", "2027-03-31"),
        ("March", "2027-03-01"),
        ("late January", "2028-01-21"),
        ("late February", "2027-02-21"),
        ("mid February", "2027-02-17"),
        ("beginning of Q2", "2027-04-01"),
        ("end of Q2", "2027-06-30"),
        ("second quarter 2028", "2028-04-01"),
        ("next quarter", "2027-04-01"),
        ("end of the year", "2027-12-31"),
        ("next Monday", "2027-02-22"),
        ("next Friday", "2027-02-26"),
        ("this Friday", "2027-02-19"),
        ("Wednesday", "2027-02-24"),
        ("in three weeks", "2027-03-10"),
        ("in 10 days", "2027-02-27"),
        ("a month from now", "2027-03-17"),
        ("two weeks ago", "2027-02-03"),
        ("week 12", "2027-03-22"),
        ("week 2", "2028-01-10"),
        ("next week", "2027-02-22"),
        ("next month", "2027-03-01"),
        ("tomorrow", "2027-02-18"),
        ("三月初", "2027-03-01"),
        ("三月中旬", "2027-03-15"),
        ("3月下旬", "2027-03-21"),
        ("三月底", "2027-03-31"),
        ("月底", "2027-02-28"),
        ("明年三月", "2028-03-01"),
        ("下周一", "2027-02-22"),
        ("周五", "2027-02-19"),
        ("下个月", "2027-03-01"),
        ("3月8日", "2027-03-08"),
        ("十二月二十五号", "2027-12-25"),
        ("2027年3月", "2027-03-01"),
        ("2027年3月8日", "2027-03-08"),
        ("明天", "2027-02-18"),
        ("两周后", "2027-03-03"),
        ("三个月后", "2027-05-17"),
    ],
)
def test_days(said: str, expected: str) -> None:
    assert parse_day(said, TODAY) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("kettle", "is not a date"),
        ("", "is not a date"),
        ("12", "is not a date"),
        ("soon", "is not a date"),
        ("2027-02-30", "no day"),
        ("二月三十日", "no day"),
        ("03/04/2027", "could be 2027-04-03 or 2027-03-04"),
        ("2027-13", "no month 13"),
        ("week 54", "no week 54"),
        ("春节前", "holiday"),
        ("before Christmas", "holiday"),
    ],
)
def test_what_is_no_day_is_refused_with_a_way_out(said: str, message: str) -> None:
    with pytest.raises(ToolError, match=message):
        parse_day(said, TODAY)


def test_months_later_stay_within_the_month() -> None:
    assert parse_day("in one month", date(2027, 1, 31)) == date(2027, 2, 28)
    assert parse_day("in 11 months", date(2027, 1, 31)) == date(2027, 12, 31)


def test_next_means_the_next_calendar_week_on_every_weekday() -> None:
    for offset in range(7):
        today = date(2027, 2, 15 + offset)
        assert parse_day("next Friday", today) == parse_day("下周五", today) == date(2027, 2, 26)


def test_ranges() -> None:
    assert parse_range("early March", TODAY) == (date(2027, 3, 1), date(2027, 3, 10))
    assert parse_range("三月中旬", TODAY) == (date(2027, 3, 11), date(2027, 3, 20))
    assert parse_range("late February", TODAY) == (date(2027, 2, 21), date(2027, 2, 28))
    assert parse_range("Q2", TODAY) == (date(2027, 4, 1), date(2027, 6, 30))
    assert parse_range("week 12", TODAY) == (date(2027, 3, 22), date(2027, 3, 28))
    assert parse_range("3 March", TODAY) == (date(2027, 3, 3), date(2027, 3, 3))


def test_spans() -> None:
    assert parse_span("three weeks") == 21
    assert parse_span("10 days") == 10
    assert parse_span("三周") == 21
    assert parse_span("两个月") == 60
    with pytest.raises(ToolError, match="not a duration"):
        parse_span("long")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("200", 200),
        ("$24.90", 24.9),
        ("24,90 €", 24.9),
        ("1,200", 1200),
        ("1.234,56", 1234.56),
        ("1,234.56", 1234.56),
        ("1.200.000", 1_200_000),
        ("2.5k", 2500),
        ("-5", -5),
        ("15%", 0.15),
        ("two hundred", 200),
        ("one hundred and five", 105),
        ("twenty-five", 25),
        ("a dozen", 12),
        ("half a million", 500_000),
        ("two and a half thousand", 2500),
        ("三万", 30_000),
        ("三万块", 30_000),
        ("3万", 30_000),
        ("一万五千", 15_000),
        ("两百五十", 250),
        ("百分之十五", 0.15),
        ("三百多个", 300),
    ],
)
def test_numbers(said: str, expected: float) -> None:
    assert parse_number(said) == pytest.approx(expected)


@pytest.mark.parametrize("said", ["", "kettle", "12,34,567", "1.2.3", "two kettles", "1e5", "nan", "inf"])
def test_what_is_no_number_is_refused(said: str) -> None:
    with pytest.raises(ToolError, match="not a number"):
        parse_number(said)
