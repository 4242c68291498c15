"""`plan_inventory`: the first buy of a product, its reorder rule, and what can go wrong."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shop import Chart, Draft, Product, Rows, Shop, Table, ToolError, ToolResult
from shop.dates import parse_day
from shop.resolve import find_product
from tools.figures import Sheet, evidence, interval
from tools.launch import has_history, launch_forecast
from tools.launch.cohort import demand_rate
from tools.newsvendor import JUDGED_WEEKS, Plan, expected_cost, newsvendor, order_plan
from tools.registry import tool

Array = NDArray[np.float64]
_DRAWS = 2000
_HISTORY_WEEKS = 26
_BOLD = 1.5  # first buy over the buy of least regret from which the reader is told
_SERVICE_RANGE = (0.5, 0.999)
_USUAL_SERVICE = 0.95
_REGRET_AT = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)


@tool("read")
def plan_inventory(
    shop: Shop,
    product: str,
    lead_time_days: int = 30,
    service_level: float | None = None,
    price: float | None = None,
    launch_date: str | None = None,
    review_days: int = 14,
    clearance_share: float = 0.5,
) -> ToolResult:
    """Plan the first order and the reorder rule for a product.

    Args:
        product: SKU, draft id or name.
        lead_time_days: Days from order to shelf, 1 to 365.
        service_level: Chance not to run out before the second order arrives, between 0.5 and 0.999. Left out: the
            level at which being wrong costs least.
        price: Price to plan at. Left out: the product's own.
        launch_date: First day on sale, as said. Left out: the draft's own.
        review_days: Days of sales seen before the second order is placed, 7 to 90.
        clearance_share: Share of the cost that an unsold unit still brings, between 0 and 1.
    """
    _check(lead_time_days, service_level, review_days, clearance_share)
    item = _as_planned(shop, find_product(shop, product), price, launch_date)
    lead, review = ceil(lead_time_days / 7), ceil(review_days / 7)
    horizon = min(52 + lead + review, max(JUDGED_WEEKS, lead + review) + lead)
    draws, basis, rows = weekly_demand(shop, item, horizon)
    price = item.price if isinstance(item, Draft) else item.list_price
    service = _service(service_level, item.cost, price, clearance_share)
    plan = order_plan(draws, lead, review, service[0])
    sheet = Sheet()
    _headline(sheet, plan, basis, lead_time_days, service, item.cost, rows)
    table, chart = _regret(sheet, plan, item.cost, price, clearance_share)
    return ToolResult(
        summary=_summary(sheet),
        figures=sheet.figures,
        tables=(table,),
        chart=chart,
        warnings=_warnings(sheet, plan, item, basis, price),
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
    return item.model_copy(update={name: value for name, value in changed.items() if value is not None})


def weekly_demand(shop: Shop, item: Draft | Product, weeks: int) -> tuple[Array, str, Rows | None]:
    """Draws of weekly demand (N, weeks), where they come from, and the rows behind them.

    A launch takes its forecast; a product with sales of its own takes its last half year, weeks out of stock masked,
    drawn with replacement: no trend and no season, which a later `forecast_demand` brings.
    """
    if isinstance(item, Draft) or not has_history(shop, item):
        horizon = min(weeks, 52)
        forecast = launch_forecast(shop, item, weeks=horizon)
        tail = np.repeat(forecast.draws[:, -1:], weeks - horizon, axis=1)
        kept = forecast.analogues[forecast.analogues["kept"]]["sku"]
        rows = evidence(shop, "daily", {"sku": tuple(kept)})
        return np.hstack([forecast.draws, tail]), "the launch forecast", rows
    since = shop.cutoff - timedelta(weeks=_HISTORY_WEEKS) + timedelta(days=1)
    daily = shop.daily(skus=[item.sku], since=since)
    rows = evidence(shop, "daily", {"sku": (item.sku,)}, since)
    seen = weekly_rates(daily, pd.Timestamp(shop.cutoff), _weeks_on_sale(shop, item))
    if len(seen) < 4:
        raise ToolError(
            f"{item.name} was in stock for fewer than four of its last {_HISTORY_WEEKS} weeks, too few to plan from; "
            "draft its successor with draft_product and plan that."
        )
    rng = np.random.default_rng(0)
    return rng.choice(seen, size=(_DRAWS, weeks)), "its own last weeks", rows


def weekly_rates(daily: pd.DataFrame, cutoff: pd.Timestamp, weeks: int) -> Array:
    """Demand per week over the last `weeks` weeks, (at most weeks,): sales at the rate of the days in stock.

    Args:
        daily: `day, units, in_stock` of one product; days without a row are days without a sale.
        cutoff: Last day; weeks count back from it.
        weeks: Weeks to look at. A week out of stock for most of its days is left out.
    """
    back = ((cutoff - daily["day"]).dt.days // 7).to_numpy()
    inside = back < weeks
    units = np.bincount(back[inside], daily["units"].to_numpy(dtype=float)[inside], minlength=weeks).astype(float)
    empty = (daily["in_stock"] == False).to_numpy(dtype=float)  # noqa: E712  (null is unknown, not out of stock)
    rates = demand_rate(units, np.bincount(back[inside], empty[inside], minlength=weeks).astype(float))
    return np.asarray(rates[np.isfinite(rates)])


def _weeks_on_sale(shop: Shop, item: Product) -> int:
    if item.launch_date is None:
        return _HISTORY_WEEKS
    return min(_HISTORY_WEEKS, ((shop.cutoff - item.launch_date).days + 1) // 7)


def _check(lead_time_days: int, service_level: float | None, review_days: int, clearance_share: float) -> None:
    if not 1 <= lead_time_days <= 365:
        raise ToolError(f"A lead time of {lead_time_days} days cannot be planned; give 1 to 365 days.")
    if service_level is not None and not _SERVICE_RANGE[0] <= service_level <= _SERVICE_RANGE[1]:
        raise ToolError(f"A service level of {service_level:g} cannot be planned; give a share between 0.5 and 0.999.")
    if not 7 <= review_days <= 90:
        raise ToolError(f"A review after {review_days} days cannot be planned; give 7 to 90 days.")
    if not 0 <= clearance_share <= 1:
        raise ToolError(f"A clearance share of {clearance_share:g} makes no sense; give a share between 0 and 1.")


def _service(asked: float | None, cost: float | None, price: float | None, clearance_share: float) -> tuple[float, str]:
    """Service level and where it comes from: as asked, else the newsvendor's ratio, else the usual one."""
    if asked is not None:
        return asked, "as given"
    if cost is None or price is None or price <= cost:
        return _USUAL_SERVICE, "the usual level, since without cost and price no level can be weighed"
    margin, loss = price - cost, cost * (1 - clearance_share)
    ratio = margin / (margin + loss) if margin + loss else _USUAL_SERVICE
    words = "margin over margin plus loss on an unsold unit (newsvendor): the level at which being wrong costs least"
    return float(np.clip(ratio, *_SERVICE_RANGE)), words


