"""Launch curves: totals, shares per week, and empirical-Bayes shrinkage down a chain of ever narrower groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
_MIN_SEEN = 0.5  # share of the usual curve that must have been seen to scale a launch up to its whole


def mean_curve(units: Array, basis: int) -> Array:
    """Usual share of each week in the units of the first `basis` weeks, over launches that were seen throughout.

    Args:
        units: Demand per launch and week (L, W), NaN where not seen.
        basis: Weeks that sum to one.

    Returns:
        (W,); 1/basis for weeks that no launch has been seen in.
    """
    whole = units[np.isfinite(units[:, :basis]).all(axis=1)]
    whole = whole[whole[:, :basis].sum(axis=1) > 0]
    if not len(whole):
        return np.full(units.shape[1], 1 / basis)
    shares = whole / whole[:, :basis].sum(axis=1, keepdims=True)
    counts = np.isfinite(shares).sum(axis=0)
    usual = np.full(units.shape[1], 1 / basis)
    np.divide(np.nansum(shares, axis=0), counts, out=usual, where=counts > 0)
    return usual


def launch_totals(units: Array, curve: Array, basis: int) -> Array:
    """Units of the first `basis` weeks (L,), scaled up over unseen weeks by the usual curve; NaN if few are seen."""
    first = units[:, :basis]
    seen = np.isfinite(first) @ curve[:basis]
    return np.where(seen >= _MIN_SEEN, np.nansum(first, axis=1) / np.maximum(seen, _MIN_SEEN), np.nan)


def took(units: Array, basis: int) -> NDArray[np.bool_]:
    """Which launches (L,) were really carried: they sold in at least half of the basis weeks that were seen.

    Old stock that reappears in an export for a day looks like a launch that failed; it says nothing about a product
    that is kept in stock and offered.
    """
    first = units[:, :basis]
    seen = np.isfinite(first).sum(axis=1)
    sold = (np.nan_to_num(first) > 0).sum(axis=1)
    return np.asarray((seen > 0) & (2 * sold >= seen))


def within_slope(x: Array, y: Array, groups: pd.Series[str], ridge: float = 10.0) -> float:
    """Slope of y on x within groups (least squares on deviations from group means), shrunk to 0 by `ridge`."""
    codes, names = pd.factorize(groups)
    counts = np.maximum(np.bincount(codes, minlength=len(names)), 1)
    own_x, own_y = (v - (np.bincount(codes, v, minlength=len(names)) / counts)[codes] for v in (x, y))
    return float((own_x * own_y).sum() / ((own_x**2).sum() + ridge))


def shares_of(units: Array, totals: Array, curve: Array, trust: float) -> Array:
    """Share of each week per launch (L, W), pulled to the usual curve where a launch sold too few units to tell.

    Weeks not seen take the usual share. `trust` is the number of units at which a launch's own shape counts half.
    """
    safe = np.where(totals > 0, totals, np.nan)[:, None]
    own = np.where(np.isfinite(units / safe), units / safe, curve[None, :])
    weight = np.nan_to_num(totals / (totals + trust))[:, None]
    return np.asarray(weight * own + (1 - weight) * curve[None, :])


def variance_parts(values: Array, groups: NDArray[np.int64]) -> tuple[float, float]:
    """Variance within and between groups of a one-way random-effects layout, by the method of moments (ANOVA).

    Args:
        values: (L,) without NaN.
        groups: Group number of each value (L,).

    Returns:
        Variance within, and variance between (0 if the groups do not differ). With a single group, or no group of
        two, between is 0.
    """
    counts = np.bincount(groups)
    counts = counts[counts > 0]
    _, number = np.unique(groups, return_inverse=True)
    means = np.bincount(number, values) / counts
    total, k = len(values), len(counts)
    if total <= k or k < 2:
        return float(np.var(values, ddof=1)) if total > 1 else 0.0, 0.0
    within = float(((values - means[number]) ** 2).sum() / (total - k))
    between_ms = float((counts * (means - values.mean()) ** 2).sum() / (k - 1))
    size = (total - (counts**2).sum() / total) / (k - 1)
    return within, max(0.0, (between_ms - within) / size)


def shrink(values: Array, weights: Array, strength: Array) -> tuple[Array, Array]:
    """Shrunk means down a chain of groups, each toward the one before (empirical Bayes, normal-normal).

    Args:
        values: (L,) or (L, W), NaN where unknown.
        weights: Weight of each launch in each group (K, L), from the widest group to the narrowest.
        strength: How many launches the wider group is worth beside each group (K,): the variance within groups over
            that between them. The first is not used.

    Returns:
        Means per group (K,) or (K, W), and effective launches per group (K,) or (K, W).
    """
    known = np.isfinite(values).astype(float)
    filled = np.nan_to_num(values)
    counts = weights @ known
    sums = weights @ filled
    means = np.zeros_like(sums)
    means[0] = np.divide(sums[0], counts[0], out=np.zeros_like(sums[0]), where=counts[0] > 0)
    for k in range(1, len(weights)):
        means[k] = (sums[k] + strength[k] * means[k - 1]) / (counts[k] + strength[k])
    return means, counts
