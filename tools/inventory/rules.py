"""Textbook rules of replenishment: economic order, safety stock, order-up-to levels, packs."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def eoq(demand: float, order_cost: float, holding_cost: float) -> tuple[float, float]:
    """Economic order quantity and its cost per period (Harris, 1913).

    Args:
        demand: Units per period.
        order_cost: Of placing one order.
        holding_cost: Of one unit for one period.

    Raises:
        ValueError: An argument is not above zero.
    """
    if min(demand, order_cost, holding_cost) <= 0:
        raise ValueError("demand, order cost and holding cost must be above zero")
    return sqrt(2 * demand * order_cost / holding_cost), sqrt(2 * demand * order_cost * holding_cost)


def safety_stock(
    service_level: float, error_sd: float, periods: float, demand: float = 0.0, lead_sd: float = 0.0
) -> float:
    """Safety stock from the error of the forecast, not from the spread of demand, and from the spread of lead time.

    Silver, Pyke and Thomas, Inventory and Production Management in Supply Chains, 6.10.

    Args:
        service_level: Chance not to run out in an order cycle.
        error_sd: Standard deviation of the forecast error of one period.
        periods: Lead time plus review, in periods.
        demand: Units per period.
        lead_sd: Standard deviation of the lead time, in periods.
    """
    from scipy.special import ndtri

    return float(ndtri(service_level)) * sqrt(periods * error_sd**2 + (demand * lead_sd) ** 2)


def level_for_fill(demand: Array, per_cycle: Array, fill_rate: float) -> int:
    """Lowest order-up-to level whose units short per cycle leave a fill rate.

    With lost sales, units short over the weeks that a level must last are at most those of its last cycle
    (Silver, Pyke and Thomas, 7.9); the level is found by bisection, since shortage falls with it.

    Args:
        demand: Draws of demand over lead time plus review (N,).
        per_cycle: Draws of demand over the review alone (N,).
        fill_rate: Share of demand served from the shelf.
    """
    allowed = (1 - fill_rate) * per_cycle.mean()
    low, high = 0, ceil(demand.max())
    while low < high:
        middle = (low + high) // 2
        if np.maximum(demand - middle, 0).mean() <= allowed:
            high = middle
        else:
            low = middle + 1
    return low


def in_packs(units: float, minimum: float = 0.0, pack: float = 1.0) -> int:
    """An order as the supplier takes it: nothing, or at least the minimum, in whole packs, rounded up."""
    if units <= 0:
        return 0
    return ceil(ceil(max(units, minimum) / pack - 1e-9) * pack)


def open_to_buy(sales: float, end_stock: float, on_hand: float, on_order: float, markdowns: float = 0.0) -> float:
    """What may still be bought for a period: planned sales, markdowns and end stock less what is there or coming.

    All in the same unit, money or pieces. Below zero the period is overbought. Levy, Weitz and Grewal, Retailing
    Management, 12.
    """
    return sales + markdowns + end_stock - on_hand - on_order
