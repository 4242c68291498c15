"""`plan_inventory`: the first buy of a product, its reorder rule, and what can go wrong."""

from __future__ import annotations

from math import ceil

import numpy as np

from shop import Draft, Product, Shop, ToolError, ToolResult
from shop.dates import parse_day
from shop.resolve import find_product
from shop.types import Amount, Count, Day, Days, Share
from tools.figures import Sheet
from tools.inventory import report, words
from tools.inventory.demand import weekly_demand
from tools.inventory.flips import Money
from tools.inventory.newsvendor import critical_ratio
from tools.inventory.plan import HOLDING_A_YEAR, JUDGED_WEEKS, Needs, order_plan
from tools.inventory.report import Asked
from tools.inventory.supplier import terms_of
from tools.inventory.warehouses import warehouse_table
from tools.launch import has_history
from tools.registry import tool

_SERVICE_RANGE = (0.5, 0.999)
_USUAL_SERVICE = 0.95


@tool("read", "internal")
def plan_inventory(
    shop: Shop,
    product: str,
    lead_time_days: Days = 30,
    service_level: Share | None = None,
    price: Amount | None = None,
    launch_date: Day | None = None,
    review_days: Days = 14,
    clearance_share: Share = 0.5,
    fill_rate: Share | None = None,
    lead_time_spread_days: float = 0.0,
    order_cost: Amount | None = None,
    first_buy: Count | None = None,
) -> ToolResult:
    """Plan the first order and the reorder rule for a product.

    Args:
        product: SKU, draft id or name.
        lead_time_days: Days from order to shelf, 1 to 365.
        service_level: Chance not to run out before the second order arrives, between 0.5 and 0.999. Left out: the
            level at which being wrong costs least.
        price: Price to plan at. Left out: the product's own.
        launch_date: First day on sale, as said. Left out: the draft's own.
        review_days: Days between looks at the stock; for a launch, days of sales seen before the second order, 7 to 90.
        clearance_share: Share of the cost that an unsold unit of a launch still brings, between 0 and 1.
        fill_rate: Share of demand to serve from the shelf, in place of a service level, between 0.5 and 0.999.
        lead_time_spread_days: Standard deviation of the lead time, in days.
        order_cost: Cost of placing one order.
        first_buy: Units to order now in place of the planned ones, to see what they would bring.
    """
    _check(lead_time_days, service_level, review_days, clearance_share, fill_rate, lead_time_spread_days, order_cost)
    if first_buy is not None and first_buy < 0:
        raise ToolError(f"A first buy of {first_buy} units cannot be ordered; give zero or more.")
    item = _as_planned(shop, find_product(shop, product), price, launch_date)
    lead, review = ceil(lead_time_days / 7), ceil(review_days / 7)
    horizon = max(JUDGED_WEEKS, lead + review) + lead
    demand = weekly_demand(shop, item, horizon, price)
    money = _money(item, clearance_share, demand.launched)
    service, basis = _service(service_level, item, money, review, demand.launched)
    minimum, pack = terms_of(item.attributes)
    on_hand = _on_hand(shop, item) if demand.launched else None
    spread = lead_time_spread_days / 7
    needs = Needs(lead, review, service, fill_rate, spread, on_hand, minimum or 0.0, pack or 1.0)
    asked = Asked(item, needs, basis, lead_time_days, money, order_cost, minimum, pack, first_buy)
    plan = order_plan(demand.draws, needs, demand.launched, first_buy)
    sheet = Sheet()
    report.levels(sheet, asked, demand, plan)
    states = report.risks(sheet, asked, plan)
    report.budget(sheet, asked, demand, plan)
    report.option(sheet, asked, demand)
    flips = report.against_plain(sheet, asked, demand, plan)
    table, chart = report.regret(sheet, asked, plan)
    houses = warehouse_table(shop, sheet, item, demand, needs, plan) if isinstance(item, Product) else None
    return ToolResult(
        summary=words.summary(sheet, demand, flips),
        figures=sheet.figures,
        tables=(table, states, houses) if houses else (table, states),
        chart=chart,
        warnings=words.warnings(sheet, asked, demand, plan),
    )


