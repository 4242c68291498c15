"""The chat model over a random engine, and LangChain's own conformance tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_tests.unit_tests import ChatModelUnitTests
from tiny_model import tiny_engine

from agent.ledger import bare_numbers, placeholders
from agent.models.chat import CUT_OFF, LocalChatModel, call_before, known_figures, talk
from agent.models.engine import Piece, Request
from agent.models.said import Talk
from agent.models.template import Call
from shop import Figure, ToolResult


def forecast_launch(product: str, weeks: int) -> str:
    """Forecast the demand of a launch."""
    return f"{product} for {weeks} weeks"


def list_orders() -> str:
    """List orders."""
    return "none"


FIGURES = (
    Figure(id="launch.units", label="units", value=120, unit="units", low=80, high=200),
    Figure(id="launch.price", label="price", value=None, unit="money", reason="no cost"),
)
RESULT = ToolMessage("{{launch.units}}", tool_call_id="1", artifact=ToolResult(summary="", figures=FIGURES))


class RecordingEngine:
    """Says a given text in pieces and keeps what it was asked."""

    name, context = "recorded", 100

    def __init__(self, *texts: str) -> None:
        self._texts, self.requests = texts, list[Request]()

    def generate(self, request: Request) -> Iterator[Piece]:
        self.requests.append(request)
        yield from (Piece(text) for text in self._texts)
        yield Piece("", "stop", prompt_tokens=7, cached_tokens=3, reply_tokens=5, forward_passes=2)


class TestConformance(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return LocalChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"engine": tiny_engine()}


def test_a_forced_call_is_a_tool_call_with_usage() -> None:
    model = LocalChatModel(engine=tiny_engine(), max_tokens=1500).bind_tools(
        [forecast_launch, list_orders], tool_choice="list_orders"
    )
    reply = model.invoke("What did I order?")
    assert [(call["name"], call["args"]) for call in reply.tool_calls] == [("list_orders", {})]
    assert reply.content == ""
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["total_tokens"] == sum(
        reply.usage_metadata[k] for k in ("input_tokens", "output_tokens")
    )
    assert reply.response_metadata["model_name"] == "tiny"


def test_even_a_random_model_writes_no_figure_of_its_own() -> None:
    model = LocalChatModel(engine=tiny_engine(), max_tokens=50, temperature=1.5)
    for _ in range(3):
        text = str(model.invoke([HumanMessage("How many? 12?"), RESULT]).text)
        assert bare_numbers(text) == []
        assert set(placeholders(text)) <= {"launch.units", "launch.units.low", "launch.units.high", "launch.price"}


def test_a_stream_adds_up_to_the_reply_and_ends_with_usage() -> None:
    model = LocalChatModel(engine=tiny_engine(), max_tokens=30)
    chunks = [chunk for chunk in model.stream("Hi") if isinstance(chunk, AIMessageChunk)]
    assert len(chunks) > 3
    assert "".join(str(chunk.text) for chunk in chunks) == model.invoke("Hi").text
    assert [chunk.chunk_position for chunk in chunks if chunk.usage_metadata] == ["last"]


def test_streamed_pieces_never_split_a_placeholder_and_an_open_one_is_dropped() -> None:
    engine = RecordingEngine("Sell {", "{price.", "floor}", "} or {{pri")
    texts = [str(chunk.text) for chunk in LocalChatModel(engine=engine).stream("Hi") if chunk.text]
    assert texts == ["Sell ", "{{price.floor}} or "]


def test_a_call_comes_in_one_chunk_and_a_cut_off_one_is_said_to_be() -> None:
    whole = RecordingEngine("<tool", '_call>{"name":"f","arguments":{"a":', '"水壶"}}</tool_call>')
    message = LocalChatModel(engine=whole).invoke("Hi")
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("f", {"a": "水壶"})]
    cut = LocalChatModel(engine=RecordingEngine('<tool_call>{"name":"f","arguments":{"a":"水')).invoke("Hi")
    assert (cut.tool_calls, len(cut.invalid_tool_calls), cut.text) == ([], 1, CUT_OFF)


def asked_again(words: str, answer: str = "Some 40 units.", status: str = "success") -> Call | None:
    call = {"name": "forecast", "args": {"product": "mug", "weeks": 4}, "id": "1"}
    told = ToolMessage("40", tool_call_id="1", name="forecast", status=status)
    return call_before(
        [HumanMessage("the mug"), AIMessage("", tool_calls=[call]), told, AIMessage(answer), HumanMessage(words)]
    )


def test_numbers_are_those_that_the_user_said() -> None:
    call = {"name": "forecast", "args": {"product": "mug"}, "id": "1"}
    told = [HumanMessage("the mug for 12 weeks"), AIMessage("", tool_calls=[call]), ToolMessage("40", tool_call_id="1")]
    answered = [*told, AIMessage("Some units.")]
    assert talk([*answered, HumanMessage("plan ads")]).counted == ["the mug for 12 weeks", "plan ads"]
    # The user may point to one of a tool's, and within a turn a step may take what the last one found.
    for words in ("buy that many", "at the recommended price", "按这个价格"):
        assert "40" in talk([*answered, HumanMessage(words)]).counted
    assert "40" in talk(told).counted
    assert talk(told).asked == "the mug for 12 weeks"
    assert talk([]) == Talk([], "", [])
    # Of a product it is told only what the chooser is sure of.
    assert [talk([], odds).is_named for odds in (3, 1, 0, -1, -3)] == [True, None, None, None, False]


def test_words_go_on_from_the_last_call_that_was_answered() -> None:
    assert asked_again("and for 12 weeks") == Call("forecast", {"product": "mug", "weeks": 4})
    # Of a refusal, a question or a list the words are the answer.
    assert asked_again("the lamp", status="error") is None
    assert asked_again("yes", answer="Shall I price it, too?") is None
    assert asked_again("the second one") is None
    assert asked_again("第二个") is None
    assert call_before([HumanMessage("the mug")]) is None
    # While the tool's answer is being read, nothing goes on yet.
    call = {"name": "forecast", "args": {}, "id": "1"}
    assert (
        call_before([HumanMessage("the mug"), AIMessage("", tool_calls=[call]), ToolMessage("", tool_call_id="1")])
        is None
    )


def test_the_figures_of_tool_results_may_be_named_and_a_keyword_replaces_them() -> None:
    assert known_figures([HumanMessage("x"), RESULT]) == [
        "launch.units",
        "launch.units.low",
        "launch.units.high",
        "launch.price",
    ]
    engine = RecordingEngine("Hello.")
    model = LocalChatModel(engine=engine)
    model.invoke([HumanMessage("x"), RESULT])
    model.bind(figures=["brief.verdict"]).invoke([HumanMessage("x"), RESULT])
    model.bind(figures=[]).invoke([HumanMessage("x"), RESULT])
    rules = [request.grammar.partition("FIGURE: ")[2] for request in engine.requests]
    named = [[name in rule for name in ("launch.units", "brief.verdict")] for rule in rules]
    assert named == [[True, False], [False, True], [False, False]]


@pytest.mark.parametrize("choice", ["any", "required", True, {"type": "function", "function": {"name": "list_orders"}}])
def test_tool_choice_is_taken_in_every_form(choice: Any) -> None:
    engine = RecordingEngine('<tool_call>{"name":"list_orders","arguments":{}}</tool_call>')
    LocalChatModel(engine=engine).bind_tools([list_orders], tool_choice=choice).invoke("Hi")
    assert engine.requests[0].grammar.startswith("start: call\n")


def test_a_cancelled_stream_ends_early() -> None:
    cancelled = threading.Event()
    stream = LocalChatModel(engine=tiny_engine(), max_tokens=1500).stream("Hi", cancelled=cancelled)
    next(stream)
    cancelled.set()
    last = list(stream)[-1]
    assert last.response_metadata["finish_reason"] == "cancelled"


def test_settings_reach_the_engine_and_no_weights_reach_a_trace() -> None:
    engine = RecordingEngine("Hello.")
    model = LocalChatModel(engine=engine, max_tokens=9, stop=["\n"])
    model.invoke("Hi", stop=["."], temperature=0.7)
    model.invoke("Hi")
    assert [(r.max_tokens, r.stop, r.temperature) for r in engine.requests] == [(9, (".",), 0.7), (9, ("\n",), 0.0)]
    assert json.dumps(model.model_dump(mode="json"))
    assert "engine" not in repr(model)
    assert model.profile is not None
    assert model.profile["max_input_tokens"] == 100


def test_langchains_agent_loop_runs_on_it() -> None:
    replies = ['<tool_call>{"name":"list_orders","arguments":{}}</tool_call>', "You have none."]

    class TwoTurns(RecordingEngine):
        def generate(self, request: Request) -> Iterator[Piece]:
            self._texts = (replies[len(self.requests)],)
            return super().generate(request)

    engine = TwoTurns()
    state = create_agent(LocalChatModel(engine=engine), [list_orders]).invoke(
        {"messages": [HumanMessage("My orders?")]}
    )
    assert [type(message) for message in state["messages"]] == [HumanMessage, AIMessage, ToolMessage, AIMessage]
    assert "<|im_start|>tool\nnone<|im_end|>" in engine.requests[1].prompt
