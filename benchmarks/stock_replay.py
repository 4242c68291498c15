"""A lost-sales replay of real demand: what a method orders, period by period, knowing only what is past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# Orders (K, N) for each setting of a method's knob, from: the period, units on hand (K, N), units due (K, N, lead - 1).
Decide = Callable[[int, Array, Array], Array]


@dataclass(frozen=True)
class World:
    """What every method faces.

    Attributes:
        demand: Units asked for (N, T); NaN where not known or not on sale: such periods ask for nothing and do not
            count.
        value: Money that one unit stands for (N,).
        start: Period of the first order.
        test: First period that counts.
        lead: Periods from order to shelf.
        review: Periods between orders.
        whole: Whether units come in whole numbers.
    """

    demand: Array
    value: Array
    start: int
    test: int
    lead: int
    review: int
    whole: bool

    @property
    def cover(self) -> int:
        """Periods that an order must last: until the next one, placed a review later, has arrived."""
        return self.lead + self.review

    def opening(self, periods: int) -> Array:
        """Stock that every method starts with (N,): what was sold of late, over the cover."""
        late = self.demand[:, max(0, self.start - periods) : self.start]
        known = np.isfinite(late).sum(axis=1)
        mean = np.divide(np.nansum(late, axis=1), known, out=np.zeros(len(late)), where=known > 0)
        return np.asarray(np.ceil(mean * self.cover))


@dataclass(frozen=True)
class Tally:
    """What happened in the test, by knob and product (K, N), and what was asked for and how long (N,)."""

    sold: Array
    stock: Array
    orders: Array
    asked: Array
    periods: Array


def replay(world: World, decide: Decide, knobs: int, opening: Array) -> Tally:
    """Follow a method with every setting of its knob through the same demand.

    A period runs: arrivals, at a review an order, demand; what finds no stock is lost. Stock is the mean of the units
    on hand after arrivals and at the end.
    """
    count, periods = world.demand.shape
    on_hand = np.repeat(opening[None], knobs, axis=0).astype(float)
    due = np.zeros((knobs, count, periods - world.start + world.lead + 1))
    sold, stock, orders = (np.zeros((knobs, count)) for _ in range(3))
    for t in range(world.start, periods):
        now, counts = t - world.start, t >= world.test
        on_hand = on_hand + due[:, :, now]
        if now % world.review == 0:
            order = np.maximum(decide(t, on_hand, due[:, :, now + 1 : now + world.lead]), 0.0)
            order = np.rint(order) if world.whole else order
            due[:, :, now + world.lead] += order
            orders += (order > 0) * counts
        wanted = np.nan_to_num(world.demand[:, t])
        served = np.minimum(on_hand, wanted)
        if counts:
            sold += served
            stock += (on_hand - served / 2) * np.isfinite(world.demand[:, t])
        on_hand = on_hand - served
    test = world.demand[:, world.test :]
    return Tally(sold, stock, orders, np.nansum(test, axis=1), np.isfinite(test).sum(axis=1).astype(float))


@dataclass(frozen=True)
class Prices:
    """Costs: of holding a unit's value for one review, of losing it once, and of placing an order."""

    holding: float
    lost: float
    order: float


def at_fill(
    tally: Tally, world: World, fill: float, prices: Prices, year: float, weight: Array | None = None
) -> dict[str, float]:
    """Metrics of a method where its service-stock curve crosses a fill rate, linear between its two nearest knobs.

    Args:
        tally: Of the method.
        world: What it faced.
        fill: Share of units served.
        prices: See `Prices`.
        year: Periods in a year.
        weight: How often each product counts (N,), for a bootstrap.

    Returns:
        `turnover` a year, `cost`, `fill_rate`, `stock` (mean units on hand of all products), `units_lost`; NaN where
        no setting of the knob reaches the fill rate or all exceed it.
    """
    curve = curve_of(tally, world, prices, year, weight)
    order = np.argsort(curve["fill_rate"], kind="stable")
    reached = curve["fill_rate"][order]
    if not reached[0] <= fill <= reached[-1]:
        return {name: float("nan") for name in curve}
    return {name: float(np.interp(fill, reached, values[order])) for name, values in curve.items()}


def curve_of(tally: Tally, world: World, prices: Prices, year: float, weight: Array | None = None) -> dict[str, Array]:
    """The whole service-stock curve of a method: each metric by knob (K,)."""
    w = np.ones(len(tally.asked)) if weight is None else weight
    money = w * world.value
    asked, sold, held = tally.asked @ money, tally.sold @ money, tally.stock @ money
    units = tally.asked @ w
    lost = units - tally.sold @ w
    return {
        "turnover": sold / np.maximum(held, 1e-9) * year,
        "cost": held * prices.holding / world.review + (asked - sold) * prices.lost + tally.orders @ w * prices.order,
        "fill_rate": sold / max(asked, 1e-9),
        "stock": tally.stock @ w / max(world.demand.shape[1] - world.test, 1),
        "units_lost": lost,
        "fill_rate_units": 1 - lost / max(units, 1e-9),
    }
