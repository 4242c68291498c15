"""A product's sales had there been no promotion: a mix of other products that moved as it did before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_SUM = 1e3  # weight of "the shares add up to one" against the fit
LEAST_DONORS = 9  # products without a promotion: with fewer no effect can be told from chance at one in ten


@dataclass(frozen=True)
class Synthetic:
    """A synthetic control.

    Attributes:
        shares: Of each donor in the mix (D,), none below zero, adding up to one.
        path: What would have been sold (T,).
        effect: Sum over the promotion's periods of what was sold less the path.
        interval: P10 and P90 of the effect, from what the method finds where there was no promotion.
        p: Share of products, this one included, whose sales left their mix as much: the placebo test.
    """

    shares: Array
    path: Array
    effect: float
    interval: tuple[float, float]
    p: float


def synthetic_control(own: Array, donors: Array, before: int) -> Synthetic:
    """The effect of a treatment from period `before` on (Abadie, Diamond & Hainmueller, 2010).

    Every series is an index of its own mean before the treatment, so that products of any size may stand for each
    other; the mix is fitted to the periods before. Then each donor in turn is taken for the treated one, among the
    others: how far these placebos leave their mixes, in units of how well they fitted before, says how much chance
    alone does.

    Args:
        own: Sales of the treated product (T,); more than zero before the treatment.
        donors: Sales of untreated products (D, T), likewise; at least `LEAST_DONORS`.
        before: Periods before the treatment.
    """
    level = float(own[:before].mean())
    index = own / level
    others = donors / donors[:, :before].mean(axis=1, keepdims=True)
    shares = mix(index[:before], others[:, :before])
    path = shares @ others
    gap, fit = _left(index, path, before)
    placebos = []
    for each in range(len(others)):
        rest = np.delete(others, each, axis=0)
        placebos.append(_left(others[each], mix(others[each, :before], rest[:, :before]) @ rest, before))
    gaps, fits = np.array(placebos).T
    scaled = gaps / fits * fit
    low, high = np.quantile(scaled, [0.1, 0.9])
    p = (1 + int((np.abs(scaled) >= abs(gap)).sum())) / (1 + len(scaled))
    effect = gap * level
    return Synthetic(shares, path * level, effect, (effect - high * level, effect - low * level), p)


def mix(target: Array, others: Array) -> Array:
    """Shares (D,), none below zero and adding up to one, of `others` (D, T) that come closest to `target` (T,)."""
    from scipy.optimize import nnls

    # Non-negative least squares with the sum as one more, heavy, observation.
    rows = np.vstack([others.T, np.full(len(others), _SUM)])
    shares, _ = nnls(rows, np.append(target, _SUM))
    return np.asarray(shares / shares.sum())


def _left(series: Array, path: Array, before: int) -> tuple[float, float]:
    """Sum by which a series leaves its path after the treatment, and its usual distance from it before."""
    gap = series - path
    return float(gap[before:].sum()), max(float(np.sqrt((gap[:before] ** 2).mean())), 1e-9)
