"""A gap between two products of factors, shared out among the factors without a remainder."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def shapley_split(plan: Array, actual: Array) -> Array:
    """What each factor's change contributed to the change of the product of all factors.

    A factor's contribution is averaged over every order in which the factors could have moved from plan to actual, so
    none of them is favoured and the contributions add up to `actual.prod() - plan.prod()` exactly (Shapley 1953; as a
    decomposition of change: Sun 1998, "Accounting for energy use").

    Args:
        plan: Planned factors (..., factors).
        actual: Factors as they were, same shape.

    Returns:
        Contributions, same shape.
    """
    count = plan.shape[-1]
    effects = np.zeros(np.broadcast_shapes(plan.shape, actual.shape))
    for factor in range(count):
        others = [index for index in range(count) if index != factor]
        change = actual[..., factor] - plan[..., factor]
        for size in range(count):
            weight = factorial(size) * factorial(count - size - 1) / factorial(count)
            for moved in combinations(others, size):
                rest = [actual[..., i] if i in moved else plan[..., i] for i in others]
                effects[..., factor] += weight * change * np.prod(rest, axis=0)
    return effects
