"""`market_trend`: how big a category is, where it is going, when it sells, who carries it and where."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from shop import Chart, Rows, Shop, Table, ToolError, ToolResult
from shop.resolve import find_category
from shop.types import Weeks
from tools.demand.panel import Array
from tools.demand.read import ShopPanel, read_panel
from tools.demand.series import seasonal_component
from tools.figures import Sheet, evidence, interval
from tools.market.regions import region_table
from tools.market.trend import YEAR, herfindahl, trend_line, without_season
from tools.outside import influence, read_outside
from tools.registry import tool

_LEADERS = 5


@tool("read", "internal")
def market_trend(shop: Shop, category: str, weeks: Weeks = 52, region: str | None = None) -> ToolResult:
    """Describe a category: size, growth, season, share of the shop, concentration and regions.

    Args:
        category: Category as said.
        weeks: Weeks back that size and growth are taken over, 4 to 104.
        region: Region to look at beside the others; left out, all regions are compared.
    """
    if not 4 <= weeks <= 104:
        raise ToolError(f"{weeks} weeks cannot be summed up; give 4 to 104 weeks.")
    path = find_category(shop, category)
    data = read_panel(shop, weeks=3 * YEAR + weeks)
    mine = None if data is None else _inside(data, path)
    if data is None or mine is None or not mine.any() or data.revenue[mine, -weeks:].sum() <= 0:
        raise ToolError(f"Nothing has sold in {path} over the last {weeks} weeks; ask for its parent category.")
    sheet = Sheet()
    rows = evidence(shop, "daily", {"sku": tuple(data.frame.loc[mine, "sku"])}, shop.cutoff - timedelta(weeks=weeks))
    name = sheet.add("market.category", "Category", path, "text", "as found")
    _size(sheet, data, mine, weeks, rows)
    _direction(sheet, data, mine)
    _season(sheet, data, mine)
    _concentration(sheet, data, mine, weeks)
    reaches = len(data.panel.starts) >= 2 * weeks
    regions, outside = region_table(shop, sheet, path, weeks, region, reaches), _outside(shop, sheet, data, mine)
    chart = _chart(sheet, data, mine)
    return ToolResult(
        summary=_summary(sheet, name),
        figures=sheet.figures,
        tables=tuple(table for table in (regions, outside) if table is not None),
        chart=chart,
        warnings=() if regions else ("The orders name no region, so regions cannot be compared.",),
    )


def _size(sheet: Sheet, data: ShopPanel, mine: np.ndarray, weeks: int, rows: Rows) -> None:
    revenue, units = data.revenue[mine], data.sold[mine]
    now, shop_now = revenue[:, -weeks:].sum(), data.revenue[:, -weeks:].sum()
    sheet.add("market.weeks", "Weeks summed up", min(weeks, revenue.shape[1]), "weeks", "back from the last data")
    sheet.add("market.revenue", "Revenue", now, "money", "sum of sales", rows=rows)
    sheet.add("market.units", "Units", units[:, -weeks:].sum(), "units", "sum of sales", rows=rows)
    active = int((units[:, -weeks:].sum(axis=1) > 0).sum())
    sheet.add("market.products", "Products that sold", active, "count", "with a sale in those weeks", rows=rows)
    sheet.add("market.share", "Share of the shop's revenue", now / shop_now, "share", "revenue over the shop's")
    _growth(sheet, "market.growth", "Growth over the weeks before", revenue, weeks, weeks)
    _growth(sheet, "market.growth_year", "Growth over the same weeks a year before", revenue, weeks, YEAR)


def _growth(sheet: Sheet, figure: str, label: str, revenue: Array, weeks: int, back: int) -> None:
    have = revenue.shape[1]
    before = revenue[:, max(0, have - weeks - back) : have - back].sum() if have >= weeks + back else 0.0
    value = revenue[:, -weeks:].sum() / before - 1 if before > 0 else None
    reason = "the data do not reach back that far, or nothing sold then"
    sheet.add(figure, label, value, "share", "revenue over the earlier revenue, less one", reason=reason)


def _direction(sheet: Sheet, data: ShopPanel, mine: np.ndarray) -> None:
    total = data.sold[mine].sum(axis=0)
    trend = trend_line(without_season(total))
    label, reason = "Trend per week over half a year", "fewer than eight weeks with sales"
    how = "least squares on log units by week, season taken out; bounds allow for autocorrelation"
    if trend is None:
        sheet.add("market.trend", label, None, "share", reason=reason)
    else:
        sheet.add("market.trend", label, trend.value, "share", how, low=trend.low, high=trend.high)


def _season(sheet: Sheet, data: ShopPanel, mine: np.ndarray) -> None:
    total = data.sold[mine].sum(axis=0)
    reason = "less than a year of data: season and trend cannot be told apart"
    if len(total) < YEAR + 4:
        for figure, label in (("market.peak", "Week of the peak"), ("market.trough", "Week of the trough")):
            sheet.add(figure, label, None, "date", reason=reason)
        sheet.add("market.season", "Peak over an ordinary week", None, "ratio", reason=reason)
        return
    index = seasonal_component(np.log(np.maximum(total, 1.0)), YEAR)
    # The next time that each week of the season comes.
    position = (np.arange(YEAR) + len(total)) % YEAR
    starts = data.panel.starts[-1] + pd.to_timedelta(7 * (np.arange(YEAR) + 1), unit="D")
    ahead = index[position]
    how = "mean over years of detrended log units by week, smoothed"
    sheet.add("market.peak", "Week of the next peak", starts[int(ahead.argmax())].date(), "date", how)
    sheet.add("market.trough", "Week of the next trough", starts[int(ahead.argmin())].date(), "date", how)
    sheet.add("market.season", "Peak over an ordinary week", float(np.exp(ahead.max())), "ratio", how)


def _concentration(sheet: Sheet, data: ShopPanel, mine: np.ndarray, weeks: int) -> None:
    each = np.sort(data.revenue[mine, -weeks:].sum(axis=1))[::-1]
    top = float(each[:_LEADERS].sum() / each.sum())
    sheet.add("market.leaders", "Revenue share of the five best sellers", top, "share", "their revenue over all")
    sheet.add("market.herfindahl", "Concentration (Herfindahl)", herfindahl(each), "ratio", "sum of squared shares")


def _outside(shop: Shop, sheet: Sheet, data: ShopPanel, mine: np.ndarray) -> Table | None:
    """Outside series with which forecasts of the category were surely better; None without any."""
    series = read_outside(shop, data.panel.starts)
    if not series:
        return None
    units = data.sold[mine].sum(axis=0)
    found = [one for one in (influence(name, units, values) for name, values in series.items()) if one is not None]
    told = sorted((one for one in found if one.helps), key=lambda one: -one.gain[0])
    sheet.add("market.outside_tried", "Outside series tried", len(found), "count", "known for over a year of weeks")
    sheet.add("market.outside_told", "Of them helpful", len(told), "count", "bounds of the gain above zero")
    cells = []
    for number, one in enumerate(told[:_LEADERS], start=1):
        stem = f"market.outside_{number}"
        how = "log units on trend, season, the week before and the series; where it is one standard deviation up"
        gain = "error of next week's forecast saved, on weeks not learned from; bounds by block bootstrap"
        value, low, high = one.effect
        saved, least, most = one.gain
        cells.append(
            (
                sheet.add(f"{stem}_name", "Series", one.name, "text", "as imported"),
                sheet.add(f"{stem}_lag", "Weeks until it shows", one.lag, "weeks", "chosen on earlier weeks"),
                sheet.add(f"{stem}_effect", "Change of units", value, "share", how, low=low, high=high),
                interval(f"{stem}_effect"),
                sheet.add(f"{stem}_gain", "Error saved", saved, "share", gain, low=least, high=most),
                interval(f"{stem}_gain"),
            )
        )
    columns = ("Series", "After", "Change of units", "P10 to P90", "Error saved", "P10 to P90")
    return Table(title="Outside series", columns=columns, rows=tuple(cells)) if cells else None


def _inside(data: ShopPanel, path: str) -> np.ndarray:
    category = data.frame["category"].astype(str)
    return ((category == path) | category.str.startswith(f"{path} > ")).to_numpy()


def _chart(sheet: Sheet, data: ShopPanel, mine: np.ndarray) -> Chart:
    total = data.sold[mine].sum(axis=0)[-YEAR:]
    starts = data.panel.starts[-len(total) :]
    days, ids = [], []
    for number, (start, units) in enumerate(zip(starts, total, strict=True), start=1):
        days.append(f"market.start_{number:02d}")
        ids.append(f"market.week_{number:02d}")
        sheet.add(days[-1], "Week from", start.date(), "date", "seven days")
        sheet.add(ids[-1], "Units in the week", units, "units", "sum of sales")
    return Chart(
        kind="line",
        title="Units by week",
        x_label="Week from",
        y_label="Units",
        x=tuple(days),
        series={"Units": tuple(ids)},
    )


def _summary(sheet: Sheet, name: str) -> str:
    text = f"{name} took {{{{market.revenue}}}} over the last {{{{market.weeks}}}}, {{{{market.share}}}} of the shop."
    if sheet.known("market.growth_year"):
        text += " Against a year before it changed by {{market.growth_year}}."
    elif sheet.known("market.growth"):
        text += " Against the weeks before it changed by {{market.growth}}."
    if sheet.known("market.peak"):
        text += " Its next peak is around {{market.peak}}."
    if sheet.known("market.outside_1_name"):
        text += " It follows {{market.outside_1_name}} after {{market.outside_1_lag}}."
    return text
