"""What the pages beside the desk are made of, without a browser: cards, levers, facts of the shop, the launch list."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from brief_tools import small_tools
from sqlalchemy import insert

from agent.brief import Brief, compile_brief, load_brief
from agent.brief.edit import redo, reword
from agent.brief.whatif import Inputs, WhatIf, with_inputs
from agent.render import render
from shop import Figure, Shop, ToolError, actions
from shop import schema as t
from shop.brief_log import acts
from shop.changes import CHANGES
from shop.session import Session
from tools.proposals import propose_change
from tools.registry import bind
from ui import brief_view
from ui.approvals import as_typed, audit_table, card, decided_table, instead
from ui.brief_charts import price_waterfall, scenario_tornado, task_gantt
from ui.charts import gantt, ladder, tornado, waterfall
from ui.launch_list import launches
from ui.levers import inputs_of, levers
from ui.shop_facts import facts, fresh_table, gap_table, refused_rows
from ui.strings import Words

SAY = Words("approvals", "en")
BRIEF = Words("brief", "en")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """One product with a sale on 2026-05-31, so that today is 2026-06-01, in a manager's hands."""
    shop = Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True)
    with shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-1", name="Kettle <b>", list_price_cents=2000))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 5, 31), units=1, revenue_cents=100))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 5, 28), units=2, revenue_cents=200))
    return shop.acting_as(Session("manager", "mara"))


@pytest.fixture
def brief(shop: Shop) -> Brief:
    draft = shop.add_draft("Aurora kettle", "Kitchen > Kettles", cost=10.0, price=25.0, launch_date=date(2026, 9, 1))
    return load_brief(shop, compile_brief(small_tools(shop, {}), shop, draft).id)


def propose(shop: Shop, **given: str) -> Any:
    bind([propose_change], shop, shop.acting.actor)["propose_change"](**given)
    return actions.waiting(shop, CHANGES)[-1]


def test_a_card_shows_the_rows_before_and_after_and_escapes_what_others_wrote(shop: Shop) -> None:
    action = propose(shop, change="price", product="K-1", value="21.50", reason="[click](http://x)")
    text = card(action, "EUR", SAY)
    assert "€20.00 | €21.50" in text
    assert "Kettle \\<b\\>" in text
    assert "\\[click\\]" in text
    chinese = card(action, "EUR", Words("approvals", "zh"))
    assert "批准后" in chinese


def test_another_value_is_another_proposal_and_the_first_is_turned_down(shop: Shop) -> None:
    action = propose(shop, change="price", product="K-1", value="21.50")
    assert as_typed(action) == "21.50"
    assert instead(action, "23") == {"change": "price", "product": "K-1", "value": "23"}
    bind([propose_change], shop, shop.acting.actor)["propose_change"](**instead(action, "23"))
    actions.reject(shop, action.id)
    [left] = actions.waiting(shop, CHANGES)
    assert left.after["price_cents"] == 2300
    actions.approve(shop, CHANGES, left.id)
    table = decided_table(shop, SAY)
    assert f"| {left.id} |" in table
    assert "approved" in table
    assert "turned down" in table
    assert "The audit is whole" in audit_table(shop, SAY)


def test_levers_that_stand_where_the_brief_has_them_change_nothing(brief: Brief) -> None:
    start = {lever.name: lever.value for lever in levers(brief)}
    assert {"price", "launch_date", "first_buy", "budget", "lead_time_days", "service_level"} <= set(start)
    assert inputs_of(brief, start) == Inputs()
    moved = inputs_of(brief, {**start, "price": 28.0, "launch_date": 2, "service_level": 80})
    assert moved == Inputs(price=28.0, launch_date=date(2026, 9, 15), service_level=0.8)
    for lever in levers(brief):
        assert lever.low <= lever.value <= lever.high, lever


def test_changed_figures_are_marked_and_the_others_left_alone(shop: Shop, brief: Brief) -> None:
    answer = WhatIf(small_tools(shop, {}), shop, brief).ask(Inputs(price=28.0))
    link = brief_view.marked({each.figure: each for each in answer.changed}, "en")
    text = render("{{price.planned}} for {{launch.units_12w}} units", answer.plan.ledger, "en", link)
    assert "~~\\$25.00~~ **\\$28.00**" in text
    assert "[600](#fig-brief:launch.units_12w)" in text
    low = render("{{launch.revenue_12w.low}}", answer.plan.ledger, "en", link)
    assert "~~\\$10,000~~ **\\$11,200**" in low
    draft, _, _ = with_inputs(brief, Inputs(price=28.0))
    assert draft.price == 28.0


def test_a_section_in_a_persons_words_is_a_new_version_without_typed_numbers(shop: Shop, brief: Brief) -> None:
    for text, wrong in (
        ("About 600 units.", "600"),
        ("It sells {{launch.no_such}}.", "launch.no_such"),
        ("It sells {{launch.analogues.low}}.", "analogues.low"),
        ("  ", "at least one sentence"),
    ):
        with pytest.raises(ToolError, match=wrong):
            reword(shop, brief, "demand", text)
    new = reword(shop, brief, "demand", "We count on {{launch.units_12w}} units.")
    assert new.id != brief.id
    assert new.section("demand").written_by == "person"
    assert new.section("demand").figures[0] == "launch.units_12w"
    assert [s for s in new.sections if s.id != "demand"] == [s for s in brief.sections if s.id != "demand"]
    assert new.unbacked == ()
    assert [act.actor.id for act in acts(shop, brief_id=new.id)] == ["mara"]
    again = redo(shop, small_tools(shop, {}), new, "demand")
    assert again.section("demand").text == brief.section("demand").text


