"""Assigns launches to weeks for the most contribution (a MILP on HiGHS), and the rules of thumb it is compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.demand.panel import Array

Index = NDArray[np.int64]
NEVER = -1
_TIME_LIMIT = 20.0  # seconds


@dataclass(frozen=True)
class Problem:
    """Launches to place.

    Attributes:
        value: Contribution of each launch by week (P, W), alone in the market.
        group: Number of the category of each launch (P,); launches of one group take sales from each other.
        allowed: Whether a launch can happen in a week (P, W): supply has landed.
        capacity: Most launches a week.
        loss: Share of a launch's weekly contribution lost to each other launch of its group within `window` weeks.
        window: Weeks in which two launches get in each other's way.
    """

    value: Array
    group: Index
    allowed: NDArray[np.bool_]
    capacity: int
    loss: float = 0.1
    window: int = 8


def solve(problem: Problem) -> Index:
    """The week of each launch (P,) with the highest `worth`, `NEVER` where it does not pay or does not fit.

    One binary per launch and week; the launches of a group that overlap in a week cost `loss` each beyond the first,
    through one slack per group and week. HiGHS, to a gap of 0.1 % or twenty seconds.

    Raises:
        ValueError: HiGHS finds no plan (it always can: no launch at all is one).
    """
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint, milp

    count, weeks = problem.value.shape
    groups = int(problem.group.max()) + 1 if count else 0
    if not count:
        return np.zeros(0, dtype=np.int64)
    price = crowding_price(problem)
    cost = np.concatenate([-problem.value.ravel(), np.repeat(price, weeks)])
    upper = np.concatenate([problem.allowed.ravel().astype(float), np.full(groups * weeks, np.inf)])
    once = sparse.hstack(
        [sparse.kron(sparse.eye(count), np.ones((1, weeks))), sparse.csr_matrix((count, groups * weeks))]
    )
    per_week = sparse.hstack(
        [sparse.kron(np.ones((1, count)), sparse.eye(weeks)), sparse.csr_matrix((weeks, groups * weeks))]
    )
    inside = np.eye(groups)[:, problem.group]
    crowd = sparse.hstack([sparse.kron(inside, _reach(weeks, problem.window)), -sparse.eye(groups * weeks)])
    constraints = [
        LinearConstraint(once.tocsr(), 0, 1),
        LinearConstraint(per_week.tocsr(), 0, problem.capacity),
        LinearConstraint(crowd.tocsr(), -np.inf, 1),
    ]
    integrality = np.concatenate([np.ones(count * weeks), np.zeros(groups * weeks)])
    options = {"time_limit": _TIME_LIMIT, "mip_rel_gap": 1e-3}
    found = milp(cost, integrality=integrality, bounds=Bounds(0, upper), constraints=constraints, options=options)
    if found.x is None:
        raise ValueError(f"HiGHS found no calendar: {found.message}")
    chosen = found.x[: count * weeks].reshape(count, weeks) > 0.5
    return np.where(chosen.any(axis=1), chosen.argmax(axis=1), NEVER).astype(np.int64)


def worth(problem: Problem, plan: Index) -> float:
    """Contribution of a plan: the values of its weeks less what launches of one group take from each other."""
    placed = np.flatnonzero(plan != NEVER)
    total = float(problem.value[placed, plan[placed]].sum())
    weeks = problem.value.shape[1]
    reach = _reach(weeks, problem.window)
    for number, price in enumerate(crowding_price(problem)):
        mine = placed[problem.group[placed] == number]
        load = reach @ np.bincount(plan[mine], minlength=weeks)
        total -= float(price * np.maximum(load - 1, 0).sum())
    return total


def crowding_price(problem: Problem) -> Array:
    """Contribution lost per week and launch beyond the first of a group (G,)."""
    groups = int(problem.group.max()) + 1
    typical = np.array(
        [problem.value[problem.group == g].mean() if (problem.group == g).any() else 0 for g in range(groups)]
    )
    return np.asarray(problem.loss * np.maximum(typical, 0.0) / problem.window)


def as_soon_as_ready(problem: Problem) -> Index:
    """Every launch in its first allowed week with room, in the order given."""
    return _fill(problem, np.arange(len(problem.value)), lambda row, free: int(free[0]))


def greedy(problem: Problem) -> Index:
    """The most valuable launch first, each in its best week with room; overlaps are not looked at."""
    best = np.where(problem.allowed, problem.value, -np.inf).max(axis=1)
    return _fill(
        problem, np.argsort(-best, kind="stable"), lambda row, free: int(free[problem.value[row, free].argmax()])
    )


def evenly_spaced(problem: Problem) -> Index:
    """Launches at equal distances over the weeks, in the order in which they are ready."""
    count, weeks = problem.value.shape
    ready = np.where(problem.allowed.any(axis=1), problem.allowed.argmax(axis=1), weeks)
    order = np.argsort(ready, kind="stable")
    slot = {int(row): at * weeks / max(count, 1) for at, row in enumerate(order)}
    return _fill(problem, order, lambda row, free: int(free[np.abs(free - slot[row]).argmin()]))


def cadence(problem: Problem, most: int = 5) -> Array:
    """Worth of the best plan by the number of launches allowed a week, from one to `most` (most,)."""
    plans = [
        Problem(problem.value, problem.group, problem.allowed, k, problem.loss, problem.window)
        for k in range(1, most + 1)
    ]
    return np.array([worth(each, solve(each)) for each in plans])


def _fill(problem: Problem, order: Index, pick: Callable[[int, Index], int]) -> Index:
    room = np.full(problem.value.shape[1], problem.capacity)
    plan = np.full(len(problem.value), NEVER, dtype=np.int64)
    for row in order:
        free = np.flatnonzero((room > 0) & problem.allowed[row])
        if len(free):
            plan[row] = pick(int(row), free)
            room[plan[row]] -= 1
    return plan


def _reach(weeks: int, window: int) -> Array:
    """1 where a launch in week v is still new in week w (W, W)."""
    apart = np.arange(weeks)[:, None] - np.arange(weeks)[None, :]
    return ((apart >= 0) & (apart < window)).astype(float)
