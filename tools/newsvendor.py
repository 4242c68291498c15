"""The arithmetic of stock: the newsvendor's order, the reorder rule, and the rule followed through simulated demand."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
JUDGED_WEEKS = 12  # weeks after which stock-out and overstock are judged
_UNSOLD = 0.25  # share of the first buy left over that counts as overstock


@dataclass(frozen=True)
class Plan:
    """An order plan from draws of weekly demand.

    Attributes:
        cover: Weeks that the first buy must last: until a second order, placed at the first review, arrives.
        first_buy: Units.
        reorder_point: Stock position (on hand and on order) at which to order again.
        safety: Units of the reorder point above the median demand that it has to last for.
        p_stockout: Share of draws that run out at least once by week twelve when the rule is followed.
        p_overstock: Share of draws that still hold a quarter of the first buy at week twelve.
        second_order: Median week of the second order; None where most draws need none within the horizon.
        over_cover: Demand over the cover by draw (N,).
    """

    cover: int
    first_buy: int
    reorder_point: int
    safety: float
    p_stockout: float
    p_overstock: float
    second_order: int | None
    over_cover: Array


def newsvendor(demand: Array, overage: float, underage: float) -> tuple[float, float]:
    """Order quantity with the least expected cost, and that cost (Arrow, Harris and Marschak, 1951).

    Args:
        demand: Equally likely demands (N,).
        overage: Cost of a unit too many.
        underage: Cost of a unit too few.

    Returns:
        The quantile of demand at underage / (underage + overage), and the expected cost of ordering it.
    """
    quantity = float(np.quantile(demand, underage / (underage + overage), method="inverted_cdf"))
    return quantity, expected_cost(demand, quantity, overage, underage)


def expected_cost(demand: Array, quantity: float, overage: float, underage: float) -> float:
    """Expected cost of having `quantity` units for equally likely demands (N,)."""
    over, under = np.maximum(quantity - demand, 0), np.maximum(demand - quantity, 0)
    return float((overage * over + underage * under).mean())


def order_plan(draws: Array, lead: int, review: int, service_level: float) -> Plan:
    """The first buy and the reorder rule from draws of weekly demand.

    The first buy is the newsvendor's quantile of demand over review plus lead time, the weeks before a second order
    can be on the shelf. The reorder point is the same quantile of demand over a lead time plus one week, the step of
    the rule, from the review on.

    Args:
        draws: Demand by draw and week (N, H), H at least review + 2 · lead and twelve.
        lead: Lead time in weeks.
        review: Weeks of sales seen before the second order.
        service_level: Quantile of demand that stock must cover.
    """
    cover = review + lead
    over_cover = draws[:, :cover].sum(axis=1)
    first_buy = ceil(newsvendor(over_cover, 1 - service_level, service_level)[0])
    after = draws[:, review : review + lead + 1].sum(axis=1)
    reorder_point = ceil(np.quantile(after, service_level))
    short, left, ordered = follow(draws, first_buy, reorder_point, reorder_point + ceil(draws.mean() * review), lead)
    second = np.where(ordered > 0, ordered, np.inf)
    middle = float(np.median(second))
    return Plan(
        cover=cover,
        first_buy=first_buy,
        reorder_point=reorder_point,
        # Against the median, not the mean: launch demand is so skewed that its mean can exceed an upper quantile.
        safety=float(reorder_point - np.median(after)),
        p_stockout=float(short.mean()),
        p_overstock=float((left > _UNSOLD * first_buy).mean()),
        second_order=int(middle) if np.isfinite(middle) else None,
        over_cover=over_cover,
    )


def follow(
    draws: Array, first_buy: int, reorder_point: int, up_to: int, lead: int
) -> tuple[NDArray[np.bool_], Array, Array]:
    """Follow the reorder rule through every draw; demand that finds no stock is lost.

    At the end of each week, where stock on hand and on order is at most `reorder_point`, the difference to `up_to` is
    ordered and can be sold `lead` weeks later.

    Args:
        draws: Demand by draw and week (N, H).
        first_buy: Units on the shelf at launch.
        reorder_point: See above.
        up_to: See above.
        lead: Weeks from order to shelf.

    Returns:
        By draw (N,): whether it ran out within twelve weeks, first-buy units left after them (reorders not counted),
        and the week of the second order (0 for none in the horizon).
    """
    count, weeks = draws.shape
    on_hand = np.full(count, float(first_buy))
    due = np.zeros((count, weeks + lead + 1))
    short, ordered = np.zeros(count, dtype=bool), np.zeros(count)
    for week in range(weeks):
        on_hand += due[:, week]
        if week < JUDGED_WEEKS:
            short |= draws[:, week] > on_hand
        on_hand = np.maximum(on_hand - draws[:, week], 0)
        position = on_hand + due[:, week + 1 :].sum(axis=1)
        order = np.where(position <= reorder_point, np.maximum(up_to - position, 0), 0)
        due[:, week + lead] += order
        ordered = np.where((ordered == 0) & (order > 0), week + 1, ordered)
    left = np.maximum(first_buy - draws[:, :JUDGED_WEEKS].sum(axis=1), 0)
    return short, left, ordered
