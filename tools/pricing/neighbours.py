"""What a price change takes from, or gives to, the shop's own substitutes beside the product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shop import Draft, Product, Shop
from tools.elasticity import Elasticities
from tools.elasticity.cross import telling
from tools.elasticity.estimate import Z80
from tools.elasticity.substitutes import likeness, shares
from tools.figures import Sheet
from tools.pricing.advice import NO_COST
from tools.pricing.demand import WEEKS

Array = NDArray[np.float64]
_NONE = "no other product of its category sold in the last twelve weeks"
_STILL = "the prices of substitutes in this shop never moved, so nothing tells what one does to another"
_UNSURE = "too little to tell: past prices do not show that buyers turn to the shop's own substitutes"


@dataclass(frozen=True)
class Neighbours:
    """Products beside the one that is priced, over the last twelve weeks.

    Attributes:
        units, margin: Sold (k,), and left per unit (k,); NaN where the cost is unknown.
        share: What the product counts among each one's substitutes (k,).
    """

    units: Array
    margin: Array
    share: Array


def read_neighbours(shop: Shop, item: Draft | Product, price: float) -> Neighbours | None:
    """Products of the same category that count the item among their nearest substitutes; None where there is none."""
    since = shop.cutoff - timedelta(weeks=WEEKS) + timedelta(days=1)
    recent = shop.weekly_prices(category=item.category or None, since=since)
    recent = recent.assign(revenue=recent["units"] * recent["price"])
    sold = recent.groupby("sku")[["units", "revenue"]].sum()
    known = shop.products(item.category or None).merge(sold, left_on="sku", right_index=True)
    known = known[(known["category"] == item.category) & (known["units"] > 0)]
    known = known[known["sku"] != (item.sku if isinstance(item, Product) else "")]
    if known.empty or not item.category:
        return None
    paid = (known["revenue"] / known["units"]).to_numpy(dtype=float)
    own = item.model_dump(include={"name", "description"})
    everything: list[Mapping[Any, Any]] = [*known[["name", "description"]].to_dict("records"), own]
    share = shares(likeness(everything, np.append(paid, price)))[:-1, -1]
    margin = paid - known["cost"].to_numpy(dtype=float)
    near = share > 0
    return Neighbours(known["units"].to_numpy(dtype=float)[near], margin[near], share[near]) if near.any() else None


def moved(found: Neighbours, ratio: float, slopes: Array) -> tuple[Array, Array]:
    """Units (N,) and margin (N,) that the neighbours gain when the product's price is multiplied by `ratio`.

    Args:
        found: The neighbours.
        ratio: New price over the present one.
        slopes: Draws of the elasticity of a product's units to the mean price of all its substitutes (N,).
    """
    change = found.units * (ratio ** (slopes[:, None] * found.share[None, :]) - 1.0)
    return change.sum(axis=1), np.asarray((change * found.margin).sum(axis=1))


def category_effect(
    shop: Shop,
    sheet: Sheet,
    item: Draft | Product,
    found: Elasticities | None,
    prices: tuple[float | None, float],
    own: Array | None,
) -> None:
    """Enter what the price does to the substitutes, and to the margin of both together.

    Args:
        shop: As of its cut-off.
        sheet: Takes the figures.
        item: What is priced.
        found: Estimates of the shop.
        prices: Now and then.
        own: Draws of the product's own change of margin (N,); None where unknown.
    """
    now, then = prices
    near = read_neighbours(shop, item, now or then)
    effect = None if found is None else found.cross.get(item.category.split(" > ")[0], found.cross.get(""))
    sheet.add(
        "simulate.cross_elasticity",
        "Elasticity of a product's units to the prices of its own substitutes",
        None if effect is None else effect[0],
        "ratio",
        "the regression behind own-price elasticities, the mean price of the nearest products of a category in it; "
        "pulled from published values to the shop and to the department",
        low=None if effect is None else effect[0] - Z80 * effect[1],
        high=None if effect is None else effect[0] + Z80 * effect[1],
        reason=_STILL,
    )
    count = 0 if near is None else len(near.units)
    sheet.add("simulate.neighbours", "Own substitutes beside it", count, "count", "nearest in words and price")
    labels = ("Units that its own substitutes gain or lose", "Margin changed, its own substitutes included")
    reason = _NONE if near is None else _STILL if effect is None else "" if telling(effect) else _UNSURE
    reason = reason or ("no price is planned yet" if now is None else "")
    if reason or near is None or effect is None or now is None:
        sheet.add("simulate.neighbour_units", labels[0], None, "units", reason=reason)
        sheet.add("simulate.category_margin", labels[1], None, "money", reason=reason)
        return
    draws = 2000 if own is None else len(own)
    slopes = np.maximum(np.random.default_rng(2).normal(*effect, draws), 0.0)
    units, margin = moved(near, then / now, slopes)
    how = "their units of twelve weeks moved by the elasticity to substitutes' prices, by draw"
    sheet.add_draws("simulate.neighbour_units", labels[0], units, "units", how)
    if own is None or not np.isfinite(margin).all():
        sheet.add("simulate.category_margin", labels[1], None, "money", reason=NO_COST)
        return
    sheet.add_draws("simulate.category_margin", labels[1], own + margin, "money", f"own change and {how}")
