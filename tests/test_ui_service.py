"""The shopper's page: handlers without a browser, and the whole way through it in a real Chromium at two widths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from playwright.sync_api import Page, expect
from service_shop import EMAIL, acting, call, fill, rows
from web_support import DESKTOP, PHONE, chromium, fits, free_port, keep_screenshot, visitor

from agent.models.template import Call
from agent.scripted import Line, ScriptedChatModel
from shop import Shop, ToolError
from shop import schema as t
from shop.session import Session
from shop.tickets import act, tickets
from ui.pages import APPS
from ui.place import Place
from ui.server import served
from ui.service_cards import proposal_card
from ui.service_desk import ServiceDesk
from ui.service_page import ServiceEvents, Visit
from ui.strings import Words
from ui.tickets_page import case
from ui.wiring import Desk


def scripted(shop: Shop) -> Desk:
    """A desk whose model calls a tool on a known word and answers with the tool's own sentence."""
    calls = {
        "I am": Call("identify_customer", {"email": "[email-a]"}),
        "my orders": Call("list_orders", {}),
        "cancel": Call("cancel_order", {"order": "#W1", "reason": "no longer needed"}),
        "a person": Call("hand_over", {"summary": "wants a person"}),
    }

    def reply(messages: list[BaseMessage]) -> Line:
        if isinstance(messages[-1], ToolMessage):
            return messages[-1].text.split("\n")[0]
        said = next(message.text for message in reversed(messages) if isinstance(message, HumanMessage))
        return next((line for word, line in calls.items() if word in said), "How can I help?")

    return Desk(shop, lambda: ScriptedChatModel(replies=[reply] * 1000), "scripted")


@pytest.fixture
def events(empty_shop: Shop, tmp_path: Path) -> ServiceEvents:
    return ServiceEvents(ServiceDesk(scripted(fill(empty_shop))), tmp_path / "debut.log")


def talk(events: ServiceEvents, visit: Visit | None, *said: str) -> tuple[list[dict[str, Any]], Visit]:
    """What the page shows in the end, and the visit."""
    chat: list[dict[str, Any]] = []
    for text in said:
        *_, (chat, visit, _) = events.send(text, visit)
    assert visit is not None
    return chat, visit


def test_a_change_waits_for_the_button_and_happens_once(events: ServiceEvents) -> None:
    shop = events.desk.desk.shop
    _, visit = talk(events, None, f"I am {EMAIL}", "cancel it")
    [action] = events.desk.waiting(visit.thread_id)
    assert rows(shop, t.orders, id="#W1")[0]["status"] == "pending"
    chat, visit = events.confirm(action.id, visit)
    assert "confirmed and done" in chat[-1]["content"]
    events.confirm(action.id, visit)
    assert rows(shop, t.orders, id="#W1")[0]["status"] == "cancelled"
    assert len(rows(shop, t.payments, order_id="#W1")) == 2
    assert events.desk.waiting(visit.thread_id) == []


def test_what_is_declined_stays_as_it_was(events: ServiceEvents) -> None:
    _, visit = talk(events, None, f"I am {EMAIL}", "cancel it")
    [action] = events.desk.waiting(visit.thread_id)
    chat, _ = events.decline(action.id, visit)
    assert "left as it was" in chat[-1]["content"]
    assert rows(events.desk.desk.shop, t.orders, id="#W1")[0]["status"] == "pending"


def test_another_visitor_sees_and_confirms_nothing_of_it(events: ServiceEvents) -> None:
    _, visit = talk(events, None, f"I am {EMAIL}", "my orders", "cancel it")
    [action] = events.desk.waiting(visit.thread_id)
    _, stranger = talk(events, None, "I am ben@example.com")
    assert events.desk.waiting(stranger.thread_id) == []
    assert not any("#W1" in card for card in events.desk.order_cards(stranger.thread_id))
    chat, _ = events.confirm(action.id, stranger)
    assert "no such proposal" in chat[-1]["content"]
    nobody = Visit()
    assert events.desk.order_cards(nobody.thread_id) == []
    assert "who you are" in events.confirm(action.id, nobody)[0][-1]["content"]
    assert rows(events.desk.desk.shop, t.orders, id="#W1")[0]["status"] == "pending"


def test_cards_show_the_owners_orders_with_address_and_exact_money(events: ServiceEvents) -> None:
    _, visit = talk(events, None, f"I am {EMAIL}")
    cards = "\n".join(events.desk.order_cards(visit.thread_id)).replace("\\", "")
    assert "#W1" in cards
    assert "1 Elm Street, Denver, CO 80279, USA" in cards
    assert "$24.99" in cards
    assert "#W4" not in cards


