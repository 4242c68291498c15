"""Service tools on a little shop: who is asking, own rows alone, the rules, and what a model may learn."""

from __future__ import annotations

import pytest
from service_shop import EMAIL, NOW, STREET, acting, call, everything, fill, rows, value
from sqlalchemy import delete, event

from agent.assistant import Assistant
from agent.models.template import Call
from agent.personal import Vault
from agent.prompt import describe
from agent.scripted import ScriptedChatModel
from shop import Actor, Shop, ToolError, actions
from shop import schema as t
from shop.service.address import parse_address
from shop.service.choose import choose_items
from shop.service.plans import CHANGES
from shop.service.types import Item, Order
from shop.session import Session
from tools import ALL
from tools.registry import bind


@pytest.fixture
def shop(any_shop: Shop) -> Shop:
    return fill(any_shop)


def stranger(shop: Shop) -> Shop:
    return shop.acting_as(Session("customer", id="test", now=lambda: NOW))


def confirm(shop: Shop, name: str, /, **arguments: object) -> actions.PendingAction:
    """Propose and confirm."""
    return actions.approve(shop, CHANGES, str(value(call(shop, name, **arguments), "action.id")))


@pytest.mark.parametrize("given", [{"email": EMAIL.upper()}, {"name": "anna  berg", "zip": "80279"}])
def test_a_customer_is_known_by_email_or_by_name_and_postcode(shop: Shop, given: dict[str, str]) -> None:
    guest = stranger(shop)
    assert value(call(guest, "identify_customer", **given), "customer.name") == "Anna Berg"
    assert guest.acting.actor == Actor(role="customer", id="anna")


def test_nothing_is_told_before_the_customer_is_known(shop: Shop) -> None:
    for name, given in (("list_orders", {}), ("get_order", {"order": "#W1"}), ("cancel_order", {"order": "#W1"})):
        with pytest.raises(ToolError, match="who you are"):
            call(stranger(shop), name, **given, **({"reason": "no longer needed"} if name == "cancel_order" else {}))


def test_one_customer_per_conversation_and_few_tries(shop: Shop) -> None:
    guest = stranger(shop)
    for _ in range(5):
        with pytest.raises(ToolError, match="Nobody could be identified"):
            call(guest, "identify_customer", email="nobody@example.com")
    with pytest.raises(ToolError, match="hand_over"):
        call(guest, "identify_customer", email=EMAIL)
    guest = stranger(shop)
    call(guest, "identify_customer", email=EMAIL)
    with pytest.raises(ToolError, match="somebody else is identified"):
        call(guest, "identify_customer", email="ben@example.com")
    assert guest.acting.actor.id == "anna"


def test_foreign_and_missing_orders_are_refused_in_the_same_words(shop: Shop) -> None:
    anna = acting(shop)
    tries = (
        ("get_order", {}),
        ("cancel_order", {"reason": "no longer needed"}),
        ("change_address", {"address": "9 Oak Road, Denver, CO 80279"}),
        ("change_items", {"items": ["MUG-BLUE"], "new_items": ["MUG-RED"]}),
        ("change_payment", {"payment": "gift_1"}),
        ("return_items", {"items": ["MUG-BLUE"]}),
        ("exchange_items", {"items": ["MUG-BLUE"], "new_items": ["MUG-RED"]}),
    )
    before = everything(shop)
    for name, given in tries:
        said = []
        for order in ("#W4", "#W9"):
            with pytest.raises(ToolError) as error:
                call(anna, name, order=order, **given)
            said.append(str(error.value).replace(order, "ORDER"))
        assert said[0] == said[1]
    assert everything(shop) == before
    assert rows(shop, t.pending_actions) == []


