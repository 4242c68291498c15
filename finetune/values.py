"""Values as people write them: names, ids, money, dates, durations, shares and counts, in English and Chinese.

A value has a surface, which stands in the sentence, and what the call says: the surface itself, or a number. Which of
them the decoding grammar could not reach is not decided here: `examples.check` drops those rows.
"""

from __future__ import annotations

import hashlib
import random
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

Lang = Literal["en", "zh"]
Part = Literal["train", "dev"]
Value = tuple[str, Any]  # surface, and what the call says
PHRASES = Path(__file__).with_name("phrases")
HELD_BACK = 0.1  # share of entities and phrase families that only the development set sees
_ENTITIES = ("brand", "noun", "category", "first_name", "surname", "given_name", "feature", "quality")
_UPPER, _DIGITS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "0123456789"
_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_ZH = "零一二三四五六七八九"
_MODIFIERS = (
    "with a lid", "with pockets", "with USB-C", "with a timer", "for kids", "for travel", "for small kitchens",
    "for camping", "for beginners", "for two", "under $50", "under 30 dollars", "in black", "in white",
)  # fmt: skip
_ZH_MODIFIERS = ("适合送礼的", "适合小户型的", "适合学生的", "露营用的", "通勤用的", "一百元以下的", "300元以内的")


