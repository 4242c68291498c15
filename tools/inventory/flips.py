"""Where a stock plan stops being better than the plain rule: each input is moved until it does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.inventory.lost_sales import Rule, follow
from tools.inventory.plan import Plan, profit

Array = NDArray[np.float64]
_FACTORS = np.array([0.95, 1.05, 0.9, 1.1, 0.8, 1.25, 0.7, 1.4, 0.6, 1.7, 0.5, 2.0, 0.3, 3.0])
_LATER = (1, 2, 3, 4, 6, 8)
_ENOUGH = 300  # draws that say where a mean gain changes its sign


@dataclass(frozen=True)
class Money:
    """Price and cost of a unit, and what one left over still brings."""

    price: float
    cost: float
    residual: float


@dataclass(frozen=True)
class Flips:
    """The plan against the plain rule.

    Attributes:
        gain: Profit above the plain rule's by draw (N,).
        demand: Factor on demand, nearest to one, at which the plan no longer gains; None where none of those tried.
        later: Weeks of delay at which it no longer gains; None likewise.
        residual: Value of an unsold unit at which it no longer gains; None where it gains between zero and its cost.
    """

    gain: Array
    demand: float | None
    later: int | None
    residual: float | None

    @property
    def nearest(self) -> str:
        """Which input has the least to change: "demand", "lead time", "clearance", or "" for none."""
        if self.demand is not None and max(self.demand, 1 / self.demand) < 1.5:
            return "demand"
        if self.later is not None and self.later <= 2:
            return "lead time"
        if self.demand is not None:
            return "demand"
        return "lead time" if self.later is not None else "clearance" if self.residual is not None else ""


def flips(draws: Array, plan: Plan, plain: tuple[Rule, float], lead: int, money: Money) -> Flips:
    """Follow both rules, as they stand, through demand that is higher or lower and deliveries that come later.

    The same draws go through both (common random numbers), so that their difference is less a matter of luck.
    """

    def gain(
        factor: float = 1.0, later: int = 0, residual: float = money.residual, most: int | None = _ENOUGH
    ) -> Array:
        demand = draws[:most] * factor
        ours = follow(demand, plan.rule, plan.opening, lead + later)
        theirs = follow(demand, plain[0], plain[1], lead + later)
        made = profit(ours, plan.opening, money.price, money.cost, residual)
        return np.asarray(made - profit(theirs, plain[1], money.price, money.cost, residual))

    usual = gain(most=None)
    if usual.mean() <= 0:
        return Flips(usual, None, None, None)
    demand = next((float(f) for f in _FACTORS if gain(factor=f).mean() <= 0), None)
    later = next((weeks for weeks in _LATER if gain(later=weeks).mean() <= 0), None)
    tried = money.cost * np.linspace(0.0, 1.0, 11)
    worse = [float(value) for value in tried if gain(residual=float(value)).mean() <= 0]
    residual = min(worse, key=lambda value: abs(value - money.residual)) if worse else None
    return Flips(usual, demand, later, residual)
