"""A text held to an outline: what it lets through a brief takes, and what a brief refuses it stops."""

from __future__ import annotations

import random

import pytest
from llguidance import LLMatcher, LLTokenizer
from test_brief_prose import plan_with_prices
from tiny_model import accepts

from agent.brief.declare import Fact, Text
from agent.brief.prose import held_to, objections
from agent.models.grammar import reply_grammar
from agent.models.outline import Mention, Outline
from shop import Shop

FACTS = (
    Fact("price.recommended", Text("recommended price", "建议售价"), said=True, spread=True),
    Fact("price.floor", Text("floor", "底价"), said=True),
    Fact("price.cost", Text("unit cost", "单位成本")),
)
RANGE = "from {{price.recommended.low}} to {{price.recommended.high}}"
GOOD = {
    "en": [
        f"The recommended price is {{{{price.recommended}}}}, {RANGE}. Keep above the floor of {{{{price.floor}}}}.",
        f"Keep above the floor of {{{{price.floor}}}}; a recommended price of {{{{price.recommended}}}}, {RANGE}.",
        f"Ask {{{{price.recommended}}}} recommended price (P10 to P90 {RANGE}). The floor is {{{{price.floor}}}}, "
        "at a unit cost of {{price.cost}}.",
    ],
    "zh": [
        "建议售价为{{price.recommended}}，介于{{price.recommended.low}}与{{price.recommended.high}}之间。"
        "底价{{price.floor}}，单位成本{{price.cost}}。"
    ],
}
BAD = {
    "en": {
        "a bound left out": "The recommended price is {{price.recommended}}. The floor is {{price.floor}}.",
        "a must left out": f"The recommended price is {{{{price.recommended}}}}, {RANGE}.",
        "another's name": f"The recommended price is {{{{price.floor}}}}, {RANGE}. The floor is {{{{price.floor}}}}.",
        "no name": f"The recommended price is {{{{price.recommended}}}}, {RANGE}, never below {{{{price.floor}}}}.",
        "said twice": f"{GOOD['en'][0]} The floor is {{{{price.floor}}}}.",
        "a digit": GOOD["en"][0].replace("Keep", "For 3 weeks keep"),
        "a number in words": GOOD["en"][0].replace("Keep", "For twelve weeks keep"),
        "a sentence without a figure": GOOD["en"][0] + " That is good.",
        "markup": GOOD["en"][0].replace("Keep", "*Keep*"),
        "another language": GOOD["en"][0].replace("Keep", "请 keep"),
    },
    "zh": {
        "a number in words": GOOD["zh"][0].replace("底价", "三周内底价"),
        "a must left out": "建议售价为{{price.recommended}}，{{price.recommended.low}}至{{price.recommended.high}}。",
    },
}
# What random texts are put together from: good parts, and what must not come between them.
PIECES = [
    *("recommended price", "Floor", "floor", "unit cost", "The ", " is ", " of ", ", ", ". ", ".", "; ", " ", " and "),
    *("{{price.recommended}}", "{{price.recommended.low}}", "{{price.recommended.high}}", "{{price.floor}}"),
    *("{{price.cost}}", " twelve", " three ", " half", "7", " P10 ", "priceless", "floors", "建议", "[", "\n"),
]


def held(locale: str) -> str:
    return reply_grammar(outline=held_to(FACTS, "", locale)["outline"])


@pytest.mark.parametrize(("locale", "text"), [(locale, text) for locale in GOOD for text in GOOD[locale]])
def test_each_figure_beside_its_name_is_accepted(tokens: LLTokenizer, demo_shop: Shop, locale: str, text: str) -> None:
    assert accepts(tokens, held(locale), text)
    assert not objections(text, FACTS, plan_with_prices(demo_shop, locale))


@pytest.mark.parametrize(("locale", "why"), [(locale, why) for locale in BAD for why in BAD[locale]])
def test_what_a_brief_would_refuse_cannot_be_written(tokens: LLTokenizer, locale: str, why: str) -> None:
    assert not accepts(tokens, held(locale), BAD[locale][why])


def test_whatever_is_written_a_brief_takes(tokens: LLTokenizer, demo_shop: Shop) -> None:
    plan, chance, whole = plan_with_prices(demo_shop), random.Random(5), []
    for _ in range(150):
        found, text = LLMatcher(tokens, LLMatcher.grammar_from_lark(held("en"))), ""
        for _ in range(60):
            able = [piece for piece in PIECES if takes(found, tokens, piece)]
            if not able or (found.is_accepting() and chance.random() < 0.7):
                break
            text += (piece := chance.choice(able))
            found.consume_tokens(tokens.tokenize_str(piece))
        if found.is_accepting():
            whole.append(text)
    assert len(set(whole)) > 20
    for text in whole:
        assert not objections(text, FACTS, plan), text


def takes(found: LLMatcher, tokens: LLTokenizer, piece: str) -> bool:
    ids = tokens.tokenize_str(piece)
    return found.deep_copy().try_consume_tokens(ids) == len(ids)


def test_mentions_stand_in_the_order_of_the_plain_version() -> None:
    outline = held_to(FACTS, "At {{price.cost}} the floor is {{price.floor}}.", "en")["outline"]
    assert outline == Outline(
        (
            Mention("unit cost", ("price.cost",)),
            Mention("floor", ("price.floor",), True),
            Mention(
                "recommended price",
                ("price.recommended", "price.recommended.low", "price.recommended.high"),
                True,
            ),
        ),
        "en",
    )
