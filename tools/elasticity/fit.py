"""Elasticities of many products at once: one Poisson regression with common controls, then slopes pooled down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.elasticity.estimate import Elasticity
from tools.elasticity.instrument import endogenous_part
from tools.elasticity.levels import levels_of, pooled
from tools.elasticity.observations import Observations, pairs
from tools.elasticity.poisson import Fit, fit_poisson
from tools.elasticity.surprises import first_surprises, surprises, without_past
from tools.elasticity.within import Array, Codes

_ROUNDS = 3  # times that products' own slopes are put back as known


@dataclass(frozen=True)
class Fitted:
    """Slopes of the products (P,) and of the groups, and what the controls did.

    Attributes:
        groups: By name.
        products: By number; a product whose own prices did not move carries its group's slope.
        controls: Effects of the controls, and of the past where it was used, by name: value and standard error.
        response: Log price with effects out, working residual, fitted units, all (n,): for a second opinion.
        past: Log surprises of earlier periods (n, 3), for the same; empty where series are short.
        common: The one slope that all products share, each counted by its information, and its standard error.
        instrumented: Whether the cost was used against prices that follow demand.
    """

    groups: dict[str, Elasticity]
    products: list[Elasticity]
    controls: dict[str, tuple[float, float]]
    response: tuple[Array, Array, Array]
    past: Array
    common: tuple[float, float]
    instrumented: bool = False


def fit_elasticities(data: Observations) -> Fitted:
    """Fit demand and pool slopes from all products down to each.

    Demand is exp(product + market and period + slope · log price + controls + past surprises). Past surprises of a
    series (what it sold beyond the model in the last weeks) stand in for what the shop saw when it set the price:
    discounts follow slow demand. Controls have common effects; slopes differ by product.

    Raises:
        ValueError: Nothing sold, or no price ever moved.
    """
    log_price = np.log(data.price)
    effects = (data.series, pairs(data.market, data.period))
    controls = data.controls
    first = fit_poisson(data.units, np.column_stack([log_price, controls]), effects, data.open)
    if not (first.mean * first.moved[:, 0] ** 2).sum() > 1e-6 * first.mean.sum():
        raise ValueError("no price ever moved")
    past = first_surprises(data, log_price, effects)
    hidden = _hidden(data, log_price, np.column_stack([controls, past]), effects, first.mean)
    levels = levels_of(data.chains)
    base = np.zeros(len(log_price))
    for _ in range(_ROUNDS):
        columns = [log_price, controls, past, *([] if hidden is None else [hidden])]
        fit = fit_poisson(data.units, np.column_stack(columns), effects, base * log_price + data.open)
        moved = fit.moved[:, 0]
        if hidden is not None:
            moved = _beyond(moved, fit.moved[:, -1], fit.mean)
        spread = _covariance(fit, data.series)
        groups, products = pooled(data, fit, moved, base + fit.slopes[0], levels, spread)
        base = np.array([each.value for each in products])[data.product]
        # With one slope for all, a steep product's own answer to its last price would pass for a surprise.
        past = surprises(data, without_past(data, fit, past))
    names = [*data.names, *(f"past_{i + 1}" for i in range(past.shape[1]))]
    return Fitted(
        groups=groups,
        products=products,
        controls={
            name: (float(fit.slopes[1 + i]), float(np.sqrt(spread[1 + i, 1 + i]))) for i, name in enumerate(names)
        },
        response=(fit.moved[:, 0], fit.left, fit.mean),
        past=past,
        common=_common(moved, fit.mean, base, float(np.sqrt(spread[0, 0]))),
        instrumented=hidden is not None,
    )


def _common(moved: Array, mean: Array, base: Array, error: float) -> tuple[float, float]:
    """Products' slopes (n,) averaged by how much each price moved and sold."""
    return float(np.average(base, weights=mean * moved**2)), error


def _hidden(
    data: Observations, log_price: Array, extra: Array, effects: tuple[Codes, Codes], weight: Array
) -> Array | None:
    """The part of price that costs and controls do not explain, where it moves with demand; None otherwise."""
    if data.cost is None:
        return None
    return endogenous_part(data.units, log_price, np.log(data.cost), extra, effects, weight, data.series)


def _beyond(moved: Array, hidden: Array, weight: Array) -> Array:
    """What is left of the price's movement once its hidden part is out: the part that costs drive."""
    return moved - hidden * float((weight * moved * hidden).sum() / max((weight * hidden**2).sum(), 1e-12))


def _covariance(fit: Fit, clusters: Codes) -> Array:
    """Cluster-robust covariance of all coefficients (k, k)."""
    weighted = fit.moved * fit.mean[:, None]
    inverse = np.linalg.pinv(weighted.T @ fit.moved)
    scores = np.column_stack([np.bincount(clusters, weighted[:, k] * fit.left) for k in range(fit.moved.shape[1])])
    return np.asarray(inverse @ scores.T @ scores @ inverse)
