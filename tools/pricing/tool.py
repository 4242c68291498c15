"""`recommend_price`: the recommended price with its floor, range, ladder, elasticity and expected gain."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from shop import Draft, Product, Shop, ToolError, ToolResult
from shop.resolve import find_product
from tools.elasticity import estimate_elasticity
from tools.figures import Sheet
from tools.launch import has_history, launch_forecast
from tools.pricing.advice import Strategy, advise
from tools.pricing.ladder import read_ladder
from tools.pricing.report import Demand, chart, curve, gain, headline, rungs, slope, strategies, summary, warnings
from tools.registry import tool

_WEEKS = 12


@tool("read")
def recommend_price(
    shop: Shop,
    product: str,
    cost: float | None = None,
    strategy: Strategy = "profit",
    min_margin: float = 0.15,
) -> ToolResult:
    """Recommend a price for a product, with range, floor, elasticity and expected gain.

    Args:
        product: SKU, draft id or name.
        cost: Cost per unit; left out, the one on record.
        strategy: What to go by: cost, market, competition, value or profit.
        min_margin: Least margin as a share of the price, between 0 and 0.95.
    """
    if not 0 <= min_margin <= 0.95:
        raise ToolError(f"A margin of {min_margin:g} cannot be kept; give a share between 0 and 0.95.")
    if cost is not None and cost <= 0:
        raise ToolError(f"A cost of {cost:g} cannot be right; give a cost above zero, or leave it out.")
    item = find_product(shop, product)
    cost = cost if cost is not None else item.cost
    current = _current(shop, item)
    ladder = read_ladder(shop, item, current)
    if ladder.own.empty:
        raise ToolError(
            f"Nothing comparable to {item.name} sold in the last quarter, so there is no price to go by; "
            "give the draft a category that sells, or import newer sales."
        )
    elasticity = estimate_elasticity(shop, item.category)
    advice = advise(ladder, cost, elasticity, strategy, min_margin, shop.currency)
    demand = _demand(shop, item, current or advice.prices["market"])
    sheet = Sheet()
    headline(shop, sheet, advice, ladder, cost, current)
    slope(shop, sheet, elasticity, item.category)
    gain(sheet, advice, demand, elasticity, cost, current)
    tables = (strategies(sheet, advice), rungs(sheet, ladder))
    line = curve(ladder, demand, elasticity, cost)
    return ToolResult(
        summary=summary(sheet, advice),
        figures=(*sheet.figures, *line.figures),
        tables=tables,
        chart=chart(line),
        warnings=warnings(sheet, advice, strategy, elasticity, current, ladder),
    )


def _current(shop: Shop, item: Draft | Product) -> float | None:
    if isinstance(item, Draft):
        return item.price
    recent = shop.daily(skus=[item.sku], since=shop.cutoff - timedelta(weeks=13))
    recent = recent[(recent["units"] > 0) & (recent["revenue"] > 0)]
    return float(recent["revenue"].sum() / recent["units"].sum()) if len(recent) else item.list_price


def _demand(shop: Shop, item: Draft | Product, reference: float | None) -> Demand:
    """Twelve weeks of demand at the reference price: a launch's forecast, or a selling product's recent past."""
    if reference is None:
        return Demand(None, None, "no price to forecast at")
    if isinstance(item, Product) and has_history(shop, item):
        sales = shop.weekly_prices(
            item.category or None, since=shop.cutoff - timedelta(weeks=_WEEKS) + timedelta(days=1)
        )
        units = float(sales.loc[sales["sku"] == item.sku, "units"].sum())
        return Demand(np.full(2000, units), reference)
    planned = item.launch_date if item.launch_date and item.launch_date >= shop.today else None
    try:
        forecast = launch_forecast(shop, item.model_copy(update={"launch_date": planned}), reference, weeks=_WEEKS)
    except ToolError as error:
        return Demand(None, None, str(error))
    return Demand(forecast.total, reference)
