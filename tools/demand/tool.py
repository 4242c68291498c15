"""`forecast_demand`: the weekly forecast of a product that sells, with its method, its drivers and a what-if."""

from __future__ import annotations

import numpy as np

from shop import Chart, Product, Rows, Shop, Table, ToolError, ToolResult
from shop.resolve import find_product
from shop.types import Amount, Weeks
from tools.demand.feedback import last_review
from tools.demand.forecast import DemandForecast, demand_forecast
from tools.figures import Sheet, evidence, interval
from tools.registry import tool

_MEMBERS = {
    "seasonal_naive": "seasonal naive",
    "average": "seasonal average",
    "ets": "exponential smoothing",
    "theta": "theta",
    "ces": "complex smoothing",
    "croston": "Croston",
    "tsb": "Teunter-Syntetos-Babai",
    "linear": "linear trend",
    "trees": "LightGBM (median)",
    "boost": "LightGBM (Tweedie)",
    "hybrid": "average with LightGBM on its errors",
    "arima": "ARIMA",
    "lstm": "LSTM",
}


@tool("read", "internal")
def forecast_demand(
    shop: Shop, product: str, weeks: Weeks = 12, price: Amount | None = None, promotion: bool = False
) -> ToolResult:
    """Forecast weekly demand for a product with sales of its own.

    Args:
        product: SKU or name of a product that sells.
        weeks: Weeks ahead, 1 to 52.
        price: Price to forecast for; left out, the current one.
        promotion: Whether a promotion runs in those weeks.
    """
    item = find_product(shop, product)
    if not isinstance(item, Product):
        raise ToolError(
            f"{item.name} ({item.id}) has not sold yet; forecast_launch forecasts it from earlier launches."
        )
    if price is not None and price <= 0:
        raise ToolError(f"A price of {price:g} cannot be forecast; give a price above zero.")
    made = demand_forecast(shop, item, weeks, price, promotion)
    sheet = Sheet()
    rows = evidence(shop, "daily", {"sku": (item.sku,)})
    name = sheet.add("demand.product", "Product", item.name, "text", "as found")
    _headline(sheet, made, rows)
    table, chart = _weeks(sheet, made, rows)
    drivers = _drivers(sheet, made)
    drifted = _review(sheet, shop)
    return ToolResult(
        summary=_summary(name, made),
        figures=sheet.figures,
        tables=(table, drivers),
        chart=chart,
        warnings=_warnings(sheet, made, promotion) + drifted,
    )


def _headline(sheet: Sheet, made: DemandForecast, rows: Rows) -> None:
    low, middle, high = made.total
    sheet.add(
        "demand.units",
        "Units over the horizon, P50 (P10 to P90)",
        middle,
        "units",
        "sum of the weekly P50; half of the weekly spread persists, half is chance of the week",
        low=low,
        high=high,
        rows=rows,
    )
    sheet.add("demand.horizon", "Weeks forecast", len(made.starts), "weeks", "as asked")
    method = ", ".join(_MEMBERS[name] for name in made.method)
    rule = "trimmed mean of these, largest share first" if len(made.method) > 1 else "clearly better than any mean"
    sheet.add("demand.method", "Method", method, "text", f"{rule}; won the backtest on series of this kind")
    sheet.add("demand.kind", "Kind of series", made.kind, "text", "by length of history and weeks between sales")
    few = "too few series of this kind to try the method on"
    error = "mean absolute error over the seasonal naive's in-sample error, on earlier origins"
    sheet.add("demand.mase", "Error of the method on past weeks (MASE)", _known(made.error), "ratio", error, reason=few)
    sheet.add("demand.naive_mase", "Error of the seasonal naive", _known(made.naive_error), "ratio", error, reason=few)
    sheet.add("demand.peers", "Series the method was chosen on", made.tried, "count", "drawn from the shop's products")
    sheet.add(
        "demand.lost_weeks",
        "Weeks of the last year without stock, left out",
        made.lost_weeks,
        "weeks",
        "weeks with more than three days recorded out of stock: sales there are not demand",
    )
    if made.price is not None:
        sheet.add("demand.price", "Price forecast for", made.price, "money", "as given")
    if made.support is not None:
        sheet.add("demand.price_low", "Lowest price seen", made.support[0], "money", "weekly average paid")
        sheet.add("demand.price_high", "Highest price seen", made.support[1], "money", "weekly average paid")
    if made.elasticity is not None:
        e = made.elasticity
        sheet.add("demand.elasticity", f"Elasticity of {e.source}", e.value, "ratio", "", low=e.low, high=e.high)


