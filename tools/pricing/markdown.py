"""Prices over the weeks of a launch with limited stock: a Markov decision process solved backwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """The best price by week and stock.

    Attributes:
        prices: The ladder, dearest first (L,).
        choice: Rung to take by week, stock left, and lowest rung so far (T, S + 1, L); the last axis is flat where
            prices may rise again.
        value: Expected profit from the start with all stock, cost of the stock not counted.
        path: The price of each week along the expected course (T,).
        left: Expected stock at the start of each week and after the last (T + 1,).
    """

    prices: Array
    choice: NDArray[np.int64]
    value: float
    path: Array
    left: Array


def plan_markdown(
    demand: Array,
    reference: float,
    elasticity: float,
    prices: Array,
    stock: int,
    salvage: float = 0.0,
    falling: bool = True,
) -> Plan:
    """Backward induction over weeks and stock (Gallego and van Ryzin, 1994, in discrete time).

    Args:
        demand: Expected units of each week at the reference price (T,).
        reference: That price.
        elasticity: Of demand to price.
        prices: Allowed prices (L,).
        stock: Units to sell; nothing is bought later.
        salvage: What a unit left at the end still brings.
        falling: Whether a price, once lowered, must not rise again.
    """
    ladder = np.sort(np.asarray(prices, dtype=float))[::-1]
    rungs, weeks = len(ladder), len(demand)
    units = np.arange(stock + 1)
    worth = np.repeat((salvage * units)[None, :], rungs, axis=0)
    choice = np.zeros((weeks, stock + 1, rungs), dtype=np.int64)
    for week in range(weeks - 1, -1, -1):
        rates = demand[week] * (ladder / reference) ** elasticity
        gains = np.stack(
            [_expected(rate, price, worth[r]) for r, (rate, price) in enumerate(zip(rates, ladder, strict=True))]
        )
        for lowest in range(rungs):
            open_rungs = gains[lowest:] if falling else gains
            best = open_rungs.argmax(axis=0)
            choice[week, :, lowest] = best + (lowest if falling else 0)
        worth = np.stack([gains[choice[week, :, lowest], units] for lowest in range(rungs)])
    path, left = _course(choice, ladder, demand, reference, elasticity, stock)
    return Plan(ladder, choice, float(worth[0, stock]), path, left)


def _expected(rate: float, price: float, after: Array) -> Array:
    """Expected revenue of a week plus what the stock left is worth, by stock (S + 1,); demand is Poisson."""
    from scipy.stats import poisson

    units = np.arange(len(after))
    chance = poisson.pmf(units, rate)
    sold_out = np.maximum(1.0 - np.append(0.0, np.cumsum(chance)[:-1]), 0.0)  # demand of all the stock and above
    taken = np.append(0.0, np.cumsum(chance * units)[:-1]) * price
    kept = np.convolve(chance, after)[: len(after)] - chance * after[0]
    return np.asarray(taken + kept + sold_out * (price * units + after[0]))


def _course(
    choice: NDArray[np.int64], ladder: Array, demand: Array, reference: float, elasticity: float, stock: int
) -> tuple[Array, Array]:
    """Prices and stock if every week sells its expected units."""
    left, lowest = np.empty(len(demand) + 1), 0
    path = np.empty(len(demand))
    left[0] = stock
    for week, usual in enumerate(demand):
        lowest = int(choice[week, round(left[week]), lowest])
        path[week] = ladder[lowest]
        left[week + 1] = max(left[week] - usual * (ladder[lowest] / reference) ** elasticity, 0.0)
    return path, left
