"""Regressions within products and weeks: the log-log and semi-log slopes of textbooks, and the effects taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Slope:
    """A slope, its standard error, and what it rests on."""

    value: float
    sd: float
    clusters: int
    rows: int


def take_out_effects(values: Array, first: Codes, second: Codes, rounds: int = 20) -> Array:
    """Residuals of `values` (n,) on two sets of dummies, by alternating projections (Guimarães and Portugal, 2010)."""
    return project(values[:, None] - values.mean(), np.ones(len(values)), (first, second), rounds)[:, 0]


def project(columns: Array, weight: Array, groups: Sequence[Codes], rounds: int) -> Array:
    """Weighted residuals of every column (n, k) on the dummies of all groups, by alternating projections."""
    left = columns.copy()
    totals = [np.maximum(np.bincount(group, weight), 1e-12) for group in groups]
    for _ in range(rounds):
        for group, total in zip(groups, totals, strict=True):
            for k in range(left.shape[1]):
                left[:, k] -= (np.bincount(group, weight * left[:, k], len(total)) / total)[group]
    return left


def naive_slope(units: Array, price: Array, clusters: Codes) -> Slope | None:
    """Log-log least squares without any effects: what a spreadsheet gives. Only rows with a sale."""
    sold = units > 0
    x, y = np.log(price[sold]), np.log(units[sold])
    return clustered_slope(x - x.mean(), y - y.mean(), clusters[sold]) if sold.any() else None


def within_slope(
    units: Array, price: Array, series: Codes, period: Codes, clusters: Codes, semilog: bool = False
) -> Slope | None:
    """Slope of log units with series and period effects out; only rows with a sale.

    Args:
        units: Sold (n,).
        price: Paid (n,).
        series: Product, or product and store (n,).
        period: Week (n,).
        clusters: Rows whose errors may go together (n,).
        semilog: Regress on the price itself; the slope is turned into an elasticity at the mean price.
    """
    sold = units > 0
    if not sold.any():
        return None
    paid = price[sold]
    scale = float(paid.mean()) if semilog else 1.0
    x = paid / scale if semilog else np.log(paid)
    left = project(
        np.column_stack([x, np.log(units[sold])]), np.ones(len(x)), (_packed(series[sold]), _packed(period[sold])), 20
    )
    return clustered_slope(left[:, 0], left[:, 1], clusters[sold])


def clustered_slope(x: Array, y: Array, clusters: Codes) -> Slope | None:
    """Least-squares slope through zero with its cluster-robust standard error; None where x does not move."""
    square = float((x**2).sum())
    count = len(np.unique(clusters))
    if square < 1e-9 * len(x) or count < 2:
        return None
    slope = float((x * y).sum()) / square
    scores = np.bincount(clusters, x * (y - slope * x))
    variance = float((scores**2).sum()) / square**2 * count / (count - 1)
    return Slope(slope, float(np.sqrt(max(variance, 1e-8))), count, len(x))


def _packed(codes: Codes) -> Codes:
    return np.asarray(np.unique(codes, return_inverse=True)[1], dtype=np.int64)