def test_cancelling_gives_back_what_was_paid_and_takes_the_sale_out_of_the_roll_up(shop: Shop) -> None:
    sold = {(row["sku"], row["units"]) for row in rows(shop, t.daily)}
    assert ("MUG-RED", 2) in sold
    action = confirm(acting(shop), "cancel_order", order="w1", reason="ordered by mistake")
    assert action.status == "done"
    assert rows(shop, t.orders, id="#W1")[0]["status"] == "cancelled"
    assert [(p["kind"], p["cents"], p["method_id"]) for p in rows(shop, t.payments, order_id="#W1")] == [
        ("payment", 2_499, "card_1"),
        ("refund", 2_499, "card_1"),
    ]
    assert ("MUG-RED", 2) not in {(row["sku"], row["units"]) for row in rows(shop, t.daily)}


def test_a_gift_card_gets_its_money_back_at_once(shop: Shop) -> None:
    confirm(acting(shop), "cancel_order", order="#W5", reason="no longer needed")
    assert rows(shop, t.payment_methods, id="gift_1")[0]["balance_cents"] == 5_000 + 1_250


def test_cancelling_after_another_payment_refunds_once(shop: Shop) -> None:
    anna = acting(shop)
    confirm(anna, "change_payment", order="#W1", payment="gift card")
    assert rows(shop, t.payment_methods, id="gift_1")[0]["balance_cents"] == 5_000 - 2_499
    confirm(anna, "cancel_order", order="#W1", reason="no longer needed")
    assert rows(shop, t.payment_methods, id="gift_1")[0]["balance_cents"] == 5_000
    signed = [p["cents"] if p["kind"] == "payment" else -p["cents"] for p in rows(shop, t.payments, order_id="#W1")]
    assert sum(signed) == 0


def test_one_unit_of_a_line_changes_and_takes_its_own_price(shop: Shop) -> None:
    given = {"order": "#W1", "items": ["MUG-RED", "TEA-S"], "new_items": ["blue", "TEA-L"], "payment": "paypal"}
    confirm(acting(shop), "change_items", **given)
    lines = [(r["sku"], r["units"], r["price_cents"]) for r in rows(shop, t.order_lines, order_id="#W1")]
    assert sorted(lines) == [("MUG-BLUE", 1, 1_250), ("MUG-RED", 1, 1_000), ("TEA-L", 1, 999)]
    assert [(p["kind"], p["cents"], p["method_id"]) for p in rows(shop, t.payments, order_id="#W1")][1:] == [
        ("payment", 250 + 500, "paypal_1")
    ]
    with pytest.raises(ToolError, match="only pending orders"):
        call(acting(shop), "change_items", **{**given, "items": ["TEA-L"], "new_items": ["TEA-S"]})


def test_items_that_change_places_keep_their_own_variant(shop: Shop) -> None:
    given = {"order": "#W2", "items": ["MUG-RED", "TEA-S"], "new_items": ["MUG-BLUE", "TEA-L"], "payment": "card_1"}
    action = confirm(acting(shop), "exchange_items", **given)
    assert action.after["request"]["difference_cents"] == 250 + 500
    assert rows(shop, t.orders, id="#W2")[0]["status"] == "exchange requested"
    assert len(rows(shop, t.payments, order_id="#W2")) == 1


@pytest.mark.parametrize(
    ("name", "given", "why"),
    [
        ("cancel_order", {"order": "#W2", "reason": "no longer needed"}, "only pending"),
        ("cancel_order", {"order": "#W1", "reason": "too dear"}, "reason"),
        ("return_items", {"order": "#W1", "items": ["TEA-S"]}, "only delivered"),
        ("return_items", {"order": "#W2", "items": ["TEA-S", "TEA-S"]}, "that many times"),
        ("return_items", {"order": "#W2", "items": ["TEA-S"], "payment": "card_1"}, "gift card"),
        ("exchange_items", {"order": "#W2", "items": ["TEA-S"], "new_items": ["MUG-RED"]}, "not a variant"),
        ("exchange_items", {"order": "#W2", "items": ["MUG-RED"], "new_items": ["MUG-GREY"]}, "not available"),
        ("change_items", {"order": "#W1", "items": ["TEA-S"], "new_items": ["TEA-L", "TEA-L"]}, "one new item"),
        (
            "change_items",
            {"order": "#W1", "items": ["MUG-RED"], "new_items": ["MUG-GOLD"], "payment": "gift_1"},
            "holds less",
        ),
        ("change_payment", {"order": "#W1", "payment": "card_1"}, "already"),
        ("change_payment", {"order": "#W1", "payment": "card_2"}, "no payment method"),
        ("change_address", {"order": "#W3", "address": "9 Oak Road, Denver, CO 80279"}, "only pending"),
        ("change_address", {"order": "#W1", "address": "9 Oak Road"}, "postcode"),
    ],
)
def test_what_the_rules_do_not_allow_changes_nothing(shop: Shop, name: str, given: dict[str, object], why: str) -> None:
    before = everything(shop)
    with pytest.raises(ToolError, match=why):
        call(acting(shop), name, **given)
    assert everything(shop) == before


