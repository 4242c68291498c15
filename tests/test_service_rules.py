"""Each rule by itself: what becomes of account and order, whole, and what it refuses, in its very words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from shop.errors import ToolError
from shop.service import rules
from shop.service.types import Account, Address, Item, Method, Order, Payment, Request, Variant

HOME, AWAY = Address("1 Elm Street", city="Denver", zip="80279"), Address("9 Oak Road", city="Boulder", zip="80301")
CARD, GIFT, PAYPAL = (
    Method("card", "credit_card"),
    Method("gift", "gift_card", balance_cents=500),
    Method("pp", "paypal"),
)
RED = Item(1, "red", "Mug", 1_000, "mug", {"colour": "red"})
TEA = Item(2, "tea", "Tea", 400, "tea")
ACCOUNT = Account("me", "Me", HOME, (CARD, GIFT, PAYPAL))
ORDER = Order("#1", "me", rules.PENDING, (RED, TEA), (Payment("payment", 1_400, "card"),), HOME)
SENT = replace(ORDER, status=rules.DELIVERED)
BLUE, GREY = Variant("blue", "Blue", "mug", "Mug", 1_500, True, {"colour": "blue"}), "grey"
VARIANTS = {
    "blue": BLUE,
    "cheap": replace(BLUE, sku="cheap", price_cents=800),
    GREY: replace(BLUE, sku=GREY, available=False),
    "odd": replace(BLUE, sku="odd", price_cents=None),
    "pot": replace(BLUE, sku="pot", type_id="pot"),
    "bare": replace(BLUE, sku="bare", type_id=""),
}
AS_BLUE = Item(1, "blue", "Blue", 1_500, "mug", {"colour": "blue"})


def with_gift(cents: int) -> Account:
    return replace(ACCOUNT, methods=(CARD, replace(GIFT, balance_cents=cents), PAYPAL))


def paid(*payments: tuple[str, int, str], order: Order = ORDER) -> Order:
    return replace(order, payments=tuple(Payment(*each) for each in payments))  # type: ignore[arg-type]


def test_cancelling_gives_every_payment_back_the_way_it_came() -> None:
    account, order = rules.cancel(ACCOUNT, ORDER, "ordered by mistake")
    assert account == ACCOUNT
    assert order == replace(
        ORDER,
        status="cancelled",
        request=Request("cancel", "ordered by mistake"),
        payments=(*ORDER.payments, Payment("refund", 1_400, "card")),
    )


def test_no_way_to_pay_gets_back_more_than_it_paid() -> None:
    moved = paid(("payment", 1_400, "card"), ("payment", 1_400, "gift"), ("refund", 1_400, "card"))
    account, order = rules.cancel(ACCOUNT, moved, "no longer needed")
    assert account == with_gift(1_900)
    assert order.payments[3:] == (Payment("refund", 1_400, "gift"),)
    twice = paid(("payment", 900, "card"), ("payment", 500, "card"), ("refund", 1, "card"))
    assert rules.cancel(ACCOUNT, twice, "no longer needed")[1].payments[3:] == (
        Payment("refund", 900, "card"),
        Payment("refund", 499, "card"),
    )
    between = paid(("payment", 300, "card"), ("refund", 100, "card"), ("payment", 500, "card"))
    assert rules.cancel(ACCOUNT, between, "no longer needed")[1].payments[3:] == (
        Payment("refund", 300, "card"),
        Payment("refund", 400, "card"),
    )


def test_an_address_goes_to_the_order_or_to_the_profile() -> None:
    assert rules.change_address(ACCOUNT, ORDER, AWAY) == (ACCOUNT, replace(ORDER, address=AWAY))
    assert rules.move(ACCOUNT, AWAY) == replace(ACCOUNT, address=AWAY)


def test_another_way_to_pay_pays_whole_and_the_first_gets_its_money_back() -> None:
    cheap = paid(("payment", 500, "card"))
    account, order = rules.change_payment(ACCOUNT, cheap, "gift")
    assert account == with_gift(0), "all that the card holds"
    assert order.payments == (*cheap.payments, Payment("payment", 500, "gift"), Payment("refund", 500, "card"))
    assert order == replace(cheap, payments=order.payments)


@pytest.mark.parametrize(
    ("new", "move", "left"),
    [("blue", Payment("payment", 500, "gift"), 0), ("cheap", Payment("refund", 200, "gift"), 700)],
)
def test_a_swap_settles_the_difference_at_once(new: str, move: Payment, left: int) -> None:
    account, order = rules.change_items(ACCOUNT, ORDER, ["red"], [new], "gift", VARIANTS)
    item = replace(AS_BLUE, sku=new, price_cents=VARIANTS[new].price_cents or 0)
    assert account == with_gift(left)
    assert order == replace(
        ORDER, status="pending (item modified)", items=(item, TEA), payments=(*ORDER.payments, move)
    )


@pytest.mark.parametrize(("price", "move"), [(1_000, ("refund", 0)), (1_001, ("payment", 1)), (999, ("refund", 1))])
def test_a_swap_moves_the_difference_to_the_cent(price: int, move: tuple[str, int]) -> None:
    near = {"blue": replace(BLUE, price_cents=price)}
    _, order = rules.change_items(ACCOUNT, ORDER, ["red"], ["blue"], "card", near)
    assert order == replace(order, payments=paid(("payment", 1_400, "card"), (*move, "card")).payments)


def test_no_more_goes_back_than_was_paid() -> None:
    with pytest.raises(ToolError, match="More would go back for order #1 than was paid"):
        rules.change_items(ACCOUNT, paid(("payment", 199, "card")), ["red"], ["cheap"], "card", VARIANTS)
    _, order = rules.change_items(ACCOUNT, paid(("payment", 200, "card")), ["red"], ["cheap"], "card", VARIANTS)
    assert order.paid_cents == 0


@pytest.mark.parametrize("method", ["gift", "card"])
def test_a_return_waits_for_the_items(method: str) -> None:
    request = Request("return", items=("red", "tea"), method_id=method)
    assert rules.return_items(ACCOUNT, SENT, ["tea", "red"], method) == (
        ACCOUNT,
        replace(SENT, status="return requested", request=request),
    )


def test_an_exchange_waits_for_the_items_and_knows_its_difference() -> None:
    two = replace(SENT, items=(RED, replace(RED, line=3)))
    request = Request("exchange", "", ("red", "red"), ("blue", "cheap"), "card", 300)
    assert rules.exchange_items(ACCOUNT, two, ["red", "red"], ["cheap", "blue"], "card", VARIANTS) == (
        ACCOUNT,
        replace(two, status="exchange requested", request=request),
    )


def test_a_person_says_who_paid_first() -> None:
    assert rules.original_method(paid(("payment", 1, "gift"), ("payment", 1, "card"))) == "gift"


CHANGED_ONCE = (
    "The payment of order #1 was changed already, or is not on record, and can be changed only once here; "
    "hand_over passes you on to a person."
)
NOT_HERS = "There is no payment method nobodys in your account; yours are: card, gift, pp."
TOO_LITTLE = "The gift card gift holds less than the {} it would have to pay; name another payment method."
Act = Callable[[], object]


def status(word: str, verb: str, only: str) -> str:
    return (
        f"Order #1 is {word}, and only {only} orders can be {verb}; "
        "hand_over passes you on to a person if that does not help."
    )


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: rules.cancel(ACCOUNT, SENT, "no longer needed"), status("delivered", "cancelled", "pending")),
        (lambda: rules.change_address(ACCOUNT, SENT, AWAY), status("delivered", "sent elsewhere", "pending")),
        (lambda: rules.change_payment(ACCOUNT, SENT, "gift"), status("delivered", "paid another way", "pending")),
        (
            lambda: rules.change_items(ACCOUNT, SENT, ["red"], ["blue"], "card", VARIANTS),
            status("delivered", "changed", "pending"),
        ),
        (lambda: rules.return_items(ACCOUNT, ORDER, ["red"], "card"), status("pending", "returned", "delivered")),
        (
            lambda: rules.exchange_items(ACCOUNT, ORDER, ["red"], ["blue"], "card", VARIANTS),
            status("pending", "exchanged", "delivered"),
        ),
        (
            lambda: rules.cancel(ACCOUNT, ORDER, "other"),
            "The reasons for cancelling are: no longer needed, ordered by mistake; say which one it is.",
        ),
        (
            lambda: rules.cancel(ACCOUNT, paid(("payment", 1, "closed")), "no longer needed"),
            "Order #1 was paid with closed, which is not in your account any more; "
            "hand_over passes you on to a person.",
        ),
        (lambda: rules.change_payment(ACCOUNT, paid(), "gift"), CHANGED_ONCE),
        (lambda: rules.change_payment(ACCOUNT, paid(("refund", 1, "card")), "gift"), CHANGED_ONCE),
        (
            lambda: rules.change_payment(ACCOUNT, paid(("payment", 1, "card"), ("payment", 1, "pp")), "gift"),
            CHANGED_ONCE,
        ),
        (
            lambda: rules.change_payment(ACCOUNT, ORDER, "card"),
            "Order #1 is paid with card already; name another of your payment methods.",
        ),
        (lambda: rules.change_payment(ACCOUNT, ORDER, "nobodys"), NOT_HERS),
        (lambda: rules.change_payment(ACCOUNT, ORDER, "gift"), TOO_LITTLE.format("14.00")),
        (
            lambda: rules.change_items(with_gift(499), ORDER, ["red"], ["blue"], "gift", VARIANTS),
            TOO_LITTLE.format("5.00"),
        ),
        (
            lambda: rules.exchange_items(with_gift(499), SENT, ["red"], ["blue"], "gift", VARIANTS),
            TOO_LITTLE.format("5.00"),
        ),
        (
            lambda: rules.change_items(ACCOUNT, paid(), ["red"], ["cheap"], "card", VARIANTS),
            "More would go back for order #1 than was paid for it; hand_over passes you on to a person.",
        ),
        (
            lambda: rules.return_items(ACCOUNT, SENT, ["red"], "pp"),
            "The refund of order #1 can go to card, which paid for it, or to a gift card of yours; name one of these.",
        ),
        (
            lambda: rules.return_items(ACCOUNT, paid(order=SENT), ["red"], "pp"),
            "How order #1 was paid is not on record here; hand_over passes you on to a person who can see it.",
        ),
        (
            lambda: rules.return_items(replace(ACCOUNT, methods=()), SENT, ["red"], "nobodys"),
            "There is no payment method nobodys in your account; yours are: none.",
        ),
        (
            lambda: rules.return_items(ACCOUNT, SENT, [], "card"),
            "Say which items of order #1 are meant; get_order lists them.",
        ),
        (
            lambda: rules.return_items(ACCOUNT, SENT, ["red", "red"], "card"),
            "Order #1 does not hold red that many times; get_order lists its items.",
        ),
        (
            lambda: rules.exchange_items(ACCOUNT, SENT, ["red"], [], "card", VARIANTS),
            "1 items cannot become 0; name one new item for each.",
        ),
        *(
            (
                lambda new=new: rules.exchange_items(ACCOUNT, SENT, ["red"], [new], "card", VARIANTS),
                f"{new} is not a variant of Mug; get_product lists the variants there are.",
            )
            for new in ("pot", "none", "bare")
        ),
        *(
            (
                lambda new=new: rules.exchange_items(ACCOUNT, SENT, ["red"], [new], "card", VARIANTS),
                f"{new} is not available now; get_product lists the variants that are.",
            )
            for new in (GREY, "odd")
        ),
        (
            lambda: rules.exchange_items(
                ACCOUNT, replace(SENT, items=(replace(RED, type_id=""),)), ["red"], ["bare"], "card", VARIANTS
            ),
            "bare is not a variant of Mug; get_product lists the variants there are.",
        ),
    ],
)
def test_what_is_refused_and_in_which_words(act: Act, says: str) -> None:
    with pytest.raises(ToolError, match=f"^{re.escape(says)}$"):
        act()
