"""The changes a shopper may ask for: each call files a proposal, and nothing happens until she confirms its card."""

from __future__ import annotations

from typing import Any, Literal

from shop import PendingAction, Shop, ToolResult, actions
from shop.service.plans import CHANGES
from shop.service.types import Address
from tools.figures import Sheet
from tools.registry import tool

WAITS = "Nothing has changed yet: look at the card and confirm it, or leave it."
DONE = "This was carried out already, and once is enough."
RESOLVED = ("order", "items", "new_items", "payment")  # looked up among the customer's own rows and the catalogue


@tool("propose", "own", resolved=RESOLVED)
def cancel_order(shop: Shop, order: str, reason: Literal["no longer needed", "ordered by mistake"]) -> ToolResult:
    """Propose to cancel a pending order.

    Args:
        order: Number of the order.
        reason: Why, one of the two reasons there are.
    """
    return _propose(shop, "cancel_order", {"order": order, "reason": reason})


@tool("propose", "own", resolved=RESOLVED)
def change_address(shop: Shop, address: str, order: str | None = None) -> ToolResult:
    """Propose another address for a pending order, or for the profile where no order is named.

    Args:
        address: Street, flat or suite, city, state and postcode, country, as said.
        order: Number of the order.
    """
    return _propose(shop, "change_address", {"address": address, "order": order})


@tool("propose", "own", resolved=RESOLVED)
def change_items(
    shop: Shop, order: str, items: list[str], new_items: list[str], payment: str | None = None
) -> ToolResult:
    """Propose to swap items of a pending order for other variants of the same products; possible once per order.

    Args:
        order: Number of the order.
        items: All items to be swapped, by number or name.
        new_items: The variant for each, in the same order, by number or options.
        payment: Payment method for the difference; left out, the one that paid for the order.
    """
    return _propose(shop, "change_items", {"order": order, "items": items, "new_items": new_items, "payment": payment})


@tool("propose", "own", resolved=RESOLVED)
def change_payment(shop: Shop, order: str, payment: str) -> ToolResult:
    """Propose to pay a pending order with another payment method of the account.

    Args:
        order: Number of the order.
        payment: The method to pay with instead, by its id or kind.
    """
    return _propose(shop, "change_payment", {"order": order, "payment": payment})


@tool("propose", "own", resolved=RESOLVED)
def return_items(shop: Shop, order: str, items: list[str], payment: str | None = None) -> ToolResult:
    """Propose to return items of a delivered order; possible once per order.

    Args:
        order: Number of the order.
        items: All items to be returned, by number or name.
        payment: Where the refund goes, the original method or a gift card; left out, the original one.
    """
    return _propose(shop, "return_items", {"order": order, "items": items, "payment": payment})


@tool("propose", "own", resolved=RESOLVED)
def exchange_items(
    shop: Shop, order: str, items: list[str], new_items: list[str], payment: str | None = None
) -> ToolResult:
    """Propose to exchange items of a delivered order for other variants of the same products; once per order.

    Args:
        order: Number of the order.
        items: All items to be exchanged, by number or name.
        new_items: The variant for each, in the same order, by number or options.
        payment: Payment method for the difference; left out, the one that paid for the order.
    """
    return _propose(
        shop, "exchange_items", {"order": order, "items": items, "new_items": new_items, "payment": payment}
    )


def _propose(shop: Shop, name: str, arguments: dict[str, Any]) -> ToolResult:
    given = {key: value for key, value in arguments.items() if value is not None}
    action = actions.file(shop, CHANGES[name], name, given)
    sheet = Sheet()
    sheet.add("action.id", "Proposal", action.id, "text", "made from its content")
    told = _TOLD[name](sheet, action)
    return ToolResult(summary=f"{told} {DONE if action.status == 'done' else WAITS}", figures=sheet.figures)


def _order(sheet: Sheet, action: PendingAction) -> str:
    return sheet.add("action.order", "Order", action.before["id"], "text", "its number")


def _cancelled(sheet: Sheet, action: PendingAction) -> str:
    order = _order(sheet, action)
    back = sum(row["cents"] for row in _moves(action))
    to = ", ".join(row["method_id"] for row in _moves(action))
    reason = sheet.add("action.reason", "Reason", action.arguments["reason"], "text", "as said")
    refund = sheet.add("action.refund", "Refund", back / 100, "money", "what was paid and not given back", exact=True)
    sheet.add("action.method", "Refund to", to or None, "text", "the way it was paid", reason="nothing was paid")
    return f"Order {order} would be cancelled ({reason}), and {refund} go back to {{{{action.method}}}}."


def _readdressed(sheet: Sheet, action: PendingAction) -> str:
    text = Address(**action.arguments["address"]).one_line()
    new = sheet.add("action.address", "New address", text, "text", "as said, taken apart", private=True)
    if "id" in action.before:
        return f"Order {_order(sheet, action)} would go to {new}."
    return f"Your profile would have the address {new}; orders placed already keep theirs."


def _repaid(sheet: Sheet, action: PendingAction) -> str:
    order, (paid, back) = _order(sheet, action), _moves(action)
    amount = sheet.add(
        "action.amount", "Amount", paid["cents"] / 100, "money", "what the order was paid with", exact=True
    )
    new = sheet.add("action.method", "Pays instead", paid["method_id"], "text", "a method of the account")
    old = sheet.add("action.old_method", "Gets its money back", back["method_id"], "text", "the method so far")
    return f"Order {order} would be paid with {new}: {amount}, and {old} gets the same amount back."


def _swapped(sheet: Sheet, action: PendingAction) -> str:
    order, exact = _order(sheet, action), action.arguments
    old = sheet.add("action.items", "Items", ", ".join(exact["items"]), "text", "numbers of the items")
    new = sheet.add("action.new_items", "Become", ", ".join(exact["new_items"]), "text", "numbers of the variants")
    method = sheet.add("action.method", "Payment method", exact["payment"], "text", "a method of the account")
    difference = _difference(action)
    sheet.add("action.difference", "Difference", abs(difference) / 100, "money", "new prices less old ones", exact=True)
    later = " once the items have arrived" if action.tool == "exchange_items" else ""
    settled = (
        f"{{{{action.difference}}}} would be taken from {method}{later}"
        if difference > 0
        else f"{{{{action.difference}}}} would go back to {method}{later}"
    )
    return f"Of order {order}, {old} would become {new}; {settled}. This is possible once per order."


def _returned(sheet: Sheet, action: PendingAction) -> str:
    order, exact = _order(sheet, action), action.arguments
    items = sheet.add("action.items", "Items", ", ".join(exact["items"]), "text", "numbers of the items")
    method = sheet.add("action.method", "Refund to", exact["payment"], "text", "a method of the account")
    return f"Of order {order}, {items} would come back, and the refund go to {method} once they have arrived."


def _moves(action: PendingAction) -> list[dict[str, Any]]:
    """The payments and refunds that the action adds."""
    return list(action.after["payments"][len(action.before["payments"]) :])


def _difference(action: PendingAction) -> int:
    if action.after["request"]:
        return int(action.after["request"]["difference_cents"])
    return sum(row["cents"] if row["kind"] == "payment" else -row["cents"] for row in _moves(action))


_TOLD = {
    "cancel_order": _cancelled,
    "change_address": _readdressed,
    "change_items": _swapped,
    "change_payment": _repaid,
    "return_items": _returned,
    "exchange_items": _swapped,
}
