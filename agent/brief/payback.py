"""When an outlay comes back, and what is left: the arithmetic of a launch in units and money."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence


def break_even_units(cash: float, spend: float, price: float, cost: float, first_buy: float) -> int | None:
    """Units to sell until takings cover the first buy and the launch spend.

    Units of the first buy are paid for, so each brings back its price; a unit beyond them has to be bought first and
    brings back price less cost. None if that never covers the outlay.

    Args:
        cash: Paid for the first buy. spend: Launch spend. first_buy: Units.
        price, cost: Per unit; the price as it comes in, less what payment and delivery take.
    """
    outlay = cash + spend
    if price <= 0:
        return None
    if outlay <= first_buy * price:
        return math.ceil(outlay / price)
    if price <= cost:
        return None
    return math.ceil(first_buy + (outlay - first_buy * price) / (price - cost))


def week_reached(units_by_week: Sequence[float], target: float | None) -> int | None:
    """First week, counted from one, by the end of which the units add up to the target; None if they never do."""
    if target is None:
        return None
    total = 0.0
    for week, units in enumerate(units_by_week, start=1):
        total += units
        if total >= target * (1 - 1e-9):
            return week
    return None


def result_of(units: float, price: float, cost: float, first_buy: float, spend: float = 0.0) -> float:
    """What is left of the takings after all that is bought, at least the first buy, and the launch spend."""
    return units * price - max(units, first_buy) * cost - spend


def contribution_after(
    units: float,
    price: float,
    cost: float,
    elasticity: float,
    price_change: float,
    net: Callable[[float], float] = float,
) -> float:
    """Contribution once the price has changed by a share; units follow it with constant elasticity.

    Args:
        units, price, cost: Before the change.
        elasticity: Of demand to price.
        price_change: A share of the price.
        net: What is left of a price after payment and delivery.
    """
    sold: float = units * (1 + price_change) ** elasticity
    return sold * (net(price * (1 + price_change)) - cost)
