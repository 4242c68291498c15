"""Each rule across sections: silent on a sound plan, and the finding with its mend when its case is there."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from agent.brief.declare import Text
from agent.brief.plan import Plan
from agent.brief.rules import RULES, enter_thresholds, lint
from agent.brief.sections import SECTIONS
from agent.brief.types import BriefSettings
from agent.ledger import Ledger, bare_numbers, placeholders
from shop import Draft, Figure, Shop
from shop import schema as t
from tools.copy.voice import Voice, set_voice

TODAY = date(2026, 6, 1)
LAUNCH = date(2026, 9, 1)
COPIED = {  # what a piece of copy enters: claims, where they stand, lengths
    "price": "$25.00",
    "price_source": "draft D-1, planned price",
    "launch": "September 1, 2026",
    "launch_source": "launch date",
    "claim_1": "It boils in a minute.",
    "claim_1_source": "draft D-1, description",
    "policy": "Return it within a month.",
    "policy_source": "Returns: Window (RET-1)",
    "policy_passage": "Return it within a month. Returns are free.",
}
SOUND: dict[str, Any] = {
    "item.cost": 10.0,
    "item.budget": 1500.0,
    "item.completeness": 0.9,
    "item.launch_date": LAUNCH,
    "price.planned": 25.0,
    "price.payment_fee": 0.02,
    "price.delivery_cost": 0.5,
    "price.net": 24.0,
    "price.floor": 12.0,
    "price.cost": 10.0,
    "price.recommended": (25.0, 23.0, 27.0),
    "price.intro": 22.0,
    "price.intro_until": date(2026, 10, 1),
    "price.support_low": 8.0,
    "price.support_high": 60.0,
    "price.market_low": 18.0,
    "price.market_high": 40.0,
    "price.elasticity": -1.8,
    "price.rival_response": 24.0,
    "price.rival_units_change": -0.02,
    "price.prior_low": 25.0,
    "launch.price": 25.0,
    "launch.date": LAUNCH,
    "launch.horizon": 12,
    "launch.units_12w": (600.0, 400.0, 900.0),
    "launch.revenue_12w": 15_000.0,
    "launch.analogues": 6,
    "launch.base_rate_hit": 3,
    "launch.base_rate_of": 6,
    "launch.wape": 0.4,
    "launch.wape_median_curve": 0.5,
    "launch.bias": -0.1,
    "launch.coverage": 0.8,
    "launch.backtests": 40,
    "cannibalisation.units": -60.0,
    "cannibalisation.net_margin": 8000.0,
    "assortment.net_units": 540.0,
    "decision.base_rate": 0.5,
    "decision.cash_at_risk": 5500.0,
    "decision.data_cutoff": date(2026, 5, 31),
    "economics.contribution_12w": (9000.0, 6000.0, 13_500.0),
    "economics.contribution_rate": 0.6,
    "economics.break_even_units": 200,
    "economics.payback_week": 4,
    "economics.pays_back_low": 1,
    "economics.pays_back_high": 1,
    "buy.first_buy": 500,
    "buy.lead_time": 30,
    "buy.cover_weeks": 9,
    "buy.demand_over_cover": (450.0, 300.0, 650.0),
    "buy.service_level": 0.9,
    "buy.safety_stock": 60.0,
    "buy.reorder_point": 270,
    "buy.second_order_week": 4,
    "buy.minimum_order": 100,
    "buy.pack_size": 10,
    "buy.cash": 5000.0,
    "buy.p_stockout": 0.1,
    "buy.p_overstock": 0.2,
    "allocation.warehouses": 2,
    "allocation.warehouse_1_units": 300,
    "allocation.warehouse_2_units": 200,
    "promo.start": date(2026, 10, 6),
    "promo.end": date(2026, 10, 12),
    "promo.seen_high": 0.3,
    "promo.p_pays": 0.7,
    "promotion.price": 20.0,
    "promotion.depth": 0.2,
    "promotion.uplift": (0.5, 0.2, 0.9),
    "promotion.contribution": (200.0, -50.0, 400.0),
    "promotion.given": (100.0, 50.0, 200.0),
    "ads.budget": 1000.0,
    "ads.planned": 1000.0,
    "ads.unspent": 0.0,
    "ads.worthwhile": 2000.0,
    "ads.worth": (1800.0, 1200.0, 2500.0),
    "ads.p_better": 0.8,
    "ads.start": LAUNCH,
    "ads.search_budget": 600.0,
    "ads.email_budget": 400.0,
    "ads.search_stop_spend": 150.0,
    "ads.week_1_search": 350.0,
    "ads.week_2_search": 250.0,
    "audience.size": 400,
    "audience.reach": 2000,
    "audience.holdout": 40,
    "audience.buyers": (30.0, 20.0, 45.0),
    "audience.added": (9.0, 4.0, 14.0),
    "readiness.score": 90,
    "task.ready": LAUNCH - timedelta(weeks=2),
    "calendar.launch_1_product": "K (D-1)",
    "calendar.launch_1_date": date(2026, 8, 31),
    "market.trough": date(2027, 2, 1),
    "market.peak": date(2026, 12, 21),
    "market.growth_year": 0.05,
    "targets.week_1_units": 48.0,
    "targets.week_1_red": 36.0,
    "targets.week_12_units": 600.0,
    "targets.week_12_red": 450.0,
    "targets.rating": 4.4,
    "targets.rating_red": 4.0,
    "targets.returns": 0.05,
    "targets.returns_red": 0.07,
    "review_plan.week_4_count": 12,
    "review_plan.seeds": 0,
    "service.answered": 3,
    "service.asked": 3,
    "scenarios.down_result": 1000.0,
    "scenarios.base_result": 6000.0,
    "scenarios.up_result": 12_000.0,
    "risks.demand_impact": -3000.0,
    "risks.demand_trigger": 70.0,
    "rules.exit_units": 150.0,
    "rules.markdown_week": 6,
    "rules.deeper_week": 10,
    **{f"launch.week_{n:02d}": 50.0 for n in range(1, 13)},
    **{f"launch.analogue_{n}_weight": 0.25 for n in range(1, 5)},
    **{f"copy_ad_{language}.{part}": value for language in ("en", "zh") for part, value in COPIED.items()},
    "copy_ad_zh.price": "US$25.00",
    "copy_ad_zh.launch": "2026年9月1日",
    "copy_ad_en.headline_1_length": 20,
    "copy_ad_en.headline_1_limit": 30,
}
BROKEN: dict[str, dict[str, Any]] = {
    "price_under_cost": {"price.planned": 9.0},
    "price_under_cost_with_fees": {"price.net": 9.5},
    "floor_without_fees": {"price.floor": 10.5},
    "channel_loses_money": {"economics.channel_1_name": "Market", "economics.channel_1_contribution": -1.0},
    "never_pays_back": {"economics.pays_back_high": 0},
    "spend_above_upside": {"item.budget": 20_000.0},
    "slow_payback": {"economics.payback_week": None},
    "spend_above_middle": {"item.budget": 10_000.0},
    "spend_over_budget": {"item.budget": 1050.0},
    "margin_under_least": {"economics.contribution_rate": 0.1, "settings": {"min_margin": 0.3}},
    "cash_over_limit": {"settings": {"cash_limit": 5000.0}},
    "price_under_floor": {"price.floor": 26.0},
    "price_at_other_cost": {"price.cost": 12.0},
    "intro_price_without_an_end": {"price.intro_until": None},
    "intro_price_above_planned": {"price.intro": 26.0},
    "intro_price_under_floor": {"price.intro": 11.0},
    "intro_price_ends_before_launch": {"price.intro_until": date(2026, 8, 15)},
    "price_outside_market": {"price.market_high": 24.0},
    "price_far_from_recommended": {"price.recommended": (14.0, 13.0, 15.0)},
    "demand_rises_with_price": {"price.elasticity": 0.4},
    "rival_undercuts": {"price.rival_units_change": -0.3},
    "forecast_at_other_price": {"launch.price": 30.0},
    "forecast_for_other_day": {"launch.date": date(2026, 9, 15)},
    "few_analogues": {"launch.analogues": 3},
    "weak_base_rate": {"decision.base_rate": 0.1},
    "base_rate_out_of_count": {"launch.base_rate_hit": 7},
    "weeks_outside_total": {"launch.week_05": 900.0},
    "interval_very_wide": {"launch.units_12w": (600.0, 90.0, 900.0)},
    "no_better_than_usual_launch": {"launch.wape": 0.6},
    "method_biased": {"launch.bias": 0.4},
    "interval_not_calibrated": {"launch.coverage": 0.5},
    "few_backtests": {"launch.backtests": 4},
    "mostly_cannibalised": {"cannibalisation.units": -400.0},
    "negative_units": {"launch.week_05": -1.0},
    "date_in_the_past": {"item.launch_date": date(2026, 3, 1)},
    "date_before_lead_time": {"item.launch_date": date(2026, 6, 20)},
    "first_buy_below_lead_time_demand": {"buy.first_buy": 150, "buy.cash": 1500.0},
    "first_buy_below_middle_demand": {"buy.demand_over_cover": (600.0, 450.0, 800.0)},
    "cover_shorter_than_lead_time": {"buy.cover_weeks": 4},
    "second_order_too_late": {"buy.second_order_week": 8},
    "below_minimum_order": {"buy.minimum_order": 600},
    "not_in_whole_packs": {"buy.pack_size": 12},
    "cover_beyond_the_plan": {"buy.cover_weeks": 20},
    "lead_time_not_kept": {"settings": {"lead_time_days": 45}},
    "service_level_not_kept": {"settings": {"service_level": 0.95}},
    "reorder_under_safety_stock": {"buy.reorder_point": 40},
    "revenue_does_not_add_up": {"launch.revenue_12w": 14_000.0},
    "cash_does_not_add_up": {"buy.cash": 4000.0},
    "allocation_does_not_add_up": {"allocation.warehouse_2_units": 150},
    "bounds_out_of_order": {"launch.units_12w": (600.0, 700.0, 900.0)},
    "figure_from_the_future": {"as_of": date(2026, 6, 2)},
    "figure_older_than_the_cutoff": {"as_of": date(2026, 5, 1)},
    "data_are_old": {"today": date(2026, 7, 15)},
    "more_than_one_currency": {"extra": [("x.a", 1.0, "money", "EUR"), ("x.b", 1.0, "money", "USD")]},
    "chance_out_of_range": {"extra": [("x.p_win", 1.2, "share", "")]},
    "count_below_zero": {"extra": [("x.number", -2, "count", "")]},
    "loss_at_low_demand": {"economics.pays_back_low": 0},
    "price_outside_experience": {"price.support_high": 20.0},
    "first_buy_above_upside": {"buy.first_buy": 1000, "buy.cash": 10_000.0},
    "likely_overstock": {"buy.p_overstock": 0.6},
    "likely_stockout": {"buy.p_stockout": 0.6},
    "weights_do_not_add_up": {"launch.analogue_2_weight": 0.5},
    "no_cost": {"item.cost": None},
    "no_category": {"category": ""},
    "master_data_incomplete": {"item.completeness": 0.5},
    "cost_out_of_proportion": {"item.cost": 1000.0},
    "weeks_missing": {"launch.week_05": None},
    "promotion_before_stock": {"promo.start": date(2026, 6, 20)},
    "promotion_before_launch": {"promo.start": date(2026, 8, 20)},
    "promotion_ends_before_it_starts": {"promo.end": date(2026, 10, 1)},
    "promotion_price_under_floor": {"promotion.price": 11.0},
    "promotion_price_under_cost": {"promotion.price": 9.0},
    "promotion_price_under_cost_with_fees": {"promotion.price": 10.4},
    "promotion_without_reduction": {"promotion.price": 25.0},
    "depth_never_tried": {"promotion.depth": 0.35},
    "depth_over_setting": {"promotion.depth": 0.55},
    "promotion_costs_more_than_it_brings": {"promotion.contribution": -10.0},
    "promotion_unlikely_to_pay": {"promo.p_pays": 0.3},
    "discounts_over_budget": {"promotion.given": (1600.0, 900.0, 2400.0)},
    "discounts_may_overrun": {"promotion.given": (100.0, 50.0, 2400.0)},
    "promotion_outsells_the_buy": {"promotion.uplift": 6.0, "buy.second_order_week": 9},
    "reduction_without_prior_price": {"promo.start": date(2026, 9, 10)},
    "reduction_above_prior_price": {"price.prior_low": 19.0},
    "ads_before_stock": {"ads.start": date(2026, 6, 20)},
    "ads_before_launch": {"ads.start": date(2026, 8, 20)},
    "ads_before_readiness": {"readiness.score": 40},
    "ads_bring_less_than_they_cost": {"ads.worth": 800.0},
    "ads_past_worthwhile": {"ads.worthwhile": 700.0},
    "ads_over_budget": {"ads.budget": 800.0},
    "channels_do_not_add_up": {"ads.email_budget": 300.0},
    "weeks_do_not_add_up": {"ads.week_2_search": 100.0},
    "ads_without_stop_loss": {"ads.search_stop_spend": None},
    "split_no_better_than_even": {"ads.p_better": 0.4},
    "budget_beyond_evidence": {"ads.unspent": 200.0},
    "audience_without_holdout": {"audience.holdout": 5},
    "audience_beyond_reach": {"audience.size": 2500, "audience.holdout": 250},
    "audience_outbuys_the_stock": {"audience.buyers": (300.0, 200.0, 600.0)},
    "message_effect_unclear": {"audience.added": (9.0, -1.0, 14.0)},
    "day_outside_calendar": {"price.intro_until": date(2027, 3, 1)},
    "other_week_than_the_calendar": {"calendar.launch_1_date": date(2026, 10, 5)},
    "no_week_in_the_calendar": {"calendar.launch_1_date": None},
    "launch_into_the_trough": {"market.trough": date(2026, 9, 7)},
    "launch_just_after_the_peak": {"market.peak": date(2026, 8, 24)},
    "category_shrinks": {"market.growth_year": -0.35},
    "tasks_overdue": {"task.late": "Finish images and copy"},
    "launch_loses_margin": {"cannibalisation.net_margin": -300.0},
    "category_gains_nothing": {"assortment.net_units": -20.0},
    "targets_out_of_order": {"targets.returns_red": 0.03},
    "target_without_red_line": {"targets.rating_red": None},
    "target_too_small_to_measure": {"targets.week_1_units": 1.6, "targets.week_1_red": 1.2},
    "targets_fall_over_time": {"targets.week_12_units": 40.0, "targets.week_12_red": 30.0},
    "rating_target_without_reviews": {"review_plan.week_4_count": 1.2},
    "target_beyond_the_forecast": {"targets.week_12_units": 950.0},
    "seeding_without_disclosure": {"review_plan.seeds": 50},
    "questions_without_answer": {"service.answered": 2},
    "scenarios_out_of_order": {"scenarios.down_result": 7000.0},
    "risk_without_trigger": {"risks.demand_trigger": None},
    "risk_above_the_gain": {"risks.demand_impact": -9500.0},
    "exit_above_the_plan": {"rules.exit_units": 700.0},
    "looks_out_of_order": {"rules.deeper_week": 6},
    "claim_without_evidence": {"copy_ad_en.claim_1_source": None},
    "copy_fails_its_check": {"copy_ad_en.problem_1": "headline_1: best"},
    "copy_over_the_limit": {"copy_ad_en.headline_1_length": 31},
    "copy_names_another_price": {"copy_ad_en.price": "$29.00"},
    "copy_names_another_day": {"copy_ad_zh.launch": "2026年10月1日"},
    "languages_disagree": {"copy_ad_zh.disparity_1": "1.7 l, 1.5 升"},
    "one_language_only": {f"copy_ad_zh.{part}": "gone" for part in COPIED},
    "forbidden_words_in_the_draft": {"copy_ad_en.removed_1": "“best”"},
    "copy_promises_other_terms": {"copy_ad_en.policy": "Return it within a year."},
    "policies_contradict_each_other": {"policy_returns.item_1_conflict_1": "RET-2: within a week"},
    "faq_contradicts_policy": {
        "service.faq_1_answer": "Return it within 60 days.",
        "service.faq_1_source": "Return it within 30 days.",
    },
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose data end on 2026-05-31."""
    shop = Shop.open(f"sqlite:///{tmp_path_factory.mktemp('linter') / 'shop.db'}", create=True)
    with shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-1", name="K", category="Kettles"))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 5, 31), units=1, revenue_cents=100))
    return shop


