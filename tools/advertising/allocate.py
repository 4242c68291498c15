"""Splits a budget over weeks and channels so that the last unit of money brings as much everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.advertising.response import Response

Array = NDArray[np.float64]
_DRAWS = 40
_STEPS = 120


def gain(response: Response, spend: Array, value: Array, logs: bool, base: Array | None = None) -> Array:
    """What a plan brings against no spend (or against `base` of the same shape), by draw (draws,).

    Args:
        response: The curves.
        spend: Per week and channel (W, C), in the unit of the curves.
        value: Worth of a whole target in each week (W,); 1 where the target is money already.
        logs: Whether the target is in logs, so that channels multiply demand.
        base: Another plan to compare with.
    """
    total = _worth(response.lift(spend).sum(axis=2), value, logs)
    return total if base is None else total - _worth(response.lift(base).sum(axis=2), value, logs)


def marginal(response: Response, spend: Array, value: Array, logs: bool) -> Array:
    """Expected worth of one further unit of money in each week and channel, (W, C)."""
    slope = response.slope(spend)
    if logs:
        slope = slope * np.exp(response.lift(spend).sum(axis=2))[:, :, None]
    return np.asarray(slope.mean(axis=0) * value[:, None])


def allocate(response: Response, budget: float, value: Array, caps: Array, logs: bool) -> Array:
    """The plan (W, C) with the most expected worth at `budget`.

    The expectation is over bootstrap draws: a channel that only looks good in the point estimate earns no more than it
    is sure of. SLSQP under bounds, from the plan that `climb` reaches step by step.

    Args:
        response: The curves.
        budget: Money for all weeks and channels; what exceeds the caps stays unspent.
        value: (W,), see `gain`.
        caps: Most money for a channel in a week, (C,): beyond what was ever spent nothing is known.
        logs: See `gain`.
    """
    from scipy.optimize import minimize

    few = _thinned(response)
    weeks, most = len(value), np.tile(caps, (len(value), 1))
    money = min(budget, float(most.sum()))
    if money <= 0:
        return np.zeros_like(most)
    if money >= most.sum():
        return most
    scale = money / most.size
    size = float(np.abs(gain(few, most, value, logs).mean())) or 1.0

    def loss(flat: Array) -> tuple[float, Array]:

        plan = flat.reshape(weeks, -1) * scale
        slope = marginal(few, plan, value, logs).ravel() * scale
        return -float(gain(few, plan, value, logs).mean()) / size, -slope / size

    start = climb(response, money, value, caps, logs)[0]
    done = minimize(
        loss,
        start.ravel() / scale,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, cap / scale) for cap in most.ravel()],
        constraints={"type": "eq", "fun": lambda flat: flat.sum() - most.size, "jac": np.ones_like},
        options={"maxiter": 40, "ftol": 1e-6},
    )
    plan = np.clip(done.x.reshape(weeks, -1) * scale, 0.0, most)
    plan *= min(1.0, money / max(float(plan.sum()), 1e-9))
    better = loss(plan.ravel() / scale)[0] < loss(start.ravel() / scale)[0]
    return np.asarray(plan if better else start)


def climb(response: Response, budget: float, value: Array, caps: Array, logs: bool) -> tuple[Array, Array, Array]:
    """Give out a budget in small steps, each to the week and channel where it brings the most.

    Exact up to the step where curves are concave.

    Returns:
        The plan (W, C); the money spent after each step (steps,); what a unit of money brought in that step (steps,).
    """
    few = _thinned(response)
    most = np.tile(caps, (len(value), 1))
    plan, step = np.zeros_like(most), min(budget, float(most.sum())) / _STEPS
    spent, brought = [0.0], list[float]()
    while spent[-1] < min(budget, float(most.sum())) - 1e-6:
        more = np.minimum(np.minimum(step, most - plan), budget - spent[-1])
        held = few.lift(plan)
        lift = few.lift(plan + more) - held
        each = np.exp(held.sum(axis=2))[:, :, None] * np.expm1(lift) if logs else lift
        rate = np.where(more > 1e-9, each.mean(axis=0) * value[:, None] / np.maximum(more, 1e-9), -np.inf)
        cell = int(np.argmax(rate))
        plan.flat[cell] += more.flat[cell]
        spent.append(spent[-1] + float(more.flat[cell]))
        brought.append(float(rate.flat[cell]))
    return plan, np.array(spent[1:]), np.array(brought)


def equal_split(budget: float, weeks: int, caps: Array) -> Array:
    """As much for every channel in every week as the caps allow, (weeks, C)."""
    plan, left = np.zeros(len(caps)), budget / weeks
    while left > 1e-9 and (plan < caps).any():
        open_ = plan < caps
        step = np.where(open_, np.minimum(left / open_.sum(), caps - plan), 0.0)
        plan, left = plan + step, left - step.sum()
    return np.tile(plan, (weeks, 1))


def _thinned(response: Response) -> Response:
    step = max(1, len(response.strength) // _DRAWS)
    parts = {name: getattr(response, name)[::step] for name in ("carry", "half", "shape", "strength")}
    return Response(response.channels, **parts, usual=response.usual, most=response.most, fitted=response.fitted)


def _worth(lift: Array, value: Array, logs: bool) -> Array:
    return np.asarray((np.expm1(lift) if logs else lift) @ value)
