"""What a model may put into a brief: wording, and nothing that could mislead."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from brief_tools import small_tools
from sqlalchemy import insert

from agent.brief import Brief, BriefSettings, compile_brief, to_markdown
from agent.brief.declare import Fact, Text
from agent.brief.plan import Plan
from agent.brief.prose import must_say, names_of, objections
from agent.brief.sections import SECTIONS
from agent.ledger import Ledger
from agent.scripted import ScriptedChatModel
from shop import Draft, Shop, ToolError
from shop import schema as t

FACTS = (
    Fact("price.recommended", Text("recommended price", "建议售价"), said=True, spread=True),
    Fact("price.floor", Text("floor", "底价"), said=True),
)
GOOD = (
    "The recommended price is {{price.recommended}}, between {{price.recommended.low}} and "
    "{{price.recommended.high}}, and the floor is {{price.floor}}."
)
GOOD_ZH = (
    "建议售价为{{price.recommended}}，介于{{price.recommended.low}}与{{price.recommended.high}}之间，"
    "底价为{{price.floor}}。"
)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True)
    with shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-1", name="K", category="Kettles"))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 5, 31), units=1, revenue_cents=100))
    return shop


def plan_with_prices(shop: Shop, locale: str = "en") -> Plan:
    settings = BriefSettings(locale=locale)  # type: ignore[arg-type]
    plan = Plan(shop, Draft(id="D-1", name="K"), settings, None, SECTIONS, Ledger())
    plan.ledger.derive("price.recommended", "Recommended", 24.0, "money", "given", low=22.0, high=27.0)
    plan.ledger.derive("price.floor", "Floor", 12.0, "money", "given")
    plan.ledger.derive("price.cost", "Cost", 10.0, "money", "given")
    return plan


HOSTILE = {
    "bare digits": GOOD.replace("and the floor", "after 14 days the floor"),
    "fullwidth digits": GOOD.replace("and the floor", "and from day ７ the floor"),
    "superscript": GOOD + " Twice² as good.",
    "spelled large": GOOD + " We sell twelve a week.",
    "spelled small": GOOD + " It returns in three weeks.",
    "a fraction": GOOD + " That is half the market.",
    "roman": GOOD + " See part XII.",
    "chinese numeral": GOOD + " 三百件。",
    "unknown figure": GOOD + " The floor may fall to {{price.imaginary}}.",
    "a figure not offered": GOOD + " The floor covers {{price.cost}}.",
    "a bound that is not there": GOOD + " The floor is {{price.floor.low}}.",
    "a broken placeholder": GOOD + " The floor is {{price.floor.",
    "a single brace": GOOD + " The floor is {price.floor}.",
    "the figure under a wrong name": GOOD.replace("{{price.floor}}", "{{price.recommended}}")
    + " {{price.floor}} floor.",
    "swapped": "The recommended price is {{price.floor}}, the floor {{price.recommended}}, between "
    "{{price.recommended.low}} and {{price.recommended.high}}.",
    "a figure without a name": GOOD + " We like {{price.floor}}.",
    "a must left out": "The recommended price is {{price.recommended}}.",
    "a link": GOOD + " [Click](https://example.com).",
    "html": GOOD + " <b>Buy</b>.",
    "too long": GOOD + " The floor holds" + ", and holds" * 60 + ".",
    "too many sentences": GOOD + " It holds. It holds. It holds. It holds. It holds.",
    "another language": GOOD + " 很好。",
    "nothing": "",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_sentences_are_refused(shop: Shop, text: str) -> None:
    assert objections(text, FACTS, plan_with_prices(shop))


@pytest.mark.parametrize(
    "text",
    [
        GOOD_ZH + "预计三周内见效。",
        GOOD_ZH + "销量约三百五十。",
        GOOD_ZH + "占百分之五。",
        GOOD_ZH + "利润翻两倍。",
        GOOD_ZH + "降价两成。",
        GOOD_ZH + "到二〇二七年。",
        GOOD_ZH + "第４周。",
        GOOD,
    ],
)
def test_hostile_chinese_is_refused(shop: Shop, text: str) -> None:
    assert objections(text, FACTS, plan_with_prices(shop, "zh"))


def test_good_sentences_pass(shop: Shop) -> None:
    assert objections(GOOD, FACTS, plan_with_prices(shop)) == []
    assert objections(GOOD_ZH, FACTS, plan_with_prices(shop, "zh")) == []


def test_names_include_bounds_only_where_they_are_spoken_of() -> None:
    assert names_of(FACTS) == [
        "price.recommended",
        "price.recommended.low",
        "price.recommended.high",
        "price.floor",
    ]
    assert must_say([Fact("buy.cash", Text("cash", "资金"))]) == []


@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize("section", [s for s in SECTIONS if s.prose], ids=lambda s: s.id)
def test_the_plain_sentences_speak_of_every_figure_that_must_be_said(section: Any, locale: str) -> None:
    plain = " ".join(line.text.of(locale) for line in section.lines)
    for name in must_say(section.facts):
        assert f"{{{{{name}}}}}" in plain


# -- in a whole brief -------------------------------------------------------------------------------------------------

Write = Callable[..., Brief]


@pytest.fixture
def write(shop: Shop) -> Write:
    draft = shop.add_draft("Aurora 1.7", "Kettles", 10.0, 25.0, date(2026, 9, 1), "d", {})

    def run(model: ScriptedChatModel | None, **settings: Any) -> Brief:
        return compile_brief(small_tools(shop, {}), shop, draft, model, BriefSettings(**settings))

    return run


PRICE = (
    "We advise a recommended price of {{price.recommended}}, from {{price.recommended.low}} to "
    "{{price.recommended.high}}, with a floor of {{price.floor}}."
)


class Bound(ScriptedChatModel):
    """A scripted model that claims to be held by a grammar."""

    cannot_type_figures: bool = True


def prompts(model: ScriptedChatModel) -> list[str]:
    return [asked.messages[-1].text for asked in model.asked]


def test_good_words_are_taken_and_the_plan_stays_the_same(write: Write) -> None:
    model = ScriptedChatModel(replies=[lambda messages: PRICE if "Section: Price" in messages[1].text else "No."] * 20)
    brief, plain = write(model), write(None)
    assert brief.section("price").written_by == "model"
    assert brief.section("price").text == PRICE
    assert brief.section("demand").written_by == "template"
    assert brief.section("demand").text == plain.section("demand").text
    assert brief.plan_hash == plain.plan_hash
    assert brief.verdict == plain.verdict
    assert (brief.model, plain.model) == ("scripted", "")
    assert brief.unbacked == ()


def test_a_model_without_grammar_is_asked_twice_and_told_why(write: Write) -> None:
    model = ScriptedChatModel(replies=["It sells 600 units."] * 20)
    brief = write(model)
    assert {section.written_by for section in brief.sections} == {"template"}
    prose = [section for section in SECTIONS if section.prose]
    assert len(model.asked) == 2 * len(prose)
    assert "write '600' as a placeholder or leave it out" in prompts(model)[1]
    assert "600" not in brief.section("demand").text


def test_a_model_held_by_a_grammar_is_given_the_figures_and_asked_once(write: Write) -> None:
    model = Bound(replies=["Fine."] * 20)
    write(model)
    assert len(model.asked) == len([section for section in SECTIONS if section.prose])
    outline = model.asked[1].options["outline"]
    assert any("price.recommended.low" in mention.figures for mention in outline.mentions)


@pytest.mark.parametrize("text", [*HOSTILE.values(), "It sells 600 units {{", "６００", "六百件"])
def test_whatever_a_model_says_the_brief_holds_no_bare_number(write: Write, text: str) -> None:
    brief = write(ScriptedChatModel(replies=[text] * 20))
    assert brief.unbacked == ()
    assert {section.written_by for section in brief.sections} == {"template"}
    to_markdown(brief)


def test_a_model_that_fails_leaves_the_plain_brief_and_a_note(write: Write) -> None:
    model = ScriptedChatModel(replies=[ToolError("The model server does not answer.")])
    brief = write(model)
    assert len(model.asked) == 1
    assert brief.notes == (
        "The language model could not be used, so every sentence is a plain template; the figures are the same.",
    )
    assert brief.section("price").text == write(None).section("price").text


def test_a_bug_in_the_model_is_not_swallowed(write: Write) -> None:
    with pytest.raises(ZeroDivisionError):
        write(ScriptedChatModel(replies=[ZeroDivisionError()]))


def test_without_time_for_prose_the_model_is_not_asked(write: Write) -> None:
    model = ScriptedChatModel(replies=[])
    assert {section.written_by for section in write(model, prose_seconds=0).sections} == {"template"}
    assert model.asked == []


def test_a_model_that_is_too_slow_is_left_and_not_asked_again(write: Write) -> None:
    def slowly(_: object) -> str:
        time.sleep(0.05)
        return PRICE

    model = ScriptedChatModel(replies=[slowly] * 20)
    brief = write(model, prose_seconds=0.01)
    assert {section.written_by for section in brief.sections} == {"template"}
    assert len(model.asked) == len([section for section in SECTIONS if section.prose])
