"""What fills the slots of a phrase family, and what the call says of it."""

from __future__ import annotations

import random
from collections.abc import Callable

from finetune import amounts
from finetune.phrasing import Lang, phrases
from finetune.sentences import Sentence, joined
from finetune.values import Values

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


def filled(values: Values, sentence: Sentence, name: str, kind: str) -> str:
    """The words of a slot, with marks for its values.

    Args:
        values: Where values come from.
        sentence: Keeps the values, and what the call says of them.
        name: Argument of the call, `_` for none.
        kind: What is drawn for it.

    Raises:
        KeyError: There is no such kind of slot.
    """
    lang = sentence.lang
    if kind in ("any", "hist", "launch", "product"):
        return _product(values, sentence, name, "any" if kind == "product" else kind)
    if kind in _NUMBERS:
        surface, value = _NUMBERS[kind](values.rng, lang)
        return sentence.meant(name, surface, value)
    if kind in _TEXTS:
        return sentence.copied(name, _TEXTS[kind](values, lang, sentence.role))
    return _PHRASES[kind](values, sentence, name)


def _product(values: Values, sentence: Sentence, name: str, kind: str) -> str:
    """What a user calls a product, now and then in quotes or after an article."""
    surface = values.product(sentence.lang, kind)
    is_name = " " in surface and sentence.lang == "en"
    mark = sentence.copied(name, surface)
    if values.rng.random() < 0.05:
        mark = f"“{mark}”" if sentence.lang == "zh" else values.rng.choice(('"{}"', "'{}'", "“{}”")).format(mark)
    return (values.rng.choice(("the ", "the ", "our ")) if is_name and values.rng.random() < 0.35 else "") + mark


def _the_a(values: Values, sentence: Sentence, name: str) -> str:
    """A new product's name after its article."""
    surface = values.name(sentence.lang)
    return _article(surface, sentence.lang) + sentence.copied(name, surface)


def _the_tone(values: Values, sentence: Sentence, name: str) -> str:
    """A tone after its article."""
    surface = values.word(sentence.lang, "tone")
    return _article(surface, sentence.lang) + sentence.copied(name, surface)


def _the_d(values: Values, sentence: Sentence, name: str) -> str:
    """What a new product is, in a few words."""
    return sentence.copied(name, description(values, sentence.lang))


def _products(values: Values, sentence: Sentence, name: str) -> str:
    """Several planned products."""
    count = values.rng.choice((2, 2, 3, 3, 4))
    return sentence.listed(name, [values.product(sentence.lang, "launch") for _ in range(count)])


def _items(values: Values, sentence: Sentence, name: str) -> str:
    """One or two things of an order, or to be exchanged for them."""
    lang = sentence.lang
    colour = values.rng.choice(
        ("黑色", "白色", "蓝色", "大码") if lang == "zh" else ("blue ", "black ", "white ", "small ")
    )
    forms = (values.name(lang), values.word(lang, "noun"), colour + values.word(lang, "noun"), values.sku())
    chosen = list(dict.fromkeys(values.rng.choices(forms, k=values.rng.choice((1, 1, 1, 1, 2)))))
    before = "" if lang == "zh" else values.rng.choice(("the ", "the ", "", "my " if name == "items" else "a "))
    return before + sentence.listed(name, chosen)


def _channels(values: Values, sentence: Sentence, name: str) -> str:
    """Channels as people call them; the call says their plain names."""
    known = _CHANNELS[sentence.lang]
    chosen = values.rng.sample(list(known), values.rng.choice((1, 2, 2, 3)))
    marks = [sentence.put(values.rng.choice(known[each])) for each in chosen]
    sentence.arguments[name] = ("value", chosen)
    return joined(marks, sentence.lang)


def _ondate(values: Values, sentence: Sentence, name: str) -> str:
    """A date after its preposition."""
    before, surface = amounts.date(values.rng, sentence.lang)
    return (before + " " if before else "") + sentence.copied(name, surface)


def _custc(values: Values, sentence: Sentence, name: str) -> str:
    """A customer, called so where only an id is given."""
    surface = values.customer(sentence.lang)
    return ("customer " if sentence.lang == "en" and " " not in surface else "") + sentence.copied(name, surface)


def _custp(values: Values, sentence: Sentence, name: str) -> str:
    """A person's, before a noun."""
    return sentence.copied(name, values.person("en")) + "'s"


def _capr(values: Values, sentence: Sentence, name: str) -> str:
    """A reason that starts a sentence."""
    surface = reason(values, sentence.lang)
    return sentence.copied(name, surface[0].upper() + surface[1:])


def _wkn(values: Values, sentence: Sentence, name: str) -> str:
    """A number of weeks, the unit outside of what a call may copy."""
    surface, value = amounts.count(values.rng, sentence.lang, 2, 20)
    return sentence.meant(name, surface, value) + (" weeks" if sentence.lang == "en" else "周")


def _article(surface: str, lang: Lang) -> str:
    if lang == "zh":
        return ""
    return "an " if surface[:1].lower() in "aeiou" and not surface.lower().startswith(("uni", "usb")) else "a "


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


# A number by kind of slot: its surface, and what the call says.
_NUMBERS: dict[str, Callable[[random.Random, Lang], amounts.Amount]] = {
    "money": amounts.money,
    "cost": amounts.money,
    "price": amounts.money,
    "budget": lambda rng, lang: amounts.money(rng, lang, big=True),
    "weeks": amounts.weeks,
    "weeksadj": lambda rng, lang: amounts.weeks_window(rng) if lang == "en" else amounts.weeks(rng, lang),
    "lead_time_days": amounts.days,
    "margin": lambda rng, lang: amounts.share(rng, lang, 5, 75),
    "sl": lambda rng, lang: amounts.share(rng, lang, 80, 99),
    "small": lambda rng, lang: amounts.count(rng, lang, 2, 9),
    "two": lambda rng, lang: amounts.count(rng, lang, 2, 40),
    "limit": lambda rng, lang: amounts.count(rng, lang, 2, 30),
    "wk": lambda rng, lang: amounts.count(rng, lang, 1, 26),
    "size": amounts.size,
    "units": amounts.size,
    "year": lambda rng, lang: (str(rng.randint(2012, 2024)), 0),
}
# A text that the call copies, by kind of slot; from the values, the language and the role.
_TEXTS: dict[str, Callable[[Values, Lang, str], str]] = {
    "name": lambda v, lang, role: v.name(lang),
    "newname": lambda v, lang, role: v.name(lang),
    "draft": lambda v, lang, role: v.draft(),
    "category": lambda v, lang, role: v.category(lang),
    "date": lambda v, lang, role: amounts.date(v.rng, lang)[1],
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
# Words around a value, or several values, by kind of slot.
_PHRASES: dict[str, Callable[[Values, Sentence, str], str]] = {
    "the_a": _the_a,
    "the_tone": _the_tone,
    "the_d": _the_d,
    "products": _products,
    "items": _items,
    "channels": _channels,
    "ondate": _ondate,
    "custc": _custc,
    "custp": _custp,
    "capr": _capr,
    "wkn": _wkn,
    "desc_s": _the_a,
}
