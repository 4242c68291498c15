"""A small real embedder for tests: words hashed into a vector, so that shared words mean nearness."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.words import words


class TinyEmbedder:
    """Unit vectors of hashed word counts, shape (n, 64); remembers how many texts it was given."""

    languages = frozenset({"en"})

    def __init__(self, fingerprint: str = "tiny") -> None:
        self.fingerprint = fingerprint
        self.embedded = 0

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([self._vector(text) for text in texts], dtype=np.float32)

    def passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        self.embedded += len(texts)
        if progress:
            progress(len(texts))
        return self.queries(texts)

    @staticmethod
    def _vector(text: str) -> NDArray[np.float32]:
        vector = np.full(64, 1e-3, dtype=np.float32)
        for word in words(text):
            vector[int(hashlib.sha256(word.encode()).hexdigest(), 16) % 64] += 1
        return vector / np.linalg.norm(vector)
