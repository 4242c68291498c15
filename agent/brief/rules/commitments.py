"""Rules on what the brief promises: units by warehouse, targets, tasks, reviews, answers, the gain of the category."""

from __future__ import annotations

import math

from agent.brief.declare import Text
from agent.brief.plan import Plan
from agent.brief.rules.rule import above, close, known, rule

LEAST_REVIEWS = 5  # under which a mean rating says nothing
# Targets where more is better, and those where less is, by the last part of their id.
BETTER_HIGH = ("_units", "_through", "_margin", ".conversion", ".rating")
BETTER_LOW = (".ad_cost", ".returns", ".stockout")


@rule("allocation", "error", "Share the first buy out again.", "请重新分配首单。")
def allocation_does_not_add_up(plan: Plan) -> Text | None:
    parts = [plan.number(name) or 0.0 for name in known(plan, "allocation.warehouse_", "_units")]
    houses, buy = plan.number("allocation.warehouses"), plan.number("buy.first_buy")
    # Brackets of warehouses beyond the table are not listed, so only a full list can be added up.
    if not parts or buy is None or houses != len(parts) or close(math.fsum(parts), buy):
        return None
    return Text(
        "The units by warehouse do not add up to the first buy of {{buy.first_buy}}.",
        "各仓数量之和与首单{{buy.first_buy}}不符。",
    )


@rule("calendar", "warning", "Do the overdue tasks now, or move the launch.", "请立即补做逾期任务，或推迟上市。")
def tasks_overdue(plan: Plan) -> Text | None:
    if not plan.knows("task.late"):
        return None
    return Text("The day has passed for: {{task.late}}.", "已过期的任务：{{task.late}}。")


@rule("cannibalisation", "error", "Do not launch it beside these neighbours.", "不宜与这些邻近商品同时销售。")
def launch_loses_margin(plan: Plan) -> Text | None:
    net, own = plan.number("cannibalisation.net_margin"), plan.number("economics.contribution_12w")
    if net is None or own is None or own <= 0 or net > 0:
        return None
    return Text(
        "Net of what the neighbours lose, the launch changes the shop's margin by {{cannibalisation.net_margin}}.",
        "扣除邻近商品损失后，本次上市使本店毛利变化{{cannibalisation.net_margin}}。",
    )


@rule(
    "assortment", "warning", "Replace a neighbour with it instead of adding it.", "宜以其替换某一邻近商品，而非新增。"
)
def category_gains_nothing(plan: Plan) -> Text | None:
    net = plan.number("assortment.net_units")
    if net is None or net > 0:
        return None
    return Text(
        "The category gains nothing: its units change by {{assortment.net_units}}.",
        "品类并无净增：销量变化{{assortment.net_units}}件。",
    )


@rule("targets", "error", "Set green on the better side of red.", "请使绿线优于红线。")
def targets_out_of_order(plan: Plan) -> Text | None:
    for green, red in _targets(plan):
        value, bad = plan.number(green), plan.number(red)
        is_low_better = green.endswith(BETTER_LOW)
        if value is not None and bad is not None and value != bad and (value < bad) != is_low_better:
            at, other = f"{{{{{green}}}}}", f"{{{{{red}}}}}"
            return Text(
                f"A target's green line of {at} is worse than its red line of {other}.",
                f"某目标的绿线{at}劣于红线{other}。",
            )
    return None


@rule("targets", "error", "Give every target a red line.", "请为每个目标设定红线。")
def target_without_red_line(plan: Plan) -> Text | None:
    for green, red in _targets(plan):
        if plan.knows(green) and not plan.knows(red):
            at = f"{{{{{green}}}}}"
            return Text(f"The target of {at} has no red line.", f"目标{at}没有红线。")
    return None


@rule(
    "targets",
    "warning",
    "Judge by later weeks, where green and red are a whole unit apart.",
    "请以绿红线相差一件以上的较晚周次判断。",
)
def target_too_small_to_measure(plan: Plan) -> Text | None:
    """Sales come in whole units: a green and a red line that round to the same one tell nothing apart."""
    for green, red in _targets(plan):
        value, bad = plan.number(green), plan.number(red)
        if green.endswith("_units") and value is not None and bad is not None and 0 <= value - bad < 1:
            at, other = f"{{{{{green}}}}}", f"{{{{{red}}}}}"
            return Text(
                f"Green from {at} and red under {other} units cannot be told apart.",
                f"绿线{at}件与红线{other}件难以区分。",
            )
    return None


@rule(
    "targets",
    "error",
    "Make the units by week add up: they are sums since the launch.",
    "请修正逐周目标：应为上市以来累计值。",
)
def targets_fall_over_time(plan: Plan) -> Text | None:
    marks = list(known(plan, "targets.week_", "_units"))
    units = [plan.number(name) or 0.0 for name in marks]
    for at in range(1, len(units)):
        if units[at] < units[at - 1]:
            first, then = f"{{{{{marks[at - 1]}}}}}", f"{{{{{marks[at]}}}}}"
            return Text(
                f"The units to have sold fall from {first} to {then} at a later look.",
                f"累计销量目标由{first}降至其后的{then}。",
            )
    return None


@rule(
    "targets", "warning", "Drop the rating from the early looks, or seed reviews.", "早期复盘不宜看评分，或先播种评论。"
)
def rating_target_without_reviews(plan: Plan) -> Text | None:
    count = plan.number("review_plan.week_4_count")
    if count is None or not plan.knows("targets.rating") or count >= LEAST_REVIEWS:
        return None
    return Text(
        "A rating of {{targets.rating}} cannot be measured at first: {{review_plan.week_4_count}} reviews are expected "
        "by the first review of the launch.",
        "评分目标{{targets.rating}}起初无法衡量：首次复盘前预计仅有{{review_plan.week_4_count}}条评论。",
    )


