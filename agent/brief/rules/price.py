"""Rules on price: cost, floor, introductory price, and what comparable products and rivals ask."""

from __future__ import annotations

from agent.brief.declare import Text
from agent.brief.fees import NET, known_fees, net_of
from agent.brief.plan import Plan
from agent.brief.rules.rule import above, close, day_of, known, rule

FAR = 1.5  # times the recommended range from which a price is far from it


@rule(
    "economics",
    "stop",
    "Raise the price above the unit cost, or buy for less.",
    "请将售价提高到单位成本以上，或降低采购成本。",
)
def price_under_cost(plan: Plan) -> Text | None:
    price, cost = plan.number("price.planned"), plan.number("item.cost")
    if price is None or cost is None or price > cost:
        return None
    return Text(
        "At {{price.planned}} the product does not earn its unit cost of {{item.cost}}.",
        "售价{{price.planned}}不足以覆盖单位成本{{item.cost}}。",
    )


@rule(
    "economics",
    "stop",
    "Raise the price, or lower what payment, delivery or the unit itself cost.",
    "请提高售价，或降低支付、配送或采购成本。",
)
def price_under_cost_with_fees(plan: Plan) -> Text | None:
    price, net, cost = (plan.number(name) for name in ("price.planned", NET, "item.cost"))
    if price is None or net is None or cost is None or price <= cost or net > cost:
        return None
    return Text(
        "At {{price.planned}} payment and delivery leave {{price.net}}, which does not earn the unit cost of "
        "{{item.cost}}.",
        "售价{{price.planned}}扣除支付与配送后余{{price.net}}，不足以覆盖单位成本{{item.cost}}。",
    )


@rule(
    "price",
    "warning",
    "Keep above the floor by what payment and delivery take, or have the floor raised.",
    "售价须在底价之上再留出支付与配送费用，或上调底价。",
)
def floor_without_fees(plan: Plan) -> Text | None:
    floor, cost = plan.number("price.floor"), plan.number("item.cost")
    if floor is None or cost is None or not known_fees(plan) or floor <= cost or net_of(plan, floor) > cost:
        return None
    return Text(
        "The floor of {{price.floor}} knows the unit cost of {{item.cost}}, not payment and delivery: sold at it, a "
        "unit loses money.",
        "底价{{price.floor}}只计单位成本{{item.cost}}，未计支付与配送，按底价出售每件亏损。",
    )


@rule(
    "economics",
    "warning",
    "Leave the channel out, ask a higher price there, or agree on a lower fee.",
    "请放弃该渠道、在该渠道提价，或商定更低费率。",
)
def channel_loses_money(plan: Plan) -> Text | None:
    for name in known(plan, "economics.channel_", "_contribution"):
        if (plan.number(name) or 0.0) < 0:
            channel = f"{{{{{name.replace('_contribution', '_name')}}}}}"
            return Text(
                f"A unit sold through {channel} contributes {{{{{name}}}}}.",
                f"经{channel}售出的每件贡献为{{{{{name}}}}}。",
            )
    return None


@rule(
    "price",
    "error",
    "Raise the price to the floor, or lower the least margin that the floor is made from.",
    "请将售价提高到底价，或下调计算底价的最低毛利率。",
)
def price_under_floor(plan: Plan) -> Text | None:
    if not above(plan, "price.floor", "price.planned"):
        return None
    return Text(
        "The planned price of {{price.planned}} is under the floor of {{price.floor}}.",
        "计划售价{{price.planned}}低于底价{{price.floor}}。",
    )


@rule(
    "price",
    "error",
    "Run the price tool again with the draft's cost.",
    "请按草案成本重新测算售价。",
)
def price_at_other_cost(plan: Plan) -> Text | None:
    used, cost = plan.number("price.cost"), plan.number("item.cost")
    if used is None or cost is None or close(used, cost):
        return None
    return Text(
        "The price was worked out at a cost of {{price.cost}}, the item says {{item.cost}}.",
        "定价按成本{{price.cost}}测算，与商品资料中的{{item.cost}}不一致。",
    )


@rule(
    "price",
    "error",
    "Give the introductory price a last day, or drop it.",
    "请为新品价设定截止日，或取消新品价。",
)
def intro_price_without_an_end(plan: Plan) -> Text | None:
    if not plan.knows("price.intro") or plan.knows("price.intro_until"):
        return None
    return Text("The introductory price of {{price.intro}} has no end.", "新品价{{price.intro}}没有截止日。")


@rule(
    "price",
    "warning",
    "Set the introductory price under the planned price, or call it something else.",
    "新品价应低于计划售价，否则不宜称为新品价。",
)
def intro_price_above_planned(plan: Plan) -> Text | None:
    intro, price = plan.number("price.intro"), plan.number("price.planned")
    if intro is None or price is None or intro <= price:
        return None
    return Text(
        "The introductory price of {{price.intro}} is above the planned price of {{price.planned}}.",
        "新品价{{price.intro}}高于计划售价{{price.planned}}。",
    )


