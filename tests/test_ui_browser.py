"""The page in a real Chromium: from an empty page to a brief, by clicks and keys, at two widths."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from ui_desk import NAME, scripted_desk

from shop import Shop, demo

CHROMIUM = Path("/usr/bin/chromium")
FIGURES = '#chat a[href*="#fig-chat:"]'
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        warnings.warn("THE PAGE IS NOT TESTED: install Debian's package `chromium`", stacklevel=1)
        pytest.skip("Chromium is not installed: the page was tested without a browser only")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page over the small demo shop, served as `./debut chat` serves it."""
    from ui.chat_page import build, launch

    folder = tmp_path_factory.mktemp("browser")
    url = f"sqlite:///{folder / 'demo.db'}"
    demo.build(url, seed=7, small=True)
    page = build(scripted_desk(Shop.open(url)), folder / "debut.log")
    port = free_port()
    launch(page, port, open_browser=False)
    yield f"http://127.0.0.1:{port}/"
    closing = Thread(target=page.close)
    closing.start()
    closing.join(timeout=20)


@pytest.fixture(params=[(1440, 900), (390, 844)], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """A fresh visitor; the test fails on a request that leaves the machine and on an error in the console."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
    visited = context.new_page()
    left, errors = [], []
    visited.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else left.append(r.url))
    visited.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    visited.on("pageerror", lambda error: errors.append(str(error)))
    visited.goto(address)
    expect(visited.locator("#message textarea")).to_be_visible()
    yield visited
    context.close()
    assert left == []
    assert errors == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(page: Page, text: str) -> None:
    """Send a message and wait for the end of its answer."""
    answers = page.locator("#chat small").count()
    page.fill("#message textarea", text)
    page.press("#message textarea", "Enter")
    expect(page.locator("#chat small")).to_have_count(answers + 1, timeout=60_000)


def fits(page: Page) -> bool:
    """Nothing makes the page scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_from_an_empty_page_to_a_brief(page: Page) -> None:
    expect(page.locator("#where")).to_contain_text("data up to")
    expect(page.locator("#model")).to_contain_text("scripted · ready")
    expect(page.get_by_text("What do you want to launch?")).to_be_visible()
    assert fits(page)

    say(page, "forecast it")
    expect(page.locator("#chat").get_by_text("forecast_launch")).to_be_visible()
    page.locator(FIGURES).last.click()
    inspector = page.locator("#inspector")
    expect(inspector).to_contain_text("forecast_launch")
    expect(inspector).to_contain_text("Data up to")
    page.keyboard.press("Escape")
    expect(inspector).to_be_hidden()

    say(page, "brief please")
    expect(page.locator("#paper h1")).to_have_text(NAME)
    expect(page.locator("#paper .js-plotly-plot").first).to_be_visible(timeout=20_000)
    page.locator('#paper a[href*="#fig-brief:"]').first.click()
    expect(inspector).to_be_visible()
    page.locator("#inspector-close").click()
    expect(inspector).to_be_hidden()
    assert fits(page)


def test_every_number_of_an_answer_is_a_link(page: Page) -> None:
    say(page, "forecast it")
    outside = page.evaluate(
        """() => {
            const answer = [...document.querySelectorAll('#chat [data-testid=bot]')].at(-1).cloneNode(true);
            answer.querySelectorAll('a[href*="#fig-"], small, [class*=thought], button').forEach((e) => e.remove());
            return answer.textContent;
        }"""
    )
    assert "It sells" in outside
    assert not any(char.isdigit() for char in outside), outside


def test_form_writes_a_brief_and_says_what_is_wrong(page: Page) -> None:
    page.get_by_role("textbox", name="Product").fill("Quill travel mug")
    page.get_by_label("Launch date").fill("2001-03-01")
    page.locator("#write-brief").click()
    expect(page.locator("#progress")).to_contain_text("2001", timeout=30_000)
    page.get_by_label("Launch date").fill("early March")
    page.locator("#write-brief").click()
    expect(page.locator("#paper h1")).to_have_text("Quill travel mug", timeout=60_000)


def test_new_conversation_is_empty_and_knows_nothing_of_the_old_one(page: Page) -> None:
    say(page, "forecast it")
    page.locator("#fresh").click()
    expect(page.locator(FIGURES)).to_have_count(0)
    expect(page.get_by_text("What do you want to launch?")).to_be_visible()


def test_figures_change_with_the_language(page: Page) -> None:
    say(page, "draft it")
    expect(page.locator(FIGURES).last).to_contain_text("March")
    page.get_by_label("中文").check()
    expect(page.locator(FIGURES).last).to_contain_text("月")


def test_stop_ends_an_answer_and_gives_the_box_back(page: Page) -> None:
    page.fill("#message textarea", "wait for me")
    page.press("#message textarea", "Enter")
    page.locator("#message .stop-button").click()
    expect(page.locator("#chat")).to_contain_text("Stopped.")
    expect(page.locator("#message .submit-button")).to_be_visible()
    say(page, "forecast it")
    expect(page.locator(FIGURES).last).to_be_visible()
