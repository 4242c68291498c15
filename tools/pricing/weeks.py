"""Prices over the weeks when stock is not bought again: the stock itself, its own best price, and a markdown path."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from shop import Draft, Product, Shop, Table
from tools.elasticity import Elasticity
from tools.figures import Sheet
from tools.inventory.newsvendor import newsvendor
from tools.pricing.advice import NO_COST, NO_SLOPE, Advice
from tools.pricing.demand import Demand
from tools.pricing.kernels import charm_prices, usual_endings
from tools.pricing.ladder import Ladder
from tools.pricing.markdown import Plan, plan_markdown
from tools.pricing.robust import robust_price

Array = NDArray[np.float64]
_CLEARED = 0.5  # share of its cost that a unit of a launch still brings at the end, as plan_inventory takes it
_RUNGS = 6
_MOST_STOCK = 600  # units beyond which stock is counted in bundles, so that a plan stays quick
_DRAWS = 400
_NO_STOCK = "no stock is on record"
_ONE_PRICE = "no usual price lies between the floor, or the prices seen, and the recommended one"


@dataclass(frozen=True)
class Limited:
    """What is known where a stock has to last.

    Attributes:
        stock: Units; the counted ones of a product on sale, one buy for all weeks of a launch.
        units: Demand over the twelve weeks at the reference price by draw (N,).
        reference: That price.
        cost: Per unit.
        elasticity: Identified.
        residual: What a unit left over brings.
    """

    stock: int
    units: Array
    reference: float
    cost: float
    elasticity: Elasticity
    residual: float


def stock_and_path(
    shop: Shop,
    sheet: Sheet,
    item: Draft | Product,
    advice: Advice,
    ladder: Ladder,
    cost: float | None,
    demand: Demand,
    elasticity: Elasticity | None,
) -> Table | None:
    """Enter the stock, the price that it alone would bear, and the path of prices down to which it sells out."""
    stock, how = _stock(shop, item, advice.price, cost, demand, elasticity)
    reason = _unknown(stock, cost, demand, elasticity)
    sheet.add("price.stock", "Units that have to last twelve weeks", stock, "units", how, reason=reason or _NO_STOCK)
    limited = None
    if not reason and stock and cost and elasticity and demand.units is not None and demand.reference:
        residual = cost if isinstance(item, Product) else cost * _CLEARED
        limited = Limited(stock, demand.units, demand.reference, cost, elasticity, residual)
    _own_price(sheet, advice, ladder, limited, reason)
    return _path(sheet, advice, ladder, limited, demand.shape, reason)


def _stock(
    shop: Shop,
    item: Draft | Product,
    price: float,
    cost: float | None,
    demand: Demand,
    elasticity: Elasticity | None,
) -> tuple[int | None, str]:
    """Units counted in all warehouses; for a launch the newsvendor's one buy for twelve weeks at the price."""
    if isinstance(item, Product) and demand.history:
        counted = shop.stock_on_hand(sku=item.sku)
        return (None if counted.empty else int(counted["on_hand"].sum())), "latest counts of all warehouses"
    how = "one buy for the first twelve weeks by the newsvendor, half the cost back on what is left"
    if cost is None or cost >= price or demand.units is None or not demand.reference or elasticity is None:
        return None, how
    units = demand.units * (price / demand.reference) ** elasticity.value
    return ceil(newsvendor(units, cost * (1 - _CLEARED), price - cost)[0]), how


def _unknown(stock: int | None, cost: float | None, demand: Demand, elasticity: Elasticity | None) -> str:
    if cost is None:
        return NO_COST
    if demand.units is None:
        return demand.reason
    if elasticity is None or not elasticity.identified:
        return NO_SLOPE
    return "" if stock else _NO_STOCK


