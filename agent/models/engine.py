"""What the chat model asks of an engine, and the queue before it: one model, many chats, first come first served."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Ending = Literal["stop", "length", "cancelled", "overruled"]
POLL_SECONDS = 0.05
States = NDArray[np.float32]


def depth(layers: int) -> int:
    """After how many layers of a network `Engine.gist` looks: two thirds of them.

    The last layers turn to the next word. Of 14, 20, 26 and 30 layers of 30 the last token's state after 20 was of most
    use to the manager's chooser on development questions (by a script).
    """
    return round(layers * 2 / 3)


@dataclass(frozen=True)
class Request:
    """One piece of decoding work.

    `grammar` is llguidance Lark source, empty for free text. At `temperature` zero decoding is greedy.
    `cancelled` is looked at before every token, and while the request waits for its turn. `waiting` is told how many
    requests are before this one, whenever that changes; zero when its turn has come after a wait. Where the grammar
    allows text and a call, it is a call if the model begins one with at least the probability `least_sure`, whatever
    text would be likelier; zero leaves it to the likeliest token. A reply ends as `overruled` where the model held all
    that the grammar allows next for less probable than `least_willing`; every token is then asked of the model, also
    those that the grammar forces.
    """

    prompt: str
    grammar: str = ""
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    cancelled: threading.Event | None = None
    waiting: Callable[[int], None] | None = None
    least_sure: float = 0.0
    least_willing: float = 0.0


@dataclass(frozen=True)
class Piece:
    """A stretch of decoded text; the last piece of a reply says how it ended and what it took, in tokens."""

    text: str = ""
    ending: Ending | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    reply_tokens: int = 0
    forward_passes: int = 0


class Engine(Protocol):
    """Decodes text. Calls from several threads are served one after the other, in order."""

    @property
    def name(self) -> str: ...

    @property
    def context(self) -> int:
        """Tokens of prompt and reply that fit."""

    def generate(self, request: Request) -> Iterator[Piece]:
        """Pieces of the reply as they are decoded; exactly the last one has an `ending`."""

    def gist(self, head: str, words: str, tail: str) -> States:
        """What the model makes of words that stand in a prompt, shape (2 × width,).

        The mean of its states over the words and, after it, the last token's state, both from `depth`.
        """


class Turns:
    """A lock that serves waiting threads in the order in which they came."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._tickets: deque[object] = deque()

    @contextmanager
    def turn(
        self, cancelled: threading.Event | None = None, waiting: Callable[[int], None] | None = None
    ) -> Iterator[bool]:
        """Wait for one's turn; False when it was cancelled meanwhile. `waiting` is told how many are before."""
        ticket = object()
        with self._changed:
            self._tickets.append(ticket)
        try:
            yield self._wait(ticket, cancelled, waiting)
        finally:
            with self._changed:
                self._tickets.remove(ticket)
                self._changed.notify_all()

    def _wait(self, ticket: object, cancelled: threading.Event | None, waiting: Callable[[int], None] | None) -> bool:
        told = 0
        while not (cancelled and cancelled.is_set()):
            with self._changed:
                before = self._tickets.index(ticket)
                if before and before == told:
                    # An Event cannot wake a Condition, so a waiting request looks at it from time to time.
                    self._changed.wait(POLL_SECONDS)
                    continue
            # Told outside the lock: what a caller does with it must not hold the queue up.
            if waiting and before != told:
                waiting(before)
            told = before
            if not before:
                return True
        return False


def until_stop(texts: Iterable[str], stop: Sequence[str]) -> Iterator[str]:
    """The texts up to the first stop string, wherever it falls; what may be its beginning is held back."""
    if not stop:
        yield from texts
        return
    held, longest = "", max(len(word) for word in stop) - 1
    for text in texts:
        held += text
        places = [place for word in stop if (place := held.find(word)) >= 0]
        if places:
            if min(places):
                yield held[: min(places)]
            return
        if len(held) > longest:
            yield held[: len(held) - longest]
            held = held[len(held) - longest :]
    if held:
        yield held
