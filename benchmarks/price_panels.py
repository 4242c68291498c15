"""Elasticities of price panels: learned on the earlier part, held to the truth or to the later part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import xlogy

from benchmarks.price_layout import PricePanel, as_observations
from benchmarks.result import Result, bootstrap
from tools.elasticity.estimate import STEEPEST
from tools.elasticity.fit import fit_elasticities
from tools.elasticity.observations import Observations
from tools.elasticity.poisson import fit_poisson, group_slopes
from tools.elasticity.within import Slope, naive_slope, within_slope
from tools.pricing.robust import robust_price

Array = NDArray[np.float64]
METHODS = ("debut", "naive_ols", "fixed_effects")
Z80, Z95 = 1.2816, 1.96
_LEAST = 8  # blocks of eight periods below which a product's later slope says nothing
_KNOWN = 1.0
_STEP = 0.1
_DRAWS = 400


@dataclass(frozen=True)
class Estimates:
    """Slopes and standard errors by product (P,), and of all products together."""

    value: Array
    sd: Array
    pooled: tuple[float, float]


def panel_results(panel: PricePanel) -> list[Result]:
    """Every method's elasticities, bias, signs, coverage and out-of-sample error; profit where the truth is known."""
    train, test = panel.part(False), panel.part(True)
    data, names = as_observations(train)
    found = {"debut": debut(data), "naive_ols": per_product(data, False), "fixed_effects": per_product(data, True)}
    reference, noise = _reference(panel, names, test)
    kind = "test period" if panel.truth is None else "true"
    rows = []
    for method in METHODS:
        made, extra = found[method], {"set": panel.name, "reference": kind}
        rows.append(_with_interval(method, made.pooled, len(names), extra))
        rows += _judged(method, made, reference, noise, panel.truth is not None, extra)
        rows.append(_error(method, made, names, test, extra))
    rows += [
        _with_interval("debut", (v, s), 1, {"set": panel.name, "product": name})
        for name, v, s in zip(names, found["debut"].value, found["debut"].sd, strict=True)
    ]
    if panel.truth is not None and "cost" in train:
        rows += _profits(panel, train, names, found)
    return rows


def debut(data: Observations) -> Estimates:
    """Debut's: one Poisson regression with common controls, slopes pooled down to the products."""
    fitted = fit_elasticities(data)
    pooled = fitted.groups[""]
    return Estimates(
        np.array([each.value for each in fitted.products]),
        np.array([each.sd for each in fitted.products]),
        (pooled.value, pooled.sd),
    )


