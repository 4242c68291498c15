"""Launch curves: totals and shares per week of launches seen in whole or in part."""

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
