"""`score_launch`: the frozen plan of a launch against what happened."""

from __future__ import annotations

from datetime import timedelta

from shop import Shop, ToolError, ToolResult
from shop.resolve import find_product
from tools.figures import Sheet
from tools.registry import tool
from tools.scoring import report
from tools.scoring.compare import PlannedWeeks, compare
from tools.scoring.plan import FrozenPlan, Pair, frozen_plan, pair_of
from tools.scoring.read import sold_weeks, whole_weeks


@tool("read")
def score_launch(shop: Shop, product: str, week: int | None = None) -> ToolResult:
    """Compare a launch with its plan: actual sales, price and stock against the frozen brief, and why they differ.

    Args:
        product: SKU, draft id or name of the launched product.
        week: Last launch week to score, counted from one; left out, all whole weeks so far.
    """
    pair = pair_of(shop, find_product(shop, product))
    plan = frozen_plan(shop, pair)
    weeks = _weeks(shop, pair, plan, week)
    sold = sold_weeks(shop, pair.product, weeks)
    planned = plan.weeks
    score = compare(
        PlannedWeeks(planned.low[:weeks], planned.middle[:weeks], planned.high[:weeks], planned.price), sold
    )
    sheet = Sheet()
    report.enter(shop, sheet, pair, plan, sold, score)
    gap = report.gap_table(sheet, plan, score)
    table, chart = report.week_table(sheet, pair.product, plan, sold, score)
    return ToolResult(
        summary=report.summary(sheet, score),
        figures=sheet.figures,
        tables=(table, gap),
        chart=chart,
        warnings=report.warnings(sheet, pair, plan, score),
    )


def _weeks(shop: Shop, pair: Pair, plan: FrozenPlan, week: int | None) -> int:
    """How many weeks to score: those asked for, or all that are over and planned."""
    product = pair.product
    assert product.launch_date is not None
    over = min(whole_weeks(shop, product), plan.horizon)
    if over < 1:
        first = product.launch_date + timedelta(days=6)
        raise ToolError(
            f"{product.name} ({product.sku}) launched on {product.launch_date} and its first week is not over by "
            f"{shop.cutoff}; score it when sales up to {first} are in."
        )
    if week is None:
        return over
    if week < 1:
        raise ToolError(f"Weeks are counted from 1, so week {week} cannot be scored; give one from 1 to {over}.")
    if week > over:
        why = f"the plan of brief {plan.brief} covers {plan.horizon} weeks and {over} are over by {shop.cutoff}"
        raise ToolError(f"Week {week} cannot be scored yet: {why}; give a week from 1 to {over}.")
    return week
