"""What a stock plan is drawn from: weekly demand of a launch from its forecast, of a running product from its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from shop import Draft, Product, Rows, Shop
from tools.demand.forecast import demand_forecast
from tools.demand.read import read_panel
from tools.figures import evidence
from tools.inventory.paths import PathModel, draw_paths, fit_paths, look
from tools.launch import has_history, launch_forecast

Array = NDArray[np.float64]
_DRAWS = 1000
_LONGEST = 52  # weeks that a forecast reaches; the last one stands for later weeks
_RECENT = 8  # weeks of the plain rule's moving average
_SEASON = 52
_QUARTER = 13
_Z80 = 1.2816


@dataclass(frozen=True)
class WeeklyDemand:
    """Demand to plan for.

    Attributes:
        draws: Units by draw and week (N, W).
        recent: Units a week that a plain rule goes by: the average of the last weeks in stock, for a launch the
            forecast's P50.
        basis: Where the draws come from, in words.
        rows: The rows behind them.
        launched: Whether the product sells already.
    """

    draws: Array
    recent: float
    basis: str
    rows: Rows
    launched: bool


def weekly_demand(shop: Shop, item: Draft | Product, weeks: int, price: float | None = None) -> WeeklyDemand:
    """Draws of weekly demand of a draft or product.

    Raises:
        ToolError: There is no forecast; the sentence says what is lacking.
    """
    horizon = min(weeks, _LONGEST)
    if isinstance(item, Product) and has_history(shop, item):
        return _running(shop, item, horizon, weeks, price)
    # In steps of a quarter: another lead time or service level asks for the same weeks, and finds them made.
    made = min(-(-horizon // _QUARTER) * _QUARTER, _LONGEST)
    key = hashlib.sha256(f"{item.model_dump_json()}|{made}".encode()).hexdigest()[:16]
    launch, analogues = shop.learned(f"stock-launch-{key}", lambda: _launch(shop, item, made))
    draws = _lengthened(launch[:, :weeks], weeks)
    rows = evidence(shop, "daily", {"sku": analogues})
    return WeeklyDemand(draws, float(np.median(draws.sum(axis=1))) / weeks, "the launch forecast", rows, False)


def _launch(shop: Shop, item: Draft | Product, weeks: int) -> tuple[Array, tuple[str, ...]]:
    """Draws of a launch, and its analogues."""
    forecast = launch_forecast(shop, item, weeks=weeks)
    kept = forecast.analogues[forecast.analogues["kept"]]["sku"]
    return forecast.draws[:_DRAWS], tuple(kept)


def _running(shop: Shop, item: Product, horizon: int, weeks: int, price: float | None) -> WeeklyDemand:
    made = demand_forecast(shop, item, horizon, price)
    everything = read_panel(shop)
    assert everything is not None  # the forecast read it too
    row = everything.row(item.sku)
    units = everything.panel.units[row]
    late = units[np.isfinite(units)][-_RECENT:]
    model = shop.learned(f"stock-paths-{horizon}", lambda: _learn(everything.panel.units, horizon))
    if model is None:
        draws, basis = spread_out(made.quantiles), "the demand forecast and its interval"
    else:
        seen = look(everything.panel.units, _SEASON, horizon, everything.panel.units.shape[1])
        now = everything.panel.units.shape[1]
        paths = draw_paths(model, seen, now, np.array([row]), _DRAWS)[0]
        usual = float(paths.sum(axis=1).mean())
        draws = paths * (made.quantiles[:, 1] / usual * horizon) if usual > 0 else spread_out(made.quantiles)
        basis = "the demand forecast and the errors made on products like it"
    rows = evidence(shop, "daily", {"sku": (item.sku,)})
    return WeeklyDemand(_lengthened(draws, weeks), float(late.mean()), basis, rows, True)


def _learn(units: Array, horizon: int) -> PathModel | None:
    """Errors over windows as long as the plan; None where the shop has no year of such windows to learn from."""
    if units.shape[1] < horizon + _SEASON // 2:
        return None
    seen = look(units, _SEASON, horizon, units.shape[1])
    try:
        return fit_paths(seen, units.shape[1], horizon)
    except ValueError:  # every product is younger than the window
        return None


def spread_out(quantiles: Array, draws: int = _DRAWS, seed: int = 0) -> Array:
    """Draws (N, W) whose weeks have the given P10, P50 and P90 (W, 3) and whose errors half persist.

    Two half-normals joined at the median; the error of a week is as much the product's as the week's own, as in
    `DemandForecast.total`.
    """
    rng = np.random.default_rng(seed)
    own, week = rng.standard_normal((draws, 1)), rng.standard_normal((draws, len(quantiles)))
    error = (own + week) / np.sqrt(2) / _Z80
    low, middle, high = quantiles.T
    return cast(Array, np.maximum(middle + np.where(error < 0, middle - low, high - middle) * error, 0.0))


def _lengthened(draws: Array, weeks: int) -> Array:
    return np.hstack([draws, np.repeat(draws[:, -1:], weeks - draws.shape[1], axis=1)])
