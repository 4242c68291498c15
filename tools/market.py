"""`market_trend`: how big a category is, where it is going, when it sells, who carries it and where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from sqlalchemy import func, or_, select

from shop import Chart, Rows, Shop, Table, ToolError, ToolResult
from shop import schema as t
from shop.resolve import find_category
from shop.types import Weeks
from tools.demand.panel import Array
from tools.demand.read import ShopPanel, read_panel
from tools.demand.series import seasonal_component
from tools.figures import Sheet, evidence, interval
from tools.outside import influence, read_outside
from tools.registry import tool

_YEAR = 52
_LEADERS = 5
_TREND_WEEKS = 26


@dataclass(frozen=True)
class Trend:
    """A trend line: change per week as a share, and its 80 % bounds."""

    value: float
    low: float
    high: float


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
    data = read_panel(shop, weeks=3 * _YEAR + weeks)
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
    regions, outside = _regions(shop, sheet, path, weeks, region, reaches), _outside(shop, sheet, data, mine)
    chart = _chart(sheet, data, mine)
    return ToolResult(
        summary=_summary(sheet, name),
        figures=sheet.figures,
        tables=tuple(table for table in (regions, outside) if table is not None),
        chart=chart,
        warnings=() if regions else ("The orders name no region, so regions cannot be compared.",),
    )


def trend_line(series: Array, outside: Array | None = None, weeks: int = _TREND_WEEKS) -> Trend | None:
    """Weekly growth of a positive series by least squares on its log, over its last weeks.

    Args:
        series: Weekly values (T,), season taken out.
        outside: Series (T, K) whose movements are to be taken out, such as an index of the market; None for none.
        weeks: Weeks looked back.

    Returns:
        None with fewer than eight weeks above zero. Bounds from the t distribution, with the residual's lag-one
        autocorrelation in the effective number of weeks.
    """
    from scipy.stats import t as student

    y = series[-weeks:]
    good = np.flatnonzero(y > 0)
    if len(good) < 8:
        return None
    x = np.column_stack([np.ones(len(good)), good.astype(float)])
    if outside is not None:
        x = np.column_stack([x, outside[-weeks:][good]])
    beta, *_ = np.linalg.lstsq(x, np.log(y[good]), rcond=None)
    left = np.log(y[good]) - x @ beta
    rho = float(np.clip(np.corrcoef(left[:-1], left[1:])[0, 1], 0.0, 0.9)) if left.std() > 1e-12 else 0.0
    spare = max(len(good) * (1 - rho) / (1 + rho) - x.shape[1], 2.0)
    variance = left @ left / spare
    sd = float(np.sqrt(variance * np.linalg.pinv(x.T @ x)[1, 1]))
    reach = float(student.ppf(0.9, spare)) * sd
    return Trend(*(float(np.expm1(v)) for v in (beta[1], beta[1] - reach, beta[1] + reach)))


def herfindahl(values: Array) -> float:
    """Sum of squared shares: 1 for one product, 1/n for n equal ones; 0 where nothing was sold."""
    total = values.sum()
    return float(((values / total) ** 2).sum()) if total > 0 else 0.0


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
    _growth(sheet, "market.growth_year", "Growth over the same weeks a year before", revenue, weeks, _YEAR)


def _growth(sheet: Sheet, figure: str, label: str, revenue: Array, weeks: int, back: int) -> None:
    have = revenue.shape[1]
    before = revenue[:, max(0, have - weeks - back) : have - back].sum() if have >= weeks + back else 0.0
    value = revenue[:, -weeks:].sum() / before - 1 if before > 0 else None
    reason = "the data do not reach back that far, or nothing sold then"
    sheet.add(figure, label, value, "share", "revenue over the earlier revenue, less one", reason=reason)


def _direction(sheet: Sheet, data: ShopPanel, mine: np.ndarray) -> None:
    total = data.sold[mine].sum(axis=0)
    trend = trend_line(_without_season(total))
    label, reason = "Trend per week over half a year", "fewer than eight weeks with sales"
    how = "least squares on log units by week, season taken out; bounds allow for autocorrelation"
    if trend is None:
        sheet.add("market.trend", label, None, "share", reason=reason)
    else:
        sheet.add("market.trend", label, trend.value, "share", how, low=trend.low, high=trend.high)


def _without_season(total: Array) -> Array:
    if len(total) < _YEAR + 4:
        return total
    index = seasonal_component(np.log(np.maximum(total, 1.0)), _YEAR)
    return np.asarray(total / np.exp(np.resize(index, len(total))))


def _season(sheet: Sheet, data: ShopPanel, mine: np.ndarray) -> None:
    total = data.sold[mine].sum(axis=0)
    reason = "less than a year of data: season and trend cannot be told apart"
    if len(total) < _YEAR + 4:
        for figure, label in (("market.peak", "Week of the peak"), ("market.trough", "Week of the trough")):
            sheet.add(figure, label, None, "date", reason=reason)
        sheet.add("market.season", "Peak over an ordinary week", None, "ratio", reason=reason)
        return
    index = seasonal_component(np.log(np.maximum(total, 1.0)), _YEAR)
    # The next time that each week of the season comes.
    position = (np.arange(_YEAR) + len(total)) % _YEAR
    starts = data.panel.starts[-1] + pd.to_timedelta(7 * (np.arange(_YEAR) + 1), unit="D")
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


def _regions(shop: Shop, sheet: Sheet, path: str, weeks: int, region: str | None, reaches: bool) -> Table | None:
    """Revenue by region; its growth is unknown unless the data `reaches` back over as many weeks again."""
    frame = region_revenue(shop, path, weeks)
    frame = frame[frame["region"] != ""]
    if frame.empty:
        if region is not None:
            raise ToolError("The orders name no region; leave the region out.")
        return None
    if region is not None and region.lower() not in {name.lower() for name in frame["region"]}:
        listed = ", ".join(sorted(frame["region"]))
        raise ToolError(f"There is no region “{region}” in the orders of {path}; the regions are {listed}.")
    total = frame["now"].sum()
    cells = []
    order = frame.sort_values("now", ascending=False)
    if region is not None:
        chosen = order["region"].str.lower() == region.lower()
        order = pd.concat([order[chosen], order[~chosen]])
    for number, row in enumerate(order.head(12).to_dict("records"), start=1):
        stem = f"market.region_{number}"
        growth = row["now"] / row["before"] - 1 if reaches and row["before"] > 0 else None
        cells.append(
            (
                sheet.add(f"{stem}_name", "Region", str(row["region"]), "text", "as the orders say"),
                sheet.add(f"{stem}_revenue", "Revenue", float(row["now"]), "money", "sum of order lines"),
                sheet.add(f"{stem}_share", "Share", float(row["now"] / total), "share", "of all regions"),
                sheet.add(
                    f"{stem}_growth",
                    "Growth",
                    growth,
                    "share",
                    "over the weeks before",
                    reason="the data do not reach back that far, or nothing sold then",
                ),
            )
        )
    return Table(title="Regions", columns=("Region", "Revenue", "Share", "Growth"), rows=tuple(cells))


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


def region_revenue(shop: Shop, path: str, weeks: int) -> pd.DataFrame:
    """Revenue by region in the last weeks and in as many before: `region, now, before`."""
    o, lines, p = t.orders, t.order_lines, t.products
    last = shop.cutoff + timedelta(days=1)
    middle, first = last - timedelta(weeks=weeks), last - timedelta(weeks=2 * weeks)
    money = lines.c.units * lines.c.price_cents
    query = (
        select(
            o.c.region,
            func.sum(money).filter(o.c.placed_at >= middle).label("now"),
            func.sum(money).filter(o.c.placed_at < middle).label("before"),
        )
        .join(lines, lines.c.order_id == o.c.id)
        .join(p, p.c.sku == lines.c.sku)
        .where(
            o.c.placed_at >= first,
            o.c.placed_at < last,
            or_(p.c.category == path, p.c.category.startswith(path + " > ", autoescape=True)),
        )
        .group_by(o.c.region)
    )
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).fetchall(), columns=["region", "now", "before"])
    frame[["now", "before"]] = frame[["now", "before"]].astype(float).fillna(0.0) / 100
    return frame


def _inside(data: ShopPanel, path: str) -> np.ndarray:
    category = data.frame["category"].astype(str)
    return ((category == path) | category.str.startswith(f"{path} > ")).to_numpy()


def _chart(sheet: Sheet, data: ShopPanel, mine: np.ndarray) -> Chart:
    total = data.sold[mine].sum(axis=0)[-_YEAR:]
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
