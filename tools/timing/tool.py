"""`plan_launch_calendar`: which planned product launches in which week, why, and how many launches a week pay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from shop import Chart, Draft, Shop, Table, ToolError, ToolResult
from shop.dates import parse_day
from shop.resolve import find_category, find_product
from shop.types import Count, Day, Weeks
from tools.figures import Sheet
from tools.registry import tool
from tools.timing.calendar import NEVER, Index, Problem, as_soon_as_ready, cadence, evenly_spaced, greedy, solve, worth
from tools.timing.values import Worth, crowding_loss, value_drafts

_MOST = 20
_ENOUGH = 0.98  # of the best cadence's worth from which a slower one is advised


@tool("read", "internal")
def plan_launch_calendar(
    shop: Shop,
    category: str | None = None,
    products: list[str] | None = None,
    start: Day | None = None,
    weeks: Weeks = 12,
    max_per_week: Count = 2,
) -> ToolResult:
    """Plan which of the drafted products launches in which week.

    Args:
        category: Category whose drafts are planned; left out, all drafts.
        products: Drafts to plan, by id or name; left out, all drafts of the category.
        start: First possible launch day as said; left out, four weeks from today.
        weeks: Weeks to plan over, 1 to 52.
        max_per_week: Most launches in a week, 1 to 20.
    """
    if not 1 <= weeks <= 52:
        raise ToolError(f"A calendar of {weeks} weeks cannot be planned; give 1 to 52 weeks.")
    if not 1 <= max_per_week <= 20:
        raise ToolError(f"{max_per_week} launches a week cannot be planned; give 1 to 20.")
    first = parse_day(start, shop.today) if start else shop.today + timedelta(weeks=4)
    if first < shop.today:
        raise ToolError(f"{first} has passed; give a day from {shop.today} on.")
    asked = _drafts(shop, category, products)
    drafts = [draft for draft in asked if draft.price is not None and draft.cost is not None]
    if not drafts:
        raise ToolError("None of these drafts has both a price and a cost; set them with draft_product, then plan.")
    values = value_drafts(shop, drafts, first, weeks)
    codes, _ = pd.factorize(np.array([draft.category for draft in drafts], dtype=object))
    value = np.stack([each.by_week for each in values])
    allowed = np.arange(weeks)[None, :] >= np.array([each.ready for each in values])[:, None]
    problem = Problem(value, codes.astype(np.int64), allowed & (value > 0), max_per_week, crowding_loss(shop))
    plan = solve(problem)
    sheet = Sheet()
    table = _calendar(sheet, values, plan, problem, first)
    rules = _rivals(sheet, problem, plan)
    paces, chart = _cadence(sheet, problem)
    summary, warnings = _summary(sheet), _warnings(sheet, asked, drafts, values, plan)
    return ToolResult(
        summary=summary, figures=sheet.figures, tables=(table, rules, paces), chart=chart, warnings=warnings
    )


def _drafts(shop: Shop, category: str | None, products: Sequence[str] | None) -> list[Draft]:
    if products:
        found = [find_product(shop, name) for name in products]
        sold = [item for item in found if not isinstance(item, Draft)]
        if sold:
            raise ToolError(f"{sold[0].name} already sells; only drafts can be put on the calendar.")
        drafts = [item for item in found if isinstance(item, Draft)]
    else:
        path = find_category(shop, category) if category else ""
        every = shop.drafts()
        drafts = [d for d in every if not path or d.category == path or d.category.startswith(path + " > ")]
    if not drafts:
        raise ToolError("There are no drafts to plan there; draft the products first with draft_product.")
    if len(drafts) > _MOST:
        raise ToolError(
            f"{len(drafts)} drafts are too many for one calendar; name a category or up to {_MOST} of them."
        )
    return drafts


def _calendar(sheet: Sheet, values: list[Worth], plan: Index, problem: Problem, first: date) -> Table:
    cells = []
    order = np.lexsort((np.arange(len(plan)), np.where(plan == NEVER, 10_000, plan)))
    for number, row in enumerate(order, start=1):
        each, week, stem = values[row], int(plan[row]), f"calendar.launch_{number}"
        reason = "it does not fit: supply lands too late, or no week pays"
        day = None if week == NEVER else first + timedelta(weeks=week)
        money = None if week == NEVER else each.by_week[week]
        cells.append(
            (
                sheet.add(f"{stem}_product", "Product", f"{each.draft.name} ({each.draft.id})", "text", "as drafted"),
                sheet.add(f"{stem}_date", "Launch in the week from", day, "date", "best calendar", reason=reason),
                sheet.add(
                    f"{stem}_contribution",
                    "Contribution of twelve weeks",
                    money,
                    "money",
                    "P50 units of the launch forecast for that week, times price less cost",
                    reason=reason,
                ),
                _why(each, week, problem, row),
            )
        )
    sheet.add("calendar.weeks", "Weeks planned over", problem.value.shape[1], "weeks", "as asked")
    sheet.add("calendar.capacity", "Most launches a week", problem.capacity, "count", "as asked")
    sheet.add("calendar.loss", "Loss to each neighbour of the category", problem.loss, "share", "past launches, shrunk")
    return Table(title="Launch calendar", columns=("Product", "Week from", "Contribution", "Why"), rows=tuple(cells))


def _why(each: Worth, week: int, problem: Problem, row: int) -> str:
    if week == NEVER:
        return "left out"
    best = int(np.where(problem.allowed[row], each.by_week, -np.inf).argmax())
    if week == best:
        return "its best week"
    if week == each.ready and week:
        return "as soon as supply lands"
    return "moved from its best week to make room or keep clear of its category"


def _rivals(sheet: Sheet, problem: Problem, plan: Index) -> Table:
    how = "value of the launch weeks less what launches of one category take from each other"
    rules = {
        "this calendar": ("calendar.contribution", plan),
        "most valuable first": ("calendar.greedy", greedy(problem)),
        "even spacing": ("calendar.even", evenly_spaced(problem)),
        "as soon as ready": ("calendar.asap", as_soon_as_ready(problem)),
    }
    cells = tuple(
        (name, sheet.add(figure, f"Contribution: {name}", worth(problem, each), "money", how))
        for name, (figure, each) in rules.items()
    )
    sheet.add("calendar.launches", "Launches placed", int((plan != NEVER).sum()), "count", "of the drafts planned")
    return Table(title="Against rules of thumb", columns=("Calendar", "Contribution"), rows=cells)


def _cadence(sheet: Sheet, problem: Problem) -> tuple[Table, Chart]:
    curve = cadence(problem, most=min(5, max(len(problem.value), 1)))
    cells = []
    for number, value in enumerate(curve, start=1):
        pace, money = f"calendar.pace_{number}", f"calendar.pace_value_{number}"
        cells.append(
            (
                sheet.add(pace, "Launches allowed a week", number, "count", "tried"),
                sheet.add(money, "Contribution of the best calendar", value, "money", "solved anew at this pace"),
            )
        )
    enough = int(np.flatnonzero(curve >= _ENOUGH * curve.max())[0]) + 1
    sheet.add("calendar.advice", "Launches a week that are enough", enough, "count", "slowest pace near the best worth")
    table = Table(title="Pace", columns=("Launches a week", "Contribution"), rows=tuple(cells))
    chart = Chart(
        kind="line",
        title="What a faster pace brings",
        x_label="Launches a week",
        y_label="Contribution",
        x=tuple(f"calendar.pace_{number}" for number in range(1, len(curve) + 1)),
        series={"Contribution": tuple(f"calendar.pace_value_{number}" for number in range(1, len(curve) + 1))},
    )
    return table, chart


def _summary(sheet: Sheet) -> str:
    return (
        "The calendar places {{calendar.launches}} launches over {{calendar.weeks}} for a contribution of "
        "{{calendar.contribution}}; as soon as ready would bring {{calendar.asap}}. "
        "A pace of {{calendar.advice}} a week is enough."
    )


def _warnings(
    sheet: Sheet, asked: list[Draft], drafts: list[Draft], values: list[Worth], plan: Index
) -> tuple[str, ...]:
    found = []
    missing = [draft for draft in asked if draft not in drafts]
    if missing:
        names = sheet.add(
            "calendar.missing", "Without price or cost", ", ".join(d.id for d in missing), "text", "drafts"
        )
        found.append(f"{names} were left out: a price and a cost are needed to weigh them.")
    if (plan == NEVER).any():
        found.append("Some launches found no week; allow more launches a week or more weeks.")
    if any(each.margin <= 0 for each in values):
        found.append(
            "A draft costs as much as it sells for, so no week pays for it; check its price with recommend_price."
        )
    return tuple(found)
