"""A chat model that says what a script tells it and remembers what it was asked; for tests, examples and demos."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from pydantic import Field, SkipValidation

from agent.models.binding import WritingChatModel
from agent.models.engine import Turns
from agent.models.template import Call, compact

Line = str | Call | Sequence[Call] | BaseException
Reply = Line | Callable[[list[BaseMessage]], Line]


@dataclass(frozen=True)
class Asked:
    """One call of the model: the messages and what was bound."""

    messages: list[BaseMessage]
    tools: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)


class ScriptedChatModel(WritingChatModel):
    """Gives the replies of a list in order.

    A reply is a text, a `Call` or several, an exception to raise, or a function of the messages that returns one of
    these. Text is streamed word by word.

        model = ScriptedChatModel(replies=[Call("recommend_price", {"product": "Aurora kettle"}), "Done."])
    """

    replies: list[Any] = Field(default_factory=list)
    asked: list[Asked] = Field(default_factory=list)
    queue: SkipValidation[Turns] | None = None  # where there is one, chats are served one after the other

    @property
    def _llm_type(self) -> str:
        return "debut-scripted"

    @property
    def takes_turns(self) -> bool:
        """Calls take the keywords `cancelled` and `waiting`, as the local model's do, where it has a queue."""
        return self.queue is not None

    def _write(self, messages: list[BaseMessage], stop: list[str] | None, **kwargs: Any) -> Iterator[AIMessageChunk]:
        names = [tool["function"]["name"] for tool in kwargs.pop("tools", [])]
        options = {**kwargs, **({"stop": stop} if stop else {})}
        if self.queue is None:
            yield from self._reply(Asked(list(messages), names, options))
            return
        with self.queue.turn(options.pop("cancelled", None), options.pop("waiting", None)) as mine:
            yield from self._reply(Asked(list(messages), names, options)) if mine else self._said("")

    def _reply(self, asked: Asked) -> Iterator[AIMessageChunk]:
        self.asked.append(asked)
        return self._said(self._next(asked.messages))

    def _next(self, messages: list[BaseMessage]) -> Line:
        turn = len(self.asked)
        if turn > len(self.replies):
            raise IndexError(f"The script has {len(self.replies)} replies and was asked for reply {turn}.")
        reply: Reply = self.replies[turn - 1]
        line = reply(messages) if callable(reply) else reply
        if isinstance(line, BaseException):
            raise line
        return line

    def _said(self, line: Line) -> Iterator[AIMessageChunk]:
        about = {"model_name": "scripted"}
        if isinstance(line, str):
            for word in line.splitlines(keepends=True) if "\n" in line else [line]:
                head, *rest = word.split(" ")
                yield from (AIMessageChunk(content=part) for part in [head, *(" " + part for part in rest)] if part)
            yield AIMessageChunk(content="", response_metadata=about, chunk_position="last")
            return
        calls = [line] if isinstance(line, Call) else list(line)  # type: ignore[arg-type]
        chunks = [
            tool_call_chunk(name=call.name, args=compact(call.arguments), id=f"call_{len(self.asked)}_{i}", index=i)
            for i, call in enumerate(calls)
        ]
        yield AIMessageChunk(content="", tool_call_chunks=chunks, response_metadata=about, chunk_position="last")
