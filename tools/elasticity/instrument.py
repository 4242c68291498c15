"""Prices that follow demand, undone by what moves prices alone: a cost."""

from __future__ import annotations

import numpy as np

from tools.elasticity.poisson import fit_poisson
from tools.elasticity.within import Array, Codes, project

_STRONG = 30.0  # first-stage F below which a cost says too little about the price (Staiger and Stock ask for 10)
_SURE = 2.0


def endogenous_part(
    units: Array,
    log_price: Array,
    log_cost: Array,
    controls: Array,
    effects: tuple[Codes, Codes],
    weight: Array,
    clusters: Codes,
) -> Array | None:
    """Control function (Petrin and Train, 2010): the price's part that cost and controls leave unexplained.

    As a further regressor it takes away what made price and demand move together; the rest of the price moves with
    cost alone. It is used only where the cost drives the price strongly and the part is clearly linked to demand, for
    it costs precision.

    Returns:
        The part (n,), or None where the cost is too weak or nothing shows that prices followed demand.
    """
    left = project(np.column_stack([log_price, log_cost, controls]), weight, effects, 10)
    root = np.sqrt(weight)[:, None]
    price, cost, others = left[:, 0], left[:, 1], left[:, 2:]
    if others.shape[1]:
        cost = cost - others @ np.linalg.lstsq(others * root, cost * root[:, 0], rcond=None)[0]
    square = float((weight * cost**2).sum())
    if square < 1e-9 * weight.sum():
        return None
    slope = float((weight * cost * price).sum()) / square
    rest = np.column_stack([left[:, 1], others])
    part = price - rest @ np.linalg.lstsq(rest * root, price * root[:, 0], rcond=None)[0]
    scores = np.bincount(clusters, weight * cost * part)
    if slope**2 < _STRONG * float((scores**2).sum()) / square**2:
        return None
    fit = fit_poisson(units, np.column_stack([log_price, part, controls]), effects)
    hidden, beside = fit.moved[:, 1], np.delete(fit.moved, 1, axis=1)
    scale = np.sqrt(fit.mean)[:, None]
    hidden = hidden - beside @ np.linalg.lstsq(beside * scale, hidden * scale[:, 0], rcond=None)[0]
    power = float((fit.mean * hidden**2).sum())
    error = np.sqrt(float((np.bincount(clusters, fit.mean * hidden * fit.left) ** 2).sum())) / power
    return part if abs(fit.slopes[1]) > _SURE * error else None
