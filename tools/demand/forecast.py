"""The forecast of a product that sells: what its shop learned picks the method, its plan bends it, parts explain it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from shop import Product, Shop, ToolError
from tools.demand.contest import Forecast, forecast
from tools.demand.intervals import bottom_up
from tools.demand.local import linear_terms
from tools.demand.methods import Methods, methods_of
from tools.demand.panel import Array
from tools.demand.read import ShopPanel, read_panel
from tools.demand.series import CLASSES
from tools.demand.why import explain
from tools.elasticity import Elasticity, estimate_elasticity

MAX_WEEKS = 52
_LEAST_WEEKS = 4
_COUNTS = 0.05  # mean share from which a member is named as a part of the method


@dataclass(frozen=True)
class DemandForecast:
    """What a product will sell.

    Attributes:
        starts: First day of each week (W,).
        quantiles: P10, P50, P90 by week (W, 3).
        kind: Class of the series.
        method: Members and their mean share of the forecast, largest first.
        error: MASE of what ships on the backtest of its class; NaN where none could be made.
        naive_error: The same of the seasonal naive.
        drivers: Units of each driver by week (W,); they sum to P50 exactly.
        price: Price forecast for; None keeps the current one.
        support: Lowest and highest price seen.
        elasticity: Used where a price was asked for.
        lost_weeks: Weeks of the last year masked because the shelves were empty.
        tried: Series the method was chosen on.
    """

    starts: pd.DatetimeIndex
    quantiles: Array
    kind: str
    method: dict[str, float]
    error: float
    naive_error: float
    drivers: dict[str, Array]
    price: float | None
    support: tuple[float, float] | None
    elasticity: Elasticity | None
    lost_weeks: int
    tried: int

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

    The contest on the shop's products says how series of its kind are forecast; a price other than the current one
    moves the forecast along the category's elasticity, a promotion by what promotions did to this product.

    Raises:
        ToolError: Fewer than four weeks of sales, or a horizon outside 1 to 52 weeks.
    """
    if not 1 <= weeks <= MAX_WEEKS:
        raise ToolError(f"A horizon of {weeks} weeks cannot be forecast; give 1 to {MAX_WEEKS} weeks.")
    data, row = _found(shop, item)
    panel = data.panel
    methods = methods_of(shop, data, weeks)
    groups = methods.groups(data.frame)
    made = forecast(panel, weeks, methods.contest, methods.models, np.array([row]), groups)
    kind = int(made.kinds[0])
    elasticity, by_price = _price_factor(shop, item, data, row, price)
    by_offer = _promotion_factor(data, row, weeks) if promotion else np.ones(weeks)
    seen = panel.price[row][np.isfinite(panel.price[row])]
    drivers = explain(panel, row, made, methods.models, groups)
    base = made.quantiles[0, :, 1]
    if price is not None:
        drivers["price"] = drivers.get("price", 0.0) + base * (by_price[0, 1] - 1)
    if promotion:
        drivers["promotion"] = drivers.get("promotion", 0.0) + base * by_price[0, 1] * (by_offer - 1)
    return DemandForecast(
        _weeks_after(panel.starts, weeks),
        made.quantiles[0] * by_price * by_offer[:, None],
        CLASSES[kind],
        _method(made),
        float(methods.contest.blend_errors[kind]),
        float(methods.contest.errors[kind, methods.contest.members.index("seasonal_naive")]),
        drivers,
        price,
        (float(seen.min()), float(seen.max())) if len(seen) else None,
        elasticity,
        int((data.days_out[row, -52:] > 3).sum()),
        methods.tried,
    )


@dataclass(frozen=True)
class CategoryForecast:
    """Forecasts of the products of a category that still sell, and of the category, which is their sum.

    Attributes:
        skus: Products (N,).
        starts: First day of each week (W,).
        products: P10, P50, P90 (N, W, 3).
        total: The same of the category (W, 3), bottom-up.
    """

    skus: tuple[str, ...]
    starts: pd.DatetimeIndex
    products: Array
    total: Array


def category_forecast(data: ShopPanel, methods: Methods, weeks: int, rows: Array | None = None) -> CategoryForecast:
    """Forecast many products at once and reconcile them bottom-up.

    Args:
        data: The shop's panel.
        methods: From `methods_of` for at least as many weeks.
        weeks: Weeks ahead.
        rows: Products (N,) as a mask or positions; None takes all. Those without a sale in eight weeks are left out.
    """
    chosen = np.arange(len(data.panel.keys))[slice(None) if rows is None else rows]
    live = chosen[np.isfinite(data.panel.units[chosen, -8:]).any(axis=1)]
    made = forecast(data.panel, weeks, methods.contest, methods.models, live, methods.groups(data.frame))
    total = bottom_up(made.quantiles, np.zeros(len(live), dtype=np.int64), 1)[0]
    skus = tuple(data.panel.keys[i] for i in live)
    return CategoryForecast(skus, _weeks_after(data.panel.starts, weeks), made.quantiles, total)


def _weeks_after(starts: pd.DatetimeIndex, weeks: int) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(starts[-1] + pd.to_timedelta(7 * (np.arange(weeks) + 1), unit="D"))


def _found(shop: Shop, item: Product) -> tuple[ShopPanel, int]:
    """The shop's panel and the product's place in it."""
    # Reading it is most of a warm answer, and one question about a product is seldom the only one.
    data = shop.learned("demand-panel", lambda: read_panel(shop))
    if data is None or item.sku not in data.panel.keys:
        raise ToolError(
            f"{item.name} ({item.sku}) has no sales yet; forecast_launch forecasts products without history."
        )
    row = data.row(item.sku)
    if np.isfinite(data.panel.units[row]).sum() < _LEAST_WEEKS:
        raise ToolError(
            f"{item.name} ({item.sku}) was in stock for fewer than four whole weeks; use forecast_launch instead."
        )
    return data, row


def _promotion_factor(data: ShopPanel, row: int, weeks: int) -> Array:
    """What promotions did to the product, by week (W,); 1 where it never had one."""
    terms = linear_terms(data.panel, row, weeks, promotion=1.0)
    return np.ones(weeks) if terms is None else np.exp(terms["promotion"].clip(0.0, 1.5))


def _price_factor(
    shop: Shop, item: Product, data: ShopPanel, row: int, price: float | None
) -> tuple[Elasticity | None, Array]:
    """Factor on P10, P50, P90 (1, 3) for a price other than the current one."""
    current = data.panel.price[row, -1]
    if price is None or not np.isfinite(current):
        return None, np.ones((1, 3))
    elasticity = estimate_elasticity(shop, item.category)
    if elasticity is None:
        return None, np.ones((1, 3))
    step = np.log(price / current)
    bounds = sorted(np.exp(step * min(e, 0.0)) for e in (elasticity.low, elasticity.high))
    middle = np.exp(step * min(elasticity.value, 0.0))
    return elasticity, np.array([[min(bounds[0], middle), middle, max(bounds[1], middle)]])


def _method(made: Forecast) -> dict[str, float]:
    shares = {name: float(share[0].mean()) for name, share in made.shares.items()}
    return {name: s for name, s in sorted(shares.items(), key=lambda pair: -pair[1]) if s >= _COUNTS}
