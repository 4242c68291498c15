"""`plan_advertising`: a budget split over channels and weeks, what it should bring, and when to stop."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from shop import Draft, Product, Shop, ToolError, ToolResult
from shop.dates import parse_day
from shop.resolve import find_product
from shop.types import Amount, Day, Weeks
from tools.advertising.channels import Channel, find_channels
from tools.advertising.joint import enter_limit, share_limit
from tools.advertising.plan import chosen, make_plan, returns
from tools.advertising.read import covering, learn
from tools.advertising.report import Asked, chart, split, stop_loss, summary, totals, warnings, weeks_ahead
from tools.figures import Sheet
from tools.registry import tool


@tool("read", "internal")
def plan_advertising(
    shop: Shop,
    budget: Amount,
    product: str | None = None,
    channels: list[Channel] | None = None,
    start: Day | None = None,
    weeks: Weeks = 8,
    committed: Amount | None = None,
    money_limit: Amount | None = None,
) -> ToolResult:
    """Split an advertising budget over channels and weeks, with predicted click and order rates and marginal return.

    Args:
        budget: Money for all weeks, in the shop's currency.
        product: SKU, draft id or name; its category is advertised. Left out, the whole shop.
        channels: Channels to use, any of search, social, display, email, sms, video, affiliate; left out, those with
            campaigns on record.
        start: First day as said; left out, the product's launch date or today.
        weeks: Weeks to spread it over, 1 to 26.
        committed: Money already promised to stock and promotion, where all share a limit. Left out, the first buy of
            a product being planned gets its share of the limit.
        money_limit: The most that stock, promotion and advertising may cost together.
    """
    _check(budget, weeks, committed, money_limit)
    asked = find_channels(channels or [])
    item = None if product is None else find_product(shop, product)
    first = _first_day(shop, item, start)
    learned = learn(shop)
    response, missing = chosen(learned, asked)
    group = covering(learned.media.groups, item.category) if item is not None else None
    if item is not None and group is None:
        raise ToolError(
            f"No campaign on record was for {item.category or item.name}, so nothing tells what advertising brings "
            "there; leave the product out to plan for the whole shop, or start with a small test."
        )
    groups = [group] if group is not None else list(range(len(learned.media.groups)))
    shared, unknown = None, ""
    if money_limit is not None and committed is None:
        curve = returns(learned, response, groups, first, weeks)
        shared, unknown = share_limit(shop, item, money_limit, curve, learned.media.costed)
    left = np.inf if money_limit is None else money_limit - (committed or 0.0) if shared is None else shared.ads
    usable = min(budget, left)
    plan = make_plan(learned, response, groups, usable, first, weeks)
    scope = Asked(budget, usable, first, learned.media.groups[group] if group is not None else "", missing)
    sheet = Sheet()
    totals(shop, sheet, learned, plan, scope)
    enter_limit(sheet, money_limit, committed, shared, float(plan.by_week.sum()), unknown)
    tables = (
        split(sheet, learned, plan, scope),
        weeks_ahead(sheet, plan, first),
        stop_loss(sheet, learned, plan, scope),
    )
    return ToolResult(
        summary=summary(sheet),
        figures=sheet.figures,
        tables=tables[:2] + ((tables[2],) if tables[2].rows else ()),
        chart=chart(plan),
        warnings=warnings(sheet, learned, plan, scope),
    )


def _check(budget: float, weeks: int, committed: float | None, money_limit: float | None) -> None:
    if not budget > 0:
        raise ToolError(f"A budget of {budget:g} cannot be split; give an amount above zero.")
    if not 1 <= weeks <= 26:
        raise ToolError(f"A plan of {weeks} weeks cannot be made; give 1 to 26 weeks.")
    if committed is not None and committed < 0:
        raise ToolError(f"{committed:g} cannot be promised already; give zero or more.")
    if money_limit is not None and money_limit <= (committed or 0.0):
        raise ToolError(
            f"With {committed or 0:g} promised to stock and promotion nothing is left of the limit of {money_limit:g}; "
            "raise the limit or promise less."
        )


def _first_day(shop: Shop, item: Draft | Product | None, start: str | None) -> date:
    if start is not None:
        day = parse_day(start, shop.today)
        if day < shop.today:
            raise ToolError(f"{day} has passed; give a day from {shop.today} on.")
        if day > shop.today + timedelta(days=365):
            raise ToolError(f"{day} is more than a year away; give a day within a year.")
        return day
    launch = item.launch_date if item is not None else None
    return launch if launch is not None and shop.today <= launch <= shop.today + timedelta(days=365) else shop.today
