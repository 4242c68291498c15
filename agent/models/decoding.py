"""The decoding loop: grammar masks, forced tokens, kept prompts, stop words. The same over every backend."""

from __future__ import annotations

import codecs
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from llguidance import LLMatcher, LLTokenizer
from numpy.typing import NDArray
from tokenizers import Tokenizer

from agent.models.engine import Ending, Piece, Request, States, Turns, until_stop
from agent.models.template import CALL_START, END
from shop import ToolError

KEPT_PROMPTS = 4
FAR = 1e4  # above every score, and finite, for a temperature divides by it
Logits = NDArray[np.float32]


class Backend(Protocol):
    """A network with a memory for what it has read; the loop above it decides what it reads and what it writes."""

    @property
    def context(self) -> int:
        """Tokens that one state can hold."""

    @property
    def vocabulary(self) -> int:
        """How many scores `read` gives."""

    @property
    def chunk(self) -> int:
        """Tokens to read at once: few enough that a cancelled reply is not waited for."""

    def start(self) -> Any:
        """An empty state."""

    def fork(self, state: Any, length: int) -> Any | None:
        """A copy of the first `length` tokens of a state; None where the network cannot be cut back."""

    def read(self, state: Any, past: int, tokens: Sequence[int]) -> Logits:
        """Read tokens into a state that holds `past` of them; scores of the next token, shape (vocabulary,)."""

    def inner(self, tokens: Sequence[int]) -> States:
        """What a layer far up (`engine.depth`) makes of tokens that are read by themselves, shape (tokens, width)."""


@dataclass
class KeptPrompt:
    """Tokens and the backend's state after reading them."""

    state: Any
    tokens: list[int] = field(default_factory=list)
    # Set while the backend reads: if that fails, the state and the tokens may be apart.
    reading: bool = False


class PromptStore:
    """States of the latest prompts, so that what two prompts share is computed once.

    A prompt that goes on where a kept one ended takes it over; one that shares only a part (another conversation of
    the same role) takes a copy of that part, so the first conversation keeps its own.
    """

    def __init__(self, backend: Backend, size: int = KEPT_PROMPTS) -> None:
        self._backend = backend
        self._size = size
        self._kept: list[KeptPrompt] = []

    def take(self, prompt: Sequence[int]) -> KeptPrompt:
        """The longest kept beginning of `prompt`, at least one token short of it, for the caller alone."""
        best = max(self._kept, key=lambda kept: _shared(kept.tokens, prompt), default=None)
        # The last prompt token has to be run: its output is the first prediction.
        shared = min(_shared(best.tokens, prompt), len(prompt) - 1) if best else 0
        if best is None or shared == 0:
            return KeptPrompt(self._backend.start())
        if shared == len(best.tokens):
            # By identity: two conversations may hold equal tokens.
            self._kept = [kept for kept in self._kept if kept is not best]
            return best
        state = self._backend.fork(best.state, shared)
        return KeptPrompt(self._backend.start()) if state is None else KeptPrompt(state, best.tokens[:shared])

    def keep(self, prompt: KeptPrompt) -> None:
        """Keep a prompt for later, unless a failed run left its state and its tokens apart."""
        if prompt.tokens and not prompt.reading:
            self._kept = [*self._kept, prompt][-self._size :] if self._size else []


@dataclass
class _Run:
    """What happened while one reply was decoded."""

    ending: Ending = "stop"
    reply_tokens: int = 0
    forward_passes: int = 0


