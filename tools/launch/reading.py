"""A shop as a market: weekly sales from its roll-up, launches counted in weeks since their own launch day."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shop import Draft, Product, Shop
from shop.learned import Codec
from shop.passages import Searcher
from tools.demand.panel import LEAST_DAYS, Array, closing_zeros_absent, demand_rate
from tools.demand.read import read_panel
from tools.launch.market import Embed, Index, Look, Market, make_market
from tools.launch.pictures import picture_vectors
from tools.text import product_text

_WEEKS = 160


VECTORS: Codec[Array | None] = Codec(
    lambda values: None if values is None else pack(values), lambda packed: None if packed is None else unpack(packed)
)


def read_market(shop: Shop) -> Market | None:
    """The products of a shop and their sales up to its cut-off; None where nothing was sold.

    Texts are compared by words, and by what they mean where the shop's searcher has a model; pictures, where products
    have the attribute `image`, by the searcher's model for them, or by colour and texture.

    Weeks of the panel end on the cut-off. The first week of a launch is the first of them that begins on its launch
    day or later, and holds its first seven days: a week of a launch is never known before it is over.
    """
    read = read_panel(shop, weeks=_WEEKS)
    if read is None:
        return None
    products = shop.products().set_index("sku").loc[list(read.panel.keys)].reset_index()
    sales = shop.launch_weeks(_WEEKS)
    launched = _launch_periods(products, read.panel.starts)
    units, masked = read.panel.units.copy(), read.days_out > 7 - LEAST_DAYS
    new = np.flatnonzero(launched >= 0)
    own, own_masked = _launch_units(shop, products.iloc[new], sales, launched[new], units.shape[1])
    units[new], masked[new] = own, own_masked
    panel = replace(read.panel, units=closing_zeros_absent(units))
    listed = products["list_price"].to_numpy(dtype=float)
    first = np.nanmax(np.where(np.isfinite(panel.price), panel.price, -np.inf)[:, :1], axis=1, initial=-np.inf)
    price = np.where(np.isfinite(listed), listed, np.where(np.isfinite(first), first, np.nan))
    price[new] = _launch_prices(products.iloc[new], sales)
    frame = pd.DataFrame(
        {
            "sku": products["sku"].to_numpy(dtype=str),
            "name": products["name"].to_numpy(dtype=str),
            "text": [product_text(row) for row in products.to_dict("records")],
            "category": products["category"].fillna("").to_numpy(dtype=str),
            "price": price,
            "launched_on": pd.to_datetime(products["launch_date"]).to_numpy(),
        }
    )
    look = _looker(shop)
    pictures = _known_pictures(shop, look, [_picture(row) for row in products.to_dict("records")])
    market = make_market(panel, frame, launched, _encoder(shop, list(frame["text"])), pictures, masked)
    return replace(market, look=look)


def senses(shop: Shop) -> str:
    """By which models products are compared, as the end of a learned value's name: none is a part of the data."""
    searcher = shop.searcher
    if searcher is None:
        return ""
    seen = hashlib.sha256(searcher.picture_model.encode()).hexdigest()[:8]
    return "-meanings" + (f"-{seen}" if searcher.picture_model else "")


def with_item(market: Market, item: Draft | Product, price: float | None, launched: int) -> Market:
    """The market with a planned product as its last row; its own price marks its tier."""
    sku = item.sku if isinstance(item, Product) else ""
    own = market.look([_picture(item.model_dump())])
    picture = None if own is None else own[0]
    return market.planned(sku, product_text(item.model_dump()), item.category, price, launched, picture)


def pack(values: Array) -> dict[str, Any]:
    """An array as plain JSON, in single precision."""
    return {"shape": values.shape, "data": base64.b64encode(values.astype("<f4").tobytes()).decode()}


def unpack(packed: dict[str, Any]) -> Array:
    """The array that `pack` wrote."""
    values = np.frombuffer(base64.b64decode(packed["data"]), dtype="<f4")
    return values.reshape(packed["shape"]).astype(float)


