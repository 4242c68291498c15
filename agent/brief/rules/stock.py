"""Rules on the first buy: whether it lasts, whether it can be ordered so, and when the next one is due."""

from __future__ import annotations

from agent.brief.declare import Text
from agent.brief.plan import Plan
from agent.brief.rules.rule import ROUNDING, lands, rule

LIKELY = 0.5


@rule(
    "buy",
    "error",
    "Launch later, or find a faster supplier or freight.",
    "请推迟上市，或换用更快的供应商或运输方式。",
)
def date_before_lead_time(plan: Plan) -> Text | None:
    day, landed = plan.draft.launch_date, lands(plan)
    if day is None or landed is None or not plan.today <= day < landed:
        return None
    return Text(
        "Stock ordered today needs {{buy.lead_time}} and lands after the launch on {{item.launch_date}}.",
        "今日下单交期{{buy.lead_time}}，到货晚于上市日期{{item.launch_date}}。",
    )


@rule("buy", "error", "Buy at least the demand of the lead time.", "首单至少应覆盖交期内的需求。")
def first_buy_below_lead_time_demand(plan: Plan) -> Text | None:
    buy, days, weekly = plan.number("buy.first_buy"), plan.number("buy.lead_time"), plan.numbers("launch.week_#")
    if buy is None or days is None or not weekly:
        return None
    weeks = min(days / 7, len(weekly))
    whole = int(weeks)
    demand = sum(weekly[:whole]) + (weeks - whole) * (weekly[whole] if whole < len(weekly) else 0)
    if buy >= demand * (1 - ROUNDING):
        return None
    return Text(
        "The first buy of {{buy.first_buy}} units does not last the lead time of {{buy.lead_time}} at P50 demand.",
        "首单{{buy.first_buy}}件按P50需求撑不过交期{{buy.lead_time}}。",
    )


@rule(
    "buy",
    "error",
    "Buy at least the P50 demand over the cover, or lower the service level on purpose.",
    "首单至少应达到覆盖期P50需求，或有意下调服务水平。",
)
def first_buy_below_middle_demand(plan: Plan) -> Text | None:
    buy, middle, level = (plan.number(n) for n in ("buy.first_buy", "buy.demand_over_cover", "buy.service_level"))
    if buy is None or middle is None or level is None or level < LIKELY or buy >= middle * (1 - ROUNDING):
        return None
    return Text(
        "The first buy of {{buy.first_buy}} units is below the P50 demand of {{buy.demand_over_cover}} over its cover, "
        "which does not fit a service level of {{buy.service_level}}.",
        "首单{{buy.first_buy}}件低于覆盖期P50需求{{buy.demand_over_cover}}，与服务水平{{buy.service_level}}不符。",
    )


@rule(
    "buy",
    "warning",
    "Buy in two steps: the second order can wait for the first weeks' sales.",
    "宜分两次下单，第二单可待首周销售后再定。",
)
def first_buy_above_upside(plan: Plan) -> Text | None:
    buy, high = plan.number("buy.first_buy"), plan.number("launch.units_12w.high")
    if buy is None or high is None or buy <= high:
        return None
    return Text(
        "The first buy of {{buy.first_buy}} units is more than P90 demand over {{launch.horizon}}.",
        "首单{{buy.first_buy}}件超过{{launch.horizon}}的P90需求。",
    )


@rule(
    "buy",
    "warning",
    "Shorten the lead time or lower the service level.",
    "请缩短交期或下调服务水平。",
)
def likely_overstock(plan: Plan) -> Text | None:
    chance = plan.number("buy.p_overstock")
    if chance is None or chance <= LIKELY:
        return None
    return Text(
        "The first buy is more likely than not to leave stock over ({{buy.p_overstock}}); a shorter lead time or a "
        "lower service level would need less.",
        "首单积压的可能性偏大（{{buy.p_overstock}}）；缩短交期或降低服务水平可减少首单。",
    )


@rule(
    "buy",
    "warning",
    "Buy more, or bring the second order forward.",
    "请增加首单或提前下达第二单。",
)
def likely_stockout(plan: Plan) -> Text | None:
    chance = plan.number("buy.p_stockout")
    if chance is None or chance <= LIKELY:
        return None
    return Text(
        "Running out within {{launch.horizon}} is more likely than not ({{buy.p_stockout}}).",
        "{{launch.horizon}}内断货的可能性偏大（{{buy.p_stockout}}）。",
    )


@rule(
    "buy",
    "error",
    "Let the cover reach at least from one delivery to the next.",
    "覆盖期至少应衔接前后两次到货。",
)
def cover_shorter_than_lead_time(plan: Plan) -> Text | None:
    cover, days = plan.number("buy.cover_weeks"), plan.number("buy.lead_time")
    if cover is None or days is None or 7 * cover >= days:
        return None
    return Text(
        "A cover of {{buy.cover_weeks}} ends before an order placed at the launch arrives ({{buy.lead_time}}).",
        "覆盖期{{buy.cover_weeks}}短于交期{{buy.lead_time}}，上市时下的单到货前便会断货。",
    )


