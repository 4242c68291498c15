"""Recommenders by company: items taken by the same people, people who took the same items, items taken next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from tools.recommend.histories import Histories, Index, Scores
from tools.recommend.simple import dense


@dataclass
class ItemNeighbours:
    """Item-based nearest neighbours (Sarwar et al., 2001): cosine of who took them, shrunk where few did.

    Args:
        neighbours: Kept per item.
        shrink: Added to the denominator, so that a single joint taker is no proof.
        reach: Interactions of a history after which one counts exp(-1).
    """

    neighbours: int = 200
    shrink: float = 5.0
    reach: float = np.inf
    near: Any = field(default=None, repr=False)

    def fit(self, log: Histories) -> Self:
        taken = log.matrix()
        together = (taken.T @ taken).tocsr()
        counts = together.diagonal()
        together.setdiag(0)
        together.eliminate_zeros()
        row = np.repeat(np.arange(log.items), np.diff(together.indptr))
        joint = np.sqrt(counts[row] * counts[together.indices]) + self.shrink
        together.data = (together.data / joint).astype(np.float32)
        self.near = keep_best(together, self.neighbours)
        return self

    def score(self, asked: Histories) -> Scores:
        return dense(asked.faded(self.reach) @ self.near)


@dataclass
class CoVisits:
    """What is taken near an item in a history, the nearer the more (sequential rules; Ludewig and Jannach, 2018).

    Args:
        directed: Count only what came after.
        window: Interactions apart at most.
        reach: Interactions of a history after which one counts exp(-1).
        power: Of the count of an item by which its company is divided; 0 leaves counts as they are.
    """

    directed: bool = False
    window: int = 10
    reach: float = 2.0
    power: float = 0.0
    near: Any = field(default=None, repr=False)

    def fit(self, log: Histories) -> Self:
        from scipy.sparse import csr_matrix, diags

        shape = (log.items, log.items)
        total = csr_matrix(shape, dtype=np.float32)
        for gap in range(1, self.window + 1):
            same = np.flatnonzero((log.row[gap:] == log.row[:-gap]) & (log.item[gap:] != log.item[:-gap]))
            weight = np.full(len(same), 1.0 / gap, dtype=np.float32)
            total = total + csr_matrix((weight, (log.item[same], log.item[same + gap])), shape=shape)
        if not self.directed:
            total = total + total.T
        counts = np.bincount(log.item, minlength=log.items).astype(np.float32)
        self.near = (diags(1.0 / np.maximum(counts, 1.0) ** self.power) @ total).tocsr().astype(np.float32)
        return self

    def score(self, asked: Histories) -> Scores:
        return dense(asked.faded(self.reach) @ self.near)


@dataclass
class UserNeighbours:
    """Nearest histories: of people (cosine), or of sessions with the last items weighing most.

    The second is vector multiplication session kNN (VS-kNN; Ludewig and Jannach, 2018): an infinite `reach` and no
    `rare` give plain user neighbours.

    Args:
        neighbours: Histories that count for one.
        reach: Interactions after which one counts exp(-1) when histories are compared.
        rare: Power of the inverse frequency by which items of the neighbours are weighed; 0 weighs them alike.
    """

    neighbours: int = 300
    reach: float = np.inf
    rare: float = 0.0
    taken: Any = field(default=None, repr=False)
    voting: Any = field(default=None, repr=False)

    def fit(self, log: Histories) -> Self:
        from scipy.sparse import diags

        taken = log.matrix()
        size = np.sqrt(np.maximum(np.diff(taken.indptr), 1)).astype(np.float32)
        self.taken = (diags(1 / size) @ taken).T.tocsr()
        counts = np.bincount(log.item, minlength=log.items)
        weight = np.log1p(log.rows / np.maximum(counts, 1.0)) ** self.rare
        self.voting = (taken @ diags(weight.astype(np.float32))).tocsr()
        return self

    def score(self, asked: Histories) -> Scores:
        from scipy.sparse import diags

        mine = asked.faded(self.reach)
        size = np.sqrt(np.maximum(np.asarray(mine.multiply(mine).sum(axis=1)).ravel(), 1e-9)).astype(np.float32)
        near = keep_best((diags(1 / size) @ mine @ self.taken).tocsr(), self.neighbours)
        return dense(near @ self.voting)


def keep_best(matrix: Any, most: int) -> Any:
    """The `most` largest entries of each row of a sparse matrix; of equal ones, those of the lowest columns."""
    matrix.sort_indices()
    lengths = np.diff(matrix.indptr)
    if not len(lengths) or lengths.max() <= most:
        return matrix
    row = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((matrix.indices, -matrix.data, row))
    place: Index = np.arange(len(order)) - matrix.indptr[:-1][row]
    data = matrix.data.copy()
    data[order[place >= most]] = 0.0
    kept = matrix.copy()
    kept.data = data
    kept.eliminate_zeros()
    return kept
