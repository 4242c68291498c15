"""From scores to a list: what may be shown, what was had before, variety, prices, and places for what is new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tools.recommend.histories import Array, Histories, Index, Mask, Scores


@dataclass(frozen=True)
class Guards:
    """What keeps a list useful.

    Attributes:
        same_kind: Share of the list that one category may fill.
        low: Lowest price shown, as a multiple of the lowest usually paid.
        high: Highest price shown, as a multiple of the highest usually paid.
        explore: Share of the places kept for new items, which no history can recommend yet.
    """

    same_kind: float = 0.5
    low: float = 0.4
    high: float = 1.8
    explore: float = 0.1


def top(scores: Scores, limit: int, allowed: Mask | None = None, taken: Any = None) -> Index:
    """The best items of each row, best first, (rows, limit); -1 where fewer may be shown.

    Args:
        scores: (rows, items).
        limit: Length of the lists.
        allowed: Items that may be shown, (items,); left out, all.
        taken: Sparse (rows, items) of what is not to be shown again; left out, nothing.
    """
    held = scores.astype(np.float32, copy=True)
    if allowed is not None:
        held[:, ~allowed] = -np.inf
    if taken is not None:
        coo = taken.tocoo()
        held[coo.row, coo.col] = -np.inf
    limit = min(limit, held.shape[1])
    part = np.argpartition(-held, limit - 1, axis=1)[:, :limit] if limit < held.shape[1] else None
    if part is None:
        part = np.tile(np.arange(held.shape[1]), (len(held), 1))
    values = np.take_along_axis(held, part, axis=1)
    # Of equal scores the lower number comes first, so that a list does not depend on the sort.
    order = np.lexsort((part, -values), axis=1)
    found = np.take_along_axis(part, order, axis=1)
    found[~np.isfinite(np.take_along_axis(values, order, axis=1))] = -1
    return np.asarray(found, dtype=np.int64)


def without(lists: Index, had: Any) -> Index:
    """Lists with what was had before taken out and the rest moved up, -1 at their ends.

    Args:
        lists: (rows, limit).
        had: Sparse (rows, items).
    """
    rows = np.repeat(np.arange(len(lists)), lists.shape[1])
    out = (np.asarray(had[rows, np.maximum(lists, 0).ravel()]).reshape(lists.shape) > 0) | (lists < 0)
    order = np.argsort(out, axis=1, kind="stable")
    return np.asarray(np.take_along_axis(np.where(out, -1, lists), order, axis=1))


def with_popular(scores: Scores, popular: Array) -> Scores:
    """Scores with popularity as the last resort: it only orders what the recommender gives no evidence for."""
    least = np.where(scores > 0, scores, np.inf).min(axis=1, keepdims=True)
    least = np.where(np.isfinite(least), least, 1.0)
    share = (popular / max(float(popular.max(initial=0.0)), 1e-12)).astype(np.float32)
    return np.asarray(np.where(scores > 0, scores, share * least * 0.5), dtype=np.float32)


def pick(
    scores: Scores,
    limit: int,
    allowed: Mask,
    kinds: Index,
    prices: Array,
    paid: tuple[float, float] | None,
    new: Mask,
    guards: Guards | None = None,
) -> list[int]:
    """One list under all guards, best first: as many as may be shown, at most `limit`.

    A guard yields rather than leave a place empty: what it held back follows in order of the scores. What is not
    allowed never follows.

    Args:
        scores: Of each item, (items,).
        limit: Length of the list.
        allowed: Items that may be shown, (items,).
        kinds: Category of each item, (items,).
        prices: (items,), nan where unknown.
        paid: Lowest and highest price usually paid; None where that is not known.
        new: Items that explore, (items,).
        guards: What is asked of the list.
    """
    guards = guards or Guards()
    order = [int(i) for i in np.lexsort((np.arange(len(scores)), -scores)) if allowed[i]]
    fits = np.ones(len(scores), dtype=bool)
    if paid is not None:
        fits = ~((prices < guards.low * paid[0]) | (prices > guards.high * paid[1]))
    places = max(1, round(guards.explore * limit)) if guards.explore > 0 and limit > 1 else 0
    explored = [item for item in order if new[item] and fits[item]][:places]
    most = max(1, int(np.ceil(guards.same_kind * limit)))
    chosen, count = list[int](), dict[int, int]()
    for item in [item for item in order if fits[item] and item not in explored]:
        if len(chosen) < limit - len(explored) and count.get(int(kinds[item]), 0) < most:
            chosen.append(item)
            count[int(kinds[item])] = count.get(int(kinds[item]), 0) + 1
    chosen += [item for item in explored if item not in chosen]
    rest = [item for item in order if item not in chosen]
    return chosen + rest[: limit - len(chosen)]


def usual_prices(asked: Histories, prices: Array) -> list[tuple[float, float] | None]:
    """P10 and P90 of the prices of what each row took, None where fewer than three are known."""
    found: list[tuple[float, float] | None] = [None] * asked.rows
    values = pd.Series(prices[asked.item]).groupby(asked.row)
    for row, group in values:
        known = group.dropna()
        if len(known) >= 3:
            found[int(str(row))] = (float(known.quantile(0.1)), float(known.quantile(0.9)))
    return found


def variety(lists: Index, kinds: Index) -> float:
    """Share of the pairs of a list that are of different categories, mean over lists; nan without pairs."""
    shares = []
    for row in lists:
        of = kinds[row[row >= 0]]
        if len(of) > 1:
            same = sum(int(n) * (int(n) - 1) for n in np.unique(of, return_counts=True)[1])
            shares.append(1 - same / (len(of) * (len(of) - 1)))
    return float(np.mean(shares)) if shares else float("nan")
