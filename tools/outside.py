"""Does an outside series tell anything about a category's demand beyond its trend, its season and its last week?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import select

from shop import Shop
from shop import schema as t
from tools.demand.panel import Array

LAGS = (1, 2, 4, 8)  # weeks; a value of the same week is not known when it would be needed
LEAST = 60  # weeks of demand below which trend, season and a series cannot be told apart
_YEAR = 365.25 / 7
_TEST = 0.4  # of the weeks are forecast from those before them
_REFIT = 4
_DRAWS = 400


@dataclass(frozen=True)
class Influence:
    """What a series says about demand.

    Attributes:
        name: Of the series.
        lag: Weeks until it shows.
        effect: Change of weekly units as a share, and its 80 % bounds, where the series is one standard deviation up.
        gain: Share of the absolute error of next week's forecast that it saves, and its 80 % bounds.
    """

    name: str
    lag: int
    effect: tuple[float, float, float]
    gain: tuple[float, float, float]

    @property
    def helps(self) -> bool:
        """Whether forecasts were surely better with it."""
        return self.gain[1] > 0


def read_outside(shop: Shop, starts: pd.DatetimeIndex) -> dict[str, Array]:
    """Outside series by name as weekly means (T,), the last known value carried into weeks without one."""
    o = t.outside_series
    query = select(o.c.name, o.c.day, o.c.value).where(o.c.day <= shop.cutoff).order_by(o.c.name, o.c.day)
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).fetchall(), columns=["name", "day", "value"])
    found = {}
    for name, part in frame.groupby("name"):
        week = starts.searchsorted(pd.to_datetime(part["day"]), side="right") - 1
        means = part["value"].groupby(np.maximum(week, 0)).mean()
        found[str(name)] = means.reindex(range(len(starts))).ffill().to_numpy(dtype=float)
    return found


def influence(name: str, units: Array, outside: Array) -> Influence | None:
    """Regress log units on trend, season, the week before and a lagged series; judge it on weeks not learned from.

    The lag is chosen on the weeks before the test; there, every week is forecast from earlier weeks with the series
    and without it (Granger 1969, out of sample as in Ashley, Granger & Schmalensee 1980). Bounds of the effect are
    robust to autocorrelation (Newey & West 1987), those of the gain a bootstrap over blocks of four weeks.

    Args:
        name: Of the series.
        units: Weekly units of the category (T,).
        outside: Weekly values (T,), NaN before the first.

    Returns:
        None where there are too few weeks of both, or the series never moves.
    """
    import statsmodels.api as sm  # type: ignore[import-untyped]

    first = int(np.isfinite(outside).argmax()) if np.isfinite(outside).any() else len(units)
    y, x = np.log(np.maximum(units[first:], 0.5)), outside[first:]
    if len(y) < LEAST or np.std(x) < 1e-12:
        return None
    x = (x - x.mean()) / x.std()
    start = len(y) - int(_TEST * len(y))
    base = _terms(y)
    lag = min(LAGS, key=lambda lag: _left(np.column_stack([base, _later(x, lag)])[:start], y[:start]))
    full = np.column_stack([base, _later(x, lag)])
    without, beside = _errors(base, y, start), _errors(full, y, start)
    known = slice(max(LAGS), None)
    fitted = sm.OLS(y[known], full[known]).fit(cov_type="HAC", cov_kwds={"maxlags": 4})
    low, high = fitted.conf_int(alpha=0.2)[-1]
    effect = tuple(float(np.expm1(v)) for v in (fitted.params[-1], low, high))
    return Influence(name, lag, (effect[0], effect[1], effect[2]), _gain(without, beside))


def _terms(y: Array) -> Array:
    week = np.arange(len(y), dtype=float)
    angle = 2 * np.pi * week / _YEAR
    waves = [f(k * angle) for k in (1, 2) for f in (np.sin, np.cos)]
    return np.column_stack([np.ones(len(y)), week / _YEAR, *waves, _later(y, 1)])


def _later(x: Array, lag: int) -> Array:
    return np.concatenate([np.full(lag, x[0]), x[:-lag]])


def _left(x: Array, y: Array) -> float:
    known = slice(max(LAGS), None)
    beta, *_ = np.linalg.lstsq(x[known], y[known], rcond=None)
    return float(((y[known] - x[known] @ beta) ** 2).sum())


def _errors(x: Array, y: Array, start: int) -> Array:
    """Absolute errors of every week from `start` on, from what was fitted on the weeks before it."""
    errors = []
    for origin in range(start, len(y), _REFIT):
        known, ahead = slice(max(LAGS), origin), slice(origin, min(origin + _REFIT, len(y)))
        beta, *_ = np.linalg.lstsq(x[known], y[known], rcond=None)
        errors.append(np.abs(y[ahead] - x[ahead] @ beta))
    return np.concatenate(errors)


def _gain(without: Array, beside: Array, seed: int = 0) -> tuple[float, float, float]:
    blocks = np.array_split(np.arange(len(without)), max(len(without) // _REFIT, 1))
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(_DRAWS):
        chosen = np.concatenate([blocks[i] for i in rng.integers(0, len(blocks), len(blocks))])
        draws.append(1 - beside[chosen].sum() / without[chosen].sum())
    low, high = np.quantile(draws, (0.1, 0.9))
    return float(1 - beside.sum() / without.sum()), float(low), float(high)
