"""Elasticities of many products at once: one Poisson regression with common controls, then slopes pooled down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tools.elasticity.estimate import Elasticity
from tools.elasticity.instrument import endogenous_part
from tools.elasticity.poisson import Fit, fit_poisson, group_slopes
from tools.elasticity.pool import PUBLISHED, moderate, pull
from tools.elasticity.within import Array, Codes

_ROUNDS = 3  # times that products' own slopes are put back as known
_BLOCK = 8  # periods whose errors may go together
_FEW = 5  # clusters below which a group's errors are judged by blocks of periods instead
_LAGS = 6
# Usual spread of slopes around the wider group's: departments differ widely, products of one shelf little.
_SPREADS = (1.0, 0.5, 0.35, 0.5)
# One product's prices say too little to tell how much products differ; an interval must not take that for "not at all".
_LEAST = 0.35
_LONG = 30  # periods a series needs before its own past can stand in for what the shop saw


@dataclass(frozen=True)
class Observations:
    """Demand of many series; rows sorted by series, then period.

    Attributes:
        product: Product number (n,).
        series: Series number, product or product and store (n,).
        period: Running number of the week (n,).
        market: Number of the group whose common shocks are taken out by period (n,).
        units: Units, zeros included where it was on sale (n,).
        price: Price asked, positive (n,).
        controls: What else moved demand, in logs or as shares (n, k).
        names: Names of the controls (k,).
        chains: Per product the names of its groups from the widest to the narrowest; the first is common to all.
        exposure: Share of the period in which it could be bought (n,); None for all of it.
        cost: Unit cost, or another thing that moves the price and not demand (n,); None where unknown.
    """

    product: Codes
    series: Codes
    period: Codes
    market: Codes
    units: Array
    price: Array
    controls: Array
    names: tuple[str, ...]
    chains: Sequence[tuple[str, ...]]
    cost: Array | None = None
    exposure: Array | None = None

    @property
    def open(self) -> Array:
        """Log of the exposure (n,)."""
        return np.zeros(len(self.units)) if self.exposure is None else np.log(self.exposure)


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


@dataclass
class _Levels:
    """Groups of every level: their names, the group of each product, and each group's wider group."""

    names: list[list[str]] = field(default_factory=list)
    member: list[Codes] = field(default_factory=list)


def fit_elasticities(data: Observations) -> Fitted:
    """Fit demand and pool slopes from all products down to each.

    Demand is exp(product + market and period + slope · log price + controls + past surprises). Past surprises of a
    series (what it sold beyond the model in the last weeks) stand in for what the shop saw when it set the price:
    discounts follow slow demand. Controls have common effects; slopes differ by product.

    Raises:
        ValueError: Nothing sold, or no price ever moved.
    """
    log_price = np.log(data.price)
    effects = (data.series, _pairs(data.market, data.period))
    controls = data.controls
    first = fit_poisson(data.units, np.column_stack([log_price, controls]), effects, data.open)
    if not (first.mean * first.moved[:, 0] ** 2).sum() > 1e-6 * first.mean.sum():
        raise ValueError("no price ever moved")
    past = _first_surprises(data, log_price, effects)
    hidden = _hidden(data, log_price, np.column_stack([controls, past]), effects, first.mean)
    levels = _levels(data.chains)
    base = np.zeros(len(log_price))
    for _ in range(_ROUNDS):
        columns = [log_price, controls, past, *([] if hidden is None else [hidden])]
        fit = fit_poisson(data.units, np.column_stack(columns), effects, base * log_price + data.open)
        moved = fit.moved[:, 0]
        if hidden is not None:
            moved = _beyond(moved, fit.moved[:, -1], fit.mean)
        spread = _covariance(fit, data.series)
        groups, products = _pooled(data, fit, moved, base + fit.slopes[0], levels, spread)
        base = np.array([each.value for each in products])[data.product]
        # With one slope for all, a steep product's own answer to its last price would pass for a surprise.
        past = _surprises(data, _without_past(data, fit, past))
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


