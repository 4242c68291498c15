"""Cases of the agent benchmark: what was said, what should be called, and whether a reply is that."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agent.models.template import ERROR
from shop import BadInput, ToolError
from shop.quantities import parse_number

KINDS = ("ask", "decline", "chat")
_QUOTES = re.compile(r"[\"'“”‘’「」『』`]")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


@dataclass(frozen=True)
class Case:
    """One line of a case file; `tool` is empty where nothing may be called, and then `kind` says what is wanted."""

    id: str
    lang: str
    role: str
    query: str
    context: tuple[BaseMessage, ...] = ()
    tool: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    free: frozenset[str] = frozenset()
    kind: str = "call"

    @property
    def stratum(self) -> str:
        """`recovery` after a tool's answer or refusal, `follow_up` after earlier turns, `first` without any."""
        if not self.context:
            return "first"
        return "recovery" if isinstance(self.context[-1], ToolMessage) else "follow_up"


@dataclass(frozen=True)
class Reply:
    """What a method did: a call, or words. `valid` is false where it wrote neither, but half a call."""

    tool: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    seconds: float = 0.0
    valid: bool = True


@dataclass(frozen=True)
class Score:
    """How a reply compares with its case; argument counts are zero where nothing should be called."""

    tool: bool
    exact: bool
    right: int = 0
    of: int = 0


def read_cases(path: Path) -> list[Case]:
    """Cases of a file.

    Raises:
        BadInput: The file is missing, or a line is no case; the sentence names it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"The case file {path} cannot be read; give another with --file.") from error
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(_case(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BadInput(f"Line {number} of {path.name} is no case ({error}); see the layout.") from error
    if not found:
        raise BadInput(f"The case file {path.name} is empty; give another with --file.")
    return found


def score(case: Case, reply: Reply) -> Score:
    """Compare a reply with what its case expects."""
    if not case.tool:
        asked = case.kind != "ask" or bool(re.search(r"[?？]", reply.text))
        return Score(reply.valid and not reply.tool, reply.valid and not reply.tool and asked)
    extra = set(reply.arguments) - set(case.arguments) - case.free
    of = len(case.arguments) + len(extra)
    if reply.tool != case.tool:
        return Score(False, False, 0, of if reply.tool else len(case.arguments))
    right = sum(
        name in reply.arguments and (equal(value, reply.arguments[name]) if name not in case.free else bool(
            reply.arguments[name]))
        for name, value in case.arguments.items()
    )  # fmt: skip
    return Score(True, right == of, right, of)


def equal(gold: Any, given: Any) -> bool:
    """Whether an argument is the one that was wanted: lists as sets, numbers to 1e-6, texts by their words."""
    if isinstance(gold, list | tuple) or isinstance(given, list | tuple):
        wanted, found = _as_list(gold), _as_list(given)
        return len(wanted) == len(found) and all(any(equal(w, f) for f in found) for w in wanted)
    if isinstance(gold, bool) or isinstance(given, bool):
        return gold is given
    numbers = _number(gold), _number(given)
    if numbers[0] is not None and numbers[1] is not None:
        return abs(numbers[0] - numbers[1]) <= 1e-6
    return plain(str(gold)) == plain(str(given))


def plain(text: str) -> str:
    """A text without case, articles, quotes and spare blanks."""
    return " ".join(_ARTICLES.sub(" ", _QUOTES.sub("", text.casefold())).split())


def _as_list(value: Any) -> Sequence[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _number(value: Any) -> float | None:
    if isinstance(value, int | float):
        return float(value)
    try:
        return parse_number(str(value))
    except ToolError:
        return None


def _case(line: Mapping[str, Any]) -> Case:
    expect = line["expect"]
    kind = expect.get("kind") or line.get("kind") or ("call" if expect["tool"] else "decline")
    if not expect["tool"] and kind not in KINDS:
        raise ValueError(f"kind {kind!r} is none of {', '.join(KINDS)}")
    return Case(
        id=str(line["id"]),
        lang=line.get("lang", "en"),
        role=line.get("role", "manager"),
        query=line["query"],
        context=_messages(line.get("context") or ()),
        tool=expect["tool"] or "",
        arguments=expect.get("arguments") or {},
        free=frozenset(expect.get("free") or ()),
        kind=kind,
    )


def _messages(turns: Sequence[Mapping[str, Any]]) -> tuple[BaseMessage, ...]:
    """Chat messages, calls and tool results in OpenAI's shape, or only words."""
    found: list[BaseMessage] = []
    for number, turn in enumerate(turns):
        content = str(turn.get("content") or "")
        if turn["role"] == "user":
            found.append(HumanMessage(content))
        elif turn["role"] == "assistant":
            found.append(AIMessage(content, tool_calls=[_call(c, number) for c in turn.get("tool_calls") or ()]))
        elif turn["role"] == "tool":
            failed = bool(turn.get("error")) or turn.get("status") == "error" or content.lower().startswith(ERROR)
            before = found[-1] if found else None
            call_id = before.tool_calls[0]["id"] if isinstance(before, AIMessage) and before.tool_calls else "call"
            text = content[len(ERROR) :] if content.lower().startswith(ERROR) else content
            found.append(
                ToolMessage(
                    text, name=turn.get("name"), tool_call_id=call_id or "", status="error" if failed else "success"
                )
            )
        else:
            raise ValueError(f"a message has the role {turn['role']!r}")
    return tuple(found)


def _call(call: Mapping[str, Any], number: int) -> Any:
    function = call.get("function", call)
    arguments = function.get("arguments") or {}
    return {
        "name": function["name"],
        "args": json.loads(arguments) if isinstance(arguments, str) else arguments,
        "id": str(call.get("id") or f"call_{number}"),
    }
