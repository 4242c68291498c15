"""Statistics of segments that may leave the shop: noise hides whether any one customer is among them.

The mechanism is the discrete Laplace one: a count changes by at most one when a customer comes or goes, so noise with
P(k) ∝ exp(-ε|k|) makes it ε-differentially private (Ghosh, Roughgarden and Sundararajan, 2009). Spending is clipped
first, in whole units of currency, so that one customer moves a sum by no more than the clip. Noise is drawn exactly, in
integers, from the system's secure source (Canonne, Kamath and Steinke, 2020, algorithms 1 and 2): floating-point noise
would give away what it hides. A segment that only a few belong to is left out, since its mere name would tell of them
(Korolova and others, 2009): that fails to hide one with a probability of at most `DELTA`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from shop.errors import ToolError

DELTA = 1e-6


@dataclass(frozen=True)
class Published:
    """A segment's noisy numbers: customers, and their spending in whole units of currency, each customer's clipped."""

    customers: int
    spending: int


def publish(
    spending: Mapping[str, Sequence[int]], epsilon: Fraction, clip: int, source: random.Random | None = None
) -> dict[str, Published]:
    """Noisy counts and sums of the segments that are large enough; half of the budget goes to each.

    Each customer is in one segment, so the segments together cost no more than one of them (parallel composition).
    Publishing again costs again: the budgets of all publications add up.

    Args:
        spending: Whole units of currency that each customer of a segment spent.
        epsilon: The budget: the odds of any statement about one customer change by at most a factor of e to it.
        clip: Spending above it counts as it.
        source: Of randomness; left out, the system's secure one. Another is for tests.

    Raises:
        ToolError: Budget or clip are not above zero.
    """
    if epsilon <= 0 or clip <= 0:
        raise ToolError("The budget and the clip must be above zero; an epsilon of 1 is usual.")
    draw = source or random.SystemRandom()
    half = epsilon / 2
    noisy = {
        name: Published(
            customers=len(spent) + discrete_laplace(1 / half, draw),
            spending=sum(min(max(each, 0), clip) for each in spent) + discrete_laplace(clip / half, draw),
        )
        for name, spent in spending.items()
    }
    least = 1 + math.log(1 / DELTA) / float(half)
    return {name: one for name, one in noisy.items() if one.customers >= least}


def discrete_laplace(scale: Fraction, source: random.Random) -> int:
    """One draw k with probability proportional to exp(-|k| / scale)."""
    numerator, denominator = scale.numerator, scale.denominator
    while True:
        rest = source.randrange(numerator)
        if not _bernoulli_exp(Fraction(rest, numerator), source):
            continue
        whole = 0
        while _bernoulli_exp(Fraction(1), source):
            whole += 1
        size = (rest + numerator * whole) // denominator
        is_negative = bool(source.getrandbits(1))
        if size or not is_negative:  # zero has one sign
            return -size if is_negative else size


def _bernoulli_exp(rate: Fraction, source: random.Random) -> bool:
    """True with probability exp(-rate), for a rate between 0 and 1, without a number that is rounded."""
    count = 1
    while source.randrange(rate.denominator * count) < rate.numerator:
        count += 1
    return count % 2 == 1
