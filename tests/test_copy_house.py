"""Brand voice, rule packs and duties of the markets, and one set of figures in both languages."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest

from agent.brief.claims import claims_of as claims_in
from agent.ledger import bare_numbers
from shop import Actor, Draft, Product, Shop, ToolResult
from shop import schema as t
from shop.database import insert_new
from tools.copy import write_copy
from tools.copy.asked import tone_asked
from tools.copy.check import check_copy
from tools.copy.claims import claims_of
from tools.copy.duties import duties_of
from tools.copy.facts import name_facts, product_facts
from tools.copy.forbidden import forbidden_words, packs
from tools.copy.limits import Channel
from tools.copy.parity import disparities, measures_in, numbers_in
from tools.copy.voice import MARKETS, Voice, set_voice, voice_of
from tools.registry import bind
from ui.cli import main

KETTLE = Product(
    sku="K-1",
    name="Aurora kettle 1.7 L",
    name_zh="极光电水壶1.7升",
    description="It holds 1.7 L and boils in 3 minutes. A cup keeps warm for 40 minutes.",
    description_zh="容量1.7升，3分钟煮沸。",
    attributes={"Capacity": "1.7 L", "Colour": "green"},
)


@pytest.fixture
def shop(empty_shop: Shop) -> Shop:
    """A shop with one draft to write about."""
    with empty_shop.begin() as connection:
        insert_new(connection, t.products, [{"sku": "K-0", "name": "Old kettle", "attributes": {}}])
        insert_new(connection, t.daily, [{"sku": "K-0", "day": date(2026, 5, 31), "units": 1, "orders": 1}])
    empty_shop.add_draft(
        "Aurora kettle",
        description="The jug pours a thin stream. Its jug stays cheap to run.",
        price=59.0,
        attributes={"Colour": "green", "Capacity": "1.7 L"},
    )
    return empty_shop


def run(shop: Shop, **arguments: Any) -> ToolResult:
    return bind([write_copy], shop, Actor(role="manager"))["write_copy"](product="D-0001", **arguments)


def test_the_voice_is_kept_and_a_shop_without_one_is_plain(shop: Shop) -> None:
    assert voice_of(shop) == Voice()
    voice = Voice(tone="formal", avoid=("cheap", "便宜"), prefer={"jug": "kettle"}, markets=("eu",))
    set_voice(shop, voice)
    set_voice(shop, voice)
    assert voice_of(shop) == voice


def test_the_shops_words_stand_and_those_it_avoids_do_not(shop: Shop) -> None:
    set_voice(shop, Voice(tone="formal", avoid=("cheap",), prefer={"jug": "kettle"}))
    result = run(shop, channel="description", language="English")
    shown = " ".join(str(figure.value) for figure in result.figures if figure.id.startswith("copy.claim"))
    assert "The kettle pours a thin stream." in shown
    assert "jug" not in shown
    assert "cheap" not in shown
    assert any("Taken out" in warning for warning in result.warnings)
    assert "formal" in result.summary
    assert "playful" in run(shop, channel="description", language="English", tone="playful").summary


def test_every_claim_that_a_figure_shows_has_its_source(shop: Shop) -> None:
    for channel in get_args(Channel):
        figures = run(shop, channel=channel, language="English").figures
        assert all(claim.is_supported for claim in claims_in({figure.id: figure for figure in figures}))


def test_a_preferred_word_keeps_the_case_and_stands_for_whole_words_only() -> None:
    voice = Voice(prefer={"jug": "kettle", "水杯": "马克杯"})
    assert voice.worded("Jug, jug and juggler; 大水杯") == "Kettle, kettle and juggler; 大马克杯"


def test_the_check_objects_to_a_word_that_the_shop_avoids() -> None:
    facts = name_facts(Draft(id="D-1", name="Cheap kettle", category="K"), "Northlight", "the shop's name")
    claims = claims_of(facts, "en")
    voice = Voice(avoid=("cheap",))
    assert [p.about for p in check_copy({"title": "{{copy.name}}"}, claims, "title", "en", voice)] == ["Cheap"]
    assert check_copy({"title": "{{copy.name}}"}, claims, "title", "en") == []


def test_the_usual_tone_holds_where_nobody_asks() -> None:
    assert tone_asked(None, "playful") == ("playful", True)
    assert tone_asked("正式", "playful") == ("formal", True)
    assert tone_asked("baroque", "playful") == ("playful", False)


def test_the_command_shows_and_sets_the_voice(shop: Shop, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    where = {"DEBUT_SHOP": shop.engine.url.render_as_string(), "DEBUT_HOME": str(tmp_path / "home")}
    assert main(["voice", "--tone", "formal", "--prefer", "jug=kettle", "--market", "EU", "--json"], where) == 0
    expected = {"tone": "formal", "avoid": [], "prefer": {"jug": "kettle"}, "markets": ["eu"]}
    assert json.loads(capsys.readouterr().out) == expected
    assert voice_of(shop) == Voice(**expected)
    assert main(["voice", "--market", "mars"], where) == 2
    assert "cn, eu, uk, us" in capsys.readouterr().err
    assert main(["voice", "--prefer", "jug"], where) == 2
    assert "WORD=BETTER" in capsys.readouterr().err
    assert voice_of(shop) == Voice(**expected)


# -- markets ----------------------------------------------------------------------------------------------------------


def test_every_pack_names_its_rules_and_markets() -> None:
    assert {"absolute", "health", "green", "reviews", "authority", "urgency", "gratis"} <= {p.name for p in packs()}
    assert all(pack.source and pack.markets <= set(MARKETS) and pack.markets for pack in packs())


@pytest.mark.parametrize(
    ("text", "pack"),
    [
        ("全网最低", "absolute"),
        ("国家级工艺", "absolute"),
        ("销量第一", "absolute"),
        ("抗菌面料", "health"),
        ("kills germs", "health"),
        ("carbon neutral", "green"),
        ("可降解包装", "green"),
        ("Last chance to buy", "urgency"),
        ("手慢无", "urgency"),
        ("with a free gift", "gratis"),
        ("买就赠送", "gratis"),
        ("our five-star kettle", "reviews"),
        ("好评如潮", "reviews"),
        ("recommended by doctors", "authority"),
        ("医生推荐", "authority"),
    ],
)
def test_a_pack_finds_its_words(text: str, pack: str) -> None:
    assert {word.pack for word in forbidden_words(text)} == {pack}


@pytest.mark.parametrize(
    "text",
    [
        "BPA-free plastic",
        "a gift box",
        "rated 4.6 of five stars",
        "hold the lid to pour",
        "最近到货",
        "第一次使用前清洗",
    ],
)
def test_a_pack_leaves_ordinary_words_alone(text: str) -> None:
    assert forbidden_words(text) == []


def test_a_document_supports_an_endorsement() -> None:
    assert forbidden_words("FDA-approved silicone", ["Certificate"]) == []


def test_duties_follow_the_market_the_channel_and_what_is_told() -> None:
    def ids(channel: Channel, *said: Any, markets: Any = MARKETS, author: Any = "rules") -> set[str]:
        return {duty.id for duty in duties_of(channel, said, Voice(markets=markets), author)}

    assert "advertising_mark" in ids("ad", markets=("cn",))
    assert ids("title", "name") == set()
    assert ids("description", "reviews", markets=("us",)) == {"review_disclosure"}
    assert "full_price" in ids("email", "price", markets=("eu",))
    assert "full_price" not in ids("email", "price", markets=("cn",))
    assert ids("title", markets=("cn",), author="model") == {"machine_written"}, (
        "an AI label is due for a model's words"
    )
    assert all(duty.source for channel in get_args(Channel) for duty in duties_of(channel, (), Voice(), "model"))


def test_the_duties_stand_beside_the_copy(shop: Shop) -> None:
    set_voice(shop, Voice(markets=("cn",)))
    result = run(shop, channel="ad", language="Chinese")
    table = next(table for table in result.tables if "markets ask" in table.title)
    values = {figure.id: figure.value for figure in result.figures}
    assert "广告" in str(values["copy.duty_1"])
    assert "article 9" in str(values["copy.duty_1_rules"])
    assert not any(bare_numbers(cell) for row in table.rows for cell in row)
    set_voice(shop, Voice(markets=("us",)))
    assert len(run(shop, channel="title", language="English").tables) == 2, "nothing is asked for besides"


# -- one set of figures in both languages -----------------------------------------------------------------------------


def test_numbers_and_measures_read_alike_in_both_languages() -> None:
    assert numbers_in("1,200.50 and 3.0") == {"1200.5", "3"}
    assert measures_in(["1.7-litre, 3 minutes"]) == {"升": {"1.7"}, "分钟": {"3"}} == measures_in(["1.7升，3分钟"])


def test_a_sound_product_has_no_disparity() -> None:
    facts, _ = product_facts(KETTLE)
    assert disparities([*facts, *name_facts(KETTLE, "Northlight", "the shop's name")]) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"description_zh": "容量1.5升，3分钟煮沸。"}, "1.7 / 1.5 升"),
        ({"name_zh": "极光电水壶1.5升"}, "Aurora kettle 1.7 L / 极光电水壶1.5升"),
    ],
)
def test_different_figures_in_the_two_languages_are_named(change: dict[str, str], told: str) -> None:
    product = KETTLE.model_copy(update=change)
    facts, _ = product_facts(product)
    assert disparities([*facts, *name_facts(product, "Northlight", "the shop's name")]) == [told]


def test_copy_of_which_the_languages_disagree_is_not_to_be_sent(tmp_path: Path) -> None:
    shop = Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True)
    with shop.begin() as connection:
        row = KETTLE.model_dump(include={"sku", "name", "name_zh", "description", "attributes"})
        insert_new(connection, t.products, [{**row, "description_zh": "容量1.5升，3分钟煮沸。"}])
        insert_new(connection, t.daily, [{"sku": "K-1", "day": date(2026, 5, 31), "units": 1, "orders": 1}])
    for language in ("English", "Chinese"):
        tool = bind([write_copy], shop, Actor(role="manager"))["write_copy"]
        result = tool(product="K-1", channel="bullets", language=language)
        assert any("English and Chinese name different figures" in warning for warning in result.warnings)
        assert any(figure.id == "copy.disparity_1" for figure in result.figures)
