"""What a customer's call would change: words become own ids, the rules decide, and the rows are written as they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from sqlalchemy import Connection

from shop.actions import Arguments, Change, Plan
from shop.errors import ToolError
from shop.service import rows, rules
from shop.service.address import parse_address
from shop.service.choose import choose_items, choose_method, choose_variants
from shop.service.types import Account, Address, Order
from shop.types import Actor

Rule = Callable[[Connection, Account, Order, Arguments], tuple[rules.After, dict[str, Any]]]
NO_ORDER = "You have no order {said}; list_orders shows the orders you have."


def own_order(connection: Connection, customer_id: str, said: str) -> Order:
    """The customer's order of this number.

    Raises:
        ToolError: She has none such; the sentence is the same whether it is somebody else's or nobody's.
    """
    order = rows.read_order(connection, customer_id, said)
    if order is None:
        raise ToolError(NO_ORDER.format(said=said))
    return order


def order_state(order: Order) -> dict[str, Any]:
    """An order as a proposal keeps it and a card shows it."""
    return {
        "id": order.id,
        "status": order.status,
        "items": [{"sku": i.sku, "name": i.name, "price_cents": i.price_cents} for i in order.items],
        "payments": [asdict(payment) for payment in order.payments],
        "address": asdict(order.address) if order.address else None,
        "request": _listed(asdict(order.request)) if order.request else None,
    }


def _listed(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _plan_order(rule: Rule, connection: Connection, actor: Actor, arguments: Arguments) -> Plan:
    order = own_order(connection, actor.id, arguments["order"])
    account = rows.read_account(connection, actor.id)
    after, exact = rule(connection, account, order, arguments)
    return Plan(
        order.id,
        {"order": order.id, **exact},
        order_state(order),
        order_state(after[1]),
        lambda writing: rows.write(writing, (account, order), after),
    )


def _state(connection: Connection, actor: Actor, subject: str) -> dict[str, Any] | None:
    if subject == _profile(actor):
        address = rows.read_account(connection, actor.id).address
        return {"address": asdict(address) if address else None}
    order = rows.read_order(connection, actor.id, subject)
    return None if order is None else order_state(order)


def _cancel(_: Connection, account: Account, order: Order, arguments: Arguments) -> tuple[rules.After, dict[str, Any]]:
    return rules.cancel(account, order, arguments["reason"]), {"reason": arguments["reason"]}


def _change_payment(
    _: Connection, account: Account, order: Order, arguments: Arguments
) -> tuple[rules.After, dict[str, Any]]:
    method = choose_method(account, arguments["payment"])
    return rules.change_payment(account, order, method), {"payment": method}


def _return(_: Connection, account: Account, order: Order, arguments: Arguments) -> tuple[rules.After, dict[str, Any]]:
    items, method = choose_items(order, arguments["items"]), _method(account, order, arguments)
    return rules.return_items(account, order, items, method), {"items": items, "payment": method}


def _swap(
    rule: Callable[..., rules.After], connection: Connection, account: Account, order: Order, arguments: Arguments
) -> tuple[rules.After, dict[str, Any]]:
    items, method = choose_items(order, arguments["items"]), _method(account, order, arguments)
    of_type = {item.sku: item.type_id for item in order.items}
    variants = rows.read_variants(connection, arguments["new_items"], filter(None, {of_type[sku] for sku in items}))
    new = choose_variants([of_type[sku] for sku in items], arguments["new_items"], variants)
    after = rule(account, order, items, new, method, variants)
    return after, {"items": items, "new_items": new, "payment": method}


def _method(account: Account, order: Order, arguments: Arguments) -> str:
    said = arguments.get("payment")
    return choose_method(account, said) if said else rules.original_method(order)


def _plan_address(connection: Connection, actor: Actor, arguments: Arguments) -> Plan:
    """Of one order where one is named, else of the profile, which leaves the orders as they are."""
    account = rows.read_account(connection, actor.id)
    said, old = arguments["address"], account.address
    new = Address(**said) if isinstance(said, dict) else parse_address(said, old.country if old else "")
    exact = {"address": asdict(new)}
    if arguments.get("order"):
        order = own_order(connection, actor.id, arguments["order"])
        after = rules.change_address(account, order, new)
        return Plan(
            order.id,
            {"order": order.id, **exact},
            order_state(order),
            order_state(after[1]),
            lambda writing: rows.write(writing, (account, order), after),
        )
    moved = rules.move(account, new)
    return Plan(
        _profile(actor),
        exact,
        {"address": asdict(old) if old else None},
        exact,
        lambda writing: rows.write(writing, (account, None), (moved, None)),
    )


def _profile(actor: Actor) -> str:
    return f"customer {actor.id}"


def _of_order(rule: Rule) -> Change:
    return Change(partial(_plan_order, rule), _state)


CHANGES: dict[str, Change] = {
    "cancel_order": _of_order(_cancel),
    "change_address": Change(_plan_address, _state),
    "change_items": _of_order(partial(_swap, rules.change_items)),
    "change_payment": _of_order(_change_payment),
    "return_items": _of_order(_return),
    "exchange_items": _of_order(partial(_swap, rules.exchange_items)),
}
