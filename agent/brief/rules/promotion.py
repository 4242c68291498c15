"""Rules on the promotion: when it runs, what stock and price it needs, and whether it pays."""

from __future__ import annotations

from datetime import timedelta

from agent.brief.declare import Text
from agent.brief.fees import net_of
from agent.brief.plan import Plan
from agent.brief.rules.rule import above, before, day_of, lands, rule, sells_in

LIKELY = 0.5
PRIOR_PRICE = timedelta(days=30)  # Directive 98/6/EC, article 6a: the days whose lowest price a reduction names


@rule(
    "promotion",
    "error",
    "Start the promotion once the stock is there, or order today by faster freight.",
    "请待到货后再开始促销，或改用更快的运输。",
)
def promotion_before_stock(plan: Plan) -> Text | None:
    if not before(day_of(plan, "promo.start"), lands(plan)):
        return None
    return Text(
        "The promotion starts on {{promo.start}}, before stock ordered today can land ({{buy.lead_time}}).",
        "促销自{{promo.start}}开始，而今日下单的货尚未到（交期{{buy.lead_time}}）。",
    )


@rule("promotion", "error", "Move the promotion to the launch day or later.", "请将促销推迟到上市日或之后。")
def promotion_before_launch(plan: Plan) -> Text | None:
    if not before(day_of(plan, "promo.start"), day_of(plan, "item.launch_date")):
        return None
    return Text(
        "The promotion starts on {{promo.start}}, before the launch on {{item.launch_date}}.",
        "促销自{{promo.start}}开始，早于上市日期{{item.launch_date}}。",
    )


@rule("promotion", "error", "Correct the days of the promotion.", "请更正促销日期。")
def promotion_ends_before_it_starts(plan: Plan) -> Text | None:
    if not before(day_of(plan, "promo.end"), day_of(plan, "promo.start")):
        return None
    return Text(
        "The promotion ends on {{promo.end}}, before it starts on {{promo.start}}.",
        "促销于{{promo.end}}结束，早于开始日{{promo.start}}。",
    )


@rule("promotion", "error", "Cut the price less deep.", "请减小降价幅度。")
def promotion_price_under_floor(plan: Plan) -> Text | None:
    if not above(plan, "price.floor", "promotion.price"):
        return None
    return Text(
        "The promotion price of {{promotion.price}} is under the floor of {{price.floor}}.",
        "促销价{{promotion.price}}低于底价{{price.floor}}。",
    )


@rule("promotion", "error", "Cut the price less deep: each unit loses money.", "请减小降价幅度，否则每件亏损。")
def promotion_price_under_cost(plan: Plan) -> Text | None:
    price, cost = plan.number("promotion.price"), plan.number("item.cost")
    if price is None or cost is None or price > cost:
        return None
    return Text(
        "The promotion price of {{promotion.price}} does not earn the unit cost of {{item.cost}}.",
        "促销价{{promotion.price}}不足以覆盖单位成本{{item.cost}}。",
    )


@rule("promotion", "error", "Cut the price less deep: each unit loses money.", "请减小降价幅度，否则每件亏损。")
def promotion_price_under_cost_with_fees(plan: Plan) -> Text | None:
    price, cost = plan.number("promotion.price"), plan.number("item.cost")
    if price is None or cost is None or price <= cost or net_of(plan, price) > cost:
        return None
    return Text(
        "The promotion price of {{promotion.price}} does not earn the unit cost of {{item.cost}} once payment and "
        "delivery are paid.",
        "促销价{{promotion.price}}扣除支付与配送后不足以覆盖单位成本{{item.cost}}。",
    )


@rule("promotion", "error", "Give the promotion a price under the planned one, or drop it.", "促销价应低于计划售价。")
def promotion_without_reduction(plan: Plan) -> Text | None:
    price, planned = plan.number("promotion.price"), plan.number("price.planned")
    if price is None or planned is None or price < planned:
        return None
    return Text(
        "The promotion price of {{promotion.price}} is no lower than the planned {{price.planned}}.",
        "促销价{{promotion.price}}并不低于计划售价{{price.planned}}。",
    )


@rule(
    "promotion",
    "warning",
    "Stay within depths tried before, or try the deeper one on part of the shoppers.",
    "请采用试过的幅度，或先对部分顾客试行。",
)
def depth_never_tried(plan: Plan) -> Text | None:
    depth, high = plan.number("promotion.depth"), plan.number("promo.seen_high")
    if depth is None or high is None or depth <= high + 1e-9:
        return None
    return Text(
        "A depth of {{promotion.depth}} is deeper than what was usually tried, {{promo.seen_high}}.",
        "降幅{{promotion.depth}}超过以往常用的{{promo.seen_high}}。",
    )


@rule("promotion", "error", "Cut the price less deep, or change the setting.", "请减小降幅或调整设置。")
def depth_over_setting(plan: Plan) -> Text | None:
    depth = plan.number("promotion.depth")
    if depth is None or depth <= plan.settings.max_promotion_depth:
        return None
    return Text(
        "A depth of {{promotion.depth}} is over the deepest cut allowed, {{rule.max_promotion_depth}}.",
        "降幅{{promotion.depth}}超过允许的上限{{rule.max_promotion_depth}}。",
    )


