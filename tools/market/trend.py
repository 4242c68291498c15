"""Growth and concentration of sales: kernels over arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.demand.panel import Array
from tools.demand.series import seasonal_component

YEAR = 52  # weeks in a season
_TREND_WEEKS = 26


@dataclass(frozen=True)
class Trend:
    """A trend line: change per week as a share, and its 80 % bounds."""

    value: float
    low: float
    high: float


def trend_line(series: Array, outside: Array | None = None, weeks: int = _TREND_WEEKS) -> Trend | None:
    """Weekly growth of a positive series by least squares on its log, over its last weeks.

    Args:
        series: Weekly values (T,), season taken out.
        outside: Series (T, K) whose movements are to be taken out, such as an index of the market; None for none.
        weeks: Weeks looked back.

    Returns:
        None with fewer than eight weeks above zero. Bounds from the t distribution, with the residual's lag-one
        autocorrelation in the effective number of weeks.
    """
    from scipy.stats import t as student

    y = series[-weeks:]
    good = np.flatnonzero(y > 0)
    if len(good) < 8:
        return None
    x = np.column_stack([np.ones(len(good)), good.astype(float)])
    if outside is not None:
        x = np.column_stack([x, outside[-weeks:][good]])
    beta, *_ = np.linalg.lstsq(x, np.log(y[good]), rcond=None)
    left = np.log(y[good]) - x @ beta
    rho = float(np.clip(np.corrcoef(left[:-1], left[1:])[0, 1], 0.0, 0.9)) if left.std() > 1e-12 else 0.0
    spare = max(len(good) * (1 - rho) / (1 + rho) - x.shape[1], 2.0)
    variance = left @ left / spare
    sd = float(np.sqrt(variance * np.linalg.pinv(x.T @ x)[1, 1]))
    reach = float(student.ppf(0.9, spare)) * sd
    return Trend(*(float(np.expm1(v)) for v in (beta[1], beta[1] - reach, beta[1] + reach)))


def without_season(total: Array) -> Array:
    """Weekly values (T,) over their seasonal index; as they are where less than a year and four weeks are known."""
    if len(total) < YEAR + 4:
        return total
    index = seasonal_component(np.log(np.maximum(total, 1.0)), YEAR)
    return np.asarray(total / np.exp(np.resize(index, len(total))))


def herfindahl(values: Array) -> float:
    """Sum of squared shares: 1 for one product, 1/n for n equal ones; 0 where nothing was sold."""
    total = values.sum()
    return float(((values / total) ** 2).sum()) if total > 0 else 0.0