def _weeks(sheet: Sheet, made: DemandForecast, rows: Rows) -> tuple[Table, Chart]:
    cells, days, ids = [], [], []
    for number, (start, (low, middle, high)) in enumerate(zip(made.starts, made.quantiles, strict=True), start=1):
        day_id, unit_id = f"demand.start_{number:02d}", f"demand.week_{number:02d}"
        day = sheet.add(day_id, "Week from", start.date(), "date", "seven days that follow the data")
        units = sheet.add(
            unit_id,
            "Units in the week, P50 (P10 to P90)",
            middle,
            "units",
            "blend of the method's members; interval from its errors on past origins (conformal)",
            low=low,
            high=high,
            rows=rows,
        )
        cells.append((day, units, interval(unit_id)))
        days.append(day_id)
        ids.append(unit_id)
    table = Table(title="Demand by week", columns=("Week from", "P50", "P10 to P90"), rows=tuple(cells))
    chart = Chart(
        kind="fan",
        title="Demand forecast",
        x_label="Week from",
        y_label="Units",
        x=tuple(days),
        series={
            "P10": tuple(f"{i}.low" for i in ids),
            "P50": tuple(ids),
            "P90": tuple(f"{i}.high" for i in ids),
        },
    )
    return table, chart


def _drivers(sheet: Sheet, made: DemandForecast) -> Table:
    how = "units that the driver adds over the weeks; all add up to the forecast exactly (TreeSHAP, level-trend-season)"
    cells = []
    order = sorted(made.drivers.items(), key=lambda pair: -abs(float(pair[1].sum())))
    for name, units in order:
        figure = f"demand.driver_{name.replace(' ', '_')}"
        cells.append((name, sheet.add(figure, f"Units from {name}", float(units.sum()), "units", how)))
    cells.append(("all together", "{{demand.units}}"))
    return Table(title="What makes it up", columns=("Driver", "Units over the weeks"), rows=tuple(cells))


def _review(sheet: Sheet, shop: Shop) -> tuple[str, ...]:
    """When forecasts were last held to what came, and a warning where something had drifted."""
    week, alarms = last_review(shop)
    reason = "no sales were taken in yet; run the feedback command after an import"
    how = "errors of every method on the weeks up to this one moved the weights"
    sheet.add("demand.reviewed", "Last week taken in as feedback, from", week, "date", how, reason=reason)
    if not alarms:
        return ()
    names = sheet.add(
        "demand.drifted", "What drifted", "; ".join(alarms), "text", "PSI on inputs, Page-Hinkley on errors"
    )
    return (f"Something moved since the method was learned: {names}. Look at the feedback report first.",)


def _summary(name: str, made: DemandForecast) -> str:
    return (
        f"{name} is expected to sell {{{{demand.units}}}} units ({interval('demand.units')}) over the next "
        "{{demand.horizon}}. Most of it comes from its recent level ({{demand.driver_recent_level}} units)."
    )


def _warnings(sheet: Sheet, made: DemandForecast, promotion: bool) -> tuple[str, ...]:
    found = []
    if made.price is not None and made.support is not None and not made.support[0] <= made.price <= made.support[1]:
        found.append(
            "The price lies outside {{demand.price_low}} to {{demand.price_high}}, the prices seen; "
            "the answer to it is a guess along the elasticity."
        )
    if made.price is not None and made.elasticity is None:
        found.append(
            "No price around this product ever moved enough to tell, so the price does not change the forecast."
        )
    if not sheet.known("demand.mase"):
        found.append("Too few series of this kind exist to try the method on, so its interval is borrowed from others.")
    if promotion:
        found.append("The promotion's effect is what past promotions of this product did; plan_promotion looks closer.")
    return tuple(found)


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
