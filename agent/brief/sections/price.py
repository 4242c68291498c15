"""Price: what is recommended, in which range, above which floor, against which neighbours."""

from __future__ import annotations

from agent.brief.declare import BUYING, DATA, Fact, Graph, Grid, Line, SectionPlan, Text, numbered, same
from agent.brief.fees import enter_fees, known_fees
from agent.brief.plan import Plan

MAX_LADDER = 12
MAX_STEPS = 12  # a price may change once a week
_STRATEGIES = {
    "cost": Text("Cost", "成本"),
    "market": Text("Market", "市场"),
    "competition": Text("Competition", "竞争"),
    "value": Text("Value", "价值"),
    "profit": Text("Profit", "利润"),
}


def derive(plan: Plan) -> None:
    """The price the brief plans at, the draft's own or the recommended one, and what is left of it."""
    source = "item.price" if plan.knows("item.price") else "price.recommended"
    plan.derive(
        "price.planned",
        "Price the brief plans at",
        "money",
        (source,),
        "the draft's price if it has one, else the recommended price",
        float,
    )
    enter_fees(plan)


def _against_range(plan: Plan) -> int:
    """-1 when the draft's own price is below the recommended range, 1 above, 0 inside or not known."""
    price = plan.number("item.price")
    low, high = plan.number("price.recommended.low"), plan.number("price.recommended.high")
    if price is None or low is None or high is None:
        return 0
    return -1 if price < low else int(price > high)


_NEEDS = ("item.cost",)
SECTION = SectionPlan(
    id="price",
    title=Text("Price", "定价"),
    calls=("recommend_price",),
    after=("item",),
    derive=derive,
    prose=True,
    facts=(
        Fact(
            "price.recommended",
            Text("recommended price", "建议售价"),
            bold=True,
            supplier=DATA,
            needs=("item.category",),
            said=True,
            spread=True,
        ),
        Fact("price.floor", Text("floor", "底价"), True, BUYING, _NEEDS, said=True),
        Fact("price.elasticity", Text("elasticity", "价格弹性"), supplier=DATA),
        Fact("price.market_median", Text("market median", "市场中位价"), supplier=DATA),
    ),
    lines=(
        Line(
            Text(
                "The recommended price is {{price.recommended}}, in a range from {{price.recommended.low}} "
                "to {{price.recommended.high}}.",
                "建议售价{{price.recommended}}，区间{{price.recommended.low}}至{{price.recommended.high}}。",
            )
        ),
        Line(Text("Do not sell below the floor of {{price.floor}}.", "底价{{price.floor}}，不得低于此价。")),
        Line(
            Text(
                "Of a planned price of {{price.planned}}, {{price.net}} is left after payment and delivery.",
                "计划售价{{price.planned}}，扣除支付与配送后余{{price.net}}。",
            ),
            when=lambda plan: bool(known_fees(plan)),
        ),
        Line(
            Text(
                "The planned price of {{item.price}} lies below that range.",
                "计划售价{{item.price}}低于该区间。",
            ),
            when=lambda plan: _against_range(plan) < 0,
        ),
        Line(
            Text(
                "The planned price of {{item.price}} lies above that range.",
                "计划售价{{item.price}}高于该区间。",
            ),
            when=lambda plan: _against_range(plan) > 0,
        ),
        Line(
            Text(
                "{{price.comparables}} comparable products of our own sell at a median of {{price.market_median}}.",
                "本店{{price.comparables}}个可比商品的中位价为{{price.market_median}}。",
            )
        ),
        Line(Text("Rivals ask {{price.competitor_median}}.", "竞品中位价{{price.competitor_median}}。")),
        Line(
            Text(
                "Demand answers price with an elasticity of {{price.elasticity}} "
                "({{price.elasticity.low}} to {{price.elasticity.high}}).",
                "价格弹性{{price.elasticity}}（{{price.elasticity.low}}至{{price.elasticity.high}}）。",
            )
        ),
        Line(
            Text(
                "{{price.rival_name}}, the nearest rival, would best answer with {{price.rival_response}}, which "
                "changes our units by {{price.rival_units_change}}.",
                "最接近的竞品{{price.rival_name}}的最优应对价为{{price.rival_response}}，本店销量变化{{price.rival_units_change}}。",
            )
        ),
        Line(
            Text(
                "An introductory price of {{price.intro}} until {{price.intro_until}} changes profit by "
                "{{price.intro_change}}.",
                "新品价{{price.intro}}执行至{{price.intro_until}}，利润变化{{price.intro_change}}。",
            )
        ),
    ),
    tables=(
        Grid(
            Text("Price by strategy", "各定价思路的结果"),
            (Text("Strategy", "思路"), Text("Price", "售价")),
            tuple((name, same(f"{{{{price.strategy_{key}}}}}")) for key, name in _STRATEGIES.items()),
        ),
        Grid(
            Text("Prices by week if one buy is all there is", "只备一批货时的逐周售价"),
            (Text("From week", "起始周"), Text("At P50 demand", "P50需求"), Text("At P10 demand", "P10需求")),
            numbered(
                range(1, MAX_STEPS + 1),
                "{{price.markdown_#_week}}",
                "{{price.markdown_#_price}}",
                "{{price.markdown_#_weak}}",
            ),
        ),
        Grid(
            Text("Price ladder", "价格阶梯"),
            (Text("Product", "商品"), Text("Price", "售价"), Text("Units last quarter", "上季销量")),
            numbered(
                range(1, MAX_LADDER + 1),
                "{{price.ladder_#_name}}",
                "{{price.ladder_#_price}}",
                "{{price.ladder_#_units}}",
            ),
        ),
    ),
    charts=(
        Graph(
            "line",
            Text("Profit by price", "不同售价的利润"),
            Text("Price", "售价"),
            Text("Profit", "利润"),
            "price.curve_#_price",
            (
                (same("P10"), "price.curve_#_profit.low"),
                (same("P50"), "price.curve_#_profit"),
                (same("P90"), "price.curve_#_profit.high"),
            ),
        ),
    ),
)
