"""The price that earns most on average over what is known of the elasticity, not at its single best guess."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.pricing.kernels import charm_prices, profit

Array = NDArray[np.float64]
_AS_GOOD = 0.99  # prices that earn this share of the best are about as good
_STEPS = 201


@dataclass(frozen=True)
class Choice:
    """The price, and the lowest and highest that earn about as much."""

    price: float
    low: float
    high: float


def robust_price(
    cost: float,
    slopes: Array,
    reference: float,
    bounds: tuple[float, float],
    endings: Array,
    keep: float | None = None,
    stock: float | None = None,
) -> Choice:
    """The allowed price with the highest profit averaged over draws of the elasticity.

    A plug-in optimum promises what the luckiest estimate says (the optimiser's curse, Smith and Winkler, 2006); the
    average over the posterior does not chase it. Prices are tried as the shop writes them, not rounded afterwards.

    Args:
        cost: Per unit.
        slopes: Draws of the elasticity (N,).
        reference: Price at which a unit of demand is one.
        bounds: Lowest and highest price allowed.
        endings: Usual price endings (k,).
        keep: A price that is charged now, allowed as it is where it lies in the bounds.
        stock: Units that can be sold at all, in units of the demand at the reference price; None for no limit.
    """
    fine = np.linspace(*bounds, _STEPS)
    allowed = charm_prices(*bounds, endings)
    if keep is not None and bounds[0] <= keep <= bounds[1]:
        allowed = np.append(allowed, keep)
    if not len(allowed):
        # No usual ending fits: whole cents inside the bounds do.
        allowed = np.clip(np.ceil(np.round(fine * 100, 6)) / 100, *bounds)
    worth = expected_profit(allowed, cost, slopes, reference, stock)
    best = int(np.argmax(worth))
    smooth = expected_profit(fine, cost, slopes, reference, stock)
    good = fine[smooth >= smooth.max() - (1 - _AS_GOOD) * abs(smooth.max())]
    price = float(allowed[best])
    return Choice(price, min(float(good.min()), price), max(float(good.max()), price))


def expected_profit(prices: Array, cost: float, slopes: Array, reference: float, stock: float | None = None) -> Array:
    """Profit (n,) of prices (n,), averaged over draws of the elasticity, per unit of demand at the reference price."""
    units = np.exp(np.log(prices / reference)[:, None] * slopes[None, :])
    if stock is not None:
        units = np.minimum(units, stock)
    return np.asarray((prices - cost) * units.mean(axis=1))


def flip_elasticity(cost: float, now: float, then: float) -> float | None:
    """The elasticity at which two prices earn the same; None where the one price earns nothing at any demand."""
    if now <= cost or then <= cost or now == then:
        return None
    return float(np.log((now - cost) / (then - cost)) / np.log(then / now))


def flip_cost(now: float, then: float, elasticity: float) -> float | None:
    """The cost at which two prices earn the same; None where no cost between zero and the lower price does it."""
    kept = (then / now) ** elasticity
    if now == then or kept == 1:
        return None
    cost = (now - kept * then) / (1 - kept)
    return float(cost) if 0 < cost < min(now, then) else None


def gain_draws(price: float, now: float, cost: float, units: Array, slopes: Array, reference: float) -> Array:
    """Profit at `price` less profit at `now`, by draw of demand at the reference price and elasticity (N,)."""
    return profit(price, cost, units, reference, slopes) - profit(now, cost, units, reference, slopes)
