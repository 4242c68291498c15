"""A chance read off three quantiles."""

from __future__ import annotations

from math import copysign, inf, log1p
from statistics import NormalDist

_NORMAL = NormalDist()
_P90 = _NORMAL.inv_cdf(0.9)


def chance_below(target: float, low: float, middle: float, high: float) -> float:
    """Chance of fewer units than `target`, from P10, P50 and P90.

    The log of one more than the units is taken to be normal on either side of the middle, each side with the width
    that its own quantile gives (a two-piece normal, Wallis 2014, "The two-piece normal, binormal, or double Gaussian
    distribution"), so that the three quantiles are met exactly.
    """
    apart = log1p(max(target, 0.0)) - log1p(middle)
    width = abs(log1p(high if apart > 0 else low) - log1p(middle)) / _P90
    return _NORMAL.cdf(apart / width if width else copysign(inf, apart) if apart else 0.0)
