"""The price answer as figures, tables and text."""

from __future__ import annotations

from datetime import timedelta

from shop import Rows, Shop, Table
from tools.elasticity import Elasticities, Elasticity
from tools.elasticity.estimate import Z80, Second
from tools.elasticity.offers import WEEKS
from tools.figures import Sheet, evidence, interval
from tools.pricing.advice import HEDONIC_FIT, NO_COST, NO_SLOPE, STRATEGIES, Advice, Strategy, Subject
from tools.pricing.ladder import Ladder

_AWAY = 1.15  # how far from the recommended range a price without limits must lie to be worth a word
_REGRET = 0.1  # share of profit that another price could still gain before it is worth a word
_EDGE = 1.02  # how near to the lowest or highest price seen counts as at the edge
_HOW = {
    "cost": "cost over one minus the usual margin of comparable products",
    "market": "median price paid for comparable products, weighted by similarity",
    "competition": "median of rivals' latest prices for the comparable products",
    "value": "what buyers pay for its attributes, by a hedonic regression in its department; where attributes explain "
    "little, the price that three quarters of the units of comparable products were sold at or below",
    "profit": "highest profit averaged over what is known of the elasticity, among prices with a usual ending, above "
    "the floor, inside the prices that past prices tell about, and for a product on sale no more than a step away",
}


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


def slope(shop: Shop, sheet: Sheet, found: Elasticities | None, elasticity: Elasticity | None, advice: Advice) -> None:
    known = elasticity if elasticity is not None and elasticity.identified else None
    skus = tuple(shop.products(known.source.split(" | ")[0])["sku"]) if known and known.own else ()
    where = {"sku": skus} if skus else {}
    since = shop.cutoff - timedelta(weeks=WEEKS)
    sheet.add(
        "price.elasticity",
        "Elasticity of demand to price",
        known.value if known else None,
        "ratio",
        "Poisson regression of weekly units on the log of the price asked; product, department week, promotions and "
        "earlier surprises taken out; pulled from the shop to the product by how well each is known",
        low=known.low if known else None,
        high=known.high if known else None,
        rows=evidence(shop, "daily", where, since) if known else None,
        reason=NO_SLOPE,
    )
    source = None if known is None else f"{known.source} ({known.products} products, {known.weeks} product weeks)"
    sheet.add(
        "price.elasticity_source", "Prices that it comes from", source, "text", "narrowest group", reason=NO_SLOPE
    )
    second, few = None if found is None else found.second, "too few product weeks to learn from"
    sheet.add(
        "price.elasticity_second",
        "Elasticity of the whole shop by double machine learning",
        None if second is None else second.value,
        "ratio",
        "LightGBM takes out of demand and price what promotions, season and earlier surprises explain (econml)",
        low=None if second is None else second.value - Z80 * second.sd,
        high=None if second is None else second.value + Z80 * second.sd,
        reason=few,
    )
    sheet.add(
        "price.elasticity_first",
        "Elasticity of the whole shop by the regression",
        None if second is None else second.first,
        "ratio",
        "products' slopes averaged by what each tells",
        low=None if second is None else second.first - Z80 * second.first_sd,
        high=None if second is None else second.first + Z80 * second.first_sd,
        reason=few,
    )
    for end, name in enumerate(("low", "high")):
        sheet.add(
            f"price.evidence_{name}",
            f"{'Lowest' if end == 0 else 'Highest'} price that past prices tell about",
            None if advice.evidence is None else advice.evidence[end],
            "money",
            "as far from the usual price as past prices of the group went",
            reason=NO_SLOPE,
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


def attributes(sheet: Sheet, ladder: Ladder, subject: Subject) -> Table | None:
    """What the item's own attributes add to the price in its department; None where that cannot be told."""
    told = ladder.worth is not None and ladder.worth.fit >= HEDONIC_FIT
    counted = ladder.worth.counted(subject.attributes) if told and ladder.worth is not None else {}
    how = "regression of log prices on attributes in the department, categories taken out (hedonic)"
    cells = []
    for number, (name, (value, low, high)) in enumerate(counted.items(), start=1):
        label = sheet.add(f"price.worth_{number}_name", "Attribute", name, "text", "of the product")
        adds = sheet.add(f"price.worth_{number}", "What it adds to the price", value, "share", how, low, high)
        cells.append((label, adds, interval(f"price.worth_{number}")))
    if not cells:
        return None
    return Table(title="What its attributes are worth", columns=("Attribute", "Adds", "P10 to P90"), rows=tuple(cells))


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
            f"(P10 to P90: {interval('price.profit_gain')}), and {{{{price.gain_chance}}}} likely to be one at all."
        )
    if sheet.known("price.rival_response"):
        text.append(
            "{{price.rival_name}}, the nearest rival at {{price.rival_price}}, would best answer with "
            f"{{{{price.rival_response}}}} ({interval('price.rival_response')}), which changes "
            "our units by {{price.rival_units_change}}."
        )
    else:
        text.append("How rivals would answer is unknown: {{price.rival_response}}.")
    if sheet.known("price.flip_elasticity"):
        text.append(
            "It hangs on the elasticity of {{price.elasticity}}: "
            "at {{price.flip_elasticity}} both prices earn the same."
        )
    return " ".join(text)


def warnings(
    sheet: Sheet,
    advice: Advice,
    asked: Strategy,
    elasticity: Elasticity | None,
    second: Second | None,
    current: float | None,
    ladder: Ladder,
) -> tuple[str, ...]:
    found = []
    if advice.chosen != asked:
        found.append(f"A price by {asked} is unknown: {advice.reasons[asked]}; the market's price stands instead.")
    if not sheet.known("price.elasticity"):
        found.append(f"Elasticity is unknown: {NO_SLOPE}.")
    elif second is not None and second.apart:
        found.append(
            "Double machine learning finds {{price.elasticity_second}} for the whole shop where the regression finds "
            "{{price.elasticity_first}}, further apart than chance explains; its interval is wider for it."
        )
    if elasticity is not None and elasticity.identified and not elasticity.own:
        found.append("Prices of the category hardly moved, so its elasticity is that of {{price.elasticity_source}}.")
    low, high = ladder.support
    ends = advice.evidence
    if advice.chosen == "profit" and ends is not None and not ends[0] * _EDGE < advice.price < ends[1] / _EDGE:
        found.append("The price lies at the edge of what past prices tell about; beyond it nothing is known.")
    if advice.chosen == "profit" and sheet.known("price.unbounded"):
        far = sheet.value("price.unbounded")
        if not advice.low / _AWAY <= far <= advice.high * _AWAY:
            found.append(
                "By the best guess alone the price would be {{price.unbounded}}; the limits of a step and of what past "
                "prices tell hold it. Move in steps, and look at the sales after each."
            )
    if sheet.known("price.rival_regret") and sheet.value("price.rival_regret") > _REGRET:
        found.append(
            "Once the nearest rival has answered, another price of ours could still earn {{price.rival_regret}} more "
            "by the same logit demand."
        )
    if current is not None and not low <= current <= high:
        found.append("The current price {{price.current}} lies outside what comparable products sell for.")
    if sheet.known("price.prior_low") and current is not None and advice.price < current:
        found.append(
            "An announced reduction must name {{price.prior_low}}, the lowest price asked since {{price.prior_since}}, "
            "as the earlier price."
        )
    return tuple(found)
