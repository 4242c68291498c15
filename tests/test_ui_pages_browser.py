"""Every page at two widths and in both languages: it fits, says what it should, and asks nothing of other machines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from web_support import DESKTOP, PHONE, chromium, fits, free_port, keep_screenshot, scripted_desk, visitor

from shop import Shop, demo
from ui.pages import APPS
from ui.place import Place
from ui.server import served

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
HOSTILE = 'Evil <img src=x onerror="fetch(`http://127.0.0.1:9/`)"> [x](javascript:alert) ![p](http://127.0.0.1:9/p.png)'
# Page, what is waited for, and what stands there in English and in Chinese.
PAGES = {
    "launches": ("#launches table", "Status", "状态"),
    "shop": ("#freshness table", "Last day", "最后一天"),
    "approvals": ("#audit", "audit", "审计"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The pages over the small demo shop, with a draft and a product whose names try to be markup."""
    folder = tmp_path_factory.mktemp("pages")
    url = f"sqlite:///{folder / 'demo.db'}"
    demo.build(url, seed=7, small=True)
    shop = Shop.open(url)
    shop.add_draft(HOSTILE, "Kitchen > Kettles", 20, 50)
    with served(Place(scripted_desk(shop), folder / "debut.log"), free_port(), APPS[:2]) as found:
        yield found


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_fits_speaks_both_languages_and_stays_at_home(
    browser: Browser, address: str, size: tuple[int, int]
) -> None:
    dark = size == PHONE
    with visitor(browser, address, size, dark=dark) as page:
        for locale, said in (("en", 1), ("zh", 2)):
            for name, about in PAGES.items():
                page.goto(f"{address}{locale}/{name}")
                expect(page.locator(about[0]).first).to_be_visible()
                expect(page.locator(about[0]).first).to_contain_text(about[said])
                assert fits(page), (locale, name)
                assert page.evaluate("document.documentElement.lang").startswith(locale)
                assert unnamed(page) == [], (locale, name)
                keep_screenshot(page, f"{name}-{locale}-{'phone-dark' if dark else 'desktop'}")


def test_text_of_the_shop_is_shown_and_does_nothing(browser: Browser, address: str) -> None:
    with visitor(browser, address) as page:
        page.goto(f"{address}en/launches")
        row = page.locator("#launches td", has_text="Evil").first
        expect(row).to_contain_text('onerror="fetch')
        assert page.locator("#launches img").count() == 0
        assert page.locator('#launches a[href^="javascript"]').count() == 0
        policy = page.request.get(f"{address}en/launches").headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "connect-src 'self'" in policy


def test_shop_analyses_are_asked_for_and_their_figures_open(browser: Browser, address: str) -> None:
    with visitor(browser, address) as page:
        page.goto(f"{address}en/shop")
        page.get_by_role("tab", name="Trends").click()
        page.locator("#look-trends").click()
        figure = page.locator('a[href*="#fig-brief:market.revenue"]').first
        expect(figure).to_be_visible()
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        figure.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#inspector")).to_contain_text("market_trend")
        page.keyboard.press("Escape")
        expect(page.locator("#inspector")).to_be_hidden()


def test_tickets_wait_for_the_people_of_the_shop(browser: Browser, address: str) -> None:
    with visitor(browser, address) as page:
        page.goto(f"{address}tickets/en/")
        expect(page.get_by_text("No ticket waits.")).to_be_visible()
        assert fits(page)


def unnamed(page: Page) -> list[str]:
    """Buttons, links and boxes in view that a screen reader could not name."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('#content button, #content a, #content input, #content textarea')]
            .filter((each) => each.checkVisibility() && !each.closest('[aria-hidden=true]'))
            .filter((each) => !(each.textContent.trim() || each.ariaLabel || each.title || each.labels?.length
                || each.getAttribute('aria-labelledby') || each.placeholder))
            .map((each) => each.outerHTML.slice(0, 120))"""
    )
    return found
