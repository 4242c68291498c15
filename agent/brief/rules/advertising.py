"""Rules on advertising and audience: when money may be spent, on what, whether it pays, and how one would know."""

from __future__ import annotations

import math

from agent.brief.declare import Text
from agent.brief.plan import Plan
from agent.brief.rules.rule import before, close, day_of, known, lands, rule

LIKELY = 0.5
CHANNELS = ("search", "social", "display", "email", "sms", "video", "affiliate")


@rule("ads", "error", "Start advertising once the stock is there.", "请待到货后再投放广告。")
def ads_before_stock(plan: Plan) -> Text | None:
    if not before(day_of(plan, "ads.start"), lands(plan)):
        return None
    return Text(
        "Advertising starts on {{ads.start}}, before stock ordered today can land ({{buy.lead_time}}).",
        "广告自{{ads.start}}投放，而今日下单的货尚未到（交期{{buy.lead_time}}）。",
    )


@rule(
    "ads",
    "warning",
    "Call it a teaser and send clicks to a waiting list, or start at the launch.",
    "可作为预热并引导预约，否则应自上市日起投放。",
)
def ads_before_launch(plan: Plan) -> Text | None:
    if not before(day_of(plan, "ads.start"), day_of(plan, "item.launch_date")):
        return None
    return Text(
        "Advertising starts on {{ads.start}}, before the launch on {{item.launch_date}}: nobody can buy yet.",
        "广告自{{ads.start}}投放，早于上市日期{{item.launch_date}}，顾客尚无法购买。",
    )


@rule(
    "ads",
    "warning",
    "Mend what readiness lists first: paid clicks on an unready page are lost.",
    "请先补齐上架准备，否则付费点击将白白流失。",
)
def ads_before_readiness(plan: Plan) -> Text | None:
    ready, start, launch = plan.number("readiness.score"), day_of(plan, "ads.start"), day_of(plan, "item.launch_date")
    least = plan.settings.min_readiness
    if ready is None or start is None or launch is None or ready >= least or start > launch:
        return None
    return Text(
        "Advertising starts on {{ads.start}} while retail readiness stands at {{readiness.score}}, under the "
        "{{rule.min_readiness}} asked for.",
        "广告自{{ads.start}}投放，而上架准备度仅{{readiness.score}}，低于要求的{{rule.min_readiness}}。",
    )


@rule("ads", "error", "Do not advertise at this budget.", "不宜按此预算投放广告。")
def ads_bring_less_than_they_cost(plan: Plan) -> Text | None:
    worth, spend = plan.number("ads.worth"), plan.number("ads.planned")
    if worth is None or not spend or worth >= spend:
        return None
    return Text(
        "Advertising of {{ads.planned}} brings an extra contribution of {{ads.worth}}.",
        "广告投入{{ads.planned}}，带来的额外贡献仅{{ads.worth}}。",
    )


@rule(
    "ads",
    "warning",
    "Lower the budget to where the last unit of money still brings itself.",
    "请将预算降至末位投入仍能回本之处。",
)
def ads_past_worthwhile(plan: Plan) -> Text | None:
    spend, worthwhile = plan.number("ads.planned"), plan.number("ads.worthwhile")
    if spend is None or worthwhile is None or spend <= worthwhile or close(spend, worthwhile):
        return None
    return Text(
        "Advertising of {{ads.planned}} goes past {{ads.worthwhile}}, from where more brings less than itself.",
        "广告{{ads.planned}}超过{{ads.worthwhile}}，再多投入便入不敷出。",
    )


@rule("ads", "error", "Plan the advertising again within its budget.", "请在预算内重新规划广告。")
def ads_over_budget(plan: Plan) -> Text | None:
    spend, budget = plan.number("ads.planned"), plan.number("ads.budget")
    if spend is None or budget is None or spend <= budget or close(spend, budget):
        return None
    return Text(
        "Advertising of {{ads.planned}} is over its budget of {{ads.budget}}.",
        "广告{{ads.planned}}超出预算{{ads.budget}}。",
    )


@rule("ads", "error", "Recompute the split: the channels do not add up.", "请重新分配：各渠道之和不符。")
def channels_do_not_add_up(plan: Plan) -> Text | None:
    budgets = [plan.number(f"ads.{channel}_budget") for channel in CHANNELS]
    parts = [budget for budget in budgets if budget is not None]
    total = plan.number("ads.planned")
    if not parts or total is None or close(math.fsum(parts), total):
        return None
    return Text(
        "The channels' budgets do not add up to the planned {{ads.planned}}.",
        "各渠道预算之和与计划{{ads.planned}}不符。",
    )


