"""Who did what and when: the one thing every recommender learns from and answers for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Scores = NDArray[np.float32]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Histories:
    """Interactions of people or sessions with items, each row's oldest first. Build with `histories`.

    Attributes:
        row: Whose, (n,), ascending.
        item: Of what, (n,), a number below `items`.
        time: When, (n,), in days or as a running number.
        now: When each row is asked for, (rows,), not before its last interaction.
        items: Size of the catalogue, items without interactions included.
    """

    row: Index
    item: Index
    time: Array
    now: Array
    items: int

    @property
    def rows(self) -> int:
        return len(self.now)

    @cached_property
    def lengths(self) -> Index:
        """Interactions by row, (rows,)."""
        return np.bincount(self.row, minlength=self.rows)

    @cached_property
    def back(self) -> Index:
        """How many interactions ago, (n,): 0 for the last one of a row."""
        ends = np.cumsum(self.lengths)
        return np.asarray(ends[self.row] - 1 - np.arange(len(self.row)), dtype=np.int64)

    def matrix(self, weights: Array | None = None) -> Any:
        """Sparse (rows, items): the sum of the interactions' weights; left out, 1 where there was any."""
        from scipy.sparse import csr_matrix

        data = np.ones(len(self.row)) if weights is None else weights
        found = csr_matrix((data.astype(np.float32), (self.row, self.item)), shape=(self.rows, self.items))
        found.sum_duplicates()
        if weights is None:
            found.data[:] = 1.0
        return found

    def faded(self, reach: float) -> Any:
        """Sparse (rows, items): the largest weight exp(-back / reach) of each item; an infinite reach fades nothing."""
        weights = np.exp(-self.back / reach)
        # The last of equal pairs is the newest, hence the heaviest.
        pair = self.row * self.items + self.item
        newest = len(pair) - 1 - np.unique(pair[::-1], return_index=True)[1]
        return self.at(np.sort(newest)).matrix(weights[np.sort(newest)])

    def at(self, places: Index) -> Histories:
        """Some of the interactions, all rows kept."""
        return Histories(self.row[places], self.item[places], self.time[places], self.now, self.items)

    def take(self, rows: Index) -> Histories:
        """Some of the rows, numbered anew in the order given."""
        ends = np.cumsum(self.lengths)
        starts, lengths = ends[rows] - self.lengths[rows], self.lengths[rows]
        places = _ranges(starts, lengths)
        return Histories(
            np.repeat(np.arange(len(rows)), lengths), self.item[places], self.time[places], self.now[rows], self.items
        )

    def first_seen(self) -> Array:
        """Time of each item's first interaction, (items,); infinite where there was none."""
        found = np.full(self.items, np.inf)
        np.minimum.at(found, self.item, self.time)
        return found


def histories(row: Index, item: Index, time: Array, items: int, now: Array | None = None) -> Histories:
    """Interactions in any order, put in order; those of one time stay in the order given.

    Args:
        row: Whose, (n,), numbers from 0.
        item: Of what, (n,).
        time: When, (n,).
        items: Size of the catalogue.
        now: When each row is asked for, (rows,); left out, its last interaction, and only rows with one exist.

    Raises:
        ValueError: An item is outside the catalogue.
    """
    if len(item) and not 0 <= item.min() <= item.max() < items:
        raise ValueError(f"items must be numbers from 0 to {items - 1}")
    order = np.lexsort((time, row))
    if now is None:
        now = np.zeros(int(row.max()) + 1 if len(row) else 0)
        np.maximum.at(now, row, time)
    return Histories(row[order], item[order], time[order].astype(float), now, items)


def _ranges(starts: Index, lengths: Index) -> Index:
    """The numbers start … start + length - 1 of each pair, one after the other."""
    offsets = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths) if len(lengths) else starts
    return np.asarray(np.arange(int(lengths.sum())) + offsets, dtype=np.int64)
