"""Which of the shop's own products stand in for each other: the nearest of a category in words and price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shop import Shop
from tools.text import tokens

Array = NDArray[np.float64]
COUNT = 5  # neighbours that a product is taken to share its buyers with
_PRICE_SCALE = 0.4  # log price ratio at which likeness in price has fallen to a third


def nearest(shop: Shop, skus: Sequence[str]) -> Array:
    """Weights (P, P) of every product's substitutes among `skus`; rows sum to one, or to zero where it has none."""
    known = shop.products().set_index("sku").reindex(list(skus))
    usual = known["list_price"].fillna(np.nan).to_numpy(dtype=float)
    weights = np.zeros((len(skus), len(skus)))
    for _, rows in known.reset_index().groupby("category"):
        place = rows.index.to_numpy()
        alike = likeness(rows.to_dict("records"), usual[place])
        weights[np.ix_(place, place)] = shares(alike)
    return weights


def likeness(products: Sequence[Mapping[Any, Any]], prices: Array) -> Array:
    """Likeness (k, k) of products of one category: shared words, and closeness of price; none to themselves."""
    words = [set(tokens(f"{each['name']} {each.get('description') or ''}")) for each in products]
    with np.errstate(divide="ignore", invalid="ignore"):
        close = np.exp(-np.abs(np.log(prices[:, None] / prices[None, :])) / _PRICE_SCALE)
    close = np.where(np.isfinite(close), close, 0.5)
    found = 0.1 + 0.5 * _overlap(words) + 0.4 * close
    np.fill_diagonal(found, 0.0)
    return np.asarray(found)


def shares(alike: Array) -> Array:
    """The nearest few of every row, as weights that sum to one."""
    if len(alike) > COUNT:
        least = np.sort(alike, axis=1)[:, -COUNT][:, None]
        alike = np.where(alike >= least, alike, 0.0)
    total = alike.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(alike, total, out=np.zeros_like(alike), where=total > 0))


def _overlap(words: Sequence[set[str]]) -> Array:
    """Jaccard's share of common words (k, k)."""
    every = {word: number for number, word in enumerate(sorted(set().union(*words)))}
    table = np.zeros((len(words), len(every)))
    for row, mine in enumerate(words):
        table[row, [every[word] for word in mine]] = 1.0
    both = table @ table.T
    size = table.sum(axis=1)
    return np.asarray(both / np.maximum(size[:, None] + size[None, :] - both, 1.0))
