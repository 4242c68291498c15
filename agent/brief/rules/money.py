"""Rules on what the launch earns and ties up: payback, spend, cash, and sums that must add up."""

from __future__ import annotations

from agent.brief.declare import Text
from agent.brief.plan import Plan
from agent.brief.rules.rule import above, close, rule


@rule(
    "economics",
    "stop",
    "Lower the first buy, the spend or the cost, or do not launch.",
    "请减少首单、费用或成本，否则不宜上市。",
)
def never_pays_back(plan: Plan) -> Text | None:
    if plan.number("economics.pays_back_high") != 0:
        return None
    return Text(
        "Even P90 demand does not cover the outlay within {{launch.horizon}}.",
        "即使按P90需求，{{launch.horizon}}内也收不回投入。",
    )


@rule("economics", "stop", "Cut the launch spend.", "请削减上市费用。")
def spend_above_upside(plan: Plan) -> Text | None:
    if not above(plan, "item.budget", "economics.contribution_12w.high"):
        return None
    return Text(
        "The launch spend of {{item.budget}} is more than the product contributes at P90 "
        "({{economics.contribution_12w.high}}).",
        "上市费用{{item.budget}}超过P90需求下的贡献（{{economics.contribution_12w.high}}）。",
    )


@rule(
    "economics",
    "error",
    "Buy less first, spend less, or raise the contribution per unit.",
    "请减少首单或费用，或提高单件贡献。",
)
def slow_payback(plan: Plan) -> Text | None:
    if not plan.knows("economics.break_even_units", "launch.week_01") or plan.knows("economics.payback_week"):
        return None
    return Text(
        "At P50 demand the outlay is not covered within {{launch.horizon}}.",
        "按P50需求，{{launch.horizon}}内收不回投入。",
    )


@rule("economics", "error", "Cut the launch spend, or stage it by what comes in.", "请削减上市费用，或按回款分期投入。")
def spend_above_middle(plan: Plan) -> Text | None:
    if not above(plan, "item.budget", "economics.contribution_12w"):
        return None
    return Text(
        "The launch spend of {{item.budget}} is more than the P50 contribution of {{economics.contribution_12w}}.",
        "上市费用{{item.budget}}超过P50贡献{{economics.contribution_12w}}。",
    )


@rule(
    "economics",
    "error",
    "Raise the price or lower the cost until the least margin is met, or change the setting.",
    "请提价或降本至满足最低毛利率，或调整设置。",
)
def margin_under_least(plan: Plan) -> Text | None:
    rate, least = plan.number("economics.contribution_rate"), plan.settings.min_margin
    if rate is None or least is None or rate >= least:
        return None
    return Text(
        "The contribution rate of {{economics.contribution_rate}} is under the least margin that was set.",
        "贡献率{{economics.contribution_rate}}低于设定的最低毛利率。",
    )


@rule(
    "economics",
    "error",
    "Recompute the revenue from the forecast and its price.",
    "请按预测销量与售价重新计算销售额。",
)
def revenue_does_not_add_up(plan: Plan) -> Text | None:
    revenue, units, price = (plan.number(n) for n in ("launch.revenue_12w", "launch.units_12w", "launch.price"))
    if revenue is None or units is None or price is None or close(revenue, units * price):
        return None
    return Text(
        "Revenue of {{launch.revenue_12w}} is not {{launch.units_12w}} units at {{launch.price}}.",
        "销售额{{launch.revenue_12w}}不等于{{launch.units_12w}}件乘以{{launch.price}}。",
    )


@rule(
    "buy",
    "error",
    "Recompute the cash from the first buy and the unit cost.",
    "请按首单与单位成本重新计算占用资金。",
)
def cash_does_not_add_up(plan: Plan) -> Text | None:
    cash, units, cost = (plan.number(n) for n in ("buy.cash", "buy.first_buy", "item.cost"))
    if cash is None or units is None or cost is None or close(cash, units * cost):
        return None
    return Text(
        "Cash of {{buy.cash}} is not {{buy.first_buy}} units at {{item.cost}}.",
        "占用资金{{buy.cash}}不等于{{buy.first_buy}}件乘以{{item.cost}}。",
    )


@rule(
    "decision",
    "error",
    "Lower the first buy or the spend until the limit holds, or have the limit raised.",
    "请减少首单或费用直至不超限额，或申请提高限额。",
)
def cash_over_limit(plan: Plan) -> Text | None:
    cash, limit = plan.number("decision.cash_at_risk"), plan.settings.cash_limit
    if cash is None or limit is None or cash <= limit:
        return None
    return Text(
        "Cash at risk of {{decision.cash_at_risk}} is over the limit of {{rule.cash_limit}}.",
        "风险资金{{decision.cash_at_risk}}超过限额{{rule.cash_limit}}。",
    )


@rule(
    "economics",
    "warning",
    "Prepare an exit: what is done with the stock if demand stays low.",
    "请准备退出方案：需求低迷时库存如何处理。",
)
def loss_at_low_demand(plan: Plan) -> Text | None:
    if plan.number("economics.pays_back_low") != 0:
        return None
    return Text(
        "At P10 demand the outlay is not covered within {{launch.horizon}}.",
        "若需求只有P10，{{launch.horizon}}内收不回投入。",
    )


@rule(
    "economics",
    "warning",
    "Share the money out again so that advertising and discounts stay within the launch spend.",
    "请重新分配，使广告与折扣合计不超过上市费用。",
)
def spend_over_budget(plan: Plan) -> Text | None:
    ads, given, budget = plan.number("ads.planned"), plan.number("promotion.given"), plan.number("item.budget")
    if ads is None or given is None or budget is None or ads + given <= budget or close(ads + given, budget):
        return None
    return Text(
        "Advertising of {{ads.planned}} and discounts of {{promotion.given}} are more than the launch spend of "
        "{{item.budget}}.",
        "广告{{ads.planned}}与折扣让利{{promotion.given}}合计超过上市费用{{item.budget}}。",
    )


RULES = (
    never_pays_back,
    spend_above_upside,
    slow_payback,
    spend_above_middle,
    margin_under_least,
    revenue_does_not_add_up,
    cash_does_not_add_up,
    cash_over_limit,
    loss_at_low_demand,
    spend_over_budget,
)
