"""What one turn may cost at most: characters, messages, calls, tokens and seconds; a tool that hangs is cut off."""

from __future__ import annotations

import contextvars
import json
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from typing import Any, TypeVar

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from agent.guard import plain_answer, turn_of
from agent.ledger import Ledger
from shop import ToolError

Result = TypeVar("Result")
STEPS = 100  # nodes of the graph in one turn: a turn within its calls needs less than half


@dataclass(frozen=True)
class Budget:
    """The limits of one turn.

    Args:
        characters: Of what the person types.
        messages: Of the conversation that the model reads again.
        model_calls: Of the model.
        tool_calls: Of all tools together.
        same_call: Of one tool with the same arguments.
        tokens: Read and written, as the model counts them.
        seconds: From the question on; no call begins after them.
        tool_seconds: For one call of a tool. The first one on a new shop learns from all of its past.
    """

    characters: int = 8_000
    messages: int = 40
    model_calls: int = 6
    tool_calls: int = 12
    same_call: int = 3
    tokens: int = 60_000
    seconds: float = 1_800.0
    tool_seconds: float = 900.0


# A shopper's tools look things up; none of them learns or computes for long.
SERVICE_BUDGET = Budget(characters=4_000, seconds=300.0, tool_seconds=10.0)


def heard(text: str, budget: Budget) -> str:
    """What a person typed: in one normal form, without characters that cannot be seen.

    Raises:
        ToolError: Nothing is left, or it is too long.
    """
    if len(text) > budget.characters:
        raise ToolError(
            f"That is longer than the {budget.characters} characters I can read at once; say it shorter, or in parts."
        )
    plain = unicodedata.normalize("NFC", text)
    plain = "".join(char for char in plain if char in "\n\t" or unicodedata.category(char)[0] != "C").strip()
    if not plain:
        raise ToolError("I cannot read anything in that; write what you want in a sentence.")
    return plain


class Cutoff:
    """Runs work in a thread of its own and stops waiting for it in time.

    A thread cannot be ended from outside: one that hangs is left behind, and no later call waits for it. Only so many
    may hang at once; then nothing more is begun until some of them end.
    """

    def __init__(self, most_hanging: int = 64) -> None:
        self._hanging = threading.Semaphore(most_hanging)

    def run(self, seconds: float, name: str, work: Callable[[], Result]) -> Result:
        """The result of the work, or what it raised.

        Raises:
            ToolError: It took longer, or too much hangs already.
        """
        if not self._hanging.acquire(blocking=False):
            raise ToolError("Too much of what was begun here does not end; try again in some minutes.")
        future: Future[Result] = Future()
        context = contextvars.copy_context()
        threading.Thread(target=self._do, args=(future, context, work), name=f"tool-{name}", daemon=True).start()
        try:
            return future.result(max(seconds, 0.0))
        except TookTooLong:
            if future.done():  # in this very moment, or the work itself raised it
                return future.result()
            raise ToolError(
                f"{name} took longer than {seconds:.0f} seconds and was given up; ask for less, or try again later."
            ) from None

    def _do(self, future: Future[Result], context: contextvars.Context, work: Callable[[], Result]) -> None:
        try:
            future.set_result(context.run(work))
        except BaseException as error:  # noqa: BLE001  (raised again in the caller, who would wait for nothing)
            future.set_exception(error)
        finally:
            self._hanging.release()


class WithinBudget(AgentMiddleware[Any, Any, Any]):
    """Holds one turn to its budget: what is too much is not begun, and the turn ends with what there is."""

    def __init__(
        self, budget: Budget, ledger: Ledger, cutoff: Cutoff, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._budget = budget
        self._ledger = ledger
        self._cutoff = cutoff
        self._clock = clock
        self._ends = clock() + budget.seconds
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        spent = sum(_tokens(message) for message in turn_of(request.messages))
        if spent > self._budget.tokens or self._clock() > self._ends:
            return ModelResponse(result=[AIMessage(plain_answer(request.messages, self._ledger))])
        return handler(request.override(messages=latest(request.messages, self._budget.messages)))

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        call = request.tool_call
        key = json.dumps([call["name"], call["args"]], sort_keys=True, default=str)
        with self._lock:
            self._calls.update((key, ""))
            alike, made = self._calls[key], self._calls[""]
        if alike > self._budget.same_call or made > self._budget.tool_calls:
            raise ToolError("I have asked for that often enough in one go; ask again, for one thing at a time.")
        left = min(self._budget.tool_seconds, self._ends - self._clock())
        return self._cutoff.run(left, call["name"], lambda: handler(request))


def latest(messages: Sequence[AnyMessage], most: int) -> list[AnyMessage]:
    """The last messages, from a question of the person on, so that no answer stands without its call."""
    kept = list(messages[-most:])
    first = next((place for place, message in enumerate(kept) if isinstance(message, HumanMessage)), None)
    return list(turn_of(messages)) if first is None else kept[first:]


def _tokens(message: AnyMessage) -> int:
    usage = message.usage_metadata if isinstance(message, AIMessage) else None
    return usage["total_tokens"] if usage else 0
