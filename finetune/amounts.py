"""Money, counts, durations, shares and dates as people write them, in English and Chinese.

An amount has a surface, which stands in the sentence, and the number that the call says. Which of them the decoding
grammar could not reach is not decided here: `examples.fault` drops those rows.
"""

from __future__ import annotations

import random

from finetune.numerals import ZH_DIGITS, en_words, zh_words
from finetune.phrasing import Lang

Amount = tuple[str, float]  # surface, and what the call says
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def money(rng: random.Random, lang: Lang, big: bool = False) -> Amount:
    """An amount: small for a price, big for a budget."""
    if big:
        amount: float = rng.choice((rng.randint(1, 20) * 500, rng.randint(1, 60) * 1000, rng.randint(2, 95) * 100))
    else:
        amount = rng.choice((
            rng.randint(3, 199), rng.randint(3, 120) + rng.choice((0.99, 0.9, 0.5, 0.49, 0.25)),
            rng.randint(300, 9999) / 100, rng.randint(1, 40) * 5,
        ))  # fmt: skip
    amount = _plain(amount)
    return rng.choice(_zh_money(amount) if lang == "zh" else _en_money(amount, rng)), amount


def count(rng: random.Random, lang: Lang, low: int, high: int, step: int = 1) -> Amount:
    """A whole number from `low` to `high`, in digits or words."""
    value = rng.randrange(low, high + 1, step)
    if lang == "zh":
        return (zh_words(value, measured=True) if rng.random() < 0.35 else str(value)), value
    spoken = value <= 40 or value % 100 == 0
    forms = (str(value), f"{value:,}", *((en_words(value),) if spoken else ()))
    return rng.choice(forms), value


def size(rng: random.Random, lang: Lang) -> Amount:
    """A number of people or pieces."""
    return count(rng, lang, *rng.choice(((10, 100, 5), (100, 2000, 50), (200, 9000, 100), (20, 900, 1))))


def weeks(rng: random.Random, lang: Lang) -> Amount:
    """A duration, in weeks."""
    if rng.random() < 0.14:
        zh = (("一个季度", 13), ("半年", 26), ("一年", 52), ("一个月", 4), ("两个月", 8), ("一周", 1))
        en = (("a quarter", 13), ("half a year", 26), ("a year", 52), ("a month", 4), ("14 days", 2),
              ("a fortnight", 2), ("six months", 26), ("three months", 13), ("a week", 1))  # fmt: skip
        found: Amount = rng.choice(zh if lang == "zh" else en)
        return found
    surface, value = count(rng, lang, 2, rng.choice((12, 26, 52)))
    unit = rng.choice(("周", "个星期", "周")) if lang == "zh" else rng.choice((" weeks", " weeks", " wks"))
    return surface + unit, value


def weeks_window(rng: random.Random) -> Amount:
    """`twelve-week`, before a noun."""
    value = rng.choice((2, 3, 4, 6, 8, 10, 12, 16, 20, 26, 52))
    return (en_words(value) if rng.random() < 0.3 else str(value)) + "-week", value


def days(rng: random.Random, lang: Lang) -> Amount:
    """A duration, in days."""
    kind = rng.random()
    if kind < 0.45:
        surface, value = count(rng, lang, 2, 90)
        return surface + ("天" if lang == "zh" else " days"), value
    if kind < 0.85:
        surface, value = count(rng, lang, 2, 12)
        unit = rng.choice(("周", "个星期")) if lang == "zh" else rng.choice((" weeks", " weeks", " wks"))
        return surface + unit, value * 7
    zh = (("一个月", 30), ("两个月", 60), ("三个月", 90), ("一周", 7))
    en = (("a week", 7), ("a fortnight", 14), ("a month", 30), ("two months", 60), ("three months", 90),
          ("one week", 7), ("a couple of weeks", 14), ("10 days", 10))  # fmt: skip
    return rng.choice(zh if lang == "zh" else en)


