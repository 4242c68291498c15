"""Assortment role: which slot of the range the product takes, what it goes with, what it may replace."""

from __future__ import annotations

from agent.brief.declare import DATA, Fact, Grid, SectionPlan, Text, heads, line, numbered
from agent.brief.plan import Plan

MAX_PRODUCTS = 5
SLOTS = (
    (1 / 3, Text("good (entry)", "入门")),
    (2 / 3, Text("better (core)", "主力")),
    (1.0, Text("best (premium)", "高端")),
)


def derive(plan: Plan) -> None:
    price, ladder = plan.number("price.planned"), plan.numbers("price.ladder_#_price", width=1)
    rule = "third of the comparable products' prices in which the planned price stands"
    of = ("price.planned", *(f"price.ladder_{n}_price" for n in range(1, len(ladder) + 1)))
    if price is None or not ladder:
        plan.enter("assortment.slot", "Slot", None, "text", rule, "needs a price and comparable products", of)
    else:
        below = sum(other < price for other in ladder) / len(ladder)
        slot = next(words for share, words in SLOTS if below <= share)
        plan.say("assortment.slot", "Slot", slot, of, rule)
        plan.enter("assortment.below", "Comparable products priced lower", below, "share", rule, of=of)
    plan.derive(
        "assortment.net_units",
        "Net units that the category gains",
        "units",
        ("launch.units_12w", "cannibalisation.units"),
        "units of the launch + change of its neighbours' units; the interval is that of the launch",
        lambda units, change: units + change,
    )
    plan.derive(
        "assortment.net_gain",
        "Net gain of the category in sales of the same number of weeks",
        "share",
        ("assortment.net_units", "market.units", "market.weeks", "launch.horizon"),
        "net units / (the category's units x weeks of the horizon / weeks summed up)",
        lambda net, units, weeks, horizon: net / (units * horizon / weeks) if units and weeks else None,
        reason="the category sold nothing",
    )


SECTION = SectionPlan(
    id="assortment",
    title=Text("Assortment role", "品类角色"),
    calls=("lifecycle_stage", "recommend_products"),
    after=("price", "demand", "market", "cannibalisation"),
    derive=derive,
    late=True,
    facts=(
        Fact(
            "assortment.net_units",
            Text("net gain of the category", "品类净增量"),
            True,
            DATA,
            ("item.category", "launch.units_12w", "cannibalisation.units"),
        ),
        Fact("assortment.slot", Text("slot in the range", "价位档"), supplier=DATA),
    ),
    lines=(
        line(
            "It takes the slot {{assortment.slot}}: {{assortment.below}} of its comparable products cost less.",
            "价位档：{{assortment.slot}}；可比商品中{{assortment.below}}售价更低。",
        ),
        line(
            "Net of what it takes from its neighbours the category gains {{assortment.net_units}} units in "
            "{{launch.horizon}}, {{assortment.net_gain}} of what it sells in that time.",
            "扣除对相邻商品的影响，{{launch.horizon}}内品类净增{{assortment.net_units}}件，"
            "相当于同期销量的{{assortment.net_gain}}。",
        ),
        line(
            "{{life.product_1}} is the first candidate to be replaced: its chance to be in decline is "
            "{{life.p_decline_1}}.",
            "首选替换对象是{{life.product_1}}，处于衰退期的可能性{{life.p_decline_1}}。",
        ),
        line(
            "{{recommend.name_1}} goes with it best.",
            "最适合搭配的商品是{{recommend.name_1}}。",
        ),
    ),
    tables=(
        Grid(
            Text("Candidates to delist", "可下架商品"),
            heads("Product|商品", "Chance of decline|衰退可能性", "Revenue of recent weeks|近期销售额"),
            numbered(range(1, MAX_PRODUCTS + 1), "{{life.product_#}}", "{{life.p_decline_#}}", "{{life.revenue_#}}"),
        ),
        Grid(
            Text("What goes with it", "搭配商品"),
            heads("Product|商品", "Category|品类", "Price|售价", "Margin a unit|单件毛利"),
            numbered(
                range(1, MAX_PRODUCTS + 1),
                "{{recommend.name_#}}",
                "{{recommend.category_#}}",
                "{{recommend.price_#}}",
                "{{recommend.margin_#}}",
            ),
        ),
    ),
)
