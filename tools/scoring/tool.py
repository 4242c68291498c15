"""`score_launch`: the frozen plan against what happened, what promotions did, and the rest planned again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shop import Product, Shop, Table, ToolError, ToolResult
from shop.resolve import find_product
from shop.types import Weeks
from tools.figures import Sheet, evidence
from tools.registry import tool
from tools.scoring import report, report_after
from tools.scoring.alerts import Alert, Stopped, stop_alerts, stopped_channels, target_alerts, weekly_alerts
from tools.scoring.compare import PlannedWeeks, Score, SoldWeeks, compare
from tools.scoring.overrides import hand_set
from tools.scoring.plan import FrozenPlan, Pair, frozen_plan, pair_of
from tools.scoring.promotions import measured, promotions_of, tested
from tools.scoring.read import sold_weeks, whole_weeks
from tools.scoring.replan import replan
from tools.scoring.targets import Light, Mark, marks, service_of, worst


@dataclass(frozen=True)
class Scored:
    """A launch held to its plan.

    Attributes:
        pair, plan: What launched, and what was planned.
        sold: Its weeks, as many as are scored.
        score: The comparison.
        marks: Targets with their lights.
        stopped: Channels whose stop-loss fired.
        on_hand: Units in stock; None without a count, or where the launch is not scored as it stands.
        running: Whether it is scored as it stands today and its plan is not over.
    """

    pair: Pair
    plan: FrozenPlan
    sold: SoldWeeks
    score: Score
    marks: tuple[Mark, ...]
    stopped: tuple[Stopped, ...]
    on_hand: float | None
    running: bool

    @property
    def light(self) -> Light:
        """The worst light of the latest look."""
        return worst(self.marks)

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The triggers of the plan that have fired."""
        weekly = weekly_alerts(self.plan, self.sold, self.score, self.on_hand)
        return (*weekly, *target_alerts(self.marks), *stop_alerts(self.stopped))


@tool("read", "internal")
def score_launch(shop: Shop, product: str, week: Weeks | None = None) -> ToolResult:
    """Compare a launch with its plan: actual sales, price and stock against the frozen brief, and why they differ.

    Args:
        product: SKU, draft id or name of the launched product.
        week: Last launch week to score, counted from one; left out, all whole weeks so far.
    """
    found = scored(shop, pair_of(shop, find_product(shop, product)), week)
    pair, plan, sold, score = found.pair, found.plan, found.sold, found.score
    sheet = Sheet()
    report.enter(shop, sheet, pair, plan, sold, score)
    report_after.stock(sheet, plan, found.on_hand, found.stopped, found.running)
    gap = report.gap_table(sheet, plan, score)
    table, chart = report.week_table(sheet, pair.product, plan, sold, score)
    targets = report_after.targets(sheet, found.marks, found.light)
    promoted, told = _promotions(shop, sheet, found)
    hand = report_after.by_hand(sheet, hand_set(plan, sold, score))
    rest, ahead = _rest(shop, sheet, found)
    tables = (table, gap, targets, *promoted, hand, rest)
    return ToolResult(
        summary=" ".join([report.summary(sheet, score), *told, *ahead]),
        figures=sheet.figures,
        tables=tuple(each for each in tables if each is not None),
        chart=chart,
        warnings=report.warnings(found.alerts, pair, plan, score),
    )


def scored(shop: Shop, pair: Pair, week: int | None = None) -> Scored:
    """Hold a launch to its plan, up to a launch week or over all whole weeks so far.

    Raises:
        ToolError: There is no plan, or the week is not over or not planned.
    """
    plan = frozen_plan(shop, pair)
    product, weeks = pair.product, _weeks(shop, pair, plan, week)
    sold, middle = sold_weeks(shop, product, weeks), plan.weeks
    planned = PlannedWeeks(middle.low[:weeks], middle.middle[:weeks], middle.high[:weeks], middle.price)
    running = weeks == whole_weeks(shop, product) < plan.horizon
    cost = product.cost if product.cost is not None else plan.number("item.cost")
    return Scored(
        pair=pair,
        plan=plan,
        sold=sold,
        score=compare(planned, sold),
        marks=marks(plan, sold, cost, service_of(shop, product, weeks)),
        stopped=stopped_channels(shop, product, plan, weeks),
        on_hand=_on_hand(shop, product) if running else None,
        running=running,
    )


def _on_hand(shop: Shop, product: Product) -> float | None:
    counted = shop.stock_on_hand(sku=product.sku)
    return None if counted.empty else float(counted["on_hand"].sum())


def _promotions(shop: Shop, sheet: Sheet, found: Scored) -> tuple[list[Table | None], list[str]]:
    product, weeks = found.pair.product, len(found.sold.units)
    assert product.launch_date is not None
    until = product.launch_date + timedelta(days=7 * weeks - 1)
    run = promotions_of(shop, product, until)
    offers = [measured(shop, product, found.plan, each, until) for each in run if each.mechanic != "coupon"]
    trials = [trial for each in run if each.mechanic == "coupon" and (trial := tested(shop, each)) is not None]
    rows = evidence(shop, "daily", {"sku": (product.sku,)}, product.launch_date, until)
    tables = [report_after.promotions(sheet, offers, rows), report_after.coupons(sheet, trials)]
    return tables, report_after.promotion_sentences(offers)


def _rest(shop: Shop, sheet: Sheet, found: Scored) -> tuple[Table | None, list[str]]:
    """The weeks to come of a launch that is scored as it stands."""
    if not found.running:
        return None, []
    try:
        made = replan(shop, found.pair.product, found.plan)
    except ToolError as error:
        reason = sheet.add("score.no_rest", "Why the rest is not planned again", str(error), "text", "its own sentence")
        return None, [f"The rest cannot be planned again: {reason}"]
    if made is None:
        return None, []
    table = report_after.rest(sheet, made)
    return table, [report_after.rest_sentence(sheet)]


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