def _encoder(shop: Shop, known: list[str]) -> Embed | None:
    """From texts to vectors of what they mean; the shop's own are encoded once and kept. None without a model."""
    searcher = shop.searcher
    if searcher is None:
        return None
    kept = shop.learned("launch-meanings", lambda: _vectors(searcher, known), VECTORS)
    if kept is None:
        return None

    def embed(texts: Sequence[str]) -> Array:
        if list(texts) == known:
            return kept
        found = _vectors(searcher, texts)
        return np.zeros((len(texts), kept.shape[1])) if found is None else found

    return embed


def _looker(shop: Shop) -> Look:
    """From picture files to vectors: by the searcher's model where it has one, else by colour and texture."""
    searcher = shop.searcher
    if searcher is None or not searcher.picture_model:
        return picture_vectors

    def look(paths: Sequence[str]) -> Array | None:
        # A model is not loaded for a shop without pictures.
        found = searcher.pictures(paths) if any(paths) else None
        return None if found is None else np.asarray(found, dtype=float)

    return look


def _known_pictures(shop: Shop, look: Look, paths: list[str]) -> Array | None:
    """The vectors of the shop's own pictures; a model's are kept, since making them takes a while."""
    if look is picture_vectors or not any(paths):
        return look(paths)
    return shop.learned("launch-pictures" + senses(shop), lambda: look(paths), VECTORS)


def _vectors(searcher: Searcher, texts: Sequence[str]) -> Array | None:
    found = searcher.vectors(texts)
    return None if found is None else np.asarray(found, dtype=float)


def _picture(product: Mapping[Any, Any]) -> str:
    return str((product.get("attributes") or {}).get("image", ""))


def _launch_periods(products: pd.DataFrame, starts: pd.DatetimeIndex) -> Index:
    """Period of each launch (N,): -1 without a launch date, or with one before the panel begins."""
    days = pd.to_datetime(products["launch_date"])
    at = starts.searchsorted(days.fillna(starts[0]).to_numpy())
    known = days.notna().to_numpy() & (days > starts[0] - pd.Timedelta(days=7)).to_numpy()
    return np.where(known, at, -1).astype(np.int64)


def _launch_prices(products: pd.DataFrame, sales: pd.DataFrame) -> Array:
    """What each product (L,) was sold at in its first week with a sale, else its list price, else NaN."""
    # The first week's price stands for the planned one; the later average already answers to how the launch went.
    paid = sales[(sales["units"] > 0) & (sales["revenue"] > 0)].groupby("sku").first()
    listed = products.set_index("sku")["list_price"].astype(float)
    first = (paid["revenue"] / paid["units"]).reindex(listed.index)
    prices: Array = first.fillna(listed).to_numpy(dtype=float)
    return prices


def _launch_units(
    shop: Shop, products: pd.DataFrame, sales: pd.DataFrame, launched: Index, periods: int
) -> tuple[Array, NDArray[np.bool_]]:
    """Demand of launches by period (L, T), NaN where absent, and which weeks were out of stock."""
    row = dict(zip(products["sku"], range(len(products)), strict=True))
    sales = sales[sales["sku"].isin(row)]
    of = sales["sku"].map(row).to_numpy(dtype=int)
    at = launched[of] + sales["week"].to_numpy(dtype=int) - 1
    inside = at < periods
    units, out = np.zeros((len(products), periods)), np.zeros((len(products), periods))
    units[of[inside], at[inside]] = sales["units"].to_numpy(dtype=float)[inside]
    out[of[inside], at[inside]] = sales["out_of_stock_days"].to_numpy(dtype=float)[inside]
    tomorrow = pd.Timestamp(shop.cutoff) + pd.Timedelta(days=1)
    end = pd.to_datetime(products["delisted_date"]).fillna(tomorrow)
    end = end.where(end < tomorrow, tomorrow)
    whole = ((end - pd.to_datetime(products["launch_date"])).dt.days // 7).to_numpy()[:, None]
    week = np.arange(periods)[None, :] - launched[:, None]
    there = (week >= 0) & (week < whole)
    return np.where(there, demand_rate(units, out), np.nan), there & (out > 7 - LEAST_DAYS)
