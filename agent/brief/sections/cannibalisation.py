"""Cannibalisation and halo: what the launch takes from, or brings to, the products beside it."""

from __future__ import annotations

from agent.brief.declare import BUYING, DATA, Fact, Grid, SectionPlan, Text, heads, line, numbered
from agent.brief.plan import Plan
from tools.figures import evidence

MAX_NEIGHBOURS = 5


def derive(plan: Plan) -> None:
    for n in range(1, MAX_NEIGHBOURS + 1):
        if plan.knows(f"launch.neighbour_{n}_rate"):
            plan.derive(
                f"cannibalisation.neighbour_{n}_units",
                "Units that the neighbour loses or gains",
                "units",
                ("launch.effect", f"launch.neighbour_{n}_rate", "launch.effect_weeks"),
                "change of the neighbours' sales x its units a week x weeks compared",
                lambda effect, rate, weeks: effect * rate * weeks,
            )
    plan.derive(
        "cannibalisation.units",
        "Change of the neighbours' units over the weeks compared",
        "units",
        ("launch.effect_units",),
        "as past launches changed the sales of products beside them",
        lambda units: units,
        reason="too few past launches tell",
    )
    _derive_margin(plan)


def _derive_margin(plan: Plan) -> None:
    category = plan.draft.category
    peers = plan.once("peers", lambda: plan.shop.products(category))
    known = peers[peers["cost"].notna() & peers["list_price"].notna()] if category else peers.iloc[:0]
    skus = tuple(known["sku"])
    rows = plan.once("margin rows", lambda: evidence(plan.shop, "products", {"sku": skus})) if skus else None
    plan.enter(
        "cannibalisation.unit_margin",
        "Margin a unit of the category's products",
        None if known.empty else float((known["list_price"] - known["cost"]).mean()),
        "money",
        "mean of list price - cost over the category's products that have both",
        "no product of the category has both a cost and a price on record",
        rows=rows,
    )
    plan.derive(
        "cannibalisation.margin",
        "Margin that the neighbours lose or gain",
        "money",
        ("cannibalisation.units", "cannibalisation.unit_margin"),
        "change of the neighbours' units x margin a unit",
        lambda units, margin: units * margin,
    )
    plan.derive(
        "cannibalisation.net_margin",
        "Net incremental margin",
        "money",
        ("economics.contribution_12w", "cannibalisation.margin"),
        "contribution over the horizon + margin that the neighbours lose or gain; the interval is that of the units",
        lambda own, change: own + change,
    )


_EFFECT = ("item.category", "launch.units_12w")
SECTION = SectionPlan(
    id="cannibalisation",
    title=Text("Cannibalisation and halo", "蚕食与带动"),
    calls=("forecast_launch",),
    after=("price", "demand", "economics"),
    derive=derive,
    facts=(
        Fact("cannibalisation.units", Text("change of the neighbours' units", "相邻商品销量变化"), True, DATA, _EFFECT),
        Fact("cannibalisation.unit_margin", Text("margin of the category's products", "品类毛利"), False, BUYING),
        Fact(
            "cannibalisation.net_margin",
            Text("net incremental margin", "净增毛利"),
            True,
            BUYING,
            ("economics.contribution_12w", "cannibalisation.units", "cannibalisation.unit_margin"),
        ),
    ),
    lines=(
        line(
            "Over {{launch.effect_weeks}} the products beside it change by {{cannibalisation.units}} units "
            "({{cannibalisation.units.low}} to {{cannibalisation.units.high}}); below zero is cannibalisation.",
            "{{launch.effect_weeks}}内相邻商品销量变化{{cannibalisation.units}}件"
            "（{{cannibalisation.units.low}}至{{cannibalisation.units.high}}），负值即蚕食。",
        ),
        line(
            "That is read off {{launch.effect_launches}} past launches.",
            "依据{{launch.effect_launches}}个历史新品。",
        ),
        line(
            "The interval holds zero, so whether it takes or brings sales cannot be told.",
            "区间包含零，尚不能判断是蚕食还是带动。",
            when=lambda plan: (
                (plan.number("cannibalisation.units.low") or 0) < 0 < (plan.number("cannibalisation.units.high") or 0)
            ),
        ),
        line(
            "Net of it the launch brings {{cannibalisation.net_margin}} of margin "
            "({{cannibalisation.net_margin.low}} to {{cannibalisation.net_margin.high}}).",
            "计入后净增毛利{{cannibalisation.net_margin}}"
            "（{{cannibalisation.net_margin.low}}至{{cannibalisation.net_margin.high}}）。",
        ),
    ),
    tables=(
        Grid(
            Text("Products beside it", "相邻商品"),
            heads("Product|商品", "Units a week|周销量", "P10|P10", "Change, units|销量变化", "P90|P90"),
            numbered(
                range(1, MAX_NEIGHBOURS + 1),
                "{{launch.neighbour_#_name}}",
                "{{launch.neighbour_#_rate}}",
                "{{cannibalisation.neighbour_#_units.low}}",
                "{{cannibalisation.neighbour_#_units}}",
                "{{cannibalisation.neighbour_#_units.high}}",
            ),
        ),
    ),
)