@rule("promotion", "warning", "Leave the promotion out.", "请取消促销。")
def promotion_costs_more_than_it_brings(plan: Plan) -> Text | None:
    extra = plan.number("promotion.contribution")
    if extra is None or extra > 0:
        return None
    return Text(
        "The promotion changes the category's contribution by {{promotion.contribution}}, the weeks after it included.",
        "计入后续数周，促销使品类贡献变化{{promotion.contribution}}。",
    )


@rule("promotion", "warning", "Try it on part of the shoppers first.", "请先对部分顾客试行。")
def promotion_unlikely_to_pay(plan: Plan) -> Text | None:
    chance = plan.number("promo.p_pays")
    if chance is None or chance >= LIKELY:
        return None
    return Text(
        "The promotion pays with a chance of {{promo.p_pays}} only.",
        "促销划算的概率仅{{promo.p_pays}}。",
    )


@rule("promotion", "error", "Raise the launch spend or cut less deep.", "请增加上市费用或减小降幅。")
def discounts_over_budget(plan: Plan) -> Text | None:
    given, budget = plan.number("promotion.given"), plan.number("item.budget")
    if given is None or budget is None or given <= budget:
        return None
    return Text(
        "The discounts of {{promotion.given}} are more than the whole launch spend of {{item.budget}}.",
        "折扣让利{{promotion.given}}超过上市费用{{item.budget}}。",
    )


@rule("promotion", "warning", "Keep a reserve, or cap the promotion.", "请留足准备金或设定上限。")
def discounts_may_overrun(plan: Plan) -> Text | None:
    middle, high, budget = (plan.number(n) for n in ("promotion.given", "promotion.given.high", "item.budget"))
    if middle is None or high is None or budget is None or not middle <= budget < high:
        return None
    return Text(
        "At P90 demand the discounts reach {{promotion.given.high}}, over the launch spend of {{item.budget}}.",
        "按P90需求，折扣让利将达{{promotion.given.high}}，超过上市费用{{item.budget}}。",
    )


@rule("promotion", "warning", "Buy the promotion's units as well, or run it later.", "请为促销加备库存，或推迟促销。")
def promotion_outsells_the_buy(plan: Plan) -> Text | None:
    """The P50 units up to the promotion's end, its extra ones included, against the first buy."""
    buy, uplift = plan.number("buy.first_buy"), plan.number("promotion.uplift")
    start, end, launch = (day_of(plan, n) for n in ("promo.start", "promo.end", "item.launch_date"))
    weekly, second = plan.numbers("launch.week_#"), plan.number("buy.second_order_week")
    if buy is None or uplift is None or start is None or end is None or launch is None or not weekly:
        return None
    first, last = (start - launch).days // 7, (end - launch).days // 7
    if first < 0 or last >= len(weekly) or (second is not None and last + 1 > second):
        return None
    sold = sum(units * (1 + uplift if week >= first else 1) for week, units in enumerate(weekly[: last + 1]))
    if sold <= buy:
        return None
    return Text(
        "With {{promotion.uplift}} more units in the promotion, the first buy of {{buy.first_buy}} units does not last "
        "until its end on {{promo.end}}.",
        "促销期多售{{promotion.uplift}}，首单{{buy.first_buy}}件撑不到{{promo.end}}促销结束。",
    )


@rule(
    "compliance",
    "warning",
    "Start the promotion {{rule.prior_price}} after the launch, or announce no reduction from another price.",
    "请在上市满{{rule.prior_price}}后再促销，或不以划线价宣传。",
)
def reduction_without_prior_price(plan: Plan) -> Text | None:
    start, launch = day_of(plan, "promo.start"), day_of(plan, "item.launch_date")
    if start is None or launch is None or not plan.knows("promotion.depth") or not sells_in(plan, "eu"):
        return None
    if start >= launch + PRIOR_PRICE:
        return None
    return Text(
        "A reduction on {{promo.start}} must name the lowest price of the {{rule.prior_price}} before it, and the "
        "product is on sale only since {{item.launch_date}}.",
        "{{promo.start}}的降价须标明此前{{rule.prior_price}}内的最低价，而商品{{item.launch_date}}才上市。",
    )


@rule(
    "compliance",
    "error",
    "Announce the reduction from the lowest price of the {{rule.prior_price}} before it.",
    "请以此前{{rule.prior_price}}内的最低价作为降价基准。",
)
def reduction_above_prior_price(plan: Plan) -> Text | None:
    prior, price = plan.number("price.prior_low"), plan.number("promotion.price")
    if prior is None or price is None or price < prior or not sells_in(plan, "eu"):
        return None
    return Text(
        "The promotion price of {{promotion.price}} is no reduction: before it the lowest price was "
        "{{price.prior_low}}.",
        "促销价{{promotion.price}}不构成降价：此前最低价为{{price.prior_low}}。",
    )


RULES = (
    promotion_before_stock,
    promotion_before_launch,
    promotion_ends_before_it_starts,
    promotion_price_under_floor,
    promotion_price_under_cost,
    promotion_price_under_cost_with_fees,
    promotion_without_reduction,
    depth_never_tried,
    depth_over_setting,
    promotion_costs_more_than_it_brings,
    promotion_unlikely_to_pay,
    discounts_over_budget,
    discounts_may_overrun,
    promotion_outsells_the_buy,
    reduction_without_prior_price,
    reduction_above_prior_price,
)
