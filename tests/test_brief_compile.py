"""A brief compiled over small tools with known figures: what it computes, decides, lacks, stores."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from brief_tools import add_market, small_tools
from sqlalchemy import delete, insert

from agent.brief import Brief, BriefSettings, Cancelled, briefs_of, compile_brief, load_brief, to_json
from agent.brief.declare import Text
from agent.brief.pace import scaled
from agent.brief.payback import break_even_units, contribution_after, week_reached
from agent.brief.sections import SECTIONS
from agent.brief.sections.item import completeness, usual_attributes
from agent.brief.verdict import BINDING
from agent.ledger import bare_numbers, placeholders
from benchmarks.ledger import wrong
from shop import Draft, Shop, ToolError
from shop import schema as t
from tools.registry import BoundTool


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop with two products and one sale on 2026-05-31, so that today is 2026-06-01."""
    shop = Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True)
    with shop.begin() as connection:
        for sku in ("K-1", "K-2"):
            attributes = {"Colour": "red", "Volume": "1.7 l"} if sku == "K-1" else {"Colour": "blue"}
            row = {"sku": sku, "name": sku, "category": "Kitchen > Kettles", "attributes": attributes}
            connection.execute(insert(t.products).values(**row))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 5, 31), units=1, revenue_cents=100))
    add_market(shop)
    return shop


@pytest.fixture
def draft(shop: Shop) -> Draft:
    return add_draft(shop)


def add_draft(shop: Shop, **changes: Any) -> Draft:
    given: dict[str, Any] = {
        "name": "Aurora kettle 1.7",
        "category": "Kitchen > Kettles",
        "cost": 10.0,
        "price": 25.0,
        "launch_date": date(2026, 9, 1),
        "description": "",
        "attributes": {"Colour": "green"},
    }
    return shop.add_draft(**{**given, **changes})


Compile = Callable[..., Brief]


@pytest.fixture
def compiled(shop: Shop, draft: Draft) -> Compile:
    def run(overrides: dict[str, dict[str, Any]] | None = None, **kwargs: Any) -> Brief:
        subject = kwargs.pop("draft", draft)
        return compile_brief(small_tools(shop, overrides or {}), shop, subject, **kwargs)

    return run


def number(brief: Brief, name: str) -> float:
    value = brief.figures[name].value
    assert isinstance(value, int | float), name
    return float(value)


# -- what it computes -------------------------------------------------------------------------------------------------


def test_economics_follow_from_the_tools_figures(compiled: Compile) -> None:
    brief = compiled()
    assert number(brief, "economics.unit_contribution") == pytest.approx(15.0)
    assert number(brief, "economics.contribution_rate") == pytest.approx(0.6)
    contribution = brief.figures["economics.contribution_12w"]
    assert contribution.value == pytest.approx(600 * 15)
    assert (contribution.low, contribution.high) == (pytest.approx(400 * 15), pytest.approx(900 * 15))
    assert number(brief, "economics.break_even_units") == math.ceil(5000 / 25)
    assert number(brief, "economics.payback_week") == 4  # 50 units a week, 200 to sell
    payback = brief.figures["economics.payback_week"]
    assert (payback.low, payback.high) == (3, 6)  # 75 and 33.3 units a week
    assert number(brief, "decision.cash_at_risk") == 5000
    assert number(brief, "decision.unsold_at_low") == pytest.approx((500 - 400) * 10)
    assert number(brief, "decision.base_rate") == pytest.approx(0.5)


