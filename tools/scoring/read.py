"""What a shop recorded of a launch, by launch week: sales, days out of stock, visits."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import distinct, func, select

from shop import Product, Shop
from shop import schema as t
from tools.scoring.compare import SoldWeeks
from tools.scoring.split import Array


def whole_weeks(shop: Shop, product: Product) -> int:
    """Launch weeks that were over by the cut-off or, if earlier, by the delisting."""
    assert product.launch_date is not None
    last = min(shop.cutoff, product.delisted_date or shop.cutoff)
    return max(((last - product.launch_date).days + 1) // 7, 0)


def sold_weeks(shop: Shop, product: Product, weeks: int) -> SoldWeeks:
    """The first weeks of a product: a week without a row is a week without a sale."""
    assert product.launch_date is not None
    start, end = product.launch_date, product.launch_date + timedelta(days=7 * weeks - 1)
    days = shop.daily(skus=[product.sku], since=start, until=end)
    week = _week(days["day"], start)
    kept = days["in_stock"].notna()
    views, conversion = _visits(shop, product, start, weeks)
    return SoldWeeks(
        units=_by_week(week, days["units"], weeks),
        revenue=_by_week(week, days["revenue"], weeks),
        days_out=_by_week(week, days["in_stock"].eq(False), weeks) if kept.any() else None,
        views=views,
        conversion=conversion,
    )


def _visits(shop: Shop, product: Product, start: date, weeks: int) -> tuple[Array | None, float | None]:
    """Viewing sessions per week of the product, and units per viewing session of its category's other products."""
    nothing = (None, None)
    if not product.category:
        return nothing
    e, end = t.events.c, start + timedelta(days=7 * weeks - 1)
    day = func.date(e.at)
    query = (
        select(e.sku, day.label("day"), func.count(distinct(e.session)).label("views"))
        .where(e.kind == "view", e.at >= start, e.at < end + timedelta(days=1), e.at < shop.cutoff + timedelta(days=1))
        .where(e.sku.in_(list(shop.products(product.category)["sku"])))
        .group_by(e.sku, day)
    )
    with shop.engine.connect() as connection:
        first = connection.execute(select(func.min(e.at))).scalar()
        if first is None or first.date() > start:
            return nothing
        seen = pd.DataFrame(connection.execute(query).fetchall(), columns=["sku", "day", "views"])
    own, others = seen[seen["sku"] == product.sku], seen[seen["sku"] != product.sku]
    sales = shop.daily(skus=sorted(set(others["sku"])), since=start, until=end)
    if not others["views"].sum() or not sales["units"].sum():
        return nothing
    views = _by_week(_week(pd.to_datetime(own["day"]), start), own["views"], weeks)
    return views, float(sales["units"].sum()) / float(others["views"].sum())


def _week(days: pd.Series, start: date) -> pd.Series:
    return (days - pd.Timestamp(start)).dt.days // 7


def _by_week(week: pd.Series, values: pd.Series, weeks: int) -> Array:
    summed = np.zeros(weeks)
    np.add.at(summed, week.to_numpy(dtype=int), values.to_numpy(dtype=float))
    return summed
