"""Price decisions in the demo market, whose true elasticities are known: what was promised and what came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.price_panels import gain_rows, per_product
from benchmarks.result import Result, bootstrap
from shop.demo import people as folk
from shop.demo.catalogue import FULL, Item, Scale, make_items
from shop.demo.market import Market, simulate
from shop.demo.words import Words, load
from tools.elasticity.fit import Fitted, fit_elasticities
from tools.elasticity.observations import Observations
from tools.elasticity.offers import MOST_EMPTY
from tools.elasticity.orthogonal import second_opinion
from tools.elasticity.read import observations
from tools.elasticity.within import within_slope
from tools.pricing.advice import STEP
from tools.pricing.kernels import price_floor, usual_endings
from tools.pricing.robust import expected_profit, robust_price

Array = NDArray[np.float64]
STEPS = (STEP, 0.3)  # the tool's own limit on a step, and one that hardly binds
PLUGGED = ("naive_ols", "fixed_effects", "double_ml")  # rivals, whose one best guess is taken for the truth
_RECENT = 91
_MIN_MARGIN = 0.15
_DRAWS = 400
_AFTER = 2


@dataclass(frozen=True)
class Case:
    """A product whose price is to be set: present price, cost, true elasticity, weekly units at the present price."""

    price: float
    cost: float
    truth: float
    units: float


def market_results(seeds: int, scale: Scale = FULL) -> list[Result]:
    """Every method's profit, regret and elasticities over markets drawn from `seeds` seeds.

    Profits are expected ones under the true demand, the same for every method, so that nothing but the price differs.
    """
    words = load()
    earned: dict[float, list[dict[str, float]]] = {step: [] for step in STEPS}
    promised: dict[float, list[tuple[float, float]]] = {step: [] for step in STEPS}
    errors: dict[str, list[tuple[float, float, float]]] = {m: [] for m in ("debut", *PLUGGED)}
    for seed in range(seeds):
        items, market = draw_market(words, scale, seed)
        frame = weekly_frame(words, items, market)
        data, skus, _ = observations(frame)
        fitted = fit_elasticities(data)
        plugged = {
            "naive_ols": per_product(data, False).value,
            "fixed_effects": _by_department(data),
            "double_ml": _double_ml(data, fitted),
        }
        number = {sku: place for place, sku in enumerate(skus)}
        cases = {sku: case for sku, case in on_sale(items, market).items() if sku in number}
        for sku, case in cases.items():
            at = number[sku]
            own = fitted.products[at]
            inside = float(own.low <= case.truth <= own.high)
            for method, value in (("debut", own.value), *((name, found[at]) for name, found in plugged.items())):
                errors[method].append((seed, value - case.truth, inside if method == "debut" else np.nan))
        for step in STEPS:
            profits, promise = _profits(items, cases, number, fitted, plugged, step)
            earned[step].append(profits)
            promised[step].append(promise)
    rows = [row for method, found in errors.items() for row in _elasticity_rows(method, np.array(found))]
    for step in STEPS:
        extra = {"set": "demo market", "step": f"{step:.0%}"}
        frame = pd.DataFrame(earned[step])
        rows += gain_rows({str(m): frame[m].to_numpy(dtype=float) for m in frame}, extra)
        rows += _promise_rows(np.array(promised[step]), extra)
    return rows


def draw_market(words: Words, scale: Scale, seed: int) -> tuple[list[Item], Market]:
    """The demo shop's products and market for a seed, without its orders, reviews and visits."""
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(5)]
    items = make_items(words, scale, streams[0])
    people = folk.make_people(words, scale, streams[1])
    coupons = folk.plan_coupons(people, len(words.departments), scale.days, streams[2])
    grid = folk.coupon_grid(coupons, scale.days, len(words.departments))
    return items, simulate(words, items, scale, grid, streams[3])