def test_an_address_changes_for_the_order_or_for_the_profile(shop: Shop) -> None:
    anna, new = acting(shop), "9 Oak Road, Flat 2, Boulder, CO 80301"
    confirm(anna, "change_address", order="#W1", address=new)
    assert rows(shop, t.order_addresses, order_id="#W1")[0]["city"] == "Boulder"
    assert rows(shop, t.customer_addresses, customer_id="anna")[0]["city"] == "Denver"
    confirm(anna, "change_address", address=new)
    assert rows(shop, t.customer_addresses, customer_id="anna")[0]["country"] == "USA"
    assert rows(shop, t.customers, id="anna")[0]["zip"] == "80301"
    assert rows(shop, t.order_addresses, order_id="#W5")[0]["city"] == "Denver"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("12 High Street, Flat 3, London, SW1A 1AA, UK", ("12 High Street", "Flat 3", "London", "", "UK", "SW1A 1AA")),
        ("10 rue Monge, 75001 Paris, France", ("10 rue Monge", "", "Paris", "", "France", "75001")),
        ("5 Main Street, Denver 80279", ("5 Main Street", "", "Denver", "", "", "80279")),
        ("1 A Road\nMill, north\nYork\nNew York 10001", ("1 A Road", "Mill, north", "York", "New York", "", "10001")),
        ("1 Elm Street, Denver, CO, 80279, USA", ("1 Elm Street", "", "Denver", "CO", "USA", "80279")),
    ],
)  # fmt: skip
def test_addresses_are_taken_apart(text: str, parts: tuple[str, ...]) -> None:
    assert tuple(vars(parse_address(text)).values()) == parts


def test_a_customer_without_an_address_gets_one(shop: Shop) -> None:
    with shop.begin() as connection:
        connection.execute(delete(t.customer_addresses).where(t.customer_addresses.c.customer_id == "anna"))
    anna = acting(shop)
    call(anna, "change_address", address="9 Oak Road, Boulder, CO 80301, USA")
    [waiting] = actions.waiting(anna, CHANGES)
    assert waiting.before == {"address": None}
    actions.approve(anna, CHANGES, waiting.id)
    assert rows(shop, t.customer_addresses, customer_id="anna")[0]["city"] == "Boulder"


def test_words_that_fit_two_items_are_asked_about() -> None:
    order = Order("#1", "me", "pending", (Item(1, "m1", "Red mug", 5, "m"), Item(2, "m2", "Blue mug", 6, "m")))
    assert choose_items(order, ["blue", "m1"]) == ["m2", "m1"]
    with pytest.raises(ToolError, match="could be more than one item of order #1: m1, m2; say which by its id"):
        choose_items(order, ["mug"])


@pytest.mark.parametrize("text", ["986 Sunset Drive, Suite 259, Denver", "80279", "Denver, CO 80279", ""])
def test_an_address_that_lacks_a_part_is_asked_for(text: str) -> None:
    with pytest.raises(ToolError):
        parse_address(text)


def test_a_hand_over_writes_one_ticket(shop: Shop) -> None:
    guest = stranger(shop)
    first = value(call(guest, "hand_over", summary="wants a gift wrapped"), "ticket.id")
    assert value(call(guest, "hand_over", summary="wants a gift wrapped"), "ticket.id") == first
    [ticket] = rows(shop, t.tickets)
    assert (ticket["id"], ticket["customer_id"], ticket["session"]) == (first, None, "test")