@rule(
    "price",
    "error",
    "Raise the introductory price to the floor, or drop it.",
    "请将新品价提高到底价，或取消新品价。",
)
def intro_price_under_floor(plan: Plan) -> Text | None:
    intro, floor = plan.number("price.intro"), plan.number("price.floor")
    if intro is None or floor is None or intro >= floor:
        return None
    return Text(
        "The introductory price of {{price.intro}} is under the floor of {{price.floor}}.",
        "新品价{{price.intro}}低于底价{{price.floor}}。",
    )


@rule(
    "price",
    "error",
    "Let the introductory price end after the launch.",
    "新品价的截止日须晚于上市日期。",
)
def intro_price_ends_before_launch(plan: Plan) -> Text | None:
    end, launch = day_of(plan, "price.intro_until"), day_of(plan, "item.launch_date")
    if end is None or launch is None or end > launch:
        return None
    return Text(
        "The introductory price ends on {{price.intro_until}}, before anybody could pay it: the launch is on "
        "{{item.launch_date}}.",
        "新品价于{{price.intro_until}}截止，而上市日期为{{item.launch_date}}，无人能享受。",
    )


@rule(
    "price",
    "warning",
    "Try the price on a small part of the shoppers before all of them see it.",
    "建议先向少部分顾客试行该价格。",
)
def price_outside_experience(plan: Plan) -> Text | None:
    price, low, high = (plan.number(n) for n in ("price.planned", "price.support_low", "price.support_high"))
    if price is None or low is None or high is None or low <= price <= high:
        return None
    return Text(
        "The planned price of {{price.planned}} is outside the prices ever tried here, "
        "{{price.support_low}} to {{price.support_high}}.",
        "计划售价{{price.planned}}超出本店试过的价格{{price.support_low}}至{{price.support_high}}。",
    )


@rule(
    "price",
    "warning",
    "Say why this product may cost what no comparable one does, or move the price into the ladder.",
    "请说明定价超出可比商品范围的理由，或将售价调回价格阶梯之内。",
)
def price_outside_market(plan: Plan) -> Text | None:
    price, low, high = (plan.number(n) for n in ("price.planned", "price.market_low", "price.market_high"))
    if price is None or low is None or high is None or low <= price <= high:
        return None
    return Text(
        "The planned price of {{price.planned}} lies outside comparable products, {{price.market_low}} to "
        "{{price.market_high}}.",
        "计划售价{{price.planned}}超出可比商品价格{{price.market_low}}至{{price.market_high}}。",
    )


@rule(
    "price",
    "warning",
    "Look at the profit curve: say what the planned price is for, or take the recommended one.",
    "请参照利润曲线说明采用该价的理由，或采用建议售价。",
)
def price_far_from_recommended(plan: Plan) -> Text | None:
    price = plan.number("price.planned")
    low, high = plan.number("price.recommended.low"), plan.number("price.recommended.high")
    if price is None or low is None or high is None or low / FAR <= price <= high * FAR:
        return None
    return Text(
        "The planned price of {{price.planned}} is far from the recommended {{price.recommended.low}} to "
        "{{price.recommended.high}}.",
        "计划售价{{price.planned}}与建议区间{{price.recommended.low}}至{{price.recommended.high}}相差较大。",
    )


@rule(
    "price",
    "warning",
    "Do not change the price on this elasticity: vary the price on part of the shoppers first.",
    "不宜据此弹性调价，应先对部分顾客变动价格以测得弹性。",
)
def demand_rises_with_price(plan: Plan) -> Text | None:
    if (plan.number("price.elasticity") or 0) <= 0:
        return None
    return Text(
        "The elasticity of {{price.elasticity}} says that demand rises with the price: prices were raised when demand "
        "was strong, not the other way round.",
        "价格弹性{{price.elasticity}}为正，多半是需求旺时才提价，而非提价带来需求。",
    )


@rule(
    "price",
    "warning",
    "Plan for the rival's answer: take the price that is best after it.",
    "请按竞品应对后的最优价制定预案。",
)
def rival_undercuts(plan: Plan) -> Text | None:
    answer, price = plan.number("price.rival_response"), plan.number("price.planned")
    change = plan.number("price.rival_units_change")
    if answer is None or price is None or change is None or answer >= price or change > -0.1:
        return None
    return Text(
        "The nearest rival would best answer with {{price.rival_response}}, under our {{price.planned}}, which changes "
        "our units by {{price.rival_units_change}}.",
        "最接近的竞品最优应对价为{{price.rival_response}}，低于本品{{price.planned}}，本品销量将变化{{price.rival_units_change}}。",
    )


RULES = (
    price_under_cost,
    price_under_cost_with_fees,
    floor_without_fees,
    channel_loses_money,
    price_under_floor,
    price_at_other_cost,
    intro_price_without_an_end,
    intro_price_above_planned,
    intro_price_under_floor,
    intro_price_ends_before_launch,
    price_outside_experience,
    price_outside_market,
    price_far_from_recommended,
    demand_rises_with_price,
    rival_undercuts,
)
