"""The forecast of a product that sells: its peers decide the method, its plan bends it, its drivers explain it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from shop import Product, Shop, ToolError
from tools.demand.contest import Contest, forecast, run_contest
from tools.demand.local import linear_terms
from tools.demand.panel import Array
from tools.demand.read import ShopPanel, read_panel
from tools.demand.series import CLASSES, classify
from tools.demand.trees import contributions, fit_trees
from tools.elasticity import Elasticity, estimate_elasticity

MAX_WEEKS = 52
_LEAST_WEEKS = 4
_PEERS = 80  # series that the method is chosen on
_CONTEST_HORIZON = 12


@dataclass(frozen=True)
class DemandForecast:
    """What a product will sell.

    Attributes:
        starts: First day of each week (W,).
        quantiles: P10, P50, P90 by week (W, 3).
        kind: Class of the series.
        method: Members and weights behind it.
        error: MASE of the shipped method on the backtest of its class; NaN where none could be made.
        naive_error: The same of the seasonal naive.
        drivers: Factor of each driver on the recent level, mean over the weeks, as the trees see it; empty where there
            is too little to learn from.
        price: Price forecast for; None keeps the current one.
        support: Lowest and highest price seen.
        elasticity: Used where a price was asked for.
        lost_weeks: Weeks of the last year masked because the shelves were empty.
        peers: Series the method was chosen on.
    """

    starts: pd.DatetimeIndex
    quantiles: Array
    kind: str
    method: dict[str, float]
    error: float
    naive_error: float
    drivers: dict[str, float]
    price: float | None
    support: tuple[float, float] | None
    elasticity: Elasticity | None
    lost_weeks: int
    peers: int

    @property
    def total(self) -> tuple[float, float, float]:
        """P10, P50, P90 of the sum: half of the weekly spread is taken to persist, half to be weekly chance."""
        low, middle, high = self.quantiles.T
        point = middle.sum()

        def reach(width: Array) -> float:
            together, apart = width.sum(), np.sqrt((width**2).sum())
            return float(np.sqrt((together**2 + apart**2) / 2))

        return max(0.0, point - reach(middle - low)), float(point), point + reach(high - middle)


def demand_forecast(
    shop: Shop, item: Product, weeks: int = 12, price: float | None = None, promotion: bool = False
) -> DemandForecast:
    """Forecast a product with sales of its own.

    A contest on the products around it picks the method for its kind of series; a price other than the current one
    moves the forecast along the category's elasticity, a promotion by what promotions did to this product.

    Raises:
        ToolError: Fewer than four weeks of sales, or a horizon outside 1 to 52 weeks.
    """
    if not 1 <= weeks <= MAX_WEEKS:
        raise ToolError(f"A horizon of {weeks} weeks cannot be forecast; give 1 to {MAX_WEEKS} weeks.")
    around = _around(shop, item)
    row = around.row(item.sku)
    panel = around.panel
    contest = run_contest(panel, min(weeks, _CONTEST_HORIZON), origins=2, most=_PEERS)
    made = forecast(panel, weeks, contest)
    quantiles = made.quantiles[row]
    kind = int(classify(panel)[row])
    elasticity, factor = _price_factor(shop, item, around, row, price)
    if promotion:
        terms = linear_terms(panel, row, weeks, promotion=1.0)
        lift = np.ones(weeks) if terms is None else np.exp(terms["promotion"].clip(0.0, 1.5))
        factor = factor * lift[:, None]
    seen = panel.price[row][np.isfinite(panel.price[row])]
    starts = panel.starts[-1] + pd.to_timedelta(7 * (np.arange(weeks) + 1), unit="D")
    return DemandForecast(
        pd.DatetimeIndex(starts),
        np.sort(quantiles * factor, axis=1),
        CLASSES[kind],
        _method(contest, kind),
        *_errors(contest, kind),
        drivers_of(around, row, weeks),
        price,
        (float(seen.min()), float(seen.max())) if len(seen) else None,
        elasticity,
        int((around.days_out[row, -52:] > 3).sum()),
        len(panel.keys),
    )


def drivers_of(around: ShopPanel, row: int, weeks: int) -> dict[str, float]:
    """Factors that multiply to the trees' mean forecast in units of the recent level, geometric mean over the weeks."""
    codes, _ = pd.factorize(around.frame["category"])
    learned = fit_trees(around.panel, weeks, codes.astype(np.int64))
    if learned is None:
        return {}
    parts = contributions(learned, around.panel, row).mean()
    return {str(name): float(np.exp(value)) for name, value in parts.items()}


def _around(shop: Shop, item: Product) -> ShopPanel:
    """The product and its peers: its top category, filled up with the shop's other products where that is small."""
    everything = read_panel(shop)
    if everything is None or item.sku not in everything.panel.keys:
        raise ToolError(
            f"{item.name} ({item.sku}) has no sales yet; forecast_launch forecasts products without history."
        )
    row = everything.row(item.sku)
    if np.isfinite(everything.panel.units[row]).sum() < _LEAST_WEEKS:
        raise ToolError(
            f"{item.name} ({item.sku}) was in stock for fewer than four whole weeks; use forecast_launch instead."
        )
    top = everything.frame["category"].str.split(" > ").str[0]
    mine = (top == top[row]).to_numpy()
    live = np.isfinite(everything.panel.units[:, -8:]).any(axis=1)
    near = np.flatnonzero(mine & live)
    rest = np.flatnonzero(~mine & live)
    rng = np.random.default_rng(0)
    if len(near) < _PEERS:
        near = np.concatenate([near, rng.choice(rest, min(len(rest), _PEERS - len(near)), replace=False)])
    elif len(near) > 2 * _PEERS:
        near = rng.choice(near, 2 * _PEERS, replace=False)
    return everything.take(np.unique(np.append(near, row)))


def _price_factor(
    shop: Shop, item: Product, around: ShopPanel, row: int, price: float | None
) -> tuple[Elasticity | None, Array]:
    """Factor on P10, P50, P90 (1, 3) for a price other than the current one."""
    current = around.panel.price[row, -1]
    if price is None or not np.isfinite(current):
        return None, np.ones((1, 3))
    elasticity = estimate_elasticity(shop, item.category)
    if elasticity is None:
        return None, np.ones((1, 3))
    step = np.log(price / current)
    bounds = sorted(np.exp(step * min(e, 0.0)) for e in (elasticity.low, elasticity.high))
    middle = np.exp(step * min(elasticity.value, 0.0))
    return elasticity, np.array([[min(bounds[0], middle), middle, max(bounds[1], middle)]])


def _method(contest: Contest, kind: int) -> dict[str, float]:
    pairs = zip(contest.members, contest.weights[kind], strict=True)
    return {name: float(weight) for name, weight in pairs if weight > 0}


def _errors(contest: Contest, kind: int) -> tuple[float, float]:
    """MASE of the shipped blend and of the seasonal naive in the backtest."""
    scores = contest.scores.get(kind)
    naive = contest.errors[kind, contest.members.index("seasonal_naive")]
    return (float("nan") if scores is None else float(np.abs(scores[:, 0]).mean())), float(naive)
