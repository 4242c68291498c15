"""Imports a retail service set (tau-bench's `db.json`): users, orders, products with variants, as they stand on a day.

The format has no dates: every order is given the day of the snapshot, in the order in which its owner lists them. It
has no cost, stock or sales history either, so such a shop serves customers and plans nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert

from shop import rollup
from shop import schema as t
from shop.errors import BadInput
from shop.importers.job import declare
from shop.service.rules import CANCEL_REASONS
from shop.view import View

SOURCE = "tau-retail"
PARTS = ("products", "users", "orders")
Json = dict[str, Any]


def load(shop: View, path: Path, day: date) -> None:
    """Load a set into an empty shop, whole or not at all.

    Args:
        shop: A shop without products.
        path: `db.json`.
        day: The day on which the file shows the shop.

    Raises:
        BadInput: The file is not such a set, or the shop is not empty.
    """
    data = read(path)
    if shop.meta("name"):
        raise BadInput("A service set goes into an empty shop, and this one holds data; name a new database.")
    with shop.begin() as connection:
        declare(connection, "USD", SOURCE)
        try:
            for table, rows in _tables(data, day):
                listed = list(rows)
                if listed:
                    connection.execute(insert(table), listed)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise BadInput(f"{path.name} is not a retail service set: {_what(error)}; nothing was imported.") from error
        rollup.rebuild(connection)


def read(path: Path) -> Json:
    """The set as it stands in the file.

    Raises:
        BadInput: It cannot be read, or lacks one of its three parts.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path.name} cannot be read as JSON: {error}.") from error
    missing = [part for part in PARTS if not isinstance(data, dict) or not isinstance(data.get(part), dict)]
    if missing:
        raise BadInput(f"{path.name} is not a retail service set: it has no {', '.join(missing)} by id.")
    return dict(data)


def _what(error: Exception) -> str:
    return f"a record has no {error}" if isinstance(error, KeyError) else str(error)


def _tables(data: Json, day: date) -> Iterator[tuple[Table, Iterable[Json]]]:
    products, users = list(data["products"].values()), list(data["users"].values())
    orders = [_dated(order, data["users"], day) for order in data["orders"].values()]
    yield t.products, (_product(product, variant) for product in products for variant in product["variants"].values())
    yield t.variants, (_variant(product, variant) for product in products for variant in product["variants"].values())
    yield t.customers, (_customer(user) for user in users)
    yield t.customer_addresses, ({"customer_id": user["user_id"], **_address(user)} for user in users)
    yield t.payment_methods, (_method(user, one) for user in users for one in user["payment_methods"].values())
    yield t.orders, (_order(order, at) for order, at in orders)
    yield t.order_addresses, ({"order_id": order["order_id"], **_address(order)} for order, _ in orders)
    yield (
        t.order_lines,
        (_line(order, number, item) for order, _ in orders for number, item in _numbered(order, "items")),
    )
    yield t.payments, (_payment(order, n, one) for order, _ in orders for n, one in _numbered(order, "payment_history"))
    yield t.shipments, (_shipment(order, n, one) for order, _ in orders for n, one in _numbered(order, "fulfillments"))
    yield t.requests, (request for order, _ in orders if (request := _request(order)))


def _dated(order: Json, users: Json, day: date) -> tuple[Json, datetime]:
    listed = users[order["user_id"]]["orders"]
    place = listed.index(order["order_id"]) if order["order_id"] in listed else len(listed)
    return order, datetime.combine(day, time()) + timedelta(seconds=place)


def _numbered(order: Json, part: str) -> Iterable[tuple[int, Json]]:
    return enumerate(order[part], 1)


def _product(product: Json, variant: Json) -> Json:
    return {
        "sku": variant["item_id"],
        "name": product["name"],
        "attributes": dict(variant["options"]),
        "list_price_cents": cents(variant["price"]),
        "source": SOURCE,
    }


def _variant(product: Json, variant: Json) -> Json:
    return {
        "sku": variant["item_id"],
        "type_id": product["product_id"],
        "type_name": product["name"],
        "available": bool(variant["available"]),
    }


def _customer(user: Json) -> Json:
    first, last = user["name"]["first_name"], user["name"]["last_name"]
    return {
        "id": user["user_id"],
        "name": f"{first} {last}",
        "email": user["email"],
        "zip": user["address"]["zip"],
        "attributes": {"first_name": first},  # a name in one piece cannot be told apart again
    }


def _address(owner: Json) -> Json:
    address = owner["address"]
    return {name: address[name] for name in ("address1", "address2", "city", "state", "country", "zip")}


def _method(user: Json, method: Json) -> Json:
    return {
        "customer_id": user["user_id"],
        "id": method["id"],
        "kind": method["source"],
        "brand": method.get("brand", ""),
        "last_four": method.get("last_four", ""),
        "balance_cents": cents(method["balance"]) if "balance" in method else None,
    }


def _order(order: Json, at: datetime) -> Json:
    return {
        "id": order["order_id"],
        "customer_id": order["user_id"],
        "placed_at": at,
        "status": order["status"],
        "source": SOURCE,
    }


def _line(order: Json, number: int, item: Json) -> Json:
    return {
        "order_id": order["order_id"],
        "line": number,
        "sku": item["item_id"],
        "units": 1,
        "price_cents": cents(item["price"]),
    }


def _payment(order: Json, number: int, row: Json) -> Json:
    return {
        "order_id": order["order_id"],
        "number": number,
        "kind": row["transaction_type"],
        "cents": cents(row["amount"]),
        "method_id": row["payment_method_id"],
    }


def _shipment(order: Json, number: int, row: Json) -> Json:
    return {"order_id": order["order_id"], "number": number, "tracking": row["tracking_id"], "skus": row["item_ids"]}


def _request(order: Json) -> Json | None:
    """What was asked for the order before the snapshot, if anything was."""
    common = {"order_id": order["order_id"], "reason": "", "items": [], "new_items": [], "method_id": ""}
    if order.get("return_items"):
        return {
            **common,
            "kind": "return",
            "items": order["return_items"],
            "method_id": order["return_payment_method_id"],
            "difference_cents": None,
        }
    if order.get("exchange_items"):
        return {
            **common,
            "kind": "exchange",
            "items": order["exchange_items"],
            "new_items": order["exchange_new_items"],
            "method_id": order["exchange_payment_method_id"],
            "difference_cents": cents(order["exchange_price_difference"]),
        }
    if order.get("cancel_reason") in CANCEL_REASONS:
        return {**common, "kind": "cancel", "reason": order["cancel_reason"], "difference_cents": None}
    return None


def cents(amount: float) -> int:
    """Money of the file as stored."""
    return round(amount * 100)
