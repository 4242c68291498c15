"""Rules on the forecast: the plan it was made for, the launches it rests on, and how well its method did before."""

from __future__ import annotations

from agent.brief.declare import Text
from agent.brief.plan import HORIZON_WEEKS, Plan
from agent.brief.rules.rule import ROUNDING, close, day_of, rule

BIASED = 0.25  # share of past sales by which a method may be off on average
CALIBRATED = (0.65, 0.95)  # share of past launches that an 80 % interval should hold, give or take
LEAST_BACKTESTS = 10


@rule("demand", "error", "Forecast again at the planned price.", "请按计划售价重新预测。")
def forecast_at_other_price(plan: Plan) -> Text | None:
    price, planned = plan.number("launch.price"), plan.number("price.planned")
    if price is None or planned is None or close(price, planned):
        return None
    return Text(
        "The forecast is made at {{launch.price}}, the brief plans at {{price.planned}}.",
        "预测按{{launch.price}}测算，与计划售价{{price.planned}}不一致。",
    )


@rule("demand", "error", "Forecast again for the planned day.", "请按计划上市日期重新预测。")
def forecast_for_other_day(plan: Plan) -> Text | None:
    used, planned = day_of(plan, "launch.date"), plan.draft.launch_date
    if used is None or planned is None or used == planned or not plan.knows("item.launch_date"):
        return None
    return Text(
        "The forecast is made for a launch on {{launch.date}}, the brief plans {{item.launch_date}}.",
        "预测按{{launch.date}}上市测算，与计划日期{{item.launch_date}}不一致。",
    )


@rule(
    "demand",
    "error",
    "Read the interval, not the middle; a test in one region would narrow it.",
    "应以区间为准，可先在一个地区试销以缩小区间。",
)
def few_analogues(plan: Plan) -> Text | None:
    count = plan.number("launch.analogues")
    if count is None or count >= plan.settings.min_analogues:
        return None
    return Text(
        "The forecast rests on {{launch.analogues}} analogues; at least {{rule.min_analogues}} are asked for.",
        "相似新品仅{{launch.analogues}}个，少于要求的{{rule.min_analogues}}个。",
    )


@rule(
    "analogues",
    "error",
    "Say what this launch has that those had not, or plan for less.",
    "请说明本品优于那些新品之处，或下调计划。",
)
def weak_base_rate(plan: Plan) -> Text | None:
    rate = plan.number("decision.base_rate")
    if rate is None or rate >= plan.settings.min_base_rate:
        return None
    return Text(
        "Only {{launch.base_rate_hit}} of {{launch.base_rate_of}} comparable launches reached this plan.",
        "可比新品{{launch.base_rate_of}}个，达到本计划的仅{{launch.base_rate_hit}}个。",
    )


@rule("analogues", "error", "Report it: the count of the analogues is wrong.", "请反馈：相似新品计数有误。")
def base_rate_out_of_count(plan: Plan) -> Text | None:
    hit, of = plan.number("launch.base_rate_hit"), plan.number("launch.base_rate_of")
    if hit is None or of is None or 0 <= hit <= of:
        return None
    return Text(
        "{{launch.base_rate_hit}} of {{launch.base_rate_of}} launches cannot have reached the plan.",
        "可比新品共{{launch.base_rate_of}}个，达成数却为{{launch.base_rate_hit}}个。",
    )


@rule("analogues", "warning", "Report it: the weights should be made anew.", "请反馈：权重须重新计算。")
def weights_do_not_add_up(plan: Plan) -> Text | None:
    weights = plan.numbers("launch.analogue_#_weight", width=1)
    if not weights or abs(sum(weights) - 1) <= ROUNDING:
        return None
    return Text("The weights of the analogues do not add up to one.", "相似新品的权重之和不为一。")


@rule("demand", "warning", "Forecast to the end of the plan.", "请预测至计划期末。")
def weeks_missing(plan: Plan) -> Text | None:
    weekly = plan.numbers("launch.week_#")
    if not weekly or len(weekly) >= HORIZON_WEEKS:
        return None
    return Text("The forecast does not reach the end of the plan.", "预测未覆盖整个计划期。")


@rule("demand", "error", "Forecast again: weeks and total come from different runs.", "请重新预测：逐周与合计不同源。")
def weeks_outside_total(plan: Plan) -> Text | None:
    weekly = plan.numbers("launch.week_#")
    low, high = plan.number("launch.units_12w.low"), plan.number("launch.units_12w.high")
    # Medians of weeks do not add up to the median of the sum, but they do not leave its interval either.
    if len(weekly) < HORIZON_WEEKS or low is None or high is None or low <= sum(weekly) <= high:
        return None
    return Text(
        "The weekly P50 units add up to an amount outside {{launch.units_12w.low}} to {{launch.units_12w.high}}.",
        "逐周P50之和不在{{launch.units_12w.low}}至{{launch.units_12w.high}}之内。",
    )


