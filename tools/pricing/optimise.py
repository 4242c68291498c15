"""Five ways to find the most profitable prices: a grid, SLSQP, differential evolution, a genetic algorithm, a swarm."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Objective = Callable[[Array], Array]  # prices (n, k) to profit (n,)
_MOST_CELLS = 200_000


@dataclass(frozen=True)
class Optimum:
    """The best prices found (k,) and their profit."""

    prices: Array
    profit: float


def grid_search(profit: Objective, ladders: list[Array]) -> Optimum:
    """The best combination of allowed prices, all of them tried: exact for ladder and charm prices.

    Raises:
        ValueError: More than 200,000 combinations; use another optimiser and round afterwards.
    """
    if np.prod([len(ladder) for ladder in ladders]) > _MOST_CELLS:
        raise ValueError("too many combinations of prices to try all")
    cells = np.array(list(itertools.product(*ladders)), dtype=float)
    gains = profit(cells)
    best = int(np.argmax(gains))
    return Optimum(cells[best], float(gains[best]))


def slsqp(profit: Objective, bounds: Array, starts: int = 5, seed: int = 0) -> Optimum:
    """Sequential quadratic programming (Kraft, 1988) from several starts, for smooth profit.

    Args:
        profit: See `Objective`.
        bounds: Lowest and highest price per product (k, 2).
        starts: Starting points, the middle of the bounds first.
        seed: Of the other starting points.
    """
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    points = [bounds.mean(axis=1), *rng.uniform(bounds[:, 0], bounds[:, 1], (starts - 1, len(bounds)))]
    scale = max(abs(float(profit(points[0][None, :])[0])), 1e-9)
    found = [
        minimize(
            lambda x: -float(profit(x[None, :])[0]) / scale,
            point,
            method="SLSQP",
            bounds=bounds,
            options={"ftol": 1e-12, "maxiter": 300},
        )
        for point in points
    ]
    best = min(found, key=lambda result: float(result.fun))
    prices = np.clip(best.x, bounds[:, 0], bounds[:, 1])
    return Optimum(prices, float(profit(prices[None, :])[0]))


def evolution(profit: Objective, bounds: Array, seed: int = 0) -> Optimum:
    """Differential evolution (Storn and Price, 1997), for profit with steps and several peaks."""
    from scipy.optimize import differential_evolution

    found = differential_evolution(
        lambda x: -profit(x.T), bounds, rng=seed, tol=1e-10, maxiter=300, vectorized=True, updating="deferred"
    )
    return Optimum(np.asarray(found.x), float(-found.fun))


def genetic(profit: Objective, bounds: Array, seed: int = 0, people: int = 80, rounds: int = 200) -> Optimum:
    """A real-coded genetic algorithm: tournaments, blend crossover (Eshelman and Schaffer, 1993), shrinking mutation.

    Args:
        profit: See `Objective`.
        bounds: Lowest and highest price per product (k, 2).
        seed: Of chance.
        people: Size of the population; its best tenth lives on unchanged.
        rounds: Generations.
    """
    rng = np.random.default_rng(seed)
    low, wide = bounds[:, 0], bounds[:, 1] - bounds[:, 0]
    crowd = rng.random((people, len(bounds)))
    elite = max(people // 10, 1)
    for step in range(rounds):
        worth = profit(low + crowd * wide)
        crowd = crowd[np.argsort(-worth)]
        # Sorted by worth, the smaller of two random places wins the tournament.
        parents = rng.integers(0, people, (2, people - elite, 2)).min(axis=2)
        mother, father = crowd[parents[0]], crowd[parents[1]]
        blend = rng.uniform(-0.25, 1.25, mother.shape)
        children = mother + blend * (father - mother)
        hit = rng.random(children.shape) < 0.2
        children += hit * rng.normal(0, 0.2 * 0.95**step, children.shape)
        crowd = np.vstack([crowd[:elite], np.clip(children, 0, 1)])
    return _best(profit, low + crowd * wide)


def swarm(profit: Objective, bounds: Array, seed: int = 0, particles: int = 40, rounds: int = 250) -> Optimum:
    """Particle swarm (Kennedy and Eberhart, 1995) with Clerc and Kennedy's constriction: 0.7298 and 1.4962.

    Args:
        profit: See `Objective`.
        bounds: Lowest and highest price per product (k, 2).
        seed: Of chance.
        particles: Size of the swarm.
        rounds: Moves.
    """
    rng = np.random.default_rng(seed)
    low, high = bounds[:, 0], bounds[:, 1]
    place = rng.uniform(low, high, (particles, len(bounds)))
    speed = rng.uniform(-1, 1, place.shape) * (high - low) / 4
    own, worth = place.copy(), profit(place)
    for _ in range(rounds):
        leader = own[np.argmax(worth)]
        to_own, to_leader = rng.random(place.shape), rng.random(place.shape)
        speed = 0.7298 * speed + 1.4962 * (to_own * (own - place) + to_leader * (leader - place))
        place = np.clip(place + speed, low, high)
        now = profit(place)
        better = now > worth
        own[better], worth[better] = place[better], now[better]
    return _best(profit, own)


def _best(profit: Objective, prices: Array) -> Optimum:
    worth = profit(prices)
    best = int(np.argmax(worth))
    return Optimum(prices[best], float(worth[best]))
