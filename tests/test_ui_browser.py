"""The whole way in a real Chromium: from "I want to launch …" to an approved, exported brief, by clicks and keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from web_support import (
    DEAR,
    DESKTOP,
    FIGURES,
    NAME,
    PHONE,
    chromium,
    create,
    fits,
    free_port,
    keep_screenshot,
    scripted_desk,
    visitor,
)
from web_support import say as say_it

from shop import Shop, demo
from shop.brief_log import approved_briefs
from ui.accounts import Accounts
from ui.pages import APPS
from ui.place import Place
from ui.server import served

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The pages over the small demo shop, behind accounts."""
    folder = tmp_path_factory.mktemp("browser")
    url = f"sqlite:///{folder / 'demo.db'}"
    demo.build(url, seed=7, small=True)
    accounts = Accounts.open(f"sqlite:///{folder / 'accounts.db'}")
    create(accounts, mara="manager", otto="manager", vera="approver", sam="support")
    return Place(scripted_desk(Shop.open(url)), folder / "debut.log", accounts=accounts)


@pytest.fixture(scope="module")
def address(place: Place) -> Iterator[str]:
    with served(place, free_port(), APPS[:1]) as found:
        yield found


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_from_an_idea_to_an_approved_brief_on_paper(browser: Browser, place: Place, address: str) -> None:
    with visitor(browser, address, DESKTOP, place.accounts, "mara") as page:
        page.goto(f"{address}en/")
        say_it(page, f"I want to launch the {NAME}")
        expect(page.locator(FIGURES).first).to_be_visible()
        page.locator(FIGURES).last.click()
        expect(page.locator("#inspector")).to_contain_text("draft_product")
        page.keyboard.press("Escape")
        expect(page.locator("#inspector")).to_be_hidden()
        say_it(page, "brief please")
        expect(page.locator("#paper h1")).to_have_text(NAME)
        expect(page.locator("#thread-list label")).to_have_count(1)
        page.reload()
        expect(page.locator("#paper h1")).to_have_text(NAME)  # the brief comes back with the conversation
        expect(page.locator("#chat small")).to_have_count(2)
        keep_screenshot(page, "desk")

        page.locator("#open-brief a").click()
        expect(page.locator("#brief #paper h1")).to_have_text(NAME)
        expect(page.locator("#contents li")).to_have_count(30)
        expect(page.locator("#paper .js-plotly-plot").first).to_be_visible()
        page.locator("#contents a", has_text="Price").click()
        expect(page.locator("#part-price")).to_be_in_viewport()
        keep_screenshot(page, "brief")

        page.locator('#paper a[href*="#fig-brief:launch.units_12w"]').first.click()
        expect(page.locator("#inspector")).to_contain_text("forecast_launch")
        page.keyboard.press("Escape")

        tab(page, "What if")
        price = page.get_by_label("number input for Price")
        price.fill("48")
        price.press("Enter")
        expect(page.locator("#paper strong", has_text="$48.00").first).to_be_visible()
        expect(page.locator("#changes table")).to_be_visible()
        assert page.locator("#paper del").count() > 5
        keep_screenshot(page, "what-if")
        page.locator("#reset").click()
        expect(page.locator("#paper del")).to_have_count(0)

        tab(page, "Approve")
        page.locator("#export-json").click()
        with page.expect_download() as waiting:
            page.locator("#file a").click()
        content = json.loads(Path(waiting.value.path()).read_text())
        assert content["sections"][0]["id"] == "decision"
        assert content["unbacked"] == []
        link = page.locator("#file a").get_attribute("href")

        page.get_by_label("Reason").first.fill("the range needs a mug")
        page.locator("#approve").click()
        expect(page.locator("#standing")).to_contain_text("Approved by")
        here = page.url
        page.reload()
        expect(page.locator("#brief #paper h1")).to_have_text(NAME)
        page.locator("a.locale").click()
        expect(page.locator("#contents li").first).to_contain_text("决策")
        assert page.url.replace("/zh/", "/en/") == here
        keep_screenshot(page, "brief-chinese")
    assert [approval.draft_id for approval in approved_briefs(place.desk.shop)] == [
        content["figures"]["item.draft_id"]["value"]
    ]

    with visitor(browser, address, PHONE, place.accounts, "otto") as page:
        page.goto(f"{address}en/")
        expect(page.locator("#message textarea")).to_be_visible()
        expect(page.locator("#thread-list label")).to_have_count(0)  # Mara's conversation is hers
        assert page.request.get(address.rstrip("/") + str(link)).status == 404  # and so is her file
        assert fits(page)


def test_a_change_waits_for_the_approver_and_survives_a_restart(browser: Browser, place: Place, address: str) -> None:
    accounts, shop = place.accounts, place.desk.shop
    assert accounts is not None
    draft = shop.add_draft(DEAR, "Kitchen > Kettles", 20, 55).id
    with visitor(browser, address, DESKTOP, accounts, "otto") as page:
        page.goto(f"{address}en/")
        say_it(page, "make it cheaper")
        expect(page).to_have_url(re.compile("thread="))
        asked = page.url
    with served(place, free_port(), APPS[:1]) as after:
        with visitor(browser, after, DESKTOP, accounts, "otto") as page:
            page.goto(asked.replace(address, after))
            expect(page.locator("#chat")).to_contain_text("would cost")
        with visitor(browser, after, DESKTOP, accounts, "vera") as page:
            page.goto(f"{after}en/approvals")
            card = page.locator(".card.waiting").first
            expect(card).to_contain_text("$55.00")
            expect(card).to_contain_text("$51.00")
            card.locator(".edit").click()
            page.get_by_label("New value instead").fill("52")
            page.locator(".propose").click()
            expect(page.locator("#said")).to_contain_text("turned down")
            expect(page.locator(".card.waiting")).to_contain_text("$52.00")
            page.locator(".card.waiting .confirm").click()
            expect(page.locator("#said")).to_contain_text("carried out")
            expect(page.locator("#audit")).to_contain_text("The audit is whole")
            keep_screenshot(page, "approvals")
    found = shop.draft(draft)
    assert found is not None
    assert found.price == 52


def test_support_has_no_way_to_the_desk(browser: Browser, place: Place, address: str) -> None:
    with visitor(browser, address, DESKTOP, place.accounts, "sam") as page:
        assert page.request.get(f"{address}en/approvals").status == 403