@cache
def phrases(name: str) -> dict[str, Any]:
    """One of the phrase files."""
    return tomllib.loads((PHRASES / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def families(role: str, kind: str, lang: str) -> Any:
    """Ways to say something: a list of `declines` or `chats`; `openings` by tool, `asks` by `tool.argument`."""
    parts = [phrases(role)[kind][lang], phrases(f"more_{lang}").get(role, {}).get(kind)]
    if role == "manager" and kind == "openings":
        parts.append(phrases("manager_more")[kind][lang])
    if kind in ("declines", "chats"):
        return [family for part in parts for family in part or ()]
    names = dict.fromkeys(name for part in parts for name in part or ())
    return {name: [family for part in parts for family in (part or {}).get(name, ())] for name in names}


def held_back(key: str) -> bool:
    """Whether a phrase family or an entity is only seen in the development set: decided by its text, so for good."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32 < HELD_BACK


class Values:
    """Draws values of a part of the data in a language.

    Args:
        rng: Where chance comes from.
        part: `dev` draws names, categories and people that `train` never sees.
        real: Names and ids that a real shop knows, by kind; they are drawn beside the invented ones.
    """

    def __init__(self, rng: random.Random, part: Part, real: Mapping[str, list[str]] | None = None) -> None:
        self.rng = rng
        self._part = part
        self._real = real or {}
        self._words: dict[tuple[str, str], list[str]] = {}

    def word(self, lang: Lang, kind: str) -> str:
        """A word of the vocabulary."""
        known = self._words.setdefault((lang, kind), self._allowed(lang, kind))
        return self.rng.choice(known)

    def _allowed(self, lang: Lang, kind: str) -> list[str]:
        every: list[str] = phrases("words")[lang][kind]
        if kind not in _ENTITIES:
            return every
        return [word for word in every if held_back(f"{kind}:{word}") == (self._part == "dev")] or every

    def real(self, kind: str) -> str | None:
        """A name or id of the shop, sometimes; None where one is to be invented."""
        known = self._real.get(kind)
        return self.rng.choice(known) if known and self.rng.random() < 0.3 else None

    # Products

    def name(self, lang: Lang) -> str:
        """A product's name."""
        if lang == "zh" and self.rng.random() > 0.2:
            return self._zh_name()
        word: Callable[[str], str] = lambda kind: self.word("en", kind)  # noqa: E731
        brand, noun, quality, material = word("brand"), word("noun"), word("quality"), word("material")
        forms = [
            f"{brand} {noun}", f"{brand} {noun}", f"{brand} {noun}", f"{quality} {noun}", f"{material} {noun}",
            f"{quality} {material} {noun}", f"{brand} {quality} {noun}", f"{brand} {material} {noun}",
            f"{brand} {noun} {word('suffix')}", f"{brand} {word('suffix')}", f"{brand} {noun} {word('size')}",
            f"{quality} {noun} {word('size')}", f"{noun} for {self.rng.choice(('kids', 'travel', 'two', 'cats'))}",
        ]  # fmt: skip
        found = self.rng.choice(forms)
        case = self.rng.random()
        return found.title().replace("'S", "'s") if case < 0.1 else found.lower() if case < 0.2 else found

    def _zh_name(self) -> str:
        word: Callable[[str], str] = lambda kind: self.word("zh", kind)  # noqa: E731
        brand, quality, material, noun = word("brand"), word("quality"), word("material"), word("noun")
        forms = (brand + noun, brand + noun, quality + noun, material + noun, quality + material + noun,
                 brand + quality + noun, brand + noun + word("size"), quality + noun)  # fmt: skip
        return self.rng.choice(forms)

    def sku(self) -> str:
        a, d = self._letters, self._digits
        forms = (f"SKU-{d(4)}", f"{a(2)}-{d(3)}", f"{a(3)}-{d(3)}", f"{a(2)}{d(5)}", f"{d(5)}{a(1)}", f"P{d(4)}",
                 f"{a(3)}{d(3)}", f"{a(2)}-{d(3)}-{a(3)}", f"B0{a(1)}{d(1)}{a(2)}{d(1)}{a(1)}{d(2)}", f"P-{d(5)}",
                 f"{a(1)}{d(2)}-{d(4)}", d(5), f"item-{d(3)}", f"{a(4)}_{d(2)}")  # fmt: skip
        return self.rng.choice(forms)

    def draft(self) -> str:
        return self.rng.choice(("D-{:04d}", "D-{:04d}", "d-{:04d}")).format(self.rng.randint(1, 400))

    def product(self, lang: Lang, kind: str = "any") -> str:
        """What a user calls a product: `any`, `hist` (on sale), `launch` (planned), or `new` (a name)."""
        chance = self.rng.random()
        drafts = {"launch": 0.3, "any": 0.1, "hist": 0.0, "new": 0.0}[kind]
        ids = {"launch": 0.04, "any": 0.16, "hist": 0.22, "new": 0.0}[kind]
        if chance < drafts:
            return self.draft()
        if chance < drafts + ids:
            return self.sku()
        known = self.real("draft" if kind == "launch" else "product") if kind != "new" else None
        return known or self.name(lang)

    def category(self, lang: Lang) -> str:
        found = self.real("category") if lang == "en" else None
        found = found or self.word(lang, "category")
        return found.title() if lang == "en" and self.rng.random() < 0.12 else found

    def query(self, lang: Lang) -> str:
        """What someone looks for in a catalogue."""
        noun, quality = self.word(lang, "noun"), self.word(lang, "quality")
        if lang == "zh":
            forms = (noun, quality + noun, self.word("zh", "material") + noun, quality + "的" + noun,
                     self.rng.choice(_ZH_MODIFIERS) + noun)  # fmt: skip
            return self.rng.choice(forms)
        many, material = plural(noun), self.word("en", "material")
        forms = (many, f"{quality} {many}", f"{material} {many}", f"{many} {self.rng.choice(_MODIFIERS)}",
                 f"{quality} {material} {many}")  # fmt: skip
        return self.rng.choice(forms)

    # People and orders

    def person(self, lang: Lang) -> str:
        if lang == "zh" and self.rng.random() < 0.85:
            return self.word("zh", "surname") + self.word("zh", "given_name")
        return f"{self.word('en', 'first_name')} {self.word('en', 'last_name')}"

    def customer(self, lang: Lang) -> str:
        a, d = self.word("en", "first_name").lower(), self._digits
        ids = (f"C-{d(4)}", f"C{d(5)}", f"CUST-{d(4)}", d(5), f"cust_{d(3)}", f"U{d(4)}", f"{a}_{d(4)}")
        known = self.real("customer")
        return known or (self.rng.choice(ids) if self.rng.random() < 0.35 else self.person(lang))

    def order(self) -> str:
        a, d = self._letters, self._digits
        forms = (f"#W{d(7)}", f"W{d(7)}", f"#W{d(7)}", d(6), f"#{d(4)}", f"#{d(5)}", f"ORD-2026-{d(4)}", f"SO-{d(5)}",
                 f"{d(3)}-{d(7)}-{d(7)}", f"A{d(6)}", f"{a(2)}{d(6)}", f"ORD{d(5)}", d(8), f"O-{d(5)}")  # fmt: skip
        return self.real("order") or self.rng.choice(forms)

    def email(self) -> str:
        first, last = self.word("en", "first_name").lower(), self.word("en", "last_name").lower().replace("'", "")
        local = self.rng.choice((f"{first}.{last}", f"{first}{last}{self._digits(2)}", f"{first[0]}{last}"))
        return local + "@" + self.rng.choice(("example.com", "gmail.com", "outlook.com", "qq.com", "163.com"))

    def address(self, lang: Lang) -> str:
        number = self.rng.randint(1, 999)
        if lang == "zh":
            city = self.rng.choice(("北京市海淀区", "上海市浦东新区", "广州市天河区", "杭州市西湖区", "成都市武侯区"))
            street = self.rng.choice(("中关村大街", "人民路", "解放路", "文三路", "天府大道", "世纪大道"))
            return f"{city}{street}{number}号" + self.rng.choice(("", f"{self.rng.randint(1, 30)}楼"))
        street = self.word("en", "street") + self.rng.choice((" Street", " St", " Avenue", " Road", " Lane", " Drive"))
        flat = self.rng.choice(("", "", f", Apt {self.rng.randint(1, 40)}", f", Suite {self.rng.randint(100, 900)}"))
        return f"{number} {street}{flat}, {self.word('en', 'city')}"

    def payment(self, lang: Lang) -> str:
        d = self._digits
        if lang == "zh":
            zh = (
                "支付宝",
                "微信支付",
                "信用卡",
                "礼品卡",
                "银行卡",
                f"尾号{d(4)}的信用卡",
                f"gift_card_{d(7)}",
                "余额",
            )
            return self.rng.choice(zh)
        en = (f"Visa ending in {d(4)}", f"the card ending {d(4)}", f"gift_card_{d(7)}", f"credit_card_{d(7)}")
        return str(self.rng.choice((*en, *phrases("words")["en"]["payment"])))

    def zip(self, lang: Lang) -> str:
        return self._digits(6) if lang == "zh" else self.rng.choice((self._digits(5), self._digits(5), "M1 1AE"))

    # Numbers

    def money(self, lang: Lang, big: bool = False) -> Value:
        """An amount: small for a price, big for a budget."""
        r = self.rng
        if big:
            amount: float = r.choice((r.randint(1, 20) * 500, r.randint(1, 60) * 1000, r.randint(2, 95) * 100))
        else:
            amount = r.choice((r.randint(3, 199), r.randint(3, 120) + r.choice((0.99, 0.9, 0.5, 0.49, 0.25)),
                               r.randint(300, 9999) / 100, r.randint(1, 40) * 5))  # fmt: skip
        amount = _plain(amount)
        return r.choice(_zh_money(amount) if lang == "zh" else _en_money(amount, r)), amount

    def count(self, lang: Lang, low: int, high: int, step: int = 1) -> Value:
        value = self.rng.randrange(low, high + 1, step)
        if lang == "zh":
            return (zh_words(value, measured=True) if self.rng.random() < 0.35 else str(value)), value
        spoken = value <= 40 or value % 100 == 0
        forms = (str(value), f"{value:,}", *((en_words(value),) if spoken else ()))
        return self.rng.choice(forms), value

    def size(self, lang: Lang) -> Value:
        """A number of people or pieces."""
        return self.count(lang, *self.rng.choice(((10, 100, 5), (100, 2000, 50), (200, 9000, 100), (20, 900, 1))))

    def weeks(self, lang: Lang) -> Value:
        if self.rng.random() < 0.14:
            zh = (("一个季度", 13), ("半年", 26), ("一年", 52), ("一个月", 4), ("两个月", 8), ("一周", 1))
            en = (("a quarter", 13), ("half a year", 26), ("a year", 52), ("a month", 4), ("14 days", 2),
                  ("a fortnight", 2), ("six months", 26), ("three months", 13), ("a week", 1))  # fmt: skip
            found: Value = self.rng.choice(zh if lang == "zh" else en)
            return found
        surface, value = self.count(lang, 2, self.rng.choice((12, 26, 52)))
        unit = (
            self.rng.choice(("周", "个星期", "周")) if lang == "zh" else self.rng.choice((" weeks", " weeks", " wks"))
        )
        return surface + unit, value

    def weeks_window(self) -> Value:
        """`twelve-week`, before a noun."""
        value = self.rng.choice((2, 3, 4, 6, 8, 10, 12, 16, 20, 26, 52))
        return (en_words(value) if self.rng.random() < 0.3 else str(value)) + "-week", value

    def days(self, lang: Lang) -> Value:
        kind = self.rng.random()
        if kind < 0.45:
            surface, value = self.count(lang, 2, 90)
            return surface + ("天" if lang == "zh" else " days"), value
        if kind < 0.85:
            surface, value = self.count(lang, 2, 12)
            unit = self.rng.choice(("周", "个星期")) if lang == "zh" else self.rng.choice((" weeks", " weeks", " wks"))
            return surface + unit, value * 7
        zh = (("一个月", 30), ("两个月", 60), ("三个月", 90), ("一周", 7))
        en = (("a week", 7), ("a fortnight", 14), ("a month", 30), ("two months", 60), ("three months", 90),
              ("one week", 7), ("a couple of weeks", 14), ("10 days", 10))  # fmt: skip
        return self.rng.choice(zh if lang == "zh" else en)

    def share(self, lang: Lang, low: int, high: int) -> Value:
        r = self.rng
        percent = _plain(r.choice((r.randint(low, high), r.randint(low, high), r.randint(low, high - 1) + 0.5)))
        fraction = round(percent / 100, 4)
        if lang == "zh":
            forms = [f"{percent}%", f"{percent}%", f"{fraction}"]
            forms += [f"百分之{zh_words(int(percent))}"] if percent == int(percent) else []
            forms += [f"{_ZH[int(percent) // 10]}成"] if percent % 10 == 0 else []
        else:
            forms = [f"{percent}%", f"{percent}%", f"{percent} percent", f"{fraction}", f"{percent} per cent"]
            forms += [en_words(int(percent)) + " percent"] if percent == int(percent) else []
        return r.choice(forms), fraction

    # Dates

    def date(self, lang: Lang) -> tuple[str, str]:
        """A date as said, and the preposition that goes before it."""
        r = self.rng
        month, day, year = r.randint(1, 12), r.randint(1, 28), r.choice((2026, 2027, 2027, 2028))
        iso, name = f"{year}-{month:02d}-{day:02d}", _MONTHS[month - 1]
        if lang == "zh":
            m = r.choice((str(month), zh_words(month)))
            forms = (
                iso, f"{month}月{day}日", f"{month}月{day}号", f"{year}年{month}月{day}日", f"{m}月初", f"{m}月中旬",
                f"{m}月底", f"{m}月", f"下周{r.choice('一二三四五六日')}", f"明年{m}月", "下个月", "下个月初",
                "月底", "下周", "明天", f"本周{r.choice('三四五六')}", f"{zh_words(month)}月{zh_words(day)}号",
            )  # fmt: skip
            return "", r.choice(forms)
        short = r.choice((name, name[:3]))
        suffix = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
        forms_en = (
            ("on", iso), ("on", iso), ("on", f"{day} {short}"), ("on", f"{name} {day}"),
            ("on", f"{name} {day}{suffix}"),
            ("on", f"{day}{suffix} of {name}"), ("on", f"{short} {day}, {year}"), ("on", f"{day} {name} {year}"),
            ("in", f"early {name}"), ("in", f"late {name}"), ("in", f"mid-{name}"), ("in", f"mid {name}"),
            ("", f"next {r.choice(_DAYS)}"), ("", f"this {r.choice(_DAYS)}"), ("in", f"the first week of {name}"),
            ("at", f"the end of {name}"), ("at", f"the beginning of {name}"), ("", "next week"), ("", "next month"),
            ("", "tomorrow"), ("in", f"{name} {year}"), ("in", name), ("", f"{r.choice('346')} weeks from now"),
            ("in", f"{r.choice(('spring', 'summer', 'autumn', 'winter'))} {year}"),
            ("in", f"Q{r.randint(1, 4)} {year}"),
        )  # fmt: skip
        return r.choice(forms_en)

    def _letters(self, count: int) -> str:
        return "".join(self.rng.choices(_UPPER, k=count))

    def _digits(self, count: int) -> str:
        return self.rng.choice(_DIGITS[1:]) + "".join(self.rng.choices(_DIGITS, k=count - 1))


def plural(noun: str) -> str:
    """`kettles` of `kettle`; what looks like a plural, or has none, stays."""
    if noun.endswith(("s", "soap", "cream", "perfume", "bunting", "balm", "sunscreen")):
        return noun
    if noun.endswith("y") and noun[-2] not in "aeou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("x", "ch", "sh")) else "s")


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
        return _ZH[value]
    if value < 20:
        return "十" + (_ZH[value % 10] if value % 10 else "")
    for unit, size in (("万", 10_000), ("千", 1000), ("百", 100), ("十", 10)):
        if value >= size:
            high, rest = divmod(value, size)
            gap = "零" if rest and rest < size // 10 else ""
            tail = "一" + zh_words(rest) if 10 <= rest < 20 and not gap else zh_words(rest)
            return zh_words(high, measured=size > 10) + unit + gap + (tail if rest else "")
    raise AssertionError(value)


def _plain(value: float) -> float:
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
            forms += [
                f"{_plain(amount / 1000)}k",
                f"{sign}{_plain(amount / 1000)}k",
                f"{_plain(amount / 1000)} thousand",
            ]
    return forms
