"""Rules on when: the launch week, the season, and the window of the plan in which every day must lie."""

from __future__ import annotations

from datetime import date, timedelta

from agent.brief.declare import Text
from agent.brief.plan import Plan
from agent.brief.rules.rule import day_of, known, rule

WINDOW = timedelta(weeks=12)  # before and after the launch, as the calendar of BRIEF.md runs
NEAR = timedelta(weeks=3)
PLANNED = ("promo.start", "promo.end", "ads.start", "price.intro_until")


@rule(
    "calendar",
    "error",
    "Move that day into the weeks around the launch.",
    "请将该日期调整到上市前后的计划期内。",
)
def day_outside_calendar(plan: Plan) -> Text | None:
    launch = day_of(plan, "item.launch_date")
    if launch is None:
        return None
    for name in (*PLANNED, *known(plan, "audience.send_"), *known(plan, "task.")):
        day = None if name == "task.order" else day_of(plan, name)  # a long lead time reaches further back
        if day is not None and abs(day - launch) > WINDOW:
            at = f"{{{{{name}}}}}"
            return Text(
                f"{at} lies outside the calendar around the launch on {{{{item.launch_date}}}}.",
                f"{at}超出以上市日{{{{item.launch_date}}}}为中心的日历范围。",
            )
    return None


@rule(
    "calendar",
    "warning",
    "Take the calendar's week, or say what speaks for the planned one.",
    "请采用排期建议的周，或说明坚持原日期的理由。",
)
def other_week_than_the_calendar(plan: Plan) -> Text | None:
    planned, best = day_of(plan, "item.launch_date"), _placed(plan)
    if planned is None or best is None or best[1] <= planned < best[1] + timedelta(weeks=1):
        return None
    at = f"{{{{{best[0]}}}}}"
    return Text(
        f"The launch calendar places it in the week from {at}, the brief plans {{{{item.launch_date}}}}.",
        f"排期建议{at}当周上市，本简报计划为{{{{item.launch_date}}}}。",
    )


@rule(
    "calendar",
    "warning",
    "Allow more launches a week, more weeks, or let another launch go first.",
    "请放宽每周上新数或周数，或调整先后次序。",
)
def no_week_in_the_calendar(plan: Plan) -> Text | None:
    number = _own(plan)
    if number is None or plan.knows(f"calendar.launch_{number}_date"):
        return None
    return Text(
        "The launch calendar found no week for {{calendar.launch_" + number + "_product}}.",
        "排期中没有适合{{calendar.launch_" + number + "_product}}的周。",
    )


@rule(
    "market",
    "warning",
    "Launch ahead of the peak instead, or plan the first weeks lower.",
    "宜在旺季前上市，或下调首周计划。",
)
def launch_into_the_trough(plan: Plan) -> Text | None:
    launch, trough = day_of(plan, "item.launch_date"), day_of(plan, "market.trough")
    if launch is None or trough is None or abs(launch - trough) > NEAR:
        return None
    return Text(
        "The launch on {{item.launch_date}} falls into the category's weakest weeks, around {{market.trough}}.",
        "上市日{{item.launch_date}}正值品类淡季（{{market.trough}}前后）。",
    )


@rule(
    "market",
    "warning",
    "Launch earlier, so that the product is known when the peak comes.",
    "请提前上市，使新品在旺季到来时已有认知。",
)
def launch_just_after_the_peak(plan: Plan) -> Text | None:
    launch, peak = day_of(plan, "item.launch_date"), day_of(plan, "market.peak")
    if launch is None or peak is None or not timedelta(0) < launch - peak <= NEAR:
        return None
    return Text(
        "The launch on {{item.launch_date}} misses the category's peak around {{market.peak}} by weeks.",
        "上市日{{item.launch_date}}恰好错过{{market.peak}}前后的品类旺季。",
    )


@rule("market", "warning", "Say why the category will turn, or plan for less.", "请说明品类将回升的理由，或下调计划。")
def category_shrinks(plan: Plan) -> Text | None:
    growth = plan.number("market.growth_year")
    if growth is None or growth > -0.2:
        return None
    return Text(
        "The category changed by {{market.growth_year}} against the year before.",
        "该品类较上年变化{{market.growth_year}}。",
    )


def _own(plan: Plan) -> str | None:
    """The number under which the calendar lists this draft; None if it does not."""
    for name in known(plan, "calendar.launch_", "_product"):
        if plan.draft.id in str(plan.ledger[name].value):
            return name.removeprefix("calendar.launch_").removesuffix("_product")
    return None


def _placed(plan: Plan) -> tuple[str, date] | None:
    """The figure and the week in which the calendar places this draft."""
    name = f"calendar.launch_{_own(plan)}_date"
    day = day_of(plan, name)
    return None if day is None else (name, day)


RULES = (
    day_outside_calendar,
    other_week_than_the_calendar,
    no_week_in_the_calendar,
    launch_into_the_trough,
    launch_just_after_the_peak,
    category_shrinks,
)
