"""`plan_promotion`: how deep, by which mechanic, with what, through which channels, and what it leaves."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from shop import Draft, Product, Shop, ToolError, ToolResult
from shop import schema as t
from shop.dates import parse_day
from shop.resolve import find_product
from shop.types import Amount, Day, Weeks
from tools.figures import Sheet
from tools.promotion import report
from tools.promotion.bundles import Rule, rules
from tools.promotion.coupons import coupon_evidence
from tools.promotion.plan import best_cut, coupon_plan, cuts, ground, last_day
from tools.promotion.read import baskets, mechanics_run, overlapping, placed_within, promotion_panel
from tools.promotion.response import Effects, effects
from tools.registry import tool

_ACTIVE = timedelta(days=365)


@tool("read", "internal")
def plan_promotion(
    shop: Shop,
    product: str,
    budget: Amount | None = None,
    start: Day | None = None,
    weeks: Weeks = 2,
) -> ToolResult:
    """Plan a promotion: depth, coupons, bundles, channels, uplift, and contribution until four weeks after it.

    Args:
        product: SKU, draft id or name.
        budget: Money that may be given away in discounts; left out, no limit.
        start: First day as said; left out, the launch date or today.
        weeks: Weeks it runs, 1 to 12.
    """
    if budget is not None and not budget > 0:
        raise ToolError(f"A budget of {budget:g} pays for no promotion; give an amount above zero, or leave it out.")
    if not 1 <= weeks <= 12:
        raise ToolError(f"A promotion of {weeks} weeks cannot be planned; give 1 to 12 weeks.")
    item = find_product(shop, product)
    first = _first_day(shop, item, start)
    price, cost = _money(shop, item)
    found = _effects(shop, item)
    base = ground(shop, item, price, cost, first, weeks)
    tried = cuts(found, base, weeks, np.random.default_rng(0))
    chosen = best_cut(tried, budget)
    if chosen is None:
        least = min(cut.given for cut in tried)
        raise ToolError(
            f"Even the smallest cut seen here ({tried[0].depth:.0%}) gives away about {least:.0f} {shop.currency}; "
            f"raise the budget of {budget:g} or shorten the promotion."
        )
    asked = report.Asked(item, first, last_day(first, weeks), weeks, budget, price, cost)
    evidence = coupon_evidence(shop)
    coupons = coupon_plan(evidence, _active(shop), budget)
    sheet = Sheet()
    report.headline(shop, sheet, asked, found, base, chosen)
    tables = [report.depths(sheet, tried, chosen)]
    tables.append(report.mechanics(sheet, chosen, evidence, coupons, mechanics_run(shop, item.category)))
    tables += report.bundles(sheet, item.category, _partners(shop, item), _leaders(shop))
    tables += report.channels(sheet, shop, item.category)
    clashes = overlapping(shop, item.sku if isinstance(item, Product) else "", item.category, first, asked.end)
    tables += report.calendar(sheet, clashes)
    return ToolResult(
        summary=report.summary(sheet),
        figures=sheet.figures,
        tables=tuple(tables),
        chart=report.chart(tried),
        warnings=report.warnings(sheet, asked, found, clashes),
    )


def _first_day(shop: Shop, item: Draft | Product, start: str | None) -> date:
    launch = item.launch_date if item.launch_date and item.launch_date >= shop.today else None
    if start is None:
        return launch or shop.today
    day = parse_day(start, shop.today)
    if day < (launch or shop.today):
        raise ToolError(f"{day} is before {launch or shop.today}, when it could start; give that day or a later one.")
    if day > shop.today + timedelta(days=300):
        raise ToolError(f"{day} is further away than forecasts reach; give a day within ten months.")
    return day


def _money(shop: Shop, item: Draft | Product) -> tuple[float, float]:
    price = item.price if isinstance(item, Draft) else item.list_price
    if price is None:
        raise ToolError(f"{item.name} has no price, so a cut cannot be weighed; ask recommend_price for one first.")
    if item.cost is None:
        raise ToolError(f"The cost of {item.name} is not known, so nothing tells what a cut leaves; set it first.")
    if item.cost >= price:
        raise ToolError(
            f"{item.name} costs {item.cost:g} and sells for {price:g} {shop.currency}: every cut loses more; "
            "check its price with recommend_price."
        )
    return price, item.cost


def _effects(shop: Shop, item: Draft | Product) -> Effects:
    name = "promotion-" + "".join(char if char.isalnum() else "-" for char in item.category)
    found = shop.learned(name, lambda: effects(promotion_panel(shop), item.category))
    if found is None:
        raise ToolError(
            f"Neither {item.category or item.name} nor the whole shop ran enough promotions to tell what one does; "
            "run a small one on a few products first, or import past orders with their discounts."
        )
    return found


def _active(shop: Shop) -> int:
    """Customers who ordered within a year."""
    o = t.orders
    query = select(func.count(func.distinct(o.c.customer_id))).where(placed_within(shop, _ACTIVE))
    with shop.engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def _partners(shop: Shop, item: Draft | Product) -> list[Rule]:
    """Rules between the item's category and others."""
    every = shop.learned("bundles", lambda: rules(baskets(shop)))
    return [rule for rule in every if item.category in (rule.first, rule.second)]


def _leaders(shop: Shop) -> pd.DataFrame:
    """The best-selling product of each category over the last quarter: `category` as index, `sku, name`."""
    d, p = t.daily, t.products
    query = (
        select(p.c.category, p.c.sku, p.c.name, func.sum(d.c.units).label("units"))
        .join(p, p.c.sku == d.c.sku)
        .where(d.c.day <= shop.cutoff, d.c.day > shop.cutoff - timedelta(weeks=13))
        .group_by(p.c.category, p.c.sku, p.c.name)
    )
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).all(), columns=["category", "sku", "name", "units"])
    return (
        frame.sort_values(["units", "sku"], ascending=[False, True]).drop_duplicates("category").set_index("category")
    )