def test_one_section_is_not_made_anew_from_other_data(shop: Shop, brief: Brief) -> None:
    moved = small_tools(shop, {"forecast_launch": {"launch.units_12w": 500.0}})
    with shop.begin() as connection:
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 6, 2), units=1, revenue_cents=100))
    with pytest.raises(ToolError, match="today's data"):
        redo(shop, moved, brief, "demand")


def test_every_digit_beside_the_paper_is_a_figures(brief: Brief) -> None:
    for text in (brief_view.checks(brief), brief_view.challenger(brief)):
        rest = re.sub(r"\[(?:[^\]\\]|\\.)*\]\(#(?:fig-brief|part)[^)]*\)|\*\*G\d\*\*|P\d\d", "", text)
        assert not re.search(r"\d", rest), rest
    assert brief_view.contents(brief).count("#part-") == len(brief.sections)


def test_charts_hold_the_figures_they_are_drawn_from(brief: Brief) -> None:
    steps = price_waterfall(brief, BRIEF)
    assert steps is not None
    assert list(steps.data[0].y) == [25.0, -10.0, 15.0]
    given = {"price.payment": 0.5, "price.delivery_cost": 2.0, "economics.unit_contribution": 12.5}
    given |= {"economics.channel_1_contribution": 10.0, "economics.channel_2_contribution": 8.75}
    names = {"economics.channel_1_name": "shop", "economics.channel_2_name": "marketplace"}
    figures = {key: Figure(id=key, label=key, value=value, unit="money") for key, value in given.items()}
    figures |= {key: Figure(id=key, label=key, value=value, unit="text") for key, value in names.items()}
    with_fees = price_waterfall(brief.model_copy(update={"figures": {**brief.figures, **figures}}), BRIEF)
    assert with_fees is not None
    assert list(with_fees.data[0].y) == [25.0, -0.5, -2.0, -10.0, 12.5, 8.75 - 12.5, 8.75]
    assert list(with_fees.data[0].measure) == [*["relative"] * 4, "total", "relative", "total"]
    assert list(with_fees.data[0].x)[-2:] == ["Fee: marketplace", "Contribution: marketplace"]
    assert scenario_tornado(brief, BRIEF) is not None
    tasks = task_gantt(brief, BRIEF)
    assert tasks is not None
    assert sum(len(bar.y) for bar in tasks.data) >= 10


def test_shapes_of_the_charts() -> None:
    assert list(waterfall("", "", [("a", 3.0), ("b", -1.0)], ("c", 2.0)).data[0].measure) == ["relative"] * 2 + [
        "total"
    ]
    assert list(tornado("", "", [("small", 1.0), ("large", -5.0)]).data[0].y) == ["small", "large"]
    assert list(ladder("", "", [("dear", 9.0), ("cheap", 1.0)], ["dear"]).data[0].x) == [1.0, 9.0]
    bar = gantt("", [("<a href=x>", date(2026, 1, 1), date(2026, 1, 7), "")]).data[0]
    assert list(bar.x) == [7 * 86_400_000]
    assert bar.y[0] == "&lt;a href=x&gt;"


def test_facts_of_the_shop_are_what_its_tables_hold(shop: Shop) -> None:
    ledger = facts(shop, Words("shop", "en"))
    assert ledger["fresh.first"].value == date(2026, 5, 28)
    assert ledger["fresh.daily"].value == date(2026, 5, 31)
    assert ledger["gap.days"].value == 2
    assert ledger["gap.cost"].value == 1
    assert ledger["gap.price_share"].value == 0
    assert ledger["fresh.reviews"].value is None
    for text in (fresh_table(ledger, Words("shop", "zh")), gap_table(ledger, Words("shop", "zh"))):
        assert ledger.missing(text) == []


def test_facts_see_nothing_later_than_the_day(shop: Shop) -> None:
    earlier = facts(shop.as_of(date(2026, 5, 30)), Words("shop", "en"))
    assert earlier["fresh.daily"].value == date(2026, 5, 28)
    assert earlier["fresh.daily_rows"].value == 1


def test_refused_rows_are_read_from_their_own_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("row,reason,cells\n3,no price,a,b\n", encoding="utf-8")
    expected = pd.DataFrame([["3", "no price", "a", "b"]], columns=["row", "reason", "cells", "+1"])
    pd.testing.assert_frame_equal(refused_rows(tmp_path, "sales.xlsx"), expected)
    assert refused_rows(tmp_path / "other", "../sales.csv") is None
    assert refused_rows(tmp_path, "absent.csv") is None


def test_launches_are_planned_late_or_undated_until_they_sell(shop: Shop, brief: Brief) -> None:
    shop.add_draft("Undated")
    shop.add_draft("Late", launch_date=shop.today - timedelta(days=3))
    found = {each.name: each for each in launches(shop)}
    assert {name: each.status for name, each in found.items()} == {
        "Late": "late",
        "Aurora kettle": "planned",
        "Undated": "undated",
    }
    assert [each.name for each in launches(shop)][-1] == "Undated"
    assert found["Aurora kettle"].brief == brief.id
    assert found["Aurora kettle"].verdict == brief.verdict
    assert found["Undated"].last is None
