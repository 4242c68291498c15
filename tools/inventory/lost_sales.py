"""Replenishment where demand that finds no stock is lost: a rule followed through demand, and the order of one moment.

A period runs: what is due arrives, an order may be placed, demand is served. An order placed in period t can be sold
from period t + lead on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """When to order and how much: up to `up_to` when stock on hand and on order is at most `reorder`.

    With `review` 1 it is (s, S), demand-driven; with `reorder` just under `up_to` it is (R, S), which orders at every
    review. The first review is that of period `first_review`.
    """

    reorder: float
    up_to: float
    review: int = 1
    first_review: int = 0


@dataclass(frozen=True)
class Run:
    """A rule followed through draws, by draw and period (N, H).

    Attributes:
        sold: Units sold.
        lost: Units asked for and not there.
        left: Units on hand at the end of the period.
        ordered: Units ordered in the period.
        stock: Mean of the units on hand after arrivals and at the end.
    """

    sold: Array
    lost: Array
    left: Array
    ordered: Array
    stock: Array


def follow(demand: Array, rule: Rule, opening: float, lead: int) -> Run:
    """Follow a rule through every draw of demand (N, H), from `opening` units on hand."""
    count, periods = demand.shape
    on_hand, on_order = np.full(count, float(opening)), np.zeros(count)
    sold, left, ordered, stock = (np.zeros((periods, count)) for _ in range(4))
    for t, wanted in enumerate(np.ascontiguousarray(demand.T)):
        if t >= lead > 0:
            on_hand = on_hand + ordered[t - lead]
            on_order = on_order - ordered[t - lead]
        if t >= rule.first_review and (t - rule.first_review) % rule.review == 0:
            position = on_hand + on_order
            ordered[t] = np.where(position <= rule.reorder, np.maximum(rule.up_to - position, 0), 0.0)
            if lead:
                on_order = on_order + ordered[t]
            else:
                on_hand = on_hand + ordered[t]
        sold[t] = np.minimum(on_hand, wanted)
        stock[t] = on_hand - sold[t] / 2
        on_hand = on_hand - sold[t]
        left[t] = on_hand
    return Run(sold.T, demand - sold.T, left.T, ordered.T, stock.T)


def project(on_hand: Array, due: Array, demand: Array) -> Array:
    """Units left when an order placed now arrives, by product and draw (N, M).

    Args:
        on_hand: Units on hand now, arrivals of this period included (N,).
        due: Units that arrive in the next periods before the order does (N, lead - 1).
        demand: Draws of demand from this period on, at least over the lead time (N, M, lead).
    """
    left = np.repeat(on_hand[:, None], demand.shape[1], axis=1)
    for t in range(demand.shape[2]):
        if t:
            left = left + due[:, t - 1, None]
        left = np.maximum(left - demand[:, :, t], 0.0)
    return left


def myopic_order(left: Array, cover: Array, service_level: float) -> Array:
    """Order (N,) that serves the periods it must cover at a service level, given what will be left when it arrives.

    The myopic policy for lost sales (Morton, 1971; Zipkin, Operations Research 56, 2008): close to optimal, where an
    order-up-to level would also order again for demand that was lost.

    Args:
        left: See `project` (N, M).
        cover: Draws of demand from its arrival to the next order's (N, M).
        service_level: Chance to serve all of it.
    """
    return np.maximum(np.quantile(cover - left, service_level, axis=1), 0.0)