def test_fees_come_off_the_price_wherever_the_brief_reckons_with_it(compiled: Compile) -> None:
    fees = BriefSettings(payment_fee=0.02, delivery_cost=1.5, channel_fees={"Outlet": 0.6, "Marketplace": 0.15})
    brief = compiled(settings=fees)
    net = 25 * 0.98 - 1.5
    assert number(brief, "price.payment") == pytest.approx(0.5)
    assert number(brief, "price.net") == pytest.approx(net)
    assert number(brief, "economics.unit_contribution") == pytest.approx(net - 10)
    assert number(brief, "economics.contribution_12w") == pytest.approx(600 * (net - 10))
    assert number(brief, "economics.break_even_units") == math.ceil(5000 / net)
    cheaper = 600 * 0.9**-2.0 * (22.5 * 0.98 - 1.5 - 10)
    assert number(brief, "economics.lever_price") == pytest.approx(cheaper - 600 * (net - 10))
    assert number(brief, "scenarios.base_result") == pytest.approx(600 * net - 600 * 10)
    assert number(brief, "scenarios.flip_price") == pytest.approx((10 + 1.5) / 0.98), "what is left of it is the cost"
    channels = [(str(brief.figures[f"economics.channel_{n}_name"].value), n) for n in (1, 2)]
    assert [name for name, _ in channels] == ["Marketplace", "Outlet"]
    assert [number(brief, f"economics.channel_{n}_contribution") for _, n in channels] == pytest.approx(
        [net - 10 - 0.15 * 25, net - 10 - 0.6 * 25]
    )
    assert "channel_loses_money" in {finding.rule for finding in brief.findings}
    said = brief.section("economics").text
    assert "after payment and delivery" in said
    assert "Return costs are not on record" in said
    asked = next(call["inputs"] for call in brief.calls if call["tool"] == "plan_inventory")
    assert asked["service_level"] == pytest.approx((net - 10) / (net - 10 + 5)), "an unsold unit brings half its cost"


def test_a_fee_that_is_not_set_is_unknown_and_not_taken_off(compiled: Compile) -> None:
    brief = compiled(settings=BriefSettings(delivery_cost=1.5))
    assert brief.figures["price.payment_fee"].value is None
    assert "finance" in brief.figures["price.payment_fee"].reason
    assert brief.figures["price.payment"].value is None
    assert number(brief, "economics.unit_contribution") == pytest.approx(25 - 1.5 - 10)
    assert "What payment costs is not set" in brief.section("economics").text


def test_the_sign_offs_say_what_is_true_of_this_brief(compiled: Compile) -> None:
    brief = compiled()
    blocked = [gate.id for gate in brief.gates if gate.status == "blocked"]
    assert blocked
    assert [name.split()[0] for name in str(brief.figures["signoff.blocked"].value).split(", ")] == blocked
    said = brief.section("signoffs").text
    assert "In the way of the signatures: {{signoff.blocked}}" in said
    assert "{{signoff.named}} of {{signoff.offices}} offices have a person named" in said
    assert (number(brief, "signoff.named"), number(brief, "signoff.offices")) == (0, 6)
    people = dict.fromkeys(("merchandising", "supply", "finance", "marketing", "service", "legal"), "Ada")
    named = compiled(settings=BriefSettings(owners=people)).section("signoffs").text
    assert "All {{signoff.offices}} offices have a person named to sign." in named
    some = compiled(settings=BriefSettings(owners={"finance": "Ada"}))
    assert "finance" not in str(some.figures["signoff.unnamed"].value)
    assert number(some, "signoff.named") == 1


def test_a_derived_figure_names_its_sources_and_its_formula(compiled: Compile) -> None:
    figure = compiled().figures["economics.contribution_12w"]
    assert figure.inputs == {"of": ["launch.units_12w", "economics.unit_contribution"]}
    assert figure.formula
    assert figure.tool == "ledger"
    assert figure.currency == "USD"
    assert figure.as_of == date(2026, 5, 31)


def test_a_derived_figure_rests_on_the_rows_of_its_sources(compiled: Compile) -> None:
    figures = compiled().figures
    margin = figures["cannibalisation.unit_margin"]
    assert (margin.value, margin.rows and margin.rows.count) == (pytest.approx(21 - 9), 1)
    assert figures["cannibalisation.margin"].rows == margin.rows
    assert figures["cannibalisation.margin"].value == pytest.approx(-8 * 12)
    assert number(compiled(), "cannibalisation.net_margin") == pytest.approx(600 * 15 - 8 * 12)


def test_gates_say_what_they_wait_for(compiled: Compile) -> None:
    gates = {gate.id: gate for gate in compiled().gates}
    assert list(gates) == ["G0", "G1", "G2", "G3", "G4", "G5", "G6"]
    assert gates["G1"].status == "ready"
    assert gates["G2"].status == "blocked"
    assert "item.budget" in {missing.needs for missing in gates["G2"].missing}
    assert [gates[name].status for name in ("G4", "G5", "G6")] == ["later"] * 3


