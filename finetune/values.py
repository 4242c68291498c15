"""Names, ids, addresses and other words that a call copies, as people write them, in English and Chinese."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from finetune.phrasing import Lang, Part, held_back, phrases

_ENTITIES = ("brand", "noun", "category", "first_name", "surname", "given_name", "feature", "quality")
_UPPER, _DIGITS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "0123456789"
_MODIFIERS = (
    "with a lid", "with pockets", "with USB-C", "with a timer", "for kids", "for travel", "for small kitchens",
    "for camping", "for beginners", "for two", "under $50", "under 30 dollars", "in black", "in white",
)  # fmt: skip
_ZH_MODIFIERS = ("适合送礼的", "适合小户型的", "适合学生的", "露营用的", "通勤用的", "一百元以下的", "300元以内的")


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
        """An article number, as shops make them up."""
        a, d = self._letters, self._digits
        forms = (f"SKU-{d(4)}", f"{a(2)}-{d(3)}", f"{a(3)}-{d(3)}", f"{a(2)}{d(5)}", f"{d(5)}{a(1)}", f"P{d(4)}",
                 f"{a(3)}{d(3)}", f"{a(2)}-{d(3)}-{a(3)}", f"B0{a(1)}{d(1)}{a(2)}{d(1)}{a(1)}{d(2)}", f"P-{d(5)}",
                 f"{a(1)}{d(2)}-{d(4)}", d(5), f"item-{d(3)}", f"{a(4)}_{d(2)}")  # fmt: skip
        return self.rng.choice(forms)

    def draft(self) -> str:
        """The id of a planned product."""
        return self.rng.choice(("D-{:04d}", "D-{:04d}", "d-{:04d}")).format(self.rng.randint(1, 400))

    def product(self, lang: Lang, kind: str = "any") -> str:
        """What a user calls a product: `any`, one on sale (`hist`) or a planned one (`launch`)."""
        chance = self.rng.random()
        drafts = {"launch": 0.3, "any": 0.1, "hist": 0.0}[kind]
        ids = {"launch": 0.04, "any": 0.16, "hist": 0.22}[kind]
        if chance < drafts:
            return self.draft()
        if chance < drafts + ids:
            return self.sku()
        return self.real("draft" if kind == "launch" else "product") or self.name(lang)

    def category(self, lang: Lang) -> str:
        """A category as people call it."""
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
        """A person's full name."""
        if lang == "zh" and self.rng.random() < 0.85:
            return self.word("zh", "surname") + self.word("zh", "given_name")
        return f"{self.word('en', 'first_name')} {self.word('en', 'last_name')}"

    def customer(self, lang: Lang) -> str:
        """What a manager calls a customer: an id or a name."""
        a, d = self.word("en", "first_name").lower(), self._digits
        ids = (f"C-{d(4)}", f"C{d(5)}", f"CUST-{d(4)}", d(5), f"cust_{d(3)}", f"U{d(4)}", f"{a}_{d(4)}")
        known = self.real("customer")
        return known or (self.rng.choice(ids) if self.rng.random() < 0.35 else self.person(lang))

    def order(self) -> str:
        """An order number, as shops make them up."""
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
        """What a shopper calls a means of payment."""
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
