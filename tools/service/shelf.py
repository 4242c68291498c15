"""The shelf as a shopper sees it: what is on sale, its price and rating; no cost, no sales, nothing that is planned."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import func, or_, select

from shop import Rows, Shop
from shop import schema as t
from shop.view import in_category
from tools.figures import Sheet, evidence

COLUMNS = ("sku", "name", "category", "brand", "description", "attributes", "list_price_cents")


@dataclass(frozen=True)
class Priced:
    """Where a price comes from, why it may be unknown, and whether a shopper pays exactly that."""

    formula: str
    reason: str
    exact: bool = False


ON_THE_LABEL = Priced("list price", "no price on record", exact=True)


def on_shelf(shop: Shop, category: str | None) -> pd.DataFrame:
    """Products on sale today, one row each: `COLUMNS`, the price in the shop's currency as `list_price`."""
    p, today = t.products.c, shop.today
    query = select(*(p[name] for name in COLUMNS)).where(
        or_(p.launch_date.is_(None), p.launch_date <= today), or_(p.delisted_date.is_(None), p.delisted_date > today)
    )
    if category:
        query = query.where(in_category(category))
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query.order_by(p.sku)).fetchall(), columns=list(COLUMNS))
    frame["list_price"] = pd.to_numeric(frame.pop("list_price_cents")).astype(float) / 100
    return frame


def shelf_rows(shop: Shop, sheet: Sheet, found: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Name, price and rating of each product as placeholders; the figures go into the sheet."""
    r = t.reviews.c
    query = select(r.sku, func.avg(r.rating)).where(r.sku.in_(list(found["sku"])), r.day <= shop.cutoff)
    with shop.engine.connect() as connection:
        ratings = {sku: float(mean) for sku, mean in connection.execute(query.group_by(r.sku))}
    return tuple(
        offer_cells(shop, sheet, f"found.item_{number}", row, row["list_price"], ratings.get(row["sku"]), ON_THE_LABEL)
        for number, row in enumerate(found.to_dict("records"), start=1)
    )


def offer_cells(
    shop: Shop,
    sheet: Sheet,
    stem: str,
    row: Mapping[Hashable, Any],
    price: float,
    rating: float | None,
    priced: Priced,
) -> tuple[str, str, str]:
    """Enter a product's name, price (NaN: unknown) and mean rating; return their placeholders."""
    sku = row["sku"]
    own = Rows(table="products", where={"sku": (sku,)}, count=1)
    name = sheet.add(f"{stem}_name", "Product", f"{row['name']} ({sku})", "text", "from the catalogue", rows=own)
    asked = sheet.add(
        f"{stem}_price",
        "Price",
        None if pd.isna(price) else price,
        "money",
        priced.formula,
        rows=own,
        reason=priced.reason,
        exact=priced.exact,
    )
    rated = sheet.add(
        f"{stem}_rating",
        "Mean rating",
        rating,
        "ratio",
        "mean of all review ratings, out of five",
        rows=evidence(shop, "reviews", {"sku": (sku,)}),
        reason="no review of it is on record",
    )
    return name, asked, rated
