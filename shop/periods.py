"""Weeks, months, quarters and years as people say them, whole or in part, in English and Chinese."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta

from shop.errors import ToolError
from shop.quantities import parse_number

Range = tuple[date, date]

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_PARTS = {
    "early": "early", "beginning": "early", "start": "early", "first half": "early", "mid": "mid", "middle": "mid",
    "late": "late", "second half": "late", "end": "end", "初": "early", "上旬": "early", "中旬": "mid", "中": "mid",
    "下旬": "late", "底": "end", "末": "end",
}  # fmt: skip


def part_of(first: date, last: date, part: str) -> Range:
    """A part of a period: thirds, except that "end" is the last day. Thirds of a month end on the 10th and the 20th."""
    if part in ("", "end"):
        return (last, last) if part else (first, last)
    third = 10 if (last - first).days < 31 else ((last - first).days + 1) // 3
    bounds = [first, first + timedelta(days=third), first + timedelta(days=2 * third), last + timedelta(days=1)]
    which = ("early", "mid", "late").index(part)
    return bounds[which], bounds[which + 1] - timedelta(days=1)


def period(said: str, today: date) -> tuple[date, date, str] | None:
    """First day, last day and named part of a week, month, quarter or year."""
    part, rest = _split_part(said)
    for form in (_week, _month, _quarter, _year):
        found = form(rest, today, part)
        if found is not None:
            return (*found, part)
    return None


def _split_part(said: str) -> tuple[str, str]:
    match = re.fullmatch(
        r"(?:the )?(early|beginning|start|mid|middle|late|end|first half|second half)[\s-]*(?:in |of )?(?:the )?(.+)",
        said,
    )
    if match is not None:
        return _PARTS[match[1]], match[2]
    match = re.fullmatch(r"(.*[月年季度])的?(初|上旬|中旬|中|下旬|底|末)", said) or re.fullmatch(
        r"(月|年)(初|中|底|末)", said
    )
    return (_PARTS[match[2]], match[1]) if match is not None else ("", said)


def _next_with(make: Callable[[int], Range], today: date, year: int | None, part: str) -> Range:
    """The period of the given year, or of the first year in which the named part is not over yet."""
    if year is not None:
        return make(year)
    this_year = make(today.year)
    return this_year if part_of(*this_year, part)[1] >= today else make(today.year + 1)


def _month(said: str, today: date, part: str) -> Range | None:
    ahead = {
        "this month": 0,
        "the month": 0,
        "month": 0,
        "next month": 1,
        "本月": 0,
        "这个月": 0,
        "月": 0,
        "下个月": 1,
        "下月": 1,
    }
    if said in ahead:
        first = months_later(today.replace(day=1), ahead[said])
        return _month_range(first.year, first.month)
    names = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS) + "|sept"
    english = re.fullmatch(rf"(next )?({names})\.?(?: (?:of )?(\d{{4}}))?", said)
    chinese = re.fullmatch(r"(?:(\d{4})年|(明年)|(今年))?(\d{1,2}|[一二三四五六七八九十]{1,2})月(?:份)?", said)
    iso = re.fullmatch(r"(\d{4})-(\d{1,2})", said)
    if english is not None:
        month = next(n for n, name in enumerate(_MONTHS, start=1) if name.startswith(english[2][:3]))
        year = int(english[3]) if english[3] else None
    elif chinese is not None:
        month = int(parse_number(chinese[4]))
        year = int(chinese[1]) if chinese[1] else today.year + 1 if chinese[2] else today.year if chinese[3] else None
    elif iso is not None:
        year, month = int(iso[1]), int(iso[2])
    else:
        return None
    if not 1 <= month <= 12:
        raise ToolError(f"There is no month {month}; months run from 1 to 12.")
    return _next_with(lambda y: _month_range(y, month), today, year, part)


def _month_range(year: int, month: int) -> Range:
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def _quarter(said: str, today: date, part: str) -> Range | None:
    if said in ("next quarter", "下季度", "下个季度", "this quarter", "the quarter", "本季度"):
        month = 3 * ((today.month - 1) // 3) + 1 + (3 if said[0] in "n下" else 0)
        return _quarter_range(today.year + (month > 12), (month - 1) // 3 % 4 + 1)
    match = re.fullmatch(
        r"(?:q([1-4])|([1-4])(?:st|nd|rd|th) quarter|(first|second|third|fourth) quarter)(?: (?:of )?(\d{4}))?", said
    )
    chinese = re.fullmatch(r"(?:(\d{4})年)?第?([一二三四1-4])季度?", said)
    if match is not None:
        words = ("first", "second", "third", "fourth")
        quarter = int(match[1] or match[2] or words.index(match[3]) + 1)
        year = int(match[4]) if match[4] else None
    elif chinese is not None:
        quarter = int(parse_number(chinese[2]))
        year = int(chinese[1]) if chinese[1] else None
    else:
        return None
    return _next_with(lambda y: _quarter_range(y, quarter), today, year, part)


def _quarter_range(year: int, quarter: int) -> Range:
    first = date(year, 3 * quarter - 2, 1)
    return first, months_later(first, 3) - timedelta(days=1)


def _year(said: str, today: date, part: str) -> Range | None:
    years = {"this year": 0, "the year": 0, "year": 0, "next year": 1, "今年": 0, "年": 0, "明年": 1}
    match = re.fullmatch(r"(20\d{2})年?", said)
    if said not in years and match is None:
        return None
    year = int(match[1]) if match is not None else today.year + years[said]
    return date(year, 1, 1), date(year, 12, 31)


def _week(said: str, today: date, part: str) -> Range | None:
    ahead = {
        "this week": 0,
        "the week": 0,
        "next week": 1,
        "the week after next": 2,
        "本周": 0,
        "这周": 0,
        "下周": 1,
        "下个星期": 1,
        "下星期": 1,
        "下下周": 2,
    }
    if said in ahead:
        first = today - timedelta(days=today.weekday()) + timedelta(weeks=ahead[said])
        return first, first + timedelta(days=6)
    match = re.fullmatch(r"(?:week|wk|kw|cw|w) ?(\d{1,2})(?: (?:of )?(\d{4}))?", said) or re.fullmatch(
        r"第(\d{1,2})周()", said
    )
    if match is None:
        return None
    week, year = int(match[1]), int(match[2]) if match[2] else None
    if not 1 <= week <= 53:
        raise ToolError(f"There is no week {week}; weeks run from 1 to 52 or 53.")
    return _next_with(lambda y: _iso_week(y, week), today, year, part)


def _iso_week(year: int, week: int) -> Range:
    try:
        first = date.fromisocalendar(year, week, 1)
    except ValueError as error:
        raise ToolError(f"{year} has no week {week}; give a day instead.") from error
    return first, first + timedelta(days=6)


def months_later(day: date, months: int) -> date:
    year, month = divmod(12 * day.year + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