def _headline(
    sheet: Sheet,
    plan: Plan,
    basis: str,
    lead_days: int,
    service: tuple[float, str],
    cost: float | None,
    rows: Rows | None,
) -> None:
    sheet.add(
        "buy.first_buy",
        "First buy",
        plan.first_buy,
        "units",
        f"quantile of demand over the cover at the service level (newsvendor); demand from {basis}",
        rows=rows,
    )
    sheet.add("buy.lead_time", "Lead time", lead_days, "days", "as given")
    sheet.add("buy.service_level", "Service level", service[0], "share", service[1])
    sheet.add("buy.cover_weeks", "Weeks of cover", plan.cover, "weeks", "review plus lead time, in whole weeks")
    sheet.add_draws(
        "buy.demand_over_cover",
        "Demand over the cover, P50 (P10 to P90)",
        plan.over_cover,
        "units",
        f"from {basis}",
        rows,
    )
    words = "reorder point less median demand over lead time plus a week"
    sheet.add("buy.safety_stock", "Safety stock", plan.safety, "units", words)
    sheet.add(
        "buy.reorder_point",
        "Reorder point",
        plan.reorder_point,
        "units",
        "quantile of demand over lead time plus a week, after the review, at the service level; on hand plus on order",
    )
    judged = "share of simulated launches, the reorder rule followed, demand without stock lost"
    sheet.add("buy.p_stockout", "Chance to run out by week twelve", plan.p_stockout, "share", judged)
    sheet.add(
        "buy.p_overstock",
        "Chance of a quarter of the first buy unsold at week twelve",
        plan.p_overstock,
        "share",
        "share of simulated launches, reorders not counted",
    )
    reason = "the cost is not known; the buyer or the supplier's offer can supply it"
    cash = None if cost is None else plan.first_buy * cost
    sheet.add(
        "buy.cash", "Cash tied up in the first buy", cash, "money", "first buy times cost per unit", reason=reason
    )
    sheet.add(
        "buy.second_order_week",
        "Week of the second order",
        plan.second_order,
        "count",
        "median over simulated launches of the first week that ends at or under the reorder point",
        reason="most simulated launches need no second order within the weeks looked at",
    )


