"""The brief over the real tools and the small demo shop."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from agent.brief import Brief, BriefSettings, compile_brief, to_json, to_markdown, to_text
from benchmarks.ledger import wrong
from shop import Actor, Shop
from tools import ALL
from tools.registry import bind

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(demo_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A copy of the demo shop that drafts and briefs may be written to."""
    copy: Path = tmp_path_factory.mktemp("brief") / "demo.db"
    with demo_shop.engine.connect() as connection:
        connection.execute(text("VACUUM INTO :path"), {"path": str(copy)})
    return Shop.open(f"sqlite:///{copy}")


def brief_of(
    shop: Shop,
    locale: str = "en",
    as_of: date | None = None,
    budget: float | None = None,
    settings: dict[str, Any] | None = None,
    **changes: Any,
) -> Brief:
    seen = shop if as_of is None else shop.as_of(as_of)
    given: dict[str, Any] = {
        "name": "Aurora kettle 1.7",
        "category": "Kitchen > Kettles",
        "cost": 14.0,
        "price": 49.9,
        "launch_date": seen.today + timedelta(days=90),
        "description": "A gooseneck kettle that holds its temperature.",
        "attributes": {"Colour": "green"},
    }
    draft = shop.add_draft(**{**given, **changes})
    tools = bind(ALL, seen, Actor(role="manager", id="m-1"))
    chosen = BriefSettings.model_validate({"locale": locale, **(settings or {})})
    return compile_brief(tools, seen, draft, settings=chosen, budget=budget)


NOTHING = {"price": None, "cost": None, "category": "", "launch_date": None, "description": "", "attributes": {}}


@pytest.mark.parametrize(
    ("locale", "changes"),
    [
        ("en", {}),
        ("zh", {}),
        ("zh", {"price": None}),
        ("en", {"cost": None}),
        ("zh", {"category": ""}),
        ("en", {"launch_date": None}),
        ("en", NOTHING),
    ],
    ids=["whole", "whole, Chinese", "no price", "no cost", "no category", "no date", "only a name"],
)
def test_a_brief_comes_out_whatever_the_draft_lacks(shop: Shop, changes: dict[str, Any], locale: str) -> None:
    brief = brief_of(shop, locale, **changes)
    assert brief.unbacked == ()
    assert len(brief.section("decision").bullets) == 3
    assert not [found for found in brief.findings if found.severity == "error" and "add_up" in found.rule]
    assert "{{" not in to_text(brief) + to_markdown(brief)
    lacking = {missing.needs for section in brief.sections for missing in section.missing}
    for field in ("cost", "category", "launch_date"):
        assert (f"item.{field}" in lacking) == (changes.get(field, "given") in (None, ""))


def test_every_section_of_a_whole_draft_but_those_that_people_fill_is_complete(shop: Shop) -> None:
    brief = brief_of(shop, budget=3000.0)
    assert len(brief.sections) == 30
    waits = {section.id for section in brief.sections if section.status != "complete"}
    assert waits <= {"service", "compliance", "score"}
    assert {gate.id: gate.status for gate in brief.gates}["G5"] == "later"
    assert list(wrong(brief)) == []


@pytest.mark.parametrize(
    ("settings", "changes", "rule"),
    [
        ({"lead_time_days": 200}, {}, "date_before_lead_time"),
        ({"min_margin": 0.75}, {}, "margin_under_least"),
        ({}, {"cost": 60.0}, "price_under_cost"),
    ],
    ids=["launch before the stock", "margin against price", "cost above price"],
)
def test_what_contradicts_itself_is_told_and_the_rest_still_stands(
    shop: Shop, settings: dict[str, Any], changes: dict[str, Any], rule: str
) -> None:
    brief = brief_of(shop, settings=settings, **changes)
    assert rule in {finding.rule for finding in brief.findings}
    assert brief.verdict != "go"
    assert brief.section("demand").status == "complete"


def test_analogues_are_products_of_the_shop_and_figures_trace_to_calls(shop: Shop) -> None:
    brief = brief_of(shop)
    names = set(shop.products()["name"])
    assert str(brief.figures["launch.analogue_1_name"].value).rsplit(" (", 1)[0] in names
    calls = {call["call"] for call in brief.calls}
    document = to_json(brief)
    for name in {name for section in document["sections"] for name in section["figures"]}:
        figure = document["figures"][name]
        assert figure["tool"] == "ledger" or figure["call"] in calls
        assert figure["as_of"] == document["data_cutoff"]


def test_a_brief_of_the_past_rests_on_nothing_later(shop: Shop) -> None:
    past = shop.today - timedelta(days=60)
    brief = brief_of(shop, as_of=past)
    assert brief.data_cutoff < past
    assert max(figure.as_of for figure in brief.figures.values() if figure.as_of) == brief.data_cutoff


def test_a_date_in_the_past_is_told_in_one_sentence(shop: Shop) -> None:
    brief = brief_of(shop, launch_date=shop.today - timedelta(days=10))
    assert brief.verdict != "go"
    assert "date_in_the_past" in {finding.rule for finding in brief.findings}
    assert brief.section("demand").status == "unknown"


def test_the_example_in_the_document_runs(
    demo_shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with demo_shop.engine.connect() as connection:
        connection.execute(text("VACUUM INTO :path"), {"path": str(tmp_path / "shop.db")})
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[1] / "docs" / "brief.md").read_text()
    exec(page.split("```python")[1].split("```")[0], {})
    assert capsys.readouterr().out.startswith("Launch brief: Aurora kettle")