def test_a_figure_that_the_shop_does_without_blocks_nothing(shop: Shop, compiled: Compile) -> None:
    with shop.begin() as connection:
        connection.execute(delete(t.competitor_prices))
    assert compiled().verdict == "conditional"
    assert compiled(settings=BriefSettings(waived=("market.rivals",))).verdict == "go"


def test_the_challenger_argues_the_other_way(shop: Shop, compiled: Compile) -> None:
    go, no = compiled(), compiled(draft=add_draft(shop, price=9.0))
    assert go.section("scenarios").bullets[0].startswith("{{decision.base_rate_missed}} of")
    assert no.verdict == "no-go"
    assert not set(go.section("scenarios").bullets) & set(no.section("scenarios").bullets)


def test_finished_sections_are_handed_over_quick_ones_first(compiled: Compile) -> None:
    seen: list[str] = []
    compiled(finished=lambda section, figures: seen.append(section.id))
    assert len(seen) == len(SECTIONS) == 30
    assert seen.index("price") < seen.index("demand") < seen.index("buy") < seen.index("need")
    assert seen.index("decision") > seen.index("risks")


def test_the_count_of_the_bench_finds_what_is_wrong(compiled: Compile) -> None:
    brief = compiled()
    assert list(wrong(brief)) == []
    section = brief.sections[0].model_copy(update={"text": "Sells 12 {{launch.units_12w}} and {{launch.nothing}}"})
    broken = brief.model_copy(update={"sections": (section,)})
    assert {kind for kind, _ in islice(wrong(broken), 2)} == {"unbacked", "unresolved"}


def test_a_brief_that_is_only_looked_at_is_not_stored(shop: Shop, draft: Draft, compiled: Compile) -> None:
    assert compiled(store=False).id == ""
    assert briefs_of(shop, draft.id) == []


def test_levers_against_recomputing_the_contribution(compiled: Compile) -> None:
    brief = compiled()
    base = 600 * (25 - 10)
    assert number(brief, "economics.lever_demand") == pytest.approx(540 * 15 - base)
    assert number(brief, "economics.lever_cost") == pytest.approx(600 * (25 - 11) - base)
    assert number(brief, "economics.lever_price") == pytest.approx(600 * 0.9**-2.0 * (22.5 - 10) - base)
    assert "Demand moves the result most" in brief.section("economics").text


@pytest.mark.parametrize(
    ("cash", "spend", "price", "cost", "first_buy"),
    [
        (5000, 0, 25, 10, 500),
        (5000, 700, 25, 10, 500),
        (5000, 9000, 25, 10, 500),
        (90, 30, 7, 3, 30),
        (10, 0, 11, 10, 1),
    ],
)
def test_break_even_against_selling_one_by_one(
    cash: float, spend: float, price: float, cost: float, first_buy: float
) -> None:
    balance, sold = -cash - spend, 0
    while balance < -1e-9:
        sold += 1
        balance += price - (cost if sold > first_buy else 0)
    assert break_even_units(cash, spend, price, cost, first_buy) == sold


def test_an_outlay_that_never_comes_back() -> None:
    assert break_even_units(5000, 0, 9, 10, 500) is None
    assert break_even_units(10, 0, 0, 10, 1) is None


def test_week_reached_and_scaling() -> None:
    assert week_reached([5, 5, 5], 10) == 2
    assert week_reached([5, 5, 5], 16) is None
    assert week_reached([], 1) is None
    assert scaled([1, 3], 8) == [2, 6]
    assert scaled([0, 0], 8) == [0, 0]


def test_contribution_with_constant_elasticity_is_best_at_the_textbook_price() -> None:
    # Lerner: price = cost x e / (1 + e); for e = -2 and cost 10 that is 20.
    changes = [step / 100 for step in range(-40, 41)]
    best = max(changes, key=lambda change: contribution_after(100, 20, 10, -2.0, price_change=change))
    assert best == 0.0


def test_completeness_counts_core_fields_and_usual_attributes() -> None:
    usual = usual_attributes([{"Colour": "red", "Volume": "1 l"}, {"Colour": "blue"}, {"Colour": ""}])
    assert usual == ["Colour"]
    filled, empty = completeness(Draft(id="D-1", name="Cup", cost=1.0), usual)
    assert filled == ["name", "cost"]
    assert empty == ["category", "price", "launch_date", "description", "Colour"]


