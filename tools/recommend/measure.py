"""How good lists are: nDCG, recall, coverage of the catalogue and exposure of new items, over the full catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np

from tools.recommend.histories import Array, Index, Mask


def hits(lists: Index, truth: Any) -> Array:
    """1 where a place of a list holds an item that was taken, (rows, limit); an empty place is a miss."""
    rows = np.repeat(np.arange(len(lists)), lists.shape[1])
    found = np.asarray(truth[rows, np.maximum(lists, 0).ravel()]).reshape(lists.shape)
    return np.asarray(np.where(lists >= 0, found, 0.0), dtype=float)


def ndcg(lists: Index, truth: Any, at: int = 10) -> Array:
    """Normalised discounted cumulative gain of each row, (rows,) (Järvelin and Kekäläinen, 2002)."""
    discount = 1 / np.log2(np.arange(at) + 2)
    gained = hits(lists[:, :at], truth) @ discount[: lists[:, :at].shape[1]]
    taken = np.minimum(np.diff(truth.indptr), at)
    best = np.concatenate([[0.0], np.cumsum(discount)])[taken]
    return np.asarray(np.divide(gained, best, out=np.zeros(len(lists)), where=best > 0))


def recall(lists: Index, truth: Any, at: int = 20) -> Array:
    """Share of what was taken that stands among the first `at`, (rows,)."""
    taken = np.diff(truth.indptr)
    found = hits(lists[:, :at], truth).sum(axis=1)
    return np.asarray(np.divide(found, taken, out=np.zeros(len(lists)), where=taken > 0))


def coverage(lists: Index, items: int) -> float:
    """Share of the catalogue that stands on at least one list."""
    return len(np.unique(lists[lists >= 0])) / items


def exposure(lists: Index, chosen: Mask) -> float:
    """Share of the filled places that hold one of the chosen items, for example new ones."""
    shown = lists[lists >= 0]
    return float(chosen[shown].mean()) if len(shown) else float("nan")
