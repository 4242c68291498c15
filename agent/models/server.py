"""A model behind an OpenAI-compatible server (vLLM, llama.cpp, Ollama), whose failures are sentences."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError
from pydantic import SecretStr

from shop import ToolError

# A server on a CPU may read a long prompt for a minute before the first token.
TIMEOUT = httpx.Timeout(120.0, connect=5.0)
# What langchain-openai raises on an answer that is no chat completion depends on where its parsing stops.
_RUBBISH = (ValueError, TypeError, LookupError, AttributeError)


# Keywords that only the local model understands.
LOCAL = ("figures", "outline", "least_willing", "cancelled", "waiting", "spans")


class ServerChatModel(ChatOpenAI):
    """`ChatOpenAI` that raises `ToolError` when the server is down, refuses, is too slow or answers rubbish.

    It has no grammar, so what it writes is checked against the ledger by the agent. The local model's own keywords are
    taken; `cancelled` ends a stream between two pieces, the others change nothing.
    """

    @property
    def takes_turns(self) -> bool:
        """Calls take the keyword `cancelled`."""
        return True

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        kwargs, _ = _for_server(kwargs)
        with self._sentences():
            result = super()._generate(messages, stop, run_manager, **kwargs)
            if not result.generations:
                raise ValueError("the completion has no choices")
            return result

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        kwargs, cancelled = _for_server(kwargs)
        with self._sentences():
            empty = True
            for chunk in super()._stream(messages, stop, run_manager, **kwargs):
                empty = False
                yield chunk
                if cancelled and cancelled.is_set():
                    return
            if empty:
                raise ValueError("the stream held no piece of a reply")

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        where = f"The model server at {self.openai_api_base}"
        advice = "start it, or choose another model with DEBUT_MODEL"
        try:
            yield
        except APITimeoutError as error:
            raise ToolError(f"{where} did not answer in time; {advice}.") from error
        except APIConnectionError as error:
            raise ToolError(f"{where} cannot be reached; {advice}.") from error
        except APIStatusError as error:
            raise ToolError(
                f"{where} refused the request for {self.model_name} with status {error.status_code}; "
                "check the model's name, DEBUT_API_KEY and the server's log."
            ) from error
        except (OpenAIError, *_RUBBISH) as error:
            raise ToolError(
                f"{where} did not answer with a chat completion; check the address, or {advice}."
            ) from error


def open_server(address: str, name: str, api_key: str = "", timeout: httpx.Timeout = TIMEOUT) -> ServerChatModel:
    """A chat model on an OpenAI-compatible server.

    Args:
        address: Base URL, such as `http://127.0.0.1:8000/v1`.
        name: Model name on that server.
        api_key: Empty for servers that want none.
        timeout: How long to wait for a connection and between two pieces.
    """
    return ServerChatModel(
        base_url=address,
        model=name,
        # The client insists on a key; servers that want none ignore it.
        api_key=SecretStr(api_key or "none"),
        timeout=timeout,
        # A retry after a timeout doubles the wait; the next choice of the setting is the better retry.
        max_retries=0,
        temperature=0,
        use_responses_api=False,
    )


def _for_server(keywords: dict[str, Any]) -> tuple[dict[str, Any], threading.Event | None]:
    """Keywords in the server's words, and the event that cancels."""
    rest = {key: value for key, value in keywords.items() if key not in LOCAL}
    choice = rest.get("tool_choice")
    if not rest.get("tools"):
        rest.pop("tool_choice", None)
    elif choice == "any":
        rest["tool_choice"] = "required"
    elif isinstance(choice, str) and choice not in ("auto", "none", "required"):
        rest["tool_choice"] = {"type": "function", "function": {"name": choice}}
    return rest, keywords.get("cancelled")
