"""Past surprises: what a series sold beyond the model in the weeks before, for what the shop saw when it priced."""

from __future__ import annotations

import numpy as np

from tools.elasticity.observations import Observations
from tools.elasticity.poisson import Fit, fit_poisson
from tools.elasticity.within import Array, Codes

_LAGS = 6
_LONG = 30  # periods a series needs before its own past can stand in for what the shop saw


def first_surprises(data: Observations, log_price: Array, effects: tuple[Codes, Codes]) -> Array:
    """Past surprises at a slope that is not yet misled by prices that follow them.

    Past units and past prices together span the surprise for every slope, so with both as controls the slope comes out
    right whatever it is; the surprises are then what that slope leaves.
    """
    idle = fit_poisson(data.units, data.controls, effects, data.open)
    back = surprises(data, idle.mean)
    if not back.shape[1]:
        return back
    middle = log_price - (np.bincount(data.series, log_price) / np.bincount(data.series))[data.series]
    columns = [log_price, data.controls, back, _back(middle, data)]
    slope = fit_poisson(data.units, np.column_stack(columns), effects, data.open).slopes[0]
    return surprises(data, fit_poisson(data.units, data.controls, effects, data.open + slope * log_price).mean)


def without_past(data: Observations, fit: Fit, past: Array) -> Array:
    """Fitted units (n,) as if no surprise had come before."""
    start = 1 + data.controls.shape[1]
    return fit.mean * np.exp(-past @ fit.slopes[start : start + past.shape[1]])


def surprises(data: Observations, mean: Array) -> Array:
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
