"""What the browser tests share: a Chromium, a served desk whose model follows a script, and watched visitors."""

from __future__ import annotations

import os
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import pytest
from brief_tools import small_tools
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from agent.models.template import Call
from agent.scripted import Line, ScriptedChatModel
from shop import Shop
from tools.catalogue import draft_product
from tools.market import market_trend
from tools.proposals import propose_change
from tools.registry import BoundTool, bind
from ui.accounts import AccountRole, Accounts
from ui.gate import COOKIE
from ui.wiring import Desk

CHROMIUM = Path("/usr/bin/chromium")
DESKTOP, PHONE = (1440, 900), (390, 844)
WAIT = 120_000  # milliseconds for what a busy machine takes long for; nothing is asserted about time
CANCELLED = "net::ERR_ABORTED"  # the browser itself gave a request up: the page was left
LEFT_WHILE_LISTENING = ("AbortError: signal is aborted", "Unexpected error Connection errored out.")
PASSWORD = "correct horse battery"
FIGURES = '#chat a[href*="#fig-chat:"]'
NAME, DEAR = "Quill travel mug", "Fern teapot"
# What the visitor's message holds, the call it leads to, and the sentence after it.
SCRIPT = {
    "I want to launch": (
        Call("draft_product", {"name": NAME, "category": "Kettles", "cost": 20, "price": 55, "launch_date": "1 March"}),
        "Draft {{item.draft_id}} is ready: {{item.name}} at {{item.price}}, on sale from {{item.launch_date}}.",
    ),
    "forecast": (Call("forecast_launch", {"product": NAME}), "It sells {{launch.units_12w}} units."),
    "brief": (Call("write_brief", {"product": NAME}), "Brief {{brief.id}} is written: {{brief.verdict}}."),
    "cheaper": (
        Call("propose_change", {"change": "price", "product": DEAR, "value": "51"}),
        "{{action.product}} would cost {{action.value}}; it waits as {{action.id}}.",
    ),
}


class QuickDesk(Desk):
    """A desk whose forecast, price and first buy are known beforehand: the pages are tested here, not the tools."""

    @cached_property
    def tools(self) -> dict[str, BoundTool]:
        real = bind([draft_product, propose_change, market_trend], self.shop, self.shop.acting.actor)
        return {**real, **small_tools(self.shop, {})}


def scripted_desk(shop: Shop) -> Desk:
    """A desk whose model follows `SCRIPT`."""

    def reply(messages: list[BaseMessage]) -> Line:
        said = next(message.text for message in reversed(messages) if isinstance(message, HumanMessage))
        found = next((lines for word, lines in SCRIPT.items() if word in said), None)
        if found is None:
            return "I can draft, forecast and write briefs."
        return found[1] if isinstance(messages[-1], ToolMessage) else found[0]

    return QuickDesk(shop, lambda: ScriptedChatModel(replies=[reply] * 1000), "scripted")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window; a loud skip where there is none."""
    if not CHROMIUM.exists():
        warnings.warn("THE PAGES ARE NOT TESTED: install Debian's package `chromium`", stacklevel=1)
        pytest.skip("Chromium is not installed: the pages were tested without a browser only")
    expect.set_options(timeout=WAIT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def visitor(
    browser: Browser,
    address: str,
    size: tuple[int, int] = DESKTOP,
    accounts: Accounts | None = None,
    name: str = "",
    dark: bool = False,
) -> Iterator[Page]:
    """A fresh visitor, signed in where a name is given.

    It fails on a request that leaves the machine or breaks off, on an error in the console, and on a script that breaks
    the policy.
    """
    scheme = "dark" if dark else "light"
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale="en-GB", color_scheme=scheme, accept_downloads=True
    )
    if accounts is not None and name:
        sign_in(context, accounts, name, address)
    page = context.new_page()
    left, errors = [], []
    page.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else left.append(r.url))
    page.on("console", lambda m: errors.append(f"{m.text} {m.location}") if _is_wrong(m) else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda r: None if r.failure == CANCELLED else errors.append(f"{r.failure} {r.url}"))
    yield page
    context.close()
    assert left == [], left
    assert errors == [], errors


def _is_wrong(message: ConsoleMessage) -> bool:
    """An error in the console, but not what Gradio's client says when a page is left while it listens.

    It says the same of a connection that the server broke off; `visitor` sees that by the failed request.
    """
    return message.type == "error" and not message.text.startswith(LEFT_WHILE_LISTENING)


def sign_in(context: BrowserContext, accounts: Accounts, name: str, address: str) -> None:
    """Put the session of an account into a browser, as the sign-in page does."""
    account = next(each for each in accounts.all() if each.name == name)
    context.add_cookies([{"name": COOKIE, "value": accounts.start_session(account), "url": address}])


def create(accounts: Accounts, **roles: AccountRole) -> None:
    """Accounts by name and role."""
    for name, role in roles.items():
        accounts.create(name, PASSWORD, role)


def say(page: Page, text: str) -> None:
    """Send a message and wait for the end of its answer."""
    answers = page.locator("#chat small").count()
    page.fill("#message textarea", text)
    page.press("#message textarea", "Enter")
    expect(page.locator("#chat small")).to_have_count(answers + 1)


def fits(page: Page) -> bool:
    """Nothing makes the page scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def keep_screenshot(page: Page, name: str) -> None:
    """Keep a picture of the page in the folder that SCREENSHOTS names, else among the temporary files."""
    folder = Path(os.environ.get("SCREENSHOTS") or Path(tempfile.gettempdir()) / "debut-screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")
