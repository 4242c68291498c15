"""Rules on the product's own data: without them the tools have nothing to stand on."""

from __future__ import annotations

from agent.brief.declare import Text
from agent.brief.plan import Plan
from agent.brief.rules.rule import rule


@rule("item", "warning", "Ask buying for the landed unit cost and enter it.", "请采购提供到岸单位成本并录入。")
def no_cost(plan: Plan) -> Text | None:
    if plan.knows("item.cost"):
        return None
    return Text(
        "Without a unit cost there is no floor, no contribution and no payback.",
        "没有单位成本，就没有底价、贡献与回本测算。",
    )


@rule(
    "item",
    "warning",
    "Choose a category of the shop for the draft.",
    "请为草案选择店铺品类。",
)
def no_category(plan: Plan) -> Text | None:
    if not plan.draft.name or plan.draft.category or not plan.knows("item.completeness"):
        return None
    return Text(
        "Without a category the product is held against the whole shop, and its forecast is wider for it.",
        "未归类商品只能与全店比较，预测区间因此更宽。",
    )


@rule(
    "item",
    "warning",
    "Fill the fields listed as empty in this section.",
    "请补齐本节列出的空缺字段。",
)
def master_data_incomplete(plan: Plan) -> Text | None:
    filled = plan.number("item.completeness")
    if filled is None or filled >= plan.settings.min_completeness:
        return None
    return Text(
        "Only {{item.completeness}} of the master data are filled; {{rule.min_completeness}} are asked for.",
        "主数据仅填{{item.completeness}}，要求达到{{rule.min_completeness}}。",
    )


@rule(
    "item",
    "error",
    "Correct the cost or the price: one of them has the wrong unit or a slipped decimal point.",
    "请核对成本或售价：其中一项可能单位有误或小数点错位。",
)
def cost_out_of_proportion(plan: Plan) -> Text | None:
    cost, low = plan.number("item.cost"), plan.number("price.market_low")
    high = plan.number("price.market_high")
    if cost is None or low is None or high is None or low / 100 <= cost <= high:
        return None
    return Text(
        "A unit cost of {{item.cost}} does not fit comparable products, which sell at {{price.market_low}} to "
        "{{price.market_high}}.",
        "单位成本{{item.cost}}与可比商品售价{{price.market_low}}至{{price.market_high}}不相称。",
    )


@rule(
    "item",
    "error",
    "Set a launch date that lies ahead.",
    "请设定尚未到来的上市日期。",
)
def date_in_the_past(plan: Plan) -> Text | None:
    day = plan.draft.launch_date
    if day is None or day >= plan.today:
        return None
    return Text(
        "The launch date {{item.launch_date}} has passed; plan a later one.",
        "上市日期{{item.launch_date}}已过，请另定日期。",
    )


RULES = (no_cost, no_category, master_data_incomplete, cost_out_of_proportion, date_in_the_past)
