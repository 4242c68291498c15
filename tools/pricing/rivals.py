"""Rivals who answer: best responses, Nash prices, leader and follower, and what a price plan is at most off by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.pricing.range import logit_shares

Array = NDArray[np.float64]
# A seller's profit at its own price, given everybody's prices (k,).
Payoff = Callable[[int, float, Array], float]


@dataclass(frozen=True)
class Equilibrium:
    """Prices (k,), profits (k,), and the most that any seller could still gain alone: zero at a Nash equilibrium."""

    prices: Array
    profits: Array
    regret: float


def linear_payoff(intercept: float, own: float, cross: float, cost: float) -> Payoff:
    """Sellers with demand intercept - own · price + cross · mean of the rivals' prices, and a common unit cost."""

    def payoff(seller: int, price: float, prices: Array) -> float:
        others = np.delete(prices, seller).mean() if len(prices) > 1 else 0.0
        return float((price - cost) * max(intercept - own * price + cross * others, 0.0))

    return payoff


def logit_payoff(appeal: Array, slope: float, cost: Array) -> Payoff:
    """Sellers of one product each under multinomial logit demand (k,)."""

    def payoff(seller: int, price: float, prices: Array) -> float:
        tried = prices.copy()
        tried[seller] = price
        return float((price - cost[seller]) * logit_shares(tried[None, :], appeal, slope)[0, seller])

    return payoff


def best_response(payoff: Payoff, seller: int, prices: Array, bounds: tuple[float, float]) -> float:
    """The seller's most profitable price against the others' prices; profit must have one peak inside the bounds."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda price: -payoff(seller, price, prices), bounds=bounds, method="bounded", options={"xatol": 1e-9}
    )
    return float(found.x)


def nash(payoff: Payoff, bounds: Sequence[tuple[float, float]], rounds: int = 500) -> Equilibrium:
    """Prices at which nobody gains alone, by best responses in turn (they converge where prices are complements).

    The regret tells how far the result is from an equilibrium; it is a certificate, not an assumption.

    Args:
        payoff: See `Payoff`.
        bounds: Lowest and highest price of every seller.
        rounds: Times round the table, at most.
    """
    prices = np.array([sum(each) / 2 for each in bounds])
    for _ in range(rounds):
        before = prices.copy()
        for seller, limits in enumerate(bounds):
            prices[seller] = best_response(payoff, seller, prices, limits)
        if np.abs(prices - before).max() < 1e-9:
            break
    return certified(payoff, prices, bounds)


def certified(payoff: Payoff, prices: Array, bounds: Sequence[tuple[float, float]]) -> Equilibrium:
    """A price plan with each seller's profit and the largest gain anybody still has from changing alone."""
    profits = np.array([payoff(i, float(prices[i]), prices) for i in range(len(prices))])
    gains = [
        payoff(i, best_response(payoff, i, prices, limits), prices) - profits[i] for i, limits in enumerate(bounds)
    ]
    return Equilibrium(prices.copy(), profits, float(max(0.0, *gains)))


def leader(payoff: Payoff, bounds: Sequence[tuple[float, float]], first: int = 0, steps: int = 20) -> Equilibrium:
    """Prices where one seller moves first and the others answer (von Stackelberg, 1934).

    Args:
        payoff: See `Payoff`.
        bounds: Lowest and highest price of every seller.
        first: Who leads.
        steps: Rounds of answers among the followers.
    """
    from scipy.optimize import minimize_scalar

    def followed(price: float) -> Array:

        prices = np.array([sum(each) / 2 for each in bounds])
        prices[first] = price
        for _ in range(steps):
            for seller, limits in enumerate(bounds):
                if seller != first:
                    prices[seller] = best_response(payoff, seller, prices, limits)
        return prices

    found = minimize_scalar(
        lambda price: -payoff(first, price, followed(price)),
        bounds=bounds[first],
        method="bounded",
        options={"xatol": 1e-7},
    )
    return certified(payoff, followed(float(found.x)), bounds)
