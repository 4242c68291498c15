"""Prices of products that are each other's substitutes: profit of the range under logit and log-log demand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.pricing.optimise import Array, Objective, Optimum, slsqp


def logit_shares(prices: Array, appeal: Array, slope: float) -> Array:
    """Shares of buyers (n, k) at prices (n, k): exp(appeal - slope · price) over one plus the sum (McFadden, 1974)."""
    weight = np.exp(np.clip(appeal - slope * prices, -700, 700))
    return np.asarray(weight / (1 + weight.sum(axis=1, keepdims=True)))


def logit_profit(appeal: Array, slope: float, cost: Array, buyers: float = 1.0) -> Objective:
    """Profit of the whole range by prices (n, k) under multinomial logit demand."""
    return lambda prices: np.asarray(
        buyers * (logit_shares(prices, appeal, slope) * (prices - cost)).sum(axis=1), dtype=float
    )


def logit_optimum(appeal: Array, slope: float, cost: Array) -> Array:
    """The closed form: all products of the range take one margin, (1 + W(sum exp(appeal - slope·cost - 1))) / slope.

    W is Lambert's function (Li and Huh, 2011). Holds without bounds on prices.
    """
    from scipy.special import lambertw

    margin = (1 + float(np.real(lambertw(np.exp(appeal - slope * cost - 1).sum())))) / slope
    return np.asarray(cost + margin)


def loglog_profit(units: Array, prices: Array, elasticities: Array, cost: Array) -> Objective:
    """Profit of a range whose demand is units · prod (price / reference)^elasticity, cross effects off the diagonal.

    Args:
        units: Units at the reference prices (k,).
        prices: Reference prices (k,).
        elasticities: Of product i's units to product j's price (k, k).
        cost: Per unit (k,).
    """
    return lambda tried: np.asarray(
        (units * np.exp(np.log(tried / prices) @ elasticities.T) * (tried - cost)).sum(axis=1), dtype=float
    )


def best_range(profit: Objective, bounds: Array, moved: NDArray[np.bool_] | None = None) -> Optimum:
    """The most profitable prices of a range inside bounds (k, 2); products not `moved` have equal bounds already."""
    free = np.ones(len(bounds), dtype=bool) if moved is None else moved
    if free.all():
        return slsqp(profit, bounds)
    fixed = bounds[:, 0].copy()

    def inner(part: Array) -> Array:
        whole = np.repeat(fixed[None, :], len(part), axis=0)
        whole[:, free] = part
        return profit(whole)

    found = slsqp(inner, bounds[free])
    fixed[free] = found.prices
    return Optimum(fixed, found.profit)
