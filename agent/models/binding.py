"""What our chat models share: how tools are handed over, and how what one writes becomes LangChain's results."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

ToolLike = dict[str, Any] | type | Callable[..., Any] | BaseTool
ToolChoice = str | dict[str, Any] | bool | None


def bound(tools: Iterable[ToolLike], tool_choice: ToolChoice) -> dict[str, Any]:
    """Keywords for a model call: OpenAI-style tools, and the choice as `auto`, `any`, `none` or a tool's name."""
    if isinstance(tool_choice, dict):
        tool_choice = str(tool_choice.get("function", tool_choice)["name"])
    choice = {None: "auto", False: "auto", True: "any", "required": "any"}.get(tool_choice, tool_choice)
    return {"tools": [convert_to_openai_tool(tool) for tool in tools], "tool_choice": choice}


class ToolChatModel(BaseChatModel):
    """A chat model that takes tools as `bound` puts them."""

    def bind_tools(
        self, tools: Sequence[ToolLike], *, tool_choice: ToolChoice = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools; `tool_choice` is `auto`, `any`, `none` or a tool's name, or what OpenAI takes for them."""
        return self.bind(**bound(tools, tool_choice), **kwargs)


class WritingChatModel(ToolChatModel):
    """A chat model that says in `_write` what it writes; a whole reply is the stream put together."""

    @abstractmethod
    def _write(self, messages: list[BaseMessage], stop: list[str] | None, **kwargs: Any) -> Iterator[AIMessageChunk]:
        """The reply as it comes; the last chunk has `chunk_position` set."""

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
        for message in self._write(messages, stop, **kwargs):
            chunk = ChatGenerationChunk(message=message)
            if run_manager:
                run_manager.on_llm_new_token(str(message.text), chunk=chunk)
            yield chunk
