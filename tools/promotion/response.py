"""What a price promotion does to sales: depth, the fact of it, the dip after it, and the rest of the category."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tools.elasticity.poisson import fit_poisson

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
TERMS = ("depth", "flag", "after", "later", "halo", "before")
_LEAST_EPISODES = 8
_LEAST_PRODUCTS = 3
_BACK = 3  # weeks back in which the last calm week is looked for
# How far a category's effects usually lie from its parent's, in logs: a prior, not an estimate.
_APART = np.array([0.6, 0.1, 0.08, 0.05, 0.05, 0.1])
_HALO = 0.1  # what the rest of a category moves by if all of it is promoted: rarely more, in logs


@dataclass(frozen=True)
class Effects:
    """Effects on log units: estimates and covariance of `TERMS`.

    Attributes:
        mean: (6,). `depth` times -log(1 - depth), plus `flag`, while it runs; `after` in the two weeks after it,
            `later` in the two after those; `halo` times the promoted share of the rest of the category's usual units;
            `before` takes out that slow weeks get promoted.
        cov: (6, 6), clustered by product.
        source: Path of the narrowest category with evidence of its own; "" is the whole shop.
        episodes: Promotions of products behind it.
        products: Products behind it.
        low, high: Depths seen.
    """

    mean: Array
    cov: Array
    source: str
    episodes: int
    products: int
    low: float
    high: float

    def draws(self, count: int, rng: np.random.Generator) -> Array:
        """Draws (count, 6) of the effects; a deeper cut never sells less."""
        drawn = rng.multivariate_normal(self.mean, self.cov, count)
        drawn[:, 0] = np.maximum(drawn[:, 0], 0.0)
        return np.asarray(drawn)


@dataclass(frozen=True)
class PromotionPanel:
    """Product weeks in long form, one row each (n,).

    Attributes:
        units: Sold, at the rate of the days in stock.
        depth: Share off the price, units weighted.
        product, week, category: Codes; `paths` names the categories.
        usual: The product's median units in weeks without a promotion.
        partial: On promotion for a part of the week: what followed is judged, the week itself is not.
        paths: Category path by code.
    """

    units: Array
    depth: Array
    product: Codes
    week: Codes
    category: Codes
    usual: Array
    partial: NDArray[np.bool_]
    paths: tuple[str, ...]


MIN_DEPTH = 0.03  # below it a week's discounts are single coupons or rounding


def columns(panel: PromotionPanel) -> Array:
    """The regressors of `TERMS`, (n, 6)."""
    count, weeks = int(panel.product.max()) + 1, int(panel.week.max()) + 1
    flag, usual = np.zeros((count, weeks)), np.zeros((count, weeks))
    flag[panel.product, panel.week] = panel.depth >= MIN_DEPTH
    usual[panel.product, panel.week] = panel.usual
    off = flag == 0
    after, later, before = (_shifted(flag, steps) * off for steps in ((1, 2), (3, 4), (-1, -2)))
    later *= after == 0
    owner = np.zeros(count, dtype=np.int64)
    owner[panel.product] = panel.category
    promoted, whole = np.zeros((2, len(panel.paths), weeks))
    np.add.at(promoted, owner, flag * usual)
    np.add.at(whole, owner, usual)
    mine = flag * usual
    rest = np.maximum(whole[owner] - usual, 1e-9)
    halo = np.clip((promoted[owner] - mine) / rest, 0.0, 1.0)
    at = (panel.product, panel.week)
    on = panel.depth >= MIN_DEPTH
    return np.column_stack(
        [np.where(on, -np.log1p(-panel.depth), 0.0), flag[at], after[at], later[at], halo[at], before[at]]
    )


def effects(panel: PromotionPanel, category: str) -> Effects | None:
    """Effects for a category, its own evidence combined with that of its parents and the whole shop.

    Poisson regression with product effects and one of each main category's weeks. Down the path a category's estimate
    is combined with its parent's as two normal opinions are, the parent's widened by how far categories usually lie
    apart; a level with too few promotions of its own is passed over.

    Args:
        panel: Product weeks of the whole shop.
        category: Path.

    Returns:
        None where even the whole shop has too few promotions.
    """
    x = columns(panel)
    path = category.split(" > ") if category else []
    levels = [""] + [" > ".join(path[:depth]) for depth in range(1, len(path) + 1)]
    best: Effects | None = None
    for level in levels:
        wanted = np.array([not level or each == level or each.startswith(level + " > ") for each in panel.paths])
        own = _fit(panel, x, wanted[panel.category], level)
        if own is not None:
            best = _sober(own) if best is None else _combined(best, own)
    return best


def _fit(panel: PromotionPanel, x: Array, rows: NDArray[np.bool_], level: str) -> Effects | None:
    rows = rows & ~panel.partial
    starts = _episodes(panel, rows)
    promoted = rows & (panel.depth >= MIN_DEPTH)
    products = len(np.unique(panel.product[promoted]))
    if starts < _LEAST_EPISODES or products < _LEAST_PRODUCTS:
        return None
    tops = np.array([path.split(" > ")[0] for path in panel.paths])
    top = np.unique(tops, return_inverse=True)[1][panel.category[rows]]
    shock = np.unique(top * (int(panel.week.max()) + 1) + panel.week[rows], return_inverse=True)[1]
    clusters = np.unique(panel.product[rows], return_inverse=True)[1]
    first = fit_poisson(panel.units[rows], x[rows], (clusters, shock))
    # The weeks before are off by what got them promoted: that must stay in their residuals.
    usual = first.mean / np.exp(first.slopes[-1] * x[rows, -1])
    wide = np.column_stack([x[rows], _momentum(panel, rows, usual)])
    fit = fit_poisson(panel.units[rows], wide, (clusters, shock))
    weighted = fit.moved * fit.mean[:, None]
    # A term that never moves here (no halo in a category of one) is known to nobody: no information, not a zero.
    bread = np.linalg.pinv(fit.moved.T @ weighted + 1e-9 * np.eye(wide.shape[1]))
    scores = np.column_stack([np.bincount(clusters, weighted[:, k] * fit.left) for k in range(wide.shape[1])])
    count, own = len(scores), slice(0, len(TERMS))
    cov = (bread @ (scores.T @ scores) @ bread * count / max(count - 1, 1))[own, own]
    still = np.abs(weighted * fit.moved).sum(axis=0)[own] < 1e-6 * fit.mean.sum()
    mean = np.where(still, 0.0, fit.slopes[own])
    cov[np.diag_indices(len(TERMS))] += np.where(still, _APART**2, 1e-8)
    seen = panel.depth[promoted]
    low, high = np.quantile(seen, [0.05, 0.95])
    return Effects(mean, cov, level, starts, products, float(low), float(high))


def _momentum(panel: PromotionPanel, rows: NDArray[np.bool_], mean: Array) -> Array:
    """How far the last week without a promotion lay off its mean, in logs, one column per weeks gone since (n, 3).

    Promotions are placed after slow weeks, and slow weeks last: without this a promotion pays for what went before it.
    """
    count, weeks = int(panel.product.max()) + 1, int(panel.week.max()) + 1
    off = np.full((count, weeks), np.nan)
    at = (panel.product[rows], panel.week[rows])
    calm = panel.depth[rows] < MIN_DEPTH
    off[at] = np.where(calm, np.log((panel.units[rows] + 0.5) / (mean + 0.5)), np.nan)
    found, open_ = [], np.ones((count, weeks), dtype=bool)
    for back in range(1, _BACK + 1):
        earlier = np.full_like(off, np.nan)
        earlier[:, back:] = off[:, :-back]
        hit = open_ & np.isfinite(earlier)
        found.append(np.where(hit, earlier, 0.0)[at])
        open_ &= ~hit
    return np.column_stack(found)


def _sober(own: Effects) -> Effects:
    """The shop's estimate with a prior on the halo, which many small coincidences look like."""
    known = np.linalg.inv(own.cov)
    prior = np.zeros_like(known)
    prior[TERMS.index("halo"), TERMS.index("halo")] = 1 / _HALO**2
    cov = np.linalg.inv(known + prior)
    return replace(own, mean=cov @ known @ own.mean, cov=cov)


def _combined(wide: Effects, own: Effects) -> Effects:
    prior = np.linalg.inv(wide.cov + np.diag(_APART**2))
    seen = np.linalg.inv(own.cov)
    cov = np.linalg.inv(prior + seen)
    mean = cov @ (prior @ wide.mean + seen @ own.mean)
    return Effects(mean, cov, own.source, own.episodes, own.products, own.low, own.high)


def _episodes(panel: PromotionPanel, rows: NDArray[np.bool_]) -> int:
    """Runs of promoted weeks of one product."""
    on = rows & (panel.depth >= MIN_DEPTH)
    keys = panel.product[on] * (int(panel.week.max()) + 3) + panel.week[on]
    return len(keys) - int(np.isin(keys - 1, keys).sum())


def _shifted(flag: Array, steps: tuple[int, int]) -> Array:
    """1 where a promotion ran any of `steps` weeks earlier (negative: later), (N, T)."""
    found = np.zeros_like(flag)
    for step in steps:
        if step > 0:
            found[:, step:] = np.maximum(found[:, step:], flag[:, :-step])
        else:
            found[:, :step] = np.maximum(found[:, :step], flag[:, -step:])
    return found
