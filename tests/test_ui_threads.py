"""Conversations that are kept: whose they are, branches, a restart in the middle, what is not written down, export."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from argon2 import PasswordHasher
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from sqlalchemy import create_engine, insert

from agent.models.template import Call
from agent.scripted import Line, ScriptedChatModel
from shop import Figure, Shop, ToolError, ToolResult
from shop import schema as t
from shop.threads import NOT_KEPT, StoredTurn, Threads, judged
from ui.accounts import Accounts
from ui.conversation import Conversation, Step
from ui.followups import follow_ups
from ui.page_events import Events
from ui.place import Place
from ui.strings import Words, pages, read
from ui.thread_events import ThreadEvents
from ui.threads import load
from ui.wiring import Desk

ALONE: Any = None  # the request of a page where nobody has to sign in


def figure(name: str, value: float, private: bool = False) -> Figure:
    return Figure(id=name, label=name, value=value, unit="money", call="c", formula="f", private=private)


# -- the store --------------------------------------------------------------------------------------------------------


def test_a_thread_is_its_owners_alone(any_shop: Shop) -> None:
    mine, other = Threads(any_shop.engine, "ada"), Threads(any_shop.engine, "bob")
    thread = mine.create("Kettle for spring")
    mine.keep(thread, StoredTurn("t1", "", "What does it cost?"), [figure("a.b", 1.0)])
    mine.judge("t1", "bad", "wrong price")
    for forbidden in (
        lambda: other.thread(thread),
        lambda: other.turns(thread),
        lambda: other.figures(thread),
        lambda: other.rename(thread, "mine"),
        lambda: other.delete(thread),
        lambda: other.show(thread, "t1"),
        lambda: other.keep(thread, StoredTurn("t2", "", "?")),
        lambda: other.judge("t1", "good"),
    ):
        with pytest.raises(ToolError):
            forbidden()
    assert other.all() == []
    assert [turn.question for turn in mine.turns(thread)] == ["What does it cost?"]
    assert [case.verdict for case in judged(any_shop.engine)] == ["bad"]


def test_threads_are_listed_searched_renamed_and_deleted_whole(any_shop: Shop) -> None:
    now = [datetime(2026, 11, 1)]
    threads = Threads(any_shop.engine, "ada", lambda: now[0])
    first, second = threads.create("Kettles"), threads.create("Lamps 100%")
    for thread, said in ((first, "It sells well in March."), (second, "铸铁茶壶卖得好。")):
        now[0] += timedelta(hours=1)
        threads.keep(thread, StoredTurn(f"t-{thread}", "", "How does it sell?", said), [figure("a.b", 1.0)])
    assert [each.id for each in threads.all()] == [second, first]
    found = {search: [each.id for each in threads.all(search)] for search in ("MARCH sells", "茶壶", "100%", "_", "x")}
    assert found == {"MARCH sells": [first], "茶壶": [second], "100%": [second], "_": [], "x": []}
    threads.rename(first, "  Spring   kettles ")
    assert threads.thread(first).title == "Spring kettles"
    with pytest.raises(ToolError):
        threads.rename(first, "  ")
    threads.judge(f"t-{first}", "good")
    threads.delete(first)
    assert [each.id for each in threads.all()] == [second]
    assert judged(any_shop.engine) == []


def test_of_a_personal_figure_only_that_it_was_there_is_written_down(empty_shop: Shop) -> None:
    threads = Threads(empty_shop.engine, "ada")
    thread = threads.create("Orders")
    threads.keep(
        thread, StoredTurn("t", "", "?"), [figure("a.open", 11.5), figure("a.secret", 987654.25, private=True)]
    )
    kept = {each.id: each for each in threads.figures(thread)}
    assert (kept["a.open"].value, kept["a.secret"].value, kept["a.secret"].reason) == (11.5, None, NOT_KEPT)
    file = Path(str(empty_shop.engine.url.database))
    stored = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
    assert b"987654" not in stored


# -- the page ---------------------------------------------------------------------------------------------------------


@dataclass
class House:
    """A desk over an empty shop with two drafts, whose model repeats how much of the conversation it was told."""

    shop: Shop
    folder: Path
    accounts: Accounts | None = None

    def __post_init__(self) -> None:
        with self.shop.begin() as connection:
            connection.execute(insert(t.products).values(sku="K-1", name="Old kettle"))
            connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 10, 31), units=1, revenue_cents=900))
        self.shop.add_draft("First kettle", price=10)

    def events(self) -> Events:
        """The pages of a server that was just started."""

        def reply(messages: list[BaseMessage]) -> Line:
            said = [message.text for message in messages if isinstance(message, HumanMessage)]
            if isinstance(messages[-1], ToolMessage):
                return "Draft {{item.draft_id}} is ready."
            if said[-1].startswith("draft"):
                return Call("draft_product", {"name": said[-1].removeprefix("draft ")})
            return "You asked: " + ", then ".join(said)

        desk = Desk(self.shop, lambda: ScriptedChatModel(replies=[reply] * 100), "scripted")
        return Events(Place(desk, self.folder / "debut.log", accounts=self.accounts))


@pytest.fixture
def house(empty_shop: Shop, tmp_path: Path) -> House:
    return House(empty_shop, tmp_path)


def say(events: Events, text: str, conversation: Conversation | None = None, request: Any = ALONE) -> Conversation:
    *_, (_, told, _, _) = events.send(text, conversation, None, request)
    return told


def answers(conversation: Conversation) -> list[str]:
    return [turn.failure or turn.text for turn in conversation.path()]


def at(events: Events, conversation: Conversation, question: str) -> int:
    """Where a question stands among the messages: what a button of the chat says."""
    shown = events.chat(conversation, ALONE)
    return next(place for place, m in enumerate(shown) if m["role"] == "user" and m["content"] == question)


def test_an_edit_is_a_branch_that_is_told_nothing_of_the_other(house: House) -> None:
    events = house.events()
    conversation = say(events, "red")
    say(events, "and blue", conversation)
    pressed: Any = SimpleNamespace(index=at(events, conversation, "and blue"), value="and green")
    list(events.edit(conversation, None, pressed, ALONE))
    assert answers(conversation) == ["You asked: red", "You asked: red, then and green"]
    list(events.retry(conversation, None, SimpleNamespace(index=at(events, conversation, "and green")), ALONE))  # type: ignore[arg-type]
    say(events, "more", conversation)
    assert answers(conversation)[-1] == "You asked: red, then and green, then more"
    stepper = events.chat(conversation, ALONE)[3]["content"]
    assert "3/3" in stepper
    blue = next(turn for turn in conversation.turns if turn.question == "and blue")
    assert f"(#turn-{conversation.turns[2].id} " in stepper
    events.branch(f"#turn-{blue.id}@1", conversation, ALONE)
    assert answers(conversation) == ["You asked: red", "You asked: red, then and blue"]
    more = next(turn for turn in conversation.turns if turn.question == "more")
    events.branch(f"turn-{conversation.turns[3].id}", conversation, ALONE)
    assert conversation.head == more.id  # to the end of the branch
    events.branch("turn-" + "0" * 32, conversation, ALONE)
    assert conversation.head == more.id


def test_a_restart_keeps_branches_figures_and_what_the_model_is_told(house: House) -> None:
    events = house.events()
    conversation = say(events, "draft Second kettle")
    say(events, "blue", conversation)
    before = events.chat(conversation, ALONE)
    again = house.events()
    request: Any = SimpleNamespace(query_params={"thread": conversation.thread_id})
    shown, loaded, _, _ = ThreadEvents(again).loaded(request)
    assert loaded is not None
    assert shown == before
    assert "(#fig-chat:item.draft_id)" in str(shown)
    say(again, "green", loaded)
    assert answers(loaded)[-1] == "You asked: draft Second kettle, then blue, then green"
    say(again, "draft Third kettle", loaded)
    # The ids of before are taken: a new call gets its own, and the old sentence keeps its figure.
    assert sorted(name for name in again.figures(loaded, ALONE) if name.endswith(".draft_id")) == [
        "item.draft_id",
        "item2.draft_id",
    ]


def test_a_conversation_goes_on_in_the_shop_that_an_import_brought(house: House, tmp_path: Path) -> None:
    events = house.events()
    conversation = say(events, "draft Second kettle")
    other = Shop.open(f"sqlite:///{tmp_path / 'other.db'}", create=True)
    moved = House(other, tmp_path / "moved").events()
    say(moved, "blue", conversation)
    assert answers(conversation)[-1] == "You asked: draft Second kettle, then blue"
    assert [turn.question for turn in Threads(other.engine, "manager").turns(conversation.thread_id)] == [
        "draft Second kettle",
        "blue",
    ]


def test_a_page_closed_in_the_middle_leaves_the_question_and_says_so(house: House) -> None:
    events = house.events()
    updates = events.send("draft Second kettle", None, None, ALONE)
    _, conversation, _, _ = next(updates)
    next(updates)
    updates.close()
    kept = load(events.threads(ALONE), conversation.thread_id, "interrupted")
    assert [(turn.question, turn.failure) for turn in kept.path()] == [("draft Second kettle", "interrupted")]
    say(events, "blue", kept)
    assert answers(kept)[-1] == "You asked: blue"


def test_two_people_see_their_own_conversations_alone(house: House, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'accounts.db'}")
    house.accounts = Accounts(engine, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    ada, bob = (house.accounts.create(name, "long enough pw", "manager") for name in ("ada", "bob"))
    events = house.events()
    for_ada, for_bob = (SimpleNamespace(username=each.id, query_params={}) for each in (ada, bob))
    hers = say(events, "draft Secret kettle", request=for_ada)
    say(events, "hello", request=for_bob)
    listed = ThreadEvents(events).listed(None, "", for_bob)[0]  # type: ignore[arg-type]
    assert [title for title, _ in _choices(listed)] == ["hello"]
    asked: Any = SimpleNamespace(username=bob.id, query_params={"thread": hers.thread_id})
    assert ThreadEvents(events).loaded(asked)[1] is None
    assert not events.desk(for_bob).ledger(hers.thread_id)  # type: ignore[arg-type]
    with pytest.raises(PermissionError):
        say(events, "hello", request=SimpleNamespace(username=None, query_params={}))


def _choices(update: Any) -> list[tuple[str, str]]:
    return list(update["choices"] if isinstance(update, dict) else update.choices)


def test_a_thumb_and_its_reason_become_a_case(house: House) -> None:
    events = house.events()
    conversation = say(events, "draft Second kettle")
    thread_events = ThreadEvents(events)
    place = len(events.chat(conversation, ALONE)) - 1
    pressed: Any = SimpleNamespace(index=place, liked="Dislike")
    *_, thumb = thread_events.judged(conversation, pressed, ALONE)
    thread_events.reasoned("It should have asked for the cost.", thumb, ALONE)
    [case] = judged(house.shop.engine)
    assert (case.question, case.verdict, case.reason) == (
        "draft Second kettle",
        "bad",
        "It should have asked for the cost.",
    )
    assert case.calls == [{"name": "draft_product", "arguments": {"name": "Second kettle"}}]


def test_an_export_holds_questions_calls_and_figures_in_place(house: House) -> None:
    events = house.events()
    conversation = say(events, "draft Second kettle")
    update = ThreadEvents(events).export(conversation, ALONE)
    link = update["value"] if isinstance(update, dict) else update.value
    found = events.place.downloads.fetch(link.split("/files/")[1].rstrip(")"), "manager")
    assert found is not None
    text = found[1].decode()
    assert "## draft Second kettle" in text
    assert "`draft_product`" in text
    assert "D-0002 is ready" in text


def test_what_may_be_asked_next_goes_on_from_the_draft_and_is_not_asked_twice(house: House) -> None:
    events = house.events()
    conversation = say(events, "draft Second kettle")
    tools = (*events.desk(ALONE).tools, "write_brief")
    assert conversation.path()[-1].next == follow_ups(conversation.path(), tools, house.shop, "en")
    assert conversation.path()[-1].next[0] == "Forecast the launch of D-0002"
    assert follow_ups(conversation.path(), ["write_brief"], house.shop, "zh") == ["为 D-0002 写上市简报"]
    assert follow_ups(conversation.path(), ["forecast_demand", "draft_product"], house.shop, "en") == []
    options = events.chat(conversation, ALONE)[-1]["options"]
    assert [each["value"] for each in options] == conversation.path()[-1].next
    asked = Step("forecast_launch", {"product": "Second kettle"}, running=False, result=ToolResult(summary="So many."))
    conversation.path()[-1].steps.append(asked)  # by its name, where the answer before gave its id
    assert "Forecast the launch of D-0002" not in follow_ups(conversation.path(), tools, house.shop, "en")


@pytest.mark.parametrize("page", pages())
def test_every_string_stands_in_both_languages_with_the_same_places(page: str) -> None:
    from string import Formatter

    for key, both in read(page).items():
        assert set(both) == {"en", "zh"}, key
        fields = {locale: {name for _, name, _, _ in Formatter().parse(text) if name} for locale, text in both.items()}
        assert fields["en"] == fields["zh"], key
        assert both["zh"].strip(), key
    assert Words(page, "zh").locale == "zh"
