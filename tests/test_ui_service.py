"""The shopper's page: handlers without a browser, and the whole way through it in a real Chromium at two widths."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from service_shop import EMAIL, acting, call, fill, rows
from test_ui_browser import CHROMIUM, free_port

from agent.models.template import Call
from agent.scripted import Line, ScriptedChatModel
from shop import Shop
from shop import schema as t
from ui.service_desk import ServiceDesk
from ui.service_page import ServiceEvents, Visit
from ui.wiring import Desk

WIDTHS = ((1440, 900), (390, 844))


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


@pytest.mark.browser
@pytest.mark.slow
def test_a_shopper_finds_her_way(tmp_path: Path) -> None:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed: the shopper's page was tested without a browser only")
    from playwright.sync_api import expect, sync_playwright

    from ui.chat_page import launch
    from ui.service_page import build

    shop = fill(Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True))
    page = build(scripted(shop), tmp_path / "debut.log")
    address = f"http://127.0.0.1:{(port := free_port())}/"
    launch(page, port, open_browser=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, height in WIDTHS:
            visited = chromium.new_context(viewport={"width": width, "height": height}).new_page()
            visited.goto(address)
            for text, answer in ((f"I am {EMAIL}", "Welcome, Anna Berg"), ("my orders", "The latest is")):
                visited.fill("#message textarea", text)
                visited.press("#message textarea", "Enter")
                expect(visited.locator("#chat")).to_contain_text(answer, timeout=60_000)
            expect(visited.locator(".card.order").first).to_contain_text("#W", timeout=20_000)
            visited.fill("#message textarea", "cancel it")
            visited.press("#message textarea", "Enter")
            expect(visited.locator(".card.waiting")).to_contain_text("no longer needed", timeout=60_000)
            if width == WIDTHS[0][0]:
                visited.locator(".decline").click()
                expect(visited.locator("#chat")).to_contain_text("left as it was", timeout=20_000)
            else:
                visited.locator(".confirm").click()
                expect(visited.locator("#chat")).to_contain_text("confirmed and done", timeout=20_000)
            expect(visited.locator(".card.waiting")).to_have_count(0, timeout=20_000)
            assert visited.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        chromium.close()
    closing = Thread(target=page.close)
    closing.start()
    closing.join(timeout=20)
    assert rows(shop, t.orders, id="#W1")[0]["status"] == "cancelled"
    assert call(acting(shop), "get_order", order="#W1").summary
