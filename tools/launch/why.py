"""The figures behind a launch forecast: what drives it, and what it does to the products beside it."""

from __future__ import annotations

from shop import Rows, Table
from tools.figures import Sheet
from tools.launch.drivers import LABELS
from tools.launch.effects import LEAST_LAUNCHES, WINDOW
from tools.launch.forecast import LaunchForecast
from tools.launch.learning import HORIZON

_PARTS = (
    "the members of the forecast taken apart and put together with their weights: kriging terms shared out by the "
    "logarithmic mean, TreeSHAP values of the boosted trees, differences between curves; the parts add up to the point "
    "forecast"
)
_BESIDE = (
    "past launches: log change of the weekly sales of the five products most like them, the eight weeks after against "
    "the eight before, less that of products unlike them over the same weeks; bootstrap over launch weeks"
)


def why_tables(sheet: Sheet, forecast: LaunchForecast) -> tuple[Table, ...]:
    """Enter the drivers and the neighbours, and return their tables."""
    return _drivers(sheet, forecast), _neighbours(sheet, forecast)


def _drivers(sheet: Sheet, forecast: LaunchForecast) -> Table:
    sheet.add("launch.learned_weeks", "Weeks that are learned", HORIZON, "weeks", "the drivers cover these")
    cells = []
    for name, units in sorted(forecast.drivers.items(), key=lambda part: -abs(part[1])):
        if abs(units) >= 0.005 * abs(forecast.point):
            cells.append((LABELS[name], sheet.add(f"launch.driver_{name}", LABELS[name], units, "units", _PARTS)))
    rest = sum(units for units in forecast.drivers.values() if abs(units) < 0.005 * abs(forecast.point))
    if rest:
        cells.append(("All others", sheet.add("launch.driver_others", "All other drivers", rest, "units", _PARTS)))
    point = sheet.add("launch.point", "Point forecast on the launch day", forecast.point, "units", _PARTS)
    return Table(
        title="Units by driver over the first {{launch.learned_weeks}}",
        columns=("Driver", "Units"),
        rows=(*cells, ("Point forecast on the launch day", point)),
    )


def _neighbours(sheet: Sheet, forecast: LaunchForecast) -> Table:
    impact = forecast.impact
    sheet.add("launch.effect_launches", "Past launches behind the effect", impact.launches, "count", _BESIDE)
    sheet.add("launch.effect_weeks", "Weeks compared", WINDOW, "weeks", "before and after a launch")
    middle, low, high = impact.change or (None, None, None)
    reason = f"unknown, too few launches with products beside them: {LEAST_LAUNCHES} are needed"
    sheet.add(
        "launch.effect",
        "Change of the neighbours' sales, P50 (P10 to P90); below zero is cannibalisation, above it halo",
        middle,
        "share",
        _BESIDE,
        low=low,
        high=high,
        reason=reason,
    )
    weekly = float(impact.rates.sum()) * WINDOW
    sheet.add(
        "launch.effect_units",
        "Units that the neighbours lose or gain over the weeks compared",
        None if middle is None else weekly * middle,
        "units",
        "their sales a week of late, times the weeks, times the change",
        low=None if low is None else weekly * low,
        high=None if high is None else weekly * high,
        reason=reason,
    )
    cells = []
    for number, (row, rate) in enumerate(
        zip(forecast.neighbours.to_dict("records"), impact.rates, strict=True), start=1
    ):
        own = Rows(table="products", where={"sku": (str(row["sku"]),)}, count=1)
        stem = f"launch.neighbour_{number}"
        name = sheet.add(f"{stem}_name", "Neighbour", f"{row['name']} ({row['sku']})", "text", "catalogue", rows=own)
        sold = sheet.add(f"{stem}_rate", "Its units a week", float(rate), "units", "mean of the last eight weeks")
        cells.append((name, sold))
    return Table(title="Products beside it", columns=("Product", "Units a week"), rows=tuple(cells))
