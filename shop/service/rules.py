"""The rules of a careful shop: each is a plain function from an account and an order to what both become.

A rule raises a `ToolError` with the reason where it does not allow the change, and then nothing has changed. Money
moves in cents: what a gift card pays or gets back changes its balance at once, what other methods pay or get back is
written down for the payment provider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shop.errors import ToolError
from shop.service.types import Account, Address, Item, Method, Order, Payment, Request, Variant

PENDING, CHANGED, DELIVERED, CANCELLED = "pending", "pending (item modified)", "delivered", "cancelled"
RETURNING, EXCHANGING = "return requested", "exchange requested"
CANCEL_REASONS = ("no longer needed", "ordered by mistake")
After = tuple[Account, Order]


def cancel(account: Account, order: Order, reason: str) -> After:
    """Cancel a pending order: every payment goes back the way it came, never more than that way paid."""
    _expect(order, PENDING, "cancelled")
    if reason not in CANCEL_REASONS:
        raise ToolError(f"The reasons for cancelling are: {', '.join(CANCEL_REASONS)}; say which one it is.")
    left = {payment.method_id: order.paid_by(payment.method_id) for payment in order.payments}
    refunds = []
    for payment in order.payments:
        back = min(payment.cents, left[payment.method_id]) if payment.kind == "payment" else 0
        if back > 0:
            left[payment.method_id] -= back
            refunds.append(Payment("refund", back, payment.method_id))
    return _moved(account, replace(order, status=CANCELLED, request=Request("cancel", reason)), refunds)


def change_address(account: Account, order: Order, address: Address) -> After:
    """Send a pending order elsewhere."""
    _expect(order, PENDING, "sent elsewhere")
    return account, replace(order, address=address)


def move(account: Account, address: Address) -> Account:
    """Keep another address in the profile; orders go where they went."""
    return replace(account, address=address)


def change_payment(account: Account, order: Order, method_id: str) -> After:
    """Pay a pending order another way, whole: the new method pays, the old one gets its money back."""
    _expect(order, PENDING, "paid another way")
    if len(order.payments) != 1 or order.payments[0].kind != "payment":
        raise ToolError(
            f"The payment of order {order.id} was changed already, or is not on record, and can be changed only once "
            "here; hand_over passes you on to a person."
        )
    old, new = order.payments[0], _method(account, method_id)
    if new.id == old.method_id:
        raise ToolError(f"Order {order.id} is paid with {new.id} already; name another of your payment methods.")
    _covers(new, old.cents)
    return _moved(account, order, [Payment("payment", old.cents, new.id), Payment("refund", old.cents, old.method_id)])


def change_items(
    account: Account,
    order: Order,
    items: Sequence[str],
    new_items: Sequence[str],
    method_id: str,
    variants: Mapping[str, Variant],
) -> After:
    """Swap items of a pending order for other variants of the same products, once; the difference is settled now."""
    _expect(order, PENDING, "changed")
    changed, difference = _swapped(order, items, new_items, variants)
    method = _method(account, method_id)
    _covers(method, difference)
    if -difference > order.paid_cents:
        raise ToolError(
            f"More would go back for order {order.id} than was paid for it; hand_over passes you on to a person."
        )
    move = Payment("payment" if difference > 0 else "refund", abs(difference), method.id)
    return _moved(account, replace(order, status=CHANGED, items=changed), [move])


def return_items(account: Account, order: Order, items: Sequence[str], method_id: str) -> After:
    """Ask to send items of a delivered order back; the money moves when they have arrived."""
    _expect(order, DELIVERED, "returned")
    _pick(order, items)
    method = _method(account, method_id)
    if method.kind != "gift_card" and method.id != original_method(order):
        raise ToolError(
            f"The refund of order {order.id} can go to {original_method(order)}, which paid for it, or to a gift card "
            "of yours; name one of these."
        )
    request = Request("return", items=tuple(sorted(items)), method_id=method.id)
    return account, replace(order, status=RETURNING, request=request)


def exchange_items(
    account: Account,
    order: Order,
    items: Sequence[str],
    new_items: Sequence[str],
    method_id: str,
    variants: Mapping[str, Variant],
) -> After:
    """Ask to exchange items of a delivered order for other variants, once; money moves when they have arrived."""
    _expect(order, DELIVERED, "exchanged")
    difference = _swapped(order, items, new_items, variants)[1]
    method = _method(account, method_id)
    _covers(method, difference)
    request = Request("exchange", "", tuple(sorted(items)), tuple(sorted(new_items)), method.id, difference)
    return account, replace(order, status=EXCHANGING, request=request)


def original_method(order: Order) -> str:
    """Id of the method that first paid for an order.

    Raises:
        ToolError: The shop has no record of a payment.
    """
    if not order.payments:
        raise ToolError(
            f"How order {order.id} was paid is not on record here; hand_over passes you on to a person who can see it."
        )
    return order.payments[0].method_id


def _expect(order: Order, status: str, verb: str) -> None:
    if order.status != status:
        raise ToolError(
            f"Order {order.id} is {order.status}, and only {status} orders can be {verb}; "
            "hand_over passes you on to a person if that does not help."
        )


def _method(account: Account, method_id: str) -> Method:
    method = account.method(method_id)
    if method is None:
        known = ", ".join(each.id for each in account.methods) or "none"
        raise ToolError(f"There is no payment method {method_id} in your account; yours are: {known}.")
    return method


def _covers(method: Method, cents: int) -> None:
    if method.balance_cents is not None and method.balance_cents < cents:
        raise ToolError(
            f"The gift card {method.id} holds less than the {cents / 100:.2f} it would have to pay; "
            "name another payment method."
        )


def _pick(order: Order, wanted: Sequence[str]) -> list[int]:
    """Places of the wanted items in the order, each place once."""
    if not wanted:
        raise ToolError(f"Say which items of order {order.id} are meant; get_order lists them.")
    free = list(range(len(order.items)))
    places = []
    for sku in wanted:
        place = next((place for place in free if order.items[place].sku == sku), None)
        if place is None:
            raise ToolError(f"Order {order.id} does not hold {sku} that many times; get_order lists its items.")
        free.remove(place)
        places.append(place)
    return places


def _swapped(
    order: Order, items: Sequence[str], new_items: Sequence[str], variants: Mapping[str, Variant]
) -> tuple[tuple[Item, ...], int]:
    """The items after the swap, and what they cost more. Each changed item takes its own variant's price."""
    if len(items) != len(new_items):
        raise ToolError(f"{len(items)} items cannot become {len(new_items)}; name one new item for each.")
    after = list(order.items)
    for place, sku in zip(_pick(order, items), new_items, strict=True):
        old, new = order.items[place], variants.get(sku)
        if new is None or not old.type_id or new.type_id != old.type_id:
            raise ToolError(f"{sku} is not a variant of {old.name}; get_product lists the variants there are.")
        if not new.available or new.price_cents is None:
            raise ToolError(f"{sku} is not available now; get_product lists the variants that are.")
        after[place] = Item(old.line, new.sku, new.name, new.price_cents, new.type_id, new.options)
    return tuple(after), sum(item.price_cents for item in after) - order.total_cents


def _moved(account: Account, order: Order, moves: Sequence[Payment]) -> After:
    """The account and the order after money has moved between the order and the customer's methods."""
    methods = {method.id: method for method in account.methods}
    for move in moves:
        method = methods.get(move.method_id)
        if method is None:
            raise ToolError(
                f"Order {order.id} was paid with {move.method_id}, which is not in your account any more; "
                "hand_over passes you on to a person."
            )
        if method.balance_cents is not None:
            signed = move.cents if move.kind == "refund" else -move.cents
            methods[method.id] = replace(method, balance_cents=method.balance_cents + signed)
    account = replace(account, methods=tuple(methods.values()))
    return account, replace(order, payments=(*order.payments, *moves))
