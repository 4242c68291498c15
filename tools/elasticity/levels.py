"""Slopes of groups from the widest to the narrowest, then of products, each pulled towards the level above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tools.elasticity.estimate import Elasticity
from tools.elasticity.observations import Observations, pairs
from tools.elasticity.poisson import Fit, group_slopes
from tools.elasticity.pool import PUBLISHED, moderate, pull
from tools.elasticity.within import Array, Codes

_BLOCK = 8  # periods whose errors may go together
_FEW = 5  # clusters below which a group's errors are judged by blocks of periods instead
# Usual spread of slopes around the wider group's: departments differ widely, products of one shelf little.
_SPREADS = (1.0, 0.5, 0.35, 0.5)
# One product's prices say too little to tell how much products differ; an interval must not take that for "not at all".
_LEAST = 0.35


@dataclass
class Levels:
    """Groups level by level, the widest first.

    Attributes:
        names: Of the groups of each level.
        member: Number of the group of each product (P,), -1 for none, for each level.
    """

    names: list[list[str]] = field(default_factory=list)
    member: list[Codes] = field(default_factory=list)


def levels_of(chains: Sequence[tuple[str, ...]]) -> Levels:
    """The levels of products' chains of groups; a chain that ends early has no group (-1) further down."""
    found = Levels()
    for depth in range(max(len(chain) for chain in chains)):
        names = sorted({chain[depth] for chain in chains if len(chain) > depth})
        place = {name: number for number, name in enumerate(names)}
        found.names.append(names)
        found.member.append(np.array([place[chain[depth]] if len(chain) > depth else -1 for chain in chains]))
    return found


def pooled(
    data: Observations, fit: Fit, moved: Array, base: Array, levels: Levels, covariance: Array
) -> tuple[dict[str, Elasticity], list[Elasticity]]:
    """Slopes from the widest groups to products; every level's prior is the level above.

    Args:
        data: What was fitted.
        fit: The regression.
        moved: Movement of each row's log price that effects and controls do not explain (n,).
        base: Slope of each row's product that the regression took as known, plus the common one it found (n,).
        levels: Groups of the products.
        covariance: Of all coefficients of the regression (k, k).

    Returns:
        Elasticities of the groups by name, and of the products by number.
    """
    count = len(data.chains)
    relative = data.price / _usual_prices(data)[data.product]
    mean, sd = np.full(count, PUBLISHED[0]), np.full(count, PUBLISHED[1])
    source: list[tuple[str, int, int, bool]] = [("", 0, 0, False)] * count
    # A slope pooled from wider groups rests on their prices too.
    seen = np.ones((count, 2))
    groups: dict[str, Elasticity] = {}
    for depth, (names, member) in enumerate(zip(levels.names, levels.member, strict=True)):
        group = member[data.product]
        inside = group >= 0
        prior = np.array([_first_of(member, number) for number in range(len(names))])
        found = _slopes(data, fit, moved, base, group, inside, len(names), covariance)
        usual = _SPREADS[min(max(depth - 1, 0), len(_SPREADS) - 2)]
        middle, spread = pull(found[0], found[1], mean[prior], sd[prior], usual)
        for number, name in enumerate(names):
            here = inside & (group == number)
            own = bool(np.isfinite(found[0][number]))
            label = (name or "the whole shop", int((member == number).sum()), int(here.sum()), own)
            said = label if own else source[prior[number]]
            mine = np.flatnonzero(member == number)
            low, high = _support(relative[here], seen[mine[0]])
            groups[name] = Elasticity(float(middle[number]), float(spread[number]), *_told(said, own), low, high)
            mean[mine], sd[mine], seen[mine] = middle[number], spread[number], (low, high)
            for product in mine:
                source[product] = said
    found = _slopes(data, fit, moved, base, data.product, np.ones(len(base), dtype=bool), count, covariance)
    middle, spread = pull(found[0], found[1], mean, sd, _SPREADS[-1], _LEAST)
    products = []
    for number in range(count):
        low, high = _support(relative[data.product == number], seen[number])
        own = bool(np.isfinite(found[0][number]))
        told = _told(source[number], own or source[number][3])
        products.append(Elasticity(float(middle[number]), float(spread[number]), *told, low, high))
    return groups, products


def _told(said: tuple[str, int, int, bool], own: bool) -> tuple[str, bool, int, int]:
    return said[0], own, said[1], said[2]


def _first_of(member: Codes, number: int) -> int:
    return int(np.flatnonzero(member == number)[0])


def _slopes(
    data: Observations,
    fit: Fit,
    moved: Array,
    base: Array,
    group: Codes,
    inside: NDArray[np.bool_],
    count: int,
    covariance: Array,
) -> tuple[Array, Array]:
    """Each group's slope and its error; by products where a group has enough, else by series, else by blocks."""
    chosen = group[inside]
    blocks = pairs(data.series[inside], data.period[inside] // _BLOCK)
    value, error = np.full(count, np.nan), np.full(count, np.nan)
    # Widest clusters first: they allow for the most dependence.
    for clusters in (data.product[inside], data.series[inside], blocks):
        own = pairs(chosen, clusters)
        slope, noise, number = group_slopes(
            moved[inside], fit.left[inside], fit.mean[inside], base[inside], chosen, own, count
        )
        use = ~np.isfinite(error) & (number >= _FEW)
        value, error = np.where(use, slope, value), np.where(use, noise, error)
    power = np.asarray(np.bincount(chosen, (fit.mean * moved**2)[inside], count), dtype=np.float64)
    error = moderate(error, power, _effective(chosen, blocks, (fit.mean * moved**2)[inside], count))
    shared = _from_controls(fit, moved, inside, chosen, count, covariance)
    return np.where(np.isfinite(error), value, np.nan), np.sqrt(error**2 + shared)


def _effective(chosen: Codes, blocks: Codes, power: Array, count: int) -> Array:
    """How many equally telling blocks of periods a group's information (n,) amounts to (count,)."""
    own = pairs(chosen, blocks)
    by_block = np.bincount(own, power)
    owner = np.zeros(len(by_block), dtype=np.int64)
    owner[own] = chosen
    return np.asarray(
        np.bincount(owner, by_block, count) ** 2 / np.maximum(np.bincount(owner, by_block**2, count), 1e-300)
    )


def _from_controls(
    fit: Fit, moved: Array, inside: NDArray[np.bool_], chosen: Codes, count: int, covariance: Array
) -> Array:
    """Variance that a group's slope (count,) inherits from controls that are themselves estimated."""
    weight = (fit.mean * moved)[inside]
    power = np.maximum(np.bincount(chosen, weight * moved[inside], count), 1e-12)
    pulls = [np.bincount(chosen, weight * column[inside], count) / power for column in fit.moved.T[1:]]
    if not pulls:
        return np.zeros(count)
    lean = np.column_stack(pulls)
    return np.asarray(np.einsum("gk,kl,gl->g", lean, covariance[1:, 1:], lean))


def _usual_prices(data: Observations) -> Array:
    order = np.argsort(data.product, kind="stable")
    cuts = np.searchsorted(data.product[order], np.arange(len(data.chains) + 1))
    price = data.price[order]
    return np.array([np.median(price[a:b]) if b > a else 1.0 for a, b in pairwise(cuts)])


def _support(relative: Array, wider: Array) -> tuple[float, float]:
    """Lowest and highest price seen, the rarest left out, over usual prices; at least what the wider group saw."""
    low, high = np.quantile(relative, [0.005, 0.995]) if len(relative) else (1.0, 1.0)
    return float(min(low, wider[0])), float(max(high, wider[1]))