def test_every_tool_is_called_once_and_with_what_is_known(compiled: Compile) -> None:
    brief = compiled(settings=BriefSettings(lead_time_days=20))
    calls = {call["tool"]: call["inputs"] for call in brief.calls}
    assert len(brief.calls) == len(calls) == 4
    assert calls["recommend_price"] == {"product": "D-0001", "cost": 10.0}
    assert calls["forecast_launch"] == {"product": "D-0001", "price": 25.0, "launch_date": "2026-09-01", "weeks": 12}
    assert calls["plan_inventory"]["lead_time_days"] == 20


def test_without_a_price_it_plans_at_the_recommended_one(shop: Shop, compiled: Compile) -> None:
    brief = compiled(draft=add_draft(shop, price=None))
    assert number(brief, "price.planned") == 24.0
    assert next(call for call in brief.calls if call["tool"] == "forecast_launch")["inputs"]["price"] == 24.0
    assert "No price is set" in brief.section("item").text


# -- what it decides --------------------------------------------------------------------------------------------------


def rules(brief: Brief) -> dict[str, str]:
    return {finding.rule: finding.severity for finding in brief.findings}


def test_go_with_three_reasons(compiled: Compile) -> None:
    brief = compiled()
    assert brief.verdict == "go"
    assert len(brief.section("decision").bullets) == 3
    graver = [found for found in brief.findings if found.severity != "warning"]
    assert not [found for found in graver if brief.section(found.section).gate in BINDING]
    assert all(section.status == "complete" for section in brief.sections if section.gate == "G1")


def test_no_go_when_the_price_does_not_earn_the_cost(shop: Shop, compiled: Compile) -> None:
    brief = compiled(draft=add_draft(shop, price=9.0))
    assert brief.verdict == "no-go"
    assert rules(brief)["price_under_cost"] == "stop"
    assert "does not earn its unit cost" in brief.section("decision").bullets[0]


@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize("lacking", ["cost", "category", "launch_date", "price"])
def test_a_draft_that_lacks_something_still_gets_what_can_be_had(
    shop: Shop, compiled: Compile, lacking: str, locale: str
) -> None:
    empty = "" if lacking == "category" else None
    brief = compiled(draft=add_draft(shop, **{lacking: empty}), settings=BriefSettings(locale=locale))
    assert brief.unbacked == ()
    assert len(brief.section("decision").bullets) == 3
    if lacking == "price":
        assert brief.verdict == "go"
        return
    assert brief.verdict == "conditional"
    needed = {missing.needs for section in brief.sections if section.gate == "G1" for missing in section.missing}
    assert needed == {f"item.{lacking}"}
    assert brief.section("item").status == "incomplete"


def test_no_verdict_without_cost(shop: Shop, compiled: Compile) -> None:
    brief = compiled(draft=add_draft(shop, cost=None))
    assert brief.figures["economics.unit_contribution"].value is None
    assert "Unit cost" in brief.figures["economics.unit_contribution"].reason
    assert brief.section("decision").bullets[0] == "Missing: unit cost, from buying."
    assert brief.section("economics").status == "unknown"
    assert [m.text for m in brief.section("price").missing] == ["floor, which needs the unit cost from buying"]
    assert brief.section("demand").status == "complete"


def test_when_every_tool_refuses_the_brief_says_why_and_what_it_needs(compiled: Compile) -> None:
    refusal = {name: {"refuse": f"{name} needs 3 launches; import more."} for name in small_names()}
    brief = compiled(refusal)
    assert brief.verdict == "conditional"
    assert brief.unbacked == ()
    assert len(brief.section("decision").bullets) == 3
    assert brief.section("demand").status == "unknown"
    assert brief.section("analogues").bullets == ("{{note.forecast_launch}}",)
    assert brief.figures["note.forecast_launch"].value == "forecast_launch needs 3 launches; import more."


def small_names() -> tuple[str, ...]:
    return ("recommend_price", "forecast_launch", "plan_inventory")


