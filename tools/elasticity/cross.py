"""What a price change does to the shop's own substitutes: cross-price effects, pooled over departments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.elasticity.estimate import Z80
from tools.elasticity.fit import Fitted
from tools.elasticity.observations import Observations
from tools.elasticity.poisson import fit_poisson
from tools.elasticity.pool import pull
from tools.elasticity.within import Array, Codes

# 7,264 published cross-price elasticities have mean 0.26 (Auer and Papies, 2020); the spread is held wide.
PUBLISHED = (0.26, 0.5)
_LEAST = 400  # product weeks below which a department says nothing of its own
_STILL = 0.004  # standard deviation of substitutes' prices, effects out, below which they hardly moved


def cross_price(data: Observations, fitted: Fitted, weights: Array) -> dict[str, tuple[float, float]]:
    """Elasticity of a product's units to the mean price of its substitutes, by department and for the whole shop.

    The same Poisson regression as for own prices, the substitutes' prices in it, own slopes as fitted. Estimates of
    departments are pulled to the shop's, and the shop's to what has been published.

    Args:
        data: What was asked and sold.
        fitted: Own-price slopes and past surprises.
        weights: Of each product's substitutes (P, P).

    Returns:
        Value and standard deviation by name, the shop as `""`; empty where no substitute's price ever moved.
    """
    index = substitute_prices(data, weights)
    base = np.array([each.value for each in fitted.products])[data.product]
    found: dict[int, tuple[float, float]] = {}
    for market in (-1, *np.unique(data.market)):
        here = np.ones(len(index), dtype=bool) if market < 0 else data.market == market
        slope = _slope(data, fitted, index, base, here) if here.sum() >= _LEAST else None
        if slope is not None:
            found[int(market)] = slope
    if -1 not in found:
        return {}
    whole = _pulled([found[-1]], PUBLISHED)[0]
    others = [market for market in found if market >= 0]
    pulled = _pulled([found[market] for market in others], whole)
    names = {int(m): data.chains[int(p)] for p, m in zip(data.product, data.market, strict=True)}
    departments = {names[m][1]: each for m, each in zip(others, pulled, strict=True) if len(names[m]) > 1}
    return {"": whole, **departments}


def telling(effect: tuple[float, float] | None) -> bool:
    """Whether substitutes are seen to gain from a dearer price: the 80 % interval lies above zero."""
    return effect is not None and effect[0] - Z80 * effect[1] > 0


def substitute_prices(data: Observations, weights: Array) -> Array:
    """Log price of each row's substitutes over their usual ones (n,); those not on sale that week do not count."""
    weeks = int(data.period.max()) + 1
    log = np.log(data.price)
    usual = np.bincount(data.product, log) / np.maximum(np.bincount(data.product), 1)
    moved, there = np.zeros((len(weights), weeks)), np.zeros((len(weights), weeks))
    moved[data.product, data.period] = log - usual[data.product]
    there[data.product, data.period] = 1.0
    total = weights @ there
    index = np.divide(weights @ moved, total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(index[data.product, data.period])


def _slope(
    data: Observations, fitted: Fitted, index: Array, base: Array, here: NDArray[np.bool_]
) -> tuple[float, float] | None:
    """The common slope on substitutes' prices and its standard error, by products; None where they never moved."""
    columns = np.column_stack([index, np.log(data.price), data.controls, fitted.past])[here]
    effects = (_packed(data.series[here]), _packed(data.market[here] * (data.period.max() + 1) + data.period[here]))
    offset = (base * np.log(data.price) + data.open)[here]
    if data.units[here].sum() <= 0:
        return None
    fit = fit_poisson(data.units[here], columns, effects, offset)
    if (fit.mean * fit.moved[:, 0] ** 2).sum() < _STILL**2 * fit.mean.sum():
        return None
    weighted = fit.moved * fit.mean[:, None]
    inverse = np.linalg.pinv(weighted.T @ fit.moved)
    product = _packed(data.product[here])
    scores = np.column_stack([np.bincount(product, column * fit.left) for column in weighted.T])
    return float(fit.slopes[0]), float(np.sqrt((inverse @ scores.T @ scores @ inverse)[0, 0]))


def _pulled(found: list[tuple[float, float]], wider: tuple[float, float]) -> list[tuple[float, float]]:
    if not found:
        return []
    slopes, errors = (np.array(each) for each in zip(*found, strict=True))
    mean, sd = pull(slopes, errors, np.full(len(found), wider[0]), np.full(len(found), wider[1]), usual=0.2)
    return [(float(a), float(b)) for a, b in zip(mean, sd, strict=True)]


def _packed(codes: Codes) -> Codes:
    return np.asarray(np.unique(codes, return_inverse=True)[1], dtype=np.int64)
