"""A second order as an option: what it is worth to buy less now, see the first weeks, and order again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.inventory.newsvendor import critical_ratio, worth

Array = NDArray[np.float64]
_GROUPS = 10  # early sales are told apart this finely when the rest is forecast from them
_TRIED = np.linspace(0.1, 0.9, 9)


@dataclass(frozen=True)
class SecondOrder:
    """A season bought at once against a season bought in two orders.

    Attributes:
        once: Units that are best bought where there is no second order.
        first: Units that are best bought first where there is one.
        value: Expected profit gained by the second order by draw (N,): the most it is worth to reserve it.
        ordered: Units of the second order by draw (N,).
    """

    once: float
    first: float
    value: Array
    ordered: Array


def second_order(
    demand: Array, lead: int, review: int, price: float, cost: float, clearance_share: float
) -> SecondOrder:
    """Value of a second order placed after `review` periods and sold `lead` periods later.

    Two-stage newsvendor with an updated forecast (Fisher and Raman, Operations Research 44, 1996): what is left of
    the season is forecast from draws with like early demand, at the season's critical ratio.

    Args:
        demand: Draws of a season (N, H), H above review + lead.
        lead: Periods from order to shelf.
        review: Periods seen before the order.
        price: Of a unit sold.
        cost: Of a unit bought, below the price.
        clearance_share: Share of the cost that an unsold unit still brings.
    """
    ratio = critical_ratio(price, cost, cost * (1 - clearance_share))
    total = demand.sum(axis=1)
    once = float(np.ceil(np.quantile(total, ratio, method="inverted_cdf")))
    alone = worth(np.minimum(total, once), np.full(len(total), once), price, cost, clearance_share)
    early = demand[:, :review].sum(axis=1)
    between = demand[:, review : review + lead].sum(axis=1)
    late = demand[:, review + lead :].sum(axis=1)
    group = (np.argsort(np.argsort(early, kind="stable"), kind="stable") * _GROUPS) // len(early)
    best: tuple[float, float, Array, Array] | None = None
    for first in np.unique(np.ceil(np.quantile(total, _TRIED))):
        left = np.maximum(first - early - between, 0.0)  # lost sales: a shortage is not served later
        need = np.empty(len(left))
        for one in range(_GROUPS):
            like = group == one
            seen = np.maximum(first - early[like], 0.0)
            # What will be left when the order arrives is a guess too, made from the same draws.
            rest = late[like] - np.maximum(seen[:, None] - between[like], 0.0)
            need[like] = np.maximum(np.quantile(rest, ratio, axis=1), 0.0)
        sold = np.minimum(first, early + between) + np.minimum(left + need, late)
        profit = worth(sold, first + need, price, cost, clearance_share)
        if best is None or profit.mean() > best[0]:
            best = float(profit.mean()), float(first), profit, need
    assert best is not None
    return SecondOrder(once, best[1], best[2] - alone, best[3])
