"""The arithmetic of a price: floor, optimum under a log-log demand, what a move gains, and the shop's price endings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_HABIT = 0.1  # share of prices that must end alike for an ending to be a habit of the shop
_NUDGE = 0.05  # how far a price may move for its ending


def price_floor(cost: float, min_margin: float) -> float:
    """Lowest price that keeps `min_margin` (share of the price) above the cost per unit."""
    return cost / (1 - min_margin)


def best_price(cost: float, elasticity: float, low: float, high: float) -> float:
    """Price in [low, high] with the most profit (p - cost) · q · p^e.

    The optimum without bounds is cost · e / (1 + e) for e < -1 (Lerner's rule); for e >= -1 profit rises with the
    price, so the upper bound is best. Profit has a single peak, so bounding the optimum is exact.
    """
    free = cost * elasticity / (1 + elasticity) if elasticity < -1 else np.inf
    return float(min(max(free, low), high))


def profit(price: float, cost: float, units: Array, reference: float, elasticity: Array) -> Array:
    """Profit at `price` by draw (N,): demand is `units` at the `reference` price and answers with `elasticity` (N,)."""
    return np.asarray((price - cost) * units * (price / reference) ** elasticity)


def usual_endings(prices: Array) -> Array:
    """The endings (part after the point) that at least a tenth of the shop's list prices have; .99 where none has."""
    endings, counts = np.unique(np.round(prices % 1, 2), return_counts=True)
    common = endings[counts >= max(_HABIT * len(prices), 2)]
    return np.asarray(common if len(common) else np.array([0.99]))


def with_ending(price: float, endings: Array, low: float, high: float) -> float:
    """The price nearest to `price` with a usual ending inside [low, high].

    Where that would move it by more than a twentieth, `price` itself, bounded and in whole cents.
    """
    candidates = np.round((np.floor(price) + np.arange(-2, 3))[:, None] + endings[None, :], 2).ravel()
    candidates = candidates[(candidates > 0) & (candidates >= low) & (candidates <= high)]
    if len(candidates):
        nearest = float(candidates[np.argmin(np.abs(candidates - price))])
        if abs(nearest - price) <= _NUDGE * price:
            return nearest
    return float(min(max(np.ceil(round(price * 100, 6)) / 100, low), max(low, high)))


def charm_prices(low: float, high: float, endings: Array) -> Array:
    """Every price inside [low, high] with one of the endings, ascending."""
    whole = np.arange(np.floor(low), np.floor(high) + 1)
    found = np.unique(np.round((whole[:, None] + endings[None, :]).ravel(), 2))
    return found[(found >= low) & (found <= high) & (found > 0)]


def weighted_quantile(values: Array, weights: Array, share: float) -> float:
    """Smallest value at which the running weight reaches `share` of the whole.

    Args:
        values: (n,), at least one.
        weights: (n,), non-negative, not all zero.
        share: Between 0 and 1.
    """
    order = np.argsort(values)
    running = np.cumsum(weights[order])
    return float(values[order][min(np.searchsorted(running, share * running[-1]), len(values) - 1)])