@rule(
    "ads",
    "error",
    "Recompute the weeks: a channel's weeks do not add up to its budget.",
    "请重新分周：某渠道各周之和与预算不符。",
)
def weeks_do_not_add_up(plan: Plan) -> Text | None:
    for channel in CHANNELS:
        total = plan.number(f"ads.{channel}_budget")
        weekly = [plan.number(name) or 0.0 for name in known(plan, "ads.week_", f"_{channel}")]
        if total is not None and weekly and not close(math.fsum(weekly), total):
            at = f"{{{{ads.{channel}_budget}}}}"
            return Text(f"The weeks of a channel do not add up to its {at}.", f"某渠道各周之和与其预算{at}不符。")
    return None


@rule(
    "ads",
    "warning",
    "Set for each channel the spend at which to look and the orders under which to stop.",
    "请为各渠道设定检视花费与停投订单数。",
)
def ads_without_stop_loss(plan: Plan) -> Text | None:
    spent = [channel for channel in CHANNELS if (plan.number(f"ads.{channel}_budget") or 0) > 0]
    if not spent or any(plan.knows(f"ads.{channel}_stop_spend") for channel in spent):
        return None
    return Text(
        "No channel of the {{ads.planned}} has a stop-loss: bad spend would run on.",
        "广告{{ads.planned}}的各渠道均无止损线，低效投放将持续。",
    )


@rule("ads", "warning", "Take the equal split: it is as good and simpler.", "可采用均分，效果相当且更简单。")
def split_no_better_than_even(plan: Plan) -> Text | None:
    chance = plan.number("ads.p_better")
    if chance is None or chance >= LIKELY:
        return None
    return Text(
        "This split beats an equal one with a chance of {{ads.p_better}} only.",
        "该分配优于均分的概率仅{{ads.p_better}}。",
    )


@rule("ads", "warning", "Spend the rest as a test in one region, or keep it.", "余款可在一个地区试投，或暂不投放。")
def budget_beyond_evidence(plan: Plan) -> Text | None:
    if (plan.number("ads.unspent") or 0) <= 0:
        return None
    return Text(
        "{{ads.unspent}} of the advertising budget lies beyond what past spend can tell about.",
        "广告预算中有{{ads.unspent}}超出历史数据可推断的范围。",
    )


@rule("audience", "error", "Leave a random part of the audience out.", "请随机留出一部分人群不触达。")
def audience_without_holdout(plan: Plan) -> Text | None:
    size, held = plan.number("audience.size"), plan.number("audience.holdout")
    if not size or held is None or held >= plan.settings.min_holdout * size:
        return None
    return Text(
        "{{audience.holdout}} of {{audience.size}} customers are left out, under {{rule.min_holdout}}: what the "
        "message did could not be told.",
        "人群{{audience.size}}人仅留出{{audience.holdout}}人，低于{{rule.min_holdout}}，无法判断触达效果。",
    )


@rule("audience", "error", "Take a smaller audience.", "请缩小人群。")
def audience_beyond_reach(plan: Plan) -> Text | None:
    size, reach = plan.number("audience.size"), plan.number("audience.reach")
    if size is None or reach is None or size <= reach:
        return None
    return Text(
        "An audience of {{audience.size}} is more than the {{audience.reach}} customers who may be told.",
        "人群{{audience.size}}人超过可触达的{{audience.reach}}人。",
    )


@rule("audience", "warning", "Tell fewer customers first, or buy more.", "请先触达较少顾客，或增加首单。")
def audience_outbuys_the_stock(plan: Plan) -> Text | None:
    buyers, buy = plan.number("audience.buyers.high"), plan.number("buy.first_buy")
    if buyers is None or buy is None or buyers <= buy:
        return None
    return Text(
        "At P90 the audience alone buys {{audience.buyers.high}} units, more than the first buy of {{buy.first_buy}}.",
        "按P90，仅该人群就将购买{{audience.buyers.high}}件，超过首单{{buy.first_buy}}件。",
    )


@rule(
    "audience",
    "warning",
    "Send it as a test: whether a message adds anything is not known here.",
    "请先小规模测试：触达是否有效尚不可知。",
)
def message_effect_unclear(plan: Plan) -> Text | None:
    low = plan.number("audience.added.low")
    if low is None or low > 0:
        return None
    return Text(
        "What the message adds, {{audience.added}} buyers, may be nothing (P10 {{audience.added.low}}).",
        "触达新增购买{{audience.added}}人，也可能为零（P10为{{audience.added.low}}）。",
    )


RULES = (
    ads_before_stock,
    ads_before_launch,
    ads_before_readiness,
    ads_bring_less_than_they_cost,
    ads_past_worthwhile,
    ads_over_budget,
    channels_do_not_add_up,
    weeks_do_not_add_up,
    ads_without_stop_loss,
    split_no_better_than_even,
    budget_beyond_evidence,
    audience_without_holdout,
    audience_beyond_reach,
    audience_outbuys_the_stock,
    message_effect_unclear,
)
