"""The one text format the model reads and writes: in training, in the decoding grammar and when a reply is parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

START, END = "<|im_start|>", "<|im_end|>"
CALL_START, CALL_END = "<tool_call>", "</tool_call>"
ERROR = "error: "
GUIDE = (
    f'To use a tool, reply {CALL_START}{{"name":"...","arguments":{{...}}}}{CALL_END} and nothing else. '
    "Otherwise reply in words and write every figure as a {{figure.id}} that a tool gave."
)
# Text from outside may spell a marker; one space after the bracket keeps it readable and makes it plain text.
_MARKER = re.compile(r"<(?=[|/A-Za-z_])")

ToolSpec = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A tool call as the model wrote it."""

    name: str
    arguments: dict[str, Any]


class MalformedReply(ValueError):
    """A reply that is not in the format, most often a call that was cut off."""


def render_prompt(messages: Sequence[BaseMessage], tools: Sequence[ToolSpec] = ()) -> str:
    """The prompt up to where the model goes on.

    The system text stands first and depends on nothing else, so its key-value cache is shared by all conversations of
    a role. The tools of the turn, which may be others for every question, stand just before the user's latest words:
    the turns before them are read once, whatever is shown later.

    Args:
        messages: The conversation; leading system messages join the fixed part.
        tools: OpenAI-style tool descriptions, in the order in which they are to stand.
    """
    leading = 0
    while leading < len(messages) and isinstance(messages[leading], SystemMessage):
        leading += 1
    latest = max((n for n, message in enumerate(messages) if isinstance(message, HumanMessage)), default=leading)
    fixed = [_plain(message) for message in messages[:leading]] + ([GUIDE] if tools else [])
    order = {tool["function"]["name"]: tuple(properties(tool)) for tool in tools}
    turns = [_message_turn(message, order) for message in messages[leading:]]
    if tools:
        turns.insert(latest - leading, _turn("system", "Tools:\n" + "\n".join(signature(tool) for tool in tools)))
    return "".join([*([_turn("system", "\n\n".join(fixed))] if fixed else []), *turns]) + f"{START}assistant\n"


def words_alone(words: str, before: str = "") -> tuple[str, str, str]:
    """A user's words as a prompt of their own: what stands before them, the words, what comes after.

    Args:
        words: The latest ones.
        before: What the user said in the turn before, if anything.
    """
    earlier = _turn("user", _defuse(before)) if before else ""
    return f"{earlier}{START}user\n", _defuse(words), f"{END}\n{START}assistant\n"


def render_reply(content: str, calls: Iterable[Call] = ()) -> str:
    """What the model is to write, end marker left out: text, or a call (both only in turns of other models)."""
    written = [CALL_START + compact({"name": call.name, "arguments": call.arguments}) + CALL_END for call in calls]
    return "\n".join([content, *written] if content else written)


def parse_reply(text: str) -> tuple[str, list[Call]]:
    """Inverse of `render_reply`.

    Raises:
        MalformedReply: A call is cut off or is no JSON.
    """
    content, *rest = text.split(CALL_START)
    calls = []
    for part in rest:
        body, closed, _ = part.partition(CALL_END)
        try:
            parsed = json.loads(body)
            call = Call(str(parsed["name"]), dict(parsed["arguments"]))
        except (ValueError, KeyError, TypeError) as error:
            raise MalformedReply(text) from error
        if not closed:
            raise MalformedReply(text)
        calls.append(call)
    return content.removesuffix("\n") if calls else content, calls


def compact(value: Any) -> str:
    """JSON in the one white-space style of the format."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def properties(tool: ToolSpec) -> dict[str, Any]:
    """Argument schemas of a tool by name, in the order of its signature."""
    found: dict[str, Any] = tool["function"].get("parameters", {}).get("properties", {})
    return found


def signature(tool: ToolSpec) -> str:
    """One line for the prompt: `name(required, optional?:type) First sentence.`"""
    function = tool["function"]
    required = function.get("parameters", {}).get("required", ())
    arguments = []
    for name, schema in properties(tool).items():
        kind = _kind(schema)
        arguments.append(name + ("" if name in required else "?") + ("" if kind == "text" else f":{kind}"))
    summary = re.split(r"(?<=[.!?])\s|\n", function.get("description", "").strip(), maxsplit=1)[0]
    return _defuse(f"{function['name']}({', '.join(arguments)}) {summary}".rstrip())


def _kind(schema: dict[str, Any]) -> str:
    """Short name of an argument's type."""
    if "enum" in schema:
        return "|".join(str(value) for value in schema["enum"])
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return "|".join(dict.fromkeys(_kind(choice) for choice in choices if choice.get("type") != "null"))
    if schema.get("type") == "array":
        return _kind(schema.get("items") or {}) + "[]"
    kind = schema.get("type", "text")
    return {"string": "text", "integer": "int"}.get(kind, kind) if isinstance(kind, str) else "|".join(kind)


def _message_turn(message: BaseMessage, order: dict[str, tuple[str, ...]]) -> str:
    if isinstance(message, ToolMessage):
        return _turn("tool", (ERROR if message.status == "error" else "") + _plain(message))
    if isinstance(message, AIMessage):
        calls = [Call(call["name"], _ordered(call["args"], order.get(call["name"], ()))) for call in message.tool_calls]
        return _turn("assistant", render_reply(_plain(message), calls))
    return _turn("system" if isinstance(message, SystemMessage) else "user", _plain(message))


def _ordered(arguments: dict[str, Any], order: tuple[str, ...]) -> dict[str, Any]:
    known = {name: arguments[name] for name in order if name in arguments}
    return known | arguments


def _turn(role: str, text: str) -> str:
    return f"{START}{role}\n{text}{END}\n"


def _plain(message: BaseMessage) -> str:
    return _defuse(str(message.text))


def _defuse(text: str) -> str:
    return _MARKER.sub("< ", text)
