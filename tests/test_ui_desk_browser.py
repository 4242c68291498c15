"""The door and the desk in a real Chromium: the first account, branches, a thumb, reload, language, sign-out."""

from __future__ import annotations

from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import expect
from sqlalchemy import create_engine
from web_support import NAME, PASSWORD, PHONE, chromium, fits, free_port, say, scripted_desk, visitor

from shop import Shop, demo
from shop.threads import judged
from ui import chat_page
from ui.accounts import Accounts
from ui.pages import App
from ui.place import Place
from ui.server import served
from ui.shell import PageSpec, build
from ui.sign_in import Door

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
DESK = App("", ("manager",), lambda place: build(place, (PageSpec("", "desk", chat_page.fill),)))


def test_from_the_first_account_to_a_branch_that_outlives_a_reload(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    demo.build(url, seed=7, small=True)
    shop = Shop.open(url)
    engine = create_engine(f"sqlite:///{tmp_path / 'accounts.db'}")
    accounts = Accounts(engine, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    door = Door(accounts)
    place = Place(scripted_desk(shop), tmp_path / "debut.log", accounts=accounts)
    with (
        chromium() as browser,
        served(place, free_port(), (DESK,), door) as address,
        visitor(browser, address, PHONE) as page,
    ):
        page.goto(f"{address}welcome?code={door.code}")
        page.get_by_label("Name").fill("mara")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password once more").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("#person")).to_contain_text("mara", timeout=60_000)
        assert fits(page)

        say(page, f"I want to launch the {NAME}")
        page.get_by_label("Edit").first.click()
        page.locator("#chat textarea").fill("hello")
        page.get_by_label("Submit").first.click()
        expect(page.locator("#chat")).to_contain_text("2/2", timeout=60_000)
        expect(page.locator("#chat")).to_contain_text("I can draft")
        page.get_by_title("Earlier version").click()
        expect(page.locator("#chat")).to_contain_text(f"Draft D-0005 is ready: {NAME}")
        page.get_by_label("Dislike").last.click()
        page.locator("#judged textarea").fill("too short")
        page.locator("#judged-save").click()
        expect(page.locator("#judged")).to_be_hidden()

        page.reload()
        expect(page.locator("#chat")).to_contain_text("1/2", timeout=60_000)
        page.locator("a.locale").click()
        expect(page.locator("#chat")).to_contain_text("2027年3月1日", timeout=60_000)
        expect(page.locator("#fresh")).to_have_text("新对话")
        page.locator("#person a").click()
        expect(page).to_have_url(f"{address}sign-in")
    assert [(case.verdict, case.reason) for case in judged(shop.engine)] == [("bad", "too short")]
