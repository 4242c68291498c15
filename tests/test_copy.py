"""Copy: every claim is in the ledger, limits are those of the channels, forbidden words go, and nothing is made up."""

from __future__ import annotations

import gzip
import json
import unicodedata
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest

from agent.ledger import bare_numbers, placeholders
from agent.render import format_value, render
from shop import Actor, Draft, Figure, Product, Shop, ToolError, ToolResult
from shop import schema as t
from shop.database import insert_new
from tools.copy import write_copy
from tools.copy.asked import language_asked, tone_asked
from tools.copy.bilingual import in_language
from tools.copy.check import check_copy
from tools.copy.claims import claims_of, named, points, prose, shorts, shown
from tools.copy.compose import Pen, compose, phrases
from tools.copy.facts import name_facts, product_facts
from tools.copy.forbidden import forbidden_words, without_forbidden
from tools.copy.limits import Channel, Language, Limit, halfwidth, limit_of, limits, sms_units, x_weight
from tools.registry import bind

CHANNELS: tuple[Channel, ...] = get_args(Channel)
LANGUAGES: tuple[Language, ...] = ("en", "zh")
KETTLE = Draft(
    id="D-0009",
    name="Aurora kettle",
    category="Kitchen > Kettles",
    description="A walnut handle stays cool. It is the best kettle in the world. Pours a thin stream for coffee.",
    attributes={"Handle": "walnut", "Capacity": "1.2 L", "Colour": "matte black", "Supplier": "Acme 77"},
    price=59.0,
)


def run(shop: Shop, **arguments: Any) -> ToolResult:
    return bind([write_copy], shop, Actor(role="manager"))["write_copy"](**arguments)


def parts_of(result: ToolResult) -> list[str]:
    return [row[1] for row in result.tables[0].rows]


def problems_of(result: ToolResult) -> list[str]:
    return [warning for warning in result.warnings if warning.startswith("Do not send")]


# -- how channels count -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "units"), [("abc £", 5), ("50 €", 5), ("[ok]", 6), ("水壶", 2), ("caf\u00e9", 4), ("ok 😀", 5)]
)
def test_a_message_counts_septets_or_ucs2_units(text: str, units: int) -> None:
    assert sms_units(text) == units


def test_a_message_outside_the_gsm_alphabet_holds_seventy() -> None:
    limit = limit_of("sms", "en", "text")
    assert limit.fits("a" * 160)
    assert not limit.fits("a" * 161)
    assert limit.fits("水" * 70)
    assert not limit.fits("水" * 71)
    assert not limit.fits("a" * 100 + "’")


def test_wide_characters_count_two_where_the_channel_says_so() -> None:
    assert halfwidth("水壶1L") == 6
    assert x_weight("水壶 kettle") == 11
    assert limit_of("title", "zh", "title").fits("水" * 30)
    assert not limit_of("title", "zh", "title").fits("水" * 31)


def test_every_channel_has_limits_with_a_source_in_both_languages() -> None:
    for channel in CHANNELS:
        for language in LANGUAGES:
            assert all(limit.source and limit.most > 0 for limit in limits(channel, language).values())
    assert limit_of("ad", "en", "headline_3") == Limit(
        "headline", 30, "halfwidth", limits("ad", "en")["headline"].source
    )


# -- forbidden words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["the best kettle", "No. 1 in tents", "our lightest tent", "the most comfortable bed",
     "最好的水壶", "国家级工艺", "全国第一品牌",
     "全网最低价", "eco-friendly felt", "kills bacteria", "抗菌面料", "缓解肌肉酸痛", "eases soreness",
     "环保材质",
     "clinically proven", "now $19.90", "只要59元", "five stars, 20% off"],
)  # fmt: skip
def test_forbidden_words_are_found(text: str) -> None:
    assert forbidden_words(text)


