"""Each rule across sections: silent on a sound plan, and the finding when its case is there."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from agent.brief.declare import Text
from agent.brief.linter import RULES, lint
from agent.brief.plan import Plan
from agent.brief.sections import SECTIONS
from agent.brief.types import BriefSettings
from agent.ledger import Ledger, bare_numbers, placeholders
from shop import Draft, Shop
from shop import schema as t

SOUND: dict[str, Any] = {
    "item.cost": 10.0,
    "item.budget": 500.0,
    "item.launch_date": date(2026, 9, 1),
    "price.planned": 25.0,
    "price.floor": 12.0,
    "price.support_low": 8.0,
    "price.support_high": 60.0,
    "launch.price": 25.0,
    "launch.horizon": 12,
    "launch.units_12w": (600.0, 400.0, 900.0),
    "launch.revenue_12w": 15_000.0,
    "launch.analogues": 6,
    "launch.base_rate_hit": 3,
    "launch.base_rate_of": 6,
    "decision.base_rate": 0.5,
    "decision.data_cutoff": date(2026, 5, 31),
    "rule.min_analogues": 5,
    "economics.contribution_12w": (9000.0, 6000.0, 13_500.0),
    "economics.break_even_units": 200,
    "economics.payback_week": 4,
    "economics.pays_back_low": 1,
    "economics.pays_back_high": 1,
    "buy.first_buy": 500,
    "buy.lead_time": 30,
    "buy.cash": 5000.0,
    "buy.p_stockout": 0.1,
    "buy.p_overstock": 0.2,
    **{f"launch.week_{n:02d}": 50.0 for n in range(1, 13)},
    **{f"launch.analogue_{n}_weight": 0.25 for n in range(1, 5)},
}
BROKEN: dict[str, dict[str, Any]] = {
    "price_under_cost": {"price.planned": 9.0},
    "never_pays_back": {"economics.pays_back_high": 0},
    "spend_above_upside": {"item.budget": 20_000.0},
    "slow_payback": {"economics.payback_week": None},
    "spend_above_middle": {"item.budget": 10_000.0},
    "price_under_floor": {"price.floor": 26.0},
    "forecast_at_other_price": {"launch.price": 30.0},
    "few_analogues": {"launch.analogues": 3},
    "weak_base_rate": {"decision.base_rate": 0.1},
    "date_in_the_past": {"item.launch_date": date(2026, 3, 1)},
    "date_before_lead_time": {"item.launch_date": date(2026, 6, 20)},
    "first_buy_below_lead_time_demand": {"buy.first_buy": 150, "buy.cash": 1500.0},
    "revenue_does_not_add_up": {"launch.revenue_12w": 14_000.0},
    "cash_does_not_add_up": {"buy.cash": 4000.0},
    "bounds_out_of_order": {"launch.units_12w": (600.0, 700.0, 900.0)},
    "figure_from_the_future": {"as_of": date(2026, 6, 2)},
    "loss_at_low_demand": {"economics.pays_back_low": 0},
    "price_outside_experience": {"price.support_high": 20.0},
    "first_buy_above_upside": {"buy.first_buy": 1000, "buy.cash": 10_000.0},
    "likely_overstock": {"buy.p_overstock": 0.6},
    "likely_stockout": {"buy.p_stockout": 0.6},
    "weights_do_not_add_up": {"launch.analogue_2_weight": 0.5},
    "no_cost": {"item.cost": None},
    "weeks_missing": {"launch.week_05": None},
}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop whose data end on 2026-05-31."""
    shop = Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True)
    with shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-1", name="K", category="Kettles"))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 5, 31), units=1, revenue_cents=100))
    return shop


def plan_of(shop: Shop, changes: dict[str, Any]) -> Plan:
    given = {**SOUND, **changes}
    as_of = given.pop("as_of", date(2026, 5, 31))
    draft = Draft(id="D-1", name="K", category="Kettles", launch_date=given["item.launch_date"])
    plan = Plan(shop, draft, BriefSettings(), None, SECTIONS, Ledger())
    for name, value in given.items():
        middle, low, high = value if isinstance(value, tuple) else (value, None, None)
        unit = "date" if isinstance(middle, date) else "units"
        reason = "" if middle is not None else "not given"
        plan.ledger.derive(name, name, middle, unit, "given", reason=reason, low=low, high=high, as_of=as_of)  # type: ignore[arg-type]
    return plan


def test_a_sound_plan_has_no_findings(shop: Shop) -> None:
    assert lint(plan_of(shop, {})) == ()


def test_an_empty_plan_only_lacks_its_cost(shop: Shop) -> None:
    plan = Plan(shop, Draft(id="D-1", name="K"), BriefSettings(), None, SECTIONS, Ledger())
    assert [finding.rule for finding in lint(plan)] == ["no_cost"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_fires_on_its_case_and_names_only_known_figures(shop: Shop, rule: Any) -> None:
    plan = plan_of(shop, BROKEN[rule.id])
    finding = rule(plan)
    assert finding is not None
    assert finding in lint(plan)
    assert finding.section in {section.id for section in SECTIONS}
    text = rule.check(plan)
    assert isinstance(text, Text)
    assert sorted(placeholders(text.en)) == sorted(placeholders(text.zh))
    assert not bare_numbers(text.en + text.zh)
    assert plan.ledger.missing(text.en) == []


def test_the_gravest_finding_comes_first(shop: Shop) -> None:
    found = lint(plan_of(shop, {"price.planned": 9.0, "buy.p_overstock": 0.6}))
    assert [finding.severity for finding in found] == sorted(
        (finding.severity for finding in found), key=["stop", "error", "warning"].index
    )
    assert found[0].rule == "price_under_cost"


def test_every_rule_is_listed_once() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) == len(BROKEN)


def test_a_launch_on_the_day_the_stock_lands_is_in_time(shop: Shop) -> None:
    plan = plan_of(shop, {"item.launch_date": date(2026, 7, 1)})  # thirty days after the first of June
    assert "date_before_lead_time" not in {finding.rule for finding in lint(plan)}
