"""A chat model that says what a script tells it and remembers what it was asked; for tests, examples and demos."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field

from agent.models.binding import ToolChoice, ToolLike, bound
from agent.models.template import Call, compact

Line = str | Call | Sequence[Call] | BaseException
Reply = Line | Callable[[list[BaseMessage]], Line]


@dataclass(frozen=True)
class Asked:
    """One call of the model: the messages and what was bound."""

    messages: list[BaseMessage]
    tools: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)


class ScriptedChatModel(BaseChatModel):
    """Gives the replies of a list in order.

    A reply is a text, a `Call` or several, an exception to raise, or a function of the messages that returns one of
    these. Text is streamed word by word.

        model = ScriptedChatModel(replies=[Call("recommend_price", {"product": "Aurora kettle"}), "Done."])
    """

    replies: list[Any] = Field(default_factory=list)
    asked: list[Asked] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "debut-scripted"

    def bind_tools(
        self, tools: Sequence[ToolLike], *, tool_choice: ToolChoice = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools, as the local model does."""
        return self.bind(**bound(tools, tool_choice), **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        names = [tool["function"]["name"] for tool in kwargs.pop("tools", [])]
        self.asked.append(Asked(list(messages), names, {**kwargs, **({"stop": stop} if stop else {})}))
        for message in self._written(self._next(messages)):
            chunk = ChatGenerationChunk(message=message)
            if run_manager:
                run_manager.on_llm_new_token(str(message.text), chunk=chunk)
            yield chunk

    def _next(self, messages: list[BaseMessage]) -> Line:
        turn = len(self.asked)
        if turn > len(self.replies):
            raise IndexError(f"The script has {len(self.replies)} replies and was asked for reply {turn}.")
        reply: Reply = self.replies[turn - 1]
        line = reply(messages) if callable(reply) else reply
        if isinstance(line, BaseException):
            raise line
        return line

    def _written(self, line: Line) -> Iterator[AIMessageChunk]:
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
