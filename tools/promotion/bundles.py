"""Bundles from baskets: what is bought together more often than chance brings together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_LEAST_TOGETHER = 5
_MOST_ITEMS = 300


@dataclass(frozen=True)
class Rule:
    """Two items bought together: in `together` of `baskets`; `p` is Fisher's, `q` after Benjamini and Hochberg."""

    first: str
    second: str
    together: int
    lift: float
    confidence: float
    p: float
    q: float


def rules(baskets: Sequence[Sequence[str]], rate: float = 0.05) -> list[Rule]:
    """Pairs that go together more often than chance, strongest first.

    Frequent pairs by FP-growth (Han et al., 2000); each is tested with Fisher's exact test against independence, and
    of all tested those are kept whose false discovery rate (Benjamini and Hochberg, 1995) is at most `rate`.

    Args:
        baskets: Items of each order.
        rate: Share of false rules that is borne.
    """
    from mlxtend.frequent_patterns import fpgrowth
    from scipy.sparse import csr_matrix

    several = [sorted(set(basket)) for basket in baskets]
    total = len(several)
    counts = pd.Series([item for basket in several for item in basket]).value_counts() if several else pd.Series()
    items = sorted(counts[counts >= _LEAST_TOGETHER].index[:_MOST_ITEMS])
    if len(items) < 2:
        return []
    place = {item: i for i, item in enumerate(items)}
    pairs = [(row, place[item]) for row, basket in enumerate(several) for item in basket if item in place]
    at = np.array(pairs).T
    grid = csr_matrix((np.ones(len(pairs), dtype=bool), (at[0], at[1])), shape=(total, len(items)))
    frame = pd.DataFrame(grid.toarray(), columns=items)
    found = fpgrowth(frame, min_support=_LEAST_TOGETHER / total, use_colnames=True, max_len=2)
    found = found[found["itemsets"].map(len) == 2]
    tested = []
    for support, pair in zip(found["support"], found["itemsets"], strict=True):
        first, second = sorted(pair, key=lambda item: (-counts[item], item))
        together = round(support * total)
        tested.append((first, second, together, _fisher(together, int(counts[first]), int(counts[second]), total)))
    q = false_discovery(np.array([each[3] for each in tested]))
    kept = [
        Rule(
            first,
            second,
            together,
            together * total / (int(counts[first]) * int(counts[second])),
            together / int(counts[second]),
            p,
            float(q[i]),
        )
        for i, (first, second, together, p) in enumerate(tested)
    ]
    good = [rule for rule in kept if rule.q <= rate and rule.lift > 1]
    return sorted(good, key=lambda rule: (-rule.lift, rule.first, rule.second))


def false_discovery(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Benjamini and Hochberg's adjusted p values (n,)."""
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(p)) if len(p) else p


def _fisher(together: int, first: int, second: int, total: int) -> float:
    """One-sided p value of at least `together` joint baskets, given how often each is bought."""
    from scipy.stats import hypergeom

    return float(hypergeom.sf(together - 1, total, first, second))
