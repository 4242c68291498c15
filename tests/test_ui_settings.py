"""The pages that bring data in and that set the house up: what is asked before anything changes, and what is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import create_engine, insert

from agent.brief.types import BriefSettings
from agent.scripted import ScriptedChatModel
from shop import Shop
from shop import schema as t
from shop.session import Session
from tools.copy.voice import voice_of
from ui.accounts import Accounts
from ui.health import checks
from ui.house import brief_settings, channel_fees, channel_lines
from ui.place import Place
from ui.settings import Settings
from ui.settings_page import NUMBERS, SettingsEvents
from ui.strings import Words
from ui.uploads import UploadEvents
from ui.wiring import Desk

SALES = "day;item;qty;price\n" + "".join(f"2026-0{1 + n % 9}-11;K-{n % 3};{n % 4};9,90\n" for n in range(40))


@pytest.fixture
def place(empty_shop: Shop, tmp_path: Path) -> Place:
    with empty_shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-1", name="Old kettle"))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 10, 31), units=1))
    accounts = Accounts(
        create_engine(f"sqlite:///{tmp_path / 'accounts.db'}"),
        hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
    )
    desk = Desk(empty_shop, lambda: ScriptedChatModel(replies=[]), "scripted")
    settings = Settings(home=tmp_path / "home")
    return Place(desk, tmp_path / "home" / "log" / "debut.log", accounts=accounts, settings=settings)


def signed_in(place: Place, name: str, role: Any) -> Any:
    assert place.accounts is not None
    return SimpleNamespace(username=place.accounts.create(name, "long enough pw", role).id)


def test_a_file_is_looked_at_then_imported_whole_with_its_refused_rows_to_download(
    place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(SALES, encoding="utf-8")
    later: list[Callable[[], None]] = []
    events, ada = UploadEvents(place, later.append), signed_in(place, "ada", "manager")
    found, said = events.look(str(file), "generic")
    assert said == ""
    assert found is not None
    assert found.guess.columns == {"sku": "item", "date": "day", "units": "qty", "price": "price"}
    assert found.guess.decimal == ","
    told = events.start(str(file), "generic", found.guess, ada, lambda *_, **__: None)  # type: ignore[arg-type]
    assert "40 rows read, 30 kept, 10 refused" in told
    assert "no units" in told
    token = told.split("/files/")[1].split(")")[0]
    assert place.downloads.fetch(token, "somebody else") is None
    fetched = place.downloads.fetch(token, ada.username)
    assert fetched is not None
    assert fetched[1].decode("utf-8-sig").count("no units") == 10
    own = Shop.open(place.settings.default_url("own"))  # type: ignore[union-attr]
    assert own.daily()["units"].sum() == sum(n % 4 for n in range(40))
    assert place.desk.shop.cutoff == own.cutoff  # the pages work on what was imported, without another start
    assert place.desk.acting_as(Session("manager", "ada")).shop.products()["sku"].tolist() == ["K-0", "K-1", "K-2"]
    assert len(later) == 1  # the search index and what is learned
    following = events.renewed(told)
    assert next(following).endswith(events.say["renewing"])
    later.pop()()
    assert list(following)[-1] == f"{told}\n\n✓ {events.say['renewed']}"
    assert list(events.renewed(told)) == [told]  # nothing is being learned
    again = events.start(str(file), "generic", found.guess, ada, lambda *_, **__: None)  # type: ignore[arg-type]
    assert "Nothing was new" in again


def test_learning_is_over_when_the_last_lesson_is(place: Place) -> None:
    desk = place.desk
    first, second = desk.lesson(), desk.lesson()
    first()
    assert desk.is_learning
    second()
    assert not desk.is_learning
    assert desk.wait_until_learned(0)
    breaking = _Breaking(desk.shop, lambda: ScriptedChatModel(replies=[]), "scripted")
    with pytest.raises(RuntimeError, match="memory"):
        breaking.learn()
    assert not breaking.is_learning


class _Breaking(Desk):
    def _learn(self, index: bool) -> None:
        raise RuntimeError("out of memory")


def test_a_file_that_cannot_be_used_is_answered_with_a_sentence(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "broken.xlsx"
    file.write_bytes(b"no workbook")
    found, said = UploadEvents(place).look(str(file), "generic")
    assert found is None
    assert "broken" in said
    assert "error E-" not in said


def test_only_a_manager_imports_and_sets_the_house_up(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(SALES, encoding="utf-8")
    bob = signed_in(place, "bob", "approver")
    say, events = place.words("settings"), SettingsEvents(place)
    only = say["only_manager"]
    assert UploadEvents(place).start(str(file), "series", None, bob) == place.words("import")["not_yours"]
    assert events.voice("formal", "", [], bob) == only
    assert events.house("profit", "", *[None] * len(NUMBERS), bob) == only
    assert events.model("hf:x", bob) == only
    assert events.person("eve", "manager", "long enough pw", True, bob) == (only, [])
    assert voice_of(place.desk.shop).tone == "friendly"
    assert brief_settings(place.desk.shop) == BriefSettings()


def test_voice_and_house_rules_are_kept_and_hold_for_the_next_brief(place: Place) -> None:
    events, ada = SettingsEvents(place), signed_in(place, "ada", "manager")
    assert events.voice("formal", "cheap, 最低价，", ["eu", "cn"], ada) == "Saved."
    voice = voice_of(place.desk.shop)
    assert (voice.tone, voice.avoid, voice.markets) == ("formal", ("cheap", "最低价"), ("cn", "eu"))
    assert events.voice_now() == ("formal", "cheap, 最低价", ["cn", "eu"])
    numbers = {"min_margin": 0.3, "lead_time_days": 45, "cash_limit": 9000.0}
    fees = {"marketplace": 0.155, "天猫": 0.05}
    assert (
        events.house("profit", "marketplace: 15.5%\n天猫：5%\n", *(numbers.get(name) for name in NUMBERS), ada)
        == "Saved."
    )
    settings = brief_settings(place.desk.shop, "zh")
    assert settings == BriefSettings(locale="zh", strategy="profit", channel_fees=fees, **numbers)
    assert events.house_now()[:4] == ["profit", "marketplace: 15.5%\n天猫: 5%", 0.3, 45]
    assert channel_fees(channel_lines(fees)) == fees
    told = events.house("", "", *({"service_level": 99.0}.get(name) for name in NUMBERS), ada)
    assert told == "Service level, as a share: 99.0 cannot be used."
    for wrong in ("15%", "marketplace: 130%", "marketplace: some"):
        assert "15%" in events.house("", wrong, *[None] * len(NUMBERS), ada)
    assert brief_settings(place.desk.shop, "zh") == settings


def test_the_model_of_the_next_start_unless_the_environment_says_another(place: Place) -> None:
    events, ada = SettingsEvents(place), signed_in(place, "ada", "manager")
    home = str(events.settings.home)
    for wrong in ("", "gpt", "embedded,", "openai:ftp://x#y", "hf:"):
        assert events.model(wrong, ada).startswith("That is no such form."), wrong
    assert Settings.from_environment({"DEBUT_HOME": home}).model == "embedded"
    assert "next start" in events.model("openai:http://localhost:8000/v1#qwen, embedded", ada)
    assert Settings.from_environment({"DEBUT_HOME": home}).model == "openai:http://localhost:8000/v1#qwen, embedded"
    assert Settings.from_environment({"DEBUT_HOME": home, "DEBUT_MODEL": "embedded"}).model == "embedded"


def test_a_manager_adds_people_and_everybody_changes_the_own_password(place: Place) -> None:
    assert place.accounts is not None
    events, ada = SettingsEvents(place), signed_in(place, "ada", "manager")
    said, people = events.person("bob", "approver", "another password", True, ada)
    assert (said, people[1]) == ("Saved.", ["bob", "approver", "yes"])
    assert (
        "at least" in events.person("eve", "support", "short", True, ada)[0]
        or "between" in events.person("eve", "support", "short", True, ada)[0]
    )
    assert "last manager" in events.person("ada", "support", "", True, ada)[0]
    assert events.person("bob", "approver", "", False, ada)[1][1][2] == "no"
    assert "do not fit" in events.password("wrong", "a new password", ada)
    assert "/sign-in" in events.password("long enough pw", "a new password", ada)
    assert place.accounts.verify("ada", "a new password").name == "ada"
    assert events.language("zh", ada) == "Saved."
    assert place.account(ada).locale == "zh"


def test_an_unknown_way_of_signing_in_leaves_the_door_shut() -> None:
    assert Settings.from_environment({"DEBUT_SIGN_IN": "Off"}).sign_in == "off"
    assert Settings.from_environment({"DEBUT_SIGN_IN": "none"}).sign_in == "local"
    assert Settings.from_environment({}).sign_in == "local"


def test_health_sees_old_data_a_missing_index_and_errors_in_the_log(place: Place) -> None:
    assert place.settings is not None
    log = place.settings.log_file
    log.parent.mkdir(parents=True)
    log.write_text("2020-01-01 10:00:00,000 E-000001\n9999-01-01 10:00:00,000 E-abcdef\nTraceback E-1\n")
    say = Words("settings", "en")
    found = {check.key: check for check in checks(place.desk, place.settings, say, date(2026, 12, 31))}
    assert found["h_data"].state == "look"
    assert found["h_data"].seen == "up to October 31, 2026, 61 days ago"
    assert (found["h_index"].state, found["h_log"].seen) == ("look", "1 in the last day")
    assert found["h_model"].state == "look"
    assert found["h_database"].seen.startswith("sqlite, answers in")
    assert "gradio 6" in found["h_versions"].seen
    place.desk.model()
    assert checks(place.desk, place.settings, say)[0].state == "ok"
    assert len(checks(place.desk, place.settings, Words("settings", "zh"))) == len(found)
