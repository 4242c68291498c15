"""Rebuild the roll-up per product and day from order lines, returns and stock, in one pass of SQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Date, Integer, String, case, cast, delete, func, insert, null, select, union_all

from shop import schema as t

NOT_SOLD = ("cancelled", "unavailable")  # orders whose lines never became a sale
_BATCH = 5_000  # SKUs per statement, below both databases' limit of bound values


def rebuild(connection: Connection, skus: Iterable[str] | None = None) -> None:
    """Rebuild `daily` for some products, or for all, inside the caller's transaction.

    A day has a row where the product was sold, returned or counted in stock. `units` and `revenue` are what was
    ordered and not cancelled, before returns; returns stand apart, on the day they came back, because they say
    nothing about that day's demand. `in_stock` is

    - null where no warehouse recorded stock that day: unknown, not out of stock;
    - false where every warehouse that recorded it ended the day at zero and nothing was sold: demand was not seen;
    - true otherwise. A day that sold out is true: it was on sale, and its units are a lower bound of demand.

    Args:
        connection: An open transaction.
        skus: Products whose lines, returns or stock changed; None rebuilds the whole table.
    """
    if skus is None:
        _rebuild(connection, None)
        return
    ordered = sorted(set(skus))
    for start in range(0, len(ordered), _BATCH):
        _rebuild(connection, ordered[start : start + _BATCH])


def _rebuild(connection: Connection, skus: list[str] | None) -> None:
    def of(column: Any) -> Any:
        return True if skus is None else column.in_(skus)

    lines, orders, returns, stock = t.order_lines, t.orders, t.returns, t.stock
    nothing = cast(null(), Integer)
    moves = union_all(
        select(
            lines.c.sku,
            func.date(orders.c.placed_at, type_=Date).label("day"),
            lines.c.order_id,
            lines.c.units,
            (lines.c.units * lines.c.price_cents).label("revenue_cents"),
            (lines.c.units * lines.c.discount_cents).label("discount_cents"),
            nothing.label("returned_units"),
            nothing.label("refund_cents"),
            nothing.label("on_hand"),
        )
        .join(orders, orders.c.id == lines.c.order_id)
        .where(orders.c.status.not_in(NOT_SOLD), of(lines.c.sku)),
        select(
            returns.c.sku,
            returns.c.day,
            cast(null(), String),
            *[nothing] * 3,
            returns.c.units,
            returns.c.refund_cents,
            nothing,
        ).where(of(returns.c.sku)),
        select(stock.c.sku, stock.c.day, cast(null(), String), *[nothing] * 5, stock.c.on_hand).where(of(stock.c.sku)),
    ).subquery("moves")
    m = moves.c
    units = func.coalesce(func.sum(m.units), 0)
    on_hand = func.sum(m.on_hand)
    days = select(
        m.sku,
        m.day,
        units,
        func.count(m.order_id.distinct()),
        func.coalesce(func.sum(m.revenue_cents), 0),
        func.coalesce(func.sum(m.discount_cents), 0),
        func.coalesce(func.sum(m.returned_units), 0),
        func.coalesce(func.sum(m.refund_cents), 0),
        case((on_hand.is_(None), null()), else_=(on_hand > 0) | (units > 0)),
    ).group_by(m.sku, m.day)
    connection.execute(delete(t.daily).where(of(t.daily.c.sku)))
    connection.execute(insert(t.daily).from_select([column.name for column in t.daily.columns], days))
