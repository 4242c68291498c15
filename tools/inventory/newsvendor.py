"""One order before uncertain demand: the newsvendor's quantity, its cost, and the regret of any other quantity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


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


def critical_ratio(price: float, cost: float, loss: float) -> float:
    """Service level at which being wrong costs least: margin over margin plus loss on an unsold unit.

    Args:
        price: Of a unit sold.
        cost: Of a unit bought, below the price.
        loss: On a unit unsold at the end.
    """
    return (price - cost) / (price - cost + loss)


def worth(sold: Array, bought: Array, price: float, cost: float, clearance_share: float) -> Array:
    """Profit of what was bought: takings, plus what unsold units bring, less cost; element by element."""
    return np.asarray(price * sold + clearance_share * cost * (bought - sold) - cost * bought)
