"""Stock plans: levels, orders, the plain rule beside them, honest unknowns, refusals."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from test_launch import check_templates, world

from shop import Actor, Shop, ToolError
from shop import schema as t
from tools import ALL
from tools.inventory import plan_inventory
from tools.inventory.demand import spread_out
from tools.inventory.flips import Money, flips
from tools.inventory.lost_sales import Rule, follow
from tools.inventory.plan import Needs, order_plan, plain_rule
from tools.registry import bind


@pytest.fixture
def known(empty_shop: Shop) -> Shop:
    return world(empty_shop)


def test_a_higher_service_level_buys_more_and_runs_out_less() -> None:
    draws = np.random.default_rng(2).gamma(1.5, 10, (2000, 20))
    plans = [order_plan(draws, Needs(4, 2, level)) for level in (0.6, 0.9, 0.99)]
    buys, risks = [p.order for p in plans], [p.p_stockout for p in plans]
    assert buys == sorted(buys)
    assert risks == sorted(risks, reverse=True)
    assert plans[1].order == pytest.approx(np.quantile(draws[:, :6].sum(axis=1), 0.9), abs=1.5)


def test_certain_demand_needs_no_safety_stock() -> None:
    plan = order_plan(np.full((10, 20), 10.0), Needs(4, 2, 0.95))
    assert (plan.order, plan.safety, plan.p_stockout) == (60, 0.0, 0.0)
    assert plan.reorder_point == 50
    assert plan.long_run[2] == 0


def test_stock_on_hand_packs_and_delays_change_the_order() -> None:
    draws = np.random.default_rng(3).poisson(10, (2000, 20)).astype(float)
    plain = order_plan(draws, Needs(4, 2, 0.95, on_hand=30.0), launched=True)
    assert plain.order == plain.up_to - 30
    packed = order_plan(draws, Needs(4, 2, 0.95, on_hand=30.0, minimum=50, pack=12), launched=True)
    assert packed.order == 60
    assert order_plan(draws, Needs(4, 2, 0.95, lead_sd=1.0), launched=True).up_to > plain.up_to
    unknown = order_plan(draws, Needs(4, 2, 0.95), launched=True)
    assert (unknown.order, unknown.up_to) == (None, plain.up_to)


def test_a_fill_rate_sets_the_levels_and_is_reached() -> None:
    draws = np.random.default_rng(4).poisson(10, (2000, 60)).astype(float)
    plan = order_plan(draws, Needs(2, 2, 0.5, fill=0.97), launched=True)
    run = follow(draws, Rule(plan.up_to - 1, plan.up_to, 2), plan.up_to, 2)
    assert 0.97 <= run.sold[:, 4:].sum() / draws[:, 4:].sum() < 0.995


def test_spread_out_keeps_the_quantiles() -> None:
    asked = np.array([[10.0, 20.0, 45.0], [5.0, 8.0, 9.0]])
    assert pytest.approx(asked, rel=0.03) == np.quantile(spread_out(asked, 40_000), (0.1, 0.5, 0.9), axis=0).T


def test_flips_find_where_the_gain_ends() -> None:
    draws = np.random.default_rng(5).gamma(2, 10, (1000, 20))
    plan = order_plan(draws, Needs(4, 2, 0.9))
    found = flips(draws, plan, plain_rule(20.0, Needs(4, 2, 0.9), False, 0.0), 4, Money(30.0, 10.0, 5.0))
    assert found.gain.mean() > 0
    assert found.demand is not None
    assert found.demand < 1  # too much stock for less demand
    assert found.nearest


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


@pytest.mark.slow
def test_a_product_with_sales_is_planned_from_its_forecast(known: Shop) -> None:
    ledger = check_templates(plan_inventory(known, "P002"))
    since = known.cutoff - timedelta(weeks=26) + timedelta(days=1)
    weekly = known.daily(skus=["P002"], since=since)["units"].sum() / 26
    assert ledger["buy.demand_over_cover"].value == pytest.approx(7 * weekly, rel=0.5)
    assert ledger["buy.first_buy"].value is None
    assert "not on record" in ledger["buy.first_buy"].reason
    assert ledger["buy.order_up_to"].value >= ledger["buy.demand_over_cover"].value  # type: ignore[operator]


@pytest.mark.slow
def test_stock_on_hand_is_taken_off_the_order(known: Shop) -> None:
    with known.begin() as connection:
        connection.execute(t.warehouses.insert().values(id="W", name="Main"))
        connection.execute(t.stock.insert().values(sku="P002", warehouse_id="W", day=known.cutoff, on_hand=40))
    ledger = check_templates(plan_inventory(known, "P002"))
    order = max(float(str(ledger["buy.order_up_to"].value)) - 40, 0)
    assert (ledger["buy.on_hand"].value, ledger["buy.first_buy"].value) == (40, order)


def test_money_brings_gain_option_and_the_assumption(known: Shop) -> None:
    known.add_draft(
        "Beech kettle", "Kitchen > Kettles", cost=8.0, price=22.0, attributes={"MOQ": "50", "Pack size": "12"}
    )
    result = plan_inventory(known, "D-0001", order_cost=30.0)
    ledger = check_templates(result)
    assert int(str(ledger["buy.first_buy"].value)) % 12 == 0
    assert ledger["buy.first_buy"].value >= 50  # type: ignore[operator]
    for name in ("gain", "gain_mean", "option_value", "economic_order", "open_to_buy"):
        assert ledger[f"buy.{name}"].value is not None
    assert "hangs on" in result.summary
    shares = [ledger[f"buy.state_{state}"].value for state in ("in_stock", "low", "out")]
    assert sum(map(float, map(str, shares))) == pytest.approx(1)


def test_a_cost_above_the_price_is_refused(known: Shop) -> None:
    known.add_draft("Beech kettle", "Kitchen > Kettles", cost=30.0, price=22.0)
    with pytest.raises(ToolError, match="loses money"):
        plan_inventory(known, "D-0001")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"lead_time_days": 0}, "1 to 365"),
        ({"lead_time_days": 366}, "1 to 365"),
        ({"service_level": 0.4}, "between 0.5 and 0.999"),
        ({"service_level": 1.0}, "between 0.5 and 0.999"),
        ({"review_days": 1}, "7 to 90"),
        ({"clearance_share": 2.0}, "between 0 and 1"),
        ({"lead_time_days": -3}, "1 to 365"),
        ({"fill_rate": 1.0}, "between 0.5 and 0.999"),
        ({"lead_time_spread_days": 40.0}, "does not fit"),
        ({"order_cost": 0.0}, "above zero"),
    ],
)
def test_bad_input_is_one_sentence(known: Shop, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ToolError, match=says):
        plan_inventory(known, "P000", **arguments)
