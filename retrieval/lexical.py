"""Search by words: BM25 (bm25s) over terms of both languages, and how much of a query a passage covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import bm25s
import numpy as np
from numpy.typing import NDArray

from retrieval.words import words

Scores = NDArray[np.float32]


class Lexical:
    """BM25 (Lucene's variant, k1 1.5, b 0.75) of passages in a fixed order."""

    def __init__(self, index: bm25s.BM25, count: int) -> None:
        self._index = index
        self._count = count

    @classmethod
    def build(cls, texts: Sequence[str]) -> Lexical:
        index = bm25s.BM25()
        terms = [words(text) for text in texts]
        if any(terms):
            index.index(terms, show_progress=False)
        return cls(index, len(texts))

    def save(self, folder: Path) -> None:
        if self._known():
            self._index.save(str(folder), show_progress=False)

    @classmethod
    def load(cls, folder: Path, count: int) -> Lexical:
        """What `save` wrote.

        Raises:
            OSError, ValueError: A file is missing or damaged.
        """
        found = (folder / "params.index.json").exists()
        return cls(bm25s.BM25.load(str(folder), show_progress=False) if found else bm25s.BM25(), count)

    def scores(self, query: Sequence[Mapping[str, float]]) -> tuple[Scores, Scores]:
        """BM25 of every passage, and the share of the query's information that it holds; both of shape (passages,).

        A passage's score is the sum over the query's terms. A term's information is its inverse document frequency;
        one that no passage holds counts as the rarest, so the share says how surely a passage is about the query,
        whatever the collection.

        Args:
            query: For every term the words that stand for it, with their weights; the best one in a passage counts.
        """
        total, covered = np.zeros(self._count, np.float32), np.zeros(self._count, np.float32)
        if not self._known():
            return total, covered
        rarest, information = float(np.log(1 + self._count)), 0.0
        for alternatives in query:
            gain, rarity = self._term(alternatives)
            rarity = rarest if rarity is None else rarity
            total += gain
            covered += rarity * (gain > 0)
            information += rarity
        return total, covered / np.float32(information) if information else covered

    def _term(self, alternatives: Mapping[str, float]) -> tuple[Scores, float | None]:
        gain, rarity, matrix = np.zeros(self._count, np.float32), None, self._index.scores
        # The word that was said comes last, so its rarity is the one that counts where it is known.
        for word, weight in alternatives.items():
            token = self._index.vocab_dict.get(word)
            if token is None:
                continue
            rows = slice(int(matrix["indptr"][token]), int(matrix["indptr"][token + 1]))
            held = matrix["indices"][rows]
            gain[held] = np.maximum(gain[held], weight * matrix["data"][rows])
            rarity = float(np.log(1 + (self._count - len(held) + 0.5) / (len(held) + 0.5)))
        return gain, rarity

    def _known(self) -> bool:
        return hasattr(self._index, "scores") and bool(self._index.scores)
