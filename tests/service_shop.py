"""A little shop with two customers and a few orders, for the tests of the service tools."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from shop import Actor, Shop, ToolResult, rollup
from shop import schema as t
from shop.session import Session
from tools import ALL
from tools.registry import bind

NOW = datetime(2026, 3, 2, 12, 0)
EMAIL, STREET = "anna.berg@example.com", "1 Elm Street"
METHODS = (
    ("anna", "card_1", "credit_card", "visa", "4242", None),
    ("anna", "gift_1", "gift_card", "", "", 5_000),
    ("anna", "paypal_1", "paypal", "", "", None),
    ("ben", "card_2", "credit_card", "visa", "1111", None),
)
# order, owner, status, SKUs, method
ORDERS = (
    ("#W1", "anna", "pending", ("MUG-RED", "MUG-RED", "TEA-S"), "card_1"),
    ("#W2", "anna", "delivered", ("MUG-RED", "TEA-S"), "paypal_1"),
    ("#W3", "anna", "processed", ("TEA-S",), "card_1"),
    ("#W4", "ben", "pending", ("MUG-BLUE",), "card_2"),
    ("#W5", "anna", "pending", ("MUG-BLUE",), "gift_1"),
)
VARIANTS = (
    ("MUG-RED", "Mug", 1_000, True, {"colour": "red"}),
    ("MUG-BLUE", "Mug", 1_250, True, {"colour": "blue"}),
    ("MUG-GOLD", "Mug", 9_000, True, {"colour": "gold"}),
    ("MUG-GREY", "Mug", 900, False, {"colour": "grey"}),
    ("TEA-S", "Tea", 499, True, {"size": "small"}),
    ("TEA-L", "Tea", 999, True, {"size": "large"}),
)
PRICES = {sku: cents for sku, _, cents, _, _ in VARIANTS}


def fill(shop: Shop) -> Shop:
    """Write the little shop into an empty one."""
    with shop.begin() as connection:
        add = lambda table, rows: connection.execute(table.insert(), list(rows))  # noqa: E731
        add(t.meta, [{"key": "currency", "value": "USD"}])
        add(
            t.products,
            [
                {"sku": sku, "name": name, "attributes": options, "list_price_cents": cents, "cost_cents": 333}
                for sku, name, cents, _, options in VARIANTS
            ],
        )
        add(
            t.variants,
            [{"sku": s, "type_id": n.upper(), "type_name": n, "available": free} for s, n, _, free, _ in VARIANTS],
        )
        add(
            t.customers,
            [
                {"id": "anna", "name": "Anna Berg", "email": EMAIL, "zip": "80279"},
                {"id": "ben", "name": "Ben Cole", "email": "ben@example.com", "zip": "10001"},
            ],
        )
        place = {"address1": STREET, "city": "Denver", "state": "CO", "country": "USA", "zip": "80279"}
        add(t.customer_addresses, [{"customer_id": "anna", **place}, {"customer_id": "ben", **place}])
        names = ("customer_id", "id", "kind", "brand", "last_four", "balance_cents")
        add(t.payment_methods, [dict(zip(names, row, strict=True)) for row in METHODS])
        for number, (order, owner, status, skus, method) in enumerate(ORDERS):
            at = NOW - timedelta(days=9 - number)
            add(t.orders, [{"id": order, "customer_id": owner, "placed_at": at, "status": status}])
            lines: dict[str, int] = {sku: skus.count(sku) for sku in skus}
            add(
                t.order_lines,
                [
                    {"order_id": order, "line": n, "sku": sku, "units": units, "price_cents": PRICES[sku]}
                    for n, (sku, units) in enumerate(lines.items(), 1)
                ],
            )
            add(t.order_addresses, [{"order_id": order, **place}])
            paid = sum(PRICES[sku] for sku in skus)
            add(t.payments, [{"order_id": order, "number": 1, "kind": "payment", "cents": paid, "method_id": method}])
        rollup.rebuild(connection)
    return shop


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def acting(shop: Shop, person: str = "anna", clock: Any = lambda: NOW) -> Shop:
    """The shop in a customer's hands."""
    return shop.acting_as(Session("customer", person, id="test", now=clock))


def call(shop: Shop, name: str, /, **arguments: Any) -> ToolResult:
    """A customer's tool, called as the acting person of this shop."""
    return bind(ALL, shop, Actor(role="customer"))[name](**arguments)


def value(result: ToolResult, figure_id: str) -> Any:
    return next(figure.value for figure in result.figures if figure.id == figure_id)


def rows(shop: Shop, table: Any, **where: Any) -> list[dict[str, Any]]:
    """The rows of a table that hold these values."""
    chosen = [table.c[name] == given for name, given in where.items()]
    with shop.engine.connect() as connection:
        found = connection.execute(select(table).where(*chosen).order_by(*table.primary_key.columns))
        return [dict(row) for row in found.mappings()]


def everything(shop: Shop) -> dict[str, list[dict[str, Any]]]:
    """All that a change may touch."""
    tables = (t.customers, t.customer_addresses, t.payment_methods, t.orders, t.order_lines, t.order_addresses)
    return {table.name: rows(shop, table) for table in (*tables, t.payments, t.requests, t.executions, t.daily)}


DAY = date(2026, 2, 26)
