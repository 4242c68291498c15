"""The assistant over the local model's queue: a reader who leaves stops the model, one who waits is told the place."""

from __future__ import annotations

import threading

from tests_support import FixedShop
from tiny_model import tiny_engine

from agent.assistant import Answer, Assistant, TextDelta
from agent.models.chat import LocalChatModel
from agent.models.engine import Request
from agent.scripted import ScriptedChatModel
from agent.turns import Waiting
from shop import Actor
from tools.registry import bind


def assistant(engine: object, max_tokens: int) -> Assistant:
    model = LocalChatModel(engine=engine, max_tokens=max_tokens)
    return Assistant(model, bind([], FixedShop(), Actor(role="manager")))


def test_closing_an_answer_stops_the_model_within_a_token() -> None:
    engine = tiny_engine()
    seen: list[int] = []
    read = engine.backend.read

    class Counting:
        context, vocabulary, chunk = engine.backend.context, engine.backend.vocabulary, engine.backend.chunk
        start, fork = engine.backend.start, engine.backend.fork

        def read(self, *args: object) -> object:
            seen.append(1)
            return read(*args)  # type: ignore[arg-type]

    engine.backend = Counting()  # type: ignore[assignment]
    events = assistant(engine, 1500).ask("Hi", "t")
    assert isinstance(next(events), TextDelta)
    events.close()
    stopped = len(seen)
    assert stopped < 1000
    assert list(engine.generate(Request("x", max_tokens=2)))[-1].ending
    assert len(seen) <= stopped + 4


def test_who_waits_is_told_how_many_are_before_and_when_it_is_over() -> None:
    engine = tiny_engine()
    desk = assistant(engine, 8)
    holding = engine.generate(Request("x", max_tokens=50))
    next(holding)
    events: list[object] = []
    told = threading.Event()

    def read() -> None:
        for event in desk.ask("Hi", "t"):
            events.append(event)
            told.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert told.wait(20)
    assert events == [Waiting(1)]
    holding.close()
    reader.join()
    assert events[1] == Waiting(0)
    assert isinstance(events[-1], Answer)


def test_a_model_that_takes_no_turns_is_asked_as_before() -> None:
    model = ScriptedChatModel(replies=["Hello."])
    list(Assistant(model, bind([], FixedShop(), Actor(role="manager"))).ask("Hi", "t"))
    assert not {"cancelled", "waiting"} & model.asked[0].options.keys()
