"""A randomised test with what customers did before taken out: the same effect, less noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Z80 = 1.2816


@dataclass(frozen=True)
class Trial:
    """The effect of a treatment per customer.

    Attributes:
        effect: Mean of the treated less mean of the others, adjusted.
        error: Its standard error.
        plain: The difference of means without adjustment, and its standard error.
        theta: How much of a unit before comes back after.
        p: Two-sided chance of such an effect where there is none.
    """

    effect: float
    error: float
    plain: tuple[float, float]
    theta: float
    p: float

    @property
    def interval(self) -> tuple[float, float]:
        """P10 and P90."""
        return self.effect - Z80 * self.error, self.effect + Z80 * self.error

    @property
    def spared(self) -> float:
        """Share of the variance that the adjustment took away."""
        return 1 - (self.error / self.plain[1]) ** 2 if self.plain[1] else 0.0


def cuped(outcome: Array, treated: Mask, before: Array) -> Trial:
    """The effect of a randomised treatment, adjusted for what was there before (Deng, Xu, Kohavi & Walker, 2013).

    The slope is that within the arms, so the estimate is that of the analysis of covariance; standard errors let the
    arms differ in spread.

    Args:
        outcome: Of each customer (n,).
        treated: Who was treated (n,); at least two in either arm.
        before: The same kind of outcome before the test began (n,); without variance it changes nothing.
    """
    groups = (treated, ~treated)
    centred = np.zeros_like(before, dtype=float)
    for group in groups:
        centred[group] = before[group] - before[group].mean()
    spread = float((centred**2).sum())
    theta = float((centred * outcome).sum() / spread) if spread > 0 else 0.0
    effect, error = _difference(outcome - theta * (before - before.mean()), treated)
    p = float(2 * ndtr(-abs(effect) / error)) if error > 0 else float(effect == 0)
    return Trial(effect, error, _difference(outcome, treated), theta, p)


def _difference(values: Array, treated: Mask) -> tuple[float, float]:
    one, other = values[treated], values[~treated]
    error = np.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
    return float(one.mean() - other.mean()), float(error)
