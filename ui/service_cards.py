"""Cards of the shopper's page, drawn from the stored rows and proposals, never from what a model wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from babel.numbers import format_currency

from shop import PendingAction
from shop.service.types import Address, Order
from ui.links import escape

Line = tuple[str, str]
TITLES = {
    "cancel_order": "Cancel an order",
    "change_address": "Change an address",
    "change_items": "Change items of an order",
    "change_payment": "Change how an order is paid",
    "return_items": "Return items",
    "exchange_items": "Exchange items",
}


def proposal_card(action: PendingAction, currency: str) -> str:
    """A proposal with everything that a confirmation would carry out, as Markdown."""
    rows = [f"- **{label}:** {escape(text)}" for label, text in proposal_lines(action, currency)]
    return "\n".join([f"### {TITLES[action.tool]}", *rows])


def proposal_lines(action: PendingAction, currency: str) -> list[Line]:
    """What a proposal says, line by line, from its exact arguments, the rows before and the rows after."""
    before, after, exact = action.before, action.after, action.arguments
    lines: list[Line] = [("Order", before["id"])] if "id" in before else [("Where", "your profile")]
    if before.get("status") != after.get("status"):
        lines.append(("Status", f"{before['status']} → {after['status']}"))
    if "reason" in exact:
        lines.append(("Reason", exact["reason"]))
    if "address" in exact:
        lines += [("Address now", _address(before["address"])), ("New address", _address(exact["address"]))]
    lines += _items(action, currency)
    lines += [_payment(row, currency) for row in after.get("payments", [])[len(before.get("payments", [])) :]]
    request = after.get("request") or {}
    if request.get("kind") in ("return", "exchange"):
        lines.append(("Settled with", f"{request['method_id']}, once the items have arrived"))
    if request.get("difference_cents") is not None:
        lines.append(("Difference", _difference(request["difference_cents"], currency)))
    if action.tool in ("change_items", "exchange_items"):
        lines.append(("Note", "possible once per order: name all items that you want changed"))
    return lines


def order_card(order: Order, placed: str, currency: str) -> str:
    """An order as its owner sees it, as Markdown."""
    items = [f"- {escape(item.name)} · {escape(money(item.price_cents, currency))}" for item in order.items]
    where = [f"<small>Goes to {escape(order.address.one_line())}</small>"] if order.address else []
    head = f"**{escape(order.id)}** · {escape(order.status)} · {placed} · {escape(money(order.total_cents, currency))}"
    return "\n\n".join([head, "\n".join(items), *where])


def money(cents: int, currency: str) -> str:
    """An amount to the cent: a card is what is paid, so nothing is rounded."""
    return str(format_currency(cents / 100, currency, locale="en"))


def _address(stored: dict[str, str] | None) -> str:
    return Address(**stored).one_line() if stored else "none on record"


def _payment(row: dict[str, Any], currency: str) -> Line:
    label = "You pay" if row["kind"] == "payment" else "You get back"
    return label, f"{money(row['cents'], currency)} · {row['method_id']}"


def _difference(cents: int, currency: str) -> str:
    return f"{money(abs(cents), currency)} {'to pay' if cents > 0 else 'back to you'}"


def _items(action: PendingAction, currency: str) -> Iterable[Line]:
    names = {item["sku"]: item["name"] for item in (*action.before.get("items", []), *action.after.get("items", []))}
    named: Callable[[str], str] = lambda sku: f"{names[sku]} ({sku})" if sku in names else sku  # noqa: E731
    old, new = action.arguments.get("items", []), action.arguments.get("new_items", [])
    if not new:
        return [("Item", named(sku)) for sku in old]
    return [("Item", f"{named(one)} → {named(other)}") for one, other in zip(old, new, strict=True)]