@pytest.mark.parametrize(
    "text",
    ["Your best friend deserves better", "most asked for another", "an honest test",
     "最近上架", "第一次使用前请清洗", "最大承重20公斤",
     "perfect for rest", "a greenhouse", "绿色", "cover the bed", "use it best before May"],
)  # fmt: skip
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert not forbidden_words(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("The best kettle for coffee.", "The kettle for coffee."),
        ("An ultimate tent for rain.", "A tent for rain."),
        ("Best value for an hour of tea.", "Value for an hour of tea."),
        ("It is the best.", ""),
        ("It is the best kettle in the world.", ""),
        ("The best in the world.", ""),
        ("最好的水壶。", ""),
        ("Cures insomnia.", ""),
        ("Plain words.", "Plain words."),
    ],
)
def test_an_adjective_is_cut_out_and_any_other_claim_given_up(text: str, left: str) -> None:
    assert without_forbidden(text)[0] == left


def test_a_certificate_supports_a_green_claim_but_no_superlative() -> None:
    assert not forbidden_words("Biodegradable felt.", ["Certificate"])
    assert forbidden_words("The best felt.", ["Certificate"])


# -- facts and their wording ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language", "wording"),
    [("1.2 L", "zh", "1.2升"), ("2 years", "zh", "2年"), ("matte black", "zh", "哑光黑"),
     ("哑光黑", "en", "matte black"),
     ("30厘米", "en", "30 cm"), ("1.2 L", "en", "1.2 L"), ("keep-warm", "zh", ""),
     ("42", "zh", "42"), ("5 furlongs", "zh", "")],
)  # fmt: skip
def test_values_are_told_in_the_other_language_or_not_at_all(text: str, language: Language, wording: str) -> None:
    assert in_language(text, language) == wording


def test_facts_put_what_is_backed_twice_first_and_leave_out_what_is_internal() -> None:
    facts, removed = product_facts(KETTLE)
    assert [fact.texts.get("en") for fact in facts] == [
        "A walnut handle stays cool.",
        "Handle: walnut",
        "Capacity: 1.2 L",
        "Colour: matte black",
        "Pours a thin stream for coffee.",
    ]
    assert [each.banned.word for each in removed] == ["best"]
    told = [fact for fact in facts if f"copy.{fact.id}" in points(facts, "en")]
    assert "Handle: walnut" not in {fact.texts["en"] for fact in told}
    assert not any("Acme" in text for fact in facts for text in fact.texts.values())


def test_both_languages_tell_one_ledger_with_the_same_numbers() -> None:
    facts, _ = product_facts(KETTLE)
    both = [fact for fact in facts if len(fact.texts) == 2]
    assert {fact.texts["zh"] for fact in both} == {"手柄：胡桃木", "容量：1.2升", "颜色：哑光黑"}
    for fact in both:
        digits = [[char for char in text if char.isdigit()] for text in fact.texts.values()]
        assert digits[0] == digits[1]


def test_prose_keeps_the_order_of_the_description() -> None:
    facts, _ = product_facts(
        KETTLE.model_copy(update={"description": "Made for slow mornings. A walnut handle cools."})
    )
    claims = claims_of(facts, "en")
    order = [claims[figure].shown for figure in prose(facts, "en")]
    assert order[:2] == ["Made for slow mornings.", "A walnut handle cools."]
    assert claims[points(facts, "en")[0]].shown == "A walnut handle cools."


# -- composing and checking -------------------------------------------------------------------------------------------


