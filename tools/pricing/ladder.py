"""The ladder: what comparable products of the shop and its rivals sell for today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shop import Draft, Product, Shop
from tools.launch.analogues import category_similarity, price_similarity, text_similarity
from tools.pricing.hedonic import Hedonic, attribute_worth
from tools.text import product_text

Array = NDArray[np.float64]
LADDER_COLUMNS = ("sku", "name", "price", "units", "cost", "similarity")
_RECENT_WEEKS = 13
_RUNGS = 12
_ENOUGH = 5
_FAR = 3.0  # a product dearer or cheaper by more than this factor is another kind of thing


@dataclass(frozen=True)
class Ladder:
    """Comparable products on sale.

    Attributes:
        own: `LADDER_COLUMNS`, most alike first; price paid and units over the last quarter.
        rivals: The latest prices of competitors for those products, `competitor, sku, day, price`.
        scope: Category that they come from; empty for the whole shop.
        listed: List prices in that category (n,), for the shop's habits in writing prices.
        worth: What attributes are worth in the department; None where that cannot be told.
    """

    own: pd.DataFrame
    rivals: pd.DataFrame
    scope: str
    listed: Array
    worth: Hedonic | None = None

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest price on the ladder, rivals included."""
        prices = [*self.own["price"], *self.rivals["price"]]
        return float(min(prices)), float(max(prices))


def read_ladder(shop: Shop, item: Draft | Product, price: float | None) -> Ladder:
    """The products most like `item` that sold last quarter, from its category or the nearest wider one with five.

    Args:
        shop: Seen as of its cut-off.
        item: The product to price; it is left out itself.
        price: Its price, if known, makes products of like price more comparable.
    """
    products = shop.learned("price-ladder", lambda: _on_sale(shop))
    if isinstance(item, Product):
        products = products[products["sku"] != item.sku]
    worth = _worth(products, item.category)
    products, scope = _in_scope(products, item.category)
    products = products.assign(similarity=_similarity(products, item, price))
    middle = price or float(products.nlargest(_RUNGS, "similarity")["price"].median())
    near = products[products["price"].between(middle / _FAR, middle * _FAR)]
    own = near.nlargest(_RUNGS, "similarity")[list(LADDER_COLUMNS)].reset_index(drop=True)
    rivals = shop.competitors(category=scope or None)
    listed = products["list_price"].dropna().to_numpy(dtype=float)
    return Ladder(
        own, rivals[rivals["sku"].isin(own["sku"])][["competitor", "sku", "day", "price"]], scope, listed, worth
    )


def _on_sale(shop: Shop) -> pd.DataFrame:
    """The products that sold last quarter with their `units`, `revenue` and average `price`."""
    recent = shop.weekly_prices(since=shop.cutoff - timedelta(weeks=_RECENT_WEEKS) + timedelta(days=1))
    sold = recent.assign(revenue=recent["units"] * recent["price"]).groupby("sku")[["units", "revenue"]].sum()
    products = shop.products().merge(sold, left_on="sku", right_index=True)
    return products.assign(price=products["revenue"] / products["units"])


def _worth(products: pd.DataFrame, category: str) -> Hedonic | None:
    """What attributes are worth among the products of the same department that sold."""
    top = category.split(" > ")[0]
    same = products[products["category"].str.split(" > ").str[0] == top]
    same = same[same["price"] > 0]
    return attribute_worth(same["price"].to_numpy(dtype=float), list(same["attributes"]), list(same["category"]))


def _in_scope(products: pd.DataFrame, category: str) -> tuple[pd.DataFrame, str]:
    path = category.split(" > ") if category else []
    for depth in range(len(path), 0, -1):
        scope = " > ".join(path[:depth])
        inside = products[(products["category"] == scope) | products["category"].str.startswith(scope + " > ")]
        if len(inside) >= _ENOUGH:
            return inside, scope
    return products, ""


def _similarity(products: pd.DataFrame, item: Draft | Product, price: float | None) -> Array:
    texts = [product_text(row) for row in products.to_dict("records")]
    if not texts:
        return np.zeros(0)
    words = text_similarity([product_text(item.model_dump())], texts)[0]
    prices = price_similarity(price, products["price"].to_numpy(dtype=float), 0.4)
    return np.asarray(0.5 * words + 0.3 * category_similarity(item.category, products["category"]) + 0.2 * prices)