def plan_of(shop: Shop, changes: dict[str, Any]) -> Plan:
    given = {**SOUND, **changes}
    settings, today = BriefSettings(**given.pop("settings", {})), given.pop("today", TODAY)
    as_of, category = given.pop("as_of", date(2026, 5, 31)), given.pop("category", "Kettles")
    extra = [
        Figure(id=name, label=name, value=value, unit=unit, currency=currency, as_of=as_of)
        for name, value, unit, currency in given.pop("extra", ())
    ]
    draft = Draft(id="D-1", name="K", category=category, launch_date=given["item.launch_date"])
    plan = Plan(shop.as_of(today), draft, settings, None, SECTIONS, Ledger())
    enter_thresholds(plan)
    for name, value in given.items():
        if value == "gone":
            continue
        middle, low, high = value if isinstance(value, tuple) else (value, None, None)
        unit = "date" if isinstance(middle, date) else "text" if isinstance(middle, str) else "units"
        reason = "" if middle is not None else "not given"
        tool = "write_copy" if name.startswith("copy_") else "stub"
        extra.append(
            Figure(
                id=name,
                label=name,
                value=middle,
                unit=unit,  # type: ignore[arg-type]
                reason=reason,
                low=low,
                high=high,
                as_of=as_of,
                tool=tool,
            )
        )
    plan.ledger.restore([], extra)
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
    for text in (rule.check(plan), rule.mend):
        assert isinstance(text, Text)
        assert sorted(placeholders(text.en)) == sorted(placeholders(text.zh))
        assert not bare_numbers(text.en + text.zh)
        assert plan.ledger.missing(text.en) == []
        assert text.en.endswith(".")
        assert text.zh.endswith("。")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_silent_where_it_has_nothing_to_look_at(shop: Shop, rule: Any) -> None:
    """Without the figures of its case a rule must not fire because they are missing."""
    case = BROKEN[rule.id]
    absent = {name: "gone" for name in case if "." in name and name != "item.launch_date" and case[name] is not None}
    is_run = any(part.isdigit() for name in case for part in name.split("_")) or rule.id == "channels_do_not_add_up"
    if not absent or "gone" in case.values() or is_run:
        return  # what is absent, or one of a run of figures, is the case itself
    assert rule(plan_of(shop, {**case, **absent})) is None


