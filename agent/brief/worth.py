"""What it is worth to know something before deciding: expected value of perfect information on three-point beliefs.

A figure with P10, P50 and P90 stands for three values with the weights 0.3, 0.4 and 0.3 (Swanson's rule, as in Hurst,
Brown and Swanson, "Swanson's 30-40-30 rule", AAPG Bulletin 2000). The expected value of perfect information is what the
best choice for each value earns on average, less what the best single choice earns on average (Raiffa and Schlaifer,
"Applied Statistical Decision Theory", 1961). It is the most that any test can be worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

WEIGHTS = (0.3, 0.4, 0.3)
_PRICES = 41  # prices tried within the range that past prices tell about


def expected(values: Sequence[float]) -> float:
    """Mean of a figure given as P10, P50 and P90."""
    return sum(weight * value for weight, value in zip(WEIGHTS, values, strict=True))


def perfect_information(
    payoff: Callable[[float, float], float], choices: Sequence[float], states: Sequence[float]
) -> float:
    """Expected value of knowing the state before choosing.

    Args:
        payoff: Money from a choice in a state.
        choices: What can be chosen.
        states: P10, P50 and P90 of what is not known.
    """
    informed = expected([max(payoff(choice, state) for choice in choices) for state in states])
    blind = max(expected([payoff(choice, state) for state in states]) for choice in choices)
    return max(informed - blind, 0.0)


def worth_of_go(results: Sequence[float]) -> float:
    """Worth of knowing which of three results a launch will have, where not launching leaves nothing."""
    return perfect_information(lambda launch, result: launch * result, (0.0, 1.0), results)


def worth_of_elasticity(
    units: float,
    price: float,
    cost: float,
    elasticity: Sequence[float],
    low: float,
    high: float,
    net: Callable[[float], float] = float,
) -> float:
    """Worth of knowing the elasticity before setting the price.

    Args:
        units, price, cost: Units expected at the price, and the unit cost.
        elasticity: P10, P50 and P90.
        low, high: Range of prices that may be chosen.
        net: What is left of a price after payment and delivery.
    """
    step = (high - low) / (_PRICES - 1)
    prices = [low + step * n for n in range(_PRICES)] if high > low else [price]
    return perfect_information(lambda p, e: units * (p / price) ** e * (net(p) - cost), prices, elasticity)