def _as_planned(shop: Shop, item: Draft | Product, price: float | None, launch_date: str | None) -> Draft | Product:
    """The item at the price and, for a launch, the date to plan for."""
    if price is not None and price <= 0:
        raise ToolError(f"A price of {price:g} cannot be planned; give a price above zero.")
    day = None if launch_date is None else parse_day(launch_date, shop.today)
    if isinstance(item, Draft):
        changed = {"price": price, "launch_date": day}
    elif day is not None and has_history(shop, item):
        raise ToolError(f"{item.name} is on sale already; leave the launch date out.")
    else:
        changed = {"list_price": price, "launch_date": day}
    planned = item.model_copy(update={name: value for name, value in changed.items() if value is not None})
    asked = _price(planned)
    if planned.cost is not None and asked is not None and planned.cost >= asked:
        raise ToolError(
            f"{planned.name} costs {planned.cost:g} and sells at {asked:g}, so every unit bought loses money; "
            "correct the cost, or give a price above it."
        )
    return planned


def _price(item: Draft | Product) -> float | None:
    return item.price if isinstance(item, Draft) else item.list_price


def _money(item: Draft | Product, clearance_share: float, launched: bool) -> Money | None:
    """What a unit costs and brings; a running product's leftovers keep their cost, since they can still be sold."""
    price = _price(item)
    if item.cost is None or item.cost <= 0 or price is None:
        return None
    return Money(price, item.cost, item.cost * (1.0 if launched else clearance_share))


def _service(
    asked: float | None, item: Draft | Product, money: Money | None, review: int, launched: bool
) -> tuple[float, str]:
    """Service level and where it comes from: as asked, else the newsvendor's ratio, else the usual one."""
    if asked is not None:
        return asked, "as given"
    if money is None:
        return _USUAL_SERVICE, "the usual level, since without cost and price no level can be weighed"
    held = money.cost * HOLDING_A_YEAR / 52 * review
    loss = held if launched else money.cost - money.residual
    left = "holding a unit until the next order" if launched else "loss on an unsold unit"
    how = f"margin over margin plus {left} (newsvendor): the level at which being wrong costs least"
    return float(np.clip(critical_ratio(money.price, money.cost, loss), *_SERVICE_RANGE)), how


def _on_hand(shop: Shop, item: Draft | Product) -> float | None:
    """Units in all warehouses by their latest counts; None where stock was never counted."""
    assert isinstance(item, Product)
    counted = shop.stock_on_hand(sku=item.sku)
    return None if counted.empty else float(counted["on_hand"].sum())


def _check(
    lead_time_days: int,
    service_level: float | None,
    review_days: int,
    clearance_share: float,
    fill_rate: float | None,
    spread_days: float,
    order_cost: float | None,
) -> None:
    if not 1 <= lead_time_days <= 365:
        raise ToolError(f"A lead time of {lead_time_days} days cannot be planned; give 1 to 365 days.")
    for name, share in (("service level", service_level), ("fill rate", fill_rate)):
        if share is not None and not _SERVICE_RANGE[0] <= share <= _SERVICE_RANGE[1]:
            raise ToolError(
                f"A {name} of {share:g} cannot be planned, since no stock is sure to last; "
                "give a share between 0.5 and 0.999."
            )
    if not 7 <= review_days <= 90:
        raise ToolError(f"A review after {review_days} days cannot be planned; give 7 to 90 days.")
    if not 0 <= clearance_share <= 1:
        raise ToolError(f"A clearance share of {clearance_share:g} makes no sense; give a share between 0 and 1.")
    if not 0 <= spread_days <= lead_time_days:
        raise ToolError(f"A spread of {spread_days:g} days does not fit a lead time of {lead_time_days}; give less.")
    if order_cost is not None and order_cost <= 0:
        raise ToolError(f"An order cost of {order_cost:g} cannot be weighed; give an amount above zero.")