def per_product(data: Observations, effects: bool) -> Estimates:
    """Log-log least squares by product: with series and period effects, or with nothing."""
    blocks = data.series * (int(data.period.max()) // 8 + 1) + data.period // 8
    whole = _one(data, np.ones(len(data.units), dtype=bool), effects, data.series)
    if whole is None:
        whole = Slope(0.0, 10.0, 0, 0)
    value, sd = np.full(len(data.chains), whole.value), np.full(len(data.chains), whole.sd)
    for number in range(len(data.chains)):
        own = _one(data, data.product == number, effects, blocks)
        if own is not None:
            value[number], sd[number] = own.value, own.sd
    return Estimates(value, sd, (whole.value, whole.sd))


def _one(data: Observations, chosen: NDArray[np.bool_], effects: bool, clusters: NDArray[np.int64]) -> Slope | None:
    units, price, group = data.units[chosen], data.price[chosen], clusters[chosen]
    if not effects:
        return naive_slope(units, price, group)
    period = _period(data)
    alone = len(np.unique(data.series[chosen])) == 1
    # One series alone has nothing to tell a period's shock from its own.
    when = np.zeros(int(chosen.sum()), dtype=np.int64) if alone else period[chosen]
    return within_slope(units, price, data.series[chosen], when, group)


def _reference(panel: PricePanel, names: list[str], test: pd.DataFrame) -> tuple[Array, Array]:
    """What each product's elasticity is held to, and how uncertain that is; NaN where nothing is known.

    Without a truth it is the product's own slope in the later part, by Poisson regression with series and period
    effects and the controls, not pooled; only where that is known to within one.
    """
    if panel.truth is not None:
        return np.array([panel.truth.get(name, np.nan) for name in names]), np.zeros(len(names))
    value, sd = np.full(len(names), np.nan), np.full(len(names), np.nan)
    later = test[test["product"].isin(names)].reset_index(drop=True)
    if later.empty or later["units"].sum() <= 0:
        return value, sd
    data, kept = as_observations(later)
    columns = np.column_stack([np.log(data.price), data.controls])
    fit = fit_poisson(data.units, columns, (data.series, _period(data)))
    blocks = np.unique(data.series * (int(data.period.max()) + 1) + data.period // 8, return_inverse=True)[1]
    base = np.full(len(data.units), fit.slopes[0])
    found = group_slopes(fit.moved[:, 0], fit.left, fit.mean, base, data.product, blocks, len(kept))
    for number, name in enumerate(kept):
        # Beyond any elasticity ever published it is an accident of a price that moved once.
        known = found[1][number] <= _KNOWN and abs(found[0][number]) <= -STEEPEST
        if found[2][number] >= _LEAST and known:
            value[names.index(name)], sd[names.index(name)] = found[0][number], found[1][number]
    return value, sd


def _period(data: Observations) -> NDArray[np.int64]:
    """A running number of every market and period."""
    both = data.market * (int(data.period.max()) + 1) + data.period
    return np.asarray(np.unique(both, return_inverse=True)[1], dtype=np.int64)


def _judged(
    method: str, made: Estimates, reference: Array, noise: Array, true: bool, extra: dict[str, str]
) -> list[Result]:
    known = np.isfinite(reference)
    judged = known if true else np.ones(len(known), dtype=bool)
    wanted = np.sign(reference[judged]) if true else -np.ones(int(judged.sum()))
    signs = (np.sign(made.value[judged]) == wanted).astype(float)
    found = []
    if len(signs):
        found.append(Result(method, "sign_accuracy", float(signs.mean()), *bootstrap(signs, draws=200), len(signs)))
    if known.any():
        # Products whose later slope is noise count less.
        weight = 1 / (noise[known] ** 2 + 0.3**2)
        off = made.value[known] - reference[known]
        pairs = np.column_stack([weight * off, weight])
        inside = (np.abs(off) <= Z80 * np.hypot(made.sd[known], noise[known])).astype(float)
        error, count = float(np.sqrt((pairs[:, 0] * off).sum() / weight.sum())), int(known.sum())
        bias = float(pairs[:, 0].sum() / pairs[:, 1].sum())
        found.append(Result(method, "elasticity_bias", bias, *_ratio(pairs), n=count))
        found.append(Result(method, "elasticity_error", error, n=count))
        found.append(Result(method, "coverage", float(inside.mean()), *bootstrap(inside, draws=200), n=count))
    else:
        found += [Result(method, metric, None) for metric in ("elasticity_bias", "coverage")]
    return [replace(row, extra=dict(extra)) for row in found]


def _ratio(pairs: Array) -> tuple[float, float]:
    return bootstrap(pairs, lambda sample: float(sample[:, 0].sum() / sample[:, 1].sum()), draws=200)


def _error(method: str, made: Estimates, names: list[str], test: pd.DataFrame, extra: dict[str, str]) -> Result:
    """Poisson deviance of the later units with series and period means known, over that of no elasticity at all."""
    place = {name: number for number, name in enumerate(names)}
    rows = test[test["product"].isin(place)].reset_index(drop=True)
    if len(rows) < _LEAST or rows["units"].sum() <= 0:
        return Result(method, "out_of_sample_error", None, extra=dict(extra))
    data, kept = as_observations(rows)
    slope = made.value[[place[name] for name in kept]][data.product]
    none, effects = np.empty((len(rows), 0)), (data.series, _period(data))
    fits = [fit_poisson(data.units, none, effects, offset).mean for offset in (slope * np.log(data.price), 0.0 * slope)]
    pairs = np.column_stack([2 * (xlogy(data.units, data.units / mean) - data.units + mean) for mean in fits])
    groups = data.series if len(np.unique(data.series)) >= 2 * _LEAST else data.period // 8
    value = float(pairs[:, 0].sum() / pairs[:, 1].sum())
    low, high = bootstrap(pairs, lambda s: float(s[:, 0].sum() / s[:, 1].sum()), groups=groups, draws=100)
    return Result(method, "out_of_sample_error", value, low, high, len(rows), dict(extra))


def _with_interval(method: str, made: tuple[float, float], count: int, extra: dict[str, str]) -> Result:
    value, sd = made
    return Result(method, "elasticity", value, value - Z95 * sd, value + Z95 * sd, count, dict(extra))


def _profits(panel: PricePanel, train: pd.DataFrame, names: list[str], found: dict[str, Estimates]) -> list[Result]:
    """Profit under the true elasticities at each estimate's prices, at most ten per cent from the last ones."""
    assert panel.truth is not None
    last = train.sort_values("date").groupby("product").last().loc[names]
    price, cost = last["price"].to_numpy(dtype=float), last["cost"].to_numpy(dtype=float)
    units = train.groupby("product")["units"].mean().loc[names].to_numpy(dtype=float)
    truth = np.array([panel.truth.get(name, np.nan) for name in names])
    margin = float(np.nanmedian(1 - cost / price))
    rng = np.random.default_rng(0)
    plans = {"keep_price": price, "cost_plus": np.clip(cost / (1 - margin), price * (1 - _STEP), price * (1 + _STEP))}
    plans["oracle"] = _best(price, cost, truth[:, None])
    for method, made in found.items():
        spread = made.sd[:, None] if method == "debut" else 0.0
        plans[method] = _best(price, cost, np.minimum(made.value[:, None] + spread * rng.normal(size=(1, _DRAWS)), 0))
    known = np.isfinite(truth) & (cost > 0) & (cost < price)
    earned = {m: ((p - cost) * units * (p / price) ** truth)[known] for m, p in plans.items()}
    return gain_rows(earned, {"set": panel.name})


def _best(price: Array, cost: Array, slopes: Array) -> Array:
    none = np.zeros(0)
    return np.array(
        [
            robust_price(c, s[np.isfinite(s)], p, (p * (1 - _STEP), p * (1 + _STEP)), none).price
            if np.isfinite(s).any()
            else p
            for p, c, s in zip(price, cost, slopes, strict=True)
        ]
    )


def gain_rows(earned: dict[str, Array], extra: dict[str, str]) -> list[Result]:
    """Gain over keeping the price, the oracle's share and regret, per method; profits are by product or seed (n,)."""
    kept, best = earned["keep_price"], earned["oracle"]
    rows = []
    for method, profit in earned.items():
        triple = np.column_stack([profit, kept, best])
        for metric, measure in MEASURES.items():
            value = measure(triple)
            low, high = bootstrap(triple, measure, draws=400)
            rows.append(Result(method, metric, value, low, high, len(triple), dict(extra)))
    return rows


MEASURES = {
    "profit_gain": lambda t: float(t[:, 0].sum() / t[:, 1].sum() - 1),
    "regret": lambda t: float((t[:, 2] - t[:, 0]).sum() / t[:, 1].sum()),
    "oracle_share": lambda t: float((t[:, 0] - t[:, 1]).sum() / max((t[:, 2] - t[:, 1]).sum(), 1e-12)),
}
