"""Recommenders by factors and regressions: SVD, alternating least squares through `implicit`, and EASE."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from tools.recommend.histories import Histories, Scores
from tools.recommend.simple import dense

_FEW = 3  # interactions below which an item's own factors are worth less than those of items described alike


@dataclass
class Svd:
    """PureSVD (Cremonesi et al., 2010): a history projected on the items' leading directions and back.

    Args:
        factors: Directions kept.
        power: Of an item's count by which its column is divided first, so that bestsellers do not fill them all.
        content: Item vectors (items, features); items hardly seen get their factors from items described alike.
        seed: Of the randomised decomposition.
    """

    factors: int = 64
    power: float = 0.3
    content: Any = None
    seed: int = 0
    directions: Scores = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32), repr=False)
    weight: Scores = field(default_factory=lambda: np.zeros(0, dtype=np.float32), repr=False)

    def fit(self, log: Histories) -> Self:
        from scipy.sparse import diags
        from sklearn.utils.extmath import randomized_svd

        taken = log.matrix()
        counts = np.asarray(taken.sum(axis=0)).ravel()
        self.weight = (1 / np.maximum(counts, 1.0) ** self.power).astype(np.float32)
        rank = min(self.factors, min(taken.shape) - 1)
        if rank < 1:
            self.directions = np.zeros((log.items, 1), dtype=np.float32)
            return self
        weighed = taken @ diags(self.weight)
        found = randomized_svd(weighed, n_components=rank, n_iter=3, random_state=self.seed)[2].T
        self.directions = with_new_items(found.astype(np.float32), counts, self.content)
        return self

    def score(self, asked: Histories) -> Scores:
        from scipy.sparse import diags

        return dense((asked.matrix() @ diags(self.weight) @ self.directions) @ self.directions.T)


@dataclass
class Als:
    """Implicit-feedback matrix factorisation (Hu, Koren and Volinsky, 2008) with `implicit`; new histories fold in.

    Args:
        factors: Length of the vectors.
        alpha: Confidence that an interaction adds.
        regularization: Penalty on the vectors.
        iterations: Alternations.
        content: Item vectors (items, features), as for `Svd`.
        seed: Of the starting vectors.
    """

    factors: int = 64
    alpha: float = 10.0
    regularization: float = 0.05
    iterations: int = 12
    content: Any = None
    seed: int = 0
    vectors: Scores = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32), repr=False)

    def fit(self, log: Histories) -> Self:
        from implicit.cpu.als import AlternatingLeastSquares

        model = AlternatingLeastSquares(
            factors=self.factors,
            alpha=1.0,
            regularization=self.regularization,
            iterations=self.iterations,
            num_threads=1,
            random_state=self.seed,
        )
        taken = log.matrix()
        model.fit(taken * (1.0 + self.alpha), show_progress=False)
        counts = np.asarray(taken.sum(axis=0)).ravel()
        self.vectors = with_new_items(np.asarray(model.item_factors), counts, self.content)
        return self

    def score(self, asked: Histories) -> Scores:
        return np.asarray(self.people(asked) @ self.vectors.T, dtype=np.float32)

    def people(self, asked: Histories) -> Scores:
        """Each history's own vector (rows, factors): one regularised least-squares step with the items held fixed."""
        taken = asked.matrix()
        gram = self.vectors.T @ self.vectors + self.regularization * np.eye(self.vectors.shape[1], dtype=np.float32)
        found = np.zeros((asked.rows, self.vectors.shape[1]), dtype=np.float32)
        for row in range(asked.rows):
            mine = self.vectors[taken.indices[taken.indptr[row] : taken.indptr[row + 1]]]
            if len(mine):
                left = gram + self.alpha * (mine.T @ mine)
                found[row] = np.linalg.solve(left, (1 + self.alpha) * mine.sum(axis=0))
        return found


@dataclass
class Ease:
    """EASE (Steck, 2019): each item regressed on all others in closed form.

    Args:
        penalty: Of the ridge regression.
        most: Items that take part, the most taken ones: time grows with the cube, memory with the square.
    """

    penalty: float = 100.0
    most: int = 3000
    weights: Scores = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32), repr=False)
    part: Any = field(default=None, repr=False)
    items: int = 0

    def fit(self, log: Histories) -> Self:
        counts = np.bincount(log.item, minlength=log.items)
        self.part = np.sort(np.lexsort((np.arange(log.items), -counts))[: self.most])
        taken = log.matrix()[:, self.part]
        gram = np.asarray((taken.T @ taken).toarray(), dtype=np.float64)
        gram[np.diag_indices_from(gram)] += self.penalty
        inverse = np.linalg.inv(gram)
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        self.weights, self.items = weights.astype(np.float32), log.items
        return self

    def score(self, asked: Histories) -> Scores:
        found = np.zeros((asked.rows, self.items), dtype=np.float32)
        found[:, self.part] = asked.matrix()[:, self.part] @ self.weights
        return found


def with_new_items(vectors: Scores, counts: Any, content: Any) -> Scores:
    """Item vectors (items, factors) where items hardly taken get theirs from their description by ridge regression.

    Args:
        vectors: As learned, (items, factors).
        counts: Interactions by item, (items,).
        content: Item vectors (items, features); None leaves all as they are.
    """
    known = counts >= _FEW
    if content is None or known.all() or not known.any() or content.nnz == 0:
        return vectors
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=1.0, solver="sparse_cg", random_state=0).fit(content[known], vectors[known])
    told = ~known & (np.diff(content.indptr) > 0)
    found = vectors.copy()
    found[told] = np.asarray(model.predict(content[told])).reshape(int(told.sum()), -1)
    return found
