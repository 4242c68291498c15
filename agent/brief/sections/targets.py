"""Targets: what is green, amber and red by week, all of it measurable from the shop's own records."""

from __future__ import annotations

from datetime import timedelta

from agent.brief.declare import DATA, MARKETING, Fact, Grid, SectionPlan, Text, heads, line, row, same
from agent.brief.pace import WEEKS, units_by
from agent.brief.plan import Plan
from agent.brief.sections.ads import CHANNELS
from shop.types import Unit

_YEAR = timedelta(days=365)
_LOW, _HIGH = "targets.red_share", "targets.high_share"


def derive(plan: Plan) -> None:
    low, high = plan.settings.plan_low, plan.settings.plan_high
    plan.enter("targets.red_share", "Share of plan under which it is red", low, "share", "setting")
    plan.enter("targets.high_share", "Share of plan over which a launch is revised", high, "share", "setting")
    for week in WEEKS:
        _derive_week(plan, week)
    _derive_rates(plan)


def _derive_week(plan: Plan, week: int) -> None:
    stem, planned = f"targets.week_{week}", units_by(plan, week)
    plan.enter(stem, "Week since launch", week, "count", "weeks counted from the launch")
    rule = "P50 units by the end of the week: its share of the weekly forecast x units over the horizon"
    reason = "needs the weekly forecast"
    plan.enter(f"{stem}_units", "Units by then, green from", planned, "units", rule, reason, ("launch.units_12w",))
    plan.derive(
        f"{stem}_through",
        "Sell-through by then, green from",
        "share",
        (f"{stem}_units", "buy.first_buy"),
        "units by then / first buy, at most all of it",
        lambda units, buy: min(units / buy, 1.0) if buy else None,
        reason="nothing is bought",
    )
    plan.derive(
        f"{stem}_margin",
        "Margin by then, green from",
        "money",
        (f"{stem}_units", "economics.unit_contribution"),
        "units by then x contribution per unit",
        lambda units, unit: units * unit,
    )
    _derive_red(plan, f"{stem}_units", f"{stem}_red", "Units by then, red under", "units", _LOW)
    _derive_red(plan, f"{stem}_through", f"{stem}_through_red", "Sell-through by then, red under", "share", _LOW)
    _derive_red(plan, f"{stem}_margin", f"{stem}_margin_red", "Margin by then, red under", "money", _LOW)


def _derive_red(plan: Plan, green: str, red: str, label: str, unit: Unit, by: str) -> None:
    """The red line of a target: its green one times the share of plan at which a launch is revised."""
    rule = "green x share of plan at which a launch is revised"
    plan.derive(red, label, unit, (green, by), rule, lambda value, share: value * share)


def _derive_rates(plan: Plan) -> None:
    _derive_advertising(plan)
    for name, label, unit, source, rule in (
        ("returns", "Return rate, green up to", "share", "service.returns", "return rate of the category"),
        ("rating", "Rating, green from", "ratio", "reviews.rating", "mean rating of the category"),
        ("stockout", "Time out of stock, green up to", "share", "buy.state_out", "share of weeks in the long run"),
    ):
        plan.derive(f"targets.{name}", label, unit, (source,), rule, float)  # type: ignore[arg-type]
    plan.enter("targets.rating_red", "Rating, red under", *_weak_rating(plan))
    for name, label, unit, by in (
        ("conversion", "Conversion, red under", "share", _LOW),
        ("ad_cost", "Ad cost per order, red over", "money", _HIGH),
        ("returns", "Return rate, red over", "share", _HIGH),
        ("stockout", "Time out of stock, red over", "share", _HIGH),
    ):
        _derive_red(plan, f"targets.{name}", f"targets.{name}_red", label, unit, by)  # type: ignore[arg-type]


def _derive_advertising(plan: Plan) -> None:
    """What the advertising plan expects of a click and of an order."""
    orders, clicks = ([f"ads.{key}_{part}" for key in CHANNELS] for part in ("orders", "clicks"))
    bought = sum(plan.number(name) or 0.0 for name in orders)
    clicked = sum(plan.number(name) or 0.0 for name in clicks)
    spend, reason = plan.number("ads.planned"), "needs an advertising plan"
    rate = bought / clicked if clicked else None
    rule = "orders / clicks of the plan"
    plan.enter("targets.conversion", "Conversion, green from", rate, "share", rule, reason, (*orders, *clicks))
    cost = spend / bought if spend and bought else None
    rule, of = "budget / orders of the plan", ("ads.planned", *orders)
    plan.enter("targets.ad_cost", "Ad cost per order, green up to", cost, "money", rule, reason, of)


def _weak_rating(plan: Plan) -> tuple[float | None, Unit, str, str]:
    """The rating that three quarters of the category's reviewed products exceed."""
    category = plan.draft.category or None
    written = plan.once("written", lambda: plan.shop.reviews(category=category, since=plan.cutoff - _YEAR))
    rule = "rating that three quarters of the category's reviewed products exceed"
    if written.empty:
        return None, "ratio", rule, "no review of the category is on record"
    return float(written.groupby("sku")["rating"].mean().quantile(0.25)), "ratio", rule, ""


_RATES = {
    "conversion": "Conversion of clicks|点击转化",
    "ad_cost": "Ad cost per order|单均广告费",
    "rating": "Rating|评分",
    "returns": "Return rate|退货率",
    "stockout": "Time out of stock|断货时间占比",
}

SECTION = SectionPlan(
    id="targets",
    title=Text("Targets", "目标"),
    gate="G3",
    calls=("review_insights",),
    after=("demand", "buy", "economics", "ads", "service"),
    derive=derive,
    late=True,
    facts=(
        Fact("targets.week_1_units", Text("units by week", "逐周销量目标"), True, DATA, ("launch.units_12w",)),
        Fact(
            "targets.conversion", Text("conversion and ad cost", "转化与广告费目标"), False, MARKETING, ("item.budget",)
        ),
    ),
    lines=(
        line(
            "Green is the plan or better; red is under {{targets.red_share}} of it; between them it is amber.",
            "达到计划为绿；低于计划的{{targets.red_share}}为红；其间为黄。",
        ),
        line(
            "A launch that runs over {{targets.high_share}} of the plan is revised as well.",
            "超过计划的{{targets.high_share}}同样须修订计划。",
        ),
    ),
    tables=(
        Grid(
            Text("By week", "逐周目标"),
            heads(
                "Week|周",
                "Units, green|销量·绿",
                "Units, red|销量·红",
                "Sell-through, green|售罄率·绿",
                "Sell-through, red|售罄率·红",
                "Margin, green|毛利·绿",
                "Margin, red|毛利·红",
            ),
            tuple(
                tuple(
                    same(f"{{{{targets.week_{week}{part}}}}}")
                    for part in ("", "_units", "_red", "_through", "_through_red", "_margin", "_margin_red")
                )
                for week in WEEKS
            ),
        ),
        Grid(
            Text("At every look", "每次复盘"),
            heads("Measure|指标", "Green|绿", "Red|红"),
            tuple(row(name, f"{{{{targets.{key}}}}}", f"{{{{targets.{key}_red}}}}") for key, name in _RATES.items()),
        ),
    ),
)