def test_every_rule_is_listed_once_and_has_its_case() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) >= 60
    assert {rule.id for rule in RULES} == set(BROKEN)


def test_the_gravest_finding_comes_first(shop: Shop) -> None:
    found = lint(plan_of(shop, {"price.planned": 9.0, "buy.p_overstock": 0.6}))
    severities = [finding.severity for finding in found]
    assert severities == sorted(severities, key=["stop", "error", "warning"].index)
    assert found[0].rule == "price_under_cost"


@pytest.mark.parametrize(
    ("changes", "silent"),
    [
        ({"item.launch_date": date(2026, 7, 1)}, "date_before_lead_time"),  # thirty days after the first of June
        ({"promo.start": date(2026, 10, 1)}, "reduction_without_prior_price"),  # thirty days after the launch
        ({"promo.start": LAUNCH}, "promotion_before_launch"),
        ({"ads.start": LAUNCH}, "ads_before_launch"),
        ({"price.planned": 12.0}, "price_under_floor"),
        ({"buy.first_buy": 100, "buy.cash": 1000.0}, "below_minimum_order"),
        ({"promotion.depth": 0.3}, "depth_never_tried"),
        ({"audience.holdout": 20}, "audience_without_holdout"),
        ({"copy_ad_en.headline_1_length": 30}, "copy_over_the_limit"),
        ({"review_plan.seeds": 50, "settings": {"checked": ("disclosure",)}}, "seeding_without_disclosure"),
        ({"buy.service_level": 0.4, "buy.demand_over_cover": 600.0}, "first_buy_below_middle_demand"),
    ],
)
def test_the_edge_of_a_rule_is_still_sound(shop: Shop, changes: dict[str, Any], silent: str) -> None:
    assert silent not in {finding.rule for finding in lint(plan_of(shop, changes))}


def test_the_rules_of_a_market_hold_where_the_shop_sells(tmp_path: Path) -> None:
    shop = Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True)
    with shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-1", name="K", category="Kettles"))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 5, 31), units=1, revenue_cents=100))
    for markets, holds in ((("cn", "us"), False), (("eu",), True)):
        set_voice(shop, Voice(markets=markets))  # type: ignore[arg-type]
        found = {finding.rule for finding in lint(plan_of(shop, BROKEN["reduction_without_prior_price"]))}
        assert ("reduction_without_prior_price" in found) is holds


def test_a_finding_speaks_the_language_of_its_brief(shop: Shop) -> None:
    plan = plan_of(shop, {**BROKEN["price_under_floor"], "settings": {"locale": "zh"}})
    finding = next(finding for finding in lint(plan) if finding.rule == "price_under_floor")
    assert finding.text.startswith("计划售价")
    assert finding.mend.endswith("。")