def weekly_frame(words: Words, items: list[Item], market: Market) -> pd.DataFrame:
    """What `tools.elasticity.offers.weekly_offers` reads from a shop, straight from the simulation's grids."""
    days, count = market.sold.shape

    def weeks(grid: NDArray[np.generic]) -> Array:
        return grid.reshape(days // 7, 7, count).astype(float)

    share = (weeks(market.offers.promotion) >= 0).mean(axis=1)
    after = np.zeros_like(share)
    for lag in range(1, _AFTER + 1):
        after[lag:] = np.maximum(after[lag:], share[:-lag] > 0)
    open_all = (weeks(market.on_hand) >= 0).all(axis=1)
    empty = ((weeks(market.on_hand) == 0) & (weeks(market.sold) == 0)).sum(axis=1)
    week, column = np.nonzero(open_all & (empty <= MOST_EMPTY))
    at = (week, column)
    names = np.array([item.sku for item in items])
    paths = np.array([words.category(item.sub) for item in items])
    asked = (weeks(market.offers.list_price) * (1 - weeks(market.offers.depth))).mean(axis=1) / 100
    return pd.DataFrame(
        {
            "sku": names[column],
            "week": week,
            "units": weeks(market.sold).sum(axis=1)[at],
            "price": asked[at],
            "promotion": share[at],
            "after_promotion": np.where(share[at] > 0, 0.0, after[at]),
            "rivals": 0.0,
            "exposure": 1 - empty[at] / 7,
            "category": paths[column],
        }
    )


def on_sale(items: list[Item], market: Market) -> dict[str, Case]:
    """Products on sale at the end, with what a week would bring at the list price and without promotions."""
    found = {}
    for column, item in enumerate(items):
        expected = market.expected[-_RECENT:, column]
        if expected[-1] <= 0 or not (expected > 0).all():
            continue
        offers = market.offers
        now = offers.list_price[-1, column]
        push = np.exp(offers.lift[-_RECENT:, column]) * (offers.paid[-_RECENT:, column] / now) ** item.elasticity
        units = float((expected / push).mean() * 7)
        found[item.sku] = Case(now / 100, item.cost / 100, item.elasticity, units)
    return found


def _by_department(data: Observations) -> Array:
    """Log-log slopes with product and week effects by department, given to each of its products (P,)."""
    slopes = np.full(len(data.chains), np.nan)
    for market in np.unique(data.market):
        here = data.market == market
        found = within_slope(
            data.units[here], data.price[here], data.series[here], data.period[here], data.product[here]
        )
        slopes[np.unique(data.product[here])] = np.nan if found is None else found.value
    return slopes


def _double_ml(data: Observations, fitted: Fitted) -> Array:
    """The one slope that double machine learning finds for the whole shop, given to every product (P,)."""
    second = second_opinion(data, fitted)
    return np.full(len(data.chains), np.nan if second is None else second.value)


def _profits(
    items: list[Item],
    cases: dict[str, Case],
    number: dict[str, int],
    fitted: Fitted,
    plugged: dict[str, Array],
    step: float,
) -> tuple[dict[str, float], tuple[float, float]]:
    """Weekly profit by method, and Debut's promised and realised gain."""
    endings = usual_endings(np.array([item.price / 100 for item in items]))
    margins = np.median([1 - case.cost / case.price for case in cases.values()])
    earned = dict.fromkeys(("keep_price", "cost_plus", *PLUGGED, "debut", "oracle"), 0.0)
    promised, came = 0.0, 0.0
    for sku, case in cases.items():
        bounds = (max(case.price * (1 - step), price_floor(case.cost, _MIN_MARGIN)), case.price * (1 + step))
        if bounds[0] >= bounds[1]:
            continue
        own = fitted.products[number[sku]]
        slopes = {name: np.array([min(values[number[sku]], 0.0)]) for name, values in plugged.items()}
        slopes |= {"oracle": np.array([case.truth])}
        slopes |= {"debut": own.draws(_DRAWS, np.random.default_rng(0))}
        prices = {
            m: robust_price(case.cost, s, case.price, bounds, endings, case.price).price for m, s in slopes.items()
        }
        prices |= {"keep_price": case.price, "cost_plus": float(np.clip(case.cost / (1 - margins), *bounds))}
        for method, price in prices.items():
            earned[method] += _true_profit(case, price)
        tried = np.array([prices["debut"], case.price])
        belief = expected_profit(tried, case.cost, slopes["debut"], case.price) * case.units
        promised += float(belief[0] - belief[1])
        came += _true_profit(case, prices["debut"]) - _true_profit(case, case.price)
    return earned, (promised, came)


def _true_profit(case: Case, price: float) -> float:
    return float((price - case.cost) * case.units * (price / case.price) ** case.truth)


def _elasticity_rows(method: str, found: Array) -> list[Result]:
    seeds, off = found[:, 0], found[:, 1]
    extra = {"set": "demo market", "reference": "true"}
    known = np.isfinite(off)
    low, high = bootstrap(off[known], groups=seeds[known], draws=400)
    rows = [
        Result(method, "elasticity_bias", float(off[known].mean()), low, high, int(known.sum()), dict(extra)),
        Result(method, "elasticity_error", float(np.sqrt((off[known] ** 2).mean())), n=int(known.sum()), extra=extra),
    ]
    if method == "debut":
        low, high = bootstrap(found[:, 2], groups=seeds, draws=400)
        rows.append(Result(method, "coverage", float(found[:, 2].mean()), low, high, len(found), dict(extra)))
    return rows


def _promise_rows(pairs: Array, extra: dict[str, str]) -> list[Result]:
    """Realised over promised gain: below one is the optimiser's curse."""

    def ratio(sample: Array) -> float:
        return float(sample[:, 1].sum() / max(sample[:, 0].sum(), 1e-12))

    low, high = bootstrap(pairs, ratio, draws=400)
    return [Result("debut", "kept_promise", ratio(pairs), low, high, len(pairs), dict(extra))]
