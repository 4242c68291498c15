"""Life-cycle shapes on a grid, and how common each is among the products of one shop (empirical Bayes)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from tools.demand.panel import Array

STAGES = ("introduction", "growth", "maturity", "decline")
_INTRODUCTION = 0.6  # of the height reached, below which a climb is still an introduction
_MATURE, _FALLEN = 0.9, 0.75
_STARTS = (0.2, 0.5)  # share of the height in the first week
_RISES = (1, 2, 3, 4, 6, 8, 11, 15, 20, 28)  # weeks of climb
_HOLDS = (0, 3, 6, 10, 15, 22, 32, 45, 65, 90)  # weeks on the height
_HALVES = (4, 8, 16, 32, 64)  # weeks in which a fall halves sales

# Chosen on the demo shops of seeds 11 to 13 by the likelihood of the true stages.
_CHANCE, _FIRM = 0.4, 3.0  # squared noise on the root scale, and how many weeks that guess counts for
_TELLS = 0.25  # of a week's worth of evidence that a week brings: neighbouring weeks err together
_SMOOTH = 20.0  # products that the even prior counts for
_DOUBT = 0.05  # that no shape of the grid is right
_ROUNDS = 60
_MOST = 1000  # products that the prior is learned from


@dataclass(frozen=True)
class Shapes:
    """Trapezoid-like lives (Hu et al. 2019, M&SOM 21(3)): a climb in a line, a plateau, a fall that halves and halves.

    Attributes:
        level: Share of the height by shape and week (G, T).
        stage: Stage by shape and week, positions in `STAGES` (G, T).
        weight: How common each shape is (G,), summing to one.
        common: Share of the shop's products in each stage (4,).
    """

    level: Array
    stage: NDArray[np.int64]
    weight: Array
    common: Array

    def posterior(self, demand: Array) -> Array:
        """Chance of each shape (G,) given the weekly demand of a product (T,), gaps filled."""
        weighed = np.exp(_fit(self, demand)) * self.weight
        return np.asarray(weighed / weighed.sum())

    def path(self, demand: Array) -> Array:
        """Chances of the stages by week (T, 4), every week told with the knowledge of all."""
        chance, stage = self.posterior(demand), self.stage[:, : len(demand)]
        plain = np.stack([chance @ (stage == number) for number in range(len(STAGES))], axis=1)
        return np.asarray((1 - _DOUBT) * plain + _DOUBT / len(STAGES))


def even_shapes(weeks: int, from_launch: bool) -> Shapes:
    """Every shape alike, for lives of up to so many weeks; without a launch there is no climb."""
    age = np.arange(1, weeks + 1) - 0.5
    climbs = list(product(_STARTS, _RISES)) if from_launch else [(1.0, 0)]
    falls: list[tuple[float, float]] = [*product(_HOLDS, _HALVES), (np.inf, 1.0)]
    levels, stages = [], []
    for (start, rise), (hold, half) in product(climbs, falls):
        climbing, fallen = age <= rise, np.maximum(age - rise - hold, 0.0)
        level = start + (1 - start) * np.minimum(age / max(rise, 1), 1.0)
        level = np.where(climbing, level, 0.5 ** (fallen / half))
        early = np.where(level < _INTRODUCTION, 0, np.where(level < _MATURE, 1, 2))
        levels.append(level)
        stages.append(np.where(climbing, early, np.where(level < _FALLEN, 3, 2)))
    weight = np.full(len(levels), 1 / len(levels))
    common = np.full(len(STAGES), 1 / len(STAGES))
    return Shapes(np.array(levels), np.array(stages, dtype=np.int64), weight, common)


def learn_shapes(lives: Sequence[Array], from_launch: bool, seed: int = 0) -> Shapes:
    """How common each shape is among lives, by EM on the mixture over the grid (Laird 1978, JASA 73).

    What a young product will do cannot be seen in its few weeks; what the shop's other products did says how long
    climbs and plateaus last there.

    Args:
        lives: Weekly demand of products (T,), season taken out, gaps filled, as far as they have come.
        from_launch: Whether the first week of each is its launch.
        seed: Of the draw where there are very many.
    """
    if len(lives) > _MOST:
        chosen = np.random.default_rng(seed).choice(len(lives), _MOST, replace=False)
        lives = [lives[i] for i in chosen]
    even = even_shapes(max((len(life) for life in lives), default=1), from_launch)
    if not lives:
        return even
    likelihood = np.exp([_fit(even, life) for life in lives])
    weight = even.weight
    for _ in range(_ROUNDS):
        chance = likelihood * weight
        chance /= chance.sum(axis=1, keepdims=True)
        weight = chance.sum(axis=0) + _SMOOTH * even.weight
        weight /= weight.sum()
    learned = replace(even, weight=weight)
    if not from_launch:
        return learned
    return replace(learned, common=np.mean([learned.path(life)[-1] for life in lives], axis=0))


def _fit(shapes: Shapes, demand: Array) -> Array:
    """Log likelihood of each shape (G,), the best at 0: height by least squares, noise integrated out.

    Square roots make Poisson-like noise even.
    """
    root, y = np.sqrt(shapes.level[:, : len(demand)]), np.sqrt(demand)
    left = np.maximum(y @ y - (root @ y) ** 2 / np.maximum((root**2).sum(axis=1), 1e-9), 0.0)
    spare = _TELLS * len(demand) + _FIRM
    fit = -spare / 2 * np.log((_TELLS * left + _FIRM * _CHANCE) / spare)
    return np.asarray(fit - fit.max())
