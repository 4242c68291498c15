"""A turn of a conversation: how it meets the model's queue, and what a later turn is told of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import BaseMessage, ToolMessage, messages_from_dict, messages_to_dict


@dataclass(frozen=True)
class Waiting:
    """Other chats are served first: how many; zero when the wait is over."""

    before: int


class InTurn(AgentMiddleware[Any, Any, Any]):
    """Hands a model that `takes_turns` the event that cancels a reply, and streams its place in the queue."""

    def __init__(self, cancelled: threading.Event) -> None:
        super().__init__()
        self._cancelled = cancelled

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        if not getattr(request.model, "takes_turns", False):
            return handler(request)
        write = request.runtime.stream_writer
        settings = {"cancelled": self._cancelled, "waiting": lambda before: write(Waiting(before))}
        return handler(request.override(model_settings={**request.model_settings, **settings}))


def pack(messages: Iterable[BaseMessage]) -> list[dict[str, Any]]:
    """Messages of a turn as plain values, to be stored; without tool results, of which a later turn reads the text."""
    bare = [m.model_copy(update={"artifact": None}) if isinstance(m, ToolMessage) else m for m in messages]
    return messages_to_dict(bare)


def unpack(rows: list[dict[str, Any]]) -> list[BaseMessage]:
    """Messages that `pack` stored."""
    return messages_from_dict(rows)
