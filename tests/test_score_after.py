"""After the launch: lights, triggers, promotions, figures set by hand, dated lessons, and the rest planned again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from score_shop import LAUNCH, MANAGER, document, kettle_shop, sell, store
from sqlalchemy import delete

from agent.ledger import bare_numbers
from agent.render import render
from shop import Shop, ToolResult
from shop import schema as t
from shop.brief_log import brief_log
from shop.database import insert_new
from shop.lessons import lessons
from shop.session import Session
from tools import ALL
from tools.figures import Sheet
from tools.launch.lessons import lesson_table
from tools.registry import bind
from tools.scoring import launch_statuses, learn_lessons, replan, scored
from tools.scoring.plan import frozen_plan, pair_of
from tools.scoring.targets import Mark, light, worst

KETTLES = "Kitchen > Kettles"
TARGETS: dict[str, tuple[Any, str]] = {
    "targets.week_1_units": (28.0, "units"),
    "targets.week_1_red": (21.0, "units"),
    "targets.week_4_units": (112.0, "units"),
    "targets.week_4_red": (90.0, "units"),
    "targets.week_4_margin": (400.0, "money"),
    "targets.week_4_margin_red": (300.0, "money"),
    "targets.stockout": (0.05, "share"),
    "targets.stockout_red": (0.2, "share"),
    "item.cost": (4.0, "money"),
}


@pytest.fixture
def shop(empty_shop: Shop) -> Shop:
    return kettle_shop(empty_shop)


def plan_with(shop: Shop, more: dict[str, tuple[Any, str]] | None = None, weeks: int = 4, **settings: Any) -> None:
    """The brief of the kettle, with further figures and settings, in the place of the plain one."""
    with shop.begin() as connection:
        connection.execute(delete(t.briefs))
    store(shop, "B-0001", "D-0001", LAUNCH - timedelta(days=9), document(weeks=weeks, more=more, **settings))


def run(shop: Shop, **arguments: Any) -> ToolResult:
    return bind(ALL, shop, MANAGER)["score_launch"](product="K-1", **arguments)


def values(result: ToolResult) -> dict[str, Any]:
    return {figure.id: figure.value for figure in result.figures}


def told(result: ToolResult) -> list[str]:
    figures = {figure.id: figure for figure in result.figures}
    return [render(text, figures) for text in (result.summary, *result.warnings)]


def bare(result: ToolResult) -> list[str]:
    cells = [cell for table in result.tables for row in (*table.rows, table.columns) for cell in (table.title, *row)]
    return [text for text in (result.summary, *result.warnings, *cells) if bare_numbers(text)]


# -- targets and triggers ---------------------------------------------------------------------------------------------


def test_a_light_is_green_at_the_target_and_red_beyond_the_line() -> None:
    assert [light(x, 100, 75) for x in (100, 99, 75, 74)] == ["green", "amber", "amber", "red"]
    assert [light(x, 0.05, 0.1) for x in (0.05, 0.06, 0.1, 0.11)] == ["green", "amber", "amber", "red"]
    early = Mark("units", 1, 5.0, 10.0, 8.0)
    assert worst([early, Mark("units", 4, 50.0, 40.0, 30.0)]) == "green"
    assert worst([Mark("rating", 4, None, 4.0, 3.0, "nobody reviewed it")]) == "not known"


def test_targets_of_the_brief_are_held_to_what_happened(shop: Shop) -> None:
    plan_with(shop, TARGETS)
    result = run(shop)
    found = values(result)
    assert found["score.target_units_04"] == 86
    assert found["score.target_margin_04"] == pytest.approx(860 - 4 * 86)
    assert found["score.target_stockout_04"] == pytest.approx(3 / 28)
    assert found["score.light"] == "red"
    table = next(table for table in result.tables if table.title == "Targets")
    assert [(row[0], row[-1]) for row in table.rows] == [
        ("Units by then", "green"),
        ("Units by then", "green"),  # the brief has no target for week two: its forecast stands in
        ("Units by then", "red"),
        ("Margin by then", "green"),
        ("Days out of stock", "amber"),
    ]
    assert any("units by then stands at 86; red begins at 90" in text for text in told(result))
    assert not bare(result)


def test_a_plan_without_targets_is_held_to_its_forecast(shop: Shop) -> None:
    found = values(run(shop, week=2))
    assert found["score.target_units_02_green"] == 56
    assert found["score.target_units_02_red"] == pytest.approx(0.75 * 56)
    assert found["score.light"] == "green"


def test_triggers_fire_at_the_plans_own_values(shop: Shop) -> None:
    # Six weeks planned of which four are over: 86 of the first buy of 100 are sold, 14 counted in the warehouse.
    plan_with(shop, {"buy.reorder_point": (20.0, "units")}, weeks=6, markdown_week=4, markdown_sell_through=0.9)
    count = {"sku": "K-1", "warehouse_id": "W", "day": LAUNCH + timedelta(days=27), "on_hand": 14}
    with shop.begin() as connection:
        insert_new(connection, t.warehouses, [{"id": "W", "name": "House"}])
        insert_new(connection, t.stock, [count])
    found = scored(shop, pair_of(shop, shop.product("K-1")))  # type: ignore[arg-type]
    assert [alert.kind for alert in found.alerts] == ["sell_through", "reorder"]
    result = run(shop)
    assert "Alert: stock of 14 units has reached the plan's reorder point of 20." in told(result)
    assert any("under 90% by now the plan asks for a first markdown" in text for text in told(result))
    assert any("The rest cannot be planned again" in text for text in told(result))
    earlier = scored(shop, found.pair, week=3)
    assert earlier.on_hand is None
    assert not earlier.alerts


def test_a_channel_is_stopped_when_it_has_spent_its_trial_for_nothing(shop: Shop) -> None:
    plan_with(shop, {"ads.search_stop_spend": (50.0, "money"), "ads.search_stop_orders": (3.0, "count")})
    campaign = {"name": "Kettles", "channel": "search", "category": KETTLES, "impressions": 900, "clicks": 40}
    days = [(0, 3000, 1), (9, 2500, 1), (40, 9000, 9)]
    rows = [
        {**campaign, "id": "C-1", "day": LAUNCH + timedelta(days=n), "spend_cents": cents, "conversions": orders}
        for n, cents, orders in days
    ]
    with shop.begin() as connection:
        insert_new(connection, t.campaigns, rows)
    assert not any("stop search" in text for text in told(run(shop, week=1)))
    assert any("stop search: it has spent $55" in text for text in told(run(shop, week=2)))


def test_an_approved_brief_is_the_plan_even_where_a_later_one_was_written(shop: Shop) -> None:
    store(shop, "B-0002", "D-0001", LAUNCH - timedelta(days=3), document(price=None))
    product = shop.product("K-1")
    assert product is not None
    assert frozen_plan(shop, pair_of(shop, product)).brief == "B-0002"
    row = {
        "brief_id": "B-0001",
        "draft_id": "D-0001",
        "plan_hash": "f" * 64,
        "kind": "approve",
        "detail": {"seal": _seal(shop, "B-0001")},
        "actor_role": "manager",
        "actor_id": "m-1",
        "at": Session("manager", "m-1").now(),
        "day": LAUNCH - timedelta(days=8),
    }
    with shop.begin() as connection:
        insert_new(connection, brief_log, [row])
    plan = frozen_plan(shop, pair_of(shop, product))
    assert (plan.brief, plan.approved) == ("B-0001", True)
    assert not any("Nobody approved" in text for text in told(run(shop)))


def _seal(shop: Shop, brief: str) -> str:
    from shop.brief_log import document_of
    from shop.canonical import digest

    return digest(document_of(shop, brief)["document"])


# -- figures set by hand ----------------------------------------------------------------------------------------------


def test_who_was_closer_the_hand_or_the_tools(shop: Shop) -> None:
    plan_with(shop)
    with shop.begin() as connection:
        content = connection.execute(t.briefs.select()).mappings().one()["document"]
        about = {"was": 60.0, "by": "m-7", "on": "2026-02-20", "because": "the fair"}
        content["figures"]["launch.units_4w"]["inputs"] = {"by_hand": about}
        content["figures"]["launch.price"]["inputs"] = {"by_hand": {**about, "was": 10.4}}
        content["figures"]["buy.first_buy"]["inputs"] = {"by_hand": {**about, "was": None}}
        connection.execute(t.briefs.update().values(document=content))
    result = run(shop)
    table = next(table for table in result.tables if table.title == "Figures set by hand")
    found = values(result)
    # 28 + 28 + 28 (three days out of stock) + 14 were wanted; 112 were planned by hand, 60 by the tools.
    assert found["score.hand_2_actual"] == pytest.approx(98)
    assert [row[-1] for row in table.rows] == ["hand", "hand", "not known"]
    assert found["score.hand_3_said"] is None
    early = next(table for table in run(shop, week=3).tables if table.title == "Figures set by hand")
    assert early.rows[1][-1] == "not known"


# -- promotions -------------------------------------------------------------------------------------------------------


@pytest.fixture
def promoted(empty_shop: Shop) -> Shop:
    """The kettle sells twice as much in its fourth week, a quarter off; a dozen others sell as ever."""
    rng = np.random.default_rng(3)
    past = empty_shop.as_of(LAUNCH - timedelta(days=20))
    past.add_draft("Aurora kettle", KETTLES, 4.0, 10.0, LAUNCH)
    others = [f"P-{n}" for n in range(12)]
    names = {"K-1": "Aurora Kettle", **{sku: f"Pan {sku}" for sku in others}}
    products = [
        {
            "sku": sku,
            "name": name,
            "category": KETTLES,
            "cost_cents": 400,
            "launch_date": LAUNCH if sku == "K-1" else date(2025, 1, 6),
        }
        for sku, name in names.items()
    ]
    season = 1 + 0.3 * np.sin(np.arange(28))
    rows = []
    for sku in names:
        for n in range(28):
            cheap = sku == "K-1" and n >= 21
            units = int(rng.poisson(20 * season[n] * (2 if cheap else 1)))
            paid, off = (750, 250) if cheap else (1000, 0)
            day = LAUNCH + timedelta(days=n)
            money = {"revenue_cents": units * paid, "discount_cents": units * off}
            rows.append({"sku": sku, "day": day, "units": units, "in_stock": True, **money})
    offer = {"id": "PR-1", "name": "Spring week", "mechanic": "percentage", "sku": "K-1", "depth": 0.25}
    with empty_shop.begin() as connection:
        insert_new(connection, t.products, products)
        insert_new(connection, t.daily, rows)
        days = {"starts": LAUNCH + timedelta(days=21), "ends": LAUNCH + timedelta(days=27)}
        insert_new(connection, t.promotions, [offer | days])
    store(empty_shop, "B-0001", "D-0001", LAUNCH - timedelta(days=9), document())
    return empty_shop


def test_a_promotion_that_doubled_sales_is_found_with_its_margin(promoted: Shop) -> None:
    result = run(promoted)
    found = values(result)
    base = found["score.promotion_1_units"] / 2
    assert found["score.promotion_1_added"] == pytest.approx(base, rel=0.15)
    assert found["score.promotion_1_level"] == pytest.approx(base, rel=0.2)
    assert found["score.promotion_1_added_chance"] == pytest.approx(1 / 13)
    units, added = found["score.promotion_1_units"], found["score.promotion_1_added"]
    assert found["score.promotion_1_margin"] == pytest.approx(units * 3.5 - (units - added) * 6)
    assert any("Spring week (PR-1) added" in text for text in told(result)) or "cannot be told" in told(result)[0]
    assert not bare(result)
    # Nothing of it is told before it begins.
    assert "score.promotion_1_units" not in values(run(promoted, week=3))


def test_a_promotion_too_early_to_judge_says_so(promoted: Shop) -> None:
    with promoted.begin() as connection:
        connection.execute(t.promotions.update().values(starts=LAUNCH + timedelta(days=5)))
        connection.execute(t.daily.update().where(t.daily.c.sku == "K-1").values(discount_cents=10))
    result = run(promoted)
    figure = next(figure for figure in result.figures if figure.id == "score.promotion_1_added")
    assert figure.value is None
    assert "too few days" in figure.reason


# -- lessons ----------------------------------------------------------------------------------------------------------


def test_lessons_are_kept_once_and_seen_only_from_the_day_after_their_week(shop: Shop) -> None:
    assert learn_lessons(shop) == 1
    assert learn_lessons(shop) == 0
    lesson = lessons(shop).iloc[0]
    assert (lesson["sku"], lesson["week"], lesson["day"]) == ("K-1", 4, LAUNCH + timedelta(days=27))
    assert lesson["units"] == 86
    assert lesson["demand"] == pytest.approx(98)
    assert sum(lesson["effects"].values()) == pytest.approx(lesson["gap"])
    assert lesson["factor"] == "availability"
    assert lessons(shop.as_of(LAUNCH + timedelta(days=27))).empty
    assert len(lessons(shop.as_of(LAUNCH + timedelta(days=28)))) == 1


def test_a_lesson_does_not_know_what_came_after_its_week(shop: Shop) -> None:
    learn_lessons(shop)
    before = lessons(shop).drop(columns="effects").to_dict("records")
    with shop.begin() as connection:
        connection.execute(lessons_table().delete())
    sell(shop, "K-1", [0] * 28 + [50] * 20, 3.0)
    learn_lessons(shop)
    assert lessons(shop).drop(columns="effects").to_dict("records") == before


def lessons_table() -> Any:
    from shop.lessons import launch_lessons

    return launch_lessons


def test_a_forecast_shows_what_the_plans_of_its_analogues_missed(shop: Shop) -> None:
    assert lesson_table(shop, Sheet(), ["K-1"]) is None
    learn_lessons(shop)
    sheet = Sheet()
    table = lesson_table(shop, sheet, ["K-0", "K-1"])
    assert table is not None
    assert [row[-1] for row in table.rows] == ["stock"]
    assert sheet.value("launch.plan_bias") == pytest.approx(14 / 98)
    assert sheet.value("launch.analogue_2_lesson_share") == pytest.approx(86 / 112)
    assert lesson_table(shop.as_of(LAUNCH + timedelta(days=20)), Sheet(), ["K-1"]) is None


# -- all launches, and the rest of one --------------------------------------------------------------------------------


def test_all_launches_at_a_glance(shop: Shop) -> None:
    statuses = launch_statuses(shop, weeks=80)
    assert [(status.sku, status.brief) for status in statuses] == [("K-1", "B-0001"), ("K-0", "")]
    assert statuses[0].attained == pytest.approx(86 / 112)
    assert statuses[0].weeks == 4
    assert "No draft of Old kettle" in statuses[1].reason
    assert [status.sku for status in launch_statuses(shop)] == ["K-1"]


@pytest.mark.slow
def test_the_rest_of_a_launch_follows_its_first_weeks(demo_shop: Shop) -> None:
    item = demo_shop.product("CAM-006")
    assert item is not None
    assert item.launch_date is not None
    now = demo_shop.as_of(item.launch_date + timedelta(weeks=4))

    class Twelve:
        horizon = 12

        @staticmethod
        def number(name: str) -> float | None:
            return {"buy.lead_time": 14.0, "buy.review": 2.0, "buy.service_level": 0.9}.get(name)

    made = replan(now, item, Twelve())  # type: ignore[arg-type]
    assert made is not None
    assert made.seen == 4
    assert made.starts[0] == now.today
    assert made.weeks.shape == (8, 3)
    assert (np.diff(made.weeks, axis=1) >= 0).all()
    if made.on_hand is not None:
        assert made.order == max(0, made.up_to - round(made.on_hand))
    later = demo_shop.as_of(item.launch_date + timedelta(weeks=13))
    assert replan(later, item, Twelve()) is None  # type: ignore[arg-type]
