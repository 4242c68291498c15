"""Cards of the shopper's page, drawn from the stored rows and proposals, never from what a model wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from babel.dates import format_datetime
from babel.numbers import format_currency

from shop import PendingAction
from shop.service.types import Address, Order
from ui.links import escape
from ui.strings import Words

Line = tuple[str, str]


def proposal_card(action: PendingAction, currency: str, say: Words) -> str:
    """A proposal with everything that a confirmation would carry out, as Markdown."""
    rows = [f"- **{label}:** {escape(text)}" for label, text in proposal_lines(action, currency, say)]
    until = format_datetime(action.expires_at, format="short", locale=say.locale)
    return "\n".join(
        [f"### {say[action.tool]}", *rows, "", f"<small>{say('lapses', until=escape(str(until)))}</small>"]
    )


def proposal_lines(action: PendingAction, currency: str, say: Words) -> list[Line]:
    """What a proposal says, line by line, from its exact arguments, the rows before and the rows after."""
    before, after, exact = action.before, action.after, action.arguments
    lines: list[Line] = [(say["order"], before["id"])] if "id" in before else [(say["where"], say["profile"])]
    if before.get("status") != after.get("status"):
        lines.append((say["status"], f"{_status(before['status'], say)} → {_status(after['status'], say)}"))
    if "reason" in exact:
        lines.append((say["reason"], exact["reason"]))
    if "address" in exact:
        lines += [
            (say["address_now"], _address(before["address"], say)),
            (say["address_new"], _address(exact["address"], say)),
        ]
    lines += _items(action, say)
    payments = after.get("payments", [])[len(before.get("payments", [])) :]
    lines += [_payment(row, currency, say) for row in payments]
    request = after.get("request") or {}
    if request.get("kind") in ("return", "exchange"):
        lines.append((say["settled"], say("settled_when", method=request["method_id"])))
    if request.get("difference_cents") is not None:
        lines.append((say["difference"], _difference(request["difference_cents"], currency, say)))
    if action.tool in ("change_items", "exchange_items"):
        lines.append((say["note"], say["once"]))
    return lines


def order_card(order: Order, placed: str, currency: str, say: Words) -> str:
    """An order as its owner sees it, as Markdown."""
    items = [f"- {escape(item.name)} · {escape(money(item.price_cents, currency, say.locale))}" for item in order.items]
    where = [f"<small>{say('goes_to', address=escape(order.address.one_line()))}</small>"] if order.address else []
    total = escape(money(order.total_cents, currency, say.locale))
    head = f"**{escape(order.id)}** · {escape(_status(order.status, say))} · {placed} · {total}"
    return "\n\n".join([head, "\n".join(items), *where])


def money(cents: int, currency: str, locale: str = "en") -> str:
    """An amount to the cent: a card is what is paid, so nothing is rounded."""
    return str(format_currency(cents / 100, currency, locale=locale))


def _status(status: str, say: Words) -> str:
    return say.get(status, status)


def _address(stored: dict[str, str] | None, say: Words) -> str:
    return Address(**stored).one_line() if stored else say["none"]


def _payment(row: dict[str, Any], currency: str, say: Words) -> Line:
    label = say["you_pay" if row["kind"] == "payment" else "you_get"]
    return label, f"{money(row['cents'], currency, say.locale)} · {row['method_id']}"


def _difference(cents: int, currency: str, say: Words) -> str:
    return say("to_pay" if cents > 0 else "back", amount=money(abs(cents), currency, say.locale))


def _items(action: PendingAction, say: Words) -> Iterable[Line]:
    names = {item["sku"]: item["name"] for item in (*action.before.get("items", []), *action.after.get("items", []))}
    named: Callable[[str], str] = lambda sku: f"{names[sku]} ({sku})" if sku in names else sku  # noqa: E731
    old, new = action.arguments.get("items", []), action.arguments.get("new_items", [])
    if not new:
        return [(say["item"], named(sku)) for sku in old]
    return [(say["item"], f"{named(one)} → {named(other)}") for one, other in zip(old, new, strict=True)]