def _regret(
    sheet: Sheet, plan: Plan, cost: float | None, price: float | None, clearance_share: float
) -> tuple[Table, Chart]:
    """Expected regret against knowing demand, along first buys from cautious to bold."""
    known = cost is not None and price is not None and price > cost
    under = price - cost if known and price is not None and cost is not None else 1.0
    over = cost * (1 - clearance_share) if known and cost is not None else 1.0
    words = (
        "expected lost margin plus loss on unsold units over the cover, against knowing demand"
        if known
        else "expected units short plus units over at the end of the cover; in money once cost and price are known"
    )
    best = newsvendor(plan.over_cover, over, under)[0]
    sheet.add(
        "buy.least_regret_units",
        "First buy with the least expected regret",
        best,
        "units",
        "quantile of demand over the cover at margin over margin plus loss (newsvendor)" if known else "median demand",
    )
    buys = sorted({ceil(np.quantile(plan.over_cover, share)) for share in _REGRET_AT} | {plan.first_buy})
    cells, units_ids, cost_ids = [], [], []
    for number, buy in enumerate(buys, start=1):
        stem = f"buy.regret_{number}"
        first = sheet.add(f"{stem}_units", "First buy tried", buy, "units", "quantiles of demand over the cover")
        regret = expected_cost(plan.over_cover, buy, over, under)
        second = sheet.add(f"{stem}_cost", "Expected regret", regret, "money" if known else "units", words)
        cells.append((first + (" (planned)" if buy == plan.first_buy else ""), second))
        units_ids.append(f"{stem}_units")
        cost_ids.append(f"{stem}_cost")
    table = Table(title="Regret by first buy", columns=("First buy", "Expected regret"), rows=tuple(cells))
    chart = Chart(
        kind="line",
        title="Regret by first buy",
        x_label="First buy",
        y_label="Expected regret",
        x=tuple(units_ids),
        series={"Regret": tuple(cost_ids)},
    )
    return table, chart


def _summary(sheet: Sheet) -> str:
    text = [
        "Buy {{buy.first_buy}} units first: enough for {{buy.cover_weeks}} at a service level of {{buy.service_level}} "
        f"(demand P10 to P90: {interval('buy.demand_over_cover')}).",
        "Order again when stock on hand and on order falls to {{buy.reorder_point}} units.",
        "The chance to run out in the first weeks is {{buy.p_stockout}}, that of too much left {{buy.p_overstock}}.",
    ]
    if sheet.known("buy.cash"):
        text.append("The first buy ties up {{buy.cash}}.")
    return " ".join(text)


def _warnings(sheet: Sheet, plan: Plan, item: Draft | Product, basis: str, price: float | None) -> tuple[str, ...]:
    found = []
    if isinstance(item, Product) and basis == "its own last weeks":
        found.append("Demand is drawn from the product's own last weeks; trend and season are not in it.")
    if item.cost is None:
        found.append("The cost is not known, so cash and regret in money are unknown; the buyer can supply it.")
    elif price is None or price <= item.cost:
        found.append("Without a price above the cost regret is counted in units, not in money.")
    if isinstance(item, Draft) and item.launch_date is None:
        found.append("No launch date is planned; the season of an assumed one counts.")
    if plan.first_buy > _BOLD * sheet.value("buy.least_regret_units"):
        found.append(
            "The service level asks for far more than the {{buy.least_regret_units}} units with the least regret: "
            "demand is that uncertain. A lower service level or a shorter lead time costs less."
        )
    if not sheet.known("buy.second_order_week"):
        found.append("Most simulated launches need no second order in the weeks looked at; review before ordering.")
    return tuple(found)
