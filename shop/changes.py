"""The manager's changes: a price, a launch date, a reorder or a campaign, planned from the rows they change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from shop import schema as t
from shop.actions import Arguments, Change, Plan
from shop.database import insert_new
from shop.errors import ToolError
from shop.types import Actor


def _plan(connection: Connection, actor: Actor, arguments: Arguments) -> Plan:
    """`product` is a SKU or draft id; `value` is cents, an ISO day, units, or the campaign in words."""
    exact = dict(arguments)
    kind, product = exact["change"], exact["product"]
    before = _state(connection, actor, product)
    if before is None:
        raise ToolError(f"There is no product or draft {product} any more; search_products finds those there are.")
    if kind == "price":
        after, apply = {**before, "price_cents": exact["value"]}, _price(exact, before["is_draft"])
    elif kind == "launch_date":
        after, apply = {**before, "launch_date": exact["value"]}, _launch(exact, before["is_draft"])
    else:
        after, apply = {**before, "decisions": before["decisions"] + 1}, _decide(exact)
    return Plan(product, exact, before, after, apply)


def _state(connection: Connection, _actor: Actor, product: str) -> dict[str, Any] | None:
    p, d, decided = t.products.c, t.drafts.c, t.decisions.c
    row = connection.execute(select(p.name, p.list_price_cents, p.launch_date).where(p.sku == product)).first()
    is_draft = row is None
    if row is None:
        row = connection.execute(select(d.name, d.price_cents, d.launch_date).where(d.id == product)).first()
    if row is None:
        return None
    decisions = connection.execute(select(decided.id).where(decided.product == product)).all()
    return {
        "name": row[0],
        "price_cents": row[1],
        "launch_date": row[2].isoformat() if row[2] else None,
        "decisions": len(decisions),
        "is_draft": is_draft,
    }


def _price(exact: dict[str, Any], is_draft: bool) -> Callable[[Connection], None]:
    def apply(connection: Connection) -> None:
        sku, cents, day = exact["product"], exact["value"], date.fromisoformat(exact["day"])
        if is_draft:
            _set(connection, t.drafts, sku, price_cents=cents)
            return
        _set(connection, t.products, sku, list_price_cents=cents)
        row = {"sku": sku, "valid_from": day, "price_cents": cents}
        if not insert_new(connection, t.prices, [row]):
            p = t.prices
            own = (p.c.sku == sku, p.c.valid_from == day)
            connection.execute(update(p).where(*own).values(price_cents=cents))

    return apply


def _launch(exact: dict[str, Any], is_draft: bool) -> Callable[[Connection], None]:
    table = t.drafts if is_draft else t.products
    day = date.fromisoformat(exact["value"])
    return lambda connection: _set(connection, table, exact["product"], launch_date=day)


def _decide(exact: dict[str, Any]) -> Callable[[Connection], None]:
    """Reorders and campaigns are carried out elsewhere; the shop keeps that they were decided."""

    def apply(connection: Connection) -> None:
        row = {
            "change": exact["change"],
            "product": exact["product"],
            "value": str(exact["value"]),
            "reason": exact["reason"],
            "decided_on": date.fromisoformat(exact["day"]),
        }
        connection.execute(insert(t.decisions), [row])

    return apply


def _set(connection: Connection, table: Table, key: str, **values: Any) -> None:
    own = next(iter(table.primary_key.columns)) == key
    connection.execute(update(table).where(own).values(**values))


CHANGES = {"propose_change": Change(_plan, _state)}
