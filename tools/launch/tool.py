"""`forecast_launch`: the forecast of a launch as figures, tables and a fan chart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np

from shop import Chart, Draft, Product, Rows, Shop, Table, ToolError, ToolResult
from shop.dates import parse_day
from shop.resolve import find_product
from shop.types import Amount, Day, Weeks
from tools.figures import Sheet, evidence, interval
from tools.launch.forecast import LaunchForecast, launch_forecast
from tools.launch.lessons import lesson_table
from tools.launch.why import why_tables
from tools.registry import tool

_FEW = "the shop has too few finished launches to try the method on"
_SELLING_WEEKS = 8


@tool("read", "internal")
def forecast_launch(
    shop: Shop, product: str, price: Amount | None = None, launch_date: Day | None = None, weeks: Weeks = 12
) -> ToolResult:
    """Forecast weekly demand for a product without history from the shop's earlier launches.

    Args:
        product: SKU, draft id or name of a product that has not sold yet.
        price: Price to forecast for; left out, the product's own.
        launch_date: Launch day as said, such as 3 March; left out, the product's own.
        weeks: Weeks from the launch, 1 to 52.
    """
    item = plannable(shop, product)
    if price is not None and price <= 0:
        raise ToolError(f"A price of {price:g} cannot be forecast; give a price above zero.")
    day = parse_day(launch_date, shop.today) if launch_date else None
    forecast = launch_forecast(shop, item, price, day, weeks)
    sheet = Sheet()
    rows = _evidence(shop, forecast)
    _headline(sheet, forecast, rows)
    week_table, chart = _weeks(sheet, forecast, rows)
    analogue_table = _analogues(shop, sheet, forecast)
    _errors(sheet, forecast)
    whys = why_tables(sheet, forecast)
    lessons = lesson_table(shop, sheet, list(forecast.analogues["sku"]))
    return ToolResult(
        summary=_summary(sheet, forecast),
        figures=sheet.figures,
        tables=(week_table, analogue_table, *whys, *([lessons] if lessons else [])),
        chart=chart,
        warnings=_warnings(item, forecast),
    )


def plannable(shop: Shop, product: str) -> Draft | Product:
    """The draft or product meant, if it has no history of its own.

    Raises:
        ToolError: It already sells.
    """
    item = find_product(shop, product)
    if isinstance(item, Product) and has_history(shop, item):
        raise ToolError(
            f"{item.name} ({item.sku}) already has its own sales, so there is no launch to forecast; "
            "draft the new product with draft_product, or ask for a price or a stock plan for this one."
        )
    return item


def has_history(shop: Shop, item: Product) -> bool:
    """Whether the product has been on sale for eight weeks, long enough to plan from its own sales."""
    if item.launch_date is not None and (shop.cutoff - item.launch_date).days < 7 * _SELLING_WEEKS:
        return False
    return not shop.daily(skus=[item.sku]).empty


def _evidence(shop: Shop, forecast: LaunchForecast) -> Rows:
    """The daily sales of the analogues over their first weeks."""
    kept = forecast.analogues[forecast.analogues["kept"]]
    skus = tuple(kept["sku"])
    since = kept["launched"].min().date() if skus else None
    return evidence(shop, "daily", {"sku": skus}, since)


def _headline(sheet: Sheet, forecast: LaunchForecast, rows: Rows) -> None:
    weeks = len(forecast.starts)
    sheet.add_draws(
        f"launch.units_{weeks}w",
        "Units over the launch horizon, P50 (P10 to P90)",
        forecast.total,
        "units",
        "a combination, learned on the shop's past launches, of mean and median launch curve, analogues, kriging and "
        "boosted trees, times the price effect; quantiles from how wrong past forecasts were (conformal prediction)",
        rows,
    )
    if forecast.price is None:
        sheet.add(f"launch.revenue_{weeks}w", "Revenue over the launch horizon", None, "money", reason=_no_price())
    else:
        sheet.add_draws(
            f"launch.revenue_{weeks}w",
            "Revenue over the launch horizon, P50 (P10 to P90)",
            forecast.total * forecast.price,
            "money",
            "units by simulated launch, times the price",
            rows,
        )
    sheet.add("launch.horizon", "Weeks forecast", weeks, "weeks", "as asked")
    sheet.add("launch.seen", "Weeks already sold", forecast.seen, "weeks", "whole weeks since the launch date")
    sheet.add("launch.price", "Price forecast for", forecast.price, "money", "as planned", reason=_no_price())
    assumed = "assumed: four weeks from today, no date is planned" if forecast.date_assumed else "as planned"
    sheet.add("launch.date", "Launch date", forecast.starts[0], "date", assumed)
    sheet.add(
        "launch.season",
        "Season of the launch weeks against an ordinary week",
        forecast.season,
        "ratio",
        "the shop's season over the launch weeks, weighted by the usual launch curve, from a periodic Gaussian process "
        "on the weekly sales of products on sale before the data begin",
    )
    sheet.add(
        "launch.level_source",
        "Launches that set the level",
        forecast.source,
        "text",
        "narrowest category with at least five finished launches; each is shrunk toward the wider ones",
    )


def _no_price() -> str:
    return "no price is planned; the category manager can set one, or recommend_price can propose one"


def _weeks(sheet: Sheet, forecast: LaunchForecast, rows: Rows) -> tuple[Table, Chart]:
    ids = [f"launch.week_{week:02d}" for week in range(1, len(forecast.starts) + 1)]
    cells = []
    for figure_id, start, (low, middle, high) in zip(ids, forecast.starts, forecast.quantiles, strict=True):
        begins = sheet.add(
            f"{figure_id}_start", "First day of the launch week", start, "date", "launch date plus weeks"
        )
        sheet.add(
            figure_id,
            "Units in the launch week, P50 (P10 to P90)",
            middle,
            "units",
            "point forecast with bounds from how wrong past forecasts of such weeks were (conformal prediction); "
            "weekly bounds add up to more than the bounds of the sum",
            low=low,
            high=high,
            rows=rows,
        )
        cells.append((begins, "{{" + figure_id + ".low}}", "{{" + figure_id + "}}", "{{" + figure_id + ".high}}"))
    table = Table(title="Units by launch week", columns=("Week from", "P10", "P50", "P90"), rows=tuple(cells))
    chart = Chart(
        kind="fan",
        title="Units by launch week",
        x_label="Week from",
        y_label="Units",
        x=tuple(f"{i}_start" for i in ids),
        series={"P10": tuple(f"{i}.low" for i in ids), "P50": tuple(ids), "P90": tuple(f"{i}.high" for i in ids)},
    )
    return table, chart


def _analogues(shop: Shop, sheet: Sheet, forecast: LaunchForecast) -> Table:
    frame = forecast.analogues
    plan = float(np.median(forecast.total)) if len(forecast.starts) == forecast.basis else None
    kept = "the earlier launches most alike, at most ten"
    sheet.add("launch.analogues", "Analogues kept", int(frame["kept"].sum()), "count", kept)
    cells = [
        _analogue(shop, sheet, forecast.basis, number, row)
        for number, row in enumerate(frame.to_dict("records"), start=1)
    ]
    judged = frame[frame["kept"]]
    reason = "analogues are compared over the first weeks only; ask for the usual horizon"
    formula = "kept analogues whose units over the same weeks reached the forecast's P50, of all kept"
    hit = int((judged["units"] >= plan).sum()) if plan is not None else None
    sheet.add("launch.base_rate_hit", "Analogues that reached the plan", hit, "count", formula, reason=reason)
    sheet.add("launch.base_rate_of", "Analogues judged", len(judged), "count", formula)
    columns = ("Analogue", "Launched", "Price", "Units", "Similarity", "Weight", "Kept or dropped")
    return Table(title="Earlier launches like this one", columns=columns, rows=tuple(cells))


def _analogue(shop: Shop, sheet: Sheet, basis: int, number: int, row: Mapping[Any, Any]) -> tuple[str, ...]:
    own = Rows(table="products", where={"sku": (str(row["sku"]),)}, count=1)
    stem = f"launch.analogue_{number}"
    price, day = float(row["price"]), row["launched"].date()
    return (
        sheet.add(f"{stem}_name", "Analogue", f"{row['name']} ({row['sku']})", "text", "from the catalogue", rows=own),
        sheet.add(f"{stem}_launched", "Its launch date", day, "date", "from the catalogue", rows=own),
        sheet.add(
            f"{stem}_price",
            "Its price in the first week",
            None if np.isnan(price) else price,
            "money",
            "revenue over units of the first week with a sale",
            reason="no sale in the first weeks and no list price",
        ),
        sheet.add(
            f"{stem}_units",
            "Its units over the weeks compared",
            float(row["units"]),
            "units",
            "sales at the rate of the days in stock; weeks out of stock at the rate before",
            rows=evidence(shop, "daily", {"sku": (str(row["sku"]),)}, day, day + timedelta(weeks=basis, days=-1)),
        ),
        sheet.add(
            f"{stem}_similarity",
            "Similarity",
            float(row["similarity"]),
            "share",
            "likeness of the texts, and of the pictures where both have one, closeness of the prices, common category "
            "path; of the most there can be",
        ),
        sheet.add(f"{stem}_weight", "Weight", float(row["weight"]), "share", "analogues count equally"),
        sheet.add(f"{stem}_fate", "Kept or dropped", str(row["why"]), "text", "the most alike are kept"),
    )


def _errors(sheet: Sheet, forecast: LaunchForecast) -> None:
    errors = forecast.errors
    reason = f"{_FEW}; it needs a year or more of launches"
    how = "each past launch forecast from what was known on its launch day; totals over the weeks compared"
    sheet.add("launch.wape", "Error on past launches (WAPE)", errors.wape, "share", how, reason=reason)
    sheet.add(
        "launch.wape_median_curve",
        "Error of the shop's median launch (WAPE)",
        errors.floor,
        "share",
        "the same launches, each forecast as the median of the launches before it",
        reason=reason,
    )
    sheet.add(
        "launch.bias", "Bias on past launches", errors.bias, "share", f"sum of errors over sales; {how}", reason=reason
    )
    sheet.add(
        "launch.coverage",
        "Past launches inside P10 to P90",
        errors.coverage,
        "share",
        "share of the same launches whose total lay inside the interval given on their day",
        reason=reason,
    )
    sheet.add("launch.backtests", "Past launches tried", errors.tried, "count", how)


def _summary(sheet: Sheet, forecast: LaunchForecast) -> str:
    weeks = f"launch.units_{len(forecast.starts)}w"
    text = [
        f"A launch on {{{{launch.date}}}} is expected to sell {{{{{weeks}}}}} units in {{{{launch.horizon}}}} "
        f"(P10 to P90: {interval(weeks)}).",
        "The level comes from {{launch.level_source}} and {{launch.analogues}} analogues.",
    ]
    if sheet.known("launch.base_rate_hit"):
        text.append("Of {{launch.base_rate_of}} analogues, {{launch.base_rate_hit}} sold that much.")
    if sheet.known("launch.wape"):
        text.append(
            "On {{launch.backtests}} past launches of this shop the method was off by {{launch.wape}} of sales, "
            "the median launch by {{launch.wape_median_curve}}."
        )
    else:
        text.append(f"How wrong the method is here is unknown: {_FEW}.")
    return " ".join(text)


def _warnings(item: Draft | Product, forecast: LaunchForecast) -> tuple[str, ...]:
    own = item.price if isinstance(item, Draft) else item.list_price
    found = []
    if forecast.seen:
        found.append(
            "The product is on sale: {{launch.seen}} are what was sold, and they move the forecast of the rest."
        )
    if forecast.date_assumed:
        found.append("No launch date is planned; the forecast assumes {{launch.date}}.")
    if not item.category:
        found.append("The product has no category, so the level comes from all launches of the shop.")
    elif forecast.narrower:
        found.append("Too few launches of its own category are over; {{launch.level_source}} stand in for it.")
    if forecast.price is None:
        found.append("No price is planned, so price played no part and revenue is unknown.")
    if forecast.outside:
        found.append(
            "The price {{launch.price}} lies outside what earlier launches were sold at; "
            "the forecast stops at the edge of those prices."
        )
    if own is not None and forecast.price not in (None, own) and forecast.elasticity is None:
        found.append("Past prices do not tell how demand answers to price, so the change of price moves nothing here.")
    errors = forecast.errors
    if errors.wape is not None and errors.floor is not None and errors.wape > errors.floor:
        found.append("On past launches the shop's median launch was the better guide; take the middle with care.")
    return tuple(found)
