"""The numbers that a text may mean, and what each measures: "30 units for 24,90 € in two weeks".

What a number is of is told by the characters around it. Where several readings are possible all are kept: the caller
knows which one it needs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from shop.quantities import NUMBER_WORDS, from_chinese, from_digits, from_words
from shop.types import Measure

_WORD_NUMBER = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_RUNS = re.compile(
    r"(?P<money>(?:\d+|[零一二三四五六七八九十百千万两]+)块(?:\d|[一二三四五六七八九]))(?![零一二三四五六七八九十百千万\d])"
    r"|(?P<digits>\d{1,3}(?: \d{3})+\b|\d[\d.,']*\d|\d)\s?"
    r"(?P<scale>(?:k|m|thousand|grand|million|dozen|hundred)\b|[十百千万亿])?"
    rf"|(?P<words>\b(?:an?\s+)?(?:{_WORD_NUMBER})(?:(?:[\s-]+(?:and\s+)?|\s+of\s+a\s+)(?:{_WORD_NUMBER}))*\b)"
    r"|(?P<chinese>[〇零一二三四五六七八九十百千万亿两俩半]+)"
    r"|(?P<single>\ban?\b(?=\s+(?:day|week|fortnight|month|quarter|year)\b))",
    re.IGNORECASE,
)
# Tenths, and tenths that are left: not the first half of another word ("D-0012成本").
_TENTHS_AFTER = re.compile(r"成(?![本功交品立为分员熟长])|折(?![叠扣旧现])")
_SHARE_AFTER = re.compile(r"\s*(?:%|％|per ?cent\b)", re.IGNORECASE)
_UNIT_AFTER = re.compile(
    r"(?:[\s-]*|\s+(?:of\s+|an?\s+))(?P<en>day|week|fortnight|month|quarter|year|wk|mth|qtr|yr)s?\b"
    r"|\s*个?(?P<zh>天|日|周|星期|礼拜|月|季度|年)",
    re.IGNORECASE,
)
# Days, and the whole weeks and months that people mean by it.
_DURATIONS = {
    "day": (1, None, None), "week": (7, 1, None), "fortnight": (14, 2, None), "month": (30, 4, 1),
    "quarter": (91, 13, 3), "year": (365, 52, 12),
}  # fmt: skip
_SHORT = {"wk": "week", "mth": "month", "qtr": "quarter", "yr": "year"}
_ZH_DURATION = {
    "天": "day", "日": "day", "周": "week", "星期": "week", "礼拜": "week", "月": "month", "季度": "quarter",
    "年": "year",
}  # fmt: skip
_MONEY_BEFORE = re.compile(r"(?:[$€£¥￥]|\b(?:us\$|r\$|usd|eur|gbp|rmb|cny|brl|jpy))\s?$", re.IGNORECASE)
_MONEY_AFTER = re.compile(
    r"\s?(?:[€$£¥￥]|元|块|美元|欧元|英镑|(?:usd|eur|gbp|rmb|cny|brl|jpy|dollars?|euros?|pounds?|bucks|yuan)\b)",
    re.IGNORECASE,
)
# Letters that touch a number make it part of a code, unless they are a unit.
_GLUED_BEFORE = re.compile(r"[A-Za-z_][-_]?$|#$")
_GLUED_AFTER = re.compile(r"(?!(?:pcs|x|d|w)\b)[A-Za-z_]|-[A-Za-z]?\d")
_SIZE_AFTER = re.compile(
    r"\s?(?:(?:litres?|liters?|ml|cm|mm|kg|kilos?|grams?|mah|inch(?:es)?|oz|gb|tb|watts?|volts?|hours?|minutes?)\b"
    r"|升|毫升|厘米|毫米|公斤|克|瓦|毫安|寸|小时|分钟|点|折|成)",
    re.IGNORECASE,
)
_COUNTED_AFTER = re.compile(
    r"\s?(?:(?:units?|pcs|pieces?|customers?|people|persons?|shoppers?|buyers?|contacts?|subscribers?|recipients?|launches"
    r"|segments?|groups?|clusters?)\b|个(?![半月星礼季])|[件人位名条款台套只支组类群])",
    re.IGNORECASE,
)
# What a number is called by words of its clause.
_COST = re.compile(
    r"\b(?:costs?(?: price)?|costing|landed|cogs|fob|sourced|quoted?|we (?:pay|buy)|paying|bought"
    r"|(?:purchase|buy(?:ing)?(?:-in)?|factory|supplier|wholesale|import|unit cost) price)\b"
    r"|成本价?|进货?价|进货|到手价?|拿货价?|采购价?|出厂价?|供货价|工厂价|来货价|批发价|到岸",
    re.IGNORECASE,
)
_PRICE = re.compile(
    r"\b(?:price[ds]?|pricing|retail(?:s|ing)?|rrp|msrp|sells?|selling|listed|listing|asking)\b"
    r"|[售定标挂零]价|终端[价标]|零售价?|卖|挂牌价?|标签价|吊牌价",
    re.IGNORECASE,
)
_CLAUSE_ENDS = re.compile(r"[,;:.!?，、；：。！？\n()（）\d元块]")
_AND = re.compile(r"\b(?:and|or)\b|[&/和与及]")
_CALLED_AFTER = re.compile(r"\s?(?:[€$£¥￥元块]|(?:usd|eur|gbp|dollars?|euros?|pounds?|bucks)\b)?\s?(?:as |is |的|是)?")
_OF_THE_NEXT = re.compile(
    r"\s*(?:is|of|at|to us|us|为|是|就|只要|大概|约)?\s*[$€£¥￥]?\s*[\d零一二三四五六七八九十百千万两]"
)
_MONTH_NAMES = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_IN_A_DATE = re.compile(
    rf"\b\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}\b|\b\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}\b|\b\d{{1,2}}/\d{{1,2}}\b"
    rf"|\b(?:\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?)?\b{_MONTH_NAMES}\b"
    r"(?:\s+\d{1,2}(?:st|nd|rd|th)?\b(?!\s*(?:day|week|wk|month|unit)))?(?:,?\s+20\d\d)?\b"
    r"|\b(?:spring|summer|autumn|fall|winter|q[1-4])\s+20\d\d\b|\b\d{1,2}(?:st|nd|rd|th)\b"
    r"|(?:20\d\d年)?[\d一二三四五六七八九十]{1,3}月(?:[\d一二三四五六七八九十]{1,3}[日号]?)?|20\d\d年"
    r"|[\d一二三四五六七八九十]{1,3}号|(?:周|星期|礼拜)[一二三四五六日天]",
    re.IGNORECASE | re.ASCII,
)  # fmt: skip
# Beyond it a bare number is something else: shares, days and weeks.
_MOST: dict[Measure, float] = {"share": 1.0, "days": 1100, "weeks": 160}


class Reading(NamedTuple):
    """One number that a text may mean, and what of: empty where it does not say, `other` where it is no quantity."""

    value: float
    measure: Measure | Literal["", "other"]
    called: Literal["", "cost", "price"] = ""  # what the words beside it call it


def numbers_in(text: str) -> list[float]:
    """Every number that a text may mean, in the order in which it says them, each once."""
    return list(dict.fromkeys(reading.value for reading in readings_in(text)))


def readings_in(text: str) -> list[Reading]:
    """Every number that a text may mean and what it measures, in the order in which it says them, each once.

    A number with a percent sign is also its fraction, a duration also its days, weeks and months; "1.200" is read both
    ways. Nothing is decided here: the caller knows which reading it needs. A number inside a code ("D-0012"), a date
    or a size ("2 l") measures nothing that is asked for.
    """
    dates = [match.span() for match in _IN_A_DATE.finditer(text)]
    found: dict[Reading, None] = {}
    for match in _RUNS.finditer(text):
        values = _readings(match)
        end = match.end("digits") if match["digits"] and not match["scale"] else match.end()
        before, rest = text[: match.start()], text[end:]
        halved = re.match(r"\s+and\s+a\s+half\b|个半(?=[年月天小周])", rest)
        if halved:
            values, rest = [value + 0.5 for value in values], rest[halved.end() :]
        in_date = any(first <= match.start() and end <= last for first, last in dates)
        called = _called(before, rest)
        found.update(
            (reading._replace(called=called), None) for reading in _measured(match, values, before, rest, in_date)
        )
    return list(found)


def _measured(
    match: re.Match[str], values: Sequence[float], before: str, rest: str, in_date: bool
) -> Iterator[Reading]:
    """The readings of one run of digits or words by what stands around it."""
    if _SHARE_AFTER.match(rest) or before.endswith("百分之"):
        yield from (Reading(value, "other") for value in values)
        yield from (Reading(round(value / 100, 10), "share") for value in values)
    elif _TENTHS_AFTER.match(rest):
        tenths = [round(value / 10 if value < 10 else value / 100, 10) for value in values]
        shares = tenths + [round(1 - share, 10) for share in tenths if rest[0] == "折"]
        yield from (Reading(value, "other") for value in values)
        yield from (Reading(share, "share") for share in shares)
    elif unit := _UNIT_AFTER.match(rest):
        word = (unit["en"] or _ZH_DURATION[unit["zh"]]).lower()
        # "3 a week" is a rate, "3 weeks" a duration; both read alike from here.
        rate = re.match(r"\s+an?\s", unit[0], re.IGNORECASE) is not None
        yield from (Reading(value, "" if rate else "other") for value in values)
        yield from _durations(values, _SHORT.get(word, word), in_date)
    else:
        measure = "other" if in_date else _measure(match, before, rest)
        yield from (Reading(value, measure) for value in values)


def _measure(match: re.Match[str], before: str, rest: str) -> Measure | Literal["", "other"]:
    digits = match["digits"] is not None
    if match["money"] or _MONEY_BEFORE.search(before) or _MONEY_AFTER.match(rest):
        return "money"
    if digits and (_GLUED_BEFORE.search(before) or (not match["scale"] and _GLUED_AFTER.match(rest))):
        return "other"
    if _SIZE_AFTER.match(rest):
        return "other"
    return "count" if _COUNTED_AFTER.match(rest) else ""


def _called(before: str, rest: str) -> Literal["", "cost", "price"]:
    """What a number is called by the words of its clause before it, else by those right after it.

    A clause that names both ("price and cost are 25 and 9") calls it neither.
    """
    clause = _CLAUSE_ENDS.split(before)[-1]
    if _COST.search(clause) and _PRICE.search(_COST.sub("", clause)) and _AND.search(clause):
        return ""
    clause = _AND.split(clause)[-1]
    cost, price = (max((m.end() for m in words.finditer(clause)), default=0) for words in (_COST, _PRICE))
    if cost or price:
        return "cost" if cost >= price else "price"
    after = _CALLED_AFTER.match(rest)
    rest = rest[after.end() :] if after else rest
    match = _COST.match(rest) or _PRICE.match(rest)
    if match is None or _OF_THE_NEXT.match(rest, match.end()):
        return ""
    return "cost" if match.re is _COST else "price"


def numbers_for(measure: Measure, readings: Iterable[Reading]) -> list[float]:
    """The numbers that may stand for a measure: those said of it, and those that do not say what they are of.

    Cost and price are money: what is called the one cannot be the other. A share that is said without a sign ("a
    service level of 95") is per hundred.
    """
    found = []
    for value, of, called in readings:
        if measure in ("cost", "price"):
            if of in ("money", "") and called in (measure, ""):
                found.append(value)
        elif not of and measure == "share" and 1 < value <= 100:
            found.append(round(value / 100, 10))
        elif of in (measure, "") and abs(value) <= _MOST.get(measure, math.inf):
            found.append(value)
    return list(dict.fromkeys(found))


def _readings(match: re.Match[str]) -> list[float]:
    """The numbers that one run of digits or words may stand for."""
    if match["single"]:
        return [1.0]
    if match["money"]:
        whole, tenths = (from_digits(part) or from_chinese(part) or 0.0 for part in match["money"].split("块"))
        return [round(whole + tenths / 10, 1)]
    said = match[0]
    words = re.sub(r"^an?\s+(?!dozen|hundred|thousand|grand|million)", "", said.lower()).replace(" of a ", " ")
    values = [from_words(words), from_chinese(said)]
    if match["digits"]:
        values = [from_digits(said.lower().replace(" ", ""))]
        if re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", match["digits"]):
            values += [float(match["digits"].replace(",", ".")), float(re.sub("[.,]", "", match["digits"]))]
        values += [float(part) for part in re.findall(r"\d+", match["digits"])] if values == [None] else []
    return list(dict.fromkeys(value for value in values if value is not None))


def _durations(counts: Sequence[float], unit: str, in_date: bool) -> Iterator[Reading]:
    """Days, weeks and months of a duration; of what is really a date ("3月") none is a measure."""
    days, weeks, months = _DURATIONS[unit]
    for count in counts:
        yield Reading(float(round(count * days)), "other" if in_date else "days")
        if unit == "day" and count % 7 == 0:
            yield Reading(count / 7, "other" if in_date else "weeks")
        if weeks:
            yield Reading(float(round(count * weeks)), "other" if in_date else "weeks")
            yield Reading(float(round(count * days / 7)), "other" if in_date else "weeks")
        if months:
            yield Reading(float(round(count * months)), "other")
