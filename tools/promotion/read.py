"""The shop's past promotions: product weeks with their depth, promotions ahead, baskets of a category."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Date, Select, and_, func, literal, or_, select

from shop import Shop, ToolError
from shop import schema as t
from tools.demand.panel import Array
from tools.demand.read import ShopPanel, read_panel
from tools.promotion.response import MIN_DEPTH, Codes, PromotionPanel

WEEKS = 156
_WHOLE = 0.85  # share of a week's days on promotion from which the whole week counts as promoted


def promotion_panel(shop: Shop) -> PromotionPanel:
    """Product weeks of the shop's last three years; kept until the data change.

    Raises:
        ToolError: Nothing was sold.
    """
    return shop.learned("promotion-panel", lambda: _read(shop))


def _read(shop: Shop) -> PromotionPanel:
    data = read_panel(shop, weeks=WEEKS)
    if data is None:
        raise ToolError("Nothing was sold in the last three years; import newer sales.")
    return in_long_form(data, *_depths(shop, data))


def in_long_form(data: ShopPanel, depth: Array, share: Array) -> PromotionPanel:
    """Product weeks on sale and in stock, with the share off the price and the share of days it was off, (N, T)."""
    units = data.panel.units
    known = np.isfinite(units)
    calm = np.where(known & (depth < MIN_DEPTH), units, np.nan)
    some = np.isfinite(calm).sum(axis=1) >= 4
    usual = np.zeros(len(units))
    usual[some] = np.nanmedian(calm[some], axis=1)
    rows, weeks = np.nonzero(known & some[:, None])
    category: Codes
    paths: pd.Index[str]
    category, paths = pd.factorize(data.frame["category"].fillna(""))
    return PromotionPanel(
        units[rows, weeks],
        np.clip(depth[rows, weeks], 0.0, 0.9),
        rows.astype(np.int64),
        weeks.astype(np.int64),
        category[rows].astype(np.int64),
        usual[rows],
        (share[rows, weeks] > 0) & (share[rows, weeks] < _WHOLE),
        tuple(map(str, paths)),
    )


def _depths(shop: Shop, data: ShopPanel) -> tuple[Array, Array]:
    """Discount over list value on the days with one, and the share of days with sales that had one, both (N, T).

    What single coupons took is left out: it is no promotion of the product.
    """
    d, count = t.daily, len(data.panel.starts)
    span = (d.c.day <= shop.cutoff, d.c.day > shop.cutoff - timedelta(weeks=count))
    cut = select(d.c.sku, d.c.day, d.c.revenue_cents, d.c.discount_cents).where(*span, d.c.discount_cents > 0)
    back = (t.days_between(literal(shop.cutoff, Date), d.c.day) // 7).label("back")
    sold = select(d.c.sku, back, func.count()).where(*span, d.c.units > 0).group_by(d.c.sku, back)
    with shop.engine.connect() as connection:
        off = pd.DataFrame(connection.execute(cut).all(), columns=["sku", "day", "paid", "off"])
        given = pd.DataFrame(connection.execute(_coupon_discounts(shop, count)).all(), columns=["sku", "day", "coupon"])
        days = pd.DataFrame(connection.execute(sold).all(), columns=["sku", "back", "days"])
    for frame in (off, given):
        frame["day"] = pd.to_datetime(frame["day"])
    off = off.merge(given, on=["sku", "day"], how="left")
    off = off.assign(
        off=off["off"].astype(float) - off["coupon"].astype(float).fillna(0.0), paid=off["paid"].astype(float)
    )
    off = off[off["off"] >= MIN_DEPTH * (off["off"] + off["paid"])]
    off = off.assign(back=(pd.Timestamp(shop.cutoff) - off["day"]).dt.days // 7)
    weekly = off.groupby(["sku", "back"], as_index=False).agg(
        off=("off", "sum"), paid=("paid", "sum"), on=("off", "size")
    )
    weekly = weekly.merge(days, on=["sku", "back"])
    place = {sku: i for i, sku in enumerate(data.panel.keys)}
    weekly = weekly[weekly["sku"].isin(place) & (weekly["back"] < count)]
    at = (weekly["sku"].map(place).to_numpy(dtype=np.int64), count - 1 - weekly["back"].to_numpy(dtype=np.int64))
    depth, share = np.zeros((2, len(place), count))
    depth[at] = (weekly["off"] / (weekly["off"] + weekly["paid"])).to_numpy(dtype=float)
    share[at] = (weekly["on"] / weekly["days"]).to_numpy(dtype=float)
    return depth, share


def _coupon_discounts(shop: Shop, weeks: int) -> Select[Any]:
    lines, o, p = t.order_lines, t.orders, t.promotions
    day = func.date(o.c.placed_at).label("day")
    return (
        select(lines.c.sku, day, func.sum(lines.c.discount_cents * lines.c.units))
        .join(o, o.c.id == lines.c.order_id)
        .join(p, p.c.id == lines.c.promotion_id)
        .where(p.c.mechanic == "coupon", placed_within(shop, timedelta(weeks=weeks)))
        .group_by(lines.c.sku, day)
    )


def placed_within(shop: Shop, span: timedelta) -> ColumnElement[bool]:
    """Condition on orders: placed up to the cut-off, in the `span` before its end."""
    end = datetime.combine(shop.cutoff + timedelta(days=1), time())
    placed = t.orders.c.placed_at
    return and_(placed >= end - span, placed < end)


def mechanics_run(shop: Shop, category: str) -> pd.DataFrame:
    """Promotions that began by the cut-off, in the category, its parents or its products: `mechanic, count`."""
    p = t.promotions
    path = category.split(" > ")
    above = [" > ".join(path[:depth]) for depth in range(1, len(path) + 1)]
    scope = or_(p.c.category.in_(above), p.c.category.startswith(f"{category} > "), p.c.category == "")
    query = select(p.c.mechanic, func.count().label("count")).where(p.c.starts <= shop.cutoff, scope)
    with shop.engine.connect() as connection:
        rows = connection.execute(query.group_by(p.c.mechanic)).all()
    return pd.DataFrame(rows, columns=["mechanic", "count"])


def overlapping(shop: Shop, sku: str, category: str, start: date, end: date) -> pd.DataFrame:
    """Promotions on record that meet the days and could meet the product: `id, name, starts, ends, sku`."""
    p = t.promotions
    path = category.split(" > ")
    above = [" > ".join(path[:depth]) for depth in range(1, len(path) + 1)]
    scope = or_(p.c.sku == sku, p.c.sku.is_(None) & or_(p.c.category.in_(above), p.c.category == ""))
    query = select(p.c.id, p.c.name, p.c.starts, p.c.ends, p.c.sku).where(p.c.starts <= end, p.c.ends >= start, scope)
    with shop.engine.connect() as connection:
        rows = connection.execute(query.order_by(p.c.starts)).all()
    return pd.DataFrame(rows, columns=["id", "name", "starts", "ends", "sku"])


def baskets(shop: Shop, weeks: int = 52) -> list[Sequence[str]]:
    """Category of each line of each order of the last weeks, orders as rows; orders of one line count too."""
    lines, o, p = t.order_lines, t.orders, t.products
    query = (
        select(lines.c.order_id, p.c.category)
        .join(o, o.c.id == lines.c.order_id)
        .join(p, p.c.sku == lines.c.sku)
        .where(placed_within(shop, timedelta(weeks=weeks)), o.c.status != "cancelled", p.c.category != "")
    )
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).all(), columns=["order", "category"])
    return [list(each) for each in frame.groupby("order")["category"].unique()]
