"""Two visitors, one model: who waits is told on the page how many chats are before him, in his language."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

from agent.models.engine import Turns
from agent.scripted import ScriptedChatModel
from agent.turns import Waiting
from shop import Shop, demo
from ui.conversation import Conversation, Turn, messages
from ui.page_events import Events
from ui.place import Place
from ui.strings import Locale
from ui.wiring import Desk


def test_who_waits_sees_how_many_are_before_and_then_the_answer(tmp_path: Path) -> None:
    demo.build(f"sqlite:///{tmp_path / 'demo.db'}", seed=7, small=True)
    writing, go_on = threading.Event(), threading.Event()

    def slowly(_: list[BaseMessage]) -> str:
        writing.set()
        assert go_on.wait(20)
        return "First answer."

    model = ScriptedChatModel(replies=[slowly, "Second answer."], queue=Turns())
    desk = Desk(Shop.open(f"sqlite:///{tmp_path / 'demo.db'}"), lambda: model, "scripted")
    place = Place(desk, tmp_path / "debut.log")
    shown: dict[str, list[str]] = {"one": [], "two": []}

    def visit(who: str, locale: Locale) -> None:
        page = Events(replace(place, locale=locale))
        for chat, *_ in page.send("Hello", None, None, None):  # type: ignore[arg-type]
            shown[who].append(last(chat))
            if "前面" in shown[who][-1]:
                go_on.set()

    first = threading.Thread(target=visit, args=("one", "en"))
    first.start()
    assert writing.wait(20)
    visit("two", "zh")
    first.join()
    assert "<small>前面还有 1 个对话</small>" in shown["two"]
    assert shown["two"][-1].startswith("Second answer.")
    assert shown["one"][-1].startswith("First answer.")
    assert not any("ahead" in text for text in shown["one"])


@pytest.mark.parametrize(
    ("before", "said"),
    [(0, "Thinking …"), (1, "<small>1 chat ahead of you</small>"), (3, "<small>3 chats ahead of you</small>")],
)
def test_the_place_in_the_queue_is_said_until_the_wait_is_over(before: int, said: str) -> None:
    turn = Turn("Hello")
    for each in (2, before):
        turn.take(Waiting(each))
    assert last(messages(Conversation(turns=[turn]), {})) == said


def last(chat: list[dict[str, Any]]) -> str:
    return str(chat[-1]["content"])
