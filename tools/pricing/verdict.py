"""What the recommended price is expected to gain, what would turn the verdict, and the rules around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shop import Chart, Draft, Product, Shop, Table
from tools.elasticity import Elasticity
from tools.figures import Sheet
from tools.pricing.advice import NO_COST, NO_SLOPE, Advice
from tools.pricing.demand import Demand
from tools.pricing.kernels import best_price, profit, usual_endings
from tools.pricing.ladder import Ladder
from tools.pricing.robust import flip_cost, flip_elasticity, gain_draws
from tools.pricing.rules import intro_price, prior_price

Array = NDArray[np.float64]
_STEPS = 11
_NO_PRICE = "there is no price of its own to compare with"
_NO_FLIP = "no value of it makes the two prices earn the same"


def gain(
    sheet: Sheet,
    advice: Advice,
    demand: Demand,
    elasticity: Elasticity | None,
    cost: float | None,
    current: float | None,
) -> None:
    """Expected gain against the current price, its chance, and what flips it."""
    label = "Profit gained over twelve weeks against the price planned or asked now"
    reason = _unknown(demand, elasticity, cost, current)
    flips = ("price.flip_elasticity", "price.flip_cost")
    names = ("Elasticity at which both prices earn the same", "Cost at which both prices earn the same")
    if reason or cost is None or current is None or demand.units is None or elasticity is None:
        sheet.add("price.profit_gain", label, None, "money", reason=reason)
        sheet.add("price.gain_chance", "Chance that it is a gain", None, "share", reason=reason)
        _unbounded(sheet, None, None, reason)
        for figure, name in zip(flips, names, strict=True):
            sheet.add(figure, name, None, "ratio" if figure == flips[0] else "money", reason=reason)
        return
    slopes = elasticity.draws(len(demand.units), np.random.default_rng(0))
    gained = gain_draws(advice.price, current, cost, demand.units, slopes, demand.reference or current)
    sheet.add_draws(
        "price.profit_gain",
        label,
        gained,
        "money",
        "margin times units at the recommended price less that at the current one, by draw of demand and elasticity",
    )
    same = advice.price == current
    chance = None if same else float((gained > 0).mean())
    formula = "share of draws of demand and elasticity with a gain"
    why = "the recommended price is the current one"
    sheet.add("price.gain_chance", "Chance that it is a gain", chance, "share", formula, reason=why)
    _unbounded(sheet, cost, elasticity.value)
    at = (flip_elasticity(cost, current, advice.price), flip_cost(current, advice.price, elasticity.value))
    formula = "profit at the two prices set equal and solved"
    sheet.add(flips[0], names[0], at[0], "ratio", formula, reason=why if same else _NO_FLIP)
    sheet.add(flips[1], names[1], at[1], "money", formula, reason=why if same else _NO_FLIP)


def _unbounded(sheet: Sheet, cost: float | None, elasticity: float | None, reason: str = "") -> None:
    """Where the best guess of the elasticity alone would lead, step, evidence and doubt left aside."""
    best = None if cost is None or elasticity is None else best_price(cost, elasticity, cost, np.inf)
    finite = best if best is not None and np.isfinite(best) else None
    sheet.add(
        "price.unbounded",
        "Best price at the best guess of the elasticity, without any limit",
        finite,
        "money",
        "cost times elasticity over one plus elasticity (Lerner's rule)",
        reason=reason or "demand answers price so little that profit rises with every price",
    )


def _unknown(demand: Demand, elasticity: Elasticity | None, cost: float | None, current: float | None) -> str:
    if cost is None:
        return NO_COST
    if current is None:
        return _NO_PRICE
    if demand.units is None:
        return demand.reason
    return "" if elasticity is not None and elasticity.identified else NO_SLOPE


def around(
    shop: Shop,
    sheet: Sheet,
    item: Draft | Product,
    advice: Advice,
    ladder: Ladder,
    cost: float | None,
    demand: Demand,
    elasticity: Elasticity | None,
) -> Table | None:
    """The prior-price rule for a product on sale; an introductory price with its end for one to be launched."""
    if isinstance(item, Product):
        prior = prior_price(shop, item.sku)
        none = "no price of the last month is on record"
        how = "lowest of the list prices and average daily prices paid in the month before the cut-off"
        sheet.add(
            "price.prior_low",
            "Lowest price of the last month",
            None if prior is None else prior[0],
            "money",
            how,
            reason=none,
        )
        sheet.add("price.prior_since", "Since", None if prior is None else prior[1], "date", how, reason=none)
        return None
    return _intro(sheet, item, advice, ladder, cost, demand, elasticity)


def _intro(
    sheet: Sheet,
    item: Draft,
    advice: Advice,
    ladder: Ladder,
    cost: float | None,
    demand: Demand,
    elasticity: Elasticity | None,
) -> Table | None:
    intro = None
    if item.launch_date is not None:
        intro = intro_price(advice.price, advice.floor, item.launch_date, usual_endings(ladder.listed))
    reason = "no launch date is planned" if item.launch_date is None else "the floor leaves no room below the price"
    price = sheet.add(
        "price.intro",
        "Introductory price",
        intro.price if intro else None,
        "money",
        "a tenth below the recommended price, with the usual ending, above the floor",
        reason=reason,
    )
    until = sheet.add(
        "price.intro_until",
        "Last day of the introductory price",
        intro.until if intro else None,
        "date",
        "four weeks from the launch",
        reason=reason,
    )
    draws = None
    known = elasticity is not None and elasticity.identified and demand.units is not None and cost is not None
    if intro is not None and known and elasticity is not None and demand.units is not None and cost is not None:
        slopes = elasticity.draws(len(demand.units), np.random.default_rng(0))
        # A third of the units of twelve weeks fall into the first four where sales are even.
        units, reference = demand.units / 3, demand.reference or advice.price
        draws = gain_draws(intro.price, advice.price, cost, units, slopes, reference)
    label = "Profit of the introductory weeks against the recommended price"
    if draws is None:
        change = sheet.add("price.intro_change", label, None, "money", reason=reason if intro is None else NO_SLOPE)
    else:
        change = sheet.add_draws("price.intro_change", label, draws, "money", "by draw of demand and elasticity")
    if intro is None:
        return None
    return Table(
        title="Introductory price",
        columns=("Price", "Until", "Profit against the full price"),
        rows=((price, until, change),),
    )


def curve(advice: Advice, ladder: Ladder, demand: Demand, elasticity: Elasticity | None, cost: float | None) -> Sheet:
    """Profit along the prices that past prices tell about; empty where cost, demand or elasticity is unknown."""
    sheet = Sheet()
    if cost is None or demand.units is None or demand.reference is None or elasticity is None:
        return sheet
    if advice.evidence is None or max(advice.evidence[0], cost) >= advice.evidence[1]:
        return sheet
    slopes = elasticity.draws(len(demand.units), np.random.default_rng(0))
    for step, price in enumerate(np.linspace(max(advice.evidence[0], cost), advice.evidence[1], _STEPS), start=1):
        sheet.add(f"price.curve_{step}_price", "Price tried", float(price), "money", "evenly spaced over the evidence")
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
