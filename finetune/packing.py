"""Examples packed without padding and without saying anything twice: rows that begin alike share their beginning.

The rows of a pack are laid out as a tree: a token attends to the tokens before it on its own branch alone, and stands
at the place that it has there. What the model computes for a row is what it would compute for the row by itself, but
the system prompt and the list of tools are read once for a dozen questions instead of a dozen times.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

ROOT = -1
Item = TypeVar("Item")


@dataclass(frozen=True)
class Row:
    """One example in tokens; the model is to write `tokens[reply:]`, and reads the rest."""

    tokens: tuple[int, ...]
    reply: int

    def __post_init__(self) -> None:
        if not 0 < self.reply < len(self.tokens):
            raise ValueError("a row needs something to read and something to write")


@dataclass
class Pack:
    """Rows as a tree of tokens.

    `tokens`, `positions` and `parents` have one entry a token; the output at `at[i]` is to predict `wanted[i]`.
    """

    tokens: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    wanted: list[int] = field(default_factory=list)
    rows: int = 0
    _path: list[int] = field(default_factory=list)

    @property
    def weight(self) -> int:
        """What the summed loss of a pack is divided by."""
        return len(self.wanted)

    def shared(self, row: Row) -> int:
        """How many of the row's first tokens are those of the row that was added last."""
        for place, (node, token) in enumerate(zip(self._path, row.tokens, strict=False)):
            if self.tokens[node] != token:
                return place
        return min(len(self._path), len(row.tokens))

    def add(self, row: Row) -> None:
        """Add a row below what it shares with the one before."""
        self._path = self._path[: self.shared(row)]
        for token in row.tokens[len(self._path) :]:
            self.tokens.append(token)
            self.positions.append(len(self._path))
            self.parents.append(self._path[-1] if self._path else ROOT)
            self._path.append(len(self.tokens) - 1)
        self.at += self._path[row.reply - 1 : -1]
        self.wanted += row.tokens[row.reply :]
        self.rows += 1

    def sees(self) -> NDArray[np.bool_]:
        """Which token (row) reads which (column): itself and what is before it on its branch."""
        seen = np.eye(len(self.tokens), dtype=bool)
        for node, parent in enumerate(self.parents):
            if parent != ROOT:
                seen[node] |= seen[parent]
        return seen


def pack(rows: Sequence[Row], most: int) -> list[Pack]:
    """Packs of at most `most` tokens; rows that begin alike come together.

    Raises:
        ValueError: A row by itself is longer than a pack.
    """
    packs: list[Pack] = []
    for row in sorted(rows, key=lambda each: each.tokens):
        if len(row.tokens) > most:
            raise ValueError(f"a row has {len(row.tokens)} tokens and a pack holds {most}")
        if not packs or len(packs[-1].tokens) + len(row.tokens) - packs[-1].shared(row) > most:
            packs.append(Pack())
        packs[-1].add(row)
    return packs


def steps(packs: Sequence[Item], each: int, epoch: int, seed: int) -> list[list[Item]]:
    """The packs of an epoch in a random order that seed and epoch decide, `each` to an optimiser step."""
    order = list(packs)
    random.Random(f"{seed}-{epoch}").shuffle(order)
    return [order[start : start + each] for start in range(0, len(order), each)]