def _first_surprises(data: Observations, log_price: Array, effects: tuple[Codes, Codes]) -> Array:
    """Past surprises at a slope that is not yet misled by prices that follow them.

    Past units and past prices together span the surprise for every slope, so with both as controls the slope comes out
    right whatever it is; the surprises are then what that slope leaves.
    """
    idle = fit_poisson(data.units, data.controls, effects, data.open)
    back = _surprises(data, idle.mean)
    if not back.shape[1]:
        return back
    middle = log_price - (np.bincount(data.series, log_price) / np.bincount(data.series))[data.series]
    columns = [log_price, data.controls, back, _back(middle, data)]
    slope = fit_poisson(data.units, np.column_stack(columns), effects, data.open).slopes[0]
    return _surprises(data, fit_poisson(data.units, data.controls, effects, data.open + slope * log_price).mean)


def _without_past(data: Observations, fit: Fit, past: Array) -> Array:
    """Fitted units (n,) as if no surprise had come before."""
    start = 1 + data.controls.shape[1]
    return fit.mean * np.exp(-past @ fit.slopes[start : start + past.shape[1]])


def _surprises(data: Observations, mean: Array) -> Array:
    """Log surprises of the last period, the one before, and the mean of the four before those (n, 3)."""
    lengths = np.bincount(data.series)
    if np.median(lengths[lengths > 0]) < _LONG:
        return np.empty((len(data.units), 0))
    return _back(np.log((data.units + 1) / (mean + 1)), data)


def _back(values: Array, data: Observations) -> Array:
    """Values of the last period, the one before, and the mean of the four before those (n, 3)."""
    back = np.column_stack([_lagged(values, data.series, data.period, lag) for lag in range(1, _LAGS + 1)])
    return np.column_stack([back[:, 0], back[:, 1], back[:, 2:].mean(axis=1)])


def _lagged(values: Array, series: Codes, period: Codes, lag: int) -> Array:
    """Values `lag` rows earlier in the series; 0, which is expected, where there is none or a gap lies between."""
    out = np.zeros(len(values))
    same = (series[lag:] == series[:-lag]) & (period[lag:] - period[:-lag] <= 2 * lag)
    out[lag:][same] = values[:-lag][same]
    return out


def _levels(chains: Sequence[tuple[str, ...]]) -> _Levels:
    found = _Levels()
    for depth in range(max(len(chain) for chain in chains)):
        names = sorted({chain[depth] for chain in chains if len(chain) > depth})
        place = {name: number for number, name in enumerate(names)}
        found.names.append(names)
        found.member.append(np.array([place[chain[depth]] if len(chain) > depth else -1 for chain in chains]))
    return found


def _pooled(
    data: Observations, fit: Fit, moved: Array, base: Array, levels: _Levels, covariance: Array
) -> tuple[dict[str, Elasticity], list[Elasticity]]:
    """Slopes from the widest groups to products; every level's prior is the level above."""
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
    blocks = _pairs(data.series[inside], data.period[inside] // _BLOCK)
    value, error = np.full(count, np.nan), np.full(count, np.nan)
    # Widest clusters first: they allow for the most dependence.
    for clusters in (data.product[inside], data.series[inside], blocks):
        own = _pairs(chosen, clusters)
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
    own = _pairs(chosen, blocks)
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


def _covariance(fit: Fit, clusters: Codes) -> Array:
    """Cluster-robust covariance of all coefficients (k, k)."""
    weighted = fit.moved * fit.mean[:, None]
    inverse = np.linalg.pinv(weighted.T @ fit.moved)
    scores = np.column_stack([np.bincount(clusters, weighted[:, k] * fit.left) for k in range(fit.moved.shape[1])])
    return np.asarray(inverse @ scores.T @ scores @ inverse)


def _pairs(first: Codes, second: Codes) -> Codes:
    """A running number for each pair that occurs."""
    return np.asarray(
        np.unique(first.astype(np.int64) * (int(second.max()) + 1) + second, return_inverse=True)[1], dtype=np.int64
    )
