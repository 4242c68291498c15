"""Money over random sequences of calls: conserved to the cent, no card below zero, no refund above what was paid."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.errors import ToolError
from shop.service import rules
from shop.service.types import Account, Address, Item, Method, Order, Payment, Variant

PRICES = {"a1": 1_000, "a2": 1_250, "a3": 7, "b1": 499, "b2": 99_999}
VARIANTS = {sku: Variant(sku, sku, sku, sku[0], cents, sku != "a3", {}) for sku, cents in PRICES.items()}
VARIANTS = {sku: replace(one, type_id=sku[0]) for sku, one in VARIANTS.items()}
METHODS = ("card", "paypal", "gift", "gift2", "nobodys")
SKUS = st.lists(st.sampled_from(sorted(PRICES)), min_size=1, max_size=3)
CALLS = st.one_of(
    st.tuples(st.just("cancel"), st.sampled_from([*rules.CANCEL_REASONS, "other"])),
    st.tuples(st.just("pay"), st.sampled_from(METHODS)),
    st.tuples(st.just("change"), SKUS, SKUS, st.sampled_from(METHODS)),
    st.tuples(st.just("return"), SKUS, st.sampled_from(METHODS)),
    st.tuples(st.just("exchange"), SKUS, SKUS, st.sampled_from(METHODS)),
    st.tuples(st.just("move")),
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Account, list[Order]]:
    """A customer with cards and gift cards, and orders that she paid whole."""
    balances = draw(st.tuples(st.integers(0, 5_000), st.integers(0, 200_000)))
    methods = (
        Method("card", "credit_card"),
        Method("paypal", "paypal"),
        Method("gift", "gift_card", balance_cents=balances[0]),
        Method("gift2", "gift_card", balance_cents=balances[1]),
    )
    orders = []
    for number, skus in enumerate(draw(st.lists(SKUS, min_size=1, max_size=3))):
        items = tuple(Item(n, sku, sku, PRICES[sku], sku[0]) for n, sku in enumerate(skus, 1))
        paid = Payment("payment", sum(item.price_cents for item in items), draw(st.sampled_from(METHODS[:4])))
        status = draw(st.sampled_from(["pending", "pending", "pending", "delivered"]))
        orders.append(Order(f"#{number}", "me", status, items, (paid,)))
    return Account("me", "Me", None, methods), orders


def step(account: Account, order: Order, call: tuple[object, ...]) -> rules.After:
    match call:
        case ("cancel", reason):
            return rules.cancel(account, order, str(reason))
        case ("pay", method):
            return rules.change_payment(account, order, str(method))
        case ("change", list(old), list(new), method):
            return rules.change_items(account, order, old, new, str(method), VARIANTS)
        case ("return", list(old), method):
            return rules.return_items(account, order, old, str(method))
        case ("exchange", list(old), list(new), method):
            return rules.exchange_items(account, order, old, new, str(method), VARIANTS)
    return rules.change_address(account, order, Address("1 Elm Street", city="Denver", zip="80279"))


def in_gift_cards(account: Account) -> int:
    return sum(method.balance_cents or 0 for method in account.methods)


SEQUENCES = st.lists(st.tuples(st.integers(0, 2), CALLS), max_size=8)
Calls = list[tuple[int, tuple[object, ...]]]


@settings(max_examples=200, deadline=None)
@given(worlds(), SEQUENCES)
def test_money_is_conserved_over_any_sequence(world: tuple[Account, list[Order]], calls: Calls) -> None:
    assert faults_of(world, calls) == []


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None)
@given(worlds(), SEQUENCES)
def test_money_is_conserved_over_very_many_sequences(world: tuple[Account, list[Order]], calls: Calls) -> None:
    assert faults_of(world, calls) == []


def test_money_that_is_lost_is_noticed() -> None:
    account = Account("me", "Me", None, (Method("gift", "gift_card", balance_cents=100),))
    order = Order("#1", "me", "pending", (Item(1, "a1", "a1", 1_000, "a"),), (Payment("payment", 900, "gift"),))
    assert faults_of((account, [order]), []) == ["#1 holds 900 where its items cost 1000"]


def faults_of(world: tuple[Account, list[Order]], calls: Calls) -> list[str]:
    """Play a sequence: where a card fell below zero, or what moved is not what stands in the books."""
    account, orders = world
    held, known = in_gift_cards(account), [len(order.payments) for order in orders]
    faults = []
    for place, call in calls:
        order = orders[place % len(orders)]
        try:
            account, orders[place % len(orders)] = step(account, order, call)
        except ToolError:
            continue
        faults += [
            f"{m.id} is below zero" for m in account.methods if m.balance_cents is not None and m.balance_cents < 0
        ]
    moved = 0
    for order, old in zip(orders, known, strict=True):
        # What an order holds is what its items cost, or nothing once it is cancelled.
        due = 0 if order.status == rules.CANCELLED else order.total_cents
        faults += [] if order.paid_cents == due else [f"{order.id} holds {order.paid_cents} where its items cost {due}"]
        paid, back = (sum(p.cents for p in order.payments if p.kind == kind) for kind in ("payment", "refund"))
        faults += [f"{order.id} gave back more than was paid"] if back > paid else []
        faults += [f"{order.id} moved less than nothing" for payment in order.payments if payment.cents < 0]
        for payment in order.payments[old:]:
            if payment.method_id.startswith("gift"):
                moved += payment.cents if payment.kind == "refund" else -payment.cents
    return faults + ([] if in_gift_cards(account) == held + moved else ["the gift cards do not hold what moved"])