def test_budget_counts_as_outlay_and_can_stop_the_launch(compiled: Compile) -> None:
    small, middle, large = compiled(budget=1000.0), compiled(budget=10_000.0), compiled(budget=20_000.0)
    assert number(small, "decision.cash_at_risk") == 6000
    assert (small.verdict, middle.verdict, large.verdict) == ("go", "conditional", "no-go")
    assert rules(large)["spend_above_upside"] == "stop"


def test_confidence_falls_with_the_methods_error(compiled: Compile) -> None:
    def sure(wape: float) -> object:
        return compiled({"forecast_launch": {"launch.wape": wape}}).figures["decision.confidence"].value

    assert [sure(0.4), sure(0.7), sure(1.2)] == ["high", "medium", "low"]


# -- that it holds still ----------------------------------------------------------------------------------------------


def test_the_same_plan_has_the_same_hash_in_any_language_and_on_any_draft_id(shop: Shop, compiled: Compile) -> None:
    first, again = compiled(), compiled(draft=add_draft(shop), settings=BriefSettings(locale="zh"))
    other = compiled({"plan_inventory": {"buy.first_buy": 499}})
    assert first.plan_hash == again.plan_hash
    assert first.plan_hash != other.plan_hash
    assert first.verdict == again.verdict


def test_a_brief_is_stored_as_it_was_and_a_second_one_beside_it(shop: Shop, draft: Draft, compiled: Compile) -> None:
    first, second = compiled(), compiled(budget=100.0)
    assert load_brief(shop, first.id) == first
    assert briefs_of(shop, draft.id) == [first.id, second.id]
    with pytest.raises(ToolError, match="the latest is"):
        load_brief(shop, "B-9999")


def test_progress_is_told_and_cancelling_stores_nothing(shop: Shop, draft: Draft, compiled: Compile) -> None:
    seen: list[tuple[str, int, int]] = []
    compiled(progress=lambda name, done, total: seen.append((name, done, total)))
    assert [done for _, done, _ in seen] == list(range(2 * len(SECTIONS)))
    stored = briefs_of(shop, draft.id)
    with pytest.raises(Cancelled, match="nothing was stored"):
        compiled(cancelled=lambda: len(seen) > 0)
    assert briefs_of(shop, draft.id) == stored


def test_a_role_without_the_tools_is_told(shop: Shop, draft: Draft) -> None:
    tools: dict[str, BoundTool] = {}
    with pytest.raises(ToolError, match="this role may not call"):
        compile_brief(tools, shop, draft)


# -- what it looks like -----------------------------------------------------------------------------------------------


def test_json_has_the_promised_shape(compiled: Compile) -> None:
    document = to_json(compiled())
    assert list(document) == [
        "id", "plan_hash", "data_cutoff", "verdict", "sections", "figures", "unbacked", "findings", "seconds",
    ]  # fmt: skip
    assert document["data_cutoff"] == "2026-05-31"
    assert [section["id"] for section in document["sections"]] == [section.id for section in SECTIONS]
    for section in document["sections"]:
        assert set(section) == {"id", "title", "status", "text", "figures", "missing"}
        assert set(section["figures"]) <= set(document["figures"])
        assert "{{" not in section["text"]
    needed = {"label", "value", "unit", "low", "high", "tool", "inputs", "formula", "as_of"}
    assert all(needed <= set(figure) for figure in document["figures"].values())


def texts_of(thing: object) -> list[Text]:
    """Every bilingual text in a declaration, found by walking it."""
    if isinstance(thing, Text):
        return [thing]
    if isinstance(thing, tuple):
        return [text for each in thing for text in texts_of(each)]
    if hasattr(thing, "__dataclass_fields__"):
        return [text for name in thing.__dataclass_fields__ for text in texts_of(getattr(thing, name))]
    return []


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.id)
def test_declarations_hold_no_number_and_the_same_figures_in_both_languages(section: object) -> None:
    texts = texts_of(section)
    assert texts
    for text in texts:
        assert not bare_numbers(text.en), text.en
        assert not bare_numbers(text.zh), text.zh
        assert sorted(placeholders(text.en)) == sorted(placeholders(text.zh)), text.en


def test_whatever_a_fact_waits_for_has_a_name_and_a_supplier() -> None:
    named = {fact.figure for section in SECTIONS for fact in section.facts}
    assert {source for section in SECTIONS for fact in section.facts for source in fact.needs} <= named
