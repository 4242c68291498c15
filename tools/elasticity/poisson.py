"""Poisson regression with two sets of fixed effects: multiplicative demand that keeps weeks without a sale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.elasticity.within import Array, Codes, project

_STEPS = 12
_ROUNDS = 6
_CLOSE = 1e-3
_STILL = 0.004  # standard deviation of log price, effects out, below which a price hardly moved


@dataclass(frozen=True)
class Fit:
    """A fitted regression.

    Attributes:
        slopes: Coefficients (k,).
        moved: Columns with the effects taken out at the fitted weights (n, k).
        mean: Fitted units (n,).
        left: Working residual (units - mean) / mean (n,).
    """

    slopes: Array
    moved: Array
    mean: Array
    left: Array


def fit_poisson(units: Array, columns: Array, effects: Sequence[Codes], offset: Array | None = None) -> Fit:
    """Poisson pseudo-maximum likelihood of units on columns and effects.

    Consistent where the log of few units is not: log-linear least squares drops weeks without a sale and is bent by
    the variance (Santos Silva and Tenreyro, 2006). Solved by reweighted least squares with the effects projected out
    at every step (Correia, Guimarães and Zylkin, 2020).

    Args:
        units: Not negative, any scale (n,).
        columns: Regressors (n, k).
        effects: Group numbers of each row, one array per set of dummies.
        offset: Known part of log units (n,).

    Raises:
        ValueError: Nothing was sold at all.
    """
    if units.sum() <= 0:
        raise ValueError("no units to explain")
    known = np.zeros(len(units)) if offset is None else offset
    mean = (units + units.mean()) / 2
    fitted = np.log(mean)
    slopes, moved = np.zeros(columns.shape[1]), columns
    for _ in range(_STEPS):
        working = fitted - known + (units - mean) / mean
        sides = project(np.column_stack([working, columns]), mean, effects, _ROUNDS)
        moved = sides[:, 1:]
        root = np.sqrt(mean)[:, None]
        slopes = np.linalg.lstsq(moved * root, sides[:, 0] * root[:, 0], rcond=None)[0]
        fitted = np.clip(working + known - (sides[:, 0] - moved @ slopes), -12.0, 25.0)
        before, mean = mean, np.exp(fitted)
        if np.abs(mean - before).max() < _CLOSE * mean.max():
            break
    return Fit(slopes, moved, mean, (units - mean) / mean)


def group_slopes(
    moved: Array, left: Array, mean: Array, base: Array, groups: Codes, clusters: Codes, count: int
) -> tuple[Array, Array, NDArray[np.int64]]:
    """One Newton step from the slopes in force to each group's own, with jackknifed standard errors.

    The error comes from leaving out clusters one at a time; it is unknown where a group has a single one.

    Args:
        moved: Log price with effects and controls out (n,).
        left: Working residuals (n,).
        mean: Fitted units (n,).
        base: Slope in force per row (n,).
        groups: Group numbers (n,).
        clusters: Rows that stand or fall together (n,), numbered so that no cluster crosses groups.
        count: How many groups there are.

    Returns:
        Slopes (count,), standard errors (count,), clusters (count,); NaN where a group's price never moved.
    """
    power = mean * moved**2
    score = mean * moved * left + power * base
    whole = np.bincount(groups, power, count)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.bincount(groups, score, count) / whole
        rest = score - power * slope[groups]
        by_cluster = np.bincount(clusters, rest)
        owner = np.zeros(len(by_cluster), dtype=np.int64)
        owner[clusters] = groups
        kept = whole[owner] - np.bincount(clusters, power)
        there = np.bincount(clusters) > 0
        shifts = np.where(kept > 1e-12, by_cluster / kept, np.nan)[there]
        variance = np.bincount(owner[there], shifts**2, count)
    numbers = np.bincount(owner[there], minlength=count)
    flat = whole < _STILL**2 * np.bincount(groups, mean, count).clip(1e-12)
    return np.where(flat, np.nan, slope), np.where(flat, np.nan, np.sqrt(variance)), numbers