@rule("targets", "warning", "Set a target that the plan itself can reach.", "请设定计划本身能达到的目标。")
def target_beyond_the_forecast(plan: Plan) -> Text | None:
    high = plan.number("launch.units_12w.high")
    last = list(known(plan, "targets.week_", "_units"))[-1:]
    if high is None or not last or (plan.number(last[0]) or 0) <= high:
        return None
    at = f"{{{{{last[0]}}}}}"
    return Text(
        f"The target of {at} units is over P90 of the forecast, {{{{launch.units_12w.high}}}}.",
        f"目标{at}件超过预测P90的{{{{launch.units_12w.high}}}}件。",
    )


@rule(
    "reviews",
    "error",
    "Have every review of a unit given away say so, and have that checked.",
    "赠品评论须逐条注明，并完成核查。",
)
def seeding_without_disclosure(plan: Plan) -> Text | None:
    # 16 CFR 465 (United States), directive 2005/29/EC as amended by 2019/2161 (Union), article 17 of China's
    # E-Commerce Law: a review that was paid for in goods must not pass for one that was not.
    if (plan.number("review_plan.seeds") or 0) <= 0 or "disclosure" in plan.settings.checked:
        return None
    return Text(
        "{{review_plan.seeds}} units are given away for reviews, and nobody has checked the disclosure.",
        "以{{review_plan.seeds}}件赠品换取评论，披露尚未核查。",
    )


@rule("service", "warning", "Write a policy for the questions without an answer.", "请为无答案的问题制定条款。")
def questions_without_answer(plan: Plan) -> Text | None:
    if not above(plan, "service.asked", "service.answered"):
        return None
    return Text(
        "Only {{service.answered}} of {{service.asked}} questions that will come have an answer in the policies.",
        "{{service.asked}}个常见问题中仅{{service.answered}}个有条款可依。",
    )


@rule("scenarios", "error", "Report it: the cases come from different runs.", "请反馈：各情景不同源。")
def scenarios_out_of_order(plan: Plan) -> Text | None:
    down, base, up = (plan.number(f"scenarios.{name}_result") for name in ("down", "base", "up"))
    if down is None or base is None or up is None or down <= base <= up:
        return None
    return Text(
        "The scenarios leave {{scenarios.down_result}}, {{scenarios.base_result}} and {{scenarios.up_result}}: more "
        "demand must not leave less.",
        "各情景结余为{{scenarios.down_result}}、{{scenarios.base_result}}、{{scenarios.up_result}}，需求越高结余反而越少。",
    )


@rule("risks", "warning", "Give the risk a value at which somebody acts.", "请为该风险设定触发值。")
def risk_without_trigger(plan: Plan) -> Text | None:
    for name in known(plan, "risks.", "_impact"):
        if not plan.knows(f"{name.removesuffix('_impact')}_trigger"):
            at = f"{{{{{name}}}}}"
            return Text(f"A risk that costs {at} has no trigger.", f"金额影响{at}的风险没有触发值。")
    return None


@rule("risks", "warning", "Hold a reserve, or lower the first buy.", "请预留准备金或减少首单。")
def risk_above_the_gain(plan: Plan) -> Text | None:
    earned = plan.number("economics.contribution_12w")
    for name in known(plan, "risks.", "_impact"):
        impact = plan.number(name) or 0.0
        if earned is not None and 0 < earned < -impact:
            at = f"{{{{{name}}}}}"
            return Text(
                f"One risk alone, {at}, is more than the P50 contribution of {{{{economics.contribution_12w}}}}.",
                f"单项风险{at}即超过P50贡献{{{{economics.contribution_12w}}}}。",
            )
    return None


@rule("rules", "error", "Let the exit lie under the plan.", "退出线应低于计划。")
def exit_above_the_plan(plan: Plan) -> Text | None:
    if not above(plan, "rules.exit_units", "launch.units_12w"):
        return None
    return Text(
        "The exit rule asks for {{rules.exit_units}} units, more than the plan of {{launch.units_12w}}: it would end a "
        "launch that runs to plan.",
        "退出线{{rules.exit_units}}件高于计划{{launch.units_12w}}件，将终止按计划运行的新品。",
    )


@rule("rules", "error", "Put the second look after the first.", "第二次评估须晚于第一次。")
def looks_out_of_order(plan: Plan) -> Text | None:
    first, second = plan.number("rules.markdown_week"), plan.number("rules.deeper_week")
    if first is None or second is None or first < second:
        return None
    return Text(
        "The second markdown look, in week {{rules.deeper_week}}, is not after the first, in week "
        "{{rules.markdown_week}}.",
        "第二次降价评估（第{{rules.deeper_week}}周）不晚于第一次（第{{rules.markdown_week}}周）。",
    )


def _targets(plan: Plan) -> list[tuple[str, str]]:
    """Each target and its red line; those of units by week are `…_units` and `…_red`."""
    names = [name for name in known(plan, "targets.") if name.endswith((*BETTER_HIGH, *BETTER_LOW))]
    return [(name, f"{name.removesuffix('_units')}_red") for name in names]


RULES = (
    allocation_does_not_add_up,
    tasks_overdue,
    launch_loses_margin,
    category_gains_nothing,
    targets_out_of_order,
    target_without_red_line,
    target_too_small_to_measure,
    targets_fall_over_time,
    rating_target_without_reviews,
    target_beyond_the_forecast,
    seeding_without_disclosure,
    questions_without_answer,
    scenarios_out_of_order,
    risk_without_trigger,
    risk_above_the_gain,
    exit_above_the_plan,
    looks_out_of_order,
)
