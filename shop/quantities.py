"""A number as people write it, in English and Chinese: "two hundred", "24,90 €", "15%", "三万块"."""

from __future__ import annotations

import re

from shop.errors import ToolError

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {word: float(n) for n, word in enumerate(_ONES)} | {word: 10.0 * n for n, word in enumerate(_TENS, start=2)}
_WORDS |= {"a": 1.0, "an": 1.0, "couple": 2.0, "half": 0.5}
_SCALES = {"dozen": 12.0, "hundred": 100.0, "thousand": 1e3, "grand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6}
# Those that are a number by themselves, wherever they stand: "a" and "k" are one only beside another.
NUMBER_WORDS = _WORDS.keys() - {"a", "an"} | _SCALES.keys() - {"k", "m"}
_ZH_DIGITS = {char: n for n, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2, "半": 0.5}
_ZH_UNITS = {"十": 10, "百": 100, "千": 1_000}
_ZH_SCALES = {"万": 1e4, "亿": 1e8}
_CURRENCY = re.compile(
    r"[$€£¥￥]|\b(?:us|r)\$|\b(?:usd|eur|gbp|cny|rmb|brl|jpy|dollars?|euros?|pounds?|yuan|bucks)\b|块钱|块|元|美元|欧元|英镑",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"([+-]?)([\d.,' ]*\d)\s*(k|thousand|grand|m|million|dozen|hundred|[十百千万亿])?")


def parse_number(text: str) -> float:
    """The number in a text that is a number: digits or words, with a currency or a percent sign.

    A comma or point before exactly three digits separates thousands if it is a comma or stands more than once; else it
    is the decimal mark ("1,200" is 1200, "24,90" and "24.90" are 24.9). A percentage becomes a fraction.

    Raises:
        ToolError: The text is not one number.
    """
    plain = _CURRENCY.sub(" ", text.strip().lower().replace("−", "-"))
    share = bool(re.search(r"%|％|\bper ?cent\b|百分之", plain))
    plain = re.sub(r"%|％|\bper ?cent\b|百分之", " ", plain).strip()
    value = from_digits(plain)
    if value is None:
        value = from_words(plain)
    if value is None:
        value = from_chinese(plain)
    if value is None:
        raise ToolError(f"“{text}” is not a number; write it like 1200, 24.90, 15% or two hundred.")
    return value / 100 if share else value


def from_digits(text: str) -> float | None:
    """The number in "1,200", "24,90" or "3k"; None where the text is something else."""
    match = _DIGITS.fullmatch(text)
    if match is None:
        return None
    sign, digits, scale = match.groups()
    number = _plain_decimal(re.sub(r"[ ']", "", digits))
    if number is None:
        return None
    factor = {**_SCALES, **_ZH_UNITS, **_ZH_SCALES}[scale] if scale else 1.0
    return float(sign + number) * factor


def _plain_decimal(digits: str) -> str | None:
    """Digits with a point as decimal mark and no thousands separators, or None where they make no number."""
    marks = re.findall(r"[.,]", digits)
    if not marks:
        return digits
    last = marks[-1]
    groups = re.split(r"[.,]", digits)
    is_thousands = all(len(group) == 3 for group in groups[1:]) and 1 <= len(groups[0]) <= 3
    if len(set(marks)) == 1 and is_thousands and (last == "," or len(marks) > 1):
        return "".join(groups)
    if last in marks[:-1] or any(len(group) != 3 for group in groups[1:-1]):
        return None
    return "".join(groups[:-1]) + "." + groups[-1]


def from_words(text: str) -> float | None:
    """The number in "two hundred and five"; None where the text is something else."""
    text = re.sub(r"\band a half\b|\bhalf an?\b", "half", text)
    words = [word for word in re.split(r"[\s-]+", text) if word not in ("and", "of", "")]
    if not words:
        return None
    total = current = 0.0
    for word in words:
        if word in _WORDS:
            current += _WORDS[word]
        elif word not in _SCALES:
            return None
        elif _SCALES[word] >= 1e3:
            total, current = total + (current or 1.0) * _SCALES[word], 0.0
        else:
            current = (current or 1.0) * _SCALES[word]
    return total + current


def from_chinese(text: str) -> float | None:
    """The number in "三万五千"; None where the text is something else."""
    total = section = digit = 0.0
    if not text:
        return None
    for char in text:
        if char in _ZH_DIGITS:
            digit = digit + 0.5 if char == "半" else float(_ZH_DIGITS[char])
        elif char in _ZH_UNITS:
            section, digit = section + (digit or 1.0) * _ZH_UNITS[char], 0.0
        elif char in _ZH_SCALES:
            total, section, digit = total + (section + digit or 1.0) * _ZH_SCALES[char], 0.0, 0.0
        elif char not in "个多":
            return None
    return total + section + digit
