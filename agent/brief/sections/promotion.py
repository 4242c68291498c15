"""Promotion plan: how deep, when, what it brings until after the dip, and what would go with it."""

from __future__ import annotations

import numpy as np

from agent.brief.declare import (
    BUYING,
    DATA,
    MERCHANDISING,
    Fact,
    Graph,
    Grid,
    SectionPlan,
    Text,
    heads,
    line,
    numbered,
    row,
    same,
)
from agent.brief.plan import Plan

MAX_DEPTHS = 10
MAX_BUNDLES = 4
MECHANICS = {
    "percentage": "Percentage off|直降",
    "coupon": "Coupon|优惠券",
    "threshold": "Threshold|满减",
    "bundle": "Bundle|组合",
    "gift": "Gift|赠品",
}
_MEASURES = (("uplift", "Extra units while it runs", "share"), ("given", "Given away in discounts", "money"))


def derive(plan: Plan) -> None:
    """The depth planned with, and what it brings: read off the depths that the tool tried."""
    asked = plan.settings.promotion_depth
    if asked is None:
        plan.derive("promotion.depth", "Depth", "share", ("promo.depth",), "the tool's best depth", float)
    else:
        plan.enter("promotion.depth", "Depth", asked, "share", "as set for this brief")
    tried = [f"promo.depth_{n}" for n in range(1, MAX_DEPTHS + 1) if plan.knows(f"promo.depth_{n}_cut")]
    cuts = [plan.number(f"{stem}_cut") or 0.0 for stem in tried]
    for part, label, unit in (*_MEASURES, ("contribution", "Extra contribution, dip and halo included", "money")):
        _read_off(plan, part, label, unit, tried, cuts)
    plan.derive(
        "promotion.price",
        "Price while it runs",
        "money",
        ("price.planned", "promotion.depth"),
        "planned price x (1 - depth)",
        lambda price, depth: price * (1 - depth),
    )


def _read_off(plan: Plan, part: str, label: str, unit: str, tried: list[str], cuts: list[float]) -> None:
    """A measure at the planned depth, between the two depths tried on either side; unknown beyond them."""
    depth, sources = plan.number("promotion.depth"), [f"{stem}_{part}" for stem in tried]
    rule = "between the depths tried by the tool, in proportion"
    seen = depth is not None and bool(cuts) and min(cuts) - 1e-9 <= depth <= max(cuts) + 1e-9
    reason = "no past promotion went that deep" if cuts and depth is not None else "needs a plan of the promotion"
    value, bounds = None, {"": None, ".low": None, ".high": None}
    if seen and depth is not None:
        for bound in bounds:
            points = [plan.number(f"{name}{bound}") for name in sources]
            if all(point is not None for point in points):
                bounds[bound] = float(np.interp(depth, cuts, [p for p in points if p is not None]))  # type: ignore[assignment]
        value = bounds[""]
    of = ("promotion.depth", *sources) if sources else ("promotion.depth",)
    plan.ledger.derive(
        f"promotion.{part}",
        label,
        value,
        unit,  # type: ignore[arg-type]
        rule,
        of,
        reason="" if value is not None else reason,
        low=bounds[".low"] if value is not None else None,
        high=bounds[".high"] if value is not None else None,
        currency=plan.currency,
        as_of=plan.cutoff,
    )


_NEEDS = ("item.cost", "price.recommended")
SECTION = SectionPlan(
    id="promotion",
    title=Text("Promotion plan", "促销计划"),
    gate="G2",
    calls=("plan_promotion",),
    after=("price",),
    derive=derive,
    late=True,
    facts=(
        Fact("item.price", Text("price", "售价"), False, MERCHANDISING),
        Fact("promotion.depth", Text("promotion depth", "促销力度"), True, DATA, ("item.price", *_NEEDS)),
        Fact("promotion.uplift", Text("uplift", "促销增量"), True, DATA, ("item.price", "promotion.depth")),
        Fact("promotion.contribution", Text("incremental margin", "促销增利"), True, BUYING, ("promotion.depth",)),
    ),
    lines=(
        line(
            "If a promotion is run, {{promotion.depth}} off from {{promo.start}} to {{promo.end}} makes the price "
            "{{promotion.price}} and sells {{promotion.uplift}} more ({{promotion.uplift.low}} to "
            "{{promotion.uplift.high}}).",
            "若做促销：{{promo.start}}至{{promo.end}}降价{{promotion.depth}}，售价{{promotion.price}}，"
            "销量增加{{promotion.uplift}}（{{promotion.uplift.low}}至{{promotion.uplift.high}}）。",
        ),
        line(
            "Until after the dip the category's contribution changes by {{promotion.contribution}} "
            "({{promotion.contribution.low}} to {{promotion.contribution.high}}).",
            "计入促销后回落，品类贡献变化{{promotion.contribution}}"
            "（{{promotion.contribution.low}}至{{promotion.contribution.high}}）。",
        ),
        line(
            "The interval holds a loss, so whether it pays cannot be told; it pays with a chance of {{promo.p_pays}}.",
            "区间含亏损，尚不能判断是否划算；划算的可能性{{promo.p_pays}}。",
            when=lambda plan: (plan.number("promotion.contribution.low") or 0) < 0,
        ),
        line("It gives away {{promotion.given}} in discounts.", "让利{{promotion.given}}。"),
        line(
            "It rests on {{promo.episodes}} past promotions in {{promo.source}}, {{promo.seen_low}} to "
            "{{promo.seen_high}} deep.",
            "依据{{promo.source}}的{{promo.episodes}}次历史促销，力度{{promo.seen_low}}至{{promo.seen_high}}。",
        ),
        line(
            "Of the dip after it {{promo.dip}} is counted, of the rest of the category {{promo.halo}}.",
            "其中促销后回落{{promo.dip}}，品类其余商品{{promo.halo}}。",
        ),
    ),
    tables=(
        Grid(
            Text("Depths tried", "不同力度"),
            heads("Depth|力度", "Extra units|增量", "Given away|让利", "Extra contribution|增利", "P10", "P90"),
            numbered(
                range(1, MAX_DEPTHS + 1),
                "{{promo.depth_#_cut}}",
                "{{promo.depth_#_uplift}}",
                "{{promo.depth_#_given}}",
                "{{promo.depth_#_contribution}}",
                "{{promo.depth_#_contribution.low}}",
                "{{promo.depth_#_contribution.high}}",
            ),
        ),
        Grid(
            Text("Mechanics", "促销方式"),
            heads("Mechanic|方式", "Extra contribution|增利", "Budget|预算"),
            tuple(
                row(name, f"{{{{promo.{key}_value}}}}", f"{{{{promo.{key}_budget}}}}")
                for key, name in MECHANICS.items()
            ),
        ),
        Grid(
            Text("Bundles", "组合"),
            heads("With|搭配", "Category|品类", "Times chance|提升倍数", "Orders with both|同购订单"),
            numbered(
                range(1, MAX_BUNDLES + 1),
                "{{promo.bundle_#_with}}",
                "{{promo.bundle_#_category}}",
                "{{promo.bundle_#_lift}}",
                "{{promo.bundle_#_orders}}",
            ),
        ),
    ),
    charts=(
        Graph(
            "line",
            Text("Contribution by depth", "不同力度的增利"),
            Text("Depth", "力度"),
            Text("Extra contribution", "增利"),
            "promo.depth_#_cut",
            (
                (same("P10"), "promo.depth_#_contribution.low"),
                (same("P50"), "promo.depth_#_contribution"),
                (same("P90"), "promo.depth_#_contribution.high"),
            ),
        ),
    ),
)
