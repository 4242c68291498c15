"""The challenger: the strongest case against the verdict, from the same figures and by rules, not by a model."""

from __future__ import annotations

from collections.abc import Callable

from agent.brief.declare import Line, line
from agent.brief.plan import Plan

MOST = 5


def _above(name: str, least: float = 0.0) -> Callable[[Plan], bool]:
    return lambda plan: (plan.number(name) or 0.0) > least


def _below(name: str, most: float = 0.0) -> Callable[[Plan], bool]:
    return lambda plan: (plan.number(name) or 0.0) < most


AGAINST = (
    line(
        "{{decision.base_rate_missed}} of {{launch.base_rate_of}} comparable launches did not reach this plan.",
        "可比新品{{launch.base_rate_of}}个，{{decision.base_rate_missed}}个未达到本计划。",
        when=_above("decision.base_rate_missed"),
    ),
    line(
        "At P10 demand it leaves {{scenarios.down_result}} after all that is bought and spent.",
        "若需求只有P10，扣除采购与投放后余{{scenarios.down_result}}。",
        when=_below("scenarios.down_result"),
    ),
    line(
        "On past launches this method was off by {{launch.wape}} of sales, so the middle of the forecast "
        "is worth little on its own.",
        "该方法在历史新品上的误差为销量的{{launch.wape}}，预测中值本身并不可靠。",
        when=_above("launch.wape", 0.3),
    ),
    line(
        "Its forecasts ran high on past launches: a bias of {{launch.bias}} of sales.",
        "该方法在历史新品上偏高，偏差为销量的{{launch.bias}}。",
        when=_above("launch.bias", 0.1),
    ),
    line(
        "A quarter of the first buy or more is left over with a chance of {{buy.p_overstock}}.",
        "首单剩余四分之一以上的可能性为{{buy.p_overstock}}。",
        when=_above("buy.p_overstock", 0.2),
    ),
    line(
        "The recommended price is {{price.recommended}}; at the planned {{item.price}} it gives up "
        "{{price.profit_gain}} of profit.",
        "建议售价为{{price.recommended}}；按计划售价{{item.price}}将少赚{{price.profit_gain}}。",
        when=_above("price.profit_gain.low"),
    ),
    line(
        "It may take {{cannibalisation.units.low}} units from products beside it.",
        "可能使相邻商品销量变化{{cannibalisation.units.low}}件。",
        when=_below("cannibalisation.units.low"),
    ),
    line(
        "The category shrank by {{market.growth_year}} in a year.",
        "品类一年内变动{{market.growth_year}}。",
        when=_below("market.growth_year", -0.05),
    ),
    line(
        "The interval of demand reaches from {{launch.units_12w.low}} to {{launch.units_12w.high}} units.",
        "需求区间从{{launch.units_12w.low}}件到{{launch.units_12w.high}}件。",
    ),
)
FOR = (
    line(
        "At P90 demand it would leave {{scenarios.up_result}} after all that is bought and spent.",
        "若需求达到P90，扣除采购与投放后可余{{scenarios.up_result}}。",
        when=_above("scenarios.up_result"),
    ),
    line(
        "{{launch.base_rate_hit}} of {{launch.base_rate_of}} comparable launches did reach this plan.",
        "可比新品{{launch.base_rate_of}}个，{{launch.base_rate_hit}}个达到了本计划。",
        when=_above("launch.base_rate_hit"),
    ),
    line(
        "Moving to the recommended {{price.recommended}} changes profit by {{price.profit_gain}}.",
        "改用建议售价{{price.recommended}}，利润变化{{price.profit_gain}}。",
        when=_above("price.profit_gain.low"),
    ),
    line(
        "It would break even at a unit cost of {{scenarios.flip_cost}}.",
        "单位成本降至{{scenarios.flip_cost}}即可保本。",
        when=lambda plan: 0 < (plan.number("scenarios.flip_cost") or 0) < (plan.number("item.cost") or 0),
    ),
    line(
        "It would break even at a price of {{scenarios.flip_price}}, the same units sold.",
        "销量不变时，售价{{scenarios.flip_price}}即可保本。",
        when=lambda plan: (plan.number("scenarios.flip_price") or 0) > (plan.number("price.planned") or 0),
    ),
    line(
        "Being able to order a second time is worth {{buy.option_value}}, so a smaller first buy is an answer.",
        "可补第二单的价值为{{buy.option_value}}，减小首单是一条出路。",
        when=_above("buy.option_value"),
    ),
    line(
        "The category grew by {{market.growth_year}} in a year.",
        "品类一年内增长{{market.growth_year}}。",
        when=_above("market.growth_year", 0.05),
    ),
)


def challenge(plan: Plan) -> tuple[Line, ...]:
    """What speaks against the verdict, the weightiest first: against a launch that may go, for one that may not."""
    return tuple(each for each in (FOR if plan.verdict == "no-go" else AGAINST) if plan.says(each))[:MOST]
