"""A LangChain chat model over an engine of ours: grammar-held replies, tool calls, streaming."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from langchain_core.language_models import LanguageModelInput, ModelProfile
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, InvalidToolCall, ToolMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.runnables import Runnable
from pydantic import Field, SkipValidation

from agent.ledger import PARTS, PLACEHOLDER
from agent.models.adapters import Adapter, Sureness
from agent.models.binding import ToolChoice, ToolLike, WritingChatModel
from agent.models.engine import Engine, Piece, Request
from agent.models.grammar import reply_grammar
from agent.models.said import Talk
from agent.models.template import CALL_START, Call, MalformedReply, compact, parse_reply, render_prompt
from shop import ToolResult

_PICK = re.compile(
    r"\b(?:first|second|third|fourth|fifth|last|latter|former|other|another|number|option)\b"
    r"|第[一二三四五\d]|[前后]者|[前后]一|另|最后",
    re.IGNORECASE,
)
_THAT_NUMBER = re.compile(
    r"\b(?:that|this|those|these|your|the (?:same|recommended|suggested|proposed))\s+"
    r"(?:price|cost|amount|many|much|number|quantity|budget|figure|sum|discount|depth|units)\b"
    r"|[这那你](?:个|些|么)?(?:推荐|建议)?(?:价|成本|数|量|预算|金额|折扣|多)|推荐价|建议价|按推荐|按建议",
    re.IGNORECASE,
)
SURE_ODDS = 1.4  # four to one
CUT_OFF = "The tool call was cut off before it was complete; ask for less at once."


class LocalChatModel(WritingChatModel):
    """Chat with a local engine.

    Beyond LangChain's arguments a call takes, by `bind` or as keywords:
        figures: Names that may stand in placeholders, instead of those of the tool results in the messages.
        outline: What a text must speak of (`agent.models.outline`), instead of free text over `figures`.
        least_willing: How probable the model must hold what the grammar allows next, or the reply is given up.
        cancelled: A `threading.Event`; once set, decoding stops before the next token.
        waiting: A function that is told how many requests are before this one.
        said_enough: The chooser's log odds that the turn says enough to call the tool shown (`agent.choice`).
        names_subject: Its log odds that the user's latest words name the product or category that they are about.
        spans: False lets the model write text and numbers of a call itself instead of copying the conversation's.
    """

    engine: SkipValidation[Engine] = Field(exclude=True, repr=False)
    is_tuned: bool = True  # false for a base model that was not taught the tools: it does not choose among them
    adapter: Adapter | None = None  # merged into the engine's weights, where that was done here
    sureness: Sureness | None = None  # how sure the model must be of a call, fitted to its adapter; None: as it comes
    max_tokens: int = 512
    temperature: float = 0.0
    stop: list[str] | None = None

    @property
    def follows_chooser(self) -> bool:
        """Whether it fills in the tool that a chooser names: what it was fitted to be sure of is such calls."""
        return self.sureness is not None

    @property
    def cannot_type_figures(self) -> bool:
        """The grammar lets no digit through outside placeholders, so what streams may be shown as it comes."""
        return True

    @property
    def takes_turns(self) -> bool:
        """Calls take the keywords `cancelled` and `waiting`."""
        return True

    @property
    def _llm_type(self) -> str:
        return "debut-local"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.engine.name, "max_tokens": self.max_tokens, "temperature": self.temperature}

    def _resolve_model_profile(self) -> ModelProfile:
        return ModelProfile(
            max_input_tokens=self.engine.context,
            max_output_tokens=self.max_tokens,
            tool_calling=True,
            tool_choice=True,
            structured_output=False,
            text_inputs=True,
            image_inputs=False,
        )

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = LangSmithParams(
            ls_provider="debut",
            ls_model_name=kwargs.get("model", self.engine.name),
            ls_model_type="chat",
            ls_temperature=self.temperature,
            ls_max_tokens=self.max_tokens,
        )
        return {**params, "ls_stop": stop or self.stop} if stop or self.stop else params

    def bind_tools(
        self, tools: Sequence[ToolLike], *, tool_choice: ToolChoice = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools; `tool_choice` is `auto`, `any`, `none` or a tool's name, or what OpenAI takes for them."""
        # Structured output is text that the model writes, not arguments that a user gave.
        spans = {"spans": False} if "ls_structured_output_format" in kwargs else {}
        return super().bind_tools(tools, tool_choice=tool_choice, **spans, **kwargs)

    def _write(self, messages: list[BaseMessage], stop: list[str] | None, **kwargs: Any) -> Iterator[AIMessageChunk]:
        tools = kwargs.get("tools") or []
        figures = kwargs.get("figures")
        names = known_figures(messages) if figures is None else list(figures)
        spoken = talk(messages, kwargs.get("names_subject", 0.0)) if kwargs.get("spans", True) else None
        request = Request(
            prompt=render_prompt(messages, tools),
            grammar=reply_grammar(tools, kwargs.get("tool_choice") or "auto", names, spoken, kwargs.get("outline")),
            max_tokens=kwargs.get("max_tokens") or self.max_tokens,
            stop=tuple(stop or self.stop or ()),
            temperature=kwargs.get("temperature", self.temperature),
            cancelled=kwargs.get("cancelled"),
            waiting=kwargs.get("waiting"),
            least_sure=self.sureness.needed(kwargs.get("said_enough", 0.0)) if self.sureness else 0.0,
            least_willing=kwargs.get("least_willing", 0.0),
        )
        return self._messages(self.engine.generate(request))

    def _messages(self, pieces: Iterator[Piece]) -> Iterator[AIMessageChunk]:
        """Text as it comes, placeholders whole; a call in one chunk; at the end the usage."""
        held, last = "", Piece()
        for last in pieces:
            held += last.text
            ready = _ready(held)
            if ready:
                yield AIMessageChunk(content=held[:ready])
                held = held[ready:]
        if held.startswith(CALL_START):
            yield _call_chunk(held)
        yield AIMessageChunk(
            content="",
            response_metadata={
                "model_name": self.engine.name,
                "model_provider": "debut",
                "finish_reason": last.ending,
                "forward_passes": last.forward_passes,
            },
            usage_metadata=UsageMetadata(
                input_tokens=last.prompt_tokens,
                output_tokens=last.reply_tokens,
                total_tokens=last.prompt_tokens + last.reply_tokens,
                input_token_details=InputTokenDetails(cache_read=last.cached_tokens),
            ),
            chunk_position="last",
        )


