"""The shelf as a shopper sees it: what is on sale, its price and rating; no cost, no sales, nothing that is planned."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import func, or_, select

from shop import Rows, Shop
from shop import schema as t
from shop.view import in_category
from tools.figures import Sheet, evidence

COLUMNS = ("sku", "name", "category", "brand", "description", "attributes", "list_price_cents")


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
    cells = []
    for number, row in enumerate(found.to_dict("records"), start=1):
        sku, stem = row["sku"], f"found.item_{number}"
        own, price = Rows(table="products", where={"sku": (sku,)}, count=1), row["list_price"]
        rated = evidence(shop, "reviews", {"sku": (sku,)})
        cells.append(
            (
                sheet.add(f"{stem}_name", "Product", f"{row['name']} ({sku})", "text", "from the catalogue", rows=own),
                sheet.add(
                    f"{stem}_price",
                    "Price",
                    None if pd.isna(price) else price,
                    "money",
                    "list price",
                    rows=own,
                    reason="no price on record",
                    exact=True,
                ),
                sheet.add(
                    f"{stem}_rating",
                    "Mean rating",
                    ratings.get(sku),
                    "ratio",
                    "mean of all review ratings, out of five",
                    rows=rated,
                    reason="no review of it is on record",
                ),
            )
        )
    return tuple(cells)
