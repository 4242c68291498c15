"""Whole numbers in words, English and Chinese."""

from __future__ import annotations

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
ZH_DIGITS = "零一二三四五六七八九"


def en_words(value: int) -> str:
    """A whole number below a million in English words."""
    if value < 20:
        return _ONES[value]
    if value < 100:
        return _TENS[value // 10] + (f"-{_ONES[value % 10]}" if value % 10 else "")
    if value < 1000:
        rest = value % 100
        return f"{_ONES[value // 100]} hundred" + (f" and {en_words(rest)}" if rest else "")
    rest = value % 1000
    return f"{en_words(value // 1000)} thousand" + (f" {en_words(rest)}" if rest else "")


def zh_words(value: int, measured: bool = False) -> str:
    """A whole number in Chinese words; before a measure word two is 两."""
    if value == 2 and measured:
        return "两"
    if value < 10:
        return ZH_DIGITS[value]
    if value < 20:
        return "十" + (ZH_DIGITS[value % 10] if value % 10 else "")
    for unit, size in (("万", 10_000), ("千", 1000), ("百", 100), ("十", 10)):
        if value >= size:
            high, rest = divmod(value, size)
            gap = "零" if rest and rest < size // 10 else ""
            tail = "一" + zh_words(rest) if 10 <= rest < 20 and not gap else zh_words(rest)
            return zh_words(high, measured=size > 10) + unit + gap + (tail if rest else "")
    raise AssertionError(value)
