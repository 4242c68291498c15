"""One ranking from two: scores by words and by meaning, each kept on its own absolute scale, and averaged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

# Chosen on the development halves of the public sets (docs/retrieval.md), never on what is reported.
MEANING = 0.7  # weight of the cosine
# Share of a query's information at which a passage is surely about it. A Chinese query is counted by its words, pairs
# and characters, and even its answer holds few of the pairs.
SURE_COVERED = {"en": 1.0, "zh": 0.5}
SURE_COSINE = (0.25, 0.55)  # a cosine at which a passage is surely not, and surely, about the query


def fuse(
    lexical: NDArray[np.float32], covered: NDArray[np.float32], cosines: Mapping[int, float], pool: int
) -> list[tuple[int, float]]:
    """Passages with their scores, best first: the best `pool` by words together with those that have a cosine.

    A convex combination of scores (Bruch, Gai & Ingber 2023), which keeps how sure either side is; reciprocal ranks
    throw that away and follow the weaker side half of the way. The side of words is the geometric mean of BM25,
    relative to the query's best, and the share of the query's information covered. A passage that meaning did not
    put forward gets the lowest cosine that it did.

    Args:
        lexical: BM25 of every passage, 0 where it is out of scope, shape (passages,).
        covered: Share of the query covered by every passage, shape (passages,).
        cosines: Of the passages closest in meaning, by position; empty where there is no such side.
        pool: How many passages the side of words puts forward.
    """
    best = np.argpartition(-lexical, min(pool, len(lexical) - 1))[:pool] if len(lexical) else np.empty(0, int)
    best = best[lexical[best] > 0]
    top = float(lexical[best].max(initial=0)) or 1.0
    if not cosines:
        return _ordered(best, lexical[best] / top)
    rows = np.union1d(best, np.fromiter(cosines, int))
    floor = min(cosines.values())
    meaning = np.clip([cosines.get(int(row), floor) for row in rows], 0, 1)
    said = np.sqrt(covered[rows] * np.clip(lexical[rows], 0, None) / top)
    return _ordered(rows, MEANING * meaning + (1 - MEANING) * said)


def surely(covered: float, cosine: float | None, language: str) -> float:
    """How surely a passage is about a query at all, between 0 and 1, from the better of the two sides."""
    low, high = SURE_COSINE
    by_meaning = 0.0 if cosine is None else (cosine - low) / (high - low)
    return float(np.clip(max(covered / SURE_COVERED[language], by_meaning), 0, 1))


def _ordered(rows: NDArray[np.int64], scores: NDArray[np.floating]) -> list[tuple[int, float]]:
    order = np.lexsort((rows, -scores))  # equal scores keep the order of the passages
    return [(int(rows[i]), float(scores[i])) for i in order]
