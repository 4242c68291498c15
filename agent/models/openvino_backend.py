"""The fast backend for CPUs: a compiled OpenVINO model. Loads neither torch nor transformers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from tokenizers import Tokenizer

from agent.models.decoding import Decoder, Logits
from agent.models.engine import States
from shop import BadInput

MODEL_FILE, KERNELS = "openvino_model.xml", "kernels"
CHUNK = 64
# The plug-in's own choices (8-bit activations, 8-bit keys and values, bfloat16) read long prompts faster, but what was
# read in pieces then differs from what was read at once, and a kept prompt from a fresh one.
EXACT = {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}


class OpenVinoBackend:
    """One compiled model; every prompt that is kept has an inference request, which holds its keys and values.

    Args:
        folder: What `agent.models.export` wrote.
        precision: Properties of the CPU plug-in that trade exactness for speed.
    """

    def __init__(self, folder: Path, precision: dict[str, str] | None = None) -> None:
        config = json.loads((folder / "config.json").read_text())
        self.context = int(config["max_position_embeddings"])
        self.vocabulary = int(config["vocab_size"])
        self.chunk = CHUNK
        # Compiled kernels are as large as the weights: kept beside them, they go when those do.
        options = {"PERFORMANCE_HINT": "LATENCY", "CACHE_DIR": str(folder / KERNELS), **(precision or EXACT)}
        self._model = openvino.Core().compile_model(str(folder / MODEL_FILE), "CPU", options)
        self._beam = np.zeros(1, np.int32)

    def start(self) -> Any:
        return self._model.create_infer_request()

    def fork(self, state: Any, length: int) -> Any:
        copied = self.start()
        whole = {memory.name: memory for memory in state.query_state()}
        for memory in copied.query_state():
            # Keys and values of all tokens, shape (1, heads, tokens, width).
            data = whole[memory.name].state.data
            memory.state = openvino.Tensor(np.ascontiguousarray(data[:, :, :length]))
        return copied

    def read(self, state: Any, past: int, tokens: Sequence[int]) -> Logits:
        scores: Logits = self._infer(state, past, tokens)[0][0, -1]
        return scores

    def inner(self, tokens: Sequence[int]) -> States:
        # A copy: the tensor goes with its request.
        states: States = self._infer(self.start(), 0, tokens)[1][0].copy()
        return states

    def _infer(self, state: Any, past: int, tokens: Sequence[int]) -> Any:
        end = past + len(tokens)
        inputs = {
            "input_ids": np.array([tokens], np.int64),
            "attention_mask": np.ones((1, end), np.int64),
            "position_ids": np.arange(past, end, dtype=np.int64)[None],
            "beam_idx": self._beam,
        }
        return state.infer(inputs)


def load(folder: Path, name: str, precision: dict[str, str] | None = None) -> Decoder:
    """The decoding loop over a folder that `agent.models.export` wrote; `precision` as in `OpenVinoBackend`.

    Raises:
        BadInput: The folder cannot be read as a model.
    """
    try:
        backend = OpenVinoBackend(folder, precision)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        ends = json.loads((folder / "config.json").read_text())["eos_token_id"]
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise BadInput(f"The compiled model in {folder} cannot be used; delete that folder and start again.") from error
    return Decoder(backend, tokenizer, name, ends if isinstance(ends, list) else [ends])
