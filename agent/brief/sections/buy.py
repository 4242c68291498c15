"""First buy and supply: how much to order, when to order again, and what each mistake costs."""

from __future__ import annotations

from agent.brief.declare import SUPPLY, Fact, Graph, Grid, Line, SectionPlan, Text, numbered
from agent.brief.fees import service_level

MAX_REGRET = 12
_NEEDS = ("launch.units_12w", "item.cost")

SECTION = SectionPlan(
    id="buy",
    title=Text("First buy and supply", "首单与供应"),
    gate="G2",
    calls=("plan_inventory",),
    after=("demand",),
    prose=True,
    facts=(
        Fact("buy.first_buy", Text("first buy", "首单"), True, SUPPLY, _NEEDS, said=True),
        Fact("buy.lead_time", Text("lead time", "交期"), True, SUPPLY, _NEEDS[:1], said=True),
        Fact("buy.cover_weeks", Text("weeks of cover", "覆盖"), True, SUPPLY, _NEEDS),
        Fact("buy.reorder_point", Text("reorder point", "补货点"), True, SUPPLY, _NEEDS, said=True),
        Fact("buy.p_stockout", Text("stock-out probability", "断货概率"), True, SUPPLY, _NEEDS),
        Fact("buy.p_overstock", Text("overstock probability", "积压概率"), True, SUPPLY, _NEEDS),
        Fact("buy.safety_stock", Text("safety stock", "安全库存"), False, SUPPLY),
        Fact("buy.service_level", Text("service level", "服务水平"), False, SUPPLY),
    ),
    lines=(
        Line(
            Text(
                "Buy {{buy.first_buy}} units first, {{buy.cover_weeks}} of cover at a lead time of {{buy.lead_time}}.",
                "首单{{buy.first_buy}}件，可覆盖{{buy.cover_weeks}}；交期{{buy.lead_time}}。",
            )
        ),
        Line(Text("That ties up {{buy.cash}}.", "占用资金{{buy.cash}}。")),
        Line(
            Text(
                "Reorder when stock falls to {{buy.reorder_point}} units, {{buy.safety_stock}} of them safety stock "
                "for a service level of {{buy.service_level}}.",
                "库存降至{{buy.reorder_point}}件时补货，其中安全库存{{buy.safety_stock}}件，"
                "对应服务水平{{buy.service_level}}。",
            )
        ),
        Line(
            Text(
                "That service level weighs what a unit earns after payment and delivery against what one left over "
                "loses.",
                "该服务水平按扣除支付与配送后的单件收益与滞销损失权衡得出。",
            ),
            when=lambda plan: plan.settings.service_level is None and service_level(plan) is not None,
        ),
        Line(
            Text(
                "The second order is due in week {{buy.second_order_week}}.",
                "第二单应在第{{buy.second_order_week}}周下达。",
            )
        ),
        Line(
            Text(
                "Over the first {{launch.horizon}} the stock-out probability is {{buy.p_stockout}} and the overstock "
                "probability {{buy.p_overstock}}.",
                "上市{{launch.horizon}}内断货概率{{buy.p_stockout}}，积压概率{{buy.p_overstock}}。",
            )
        ),
        Line(
            Text(
                "The supplier's minimum order is {{buy.minimum_order}} units.", "供应商起订量{{buy.minimum_order}}件。"
            )
        ),
        Line(Text("It delivers in packs of {{buy.pack_size}} units.", "每箱{{buy.pack_size}}件，按整箱订货。")),
        Line(
            Text(
                "Minimum order and pack size are not on record; ask the supplier before ordering.",
                "起订量与箱规未入库，下单前须向供应商确认。",
            ),
            when=lambda plan: not plan.knows("buy.minimum_order") and not plan.knows("buy.pack_size"),
        ),
        Line(
            Text(
                "The pack size is not on record; ask the supplier before ordering.",
                "箱规未入库，下单前须向供应商确认。",
            ),
            when=lambda plan: plan.knows("buy.minimum_order") and not plan.knows("buy.pack_size"),
        ),
        Line(
            Text(
                "The minimum order is not on record; ask the supplier before ordering.",
                "起订量未入库，下单前须向供应商确认。",
            ),
            when=lambda plan: plan.knows("buy.pack_size") and not plan.knows("buy.minimum_order"),
        ),
        Line(
            Text(
                "Against a plain rule of average sales times days of cover the plan is expected to gain "
                "{{buy.gain_mean}} ({{buy.gain.low}} to {{buy.gain.high}}).",
                "与“平均销量乘覆盖天数”的简单规则相比，预期多赚{{buy.gain_mean}}"
                "（{{buy.gain.low}}至{{buy.gain.high}}）。",
            )
        ),
        Line(
            Text(
                "Being able to order a second time is worth {{buy.option_value}}.",
                "可以补第二单，价值{{buy.option_value}}。",
            )
        ),
    ),
    tables=(
        Grid(
            Text("What another first buy would cost", "首单不同数量的代价"),
            (Text("Units bought", "首单件数"), Text("Expected cost of being wrong", "预期误差成本")),
            numbered(range(1, MAX_REGRET + 1), "{{buy.regret_#_units}}", "{{buy.regret_#_cost}}"),
        ),
    ),
    charts=(
        Graph(
            "line",
            Text("Regret of the first buy", "首单后悔曲线"),
            Text("Units bought", "首单件数"),
            Text("Expected cost of being wrong", "预期误差成本"),
            "buy.regret_#_units",
            ((Text("Regret", "后悔值"), "buy.regret_#_cost"),),
        ),
    ),
)
