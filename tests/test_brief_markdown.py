"""The printed brief: every figure leads to its evidence, foreign text stays text, a terminal gets columns."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from brief_tools import small_tools
from sqlalchemy import insert

from agent.brief import Brief, BriefSettings, brief_writer, compile_brief, load_brief, to_markdown, to_text
from agent.brief.markdown import escape, traced
from agent.ledger import bare_numbers
from shop import Actor, Shop, ToolError
from shop import schema as t
from tools.registry import BoundTool, bind

LINK = re.compile(r"\[((?:[^\[\]\\]|\\.)*)\]\(#([a-z0-9_.]+)\)")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True)
    with shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-1", name="Old kettle", category="Kettles"))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 5, 31), units=1, revenue_cents=100))
    return shop


def brief_of(shop: Shop, locale: str = "en", **changes: Any) -> Brief:
    given: dict[str, Any] = {
        "name": "Aurora 1.7 | <b>[best](https://evil.example)</b>",
        "category": "Kettles",
        "cost": 10.0,
        "price": 25.0,
        "launch_date": date(2026, 9, 1),
        "description": "",
        "attributes": {"Volume": "1.7 l"},
    }
    draft = shop.add_draft(**{**given, **changes})
    return compile_brief(small_tools(shop, {}), shop, draft, settings=BriefSettings(locale=locale))  # type: ignore[arg-type]


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_every_number_is_a_link_and_every_link_has_its_evidence(shop: Shop, locale: str) -> None:
    brief = brief_of(shop, locale)
    page = to_markdown(brief)
    body, _, evidence = page.partition("### ")
    links = LINK.findall(body)
    anchors = re.findall(r'<a id="([^"]+)"></a>', evidence)
    assert {target for _, target in links} <= set(anchors)
    assert len(anchors) == len(set(anchors))
    assert bare_numbers(LINK.sub("", body)) == []


def test_evidence_holds_call_inputs_formula_and_date(shop: Shop) -> None:
    brief = brief_of(shop)
    rows = {row.split('"')[1]: row for row in to_markdown(brief).splitlines() if row.startswith('| <a id="')}
    first_buy = rows["buy.first_buy"]
    assert brief.figures["buy.first_buy"].call in first_buy.replace("\\", "")
    assert "lead_time_days=30" in first_buy.replace("\\", "")
    assert "2026-05-31" in first_buy
    assert "[launch.units_12w](#launch.units_12w)" in rows["economics.contribution_12w"]
    assert all(row.count(" | ") == 7 for row in rows.values())


def test_figures_that_others_are_computed_from_are_traced_too(shop: Shop) -> None:
    brief = brief_of(shop)
    shown = {name for section in brief.sections for name in section.figures}
    behind = set(traced(brief)) - shown
    assert "launch.base_rate_hit" not in behind
    assert "item.filled" in shown
    assert set(brief.figures["decision.tier"].inputs["of"]) <= set(traced(brief))


def test_foreign_text_cannot_become_markup(shop: Shop) -> None:
    page = to_markdown(brief_of(shop))
    assert "<b>" not in page
    assert "\\](https\\://evil.example)" in page
    assert "Kettle \\[1\\] \\| old" in page
    assert escape("a\n# b") == "a # b"


def test_terminal_text_has_no_links_and_lines_up(shop: Shop) -> None:
    text = to_text(brief_of(shop, "zh", name="晨光水壶"))
    assert "](#" not in text
    assert "{{" not in text
    table = text[text.index("逐周销量") :].splitlines()[1:4]
    width = lambda line: sum(2 if ord(char) > 0x2E80 else 1 for char in line)  # noqa: E731
    assert width(table[0]) <= width(table[1])


def test_a_section_that_lacks_something_says_so_in_its_heading_and_below(shop: Shop) -> None:
    text = to_text(brief_of(shop, cost=None))
    assert "Price (incomplete)" in text
    assert "- Missing: floor, which needs the unit cost from buying" in text


# -- the tool ---------------------------------------------------------------------------------------------------------


def writer_for(shop: Shop) -> BoundTool:
    manager = Actor(role="manager", id="m-1")
    return bind([brief_writer(small_tools(shop, {}))], shop, manager)["write_brief"]


def test_write_brief_answers_with_the_verdict_and_stores_the_brief(shop: Shop) -> None:
    shop.add_draft("Aurora kettle", "Kettles", 10.0, 25.0, None, "", {})
    write = writer_for(shop)
    assert write.tool.effect == "write"
    result = write(product="aurora kettle", launch_date="2026-09-01", budget=1000)
    figures = {figure.id: figure for figure in result.figures}
    brief = load_brief(shop, str(figures["brief.id"].value))
    assert brief.subject.launch_date == date(2026, 9, 1)
    assert figures["brief.cash_at_risk"].value == 6000
    assert figures["brief.units"].low == 400
    assert "launch.units_12w" in figures["brief.units"].formula
    assert bare_numbers(result.summary + "".join(result.warnings)) == []


def test_write_brief_refuses_what_it_cannot_plan(shop: Shop) -> None:
    shop.add_draft("Aurora kettle", "Kettles", 10.0, 25.0, None, "", {})
    write = writer_for(shop)
    with pytest.raises(ToolError, match="on sale already"):
        write(product="K-1")
    with pytest.raises(ToolError, match="below zero"):
        write(product="aurora kettle", budget=-1)
