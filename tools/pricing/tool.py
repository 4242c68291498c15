"""`recommend_price`: the recommended price with its floor, range, ladder, elasticity and expected gain."""

from __future__ import annotations

from datetime import timedelta

from shop import Draft, Product, Shop, ToolError, ToolResult
from shop.resolve import find_product
from shop.types import Amount, Share
from tools.elasticity import shop_elasticities
from tools.figures import Sheet
from tools.pricing.advice import Strategy, Subject, advise
from tools.pricing.demand import current_price, twelve_weeks
from tools.pricing.ladder import read_ladder
from tools.pricing.report import attributes, headline, rungs, slope, strategies, summary, warnings
from tools.pricing.response import competitor_response
from tools.pricing.verdict import around, chart, curve, gain
from tools.pricing.weeks import stock_and_path
from tools.registry import tool


@tool("read", "internal")
def recommend_price(
    shop: Shop,
    product: str,
    cost: Amount | None = None,
    strategy: Strategy = "profit",
    min_margin: Share = 0.15,
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
    current = current_price(shop, item)
    ladder = read_ladder(shop, item, current)
    if ladder.own.empty:
        raise ToolError(
            f"Nothing comparable to {item.name} sold in the last quarter, so there is no price to go by; "
            "give the draft a category that sells, or import newer sales."
        )
    found = shop_elasticities(shop)
    sku = item.sku if isinstance(item, Product) else None
    elasticity = None if found is None else found.of(item.category, current, sku)
    subject = Subject(cost, current, _selling(shop, item), item.category, item.attributes)
    advice = advise(subject, ladder, elasticity, ladder.worth, strategy, min_margin, shop.currency)
    demand = twelve_weeks(shop, item, current or advice.prices["market"])
    sheet = Sheet()
    headline(shop, sheet, advice, ladder, cost, current)
    slope(shop, sheet, found, elasticity, advice)
    gain(sheet, advice, demand, elasticity, cost, current)
    competitor_response(shop, sheet, advice, ladder, elasticity, cost, current)
    path = stock_and_path(shop, sheet, item, advice, ladder, cost, demand, elasticity)
    worth = attributes(sheet, ladder, subject) if advice.chosen == "value" else None
    intro = around(shop, sheet, item, advice, ladder, cost, demand, elasticity)
    tables = (strategies(sheet, advice), worth, path, intro, rungs(sheet, ladder))
    second = None if found is None else found.second
    line = curve(advice, ladder, demand, elasticity, cost)
    return ToolResult(
        summary=summary(sheet, advice),
        figures=(*sheet.figures, *line.figures),
        tables=tuple(table for table in tables if table is not None),
        chart=chart(line),
        warnings=warnings(sheet, advice, strategy, elasticity, second, current, ladder),
    )


def _selling(shop: Shop, item: Draft | Product) -> bool:
    """Whether it sold last quarter, so that buyers know its price."""
    if isinstance(item, Draft):
        return False
    return not shop.daily(skus=[item.sku], since=shop.cutoff - timedelta(weeks=13)).empty
