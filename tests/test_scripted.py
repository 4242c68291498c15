"""The scripted chat model: what it says, what it remembers."""

from __future__ import annotations

import threading

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage

from agent.models.engine import Turns
from agent.models.template import Call
from agent.scripted import ScriptedChatModel
from shop import ToolError


def list_orders() -> str:
    """List orders."""
    return "none"


def test_replies_come_in_order_and_what_was_asked_is_kept() -> None:
    model = ScriptedChatModel(replies=[Call("list_orders", {}), "You have none.", [Call("f", {"a": 1}), Call("g", {})]])
    tools = model.bind_tools([list_orders], tool_choice="any")
    first = tools.invoke("My orders?")
    assert [(call["name"], call["args"]) for call in first.tool_calls] == [("list_orders", {})]
    turns = [HumanMessage("My orders?"), first, ToolMessage("none", tool_call_id=first.tool_calls[0]["id"] or "")]
    assert model.invoke(turns).text == "You have none."
    assert [call["name"] for call in model.invoke("more").tool_calls] == ["f", "g"]
    assert [asked.tools for asked in model.asked] == [["list_orders"], [], []]
    assert model.asked[0].options["tool_choice"] == "any"
    assert model.asked[1].messages == turns


def test_a_reply_may_be_worked_out_from_the_messages_or_be_an_error() -> None:
    def echo(messages: list[BaseMessage]) -> str:
        return str(messages[-1].text).upper()

    model = ScriptedChatModel(replies=[echo, ToolError("The server is down; start it.")])
    assert model.invoke("hello").text == "HELLO"
    with pytest.raises(ToolError, match="down"):
        model.invoke("again")
    with pytest.raises(IndexError, match="2 replies"):
        model.invoke("too often")


@pytest.mark.parametrize("text", ["One two  three.", "a\n\n- b c\n", " lead", ""])
def test_text_streams_word_by_word(text: str) -> None:
    chunks = list(ScriptedChatModel(replies=[text]).stream("Hi"))
    assert "".join(str(chunk.text) for chunk in chunks) == text
    assert chunks[-1].chunk_position == "last"
    if text.startswith("One"):
        assert [str(chunk.text) for chunk in chunks] == ["One", " two", " ", " three.", ""]


def test_a_script_with_a_queue_serves_one_chat_at_a_time_and_takes_turns() -> None:
    queue, told, cancelled = Turns(), [], threading.Event()
    model = ScriptedChatModel(replies=["One.", "Two."], queue=queue)
    assert model.takes_turns
    assert not ScriptedChatModel().takes_turns
    assert model.invoke("Hi", cancelled=cancelled, waiting=told.append).text == "One."
    assert model.asked[0].options == {}
    with queue.turn():

        def leave(before: int) -> None:
            told.append(before)
            cancelled.set()

        assert model.invoke("Hi", cancelled=cancelled, waiting=leave).text == ""
    assert (told, len(model.asked)) == ([1], 1)
