"""Measures of forecast accuracy, each with a bootstrap over products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtri
from scipy.stats import spearmanr

from benchmarks.result import Result, bootstrap

Array = NDArray[np.float64]
QUANTILES = (0.1, 0.5, 0.9)
DRAWS = 200


@dataclass(frozen=True)
class Forecasts:
    """One method's forecasts of a set of series.

    Attributes:
        point: Units by period (R, H).
        weekly: P10 and P90 by period (R, H, 2); None where the method gives none.
        total: P10, point and P90 of the sum (R, 3); None where the method gives none.
    """

    point: Array
    weekly: Array | None = None
    total: Array | None = None


def launch_results(method: str, f: Forecasts, actual: Array, price: Array, cost: Array, subset: str) -> list[Result]:
    """Every measure of launch forecasts over one subset.

    Args:
        method: Name for the report.
        f: Forecasts of R launches.
        actual: Units (R, H), NaN in periods that are absent and therefore not scored.
        price: Selling price per launch (R,), one where unknown.
        cost: Unit cost (R,).
        subset: Which launches these are.
    """
    known, came = np.isfinite(actual), np.nan_to_num(actual)
    point = np.where(known, f.point, 0.0)
    summed = point.sum(axis=1) if f.total is None else f.total[:, 1] * _seen_part(f.point, known)
    total = came.sum(axis=1)
    extra = {"subset": subset}
    rows = [
        ratio(method, f"wape_{h}w", np.abs(point - came)[:, :h].sum(axis=1), came[:, :h].sum(axis=1), extra)
        for h in (4, 8, 12)
        if h <= actual.shape[1]
    ]
    rows.append(ratio(method, "wape_total_12w", np.abs(summed - total), total, extra))
    rows.append(ratio(method, "bias_12w", summed - total, total, extra))
    rows.append(ratio(method, "noise_floor_12w", (poisson_floor(point) * known).sum(axis=1), point.sum(axis=1), extra))
    rows.append(_spearman(method, summed, total, extra))
    if f.weekly is not None:
        rows += _interval_rows(method, f.weekly, point, came, known, extra)
    if f.total is not None:
        part = _seen_part(f.point, known)[:, None]
        bounds = f.total * part
        inside = ((total >= bounds[:, 0]) & (total <= bounds[:, 2])).astype(float)
        rows.append(ratio(method, "coverage_80_total", inside, np.ones(len(inside)), extra))
        rows.append(ratio(method, "width_80_total", bounds[:, 2] - bounds[:, 0], total, extra))
        rows.append(ratio(method, "regret", regret(bounds, total, price, cost), np.ones(len(total)), extra))
    return rows


def poisson_floor(mean: Array) -> Array:
    """Mean absolute error that pure Poisson chance leaves even if `mean` is exactly right.

    Closed form of the mean deviation: 2 exp(-m) m^(floor(m) + 1) / floor(m)! (Johnson, Kemp & Kotz 2005, 4.3).
    """
    whole = np.floor(mean)
    with np.errstate(divide="ignore"):
        log = np.log(2) - mean + (whole + 1) * np.log(mean) - gammaln(whole + 1)
    return np.where(mean > 0, np.exp(log), 0.0)


def pinball(forecast: Array, actual: Array, q: float) -> Array:
    """Quantile loss, elementwise."""
    return np.maximum(q * (actual - forecast), (q - 1) * (actual - forecast))


def regret(bounds: Array, actual: Array, price: Array, cost: Array, salvage: float = 0.5) -> Array:
    """Money lost against knowing demand when the first buy is the newsvendor's quantile of the forecast (R,).

    A unit short loses price less cost; a unit left loses cost less what it still brings (`salvage` of the cost). The
    quantile lies on the log-normal through P10, the point and P90 (R, 3).
    """
    short, over = price - cost, cost * (1 - salvage)
    z = ndtri(np.clip(short / np.maximum(short + over, 1e-9), 0.02, 0.98))
    low, middle, high = np.log1p(np.maximum(bounds, 0)).T
    spread = np.where(z > 0, high - middle, middle - low) / 1.2816
    order = np.expm1(middle + z * spread)
    return np.asarray(short * np.maximum(actual - order, 0) + over * np.maximum(order - actual, 0))


def _interval_rows(
    method: str, weekly: Array, point: Array, came: Array, known: NDArray[np.bool_], extra: dict[str, str]
) -> list[Result]:
    low, high = weekly[..., 0], weekly[..., 1]
    inside = ((came >= low) & (came <= high) & known).sum(axis=1).astype(float)
    cells = known.sum(axis=1).astype(float)
    loss = sum(pinball(x, came, q) for x, q in zip((low, point, high), QUANTILES, strict=True)) / len(QUANTILES)
    return [
        ratio(method, "coverage_80", inside, cells, extra),
        ratio(method, "width_80", ((high - low) * known).sum(axis=1), came.sum(axis=1), extra),
        ratio(method, "pinball", (loss * known).sum(axis=1), came.sum(axis=1), extra),
    ]


def ratio(method: str, metric: str, top: Array, bottom: Array, extra: dict[str, str]) -> Result:
    """Sum over sum, with the products drawn again for the interval."""
    if not len(top) or bottom.sum() == 0:
        return Result(method, metric, None, n=len(top), extra=dict(extra))
    pairs = np.column_stack([top, bottom])
    low, high = bootstrap(pairs, _sum_over_sum, draws=DRAWS)
    return Result(method, metric, _sum_over_sum(pairs), low, high, len(top), dict(extra))


def _sum_over_sum(pairs: Array) -> float:
    return float(pairs[:, 0].sum() / max(pairs[:, 1].sum(), 1e-12))


def _rank_correlation(pairs: Array) -> float:
    return float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic)


def _spearman(method: str, made: Array, came: Array, extra: dict[str, str]) -> Result:
    if len(made) < 3 or np.ptp(made) == 0:
        return Result(method, "spearman", None, n=len(made), extra=dict(extra))
    pairs = np.column_stack([made, came])
    low, high = bootstrap(pairs, _rank_correlation, draws=DRAWS)
    return Result(method, "spearman", _rank_correlation(pairs), low, high, len(made), dict(extra))


def _seen_part(point: Array, known: NDArray[np.bool_]) -> Array:
    """Share of a forecast that falls into scored periods (R,)."""
    whole = point.sum(axis=1)
    return np.divide((point * known).sum(axis=1), whole, out=np.ones(len(whole)), where=whole > 0)


def history_results(
    method: str, made: Array, quantiles: Array | None, actual: Array, scale: Array, groups: Array
) -> list[Result]:
    """Measures of forecasts of series with history, over series and origins.

    Args:
        method: Name for the report.
        made: Point forecasts (R, H).
        quantiles: P10, P50, P90 (R, H, 3), or None.
        actual: Units (R, H), NaN where absent.
        scale: MASE denominators (R,).
        groups: Series of each row (R,), drawn together in the bootstrap.
    """
    known, came = np.isfinite(actual), np.nan_to_num(actual)
    error = np.abs(made - came) * known
    mase = error.sum(axis=1) / known.sum(axis=1) / scale
    summed, total = (made * known).sum(axis=1), came.sum(axis=1)
    rows = [
        _grouped(method, "mase", mase, np.ones(len(mase)), groups),
        _grouped(method, "wape", error.sum(axis=1), total, groups),
        _grouped(method, "wape_total", np.abs(summed - total), total, groups),
        _grouped(method, "bias", summed - total, total, groups),
    ]
    if quantiles is not None:
        low, high = quantiles[..., 0], quantiles[..., 2]
        inside = ((came >= low) & (came <= high) & known).sum(axis=1).astype(float)
        loss = sum(pinball(quantiles[..., i], came, q) for i, q in enumerate(QUANTILES)) / len(QUANTILES)
        rows += [
            _grouped(method, "coverage_80", inside, known.sum(axis=1).astype(float), groups),
            _grouped(method, "width_80", ((high - low) * known).sum(axis=1), total, groups),
            _grouped(method, "pinball", (loss * known).sum(axis=1), total, groups),
        ]
    return rows


def _grouped(method: str, metric: str, top: Array, bottom: Array, groups: Array) -> Result:
    pairs = np.column_stack([top, bottom])
    low, high = bootstrap(pairs, _sum_over_sum, groups=groups, draws=DRAWS)
    return Result(method, metric, _sum_over_sum(pairs), low, high, len(top))