def known_figures(messages: Iterable[BaseMessage]) -> list[str]:
    """Names that may stand in placeholders: the figures of the tool results in a conversation, with their bounds."""
    names: dict[str, None] = {}
    for message in messages:
        if isinstance(message, ToolMessage) and isinstance(message.artifact, ToolResult):
            for figure in message.artifact.figures:
                names[figure.id] = None
                names.update({f"{figure.id}.{part}": None for part in PARTS if getattr(figure, part) is not None})
    return list(names)


def said(messages: Iterable[BaseMessage]) -> list[str]:
    """What was said so far, placeholders left out: the source of a call's texts and numbers."""
    spoken = (m for m in messages if isinstance(m, HumanMessage | ToolMessage | AIMessage))
    return [text for m in spoken if (text := PLACEHOLDER.sub(" ", str(m.text)))]


def talk(messages: Sequence[BaseMessage], names_subject: float = 0.0) -> Talk:
    """A conversation as a call's arguments are filled from it; `names_subject` as in `LocalChatModel`.

    In all but one of 4,609 numbers in the training data's later turns the user had said the number (by a
    script). So those of tools are left out, unless the words point to one ("at that price") or the turn goes on.
    """
    texts = said(messages)
    own = said(message for message in messages if isinstance(message, HumanMessage))
    asked = own[-1] if own else ""
    is_users_turn = bool(messages) and isinstance(messages[-1], HumanMessage) and not _THAT_NUMBER.search(asked)
    is_named = None if abs(names_subject) < SURE_ODDS else names_subject > 0
    return Talk(texts, asked, own if is_users_turn else texts, call_before(messages), is_named)


def call_before(messages: Sequence[BaseMessage]) -> Call | None:
    """The call that the user's latest words may go on from: the last one, if it was answered and nothing asked back.

    Words that pick from what was listed ("the second") take it from the answer.
    """
    if not messages or not isinstance(messages[-1], HumanMessage) or _PICK.search(str(messages[-1].text)):
        return None
    places = [n for n, message in enumerate(messages) if isinstance(message, AIMessage) and message.tool_calls]
    after = messages[places[-1] + 1 : -1] if places else []
    is_refused = any(isinstance(message, ToolMessage) and message.status == "error" for message in after)
    if not after or is_refused or str(after[-1].text).rstrip().endswith(("?", "？")):
        return None
    call = messages[places[-1]].tool_calls[-1]  # type: ignore[attr-defined]
    return Call(call["name"], call["args"])


def _ready(held: str) -> int:
    """How much of the text can be shown: nothing of a call, and no placeholder that is still open."""
    if held.startswith("<"):
        return 0
    opened = held.rfind("{{")
    if opened >= 0 and "}}" not in held[opened:]:
        return opened
    return len(held) - held.endswith("{")


def _call_chunk(text: str) -> AIMessageChunk:
    try:
        _, calls = parse_reply(text)
    except MalformedReply:
        invalid = InvalidToolCall(type="invalid_tool_call", name=None, args=text, id=None, error=CUT_OFF)
        return AIMessageChunk(content=CUT_OFF, invalid_tool_calls=[invalid])
    chunks = [
        tool_call_chunk(name=call.name, args=compact(call.arguments), id=f"call_{uuid.uuid4().hex[:12]}", index=index)
        for index, call in enumerate(calls)
    ]
    return AIMessageChunk(content="", tool_call_chunks=chunks)
