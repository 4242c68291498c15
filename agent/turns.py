"""How a turn meets the model's queue: it learns its place there, and leaves when nobody reads the answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse


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
