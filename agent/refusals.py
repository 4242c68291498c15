"""What a refusal says to use instead is used: the desk asks the other tool itself, so that nobody has to ask again."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage

from agent.guard import turn_of
from tools.registry import BoundTool, Tool

_NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


class FollowRefusals(AgentMiddleware[Any, Any, Any]):
    """Calls the tool that a refusal names, without the model, where all that it needs was already given.

    A small model asks the same tool again, or gives up. A larger one reads the refusal and does not need this.
    """

    def __init__(self, tools: Mapping[str, BoundTool]) -> None:
        super().__init__()
        self._tools = {name: bound.tool for name, bound in tools.items()}

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        call = redirected(request.messages, self._tools)
        return handler(request) if call is None else ModelResponse(result=[AIMessage("", tool_calls=[call])])


def redirected(messages: Sequence[BaseMessage], tools: Mapping[str, Tool]) -> ToolCall | None:
    """The call that the latest message, where it is a refusal, leads to; None where it leads to none.

    The tool it names must only read, must not have been called in this turn, and must find all that it needs among the
    arguments that were refused: a list of everything, which needs nothing, is no answer to a question about one thing.
    """
    turn = turn_of(messages)
    last = turn[-1] if turn else None
    if not isinstance(last, ToolMessage) or last.status != "error":
        return None
    calls = [call for message in turn if isinstance(message, AIMessage) for call in message.tool_calls]
    given = next((call["args"] for call in calls if call["id"] == last.tool_call_id), {})
    for name in _NAME.findall(last.text):
        tool = tools.get(name)
        if tool is None or tool.effect != "read" or name in {call["name"] for call in calls}:
            continue
        needed = tool.schema.get("required", [])
        if needed and given.keys() >= set(needed):
            fitting = {key: value for key, value in given.items() if key in tool.schema["properties"]}
            return ToolCall(name=name, args=fitting, id=f"call_{uuid.uuid4().hex[:12]}", type="tool_call")
    return None
