"""`simulate_price`: units, revenue and margin at a price somebody has in mind, against today's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shop import Draft, Product, Shop, Table, ToolError, ToolResult
from shop.resolve import find_product
from shop.types import Amount
from tools.elasticity import Elasticity, shop_elasticities
from tools.figures import Sheet, evidence, interval
from tools.pricing.advice import NO_COST, NO_SLOPE, evidence_range
from tools.pricing.demand import WEEKS, Demand, current_price, twelve_weeks
from tools.pricing.neighbours import category_effect
from tools.pricing.robust import flip_elasticity
from tools.registry import tool

Array = NDArray[np.float64]
_REACH = 1.5  # beyond the evidence by more than this factor, a slope is a guess and no answer
_MEASURES = ("units", "revenue", "margin")
_UNITS = {"units": "units", "revenue": "money", "margin": "money"}


@dataclass(frozen=True)
class Scenario:
    """Units by draw (N,) at the present price and at the one tried; None where unknown, with the reason."""

    now: Array | None
    then: Array | None
    no_now: str = ""
    no_then: str = ""
    outside: bool = False


@tool("read", "internal")
def simulate_price(shop: Shop, product: str, price: Amount) -> ToolResult:
    """Say what a product would sell and earn at a given price, against today's price.

    Args:
        product: SKU, draft id or name.
        price: The price to try.
    """
    if price <= 0:
        raise ToolError(f"A price of {price:g} cannot be tried; give a price above zero.")
    item = find_product(shop, product)
    current = current_price(shop, item)
    found = shop_elasticities(shop)
    sku = item.sku if isinstance(item, Product) else None
    elasticity = None if found is None else found.of(item.category, current or price, sku)
    demand = twelve_weeks(shop, item, current or price)
    tried = scenario(demand, elasticity, current, price)
    sheet = Sheet()
    table = _figures(sheet, tried, item.cost, current, price)
    category_effect(shop, sheet, item, found, (current, price), _margin_change(tried, item.cost, current, price))
    _answers(shop, sheet, item, elasticity, current, price)
    return ToolResult(
        summary=_summary(sheet),
        figures=sheet.figures,
        tables=(table,),
        warnings=_warnings(sheet, tried, item, price, demand),
    )


def scenario(demand: Demand, elasticity: Elasticity | None, current: float | None, price: float) -> Scenario:
    """Units over twelve weeks at the current price and at `price`.

    Inside the evidence the elasticity moves demand; beyond it the spread grows with the distance; far beyond it there
    is no answer.
    """
    if demand.units is None or demand.reference is None:
        return Scenario(None, None, demand.reason, demand.reason)
    if current is None:
        return Scenario(None, demand.units, "no price is planned yet")
    if elasticity is None or not elasticity.identified:
        same = demand.units if np.isclose(current, demand.reference) else None
        return Scenario(same, demand.units if np.isclose(price, demand.reference) else None, NO_SLOPE, NO_SLOPE)
    slopes = elasticity.draws(len(demand.units), np.random.default_rng(0))
    now = demand.units * (current / demand.reference) ** slopes
    low, high = evidence_range(current, elasticity) or (current, current)
    if not low / _REACH <= price <= high * _REACH:
        reason = f"the price is too far from the {low:.2f} to {high:.2f} that past prices tell about"
        return Scenario(now, None, no_then=reason)
    then = demand.units * (price / demand.reference) ** slopes
    beyond = abs(float(np.log(price / np.clip(price, low, high))))
    if beyond > 0:
        # Nothing was seen there: the slope itself may be another, by as much as it is.
        then = then * np.exp(np.random.default_rng(1).normal(0, beyond * abs(elasticity.value) / 2, len(then)))
    return Scenario(now, then, outside=beyond > 0)


def _figures(sheet: Sheet, tried: Scenario, cost: float | None, current: float | None, price: float) -> Table:
    cells = []
    for name in _MEASURES:
        row = [name.capitalize()]
        draws = {}
        for stage, units, charged, reason in (
            ("now", tried.now, current, tried.no_now),
            ("then", tried.then, price, tried.no_then),
        ):
            draws[stage] = _measure(name, units, charged, cost)
            why = NO_COST if name == "margin" and cost is None else reason or "no price is planned yet"
            row.append(_enter(sheet, name, stage, draws[stage], why))
        now, then = draws["now"], draws["then"]
        change = None if now is None or then is None else then - now
        why = NO_COST if name == "margin" and cost is None else tried.no_then or tried.no_now
        row.append(_enter(sheet, name, "change", change, why))
        cells.append(tuple(row))
    return Table(
        title="The first weeks at either price", columns=("Measure", "Now", "At the price", "Change"), rows=tuple(cells)
    )


def _measure(name: str, units: Array | None, charged: float | None, cost: float | None) -> Array | None:
    if units is None or (name != "units" and charged is None) or (name == "margin" and cost is None):
        return None
    return {
        "units": lambda: units,
        "revenue": lambda: units * (charged or 0.0),
        "margin": lambda: units * ((charged or 0.0) - (cost or 0.0)),
    }[name]()


def _margin_change(tried: Scenario, cost: float | None, current: float | None, price: float) -> Array | None:
    now, then = _measure("margin", tried.now, current, cost), _measure("margin", tried.then, price, cost)
    return None if now is None or then is None else then - now


def _enter(sheet: Sheet, name: str, stage: str, draws: Array | None, reason: str) -> str:
    figure = f"simulate.{name}_{stage}"
    said = {"now": "at the current price", "then": "at the price tried", "change": "changed by the price"}[stage]
    label = f"{name.capitalize()} over {WEEKS} weeks {said}"
    if draws is None:
        return sheet.add(figure, label, None, _UNITS[name], reason=reason)  # type: ignore[arg-type]
    formula = "recent rate, or the launch forecast, moved by the elasticity, by draw; the season is taken to stay"
    return sheet.add_draws(figure, label, draws, _UNITS[name], formula)  # type: ignore[arg-type]


def _answers(
    shop: Shop, sheet: Sheet, item: Draft | Product, elasticity: Elasticity | None, current: float | None, price: float
) -> None:
    known = elasticity if elasticity is not None and elasticity.identified else None
    none = "no price is planned yet"
    sheet.add("simulate.price", "Price tried", price, "money", "as asked")
    sheet.add("simulate.current", "Current price", current, "money", "planned, or the list price in force", reason=none)
    sheet.add("simulate.cost", "Cost per unit", item.cost, "money", "on record", reason=NO_COST)
    sheet.add(
        "simulate.elasticity",
        "Elasticity of demand to price",
        known.value if known else None,
        "ratio",
        "as recommend_price has it",
        low=known.low if known else None,
        high=known.high if known else None,
        reason=NO_SLOPE,
    )
    ends = evidence_range(current, elasticity) or (None, None)
    for name, value in zip(("low", "high"), ends, strict=True):
        sheet.add(f"simulate.evidence_{name}", "End of the prices seen", value, "money", "past prices", reason=NO_SLOPE)
    flip = None if current is None or item.cost is None else flip_elasticity(item.cost, current, price)
    sheet.add(
        "simulate.flip_elasticity",
        "Elasticity at which both prices earn the same",
        flip,
        "ratio",
        "profit at the two prices set equal and solved",
        reason=NO_COST if item.cost is None else "no elasticity makes the two prices earn the same",
    )
    if isinstance(item, Product):
        rows = evidence(shop, "daily", {"sku": (item.sku,)})
        sheet.add("simulate.days", "Days of sales on record", rows.count, "count", "rows of the roll-up", rows=rows)


def _summary(sheet: Sheet) -> str:
    if not sheet.known("simulate.units_then"):
        return "What {{simulate.price}} would sell is unknown: {{simulate.units_then}}."
    text = [
        "At {{simulate.price}} the product would sell {{simulate.units_then}} units over the first weeks "
        f"(P10 to P90: {interval('simulate.units_then')}) and bring {{{{simulate.revenue_then}}}} of revenue."
    ]
    if sheet.known("simulate.units_change"):
        text.append(
            "Against {{simulate.current}} that is {{simulate.units_change}} units and {{simulate.revenue_change}} of "
            "revenue."
        )
    if sheet.known("simulate.margin_change"):
        text.append(
            f"Margin changes by {{{{simulate.margin_change}}}} (P10 to P90: {interval('simulate.margin_change')})."
        )
    elif sheet.known("simulate.margin_then"):
        text.append("The margin is {{simulate.margin_then}}.")
    if sheet.known("simulate.neighbour_units"):
        text.append(
            "Its own substitutes would gain {{simulate.neighbour_units}} units "
            f"(P10 to P90: {interval('simulate.neighbour_units')})."
        )
    if sheet.known("simulate.category_margin"):
        text.append(
            "With them the margin changes by {{simulate.category_margin}} "
            f"(P10 to P90: {interval('simulate.category_margin')})."
        )
    if sheet.known("simulate.flip_elasticity") and sheet.known("simulate.elasticity"):
        text.append(
            "The elasticity decides: it is {{simulate.elasticity}}, and at {{simulate.flip_elasticity}} both prices "
            "earn the same."
        )
    return " ".join(text)


def _warnings(sheet: Sheet, tried: Scenario, item: Draft | Product, price: float, demand: Demand) -> tuple[str, ...]:
    found = []
    if tried.outside:
        found.append(
            "{{simulate.price}} lies outside {{simulate.evidence_low}} to {{simulate.evidence_high}}, the prices that "
            "past prices tell about; take the answer with care and test the price first."
        )
    if tried.then is None and sheet.known("simulate.evidence_low"):
        found.append(
            "Try a price nearer to {{simulate.evidence_low}} to {{simulate.evidence_high}}, or run a price test."
        )
    if item.cost is not None and price <= item.cost:
        found.append("{{simulate.price}} is not above the cost of {{simulate.cost}}: every unit sold loses money.")
    if tried.then is not None and not sheet.known("simulate.neighbour_units"):
        found.append("What the price takes from or gives to own substitutes is unknown: {{simulate.neighbour_units}}.")
    if item.cost is None:
        found.append(f"The margin is unknown: {NO_COST}.")
    if not demand.history and demand.units is not None:
        found.append("The product has no sales of its own yet; units come from the launch forecast.")
    return tuple(found)
