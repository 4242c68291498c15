"""Where a category sells: revenue by region of the orders."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
from sqlalchemy import func, or_, select

from shop import Shop, Table, ToolError
from shop import schema as t
from tools.figures import Sheet


def region_revenue(shop: Shop, path: str, weeks: int) -> pd.DataFrame:
    """Revenue by region in the last weeks and in as many before: `region, now, before`."""
    o, lines, p = t.orders, t.order_lines, t.products
    last = shop.cutoff + timedelta(days=1)
    middle, first = last - timedelta(weeks=weeks), last - timedelta(weeks=2 * weeks)
    money = lines.c.units * lines.c.price_cents
    query = (
        select(
            o.c.region,
            func.sum(money).filter(o.c.placed_at >= middle).label("now"),
            func.sum(money).filter(o.c.placed_at < middle).label("before"),
        )
        .join(lines, lines.c.order_id == o.c.id)
        .join(p, p.c.sku == lines.c.sku)
        .where(
            o.c.placed_at >= first,
            o.c.placed_at < last,
            or_(p.c.category == path, p.c.category.startswith(path + " > ", autoescape=True)),
        )
        .group_by(o.c.region)
    )
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).fetchall(), columns=["region", "now", "before"])
    frame[["now", "before"]] = frame[["now", "before"]].astype(float).fillna(0.0) / 100
    return frame


def region_table(shop: Shop, sheet: Sheet, path: str, weeks: int, region: str | None, reaches: bool) -> Table | None:
    """Revenue by region; its growth is unknown unless the data `reaches` back over as many weeks again.

    Raises:
        ToolError: A region is asked for that no order of the category names.
    """
    frame = region_revenue(shop, path, weeks)
    frame = frame[frame["region"] != ""]
    if frame.empty:
        if region is not None:
            raise ToolError("The orders name no region; leave the region out.")
        return None
    if region is not None and region.lower() not in {name.lower() for name in frame["region"]}:
        listed = ", ".join(sorted(frame["region"]))
        raise ToolError(f"There is no region “{region}” in the orders of {path}; the regions are {listed}.")
    total = frame["now"].sum()
    cells = []
    order = frame.sort_values("now", ascending=False)
    if region is not None:
        chosen = order["region"].str.lower() == region.lower()
        order = pd.concat([order[chosen], order[~chosen]])
    for number, row in enumerate(order.head(12).to_dict("records"), start=1):
        stem = f"market.region_{number}"
        growth = row["now"] / row["before"] - 1 if reaches and row["before"] > 0 else None
        cells.append(
            (
                sheet.add(f"{stem}_name", "Region", str(row["region"]), "text", "as the orders say"),
                sheet.add(f"{stem}_revenue", "Revenue", float(row["now"]), "money", "sum of order lines"),
                sheet.add(f"{stem}_share", "Share", float(row["now"] / total), "share", "of all regions"),
                sheet.add(
                    f"{stem}_growth",
                    "Growth",
                    growth,
                    "share",
                    "over the weeks before",
                    reason="the data do not reach back that far, or nothing sold then",
                ),
            )
        )
    return Table(title="Regions", columns=("Region", "Revenue", "Share", "Growth"), rows=tuple(cells))
