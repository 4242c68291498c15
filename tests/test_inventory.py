"""Stock: the newsvendor against its golden value, the reorder rule against a naive loop, honest unknowns."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from test_launch import check_templates, world

from shop import Actor, Shop, ToolError
from shop import schema as t
from tools import ALL
from tools.inventory import plan_inventory, weekly_rates
from tools.newsvendor import expected_cost, follow, newsvendor, order_plan
from tools.registry import bind


@pytest.fixture
def known(empty_shop: Shop) -> Shop:
    return world(empty_shop)


def test_newsvendor_matches_the_textbook() -> None:
    # Snyder and Shen, Fundamentals of Supply Chain Theory: h = 2, p = 18, demand N(120, 10).
    ranks = (np.arange(400_000) + 0.5) / 400_000
    quantity, cost = newsvendor(norm.ppf(ranks, 120, 10), overage=2, underage=18)
    assert quantity == pytest.approx(132.8155, abs=1e-3)
    assert cost == pytest.approx(35.0997, abs=1e-3)


def test_newsvendor_quantity_costs_least() -> None:
    demand = np.random.default_rng(0).gamma(2, 50, 500)
    quantity, cost = newsvendor(demand, 3.0, 7.0)
    tried = [expected_cost(demand, each, 3.0, 7.0) for each in np.linspace(1, 600, 300)]
    assert cost <= min(tried) + 1e-9
    assert cost == pytest.approx(np.mean([3 * max(quantity - d, 0) + 7 * max(d - quantity, 0) for d in demand]))


def naive_follow(demand: list[float], first_buy: float, reorder: float, up_to: float, lead: int) -> tuple[bool, int]:
    stock, orders, short, first = float(first_buy), [], False, 0
    for week, wanted in enumerate(demand):
        stock += sum(units for due, units in orders if due == week)
        short = short or (week < 12 and wanted > stock)
        stock = max(0.0, stock - wanted)
        position = stock + sum(units for due, units in orders if due > week)
        if position <= reorder:
            orders.append((week + lead, max(up_to - position, 0.0)))
            first = first or week + 1
    return short, first


def test_the_reorder_rule_matches_a_naive_loop() -> None:
    draws = np.random.default_rng(1).gamma(1.5, 10, (200, 20))
    short, left, ordered = follow(draws, 90, 60, 100, 3)
    for row, run_out, week in zip(draws, short, ordered, strict=True):
        assert naive_follow(list(row), 90, 60, 100, 3) == (run_out, week)
    assert left == pytest.approx(np.maximum(90 - draws[:, :12].sum(axis=1), 0))


def test_a_higher_service_level_buys_more_and_runs_out_less() -> None:
    draws = np.random.default_rng(2).gamma(1.5, 10, (2000, 20))
    plans = [order_plan(draws, lead=4, review=2, service_level=level) for level in (0.6, 0.9, 0.99)]
    buys, risks = [p.first_buy for p in plans], [p.p_stockout for p in plans]
    assert buys == sorted(buys)
    assert risks == sorted(risks, reverse=True)
    assert plans[1].first_buy == pytest.approx(np.quantile(draws[:, :6].sum(axis=1), 0.9), abs=1.5)


def test_certain_demand_needs_no_safety_stock() -> None:
    plan = order_plan(np.full((10, 20), 10.0), lead=4, review=2, service_level=0.95)
    assert (plan.first_buy, plan.safety, plan.p_stockout) == (60, 0.0, 0.0)
    assert plan.reorder_point == 50


def test_weekly_rates_leave_out_weeks_without_stock() -> None:
    last = pd.Timestamp("2026-01-28")
    days = pd.date_range(end=last, periods=28)
    daily = pd.DataFrame({"day": days, "units": 1, "in_stock": [True] * 14 + [False] * 7 + [None] * 7})
    assert weekly_rates(daily, last, 4).tolist() == [7, 7, 7]
    assert weekly_rates(daily.iloc[:7], last, 4).tolist() == [0, 0, 0, 7]


def test_draft_plan_has_the_figures_of_the_brief(known: Shop) -> None:
    known.add_draft("Beech kettle", "Kitchen > Kettles", cost=8.0, price=22.0)
    result = bind(ALL, known, Actor(role="manager"))["plan_inventory"](product="D-0001", lead_time_days=21)
    ledger = check_templates(result)
    wanted = "first_buy lead_time service_level safety_stock reorder_point cover_weeks p_stockout p_overstock cash"
    wanted += " demand_over_cover second_order_week regret_1_units regret_1_cost"
    assert {f"buy.{name}" for name in wanted.split()} <= set(ledger)
    assert ledger["buy.cover_weeks"].value == 5
    assert ledger["buy.cash"].value == pytest.approx(8.0 * float(str(ledger["buy.first_buy"].value)))
    assert ledger["buy.regret_1_cost"].unit == "money"


def test_without_a_cost_money_is_unknown(known: Shop) -> None:
    known.add_draft("Beech kettle", "Kitchen > Kettles", price=22.0)
    ledger = check_templates(plan_inventory(known, "D-0001"))
    assert ledger["buy.cash"].value is None
    assert ledger["buy.cash"].reason
    assert ledger["buy.regret_1_cost"].unit == "units"


def test_a_product_with_sales_is_planned_from_them(known: Shop) -> None:
    result = plan_inventory(known, "P002")
    ledger = check_templates(result)
    since = known.cutoff - timedelta(weeks=26) + timedelta(days=1)
    weekly = known.daily(skus=["P002"], since=since)["units"].sum() / 26
    assert ledger["buy.demand_over_cover"].value == pytest.approx(7 * weekly, rel=0.05)
    assert any("own last weeks" in warning for warning in result.warnings)


def test_a_product_out_of_stock_all_along_is_refused(known: Shop) -> None:
    since = known.cutoff - timedelta(weeks=30)
    with known.begin() as connection:
        connection.execute(t.daily.delete().where(t.daily.c.sku == "P000", t.daily.c.day >= since))
        days = [since + timedelta(days=day) for day in range(30 * 7 + 1)]
        rows = [{"sku": "P000", "day": day, "units": 0, "revenue_cents": 0, "in_stock": False} for day in days]
        connection.execute(t.daily.insert(), rows)
    with pytest.raises(ToolError, match="in stock for fewer than four"):
        plan_inventory(known, "P000")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"lead_time_days": 0}, "1 to 365"),
        ({"lead_time_days": 366}, "1 to 365"),
        ({"service_level": 0.4}, "between 0.5 and 0.999"),
        ({"service_level": 1.0}, "between 0.5 and 0.999"),
        ({"review_days": 1}, "7 to 90"),
        ({"clearance_share": 2.0}, "between 0 and 1"),
    ],
)
def test_bad_input_is_one_sentence(known: Shop, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ToolError, match=says):
        plan_inventory(known, "P000", **arguments)
