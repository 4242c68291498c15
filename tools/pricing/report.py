"""The price answer as figures, tables and a chart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from shop import Chart, Rows, Shop, Table
from tools.elasticity import Elasticity
from tools.figures import Sheet, evidence, interval
from tools.pricing.advice import NO_COST, NO_SLOPE, STRATEGIES, Advice, Strategy
from tools.pricing.kernels import profit
from tools.pricing.ladder import Ladder

Array = NDArray[np.float64]
_STEPS = 11
_EDGE = 1.02  # how near to the lowest or highest price seen counts as at the edge
_HOW = {
    "cost": "cost over one minus the usual margin of comparable products",
    "market": "median price paid for comparable products, weighted by similarity",
    "competition": "median of rivals' latest prices for the comparable products",
    "value": "price that three quarters of the units of comparable products were sold at or below",
    "profit": "cost times elasticity over one plus elasticity, bounded to the floor and to prices seen",
}


@dataclass(frozen=True)
class Demand:
    """Units over twelve weeks by draw (N,) at a reference price, or why they are not known."""

    units: Array | None
    reference: float | None
    reason: str = ""


def headline(
    shop: Shop, sheet: Sheet, advice: Advice, ladder: Ladder, cost: float | None, current: float | None
) -> None:
    skus = tuple(ladder.own["sku"])
    since = shop.cutoff - timedelta(weeks=13) + timedelta(days=1)
    rows = evidence(shop, "daily", {"sku": skus}, since)
    sheet.add(
        "price.recommended",
        "Recommended price",
        advice.price,
        "money",
        f"{_HOW[advice.chosen]}; at least the floor, inside the prices seen, with the shop's usual ending",
        low=advice.low,
        high=advice.high,
        rows=rows,
    )
    sheet.add("price.floor", "Floor", advice.floor, "money", "cost over one minus the least margin", reason=NO_COST)
    sheet.add("price.cost", "Cost per unit", cost, "money", "as given, else on record", reason=NO_COST)
    _margins(sheet, advice, cost, current)
    _market(shop, sheet, ladder, advice.reasons["competition"], rows)


def _margins(sheet: Sheet, advice: Advice, cost: float | None, current: float | None) -> None:
    none = "no price is planned yet; the category manager can set one"
    sheet.add(
        "price.current",
        "Price planned or paid now",
        current,
        "money",
        "draft's price, or paid last quarter",
        reason=none,
    )
    unit = None if cost is None else advice.price - cost
    rate = None if unit is None else unit / advice.price
    sheet.add("price.unit_margin", "Margin per unit", unit, "money", "recommended price less cost", reason=NO_COST)
    sheet.add("price.margin_rate", "Margin rate", rate, "share", "margin per unit over the price", reason=NO_COST)


def _market(shop: Shop, sheet: Sheet, ladder: Ladder, no_rival: str, rows: Rows) -> None:
    paid, skus = ladder.own["price"], tuple(ladder.own["sku"])
    sheet.add(
        "price.market_median",
        "Middle price of comparable products",
        float(paid.median()),
        "money",
        "median of prices paid",
        rows=rows,
    )
    sheet.add(
        "price.market_low", "Lowest price of comparable products", float(paid.min()), "money", "lowest paid", rows=rows
    )
    sheet.add(
        "price.market_high",
        "Highest price of comparable products",
        float(paid.max()),
        "money",
        "highest paid",
        rows=rows,
    )
    rival = None if ladder.rivals.empty else float(ladder.rivals["price"].median())
    latest = None if ladder.rivals.empty else ladder.rivals["day"].min()
    rival_rows = evidence(shop, "competitor_prices", {"sku": skus}, latest)
    sheet.add(
        "price.competitor_median",
        "Middle price of rivals",
        rival,
        "money",
        "median of the latest",
        rows=rival_rows,
        reason=no_rival,
    )
    sheet.add(
        "price.comparables",
        "Comparable products",
        len(ladder.own),
        "count",
        "most alike that sold last quarter",
        rows=rows,
    )
    low, high = ladder.support
    sheet.add(
        "price.support_low", "Lowest price seen", low, "money", "lowest on the ladder, rivals included", rows=rows
    )
    sheet.add(
        "price.support_high", "Highest price seen", high, "money", "highest on the ladder, rivals included", rows=rows
    )


def slope(shop: Shop, sheet: Sheet, elasticity: Elasticity | None, category: str) -> None:
    known = elasticity if elasticity is not None and elasticity.identified else None
    skus = tuple(shop.products(category or None)["sku"]) if known and known.own else ()
    where = {"sku": skus} if skus else {}
    since = shop.cutoff - timedelta(weeks=104)
    sheet.add(
        "price.elasticity",
        "Elasticity of demand to price",
        known.value if known else None,
        "ratio",
        "slope of log units on log price by week, product and week effects taken out, pulled from the shop to the "
        "category by how well each is known",
        low=known.low if known else None,
        high=known.high if known else None,
        rows=evidence(shop, "daily", where, since) if known else None,
        reason=NO_SLOPE,
    )
    source = None if known is None else f"{known.source} ({known.products} products, {known.weeks} product weeks)"
    sheet.add(
        "price.elasticity_source", "Prices that it comes from", source, "text", "narrowest group", reason=NO_SLOPE
    )


def gain(
    sheet: Sheet,
    advice: Advice,
    demand: Demand,
    elasticity: Elasticity | None,
    cost: float | None,
    current: float | None,
) -> None:
    reason = ""
    if cost is None:
        reason = NO_COST
    elif current is None:
        reason = "there is no price of its own to compare with"
    elif demand.units is None:
        reason = demand.reason
    elif elasticity is None or not elasticity.identified:
        reason = NO_SLOPE
    label = "Profit gained over twelve weeks against the price planned or paid now"
    if reason or cost is None or current is None or demand.units is None or elasticity is None:
        sheet.add("price.profit_gain", label, None, "money", reason=reason)
        return
    slopes = elasticity.draws(len(demand.units), np.random.default_rng(0))
    gain = profit(advice.price, cost, demand.units, current, slopes) - profit(
        current, cost, demand.units, current, slopes
    )
    sheet.add_draws(
        "price.profit_gain",
        label,
        gain,
        "money",
        "margin times units at the recommended price less that at the current one, by draw of demand and elasticity",
    )


def strategies(sheet: Sheet, advice: Advice) -> Table:
    cells = []
    for name in STRATEGIES:
        value = advice.prices[name]
        figure = sheet.add(
            f"price.strategy_{name}",
            f"Price by {name}",
            value,
            "money",
            _HOW[name],
            reason=advice.reasons.get(name, "unknown"),
        )
        cells.append((name + (" (recommended)" if name == advice.chosen else ""), figure, _HOW[name]))
    return Table(title="Five ways to set the price", columns=("Going by", "Price", "How"), rows=tuple(cells))


def rungs(sheet: Sheet, ladder: Ladder) -> Table:
    cells = []
    for number, row in enumerate(ladder.own.sort_values("price").to_dict("records"), start=1):
        own = Rows(table="products", where={"sku": (row["sku"],)}, count=1)
        stem = f"price.ladder_{number}"
        cells.append(
            (
                sheet.add(
                    f"{stem}_name",
                    "Comparable product",
                    f"{row['name']} ({row['sku']})",
                    "text",
                    "from the catalogue",
                    rows=own,
                ),
                sheet.add(
                    f"{stem}_price", "Its price", row["price"], "money", "revenue over units, last quarter", rows=own
                ),
                sheet.add(
                    f"{stem}_units", "Its units last quarter", int(row["units"]), "units", "sum of units", rows=own
                ),
            )
        )
    return Table(title="Price ladder", columns=("Product", "Price", "Units last quarter"), rows=tuple(cells))


def curve(ladder: Ladder, demand: Demand, elasticity: Elasticity | None, cost: float | None) -> Sheet:
    """Profit along the prices seen; empty where cost, demand or elasticity is unknown."""
    sheet = Sheet()
    known = elasticity is not None and elasticity.identified
    if cost is None or demand.units is None or demand.reference is None or elasticity is None or not known:
        return sheet
    slopes = elasticity.draws(len(demand.units), np.random.default_rng(0))
    for step, price in enumerate(np.linspace(max(ladder.support[0], cost), ladder.support[1], _STEPS), start=1):
        sheet.add(
            f"price.curve_{step}_price", "Price tried", float(price), "money", "evenly spaced over the prices seen"
        )
        sheet.add_draws(
            f"price.curve_{step}_profit",
            "Profit over twelve weeks at this price",
            profit(float(price), cost, demand.units, demand.reference, slopes),
            "money",
            "margin times units, units moved by the elasticity, by draw",
        )
    return sheet


def chart(line: Sheet) -> Chart | None:
    ids = [f.id for f in line.figures]
    if not ids:
        return None
    profits = tuple(i for i in ids if i.endswith("_profit"))
    return Chart(
        kind="line",
        title="Profit by price",
        x_label="Price",
        y_label="Profit over the first weeks",
        x=tuple(i for i in ids if i.endswith("_price")),
        series={
            "P10": tuple(f"{i}.low" for i in profits),
            "P50": profits,
            "P90": tuple(f"{i}.high" for i in profits),
        },
    )


def summary(sheet: Sheet, advice: Advice) -> str:
    text = [
        f"Going by {advice.chosen}, the recommended price is {{{{price.recommended}}}} "
        f"(about as good: {interval('price.recommended')}).",
        "{{price.comparables}} comparable products sell from {{price.market_low}} to {{price.market_high}}, "
        "the middle one at {{price.market_median}}.",
    ]
    if sheet.known("price.floor"):
        text.append("The floor is {{price.floor}}; at the recommended price a unit leaves {{price.unit_margin}}.")
    else:
        text.append(f"Floor and margin are unknown: {NO_COST}.")
    if sheet.known("price.profit_gain"):
        text.append(
            f"Against {{{{price.current}}}} the gain over the first weeks is {{{{price.profit_gain}}}} "
            f"(P10 to P90: {interval('price.profit_gain')})."
        )
    return " ".join(text)


def warnings(
    sheet: Sheet, advice: Advice, asked: Strategy, elasticity: Elasticity | None, current: float | None, ladder: Ladder
) -> tuple[str, ...]:
    found = []
    if advice.chosen != asked:
        found.append(f"A price by {asked} is unknown: {advice.reasons[asked]}; the market's price stands instead.")
    if not sheet.known("price.elasticity"):
        found.append(f"Elasticity is unknown: {NO_SLOPE}.")
    elif elasticity is not None and not elasticity.own:
        found.append("Prices of the category hardly moved, so its elasticity is that of {{price.elasticity_source}}.")
    low, high = ladder.support
    if advice.chosen == "profit" and not low * _EDGE < advice.price < high / _EDGE:
        found.append("The most profitable price lies at the edge of the prices seen; beyond it nothing is known.")
    if current is not None and not low <= current <= high:
        found.append("The current price {{price.current}} lies outside what comparable products sell for.")
    return tuple(found)
