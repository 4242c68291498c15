"""What is bought after what: pairs that follow each other more often than chance would have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import ndtr

from tools.promotion.bundles import false_discovery

_LEAST = 10  # customers with both, bought at different times
_MOST = 60  # different things looked at

Pair = tuple[str, str]


@dataclass(frozen=True)
class Sequel:
    """Something bought first, and later something else.

    Attributes:
        first: What comes first.
        then: What comes later.
        customers: Customers who began in this order.
        share: Of those who bought both, at different times first.
        lift: How much more often than if order meant nothing.
        q: P value against that, after Benjamini and Hochberg.
    """

    first: str
    then: str
    customers: int
    share: float
    lift: float
    q: float


def sequels(histories: Iterable[Sequence[Sequence[str]]], rate: float = 0.05) -> list[Sequel]:
    """Ordered pairs whose order is not chance, the clearest first.

    If order means nothing, all of a customer's purchases of the two are equally likely to come first, so that one
    bought twice as often comes first in two of three cases. The number of customers in the order seen is held against
    the sum of these chances (normal approximation, with a correction for continuity); of all tested those are kept
    whose false discovery rate is at most `rate`.

    Args:
        histories: Each customer's orders in time, each with what it held.
        rate: Share of false pairs that is borne.
    """
    kept = [[list(dict.fromkeys(order)) for order in history] for history in histories]
    number = Counter(each for history in kept for each in {item for order in history for item in order})
    common = {each for each, _ in sorted(number.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST]}
    seen: Counter[Pair] = Counter()
    chance: dict[Pair, list[float]] = {}
    for history in kept:
        _count(history, common, seen, chance)
    tested = [
        (first, then, sum(p), float(np.dot(p, 1 - np.array(p))), len(p))
        for (first, then), p in sorted(chance.items())
        if len(p) >= _LEAST and seen[first, then] > sum(p)
    ]
    p_values = [
        float(ndtr(-(seen[first, then] - 0.5 - mean) / np.sqrt(max(variance, 1e-12))))
        for first, then, mean, variance, _ in tested
    ]
    q = false_discovery(np.array(p_values))
    found = [
        Sequel(first, then, seen[first, then], seen[first, then] / both, seen[first, then] / mean, float(q[i]))
        for i, (first, then, mean, _, both) in enumerate(tested)
        if q[i] <= rate
    ]
    return sorted(found, key=lambda each: (-each.lift, each.first, each.then))


def _count(
    history: Sequence[Sequence[str]], common: set[str], seen: Counter[Pair], chance: dict[Pair, list[float]]
) -> None:
    """Enter one customer: of each two things not begun together, which came first and how likely that was."""
    begun: dict[str, int] = {}
    times: Counter[str] = Counter()
    for at, order in enumerate(history):
        for item in order:
            if item in common:
                begun.setdefault(item, at)
                times[item] += 1
    for one, other in combinations(sorted(begun), 2):
        if begun[one] == begun[other]:
            continue
        share = times[one] / (times[one] + times[other])
        chance.setdefault((one, other), []).append(share)
        chance.setdefault((other, one), []).append(1 - share)
        seen[(one, other) if begun[one] < begun[other] else (other, one)] += 1
