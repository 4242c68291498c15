"""The assistant: LangChain's agent loop over the bound tools, with the figure ledger in the middle.

The loop, retries and limits are LangChain's. Ours is what goes in (tool results by figure id) and what may come out
(text without a figure of its own). `Assistant.ask` yields events; a page, a terminal or a test shows them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ModelCallLimitMiddleware, ToolErrorMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.checkpoint.memory import InMemorySaver

from agent.budget import SERVICE_BUDGET, STEPS, Budget, Cutoff, WithinBudget, heard
from agent.guard import FigureGuard
from agent.labels import labels_of
from agent.ledger import Ledger
from agent.personal import Vault
from agent.prompt import describe, langchain_tool, system_prompt
from agent.refusals import FollowRefusals
from agent.routing import NO_SERVICE_FITS, NOTHING_FITS, RouteByExamples
from agent.shortlist import Shortlist, ShortlistTools
from agent.turns import InTurn, Waiting
from shop import Figure, ToolError, ToolResult
from shop.resolve import category_words
from shop.types import Role
from tools.registry import BoundTool

_WORDS_OF = {"category": category_words}  # by the kind that `x-words` names


@dataclass(frozen=True)
class StepStarted:
    """A tool is about to run."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class StepFinished:
    """A tool has run: its result under the ids of the thread's ledger, or the sentence why it could not."""

    name: str
    arguments: dict[str, Any]
    result: ToolResult | None
    error: str
    seconds: float


@dataclass(frozen=True)
class TextDelta:
    """More of the answer's template. Only sent by models that cannot write a figure of their own."""

    text: str


@dataclass(frozen=True)
class Answer:
    """The end of a turn: the answer's template, every figure in it in the ledger."""

    template: str
    seconds: float
    input_tokens: int = 0
    output_tokens: int = 0
    messages: tuple[BaseMessage, ...] = ()  # what was said in this turn, as a later turn is told it


Event = Waiting | StepStarted | StepFinished | TextDelta | Answer


