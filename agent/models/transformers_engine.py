"""The reference engine: transformers on CPU, CUDA or MPS, with grammar masks, forced tokens and kept prompts."""

from __future__ import annotations

import codecs
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import llguidance.hf
import numpy as np
import torch
from llguidance import LLMatcher
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache
from transformers.utils.logging import disable_progress_bar

from agent.models.engine import Ending, Piece, Request, Turns, until_stop
from agent.models.template import END
from shop import BadInput, ToolError

KEPT_PROMPTS = 4
PREFILL_CHUNK = 256


@dataclass
class KeptPrompt:
    """Tokens whose keys and values are in `cache`, one entry for each."""

    cache: DynamicCache
    tokens: list[int] = field(default_factory=list)


class PromptStore:
    """Keys and values of the latest prompts, so that what two prompts share is computed once.

    A prompt that goes on where a kept one ended takes it over; one that shares only a part (another conversation of
    the same role) takes a copy of that part, so the first conversation keeps its own.
    """

    def __init__(self, config: Any, size: int = KEPT_PROMPTS) -> None:
        self._config = config
        # Only full attention can be cut back to a shared part.
        kinds = getattr(config.get_text_config(), "layer_types", None) or ["full_attention"]
        self._size = size if set(kinds) == {"full_attention"} else 0
        self._kept: list[KeptPrompt] = []

    def take(self, prompt: Sequence[int]) -> KeptPrompt:
        """The longest kept beginning of `prompt`, at least one token short of it, for the caller alone."""
        best = max(self._kept, key=lambda kept: _shared(kept.tokens, prompt), default=None)
        # The last prompt token has to be run: its output is the first prediction.
        shared = min(_shared(best.tokens, prompt), len(prompt) - 1) if best else 0
        if best is None or shared == 0:
            return KeptPrompt(DynamicCache(config=self._config))
        if shared == len(best.tokens):
            self._kept.remove(best)
            return best
        cache = copy.deepcopy(best.cache)
        cache.crop(shared - len(best.tokens))
        return KeptPrompt(cache, best.tokens[:shared])

    def keep(self, prompt: KeptPrompt) -> None:
        """Keep a prompt for later, unless a failed run left its cache and its tokens apart."""
        if prompt.tokens and prompt.cache.get_seq_length() == len(prompt.tokens):
            self._kept = [*self._kept, prompt][-self._size :] if self._size else []


@dataclass
class _Run:
    """What happened while one reply was decoded."""

    ending: Ending = "stop"
    reply_tokens: int = 0
    forward_passes: int = 0


class TransformersEngine:
    """Decodes with a causal language model.

    Args:
        model: A transformers model in evaluation mode, on its device.
        tokenizer: Its fast tokenizer.
        name: What messages and traces call the model.
        fast_forward: Append tokens that the grammar forces without running the model for each.
        kept_prompts: How many prompts' keys and values are kept.
    """

    def __init__(
        self, model: Any, tokenizer: Any, name: str, fast_forward: bool = True, kept_prompts: int = KEPT_PROMPTS
    ) -> None:
        self.name = name
        self.context = int(model.config.get_text_config().max_position_embeddings)
        self._model = model
        self._tokenizer = tokenizer
        ends = {tokenizer.convert_tokens_to_ids(END), tokenizer.eos_token_id}
        self._ends = sorted(token for token in ends if token is not None)
        self._vocabulary = int(model.get_output_embeddings().weight.shape[0])
        self._guide = llguidance.hf.from_tokenizer(tokenizer, n_vocab=self._vocabulary, eos_token=self._ends)
        self._fast_forward = fast_forward
        self._prompts = PromptStore(model.config, kept_prompts)
        self._turns = Turns()

    @classmethod
    def load(cls, source: str | Path, name: str, offline: bool = True) -> TransformersEngine:
        """Load a folder, or a hub name where `offline` is False. On a CPU, torch is told to leave one core free.

        Raises:
            BadInput: It is missing, no causal language model, or its tokenizer cannot be used.
        """
        device, dtype = hardware()
        if device == "cpu":
            # Torch's threads wait for each other after every operation: where another program takes a core, all of
            # them stand still and decoding crawls. One thread fewer costs little when nothing else runs.
            cores = torch.cpu.get_capabilities()["num_physical_cores"]
            torch.set_num_threads(min(torch.get_num_threads(), max(1, cores - 1)))
        disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=offline)
            model: Any = AutoModelForCausalLM.from_pretrained(source, dtype=dtype, local_files_only=offline)
            return cls(model.to(device).eval(), tokenizer, name)
        except (OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise BadInput(f"The model {name} cannot be loaded ({reason}); check DEBUT_MODEL.") from error

    def generate(self, request: Request) -> Iterator[Piece]:
        """Decode one reply; see `Engine.generate`.

        Raises:
            ToolError: The prompt is longer than the model can read.
        """
        with self._turns.turn(request.cancelled) as mine:
            if not mine:
                yield Piece(ending="cancelled")
                return
            tokens = self._tokenizer.encode(request.prompt, add_special_tokens=False)
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
            tokens = self._forced(matcher)[: limit - run.reply_tokens]
            if not tokens:
                logits = self._read(prompt, pending, request, run)
                if logits is None:
                    return
                pending, tokens = [], [self._choose(logits, matcher, request.temperature)]
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

    def _read(self, prompt: KeptPrompt, tokens: list[int], request: Request, run: _Run) -> torch.Tensor | None:
        """Run the model over `tokens`; scores of the next token (float, on the CPU), None when cancelled."""
        logits = None
        for start in range(0, len(tokens), PREFILL_CHUNK):
            if request.cancelled and request.cancelled.is_set():
                run.ending = "cancelled"
                return None
            chunk = tokens[start : start + PREFILL_CHUNK]
            # Entered for each pass, not around the generator: the mode would leak to whoever reads the pieces.
            with torch.inference_mode():
                ids = torch.tensor([chunk], device=self._model.device)
                logits = self._model(ids, past_key_values=prompt.cache, use_cache=True, logits_to_keep=1).logits
            prompt.tokens += chunk
            run.forward_passes += 1
        return None if logits is None else logits[0, -1].float().cpu()

    def _choose(self, logits: torch.Tensor, matcher: LLMatcher | None, temperature: float) -> int:
        if matcher:
            mask = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), np.uint8), bitorder="little")
            allowed: NDArray[Any] = mask[: self._vocabulary].astype(bool)
            logits = logits.masked_fill(torch.from_numpy(~allowed), -torch.inf)
        if temperature <= 0:
            return int(logits.argmax())
        return int(torch.multinomial(torch.softmax(logits / temperature, -1), 1))

    def _texts(self, decoded: Iterator[list[int]]) -> Iterator[str]:
        """Text of token groups; a character that is split between tokens waits for its last byte."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for tokens in decoded:
            text = decoder.decode(self._guide.decode_bytes(tokens))
            if text:
                yield text


def hardware() -> tuple[str, torch.dtype]:
    """Device and number format to run on; bf16 on a CPU only where it has instructions for it (else it is slower)."""
    if torch.cuda.is_available():
        return "cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if torch.backends.mps.is_available():
        return "mps", torch.float16
    can = torch.cpu.get_capabilities()
    return "cpu", torch.bfloat16 if can.get("avx512_bf16") or can.get("amx_bf16") else torch.float32


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """Length of the common beginning."""
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))
