"""What a price promotion leaves, for the category, over its weeks and the four after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
AFTER = 4  # weeks after the promotion that are counted


@dataclass(frozen=True)
class Ground:
    """What stands without the promotion.

    Attributes:
        units: Weekly units of the product over the promotion and the weeks after it, by draw (N, W + AFTER).
        price: Money per unit.
        cost: Money per unit.
        rest: Weekly contribution of the rest of its category.
        share: The product's share of the category's units: how far its promotion promotes the category.
    """

    units: Array
    price: float
    cost: float
    rest: float
    share: float


@dataclass(frozen=True)
class Outcome:
    """By draw (N,): extra units while it runs as a share; extra contribution in all and in parts; money given away."""

    uplift: Array
    contribution: Array
    own: Array
    dip: Array
    halo: Array
    given: Array


def promote(ground: Ground, effects: Array, depth: float, weeks: int) -> Outcome:
    """The outcome of a cut of `depth` for `weeks` weeks.

    Args:
        ground: What stands without it.
        effects: Draws of the effects on log units, (N, 6), see `response.TERMS`.
        depth: Share off the price, between 0 and 1.
        weeks: How long it runs.
    """
    slope, flag, after, later, halo = effects[:, :5].T
    lift = np.exp(slope * -np.log1p(-depth) + flag)
    during, then = ground.units[:, :weeks].sum(axis=1), ground.units[:, weeks:]
    margin, cut = ground.price - ground.cost, ground.price * (1 - depth) - ground.cost
    own = during * (lift * cut - margin)
    dip = margin * (then[:, :2].sum(axis=1) * np.expm1(after) + then[:, 2:].sum(axis=1) * np.expm1(later))
    other = ground.rest * weeks * np.expm1(halo * ground.share)
    given = during * lift * ground.price * depth
    return Outcome(lift - 1, own + dip + other, own, dip, other, given)


def breakeven_lift(ground: Ground, effects: Array, depth: float, weeks: int) -> float | None:
    """The extra units, as a share, at which the promotion leaves nothing, dip and halo as expected.

    None where no number of units pays, since a unit sold at the cut price leaves nothing.
    """
    cut = ground.price * (1 - depth) - ground.cost
    if cut <= 0:
        return None
    found = promote(ground, effects, depth, weeks)
    during = float(ground.units[:, :weeks].sum(axis=1).mean())
    margin = ground.price - ground.cost
    return (margin * during - float((found.dip + found.halo).mean())) / max(cut * during, 1e-9) - 1
