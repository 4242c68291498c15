"""The reference backend: transformers on CPU, CUDA or MPS."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache
from transformers.utils.logging import disable_progress_bar

from agent.models.decoding import Decoder, Logits
from agent.models.engine import States, depth
from shop import BadInput

CPU_CHUNK, GPU_CHUNK = 32, 512


class TransformersBackend:
    """A causal language model in evaluation mode, on its device."""

    def __init__(self, model: Any) -> None:
        self.model = model
        config = model.config.get_text_config()
        self.context = int(config.max_position_embeddings)
        self.vocabulary = int(model.get_output_embeddings().weight.shape[0])
        self._depth = depth(int(config.num_hidden_layers))
        self.chunk = CPU_CHUNK if model.device.type == "cpu" else GPU_CHUNK
        # Only full attention can be cut back to a shared part.
        self._can_cut = set(getattr(config, "layer_types", None) or ["full_attention"]) == {"full_attention"}

    def start(self) -> DynamicCache:
        return DynamicCache(config=self.model.config)

    def fork(self, state: DynamicCache, length: int) -> DynamicCache | None:
        if not self._can_cut:
            return None
        copied = copy.deepcopy(state)
        copied.crop(length - copied.get_seq_length())
        return copied

    def read(self, state: DynamicCache, past: int, tokens: Sequence[int]) -> Logits:
        # Entered for each pass, not around the loop: the mode would leak to whoever reads the pieces.
        with torch.inference_mode():
            ids = torch.tensor([list(tokens)], device=self.model.device)
            logits = self.model(ids, past_key_values=state, use_cache=True, logits_to_keep=1).logits
        scores: Logits = logits[0, -1].float().cpu().numpy()
        return scores

    def inner(self, tokens: Sequence[int]) -> States:
        with torch.inference_mode():
            ids = torch.tensor([list(tokens)], device=self.model.device)
            read = self.model(ids, output_hidden_states=True, use_cache=False, logits_to_keep=1)
        states: States = read.hidden_states[self._depth][0].float().cpu().numpy()
        return states


def load(source: str | Path, name: str, offline: bool = True) -> Decoder:
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
        return decoder(model.to(device).eval(), tokenizer, name)
    except torch.OutOfMemoryError as error:
        raise BadInput(
            f"The {device} has too little memory for {name}; free some, or choose a smaller model with DEBUT_MODEL."
        ) from error
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BadInput(f"The model {name} cannot be loaded ({reason}); check DEBUT_MODEL.") from error


def decoder(model: Any, tokenizer: Any, name: str, **options: Any) -> Decoder:
    """The decoding loop over a loaded model and its fast tokenizer; `options` are those of `Decoder`."""
    if not getattr(tokenizer, "is_fast", False):
        raise ValueError("its tokenizer is no fast tokenizer")
    ends = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    plain = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    plain.no_padding()
    plain.no_truncation()
    return Decoder(TransformersBackend(model), plain, name, ends, **options)


def hardware() -> tuple[str, torch.dtype]:
    """Device and number format to run on; bf16 on a CPU only where it has instructions for it (else it is slower)."""
    if torch.cuda.is_available():
        return "cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if torch.backends.mps.is_available():
        return "mps", torch.float16
    can = torch.cpu.get_capabilities()
    return "cpu", torch.bfloat16 if can.get("avx512_bf16") or can.get("amx_bf16") else torch.float32