def _own_price(sheet: Sheet, advice: Advice, ladder: Ladder, limited: Limited | None, reason: str) -> None:
    """The best price if nothing more is delivered, and the weeks that the stock lasts at the recommended one."""
    best, lasts = None, None
    if limited is not None and advice.evidence is not None:
        low, high = max(limited.cost, advice.floor or 0.0, advice.evidence[0]), advice.evidence[1]
        slopes = limited.elasticity.draws(_DRAWS, np.random.default_rng(0))
        usual = float(np.median(limited.units))
        if low < high and usual > 0:
            endings = usual_endings(ladder.listed)
            share = limited.stock / usual
            best = robust_price(
                limited.cost, slopes, limited.reference, (low, high), endings, advice.price, share
            ).price
            weekly = usual / 12 * (advice.price / limited.reference) ** limited.elasticity.value
            lasts = limited.stock / weekly
    none = reason or "the floor lies above the prices that past prices tell about"
    label = "Best price if nothing more is delivered in twelve weeks"
    how = "highest expected profit with units limited to the stock, inside the prices that past prices tell about"
    sheet.add("price.stock_price", label, best, "money", how, reason=none)
    label = "Weeks that the stock lasts at the recommended price"
    sheet.add("price.stock_weeks", label, lasts, "weeks", "stock over median weekly demand there", reason=none)


def _path(
    sheet: Sheet, advice: Advice, ladder: Ladder, limited: Limited | None, shape: Array, reason: str
) -> Table | None:
    """Prices by week if demand comes as its median, and if it comes as weak as its P10; only weeks that change."""
    rungs = np.zeros(0) if limited is None else _rungs(advice, ladder, limited.cost)
    label = "Takings gained by marking down if demand is as weak as its P10, against holding the price"
    if limited is None or len(rungs) < 2:
        sheet.add("price.markdown_gain", label, None, "money", reason=reason or _ONE_PRICE)
        return None
    weak, middle = np.quantile(limited.units, [0.1, 0.5])
    plans = [_planned(limited, total * shape, rungs) for total in (middle, weak)]
    held = _planned(limited, weak * shape, rungs[-1:]).value
    how = "backward induction over weeks and stock, prices once lowered staying low; Poisson demand, leftovers counted"
    sheet.add("price.markdown_gain", label, max(plans[1].value - held, 0.0), "money", how)
    both = np.column_stack([plans[0].path, plans[1].path])
    changes = [w for w in range(len(both)) if w == 0 or (both[w] != both[w - 1]).any()]
    if len(changes) == 1:
        return None
    cells = []
    for number, week in enumerate(changes, start=1):
        stem = f"price.markdown_{number}"
        start = sheet.add(f"{stem}_week", "From week", week + 1, "count", "weeks from the start whose price changes")
        usual = sheet.add(f"{stem}_price", "Price if demand is as expected", float(both[week, 0]), "money", how)
        low = sheet.add(f"{stem}_weak", "Price if demand is weak", float(both[week, 1]), "money", how)
        cells.append((start, usual, low))
    return Table(
        title="Prices by week if this stock is all there is",
        columns=("From week", "At P50 demand", "At P10 demand"),
        rows=tuple(cells),
    )


def _rungs(advice: Advice, ladder: Ladder, cost: float) -> Array:
    """A few usual prices up to the recommended one, above floor and cost and inside the evidence, ascending (L,)."""
    low = max(advice.floor or 0.0, cost, advice.evidence[0] if advice.evidence else advice.price)
    steps = charm_prices(low, advice.price, usual_endings(ladder.listed))
    steps = np.unique(np.append(steps[steps < advice.price], advice.price))
    return np.asarray(steps[np.unique(np.linspace(0, len(steps) - 1, _RUNGS).round().astype(int))])


def _planned(limited: Limited, weekly: Array, rungs: Array) -> Plan:
    """The path for one level of demand. Large stocks go by the bundle, whose price is that of its units."""
    bundle = max(1, ceil(limited.stock / _MOST_STOCK))
    made = plan_markdown(
        weekly / bundle,
        limited.reference * bundle,
        limited.elasticity.value,
        rungs * bundle,
        limited.stock // bundle,
        limited.residual * bundle,
    )
    return replace(made, prices=made.prices / bundle, path=made.path / bundle)
