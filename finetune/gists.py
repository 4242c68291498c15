"""What a merged adapter makes of many turns, read in batches: for fitting the chooser that lies in its folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.choice import Asked, read_alone
from agent.models.adapters import read_adapter
from agent.models.decoding import pooled
from agent.models.engine import depth
from agent.models.weights import EMBEDDED, prepare_merged

BATCH = 64
EVERY = 50  # batches between two lines of progress


class BatchReader:
    """An `agent.choice.Reader` over transformers; every turn is read once.

    At the desk the engine that also writes the replies reads a turn, in 8-bit blocks; a test holds the two together.

    Args:
        adapter: Folder of an exported adapter.
        home: Folder of converted weights.
        say: Called with a line of progress.

    Raises:
        BadInput: The folder holds no adapter, or one that was trained on other weights.
    """

    def __init__(self, adapter: Path, home: Path, say: Callable[[str], None] = print) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.digest = read_adapter(adapter, EMBEDDED.sha256).digest
        merged = prepare_merged(home, adapter)
        self._tokenizer = AutoTokenizer.from_pretrained(merged, local_files_only=True)
        network = AutoModelForCausalLM.from_pretrained(merged, dtype=torch.bfloat16, local_files_only=True).model
        # What is above is not looked at.
        network.layers, network.norm = network.layers[: depth(len(network.layers))], torch.nn.Identity()
        self._network, self._say = network.eval(), say
        self._known: dict[tuple[str, str, str], NDArray[np.float16]] = {}

    def gists(self, turns: Sequence[Asked]) -> NDArray[np.float32]:
        parts = [read_alone(turn) for turn in turns]
        self._read(list(dict.fromkeys(each for each in parts if each not in self._known)))
        return np.stack([self._known[each] for each in parts]).astype(np.float32)

    def _read(self, parts: Sequence[tuple[str, str, str]]) -> None:
        ids = [[self._tokenizer(part, add_special_tokens=False)["input_ids"] for part in each] for each in parts]
        # Turns of like length share a batch, so little of it is padding.
        rows = [[token for part in each for token in part] for each in ids]
        order = sorted(range(len(rows)), key=lambda n: len(rows[n]))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            for number, states in zip(batch, self._states([rows[n] for n in batch]), strict=True):
                head, words, _ = ids[number]
                self._known[parts[number]] = pooled(states, len(head), len(words)).astype(np.float16)
            if start // BATCH % EVERY == EVERY - 1:
                self._say(f"{start + len(batch)} of {len(order)} turns read")

    def _states(self, rows: Sequence[list[int]]) -> list[Any]:
        """States of every token of a batch, shapes (tokens, width)."""
        import torch

        ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row)
        with torch.inference_mode():
            # Padding stands after the tokens, which do not look ahead, so it needs no mask.
            states = self._network(ids, use_cache=False).last_hidden_state.float().numpy()
        return [states[number, : len(row)] for number, row in enumerate(rows)]