def pen(channel: Channel, language: Language = "en", tone: Any = "friendly", item: Draft = KETTLE) -> Pen:
    own, _ = product_facts(item)
    facts = [*name_facts(item, "Northlight", "the shop's name"), *own]
    said = points(facts, language)
    return Pen(
        channel,
        language,
        tone,
        claims_of(facts, language),
        said,
        prose(facts, language),
        shorts(facts, language),
        "soon",
    )


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("tone", ["friendly", "formal", "playful"])
def test_what_is_composed_passes_its_check(channel: Channel, language: Language, tone: str) -> None:
    writer = pen(channel, language, tone)
    copy = compose(writer)
    assert check_copy(copy, writer.claims, channel, language) == []
    assert not any(bare_numbers(text) for text in copy.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_tone_changes_words_and_not_claims(language: Language) -> None:
    for channel in ("title", "bullets", "description", "email"):
        told = {tuple(named(" ".join(compose(pen(channel, language, tone)).values()))) for tone in phrases(language)}
        assert len(told) == 1
    assert len({pen("email", language, tone).phrase("greeting") for tone in phrases(language)}) == 3


def test_the_check_names_what_is_wrong() -> None:
    writer = pen("title")

    def rules(text: dict[str, str], channel: Channel = "title", language: Language = "en") -> set[str]:
        return {problem.rule for problem in check_copy(text, writer.claims, channel, language)}

    name = "{{copy.name}}"
    assert rules({"title": name}) == set()
    assert rules({"title": name + ", {{copy.claim_99}}"}) == {"claim"}
    assert rules({"title": name + " 2"}) >= {"number"}
    assert rules({"title": f"{name} ②"}) >= {"number"}
    assert rules({"title": ", ".join([name] * 7)}) == {"limit"}
    assert rules({"title": "the best " + name}) >= {"forbidden"}
    assert rules({"title": name + ", handmade"}) == {"words"}
    assert rules({"title": name + " 水壶"}) >= {"language"}
    assert rules({}) == {"part"}
    assert rules({"title": name, "footer": name}) == {"part"}
    assert rules({"bullet_1": "{{copy.claim_1}}"}, "bullets") == {"part"}
    assert rules({"title": "{{copy.claim_1}}"}, language="zh") >= {"language"}


def test_a_name_too_long_for_the_channel_is_reported_and_not_cut() -> None:
    writer = pen("title", item=KETTLE.model_copy(update={"name": "kettle " * 15}))
    problems = check_copy(compose(writer), writer.claims, "title", "en")
    assert [problem.rule for problem in problems] == ["limit"]


@pytest.mark.parametrize(
    ("said", "product", "language"),
    [(None, "kettle", "en"), (None, "极光水壶", "zh"), ("Chinese", "kettle", "zh"), ("中文", "kettle", "zh"),
     ("in English", "极光水壶", "en"), ("zh-CN", "kettle", "zh"), ("英文", "水壶", "en")],
)  # fmt: skip
def test_the_language_is_as_said_or_that_of_the_asker(demo_shop: Shop, said: str, product: str, language: str) -> None:
    assert language_asked(demo_shop, said, product) == language


@pytest.mark.parametrize(
    ("said", "tone"),
    [(None, "friendly"), ("Playful", "playful"), ("活泼一点", "playful"), ("正式", "formal"),
     ("professional", "formal"),
     ("warm", "friendly"), ("informal", "friendly"), ("亲切", "friendly")],
)  # fmt: skip
def test_tones_are_understood_in_both_languages(said: str, tone: str) -> None:
    assert tone_asked(said) == (tone, True)


def test_an_unknown_tone_is_friendly_and_said_to_be_unknown() -> None:
    assert tone_asked("granular") == ("friendly", False)


# -- the tool ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("language", ["English", "中文"])
@pytest.mark.parametrize("product", ["KET-003", "D-0001"])
def test_copy_of_the_demo_shop_is_backed_and_within_limits(
    demo_shop: Shop, channel: Channel, language: str, product: str
) -> None:
    result = run(demo_shop, product=product, channel=channel, language=language)
    figures = {figure.id: figure for figure in result.figures}
    texts = [result.summary, *result.warnings]
    texts += [cell for table in result.tables for row in (*table.rows, table.columns) for cell in row]
    assert not any(bare_numbers(text) for text in texts)
    assert all(name in figures for text in texts for name in placeholders(text))
    assert problems_of(result) == []
    backed = {placeholders(row[0])[0] for row in result.tables[1].rows}
    # The product's name is vouched for in all copy, also where the words do not speak it.
    assert {name for text in parts_of(result) for name in placeholders(text)} | {"copy.name"} == backed
    for (_, text, length, most), part in zip(result.tables[0].rows, parts_of(result), strict=True):
        told = render(part, figures)
        count, limit = (figures[placeholders(cell)[0]].value for cell in (length, most))
        assert text == part
        assert count <= limit
        assert told


@pytest.mark.slow
@pytest.mark.parametrize("channel", ["title", "bullets", "sms", "social", "ad"])
def test_all_products_of_the_demo_shop_get_sound_copy(demo_shop: Shop, channel: Channel) -> None:
    products = demo_shop.products()
    for sku in products.loc[products["delisted_date"].isna(), "sku"][::4]:
        for language in ("en", "zh"):
            result = run(demo_shop, product=sku, channel=channel, language=language)
            assert problems_of(result) == [], sku


def test_descriptions_by_other_people_become_sound_copy(shared_data: Path) -> None:
    with gzip.open(shared_data / "retail_demo_store" / "products.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file][::40]
    for row in rows:
        item = Product(sku="P-1", name=row["name"], category=row["category"], description=row["description"])
        own, _ = product_facts(item)
        facts = [*name_facts(item, "Northlight", "the shop's name"), *own]
        claims, said = claims_of(facts, "en"), points(facts, "en")
        if len(said) < 2 or forbidden_words(item.name):
            continue
        for channel in CHANNELS:
            writer = Pen(channel, "en", "formal", claims, said, prose(facts, "en"), shorts(facts, "en"), "live")
            assert check_copy(compose(writer), claims, channel, "en") == [], item.name


def test_each_claim_stands_in_the_catalogue(demo_shop: Shop) -> None:
    result = run(demo_shop, product="KET-003", channel="description")
    item = demo_shop.product("KET-003")
    assert isinstance(item, Product)
    figures = {figure.id: figure for figure in result.figures}
    policies = " ".join(demo_shop.policies()["text"])
    written = f"{item.name} {item.description} {policies} " + " ".join(f"{k}: {v}" for k, v in item.attributes.items())
    for claim, kind, _ in result.tables[1].rows:
        if kind in ("name", "description", "attribute", "policy"):
            assert str(figures[placeholders(claim)[0]].value) in written
    mean = demo_shop.reviews(skus=["KET-003"])["rating"].mean()
    assert float(str(figures["copy.rating"].value)) == pytest.approx(mean, abs=0.05)
    assert figures["copy.policy_passage"].unit == "passage"


def test_prices_read_as_the_renderer_writes_them(demo_shop: Shop) -> None:
    for language, product in (("en", "KET-003"), ("zh", "KET-003")):
        result = run(demo_shop, product=product, channel="email", language=language)
        price = next(figure for figure in result.figures if figure.id == "copy.price")
        item = demo_shop.product(product)
        assert item is not None
        figure = Figure(id="x.y", label="", value=item.list_price, unit="money", currency="USD", exact=True)
        assert price.value == format_value(figure, locale=language)


def test_products_that_cannot_go_back_are_not_promised_returns(demo_shop: Shop) -> None:
    result = run(demo_shop, product="SKI-006", channel="description")
    assert "copy.policy" not in {figure.id for figure in result.figures}
    assert any(warning.startswith("Returns are not mentioned") for warning in result.warnings)


@pytest.fixture
def shop(empty_shop: Shop) -> Shop:
    empty_shop = empty_shop.as_of(date(2026, 5, 1))
    with empty_shop.begin() as connection:
        rows = [{"sku": "S-1", "name": "Gone stool", "delisted_date": date(2026, 1, 1), "category": "Home > Stools"}]
        insert_new(connection, t.products, rows)
        insert_new(connection, t.daily, [{"sku": "S-1", "day": date(2025, 12, 1), "units": 1}])
    return empty_shop


def test_forbidden_words_of_a_draft_go_with_a_warning(shop: Shop) -> None:
    text = "The best oak stool for small rooms. Eco-friendly oil. Folds flat in a second. Now only $49."
    shop.add_draft("Pine stool", "Home > Stools", description=text, attributes={"Material": "oak"})
    result = run(shop, product="Pine stool", channel="description")
    figures = {figure.id: figure for figure in result.figures}
    told = render(parts_of(result)[0], figures)
    assert "The oak stool for small rooms." in told
    assert not any(word in told for word in ("best", "Eco", "49"))
    warned = " ".join(render(warning, figures) for warning in result.warnings)
    assert all(f"“{word}”" in warned for word in ("best", "Eco-friendly", "$49."))
    assert "copy.price" not in figures


def test_text_in_a_description_stays_text(shop: Shop) -> None:
    text = "Folds {{launch.units_12w}} flat <script>x</script> in a second. Carries a grown person with ease."
    shop.add_draft("Fir stool", "Home > Stools", description=text, attributes={"Material": "oak", "Colour": "black"})
    result = run(shop, product="Fir stool", channel="bullets")
    shown_texts = [str(figure.value) for figure in result.figures]
    assert not any("{{" in text or "<script>" in text for text in shown_texts)


def test_a_name_with_a_forbidden_word_is_objected_to_and_not_rewritten(shop: Shop) -> None:
    shop.add_draft("Best Oak Stool", "Home > Bar stools", description="Folds flat in a second. Carries a grown person.")
    result = run(shop, product="Best Oak Stool", channel="social")
    figures = {figure.id: figure for figure in result.figures}
    assert [render(text, figures) for text in problems_of(result)] == [
        "Do not send it as it is, it holds a forbidden word: text: Best."
    ]
    assert figures["copy.category"].value == "BarStools"


def test_a_chinese_draft_gets_english_copy_from_what_can_be_told(shop: Shop) -> None:
    facts = {"材质": "胡桃木", "颜色": "哑光黑", "容量": "1.2升"}
    shop.add_draft("极光手冲壶", "Home > Stools", description="胡桃木手柄，握着不烫手。", attributes=facts)
    result = run(shop, product="极光手冲壶", channel="bullets", language="English")
    figures = {figure.id: figure for figure in result.figures}
    assert [render(text, figures) for text in parts_of(result)] == [
        "Material: walnut",
        "Colour: matte black",
        "Capacity: 1.2 L",
    ]
    assert problems_of(result) == []
    assert any("No English name" in warning for warning in result.warnings)
    chinese = run(shop, product="极光手冲壶", channel="bullets")
    assert render(parts_of(chinese)[0], {figure.id: figure for figure in chinese.figures}) == "胡桃木手柄，握着不烫手。"


def test_too_few_facts_say_what_to_supply(shop: Shop) -> None:
    shop.add_draft("Bare stool")
    with pytest.raises(ToolError, match=r"Bare stool \(D-0001\) has 0 facts.*description"):
        run(shop, product="Bare stool", channel="email")
    assert parts_of(run(shop, product="Bare stool", channel="title")) == ["{{copy.name}}"]
    shop.add_draft("Plain stool", description="Folds flat in a second. Carries a grown person with ease.")
    assert run(shop, product="Plain stool", channel="bullets")
    with pytest.raises(ToolError, match="told in Chinese"):
        run(shop, product="Plain stool", channel="bullets", language="Chinese")
    with pytest.raises(ToolError, match="off sale"):
        run(shop, product="Gone stool", channel="title")
    with pytest.raises(ToolError, match="English or Chinese"):
        run(shop, product="Plain stool", channel="title", language="German")


def test_every_length_is_that_of_the_text_as_shown() -> None:
    writer = pen("social", "zh")
    for part, template in compose(writer).items():
        told = shown(template, writer.claims)
        wide = sum(unicodedata.east_asian_width(char) in "WF" for char in told)
        assert limit_of("social", "zh", part).length(told) == len(told)
        assert halfwidth(told) == len(told) + wide