@rule(
    "demand",
    "warning",
    "Buy in two steps, or test first: the forecast alone does not carry a large order.",
    "宜分两次下单或先试销，单凭预测不足以支撑大单。",
)
def interval_very_wide(plan: Plan) -> Text | None:
    low, high = plan.number("launch.units_12w.low"), plan.number("launch.units_12w.high")
    if low is None or high is None or low <= 0 or high / low <= plan.settings.max_interval_ratio:
        return None
    return Text(
        "The forecast reaches from {{launch.units_12w.low}} to {{launch.units_12w.high}} units: it says little.",
        "预测区间为{{launch.units_12w.low}}至{{launch.units_12w.high}}件，信息量有限。",
    )


@rule(
    "demand",
    "warning",
    "Hold the plan against the shop's usual launch as well.",
    "请同时以本店通常的新品表现作参照。",
)
def no_better_than_usual_launch(plan: Plan) -> Text | None:
    wape, usual = plan.number("launch.wape"), plan.number("launch.wape_median_curve")
    if wape is None or usual is None or wape < usual:
        return None
    return Text(
        "On past launches the method was off by {{launch.wape}}, the shop's median launch by "
        "{{launch.wape_median_curve}}: it knew no better.",
        "过往新品上，本方法误差{{launch.wape}}，本店新品中位曲线误差{{launch.wape_median_curve}}，并无优势。",
    )


@rule("demand", "warning", "Read the units with that bias in mind.", "阅读销量时须考虑该偏差。")
def method_biased(plan: Plan) -> Text | None:
    bias = plan.number("launch.bias")
    if bias is None or abs(bias) <= BIASED:
        return None
    return Text(
        "On past launches the method was off by {{launch.bias}} on average.",
        "过往新品上，本方法平均偏差{{launch.bias}}。",
    )


@rule(
    "demand",
    "warning",
    "Do not read the bounds as chances; widen them by hand where money hangs on them.",
    "区间端点不宜当作概率；涉及资金时应人工放宽。",
)
def interval_not_calibrated(plan: Plan) -> Text | None:
    held = plan.number("launch.coverage")
    if held is None or CALIBRATED[0] <= held <= CALIBRATED[1]:
        return None
    return Text(
        "{{launch.coverage}} of past launches ended inside P10 to P90, where eight tenths should.",
        "过往新品有{{launch.coverage}}落在P10至P90之内，应为八成。",
    )


@rule(
    "demand",
    "warning",
    "Treat the past error as a rough one until more launches are over.",
    "在更多新品完结之前，过往误差仅供粗略参考。",
)
def few_backtests(plan: Plan) -> Text | None:
    tried = plan.number("launch.backtests")
    if tried is None or tried >= LEAST_BACKTESTS:
        return None
    return Text(
        "The method could be tried on {{launch.backtests}} past launches only.",
        "本方法仅能在{{launch.backtests}}个过往新品上检验。",
    )


@rule(
    "cannibalisation",
    "error",
    "Take the neighbour out of the range, or move this product away from it in price or use.",
    "请淘汰被替代的商品，或在价格或用途上拉开距离。",
)
def mostly_cannibalised(plan: Plan) -> Text | None:
    lost, units = plan.number("cannibalisation.units"), plan.number("launch.units_12w")
    if lost is None or units is None or units <= 0 or -lost <= plan.settings.max_cannibalised * units:
        return None
    return Text(
        "The neighbours' units change by {{cannibalisation.units}}: most of the {{launch.units_12w}} units would come "
        "out of the shop's own sales.",
        "邻近商品销量变化{{cannibalisation.units}}件，本品{{launch.units_12w}}件多半来自本店自有销售。",
    )


@rule("demand", "error", "Report it: units cannot be negative.", "请反馈：销量不能为负。")
def negative_units(plan: Plan) -> Text | None:
    weekly = plan.numbers("launch.week_#")
    if not weekly or min(weekly) >= 0:
        return None
    return Text("A week of the forecast is below zero.", "预测中有一周销量为负。")


RULES = (
    forecast_at_other_price,
    forecast_for_other_day,
    few_analogues,
    weak_base_rate,
    base_rate_out_of_count,
    weights_do_not_add_up,
    weeks_missing,
    weeks_outside_total,
    interval_very_wide,
    no_better_than_usual_launch,
    method_biased,
    interval_not_calibrated,
    few_backtests,
    mostly_cannibalised,
    negative_units,
)