class Decoder:
    """An `Engine` over a backend.

    Args:
        backend: The network.
        tokenizer: Its tokenizer, without padding and truncation.
        name: What messages and traces call the model.
        ends: Tokens that end a reply, beside the end of a turn.
        fast_forward: Append tokens that the grammar forces without running the model for each.
        kept_prompts: How many prompts' states are kept.
    """

    def __init__(
        self,
        backend: Backend,
        tokenizer: Tokenizer,
        name: str,
        ends: Sequence[int] = (),
        fast_forward: bool = True,
        kept_prompts: int = KEPT_PROMPTS,
    ) -> None:
        self.name = name
        self.backend = backend
        self.context = backend.context
        turn_end = tokenizer.token_to_id(END)
        self._ends = sorted({*ends, *([] if turn_end is None else [turn_end])})
        self._tokenizer = tokenizer
        self._guide = LLTokenizer(tokenizer.to_str(), n_vocab=backend.vocabulary, eos_token=self._ends)
        self._call = tokenizer.encode(CALL_START, add_special_tokens=False).ids[0]
        self._fast_forward = fast_forward
        self._prompts = PromptStore(backend, kept_prompts)
        self._turns = Turns()
        self._looking = threading.Lock()
        self._random = np.random.default_rng()

    def generate(self, request: Request) -> Iterator[Piece]:
        """Decode one reply; see `Engine.generate`.

        Raises:
            ToolError: The prompt is longer than the model can read.
        """
        with self._turns.turn(request.cancelled, request.waiting) as mine:
            if not mine:
                yield Piece(ending="cancelled")
                return
            tokens = self._tokenizer.encode(request.prompt, add_special_tokens=False).ids
            if len(tokens) >= self.context:
                raise ToolError(
                    f"The conversation has {len(tokens)} tokens and {self.name} reads {self.context}; start a new chat."
                )
            prompt, run = self._prompts.take(tokens), _Run()
            cached = len(prompt.tokens)
            limit = min(request.max_tokens, self.context - len(tokens))
            try:
                decoded = self._decode(request, prompt, tokens[cached:], limit, run)
                for text in until_stop(self._texts(decoded), request.stop):
                    yield Piece(text)
            finally:
                self._prompts.keep(prompt)
            yield Piece("", run.ending, len(tokens), cached, run.reply_tokens, run.forward_passes)

    def _decode(
        self, request: Request, prompt: KeptPrompt, pending: list[int], limit: int, run: _Run
    ) -> Iterator[list[int]]:
        """Tokens of the reply as they come; `pending` are those that the model has not read yet.

        Forced tokens join `pending` and are read together with the next choice, so there is one forward pass for
        each free choice and none for the end of a call.
        """
        matcher = self._matcher(request.grammar)
        while run.reply_tokens < limit:
            if matcher and matcher.is_stopped():
                return
            forced = [] if request.least_willing else self._forced(matcher)
            tokens = forced[: limit - run.reply_tokens]
            if not tokens:
                logits = self._read(prompt, pending, request, run)
                if logits is None:
                    return
                if request.least_sure and not run.reply_tokens:
                    logits = self._decided(logits, request.least_sure)
                allowed = _allowed(matcher, len(logits)) if matcher else None
                least = request.least_willing if allowed is not None else 0.0
                if least and _probabilities(logits)[allowed].sum() < least:
                    run.ending = "overruled"
                    return
                pending, tokens = [], [self._choose(logits, allowed, request.temperature)]
            if tokens[0] in self._ends:
                return
            if matcher and not matcher.consume_tokens(tokens):
                raise RuntimeError(f"the grammar refused its own tokens: {matcher.get_error()}")
            pending = pending + tokens
            run.reply_tokens += len(tokens)
            yield tokens
        run.ending = "length"

    def _matcher(self, grammar: str) -> LLMatcher | None:
        if not grammar:
            return None
        matcher = LLMatcher(self._guide, LLMatcher.grammar_from_lark(grammar))
        if matcher.is_error():
            raise ValueError(f"the grammar cannot be used: {matcher.get_error()}")
        return matcher

    def _forced(self, matcher: LLMatcher | None) -> list[int]:
        return list(matcher.compute_ff_tokens()) if matcher and self._fast_forward else []

    def _read(self, prompt: KeptPrompt, tokens: list[int], request: Request, run: _Run) -> Logits | None:
        """Run the model over `tokens`; scores of the next token, None when cancelled."""
        logits = None
        for start in range(0, len(tokens), self.backend.chunk):
            if request.cancelled and request.cancelled.is_set():
                run.ending = "cancelled"
                return None
            chunk = tokens[start : start + self.backend.chunk]
            prompt.reading = True
            logits = self.backend.read(prompt.state, len(prompt.tokens), chunk)
            prompt.tokens += chunk
            prompt.reading = False
            run.forward_passes += 1
        return logits

    def call_probability(self, prompt: str) -> float:
        """How likely the model holds it that its reply to a prompt is a call, whatever a grammar would allow."""
        tokens = self._tokenizer.encode(prompt, add_special_tokens=False).ids
        with self._turns.turn():
            kept = self._prompts.take(tokens)
            logits = self._read(kept, tokens[len(kept.tokens) :], Request(prompt), _Run())
            self._prompts.keep(kept)
        assert logits is not None  # nobody can cancel it
        return float(_probabilities(logits)[self._call])

    def gist(self, head: str, words: str, tail: str) -> States:
        """See `Engine.gist`; does not wait for replies that are being written, and is not waited for by them.

        Raises:
            ValueError: The words are longer than the model can read.
        """
        parts = [self._tokenizer.encode(part, add_special_tokens=False).ids for part in (head, words, tail)]
        tokens = [token for part in parts for token in part]
        if len(tokens) >= self.context:
            raise ValueError(f"these words have {len(tokens)} tokens, and {self.name} reads {self.context}")
        with self._looking:
            states = self.backend.inner(tokens)
        return pooled(states, len(parts[0]), len(parts[1]))

    def _decided(self, logits: Logits, least_sure: float) -> Logits:
        """The scores of a reply's first token with that of a call's beginning put above, or below, all others.

        A model that was shown calls for the most part calls too readily; whether it may be right is in how sure it is.
        """
        decided = logits.copy()
        is_sure = _probabilities(logits)[self._call] >= least_sure
        decided[self._call] = logits.max() + FAR if is_sure else -np.inf
        return decided

    def _choose(self, logits: Logits, allowed: NDArray[np.bool_] | None, temperature: float) -> int:
        if allowed is not None:
            logits = np.where(allowed, logits, -np.inf)
        if temperature <= 0:
            return int(logits.argmax())
        weights = _probabilities(logits / np.float32(temperature))
        return int(self._random.choice(len(weights), p=weights))

    def _texts(self, decoded: Iterator[list[int]]) -> Iterator[str]:
        """Text of token groups; a character that is split between tokens waits for its last byte."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for tokens in decoded:
            text = decoder.decode(self._guide.decode_bytes(tokens))
            if text:
                yield text


def pooled(states: States, start: int, length: int) -> States:
    """The mean over `length` tokens from `start` on, zero where there are none, and the last token's state.

    Args:
        states: Shape (tokens, width).

    Returns:
        Shape (2 × width,).
    """
    mean = states[start : start + length].mean(axis=0) if length else np.zeros(states.shape[1], np.float32)
    found: States = np.concatenate([mean, states[-1]])
    return found


def _allowed(matcher: LLMatcher, vocabulary: int) -> NDArray[np.bool_]:
    """Which tokens the grammar allows next, shape (vocabulary,)."""
    mask = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), np.uint8), bitorder="little")
    return mask[:vocabulary].astype(bool)


def _probabilities(logits: Logits) -> NDArray[np.float64]:
    """Softmax, shape (vocabulary,)."""
    likely = np.exp(logits - logits.max(), dtype=np.float64)
    found: NDArray[np.float64] = likely / likely.sum()
    return found


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """Length of the common beginning."""
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))
