"""Tools that raise, tools that hang, and models that answer rubbish: each turn ends cleanly and within its budget."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from sqlalchemy.exc import IntegrityError, OperationalError

from agent.assistant import Answer, Assistant
from agent.budget import Budget
from agent.models.template import Call
from agent.scripted import ScriptedChatModel
from benchmarks.trust_world import World
from shop import BadInput, ToolError, ToolResult
from shop.authorize import CLEAN, Labels
from shop.types import Role
from tools import ALL
from tools.registry import BoundTool, bind
from ui.edge import Failure, edge

BROKEN = "inner workings of the shop"  # must never be shown
ERRORS: tuple[BaseException, ...] = (
    ToolError("A sentence for the reader; try again."),
    BadInput("A sentence for the reader; try another file."),
    ValueError(BROKEN),
    TypeError(BROKEN),
    KeyError(BROKEN),
    IndexError(BROKEN),
    AttributeError(BROKEN),
    ZeroDivisionError(BROKEN),
    OverflowError(BROKEN),
    FloatingPointError(BROKEN),
    AssertionError(BROKEN),
    NotImplementedError(BROKEN),
    RecursionError(BROKEN),
    RuntimeError(BROKEN),
    StopIteration(BROKEN),
    TimeoutError(BROKEN),
    MemoryError(BROKEN),
    OSError(28, BROKEN),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, BROKEN),
    ConnectionResetError(BROKEN),
    OperationalError(BROKEN, {}, Exception(BROKEN)),
    IntegrityError(BROKEN, {}, Exception(BROKEN)),
)


@dataclass(frozen=True)
class Broken(BoundTool):
    """A tool that does something else than it should."""

    instead: Callable[[], ToolResult] | None = None

    def call(self, arguments: Mapping[str, Any], labels: Labels = CLEAN) -> ToolResult:
        """Not what was asked for."""
        assert self.instead is not None
        return self.instead()


@dataclass(frozen=True)
class RawCall:
    """A call of a tool whose arguments are whatever text the model wrote."""

    name: str
    text: str


class RubbishModel(ScriptedChatModel):
    """A scripted model that can also write calls that are none."""

    def _said(self, line: Any) -> Iterator[AIMessageChunk]:
        if not isinstance(line, RawCall):
            yield from super()._said(line)
            return
        chunk = tool_call_chunk(name=line.name, args=line.text, id=f"call_{len(self.asked)}", index=0)
        yield AIMessageChunk(content="", tool_call_chunks=[chunk], chunk_position="last")


def raising(world: World, log: Path, errors: tuple[BaseException, ...] = ERRORS) -> dict[str, Any]:
    """Every error out of every tool of every role; after it, the same conversation goes on."""
    counts: Counter[str] = Counter()
    failures: list[str] = []
    roles: tuple[Role, ...] = ("manager", "customer")
    for role in roles:
        tools = bind(ALL, world.acting(role), world.acting(role).acting.standing)
        for name, bound in tools.items():
            for error in errors:
                broken = {**tools, name: Broken(bound.tool, bound.shop, _raises(error))}
                model = ScriptedChatModel(replies=[Call(name, {}), "Done.", "Yes.", "Yes."])
                chat = Assistant(model, broken, role=role)
                told, again = answered(chat, "Do it", log), answered(chat, "Are you there?", log)
                counts["runs"] += 1
                counts["clean"] += bool(told) and BROKEN not in told and "Traceback" not in told
                counts["went_on"] += bool(again)
                if not told or BROKEN in told or not again:
                    failures.append(f"{name}: {type(error).__name__}: {told[:80]!r}, then {again[:80]!r}")
    changed = world.changed()
    world.reset()
    return {**counts, "effects": len(changed), "failures": failures[:20]}


def hanging(world: World, log: Path, hangs: int) -> dict[str, Any]:
    """Tools that do not come back, one after the other; then one that does."""
    tools = bind(ALL, world.acting("customer"), world.acting("customer").acting.standing)
    bound, free = tools["list_orders"], Event()

    def hang() -> ToolResult:
        free.wait(60)
        return ToolResult(summary="Late.")

    budget = Budget(tool_seconds=0.2, seconds=5)
    model = ScriptedChatModel(
        replies=[reply for _ in range(hangs) for reply in (Call("list_orders", {}), "Done.", "Done.")]
    )
    chat = Assistant(
        model, {**tools, "list_orders": Broken(bound.tool, bound.shop, hang)}, role="customer", budget=budget
    )
    longest, cut = 0.0, 0
    for number in range(hangs):
        model.replies = [Call("list_orders", {}), "Done.", "Done."]
        model.asked.clear()
        started = time.perf_counter()
        cut += "longer than" in answered(chat, "My orders?", log, f"t{number}")
        longest = max(longest, time.perf_counter() - started)
    model = ScriptedChatModel(replies=[Call("list_orders", {}), "Done.", "Done."])
    after = answered(Assistant(model, tools, role="customer", budget=budget), "My orders?", log)
    free.set()
    return {"runs": hangs, "cut_off": cut, "longest_seconds": round(longest, 2), "works_after": "orders" in after}


def rubbish(world: World, log: Path, each: int) -> dict[str, Any]:
    """Answers that are no answers: every kind, so many times, all within the budget of a turn."""
    kinds: dict[str, Any] = {
        "unknown tool": Call("rm_rf", {"path": "/"}),
        "wrong types": Call("search_products", {"query": ["a"], "limit": "many"}),
        "missing argument": Call("get_order", {}),
        "malformed JSON": RawCall("search_products", '{"query": "mug'),
        "no JSON": RawCall("search_products", "query=mug"),
        "JSON of another kind": RawCall("search_products", "[1, 2]"),
        "empty": "",
        "blank": "   \n ",
        "many calls at once": [Call("search_products", {"query": f"mug {n}"}) for n in range(40)],
        "the same call again": [Call("search_products", {"query": "mug"})] * 10,
        "a megabyte": f"{'w' * 99} " * 10_000,
        "open placeholder": "It is {{found.item_1",
        "figure of nobody": "It is {{nothing.here}}.",
        "numbers of its own": "It costs 12.50, so 3 are 37.50.",
        "call as text": '<tool_call>{"name": "search_products", "arguments": {"query": "mug"}}</tool_call>',
    }
    counts: Counter[str] = Counter()
    failures: list[str] = []
    tools = bind(ALL, world.acting("customer"), world.acting("customer").acting.standing)
    for kind, reply in kinds.items():
        for number in range(each):
            model = RubbishModel(replies=[reply] * 30)
            chat = Assistant(model, tools, role="customer")
            said = answered(chat, "A mug?", log, f"t{number}")
            counts["runs"] += 1
            clean = bool(said.strip()) and "Traceback" not in said and len(model.asked) <= 2 * Budget().model_calls
            counts["clean"] += clean
            counts["bugs"] += "Something went wrong" in said
            if not clean or "Something went wrong" in said:
                failures.append(f"{kind}: {len(model.asked)} model calls, {said[:80]!r}")
    for error in (ToolError("The model server refused; start it."), TimeoutError(BROKEN), ConnectionResetError(BROKEN)):
        said = answered(Assistant(ScriptedChatModel(replies=[error] * 4), tools, role="customer"), "A mug?", log)
        counts["runs"] += 1
        counts["clean"] += bool(said) and BROKEN not in said
    return {**counts, "kinds": len(kinds) + 3, "failures": failures[:20]}


def _raises(error: BaseException) -> Callable[[], ToolResult]:
    def instead() -> ToolResult:
        raise error

    return instead


def answered(chat: Assistant, text: str, log: Path, thread: str = "t") -> str:
    """What the person is told: the answer, or the one sentence of the edge."""
    told: list[str] = []

    def failed(failure: Failure) -> None:
        told.append(failure.sentence)

    with suppress(KeyboardInterrupt), edge(log, failed):
        for event in chat.ask(text, thread):
            if isinstance(event, Answer):
                figures = chat.ledger(thread)
                told.append(event.template + " ".join(str(f.value) for f in figures.values()))
    return "\n".join(told)
