"""Recommenders that need no neighbours: what sells, what one had before, what is alike by its description."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np

from tools.recommend.histories import Array, Histories, Scores


class Recommender(Protocol):
    """Learns from a log and scores the whole catalogue for any histories, known or new ones."""

    def fit(self, log: Histories) -> Self:
        """Learn; the same log gives the same model, whatever the order of its rows."""

    def score(self, asked: Histories) -> Scores:
        """Higher is likelier, (rows, items); 0 is no evidence, and a history without evidence scores 0 throughout."""


@dataclass
class Popularity:
    """Share of interactions by item, older ones fading.

    Args:
        half_life: Share of the log's span in which an interaction loses half its weight; infinite fades nothing.
    """

    half_life: float = 0.25
    shares: Array = field(default_factory=lambda: np.zeros(0), repr=False)

    def fit(self, log: Histories) -> Self:
        last, first = (float(log.time.max()), float(log.time.min())) if len(log.time) else (0.0, 0.0)
        fade = 0.5 ** ((last - log.time) / max(self.half_life * (last - first), 1e-9)) if last > first else None
        counts = np.bincount(log.item, weights=fade, minlength=log.items).astype(float)
        self.shares = counts / max(counts.sum(), 1e-12)
        return self

    def score(self, asked: Histories) -> Scores:
        return np.tile(self.shares.astype(np.float32), (asked.rows, 1))


@dataclass
class Repeat:
    """What one has taken before, often and lately: the sum of exp(-back / reach) over one's own interactions."""

    reach: float = 50.0

    def fit(self, log: Histories) -> Self:
        return self

    def score(self, asked: Histories) -> Scores:
        return dense(asked.matrix(np.exp(-asked.back / self.reach)))


@dataclass
class Content:
    """Nearness of description to what one has taken: the cosine of item vectors, faded by how long ago.

    Args:
        vectors: Sparse (items, features), rows of length 1; see `describe`.
        reach: Interactions after which one counts exp(-1).
    """

    vectors: Any
    reach: float = 10.0

    def fit(self, log: Histories) -> Self:
        return self

    def score(self, asked: Histories) -> Scores:
        return dense(asked.faded(self.reach) @ self.vectors @ self.vectors.T)


def describe(texts: Sequence[str]) -> Any:
    """TF-IDF vectors of product texts (name, attributes, description), sparse (items, terms), rows of length 1 or 0."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(text.split() for text in texts):
        return csr_matrix((len(texts), 1), dtype=np.float32)
    # Pairs of characters as well as words: Chinese is written without spaces.
    model = TfidfVectorizer(sublinear_tf=True, token_pattern=r"[a-zA-Z][\w-]+|[\u3400-\u9fff]", dtype=np.float32)
    try:
        return model.fit_transform(texts)
    except ValueError:  # no text holds a word
        return csr_matrix((len(texts), 1), dtype=np.float32)


def dense(scores: Any) -> Scores:
    """Sparse or dense scores as one plain array."""
    plain = scores.toarray() if hasattr(scores, "toarray") else np.asarray(scores)
    return np.asarray(plain, dtype=np.float32)
