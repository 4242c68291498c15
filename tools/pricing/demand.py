"""Twelve weeks of demand at a reference price: a selling product's recent rate, or a launch's forecast."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from shop import Draft, Product, Shop, ToolError
from tools.launch import has_history, launch_forecast

Array = NDArray[np.float64]
WEEKS = 12
_DRAWS = 2000


@dataclass(frozen=True)
class Demand:
    """Units over twelve weeks by draw (N,) at a reference price, or why they are not known.

    `history` tells whether they come from the product's own sales; `shape` is each week's share of the units (12,).
    """

    units: Array | None
    reference: float | None
    reason: str = ""
    history: bool = False
    shape: Array = field(default_factory=lambda: np.full(WEEKS, 1 / WEEKS))


def current_price(shop: Shop, item: Draft | Product) -> float | None:
    """The draft's planned price; for a product the list price in force, else what was paid last quarter."""
    if isinstance(item, Draft):
        return item.price
    if item.list_price is not None:
        return item.list_price
    recent = shop.daily(skus=[item.sku], since=shop.cutoff - timedelta(weeks=13))
    recent = recent[(recent["units"] > 0) & (recent["revenue"] > 0)]
    return float(recent["revenue"].sum() / recent["units"].sum()) if len(recent) else None


def twelve_weeks(shop: Shop, item: Draft | Product, reference: float | None) -> Demand:
    """Demand at the reference price."""
    if reference is None:
        return Demand(None, None, "no price to forecast at")
    if isinstance(item, Product) and has_history(shop, item):
        units, paid = _recent(shop, item)
        if paid is None:
            return Demand(None, None, "it sold nothing in the last twelve weeks", history=True)
        return Demand(units, paid, history=True)
    planned = item.launch_date if item.launch_date and item.launch_date >= shop.today else None
    own = item.price if isinstance(item, Draft) else item.list_price
    update: dict[str, object] = {"launch_date": planned}
    if own is None:
        update["price" if isinstance(item, Draft) else "list_price"] = reference
    planned_item = item.model_copy(update=update)
    # One forecast serves every price that is tried for the same plan.
    said = f"{planned_item.model_dump_json(exclude={'id'})}|{reference}"
    name = f"launch-demand-{hashlib.sha256(said.encode()).hexdigest()[:12]}"
    return shop.learned(name, lambda: _launched(shop, planned_item, reference))


def _launched(shop: Shop, item: Draft | Product, reference: float) -> Demand:
    try:
        forecast = launch_forecast(shop, item, reference, weeks=WEEKS)
    except ToolError as error:
        return Demand(None, None, str(error))
    weekly = forecast.draws.mean(axis=0)
    shape = weekly / weekly.sum() if weekly.sum() > 0 else np.full(WEEKS, 1 / WEEKS)
    return Demand(forecast.total, reference, shape=shape)


def _recent(shop: Shop, item: Product) -> tuple[Array, float | None]:
    """Units at the rate of the last twelve weeks' days in stock, with the spread of a count; and the price paid."""
    sales = shop.daily(skus=[item.sku], since=shop.cutoff - timedelta(weeks=WEEKS) + timedelta(days=1))
    empty = sales["in_stock"].map(lambda there: there is False or there == 0).astype(bool)
    days = 7 * WEEKS - int(empty.sum())
    units, revenue = float(sales["units"].sum()), float(sales["revenue"].sum())
    # A gamma posterior of the rate: few units say little.
    rate = np.random.default_rng(0).gamma(units + 0.5, 1.0, _DRAWS)
    return np.asarray(rate * 7 * WEEKS / max(days, 7)), revenue / units if units > 0 and revenue > 0 else None
