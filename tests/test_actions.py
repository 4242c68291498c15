"""Pending actions: exact, once, only by whom they wait for, void when the world has moved, and on record."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from service_shop import NOW, Clock, acting, call, everything, fill, rows, value
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from shop import Actor, PendingAction, Shop, ToolError, actions, audit
from shop import schema as t
from shop.authorize import NOT_IDENTIFIED
from shop.canonical import digest
from shop.changes import CHANGES as DECISIONS
from shop.service.plans import CHANGES
from shop.session import Session
from tools import ALL
from tools.registry import bind
from ui.approvals import decide
from ui.service_cards import proposal_lines
from ui.strings import Words


@pytest.fixture
def shop(any_shop: Shop) -> Shop:
    return fill(any_shop)


def propose(shop: Shop, name: str = "cancel_order", **given: object) -> str:
    given = given or {"order": "#W1", "reason": "no longer needed"}
    return str(value(call(shop, name, **given), "action.id"))


def approve(shop: Shop, action_id: str) -> PendingAction:
    return actions.approve(shop, CHANGES, action_id)


def test_a_proposal_changes_nothing_until_it_is_approved(shop: Shop) -> None:
    before = everything(shop)
    action_id = propose(acting(shop))
    assert everything(shop) == before
    [waiting] = actions.waiting(acting(shop), CHANGES)
    assert (waiting.id, waiting.status, waiting.subject) == (action_id, "pending", "#W1")
    assert waiting.expires_at == NOW + timedelta(minutes=15)
    assert waiting.before["status"] == "pending"
    assert waiting.after["status"] == "cancelled"


def test_sent_twice_happens_once_with_the_same_answer(shop: Shop) -> None:
    anna = acting(shop)
    assert propose(anna) == propose(anna)
    first = approve(anna, propose(anna))
    done = everything(shop)
    assert approve(anna, first.id) == first
    assert propose(anna) == first.id
    assert approve(anna, first.id) == first
    assert everything(shop) == done
    assert [row["decision"] for row in rows(shop, t.audit)] == ["propose", "execute"]


def test_the_same_wish_later_is_a_new_one(shop: Shop) -> None:
    anna, there = acting(shop), "9 Oak Road, Boulder, CO 80301"
    first = propose(anna, "change_address", order="#W1", address=there)
    approve(anna, first)
    approve(anna, propose(anna, "change_address", order="#W1", address="1 Elm Street, Denver, CO 80279, USA"))
    again = propose(anna, "change_address", order="#W1", address=there)
    assert again != first
    approve(anna, again)
    assert rows(shop, t.order_addresses, order_id="#W1")[0]["city"] == "Boulder"


def test_nobody_else_can_see_approve_or_reject_it(shop: Shop) -> None:
    action_id = propose(acting(shop))
    others = (acting(shop, "ben"), shop.acting_as(Session("manager", "anna")))
    for other in others:
        for touch in (approve, actions.reject, actions.find):
            said = []
            for tried in (action_id, "A-000000000000"):
                with pytest.raises(ToolError) as error:
                    touch(other, tried)
                said.append(str(error.value))
            assert said[0] == said[1] == actions.NOT_FOUND
        assert actions.waiting(other, CHANGES) == []
    assert approve(acting(shop), action_id).status == "done"


def test_it_lapses_and_can_be_asked_for_again(shop: Shop) -> None:
    clock = Clock()
    anna = acting(shop, clock=clock)
    action_id = propose(anna)
    clock.now += timedelta(minutes=15)
    assert actions.find(anna, action_id).status == "expired"
    assert actions.waiting(anna, CHANGES) == []
    with pytest.raises(ToolError, match="lapsed"):
        approve(anna, action_id)
    assert rows(shop, t.orders, id="#W1")[0]["status"] == "pending"
    assert approve(anna, propose(anna)).status == "done"


def test_a_rejected_one_stays_undone_until_asked_for_again(shop: Shop) -> None:
    anna = acting(shop)
    action_id = propose(anna)
    assert actions.reject(anna, action_id).status == "rejected"
    with pytest.raises(ToolError, match="turned down"):
        approve(anna, action_id)
    assert approve(anna, propose(anna)).status == "done"
    with pytest.raises(ToolError, match="carried out already"):
        actions.reject(anna, action_id)


def test_turned_down_twice_is_one_row_of_the_audit(shop: Shop) -> None:
    anna = acting(shop)
    action_id = propose(anna)
    assert actions.reject(anna, action_id) == actions.reject(anna, action_id)
    assert [row["decision"] for row in rows(shop, t.audit)] == ["propose", "reject"]


def test_what_was_decided_stays_so_after_its_time(shop: Shop) -> None:
    clock = Clock()
    anna = acting(shop, clock=clock)
    done, turned_down = propose(anna), propose(anna, "change_payment", order="#W5", payment="card_1")
    assert [actions.find(anna, each).status for each in (done, turned_down)] == ["pending", "pending"]
    approve(anna, done)
    actions.reject(anna, turned_down)
    clock.now += timedelta(hours=1)
    assert [actions.find(anna, each).status for each in (done, turned_down)] == ["done", "rejected"]
    said = "This was carried out already and cannot be turned down; ask for what is wanted now."
    with pytest.raises(ToolError, match=f"^{re.escape(said)}$"):
        actions.reject(anna, done)


def test_nothing_waits_for_who_is_not_known(shop: Shop) -> None:
    propose(acting(shop))
    with pytest.raises(ToolError, match=re.escape(NOT_IDENTIFIED)):
        actions.waiting(acting(shop, ""), CHANGES)


def test_it_is_void_when_its_rows_have_changed(shop: Shop) -> None:
    anna = acting(shop)
    action_id = propose(anna)
    with shop.begin() as connection:
        connection.execute(update(t.payments).where(t.payments.c.order_id == "#W1").values(cents=2_000))
    before = everything(shop)
    assert actions.waiting(anna, CHANGES) == []
    with pytest.raises(ToolError, match="has changed since"):
        approve(anna, action_id)
    assert everything(shop) == before


def test_it_is_void_when_a_price_in_its_effect_has_changed(shop: Shop) -> None:
    anna = acting(shop)
    action_id = propose(anna, "change_items", order="#W1", items=["TEA-S"], new_items=["TEA-L"])
    with shop.begin() as connection:
        connection.execute(update(t.products).where(t.products.c.sku == "TEA-L").values(list_price_cents=1_999))
    with pytest.raises(ToolError, match="has changed since"):
        approve(anna, action_id)


@pytest.mark.parametrize("column", ["arguments", "after", "before"])
def test_an_edited_proposal_is_not_carried_out(shop: Shop, column: str) -> None:
    anna = acting(shop)
    action_id = propose(anna)
    [row] = rows(shop, t.pending_actions)
    edited = {**row[column], "reason": "ordered by mistake", "status": "delivered"}
    with shop.begin() as connection:
        connection.execute(update(t.pending_actions).values({column: edited}))
    with pytest.raises(ToolError, match="has changed since"):
        approve(anna, action_id)
    assert rows(shop, t.orders, id="#W1")[0]["status"] == "pending"


def test_a_failure_in_the_middle_leaves_nothing_behind(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = acting(shop)
    action_id = propose(anna)
    before, recorded = everything(shop), rows(shop, t.audit)

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(audit, "append", fail)
        with pytest.raises(OSError, match="disk"):
            approve(anna, action_id)
    assert (everything(shop), rows(shop, t.audit)) == (before, recorded)
    assert approve(anna, action_id).status == "done"


def test_clicks_at_the_same_time_have_one_effect(shop: Shop) -> None:
    action_id = propose(acting(shop))
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: approve(acting(shop), action_id), range(12)))
    assert {action.status for action in done} == {"done"}
    assert len(rows(shop, t.payments, order_id="#W1")) == 2
    assert len(rows(shop, t.executions)) == 1
    with shop.engine.connect() as connection:
        assert audit.first_broken(connection) is None


def test_two_orders_cannot_spend_one_gift_card_twice(shop: Shop) -> None:
    with shop.begin() as connection:
        connection.execute(
            update(t.payment_methods).where(t.payment_methods.c.id == "gift_1").values(balance_cents=2_600)
        )
        connection.execute(update(t.orders).where(t.orders.c.id == "#W3").values(status="pending"))
        connection.execute(update(t.payments).where(t.payments.c.order_id == "#W3").values(cents=499))
    anna = acting(shop)
    ids = [propose(anna, "change_payment", order=order, payment="gift_1") for order in ("#W1", "#W3")]
    approve(anna, ids[0])
    with pytest.raises(ToolError, match="holds less"):
        approve(anna, ids[1])
    assert rows(shop, t.payment_methods, id="gift_1")[0]["balance_cents"] == 101


def test_what_has_no_one_way_to_be_written_is_not_hashed() -> None:
    assert digest({"b": date(2026, 3, 2), "a": NOW}) == digest({"a": NOW.isoformat(), "b": "2026-03-02"})
    with pytest.raises(TypeError, match="set has no canonical form"):
        digest({1, 2})


def test_the_audit_is_chained_and_append_only(shop: Shop) -> None:
    anna = acting(shop)
    approve(anna, propose(anna))
    actions.reject(anna, propose(anna, "change_payment", order="#W5", payment="card_1"))
    with shop.engine.connect() as connection:
        assert audit.first_broken(connection) is None
    kept = rows(shop, t.audit)
    assert [row["decision"] for row in kept] == ["propose", "execute", "propose", "reject"]
    for change in (update(t.audit).values(actor_id="ben"), delete(t.audit)):
        with pytest.raises(DBAPIError, match="append-only"), shop.begin() as connection:
            connection.execute(change)
    assert rows(shop, t.audit) == kept
    assert not any("Elm" in str(row) or "anna.berg" in str(row) for row in kept)


@pytest.mark.parametrize("column", ["actor_id", "decision", "content_hash", "version", "hash", "previous"])
def test_a_forged_audit_row_is_found(empty_shop: Shop, column: str) -> None:
    shop = fill(empty_shop)
    anna = acting(shop)
    approve(anna, propose(anna))
    with shop.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_update")
        connection.execute(update(t.audit).where(t.audit.c.number == 2).values({column: "forged"}))
    with shop.engine.connect() as connection:
        assert audit.first_broken(connection) == 2
    with pytest.raises(ToolError, match="row 2"):
        decide(manager(shop), "verify")


def test_a_card_says_exactly_what_is_carried_out(shop: Shop) -> None:
    anna = acting(shop)
    given = {"order": "#W1", "items": ["MUG-RED"], "new_items": ["MUG-GOLD"], "payment": "card_1"}
    action = actions.find(anna, propose(anna, "change_items", **given))
    lines = dict(proposal_lines(action, "USD", Words("service", "en")))
    assert lines["Order"] == "#W1"
    assert lines["Item"] == "Mug (MUG-RED) → Mug (MUG-GOLD)"
    assert lines["You pay"] == "$80.00 · card_1"
    approve(anna, action.id)
    assert rows(shop, t.payments, order_id="#W1")[1]["cents"] == 8_000


def manager(shop: Shop) -> Shop:
    return shop.acting_as(Session("manager", "manager", now=lambda: NOW))


def propose_change(shop: Shop, **given: object) -> str:
    tools = bind(ALL, manager(shop), Actor(role="manager", id="manager"))
    return str(value(tools["propose_change"](**given), "action.id"))


def test_a_managers_change_of_price_waits_and_is_then_the_price(shop: Shop) -> None:
    action_id = propose_change(shop, change="price", product="TEA-L", value=11.5, reason="rivals are dearer")
    assert rows(shop, t.products, sku="TEA-L")[0]["list_price_cents"] == 999
    listed = decide(manager(shop), "list")["lines"]
    assert listed == [f"{action_id}  price of Tea (TEA-L): 11.50 (now 9.99), because rivals are dearer"]
    actions.approve(manager(shop), DECISIONS, action_id)
    assert rows(shop, t.products, sku="TEA-L")[0]["list_price_cents"] == 1_150
    assert rows(shop, t.prices, sku="TEA-L")[0]["price_cents"] == 1_150


def test_an_approver_decides_for_a_manager_and_a_manager_for_nobody_else(shop: Shop) -> None:
    action_id = propose_change(shop, change="price", product="TEA-L", value=11.5)
    own = propose(acting(shop))
    approver, colleague = (shop.acting_as(Session(role, "eve", now=lambda: NOW)) for role in ("approver", "manager"))
    assert [action.id for action in actions.waiting(approver, DECISIONS)] == [action_id]
    assert actions.waiting(colleague, DECISIONS) == []
    for other, tried in ((colleague, action_id), (approver, own)):
        with pytest.raises(ToolError, match="no such proposal"):
            actions.approve(other, DECISIONS | CHANGES, tried)
    assert actions.approve(approver, DECISIONS, action_id).actor == Actor(role="manager", id="manager")
    assert rows(shop, t.products, sku="TEA-L")[0]["list_price_cents"] == 1_150
    assert [(row["decision"], row["actor_id"]) for row in rows(shop, t.audit)][-1] == ("execute", "eve")


def test_a_managers_other_changes(shop: Shop) -> None:
    draft = shop.add_draft("Glass mug", price=12.0).id
    for given in (
        {"change": "launch_date", "product": draft, "value": "2026-05-04"},
        {"change": "price", "product": draft, "value": "14"},
        {"change": "reorder", "product": "MUG-RED", "value": "two hundred"},
        {"change": "campaign", "product": "MUG-RED", "value": "spring e-mail to past buyers"},
    ):
        actions.approve(manager(shop), DECISIONS, propose_change(shop, **given))
    changed = shop.draft(draft)
    assert changed is not None
    assert (changed.launch_date, changed.price) == (date(2026, 5, 4), 14.0)
    assert [(row["change"], row["value"]) for row in rows(shop, t.decisions)] == [
        ("reorder", "200"),
        ("campaign", "spring e-mail to past buyers"),
    ]


@pytest.mark.parametrize(
    "given",
    ["price -3", "price 10%", "price cheap", "launch_date 2001-01-01", "reorder 2.5", "reorder 0"],
)
def test_a_value_that_cannot_be_is_refused_with_a_sentence(shop: Shop, given: str) -> None:
    change, said = given.split()
    with pytest.raises(ToolError):
        propose_change(shop, change=change, product="TEA-L", value=said)
    assert rows(shop, t.pending_actions) == []


def test_a_customer_cannot_propose_the_managers_changes(shop: Shop) -> None:
    assert "propose_change" not in bind(ALL, acting(shop), Actor(role="customer"))
    with pytest.raises(ToolError, match="no such proposal"):
        actions.approve(acting(shop), DECISIONS, propose_change(shop, change="price", product="TEA-L", value=1))