def test_the_log_holds_nothing_personal(events: ServiceEvents, tmp_path: Path) -> None:
    shop = events.desk.desk.shop
    _, visit = talk(events, None, f"I am {EMAIL}")
    with shop.begin() as connection:
        connection.exec_driver_sql("DROP TABLE tickets")
    chat, _ = talk(events, visit, "a person please, I live at 1 Elm Street, Denver, CO 80279")
    assert "error E-" in chat[-1]["content"].replace("\\", "")
    log = (tmp_path / "debut.log").read_text()
    assert "tickets" in log
    for secret in (EMAIL, "Elm Street", "wants a person"):
        assert secret not in log


def test_cards_and_outcomes_speak_chinese(empty_shop: Shop, tmp_path: Path) -> None:
    events = ServiceEvents(ServiceDesk(scripted(fill(empty_shop)), "zh"), tmp_path / "debut.log", "zh")
    _, visit = talk(events, None, f"I am {EMAIL}", "cancel it")
    [action] = events.desk.waiting(visit.thread_id)
    card = proposal_card(action, "USD", events.say)
    assert "取消订单" in card
    assert "待处理 → 已取消" in card
    assert "待处理" in "".join(events.desk.order_cards(visit.thread_id))
    chat, _ = events.confirm(action.id, visit)
    assert "已确认并执行" in chat[-1]["content"]


def test_a_ticket_is_taken_noted_and_closed_by_the_staff_alone(empty_shop: Shop, tmp_path: Path) -> None:
    desk = ServiceDesk(scripted(fill(empty_shop)))
    events = ServiceEvents(desk, tmp_path / "debut.log")
    talk(events, None, f"I am {EMAIL}", "cancel it", "a person please, she wants a person")
    support = desk.desk.shop.acting_as(Session("support", "sam"))
    [ticket] = tickets(support)
    assert (ticket.customer, ticket.status) == ("anna", "new")
    shown = case(ticket, support, Words("tickets", "en"), Words("service", "en")).replace("\\", "")
    assert shown.index("In the assistant's words") < shown.index("> wants a person")
    assert "#W1" in shown
    assert "Cancel an order" in shown  # what she was shown and has not confirmed
    assert "#W4" not in shown
    for kind, note in (("take", ""), ("note", "called her"), ("close", "")):
        act(support, ticket.id, kind, note)  # type: ignore[arg-type]
    [ticket] = tickets(support)
    assert (ticket.status, ticket.by, [entry.note for entry in ticket.log]) == ("closed", "sam", ["", "called her", ""])
    with pytest.raises(ToolError, match="not for your role"):
        tickets(desk.desk.shop.acting_as(Session("customer", "anna")))
    with pytest.raises(ToolError, match="word or two"):
        act(support, ticket.id, "note", " ")
    with pytest.raises(ToolError, match="no ticket T-99"):
        act(support, "T-99", "take")


@pytest.mark.browser
@pytest.mark.slow
def test_a_shopper_finds_her_way_and_support_sees_her_case(tmp_path: Path) -> None:
    shop = fill(Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True))
    apps = [app for app in APPS if app.path]
    with chromium() as browser, served(Place(scripted(shop), tmp_path / "debut.log"), free_port(), apps) as address:
        with visitor(browser, address, PHONE) as page, visitor(browser, address, DESKTOP) as stranger:
            stranger.goto(f"{address}service/zh/")
            page.goto(f"{address}service/en/")
            for text, answer in ((f"I am {EMAIL}", "Welcome, Anna Berg"), ("my orders", "The latest is")):
                tell(page, text)
                expect(page.locator("#chat")).to_contain_text(answer)
            expect(page.locator("#who")).to_contain_text("Anna Berg")
            expect(page.locator(".card.order").first).to_contain_text("#W")
            for button, outcome in ((".decline", "left as it was"), (".confirm", "confirmed and done")):
                tell(page, "cancel it")
                expect(page.locator(".card.waiting")).to_contain_text("no longer needed")
                assert rows(shop, t.orders, id="#W1")[0]["status"] == "pending"
                page.locator(button).click()
                expect(page.locator("#chat")).to_contain_text(outcome)
                expect(page.locator(".card.waiting")).to_have_count(0)
            assert fits(page)
            keep_screenshot(page, "service-phone")
            tell(page, "a person please, she wants a person")
            expect(page.locator("#chat")).to_contain_text("ticket")
            expect(stranger.locator("#who")).to_contain_text("尚未识别")
            assert stranger.locator(".card").count() == 0
        with visitor(browser, address) as page:
            page.goto(f"{address}tickets/en/")
            expect(page.locator(".card.ticket")).to_contain_text("wants a person")
            expect(page.locator(".card.ticket")).to_contain_text("Anna Berg")
            page.locator(".close").click()
            expect(page.get_by_text("No ticket waits.")).to_be_visible()
    assert rows(shop, t.orders, id="#W1")[0]["status"] == "cancelled"
    assert call(acting(shop), "get_order", order="#W1").summary


def tell(page: Page, text: str) -> None:
    page.fill("#message textarea", text)
    page.press("#message textarea", "Enter")
