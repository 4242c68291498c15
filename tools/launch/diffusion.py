"""Diffusion curves of a launch, Bass and trapezoid: fitted to sales by posterior mode, with priors from analogues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tools.demand.panel import Array

Curve = Callable[[Array, int], Array]
_NOISE = 0.45  # sd of the log of a week's units around a fitted curve
_WIDE = 2.0  # sd of the log of a parameter that nothing is known of


@dataclass(frozen=True)
class Prior:
    """Normal prior on the logs of a curve's parameters: mean (K,) and standard deviation (K,)."""

    mean: Array
    sd: Array


def bass(p: Array, periods: int) -> Array:
    """Units by period (T,) of Bass (1969): m (F(t) - F(t-1)), F(t) = (1 - e^-(p+q)t) / (1 + q/p e^-(p+q)t).

    Args:
        p: Logs of m (units in all), p (innovation) and q (imitation).
        periods: T.
    """
    total, innovation, imitation = np.exp(p)
    gone = np.exp(-(innovation + imitation) * np.arange(periods + 1))
    return np.asarray(total * np.diff((1 - gone) / (1 + imitation / innovation * gone)))


def trapezoid(p: Array, periods: int) -> Array:
    """Units by period (T,) of a rise, a plateau and a decline, each a straight line (Hu et al. 2019).

    Args:
        p: Logs of the height and of the periods that the rise, the plateau and the decline take.
        periods: T.
    """
    height, up, flat, down = np.exp(p)
    t = np.arange(periods) + 0.5
    return np.asarray(height * np.clip(np.minimum(t / up, (up + flat + down - t) / down), 1e-4, 1.0))


USUAL: dict[Curve, Prior] = {  # before any launch is seen: parameters of a plain twelve-week launch
    bass: Prior(np.log([100.0, 0.08, 0.1]), np.array([_WIDE, 0.8, 0.8])),
    trapezoid: Prior(np.log([10.0, 1.0, 6.0, 20.0]), np.array([_WIDE, 0.8, 0.8, 0.8])),
}


def fit(curve: Curve, units: Array, prior: Prior, season: Array | None = None, noise: float = _NOISE) -> Array:
    """Logs of the parameters (K,) with the highest posterior density.

    Errors are those of log(1 + units); periods that are NaN are not used. With a prior so wide that it says nothing
    and errors in plain units this is the non-linear least squares of Srinivasan & Mason (1986).

    Args:
        curve: `bass` or `trapezoid`.
        units: Units by period (T,).
        prior: Of the parameters.
        season: Factor by period (T,).
        noise: Standard deviation of the errors.
    """
    from scipy.optimize import least_squares

    known = np.isfinite(units)
    factor = np.ones(len(units)) if season is None else season
    target = np.log1p(units[known])

    def cost(p: Array) -> Array:

        made = np.log1p(np.maximum(curve(p, len(units)) * factor, 0.0))[known]
        return np.concatenate([(made - target) / noise, (p - prior.mean) / prior.sd])

    bounds = (prior.mean - 6 * prior.sd, prior.mean + 6 * prior.sd)
    return np.asarray(least_squares(cost, prior.mean, bounds=bounds, max_nfev=60).x)


def fit_classic(units: Array) -> Array:
    """Logs of m, p and q of Bass by non-linear least squares in plain units (Srinivasan & Mason 1986).

    Args:
        units: Units by period (T,), such as yearly sales of a durable from its first year on.
    """
    from scipy.optimize import least_squares

    start = np.log([2 * units.sum(), 0.02, 0.4])
    scale = units.mean()
    found = least_squares(lambda p: (bass(p, len(units)) - units) / scale, start, bounds=(start - 5, start + 5))
    return np.asarray(found.x)


def shared_prior(curve: Curve, fits: Array, weights: Array, total: float, periods: int) -> Prior:
    """The prior that analogues give a new launch: their shapes, at the level that was forecast.

    Args:
        curve: `bass` or `trapezoid`.
        fits: Logs of the parameters of earlier launches (L, K).
        weights: How much each counts (L,).
        total: Units forecast over `periods`.
        periods: Periods forecast.

    Returns:
        Means of the shape parameters and their spread between launches; the first parameter, the size, is set so
        that the curve sells `total`, with the spread of a forecast.
    """
    share = weights / weights.sum()
    mean = share @ fits
    sd = np.sqrt(share @ (fits - mean) ** 2 + 0.1**2)
    mean[0] += np.log(max(total, 1e-6) / max(float(curve(mean, periods).sum()), 1e-9))
    sd[0] = 0.8
    return Prior(mean, sd)