def share(rng: random.Random, lang: Lang, low: int, high: int) -> Amount:
    """A share from `low` to `high` per cent; the call says it as a fraction."""
    percent = _plain(rng.choice((rng.randint(low, high), rng.randint(low, high), rng.randint(low, high - 1) + 0.5)))
    fraction = round(percent / 100, 4)
    if lang == "zh":
        forms = [f"{percent}%", f"{percent}%", f"{fraction}"]
        forms += [f"百分之{zh_words(int(percent))}"] if percent == int(percent) else []
        forms += [f"{ZH_DIGITS[int(percent) // 10]}成"] if percent % 10 == 0 else []
    else:
        forms = [f"{percent}%", f"{percent}%", f"{percent} percent", f"{fraction}", f"{percent} per cent"]
        forms += [en_words(int(percent)) + " percent"] if percent == int(percent) else []
    return rng.choice(forms), fraction


def date(rng: random.Random, lang: Lang) -> tuple[str, str]:
    """The preposition that goes before a date, and the date as said."""
    month, day, year = rng.randint(1, 12), rng.randint(1, 28), rng.choice((2026, 2027, 2027, 2028))
    iso, name = f"{year}-{month:02d}-{day:02d}", _MONTHS[month - 1]
    if lang == "zh":
        m = rng.choice((str(month), zh_words(month)))
        forms = (
            iso, f"{month}月{day}日", f"{month}月{day}号", f"{year}年{month}月{day}日", f"{m}月初", f"{m}月中旬",
            f"{m}月底", f"{m}月", f"下周{rng.choice('一二三四五六日')}", f"明年{m}月", "下个月", "下个月初",
            "月底", "下周", "明天", f"本周{rng.choice('三四五六')}", f"{zh_words(month)}月{zh_words(day)}号",
        )  # fmt: skip
        return "", rng.choice(forms)
    short = rng.choice((name, name[:3]))
    suffix = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    forms_en = (
        ("on", iso), ("on", iso), ("on", f"{day} {short}"), ("on", f"{name} {day}"),
        ("on", f"{name} {day}{suffix}"),
        ("on", f"{day}{suffix} of {name}"), ("on", f"{short} {day}, {year}"), ("on", f"{day} {name} {year}"),
        ("in", f"early {name}"), ("in", f"late {name}"), ("in", f"mid-{name}"), ("in", f"mid {name}"),
        ("", f"next {rng.choice(_DAYS)}"), ("", f"this {rng.choice(_DAYS)}"), ("in", f"the first week of {name}"),
        ("at", f"the end of {name}"), ("at", f"the beginning of {name}"), ("", "next week"), ("", "next month"),
        ("", "tomorrow"), ("in", f"{name} {year}"), ("in", name), ("", f"{rng.choice('346')} weeks from now"),
        ("in", f"{rng.choice(('spring', 'summer', 'autumn', 'winter'))} {year}"),
        ("in", f"Q{rng.randint(1, 4)} {year}"),
    )  # fmt: skip
    return rng.choice(forms_en)


def _plain(value: float) -> float:
    """The value without a fraction where it has none, so that it prints as "3", not as "3.0"."""
    value = round(value, 4)
    return int(value) if value == int(value) else value


def _zh_money(amount: float) -> list[str]:
    forms = [f"{amount}元", f"{amount}块", f"¥{amount}", f"{amount}", f"{amount}块钱", f"{amount:,}元"]
    if amount == int(amount):
        words = zh_words(int(amount))
        forms += [words + "元", words + "块", words + "块钱"]
        if amount >= 10_000 and amount % 1000 == 0:
            forms += [f"{_plain(amount / 10_000)}万", f"{_plain(amount / 10_000)}万元"] * 2
        if amount >= 1000 and amount % 1000 == 0:
            forms += [words] * 2
    return forms


def _en_money(amount: float, rng: random.Random) -> list[str]:
    sign, code = rng.choice("$$$€£"), rng.choice(("USD", "EUR", "GBP", "dollars", "euros", "pounds", "bucks"))
    forms = [f"{sign}{amount:,}", f"{sign}{amount:.2f}", f"{amount:,}", f"{amount} {code}", f"{sign}{amount}"]
    forms += [f"{amount:.2f}".replace(".", ",") + " €"] if amount < 1000 else []
    if amount == int(amount):
        words = en_words(int(amount))
        forms += [words, f"{words} dollars"] if amount <= 120 or amount % 100 == 0 else []
        if amount >= 1000 and amount % 100 == 0:
            thousands = _plain(amount / 1000)
            forms += [f"{thousands}k", f"{sign}{thousands}k", f"{thousands} thousand"]
    return forms