@rule(
    "buy",
    "warning",
    "Place the second order earlier, or buy more first.",
    "请提前下达第二单，或增加首单。",
)
def second_order_too_late(plan: Plan) -> Text | None:
    week, cover, days = (plan.number(n) for n in ("buy.second_order_week", "buy.cover_weeks", "buy.lead_time"))
    if week is None or cover is None or days is None or week - 1 + days / 7 <= cover:
        return None
    return Text(
        "The second order, due in week {{buy.second_order_week}}, needs {{buy.lead_time}} and lands after the cover of "
        "{{buy.cover_weeks}} is used up.",
        "第二单于第{{buy.second_order_week}}周下达，交期{{buy.lead_time}}，到货时覆盖期{{buy.cover_weeks}}已用尽。",
    )


@rule("buy", "error", "Order the minimum, or ask the supplier for less.", "请按起订量下单，或与供应商协商降低起订量。")
def below_minimum_order(plan: Plan) -> Text | None:
    buy, least = plan.number("buy.first_buy"), plan.number("buy.minimum_order")
    if buy is None or least is None or buy == 0 or buy >= least:
        return None
    return Text(
        "The first buy of {{buy.first_buy}} units is under the supplier's minimum order of {{buy.minimum_order}}.",
        "首单{{buy.first_buy}}件低于供应商起订量{{buy.minimum_order}}件。",
    )


@rule("buy", "error", "Round the order to whole packs.", "请按整箱取整。")
def not_in_whole_packs(plan: Plan) -> Text | None:
    buy, pack = plan.number("buy.first_buy"), plan.number("buy.pack_size")
    if buy is None or not pack or buy % pack == 0:
        return None
    return Text(
        "The first buy of {{buy.first_buy}} units is not a number of whole packs of {{buy.pack_size}}.",
        "首单{{buy.first_buy}}件不是每箱{{buy.pack_size}}件的整数倍。",
    )


@rule(
    "buy",
    "warning",
    "Check that so much stock of a product nobody has bought yet is meant.",
    "请确认确需为尚无销售的新品备如此多的库存。",
)
def cover_beyond_the_plan(plan: Plan) -> Text | None:
    cover, horizon = plan.number("buy.cover_weeks"), plan.number("launch.horizon")
    if cover is None or horizon is None or cover <= horizon:
        return None
    return Text(
        "The first buy is to last {{buy.cover_weeks}}, longer than the {{launch.horizon}} that are forecast.",
        "首单覆盖{{buy.cover_weeks}}，超过预测期{{launch.horizon}}。",
    )


@rule("buy", "error", "Plan the stock again with the lead time that was set.", "请按设定交期重新计算备货。")
def lead_time_not_kept(plan: Plan) -> Text | None:
    used, wanted = plan.number("buy.lead_time"), plan.settings.lead_time_days
    if used is None or wanted is None or used == wanted:
        return None
    return Text(
        "The stock plan counts with a lead time of {{buy.lead_time}}, another one is set.",
        "备货按交期{{buy.lead_time}}计算，与设定不符。",
    )


@rule("buy", "error", "Plan the stock again at the service level that was set.", "请按设定服务水平重新计算备货。")
def service_level_not_kept(plan: Plan) -> Text | None:
    used, wanted = plan.number("buy.service_level"), plan.settings.service_level
    if used is None or wanted is None or used >= wanted - 1e-9:
        return None
    return Text(
        "The stock plan aims at {{buy.service_level}}, under the service level that is set.",
        "备货目标{{buy.service_level}}低于设定的服务水平。",
    )


@rule("buy", "error", "Report it: the reorder point holds the safety stock.", "请反馈：补货点应包含安全库存。")
def reorder_under_safety_stock(plan: Plan) -> Text | None:
    point, safety = plan.number("buy.reorder_point"), plan.number("buy.safety_stock")
    if point is None or safety is None or point >= safety * (1 - ROUNDING) - 1:
        return None
    return Text(
        "The reorder point of {{buy.reorder_point}} is under the safety stock of {{buy.safety_stock}}.",
        "补货点{{buy.reorder_point}}低于安全库存{{buy.safety_stock}}。",
    )


RULES = (
    date_before_lead_time,
    first_buy_below_lead_time_demand,
    first_buy_below_middle_demand,
    first_buy_above_upside,
    likely_overstock,
    likely_stockout,
    cover_shorter_than_lead_time,
    second_order_too_late,
    below_minimum_order,
    not_in_whole_packs,
    cover_beyond_the_plan,
    lead_time_not_kept,
    service_level_not_kept,
    reorder_under_safety_stock,
)
