"""What a reader waits for in a real browser: the page, the first word of an answer, what a moved slider changes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.brief.types import Brief
from ui.levers import Lever, levers

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 300_000  # milliseconds: a slow machine is a figure too
BOT = '#chat [data-testid="bot"]'
# Sets a slider as a hand does, and resolves with the milliseconds until the words of the answer are others: a sign that
# something is under way is no answer. After half a minute it resolves with nothing.
_MOVE = """([slider, value]) => new Promise((done) => {
  const range = document.querySelector(`${slider} input[type=range]`);
  const target = document.querySelector("#changes");
  const said = () => (target.querySelector("[data-testid=markdown]") ?? target).textContent;
  const before = said();
  const begun = performance.now();
  const seen = new MutationObserver(() => {
    if (said() === before) return;
    seen.disconnect();
    requestAnimationFrame(() => done(performance.now() - begun));
  });
  seen.observe(target, { childList: true, subtree: true, characterData: true });
  range.value = value;
  range.dispatchEvent(new Event("input", { bubbles: true }));
  range.dispatchEvent(new Event("change", { bubbles: true }));
  setTimeout(() => done(null), 30000);
})"""


class Reader:
    """A fresh browser; every method opens a visit of its own.

    Args:
        browser: Chromium, as Playwright drives it.
        address: Of the served desk.
    """

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser, self._address = browser, address

    def visit(self, message: str, answer: str = "") -> tuple[float, float]:
        """Seconds until the page takes a message, and from sending one to the first of the answer on the screen.

        Args:
            message: What is typed.
            answer: A word of the answer; left out, the first tool step or word counts.
        """
        with self._page("en/", "#message textarea") as (page, ready):
            page.wait_for_selector("#model >> text=ready")  # the page has spoken with the server
            page.fill("#message textarea", message)
            begun = time.perf_counter()
            page.press("#message textarea", "Enter")
            said = f"{BOT} >> text={answer}" if answer else f"{BOT} >> text=/^(?!Thinking|The language model)/"
            page.wait_for_selector(said)
            first = time.perf_counter() - begun
            page.wait_for_selector("#chat small")  # the end: nobody else is measured while it goes on
            return ready, first

    def moves(self, brief: Brief, count: int) -> dict[str, list[float]]:
        """Seconds from a moved slider to the changed figures, by lever; infinite where nothing changed in time."""
        found: dict[str, list[float]] = {}
        with self._page(f"en/brief?brief={brief.id}", "#brief-tabs") as (page, _):
            page.get_by_role("tab", name="What if").click()
            for lever in levers(brief):
                page.wait_for_selector(f"#lever-{lever.name} input[type=range]")
                page.wait_for_timeout(1_000)  # charts of the move before are drawn behind its figures
                waits = [page.evaluate(_MOVE, [f"#lever-{lever.name}", value]) for value in values_of(lever, count)]
                found[lever.name] = [float("inf") if wait is None else wait / 1000 for wait in waits]
                page.click("#reset")
                page.wait_for_timeout(2_000)
        return found

    @contextlib.contextmanager
    def _page(self, path: str, until: str) -> Iterator[tuple[Page, float]]:
        context = self._browser.new_context()
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        begun = time.perf_counter()
        page.goto(f"{self._address}{path}")
        page.wait_for_selector(until)
        yield page, time.perf_counter() - begun
        context.close()


@contextlib.contextmanager
def reader(address: str) -> Iterator[Reader]:
    """A browser on an address."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield Reader(browser, address)
        browser.close()


def values_of(lever: Lever, count: int) -> Sequence[float]:
    """Values never asked before: about the middle third of the slider, each on one of its steps."""
    low, high = lever.low + (lever.high - lever.low) / 4, lever.low + (lever.high - lever.low) * 3 / 4
    steps = {lever.low + lever.step * round((low - lever.low + (high - low) * n / count) / lever.step)
             for n in range(1, count + 1)}  # fmt: skip
    return [round(value, 2) for value in sorted(steps) if value != lever.value]