@dataclass
class Thread:
    """What one conversation has entered so far."""

    ledger: Ledger = field(default_factory=Ledger)
    seconds: dict[str, float] = field(default_factory=dict)
    spoken: list[BaseMessage] = field(default_factory=list)  # up to the question that is being answered
    owner: str = ""  # the customer whose rows it holds
    tools: list[BaseTool] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Assistant:
    """One assistant for one role: model, tools, and the conversations it holds.

    Args:
        model: Any chat model; one with `cannot_type_figures` set (ours, by its grammar) is streamed as it writes,
            every other is read to the end and checked first.
        tools: The tools of the role, bound to the shop and the acting person.
        locale: Language of figures in what the model reads.
        shortlist: Which tools fit a question. A model that was not taught the tools (`is_tuned` is false) does not
            choose among them itself; every other is shown the few that fit. Without one it is shown all.
        role: Whom it serves: that decides what the model is told to be.
        vault: Keeps what the person types of herself from the model; calls are given it back. One for a conversation.
        budget: What one turn may cost; left out, that of the role.
    """

    def __init__(
        self,
        model: BaseChatModel,
        tools: Mapping[str, BoundTool],
        locale: str = "en",
        shortlist: Shortlist | None = None,
        role: Role = "manager",
        vault: Vault | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._budget = budget or (SERVICE_BUDGET if role == "customer" else Budget())
        self._cutoff = Cutoff()
        self._vault = vault or Vault(kinds=())
        self._role = role
        self._model = model
        self._tools = tools
        self._locale = locale
        self._shortlist = shortlist
        self._threads: dict[str, Thread] = {}
        self._memory = InMemorySaver()

    def ledger(self, thread_id: str) -> Ledger:
        """The figures of a conversation."""
        return self._thread(thread_id).ledger

    def restore(self, thread_id: str, results: Iterable[ToolResult], figures: Iterable[Figure]) -> None:
        """Give a conversation that was kept elsewhere its figures back, where this process does not hold them."""
        thread = self._thread(thread_id)
        with thread.lock:
            if not len(thread.ledger):
                thread.ledger.restore(results, figures)

    def ask(self, text: str, thread_id: str, history: Sequence[BaseMessage] | None = None) -> Iterator[Event]:
        """Answer one message of a conversation, event by event; the last event is an `Answer`.

        Whoever closes the iterator stops the model. `history` is what was said before, where the caller keeps it (the
        `messages` of earlier answers, along one branch); left out, it is what this assistant remembers of the thread.

        Raises:
            ToolError: The model cannot answer (server down, weights missing), or what was typed cannot be read; the
                sentence says what to do.
        """
        cancelled = threading.Event()
        thread = self._thread(thread_id)
        said = HumanMessage(self._vault.hide(heard(text, self._budget)))
        agent = self._agent(thread, cancelled, remembers=history is None)
        config = {"configurable": {"thread_id": thread_id}, "recursion_limit": STEPS}
        before = agent.get_state(config).values.get("messages", ()) if history is None else history
        thread.spoken = [*before, said]
        updates = agent.stream(
            {"messages": [*(history or ()), said]},
            config,
            stream_mode=["updates", "messages", "custom"],
        )
        try:
            yield from self._events(thread, updates, said)
        finally:
            # Before the stream itself is closed: that waits for the model's reply.
            cancelled.set()

    def _events(self, thread: Thread, updates: Iterator[Any], said: HumanMessage) -> Iterator[Event]:
        started = time.perf_counter()
        streams = bool(getattr(self._model, "cannot_type_figures", False))
        final, tokens = AIMessage(""), [0, 0]
        calls: dict[str, dict[str, Any]] = {}
        spoken: list[BaseMessage] = [said]
        for mode, payload in updates:
            if mode == "custom":
                yield cast(Waiting, payload)
                continue
            if mode == "messages":
                chunk = cast(tuple[Any, Any], payload)[0]
                if streams and not calls and isinstance(chunk, AIMessageChunk) and chunk.text:
                    yield TextDelta(chunk.text)
                continue
            for message in _messages(payload):
                spoken.append(message)
                if isinstance(message, AIMessage):
                    final = message
                    usage = message.usage_metadata
                    tokens[0] += usage["input_tokens"] if usage else 0
                    tokens[1] += usage["output_tokens"] if usage else 0
                    for call in message.tool_calls:
                        calls[call["id"] or ""] = call["args"]
                        yield StepStarted(call["name"], call["args"])
                elif isinstance(message, ToolMessage):
                    yield _finished(thread, message, calls.get(message.tool_call_id, {}))
        seconds = round(time.perf_counter() - started, 2)
        yield Answer(final.text, seconds, tokens[0], tokens[1], tuple(spoken))

    def _thread(self, thread_id: str) -> Thread:
        return self._threads.setdefault(thread_id, Thread())

    def _agent(self, thread: Thread, cancelled: threading.Event, remembers: bool) -> Any:
        return create_agent(
            self._model,
            self._langchain_tools(thread),
            system_prompt=system_prompt(self._role),
            middleware=[
                ModelCallLimitMiddleware(run_limit=self._budget.model_calls, exit_behavior="end"),
                *self._choosing(thread),
                FigureGuard(thread.ledger),
                InTurn(cancelled),
                ToolErrorMiddleware(self._told),
                WithinBudget(self._budget, thread.ledger, self._cutoff),
            ],
            checkpointer=self._memory if remembers else None,
        )

    def _choosing(self, thread: Thread) -> list[AgentMiddleware[Any, Any, Any]]:
        if self._shortlist is None:
            return []
        if getattr(self._model, "is_tuned", True):
            follows = bool(getattr(self._model, "follows_chooser", False))
            chosen = ShortlistTools(self._shortlist, thread.ledger, follows)
            return [FollowRefusals(self._tools), chosen] if follows else [chosen]
        nothing_fits = NO_SERVICE_FITS if self._role == "customer" else NOTHING_FITS
        return [FollowRefusals(self._tools), RouteByExamples(self._shortlist, thread.ledger, nothing_fits)]

    def _langchain_tools(self, thread: Thread) -> list[BaseTool]:
        if not thread.tools:
            thread.tools = [self._langchain_tool(thread, bound) for bound in self._tools.values()]
        return thread.tools

    def _langchain_tool(self, thread: Thread, bound: BoundTool) -> BaseTool:
        def run(**arguments: Any) -> tuple[str, ToolResult]:
            started = time.perf_counter()
            with thread.lock:
                labels = labels_of(thread.spoken, thread.ledger, self._tools, self._vault, thread.owner)
            result = bound.call(self._vault.reveal_all(arguments), labels)
            with thread.lock:
                thread.owner = thread.owner or bound.customer
                result = thread.ledger.add(result)
                thread.seconds[result.call] = time.perf_counter() - started
            return describe(result, self._locale, every=not self._is_held), result

        return langchain_tool(bound.tool, run, lambda kind: _WORDS_OF[kind](bound.shop))

    def _told(self, error: Exception, _request: Any) -> str | None:
        """What the model reads of an error; None lets it rise."""
        return self._vault.hide(str(error)) if isinstance(error, ToolError) else None

    @property
    def _is_held(self) -> bool:
        """Whether a grammar holds the model to the figures that exist: it need not be shown all of them."""
        return bool(getattr(self._model, "cannot_type_figures", False))


def _messages(update: Any) -> list[Any]:
    return [m for node in update.values() if node for m in node.get("messages", [])]


def _finished(thread: Thread, message: ToolMessage, arguments: dict[str, Any]) -> StepFinished:
    result = message.artifact if isinstance(message.artifact, ToolResult) else None
    seconds = thread.seconds.get(result.call, 0.0) if result else 0.0
    return StepFinished(message.name or "", arguments, result, "" if result else message.text, round(seconds, 2))