def test_customers_find_products_without_sales_or_cost(shop: Shop) -> None:
    statements: list[str] = []
    event.listen(shop.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    result = call(acting(shop), "search_products", query="mug")
    assert result.tables[0].columns == ("Product", "Price", "Rating")
    assert not any(figure.unit == "units" for figure in result.figures)
    for name, given in (("list_orders", {}), ("get_order", {"order": "#W1"}), ("get_product", {"product": "mug"})):
        call(acting(shop), name, **given)
    assert not [statement for statement in statements if "cost_cents" in statement]
    manager = bind(ALL, shop, Actor(role="manager", id="manager"))
    assert manager["search_products"](query="mug").tables[0].columns[-1] == "Units in a year"


def test_variants_are_shown_with_what_is_available(shop: Shop) -> None:
    result = call(acting(shop), "get_product", product="mugs")
    assert (value(result, "product.variants"), value(result, "product.available")) == (4, 3)
    assert [row[-1] for row in result.tables[0].rows] == ["yes", "yes", "yes", "no"]


def test_a_list_asked_for_again_after_a_change_is_a_new_answer(shop: Shop) -> None:
    anna = acting(shop)
    first = call(anna, "list_orders")
    assert call(anna, "list_orders").call == first.call
    confirm(anna, "cancel_order", order="#W1", reason="no longer needed")
    assert call(anna, "list_orders").call != first.call


def test_personal_data_never_reach_the_model(shop: Shop) -> None:
    guest, street = stranger(shop), "77 Oak Avenue, Flat 2, Boulder, CO 80301"
    script = [
        Call("identify_customer", {"email": "[email-a]"}),
        "Welcome, {{customer.name}}.",
        Call("get_order", {"order": "#W1"}),
        "It goes to {{order.address}}.",
        Call("change_address", {"order": "#W1", "address": "[address-a]"}),
        "It would go to {{action.address}}.",
    ]
    model = ScriptedChatModel(replies=script)
    assistant = Assistant(model, bind(ALL, guest, Actor(role="customer")), role="customer", vault=Vault())
    for text in (f"I am {EMAIL}", "where does #W1 go?", f"send it to {street} please"):
        list(assistant.ask(text, "one"))
    ledger = assistant.ledger("one")
    assert ledger["order.address"].value == "1 Elm Street, Denver, CO 80279, USA"
    assert ledger["action.address"].value == f"{street}, USA"
    read = "\n".join(str(message.content) for asked in model.asked for message in asked.messages)
    read += str([getattr(m, "tool_calls", "") for asked in model.asked for m in asked.messages])
    for secret in (EMAIL, STREET, "Oak Avenue", "Anna", "80301"):
        assert secret not in read
    assert "[email-a]" in read


def test_a_private_figure_is_described_by_its_label_alone(shop: Shop) -> None:
    result = call(acting(shop), "get_order", order="#W1")
    assert STREET not in describe(result)
    assert "order.address" in describe(result)


@pytest.mark.parametrize(
    "text",
    [
        "my e-mail is anna.berg+shop@example.co.uk, thanks",
        "send it to 12 High Street, Flat 3, London, SW1A 1AA. Is that fine?",
        "call me: +44 20 7946 0958",
        "card 4111 1111 1111 1111",
    ],
)
def test_the_vault_hides_and_gives_back(text: str) -> None:
    vault = Vault()
    hidden = vault.hide(text)
    assert hidden != text
    assert not any(char.isdigit() for char in hidden)
    assert "@" not in hidden
    assert vault.reveal(hidden) == text
    assert vault.hide(text) == hidden


@pytest.mark.parametrize("text", ["cancel #W7678072", "swap 9612497925 for 8124970213", "two mugs at 49.90", "80279"])
def test_the_vault_leaves_order_and_item_numbers(text: str) -> None:
    assert Vault().hide(text) == text
