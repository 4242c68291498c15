"""Past and future: cuts a log so that what comes after it can be predicted from what came before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tools.recommend.histories import Histories, Index, histories


@dataclass(frozen=True)
class Trial:
    """What a recommender may learn from, the rows it is asked about, and what they took next.

    Attributes:
        past: The log to learn from.
        asked: The histories to answer for, (rows); none is empty.
        truth: Sparse (rows, items), 1 where the item was taken.
        group: Whose each row is, (rows,): rows of one person are not independent.
    """

    past: Histories
    asked: Histories
    truth: Any
    group: Index

    def sample(self, most: int, seed: int = 0) -> Trial:
        """At most so many rows, by whole groups drawn at random, in their order."""
        if self.asked.rows <= most:
            return self
        shuffled = np.random.default_rng(seed).permutation(np.unique(self.group))
        counts = np.bincount(self.group)[shuffled]
        kept = np.isin(self.group, shuffled[: max(1, int(np.searchsorted(np.cumsum(counts), most)))])
        rows = np.flatnonzero(kept)
        return Trial(self.past, self.asked.take(rows), self.truth[rows], self.group[rows])


def by_session(log: Histories, tested: Index) -> Trial:
    """Each item after the first of the tested rows from those before it; the other rows are the past."""
    rest = np.setdiff1d(np.arange(log.rows), tested)
    return unfolded(log.take(rest), log.take(tested))


def unfolded(past: Histories, sessions: Histories) -> Trial:
    """Every beginning of every session, with the item that came next."""
    begins = np.cumsum(sessions.lengths) - sessions.lengths
    place = np.arange(len(sessions.row)) - begins[sessions.row]
    last = np.flatnonzero(place > 0)  # where the item to predict stands
    lengths = place[last]
    inner = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    source = np.repeat(last - lengths, lengths) + inner
    asked = Histories(
        np.repeat(np.arange(len(last)), lengths),
        sessions.item[source],
        sessions.time[source],
        sessions.time[last - 1],
        sessions.items,
    )
    return Trial(past, asked, _truth(np.arange(len(last)), sessions.item[last], asked), sessions.row[last])


def leave_last_out(log: Histories) -> Trial:
    """Each row's last item from its earlier ones; rows with a single item are past alone."""
    target = (log.back == 0) & (log.lengths[log.row] > 1)
    past = log.at(np.flatnonzero(~target))
    rows = log.row[target]
    asked = past.take(rows)
    return Trial(past, asked, _truth(np.arange(len(rows)), log.item[target], asked), np.arange(len(rows)))


def by_time(log: Histories, split: float, until: float = np.inf) -> Trial:
    """What each row took from `split` on, before `until`, from what it took earlier; rows without a past are left out.

    Raises:
        ValueError: Nobody has interactions on both sides.
    """
    before = log.time < split
    after = ~before & (log.time < until)
    rows = np.intersect1d(log.row[before], log.row[after])
    if not len(rows):
        raise ValueError("nobody has interactions on both sides of the split")
    kept = np.unique(log.row[before])
    place = np.zeros(log.rows, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    past = histories(place[log.row[before]], log.item[before], log.time[before], log.items)
    asked = past.take(place[rows])
    asked = Histories(asked.row, asked.item, asked.time, np.full(len(rows), float(split)), log.items)
    later = after & np.isin(log.row, rows)
    return Trial(
        past, asked, _truth(np.searchsorted(rows, log.row[later]), log.item[later], asked), np.arange(len(rows))
    )


def _truth(row: Index, item: Index, asked: Histories) -> Any:
    from scipy.sparse import csr_matrix

    found = csr_matrix((np.ones(len(row), dtype=np.float32), (row, item)), shape=(asked.rows, asked.items))
    found.sum_duplicates()
    found.data[:] = 1.0
    return found
