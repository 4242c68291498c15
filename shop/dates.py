"""Days as people say them, in English and Chinese, against a given `today`."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import dateparser

from shop.errors import ToolError
from shop.periods import Range, months_later, part_of, period
from shop.quantities import parse_number

_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_ZH_WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
_SIMPLE = {
    "today": 0, "now": 0, "tomorrow": 1, "the day after tomorrow": 2, "day after tomorrow": 2, "yesterday": -1,
    "今天": 0, "今日": 0, "明天": 1, "明日": 1, "后天": 2, "大后天": 3, "昨天": -1, "前天": -2,
}  # fmt: skip
_UNITS = {
    "day": "days", "week": "weeks", "fortnight": "fortnights", "month": "months", "quarter": "quarters",
    "year": "years",
    "天": "days", "日": "days", "周": "weeks", "星期": "weeks", "礼拜": "weeks", "个月": "months", "月": "months",
    "季度": "quarters", "年": "years",
}  # fmt: skip
_SPAN_EN = re.compile(r"(.+?)[\s-]*(day|week|fortnight|month|quarter|year)s?")
_SPAN_ZH = re.compile(r"(.+?)(?:个)?(天|日|周|星期|礼拜|月|季度|年)")
_FESTIVALS = re.compile(
    r"christmas|easter|thanksgiving|halloween|valentine|black friday|cyber monday|new year|mother'?s day|father'?s day"
    r"|春节|元旦|中秋|端午|国庆|清明|双十一|双11|双十二|圣诞|情人节|母亲节|父亲节|七夕|元宵"
)

# What a day is said with. ASCII, so that a digit beside a Chinese character begins a word.
DAY_WORDS = re.compile(
    r"\b\d{4}[-/.]\d{1,2}\b|\b\d{1,2}/\d{1,2}\b|\b\d{1,2}[-.]\d{1,2}[-.]\d{2,4}\b|\b\d{1,2}(?:st|nd|rd|th)\b|\b20\d\d\b"
    r"|(?<![^\W\d])(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|q[1-4]|spring|summer|autumn|winter|fall|christmas|easter|thanksgiving"
    r"|halloween|valentine|black friday|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
    r"|today|tomorrow|yesterday|now|days?|weeks?|fortnights?|months?|quarters?|years?|wks?)(?![^\W\d])"
    r"|[月日号周天年季春夏秋冬节]|星期|礼拜|元旦|双十|双11|七夕|元宵|圣诞|中秋|端午|国庆|清明",
    re.IGNORECASE | re.ASCII,
)  # fmt: skip


def parse_day(text: str, today: date) -> date:
    """The day that a person means.

    A week, month, quarter or year stands for its first day; "early" for the first day, "mid" for the middle, "late" for
    the start of the last third, "end of" for the last day. Without a year it is the next one from `today` on; a
    period that has begun already stands for `today` at the earliest.

    Args:
        text: Such as "2027-03-01", "3 March", "early March", "end of Q2", "next Monday", "in three weeks", "三月初".
        today: The day to count from.

    Raises:
        ToolError: The text names no day, or could be read as two.
    """
    said = " ".join(text.strip().lower().replace(",", " ").replace("，", " ").split())
    said = re.sub(r"^(?:on|by|from|around|about|the week of) ", "", said)
    for form in (_iso, _chinese, _numeric, _simple, _weekday, _relative, _period_day, _ordinary):
        found = form(said, today)
        if found is not None:
            return found
    if _FESTIVALS.search(said):
        raise ToolError(f"“{text}” is a holiday whose date this shop does not know; give the day, such as {today}.")
    raise ToolError(
        f"“{text}” is not a date that can be read; "
        f"write it like {today}, 3 March, early March, next Monday or in three weeks."
    )


def parse_range(text: str, today: date) -> Range:
    """First and last day of the period a person means: a part of a month or year, a month, a quarter, a week, or a day.

    Raises:
        ToolError: The text names no period and no day.
    """
    said = " ".join(text.strip().lower().replace(",", " ").split())
    named = period(said, today)
    if named is not None:
        return part_of(*named)
    day = parse_day(text, today)
    return day, day


def parse_span(text: str) -> int:
    """A duration in days: "three weeks" is 21, "两个月" is 60 (30 days to a month, 365 to a year).

    Raises:
        ToolError: The text is no duration.
    """
    span = _span(text.strip().lower())
    if span is None:
        raise ToolError(f"“{text}” is not a duration; write it like 10 days, three weeks or two months.")
    count, unit = span
    days = {"days": 1, "weeks": 7, "fortnights": 14, "months": 30, "quarters": 91, "years": 365}
    return round(count * days[unit])


def _iso(said: str, today: date) -> date | None:
    match = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", said)
    return None if match is None else _real_day(int(match[1]), int(match[2]), int(match[3]), said)


def _chinese(said: str, today: date) -> date | None:
    match = re.fullmatch(r"(?:(\d{4}|今|明)年)?([\d一二三四五六七八九十]+)月([\d一二三四五六七八九十]+)[日号]", said)
    if match is None:
        return None
    month, day = int(parse_number(match[2])), int(parse_number(match[3]))
    year = {"今": today.year, "明": today.year + 1}.get(match[1]) or int(match[1] or today.year)
    found = _real_day(year, month, day, said)
    return found if match[1] or found >= today else _real_day(year + 1, month, day, said)


def _numeric(said: str, today: date) -> date | None:
    match = re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", said)
    if match is None:
        return None
    first, second, year = (int(part) for part in match.groups())
    if first <= 12 and second <= 12 and first != second:
        raise ToolError(
            f"“{said}” could be {date(year, second, first)} or {date(year, first, second)}; write it as year-month-day."
        )
    day, month = (first, second) if first > 12 else (second, first)
    return _real_day(year, month, day, said)


def _real_day(year: int, month: int, day: int, said: str) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ToolError(f"There is no day {said}; check the month and the day.") from error


def _simple(said: str, today: date) -> date | None:
    return today + timedelta(days=_SIMPLE[said]) if said in _SIMPLE else None


def _weekday(said: str, today: date) -> date | None:
    names = "|".join(f"{day[:3]}(?:{day[3:]})?" for day in _WEEKDAYS)
    english = re.fullmatch(rf"(next |this |coming )?({names})", said)
    chinese = re.fullmatch(r"(下|这|本)?(?:周|星期|礼拜)([一二三四五六日天])", said)
    if english is not None:
        which, weekday = english[1], next(n for n, day in enumerate(_WEEKDAYS) if day.startswith(english[2][:3]))
    elif chinese is not None:
        which, weekday = chinese[1], _ZH_WEEKDAYS[chinese[2]]
    else:
        return None
    if which in ("next ", "下"):
        return today + timedelta(days=7 - today.weekday() + weekday)
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def _relative(said: str, today: date) -> date | None:
    match = re.fullmatch(
        r"(?:in (.+)|(.+?) (?:from (?:now|today)|later)|(.+?)(?:之后|以后|后)|(.+?) ago|(.+?)(?:之前|以前|前))", said
    )
    if match is None:
        return None
    ahead = next((part for part in match.groups()[:3] if part), None)
    back = next((part for part in match.groups()[3:] if part), None)
    span = _span(ahead or back or "")
    if span is None or span[0] != int(span[0]):
        return None
    count = int(span[0]) * (1 if ahead else -1)
    days = {"days": 1, "weeks": 7, "fortnights": 14}.get(span[1])
    if days is not None:
        return today + timedelta(days=days * count)
    return months_later(today, count * {"months": 1, "quarters": 3, "years": 12}[span[1]])


def _span(said: str) -> tuple[float, str] | None:
    match = _SPAN_EN.fullmatch(said) or _SPAN_ZH.fullmatch(said)
    if match is None:
        return None
    try:
        return parse_number(match[1]), _UNITS[match[2]]
    except ToolError:
        return None


def _period_day(said: str, today: date) -> date | None:
    named = period(said, today)
    if named is None:
        return None
    first, last = part_of(*named)
    part = named[2]
    day = last if part == "end" else first + (last - first) // 2 if part == "mid" else first
    return today if first <= today <= last and day < today else day


def _ordinary(said: str, today: date) -> date | None:
    """Day and month, with or without a year, as dateparser reads them."""
    if re.fullmatch(r"[\d\s.,/-]*", said):
        return None
    base = datetime.combine(today - timedelta(days=1), datetime.min.time())  # so that today itself counts as next
    found = dateparser.parse(
        said,
        languages=["en", "zh"],
        settings={"REQUIRE_PARTS": ["day", "month"], "PREFER_DATES_FROM": "future", "RELATIVE_BASE": base},
    )
    return date(found.year, found.month, found.day) if isinstance(found, datetime) else None
