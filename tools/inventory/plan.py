"""An order plan from draws of weekly demand: what to buy, when again, at what risk; and the plain rule beside it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from tools.inventory.lost_sales import Rule, Run, follow
from tools.inventory.markov import stationary, stock_states, transitions
from tools.inventory.rules import in_packs, level_for_fill, safety_stock

Array = NDArray[np.float64]
JUDGED_WEEKS = 12  # weeks after which stock-out and overstock are judged
HOLDING_A_YEAR = 0.25  # capital, space and ageing of a unit for a year, as a share of its cost: the usual textbook rate
_UNSOLD = 0.25  # share of the buy left over that counts as overstock


@dataclass(frozen=True)
class Needs:
    """What is asked of a plan; weeks throughout.

    Attributes:
        lead: From order to shelf.
        review: Between reviews; for a launch, weeks of sales seen before the second order.
        service: Chance not to run out within the cover.
        fill: Share of demand to serve; where given, it sets the levels in place of `service`.
        lead_sd: Standard deviation of the lead time.
        on_hand: Units there now; None where unknown, or for a launch, whose first buy is there on its first day.
        minimum, pack: What the supplier delivers.
    """

    lead: int
    review: int
    service: float
    fill: float | None = None
    lead_sd: float = 0.0
    on_hand: float | None = None
    minimum: float = 0.0
    pack: float = 1.0

    @property
    def cover(self) -> int:
        """Weeks that an order must last: until one placed at the next review arrives."""
        return self.review + self.lead


@dataclass(frozen=True)
class Plan:
    """What to buy and when.

    Attributes:
        order: Units to order now; None where stock on hand is unknown.
        up_to: Units on hand and on order to reach at a review.
        reorder_point: Stock position (on hand and on order) at which to order when stock is watched every week.
        safety: Units of the reorder point above the median demand that it has to last for.
        safety_normal: The same by the textbook's formula, as if errors were normal.
        p_stockout: Share of draws that run out at least once by week twelve when the rule is followed.
        p_overstock: Share of draws that still hold a quarter of the buy at week twelve, later orders not counted.
        second_order: Median week of the next order; None where most draws need none within the horizon.
        long_run: Share of weeks in stock, low (a week's demand or less) and out under the rule, from its Markov chain
            (3,).
        over_cover: Demand over the cover by draw (N,).
        run: The rule followed through the draws.
        rule: The rule.
        opening: Units on hand in the first week of the run.
    """

    order: int | None
    up_to: int
    reorder_point: int
    safety: float
    safety_normal: float
    p_stockout: float
    p_overstock: float
    second_order: int | None
    long_run: Array
    over_cover: Array
    run: Run
    rule: Rule
    opening: float


def order_plan(draws: Array, needs: Needs, launched: bool = False, order: int | None = None) -> Plan:
    """The order and the reorder rule from draws of weekly demand.

    Levels are the newsvendor's quantile of demand over the cover (for the order-up-to level) and over a lead time plus
    one week, the step of a rule that watches stock every week (for the reorder point). A spread of the lead time
    lengthens or shortens these weeks draw by draw.

    Args:
        draws: Demand by draw and week (N, H), H at least review + 2 · lead and twelve.
        needs: See `Needs`.
        launched: Whether the product sells already: then the order must wait for its lead time.
        order: Units to order now in place of the order-up-to level less what is there.
    """
    from_week = 0 if launched else needs.review
    over_cover = _over(draws, 0, needs.cover, needs)
    after = _over(draws, from_week, from_week + needs.lead + 1, needs)
    up_to, reorder = (_level(weeks, draws, needs) for weeks in (over_cover, after))
    reorder = min(reorder, up_to) if launched else reorder
    if order is None and not (launched and needs.on_hand is None):
        order = in_packs(up_to - (needs.on_hand or 0), needs.minimum, needs.pack)
    if launched:
        opening = float(up_to if needs.on_hand is None else needs.on_hand)
        rule = Rule(reorder, up_to)
    else:
        opening = float(order or 0)
        # From the second week on: stock lasts for what the step sells beyond the reorder point.
        rule = Rule(reorder, reorder + ceil(draws.mean() * needs.review), first_review=1)
    run = follow(draws, rule, opening, needs.lead)
    bought = opening + (order or 0 if launched else 0)
    left = np.maximum(bought - draws[:, :JUDGED_WEEKS].sum(axis=1), 0)
    return Plan(
        order=order,
        up_to=up_to,
        reorder_point=reorder,
        # Against the median, not the mean: launch demand is so skewed that its mean can exceed an upper quantile.
        safety=float(reorder - np.median(after)),
        safety_normal=_normal_safety(draws[:, from_week : from_week + needs.lead + 1], needs),
        p_stockout=float((run.lost[:, :JUDGED_WEEKS] > 0).any(axis=1).mean()),
        p_overstock=float((left > _UNSOLD * bought).mean()) if bought else 0.0,
        second_order=_next_order(run),
        long_run=stationary(transitions(stock_states(run.left[:, needs.lead :], float(draws.mean())))),
        over_cover=over_cover,
        run=run,
        rule=rule,
        opening=opening,
    )


def plain_rule(recent: float, needs: Needs, launched: bool, opening: float) -> tuple[Rule, float]:
    """What a merchant does by rule: at every review up to the weekly average times the cover; and its opening stock."""
    target = ceil(recent * needs.cover)
    rule = Rule(target - 1, target, needs.review, 0 if launched else needs.review)
    return rule, (opening if launched else float(target))


def profit(run: Run, opening: float, price: float, cost: float, residual: float) -> Array:
    """Takings less what was bought and held, what is left taken at `residual` a unit, by draw (N,)."""
    bought = opening + run.ordered.sum(axis=1)
    sold = run.sold.sum(axis=1)
    held = run.stock.sum(axis=1) * cost * HOLDING_A_YEAR / 52
    return np.asarray(price * sold + residual * (bought - sold) - cost * bought - held)


def _over(draws: Array, start: int, end: int, needs: Needs) -> Array:
    """Demand from one week to another by draw (N,), the end moved by the spread of the lead time."""
    total = draws[:, start:end].sum(axis=1)
    if not needs.lead_sd:
        return np.asarray(total)
    late = np.random.default_rng(0).normal(0.0, needs.lead_sd, len(draws))
    return np.asarray(np.maximum(total + late * draws[:, end - 1], 0.0))


def _normal_safety(draws: Array, needs: Needs) -> float:
    """Safety stock from the forecast's error over these weeks (N, W) and the spread of the lead time."""
    weeks = draws.shape[1]
    # Errors of one launch go together over its weeks, so the error of a week is that of the sum, spread evenly.
    error = float(draws.sum(axis=1).std()) / sqrt(weeks)
    return safety_stock(needs.service, error, weeks, float(draws.mean()), needs.lead_sd)


def _level(demand: Array, draws: Array, needs: Needs) -> int:
    if needs.fill is not None:
        return level_for_fill(demand, draws[:, : needs.review].sum(axis=1), needs.fill)
    return ceil(np.quantile(demand, needs.service, method="inverted_cdf"))


def _next_order(run: Run) -> int | None:
    ordered = run.ordered > 0
    week = np.where(ordered.any(axis=1), ordered.argmax(axis=1) + 1.0, np.inf)
    middle = float(np.median(week))
    return int(middle) if np.isfinite(middle) else None
