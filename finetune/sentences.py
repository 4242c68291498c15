"""Sentences from phrase families: an opening is filled with values, and what the words mean is kept beside it.

Values stand in the text as single private characters until the sentence is finished, so that typos, changed case and
dictation can never touch what a call has to copy.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from finetune.values import Lang, Part, Values, held_back, phrases

FIRST = 0xE000
_PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">"}
PERHAPS = 0.42
_CHANNELS = {
    "en": {
        "search": ("search", "Google", "paid search"), "social": ("social", "Instagram", "Facebook", "TikTok"),
        "display": ("display", "banners", "display ads"), "email": ("email", "newsletters"),
        "sms": ("SMS", "text messages"), "video": ("video", "YouTube"), "affiliate": ("affiliate", "affiliates"),
    },
    "zh": {
        "search": ("搜索", "搜索广告", "百度"), "social": ("小红书", "微博", "社交媒体", "朋友圈"),
        "display": ("展示广告", "横幅广告"), "email": ("邮件",), "sms": ("短信",), "video": ("视频", "短视频"),
        "affiliate": ("联盟", "联盟推广"),
    },
}  # fmt: skip


@dataclass
class Sentence:
    """A sentence in the making.

    `arguments` holds, by argument, ("copy", slot), ("list", slots) or ("value", what). `_` is an argument of no call.
    `spoken` holds where a value stands in the sentence, for tools that take it as a text.
    """

    lang: Lang
    role: str
    text: str = ""
    slots: list[str] = field(default_factory=list)
    arguments: dict[str, tuple[str, Any]] = field(default_factory=dict)
    spoken: dict[str, int] = field(default_factory=dict)

    def put(self, surface: str) -> str:
        """Keep a surface aside; returns the character that stands for it."""
        self.slots.append(surface)
        return chr(FIRST + len(self.slots) - 1)

    def copied(self, argument: str, surface: str) -> str:
        """A value that the call copies."""
        mark = self.put(surface)
        if argument != "_":
            self.arguments[argument] = ("copy", ord(mark) - FIRST)
        return mark

    def meant(self, argument: str, surface: str, value: Any) -> str:
        """A value that the call says in another way."""
        mark = self.put(surface)
        if argument != "_":
            self.arguments[argument] = ("value", value)
            self.spoken[argument] = ord(mark) - FIRST
        return mark

    def listed(self, argument: str, surfaces: list[str]) -> str:
        """Several values that the call copies."""
        marks = [self.put(each) for each in surfaces]
        if argument != "_":
            self.arguments[argument] = ("list", [ord(mark) - FIRST for mark in marks])
        return joined(marks, self.lang)

    def shown(self, lowered: bool = False) -> str:
        """The sentence with its values in place."""
        return "".join(
            (self.slots[ord(c) - FIRST].lower() if lowered else self.slots[ord(c) - FIRST]) if is_mark(c) else c
            for c in self.text
        )

    def call(self, order: Sequence[str], lowered: bool = False, texts: Collection[str] = ()) -> dict[str, Any]:
        """The arguments of the call, in the order of the tool; those in `texts` as they were said."""
        said = [slot.lower() if lowered else slot for slot in self.slots]
        found: dict[str, Any] = {}
        for name in order:
            if name in texts and name in self.spoken:
                found[name] = said[self.spoken[name]]
            elif name in self.arguments:
                kind, what = self.arguments[name]
                found[name] = what if kind == "value" else said[what] if kind == "copy" else [said[n] for n in what]
        return found


def is_mark(char: str) -> bool:
    """Whether a character stands for a value."""
    return FIRST <= ord(char) < FIRST + 4000


def joined(parts: list[str], lang: Lang) -> str:
    """`a, b and c`."""
    if len(parts) == 1:
        return parts[0]
    return (
        "、".join(parts[:-1]) + ("和" if lang == "zh" else " and ").join(["", parts[-1]])
        if lang == "zh"
        else (", ".join(parts[:-1]) + " and " + parts[-1])
    )


class Writer:
    """Fills openings.

    Args:
        values: Where values come from.
        part: Which families may be used.
    """

    def __init__(self, values: Values, part: Part) -> None:
        self.values = values
        self.rng: random.Random = values.rng
        self.part = part
        self._shared = phrases("shared")

    def family(self, families: list[str], key: str) -> str | None:
        """One of the families of this part of the data, None where it has none."""
        own = [each for each in families if held_back(f"{key}:{each}") == (self.part == "dev")]
        return self.rng.choice(own) if own else None

    def write(self, family: str, lang: Lang, role: str) -> Sentence:
        """A sentence of a family."""
        sentence = Sentence(lang, role)
        sentence.text = tidy(self.expand(sentence, family), lang)
        return sentence

    def expand(self, sentence: Sentence, pattern: str) -> str:
        """The pattern with its choices taken and its slots filled."""
        out, place = "", 0
        while place < len(pattern):
            char = pattern[place]
            if char not in _PAIRS or pattern[place : place + 2] == "<-":
                out, place = out + char, place + 1
                continue
            end = _closing(pattern, place)
            out += self._part_of(sentence, char, pattern[place + 1 : end])
            place = end + 1
        return out

    def _part_of(self, sentence: Sentence, opened: str, body: str) -> str:
        if opened == "(":
            return self.expand(sentence, self.rng.choice(split(body)))
        if opened == "[":
            return self.expand(sentence, body) if self.rng.random() < PERHAPS else ""
        if opened == "<":
            return self._macros(sentence, body)
        if body.startswith("!"):
            name, value = body[1:].split("=", 1)
            sentence.arguments[name] = ("value", value)
            return ""
        name, _, kind = body.partition(":")
        return self._slot(sentence, name, kind or name)

    def _macros(self, sentence: Sentence, body: str) -> str:
        if body[0] not in "?+":
            return self._macro(sentence, body)
        names = body[1:].split(",")
        chosen = self.rng.sample(names, self.rng.randint(0 if body[0] == "?" else 1, min(3, len(names))))
        comma = "，" if sentence.lang == "zh" else self.rng.choice((", ", ", ", "; "))
        parts = [self._macro(sentence, name) for name in chosen]
        return "".join(comma + part for part in parts) if body[0] == "?" else comma.join(parts)

    def _macro(self, sentence: Sentence, name: str) -> str:
        return self.expand(sentence, self.rng.choice(self._shared["macros"][sentence.lang][name]))

    def _slot(self, sentence: Sentence, name: str, kind: str) -> str:
        lang, values = sentence.lang, self.values
        if kind in ("any", "hist", "launch", "product"):
            return self._product(sentence, name, "any" if kind == "product" else kind)
        if kind in _NUMBERS:
            surface, value = _NUMBERS[kind](values, lang)
            return sentence.meant(name, surface, value)
        if kind in _TEXTS:
            return sentence.copied(name, _TEXTS[kind](values, lang, sentence.role))
        return getattr(self, f"_slot_{kind}")(sentence, name)  # type: ignore[no-any-return]

    def _product(self, sentence: Sentence, name: str, kind: str) -> str:
        surface = self.values.product(sentence.lang, kind)
        is_name = " " in surface and sentence.lang == "en"
        mark = sentence.copied(name, surface)
        if self.rng.random() < 0.05:
            mark = f"“{mark}”" if sentence.lang == "zh" else self.rng.choice(('"{}"', "'{}'", "“{}”")).format(mark)
        return (self.rng.choice(("the ", "the ", "our ")) if is_name and self.rng.random() < 0.35 else "") + mark

    def _slot_the_a(self, sentence: Sentence, name: str) -> str:
        surface = self.values.name(sentence.lang)
        return _article(surface, sentence.lang) + sentence.copied(name, surface)

    def _slot_desc_s(self, sentence: Sentence, name: str) -> str:
        return self._slot_the_a(sentence, name)

    def _slot_the_tone(self, sentence: Sentence, name: str) -> str:
        surface = self.values.word(sentence.lang, "tone")
        return _article(surface, sentence.lang) + sentence.copied(name, surface)

    def _slot_the_d(self, sentence: Sentence, name: str) -> str:
        return sentence.copied(name, description(self.values, sentence.lang))

    def _slot_products(self, sentence: Sentence, name: str) -> str:
        count = self.rng.choice((2, 2, 3, 3, 4))
        return sentence.listed(name, [self.values.product(sentence.lang, "launch") for _ in range(count)])

    def _slot_items(self, sentence: Sentence, name: str) -> str:
        words, lang = self.values, sentence.lang
        colour = self.rng.choice(
            ("黑色", "白色", "蓝色", "大码") if lang == "zh" else ("blue ", "black ", "white ", "small ")
        )
        forms = (words.name(lang), words.word(lang, "noun"), colour + words.word(lang, "noun"), words.sku())
        chosen = list(dict.fromkeys(self.rng.choices(forms, k=self.rng.choice((1, 1, 1, 1, 2)))))
        before = "" if lang == "zh" else self.rng.choice(("the ", "the ", "", "my " if name == "items" else "a "))
        return before + sentence.listed(name, chosen)

    def _slot_channels(self, sentence: Sentence, name: str) -> str:
        known = _CHANNELS[sentence.lang]
        chosen = self.rng.sample(list(known), self.rng.choice((1, 2, 2, 3)))
        marks = [sentence.put(self.rng.choice(known[each])) for each in chosen]
        sentence.arguments[name] = ("value", chosen)
        return joined(marks, sentence.lang)

    def _slot_ondate(self, sentence: Sentence, name: str) -> str:
        before, surface = self.values.date(sentence.lang)
        return (before + " " if before else "") + sentence.copied(name, surface)

    def _slot_custc(self, sentence: Sentence, name: str) -> str:
        surface = self.values.customer(sentence.lang)
        return ("customer " if sentence.lang == "en" and " " not in surface else "") + sentence.copied(name, surface)

    def _slot_custp(self, sentence: Sentence, name: str) -> str:
        return sentence.copied(name, self.values.person("en")) + "'s"

    def _slot_capr(self, sentence: Sentence, name: str) -> str:
        surface = reason(self.values, sentence.lang)
        return sentence.copied(name, surface[0].upper() + surface[1:])

    def _slot_wkn(self, sentence: Sentence, name: str) -> str:
        surface, value = self.values.count(sentence.lang, 2, 20)
        return sentence.meant(name, surface, value) + (" weeks" if sentence.lang == "en" else "周")


def description(values: Values, lang: Lang) -> str:
    """What a new product is."""
    if lang == "zh":
        purpose = values.rng.choice(("适合通勤的", "适合送礼的", "面向学生的", "可机洗的", "能续航一周的"))
        return f"一款{purpose}{values.word('zh', 'quality')}{values.word('zh', 'noun')}"
    purpose = values.rng.choice(("for commuters", "that folds flat", "made from recycled materials", "for gift buyers"))
    return f"an everyday {values.word('en', 'quality')} {values.word('en', 'noun')} {purpose}"


def reason(values: Values, lang: Lang) -> str:
    """Why a change is wanted."""
    return str(values.rng.choice(phrases("manager_more")["reasons"][lang]))


def policy_question(values: Values, lang: Lang, role: str) -> str:
    """A question that a policy answers."""
    words = phrases("manager_more")["policy_questions"]
    family = values.rng.choice(words[f"{role}_{lang}"])
    place = values.rng.choice(("Canada", "Germany", "Norway", "Mexico") if lang == "en" else ("新疆", "香港", "海外"))
    return str(family).replace("{c}", values.category(lang)).replace("{r}", place)


def policy_topic(values: Values, lang: Lang, role: str) -> str:
    """What a policy is about."""
    inner = ("supplier", "employee", "markdown", "sign-off", "influencer", "advertised", "审批", "营销", "供应商")
    while True:
        topic = values.word(lang, "policy_topic")
        if role == "manager" or not any(word in topic for word in inner):
            return topic


def summary(values: Values, lang: Lang) -> str:
    """What a person is to take care of."""
    family: str = values.rng.choice(phrases("manager_more")["summaries"][lang])
    return family.replace("{n}", values.word(lang, "noun")).replace("{o}", values.order())


_NUMBERS: dict[str, Callable[[Values, Lang], tuple[str, Any]]] = {
    "money": lambda v, lang: v.money(lang),
    "cost": lambda v, lang: v.money(lang),
    "price": lambda v, lang: v.money(lang),
    "budget": lambda v, lang: v.money(lang, big=True),
    "weeks": lambda v, lang: v.weeks(lang),
    "weeksadj": lambda v, lang: v.weeks_window() if lang == "en" else v.weeks(lang),
    "lead_time_days": lambda v, lang: v.days(lang),
    "margin": lambda v, lang: v.share(lang, 5, 75),
    "sl": lambda v, lang: v.share(lang, 80, 99),
    "small": lambda v, lang: v.count(lang, 2, 9),
    "two": lambda v, lang: v.count(lang, 2, 40),
    "limit": lambda v, lang: v.count(lang, 2, 30),
    "wk": lambda v, lang: v.count(lang, 1, 26),
    "size": lambda v, lang: v.size(lang),
    "units": lambda v, lang: v.size(lang),
    "year": lambda v, lang: (str(v.rng.randint(2012, 2024)), 0),
}
_TEXTS: dict[str, Callable[[Values, Lang, str], str]] = {
    "name": lambda v, lang, role: v.name(lang),
    "newname": lambda v, lang, role: v.name(lang),
    "draft": lambda v, lang, role: v.draft(),
    "category": lambda v, lang, role: v.category(lang),
    "date": lambda v, lang, role: v.date(lang)[1],
    "launch_date": lambda v, lang, role: v.date(lang)[1],
    "start": lambda v, lang, role: v.date(lang)[1],
    "description": lambda v, lang, role: description(v, lang),
    "query": lambda v, lang, role: v.query(lang),
    "desc": lambda v, lang, role: v.query(lang),
    "feat": lambda v, lang, role: v.word(lang, "feature"),
    "revw": lambda v, lang, role: v.word(lang, "review"),
    "polq": policy_question,
    "polt": policy_topic,
    "region": lambda v, lang, role: v.word(lang, "region"),
    "language": lambda v, lang, role: v.word(lang, "language"),
    "tone": lambda v, lang, role: v.word(lang, "tone"),
    "customer": lambda v, lang, role: v.customer(lang),
    "cust": lambda v, lang, role: v.customer(lang),
    "person": lambda v, lang, role: v.person(lang),
    "segment": lambda v, lang, role: v.word(lang, "segment"),
    "reason": lambda v, lang, role: reason(v, lang),
    "campaign": lambda v, lang, role: v.rng.choice(phrases("manager_more")["campaigns"][lang]),
    "order": lambda v, lang, role: v.order(),
    "payment": lambda v, lang, role: v.payment(lang),
    "address": lambda v, lang, role: v.address(lang),
    "email": lambda v, lang, role: v.email(),
    "zip": lambda v, lang, role: v.zip(lang),
    "summ": lambda v, lang, role: summary(v, lang),
    "summ:cap": lambda v, lang, role: (text := summary(v, lang))[0].upper() + text[1:],
    "ago": lambda v, lang, role: v.rng.choice(("yesterday", "last week", "on Monday", "a month ago")),
    "city": lambda v, lang, role: v.rng.choice(("Paris", "London", "Tokyo", "Berlin", "Toronto", "Oslo", "Seoul")),
    "zcity": lambda v, lang, role: v.rng.choice(("北京", "上海", "成都", "广州", "杭州", "西安")),
    "wd": lambda v, lang, role: v.rng.choice(("Monday", "Tuesday", "Wednesday", "Friday", "Sunday")),
    "zwd": lambda v, lang, role: v.rng.choice(("周一", "周三", "周五", "周末", "国庆", "新年")),
    "job": lambda v, lang, role: v.rng.choice(("intern", "category manager", "buyer", "merchandiser", "analyst")),
    "rel": lambda v, lang, role: v.rng.choice(("wife", "husband", "mum", "dad", "sister", "boss", "daughter")),
    "first": lambda v, lang, role: v.word("en", "first_name"),
}


def split(body: str) -> list[str]:
    """Alternatives of a choice."""
    parts, depth, current = [], 0, ""
    for char in body:
        depth += (char in "([{<") - (char in ")]}>")
        if char == "|" and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += char
    return [*parts, current]


def _closing(pattern: str, place: int) -> int:
    opened, closed, depth = pattern[place], _PAIRS[pattern[place]], 0
    for at in range(place, len(pattern)):
        if pattern[at] == opened:
            depth += 1
        elif pattern[at] == closed and pattern[at - 1] != "-":
            depth -= 1
            if depth == 0:
                return at
    raise ValueError(f"{opened} is not closed in {pattern!r}")


def _article(surface: str, lang: Lang) -> str:
    if lang == "zh":
        return ""
    return "an " if surface[:1].lower() in "aeiou" and not surface.lower().startswith(("uni", "usb")) else "a "


def tidy(text: str, lang: Lang) -> str:
    """Blanks, commas and articles as one would write them."""
    if lang == "zh":
        return re.sub(r"，+", "，", text).strip("， ")
    text = re.sub(r"\b(next|last|past|coming) (?=a )", r"\1 ", re.sub(r" +", " ", text))
    text = re.sub(r",\s*([.?!,])", r"\1", re.sub(r" ([,.?!;:])", r"\1", text))
    text = re.sub(r"\b(the|my|our|new|an?) (the|my|our|an?) ", r"\1 ", text)
    return text.strip(" ,;")
