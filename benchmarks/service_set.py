"""Reads a service set: tasks with gold calls and their end states; and reads our rows back into its shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from shop import schema as t
from shop.errors import BadInput

Json = dict[str, Any]
# Gold call → our tool, and what its arguments are called with us.
CALLS: dict[str, tuple[str, dict[str, str]]] = {
    "cancel_pending_order": ("cancel_order", {"order_id": "order", "reason": "reason"}),
    "modify_pending_order_address": ("change_address", {"order_id": "order"}),
    "modify_pending_order_payment": ("change_payment", {"order_id": "order", "payment_method_id": "payment"}),
    "modify_pending_order_items": (
        "change_items",
        {"order_id": "order", "item_ids": "items", "new_item_ids": "new_items", "payment_method_id": "payment"},
    ),
    "return_delivered_order_items": (
        "return_items",
        {"order_id": "order", "item_ids": "items", "payment_method_id": "payment"},
    ),
    "exchange_delivered_order_items": (
        "exchange_items",
        {"order_id": "order", "item_ids": "items", "new_item_ids": "new_items", "payment_method_id": "payment"},
    ),
    "modify_user_address": ("change_address", {}),
}
ADDRESS = ("address1", "address2", "city", "state", "country", "zip")


@dataclass(frozen=True)
class Call:
    """A gold call as our tools take it; `index` is its place among all actions of the task."""

    index: int
    tool: str
    arguments: Json

    @property
    def names_an_owner(self) -> bool:
        """Whether it names something that belongs to somebody; the profile's address is always one's own."""
        return "order" in self.arguments


@dataclass(frozen=True)
class Task:
    """One task: who acts (nobody where no owner was found), the writes, and what must stand in the shop afterwards."""

    id: str
    user: str | None
    calls: tuple[Call, ...]
    changed: Json
    refused: frozenset[int]


def read_tasks(tasks: Path, expected: Path) -> list[Task]:
    """Tasks with their end states, in order.

    Raises:
        BadInput: A file cannot be read, or the two do not belong together.
    """
    wanted, states = (_read_list(path) for path in (tasks, expected))
    if len(wanted) != len(states):
        raise BadInput(f"{tasks.name} has {len(wanted)} tasks and {expected.name} {len(states)}; they must fit.")
    try:
        return [_task(one, state) for one, state in zip(wanted, states, strict=True)]
    except (KeyError, TypeError) as error:
        raise BadInput(f"{tasks.name} or {expected.name} is not in the layout: {error} is missing or wrong.") from error


def _read_list(path: Path) -> list[Json]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path.name} cannot be read as JSON: {error}.") from error
    if not isinstance(found, list):
        raise BadInput(f"{path.name} holds no list; a list with one record for each task was expected.")
    return found


def _task(task: Json, state: Json) -> Task:
    return Task(
        str(state["task"]),
        state["acting_user"],
        tuple(_call(i, one) for i, one in enumerate(task["actions"]) if one["name"] in CALLS),
        state["changed"],
        frozenset(int(one["index"]) for one in state["refused_gold_actions"]),
    )


def _call(index: int, action: Json) -> Call:
    tool, names = CALLS[action["name"]]
    given = action["kwargs"]
    arguments = {ours: given[theirs] for theirs, ours in names.items()}
    if tool == "change_address":
        town = f"{given['state']} {given['zip']}".strip()
        parts = (given["address1"], given["address2"], given["city"], town, given["country"])
        arguments["address"] = "\n".join(part for part in parts if part)
    return Call(index, tool, arguments)


def order_record(connection: Connection, order_id: str) -> Json:
    """An order of the shop in the set's shape."""
    o = t.orders.c
    row = connection.execute(select(o.customer_id, o.status).where(o.id == order_id)).one()
    shipments = _rows(connection, t.shipments, order_id)
    request = next(iter(_rows(connection, t.requests, order_id)), None)
    return {
        "order_id": order_id,
        "user_id": row.customer_id,
        "address": _address(_rows(connection, t.order_addresses, order_id)[0]),
        "items": _items(connection, order_id),
        "status": row.status,
        "fulfillments": [{"tracking_id": one["tracking"], "item_ids": one["skus"]} for one in shipments],
        "payment_history": [
            {
                "transaction_type": one["kind"],
                "amount": one["cents"] / 100,
                "payment_method_id": one["method_id"],
            }
            for one in _rows(connection, t.payments, order_id)
        ],
        **(_requested(request) if request else {}),
    }


def user_record(connection: Connection, user_id: str) -> Json:
    """A customer of the shop in the set's shape."""
    customer = connection.execute(select(t.customers).where(t.customers.c.id == user_id)).mappings().one()
    address = select(t.customer_addresses).where(t.customer_addresses.c.customer_id == user_id)
    methods = select(t.payment_methods).where(t.payment_methods.c.customer_id == user_id)
    orders = select(t.orders.c.id).where(t.orders.c.customer_id == user_id).order_by(t.orders.c.placed_at)
    first = customer["attributes"]["first_name"]
    return {
        "user_id": user_id,
        "name": {"first_name": first, "last_name": customer["name"][len(first) + 1 :]},
        "address": _address(connection.execute(address).mappings().one()),
        "email": customer["email"],
        "payment_methods": {row["id"]: _method(row) for row in connection.execute(methods).mappings()},
        "orders": list(connection.execute(orders).scalars()),
    }


def same(found: Any, wanted: Any) -> bool:
    """Whether two records are equal: money at two places, a missing key is null."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        return all(same(found.get(key), wanted.get(key)) for key in {*found, *wanted})
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    numbers = (int, float)
    if isinstance(found, numbers) and isinstance(wanted, numbers) and not isinstance(wanted, bool):
        return abs(round(found, 2) - round(wanted, 2)) < 0.005
    return bool(found == wanted)


def _rows(connection: Connection, table: Any, order_id: str) -> list[Json]:
    query = select(table).where(table.c.order_id == order_id)
    if "number" in table.c:
        query = query.order_by(table.c.number)
    return [dict(row) for row in connection.execute(query).mappings()]


def _items(connection: Connection, order_id: str) -> list[Json]:
    n, p, v = t.order_lines.c, t.products.c, t.variants.c
    query = (
        select(p.name, v.type_id, n.sku, n.price_cents, p.attributes)
        .join_from(t.order_lines, t.products)
        .join(t.variants, v.sku == n.sku)
        .where(n.order_id == order_id)
        .order_by(n.line)
    )
    return [
        {
            "name": row.name,
            "product_id": row.type_id,
            "item_id": row.sku,
            "price": row.price_cents / 100,
            "options": row.attributes,
        }
        for row in connection.execute(query)
    ]


def _requested(request: Json) -> Json:
    if request["kind"] == "cancel":
        return {"cancel_reason": request["reason"]}
    if request["kind"] == "return":
        return {"return_items": request["items"], "return_payment_method_id": request["method_id"]}
    return {
        "exchange_items": request["items"],
        "exchange_new_items": request["new_items"],
        "exchange_payment_method_id": request["method_id"],
        "exchange_price_difference": request["difference_cents"] / 100,
    }


def _method(row: Mapping[str, Any]) -> Json:
    common = {"source": row["kind"], "id": row["id"]}
    if row["kind"] == "credit_card":
        return {**common, "brand": row["brand"], "last_four": row["last_four"]}
    return {**common, "balance": row["balance_cents"] / 100} if row["balance_cents"] is not None else common


def _address(row: Mapping[str, Any]) -> Json:
    return {name: row[name] for name in ADDRESS}
