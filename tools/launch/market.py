"""Everything known on the day of a launch: other products' sales by period, what they are, and the shop's season."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from tools.demand.panel import Array, Panel
from tools.text import tokens

Index = NDArray[np.int64]
Embed = Callable[[Sequence[str]], Array]


@dataclass(frozen=True)
class Market:
    """A shop's products and their sales by period.

    Attributes:
        panel: Units by product and period (N, T).
        frame: One row per product: `sku`, `text`, `category`, `price` (at launch; NaN where unknown).
        launched: Period of each product's launch (N,); -1 where it was on sale before the data start.
        words: Unit vectors of the texts (N, D), sparse: TF-IDF.
        meanings: Unit vectors of the texts (N, E) from a language model; None where none was given.
    """

    panel: Panel
    frame: pd.DataFrame
    launched: Index
    words: sparse.csr_matrix
    meanings: Array | None = None

    def until(self, end: int) -> Market:
        """What was known before period `end`; products launched later stay, without sales."""
        return replace(self, panel=self.panel.until(end))

    @property
    def mature(self) -> NDArray[np.bool_]:
        """Products on sale before the data start (N,); where there are few of them, every product."""
        old = self.launched < 0
        return old if old.sum() >= 20 else np.ones_like(old)

    def likeness(self, rows: Index, columns: Index) -> Array:
        """Cosine of the texts of two sets of products (len(rows), len(columns)), the mean of words and meanings."""
        by_word = (self.words[rows] @ self.words[columns].T).toarray()
        if self.meanings is None:
            return np.asarray(by_word)
        return np.asarray((by_word + self.meanings[rows] @ self.meanings[columns].T) / 2)


def make_market(panel: Panel, frame: pd.DataFrame, launched: Index, embed: Embed | None = None) -> Market:
    """A market with its texts turned into vectors.

    Args:
        panel: Sales.
        frame: See `Market`; one row per series of the panel, in its order.
        launched: See `Market`.
        embed: From texts to unit vectors, such as a sentence encoder; None does without.
    """
    texts = [str(text) for text in frame["text"]]
    return Market(panel, frame, launched, word_vectors(texts), None if embed is None else embed(texts))


def word_vectors(texts: Sequence[str]) -> sparse.csr_matrix:
    """Unit TF-IDF vectors of words (N, D), sparse; a single empty column where there are no words."""
    if not any(tokens(text) for text in texts):
        return sparse.csr_matrix((len(texts), 1))
    return TfidfVectorizer(analyzer=tokens, sublinear_tf=True).fit_transform(texts)


def season_index(panel: Panel, rows: NDArray[np.bool_], ahead: int, reach: float = 7 / 52) -> Array:
    """Log level of the shop's sales by period, known and to come (T + ahead,), mean 0 over the known.

    A Gaussian process on the log of all units of `rows`, each product's period capped so that one order does not make
    a season: a periodic part (MacKay 1998; the same week of another year is near, so a December that was seen tells
    of the next November), a slow part, and a linear trend held close to zero. Its settings are fixed, not fitted.

    Args:
        panel: Sales as known.
        rows: Products to count (N,).
        ahead: Periods to go on.
        reach: Length over which the time of year changes, as a share of the year.
    """
    units = np.nan_to_num(panel.units[rows])
    known = panel.units.shape[1]
    sold = units[units > 0]
    if not len(sold) or known < 3:
        return np.zeros(known + ahead)
    total = np.minimum(units, np.quantile(sold, 0.99)).sum(axis=0)
    seen = np.flatnonzero(total > 0.02 * np.median(total[total > 0]))
    level = np.log(total[seen])
    every = np.arange(known + ahead)
    year = panel.cycle if panel.frequency != "day" else 365
    basis = np.column_stack([np.ones(len(every)), (every - known) / year])
    trend = basis @ np.diag([100.0, 0.3**2]) @ basis.T
    apart = np.abs(every[:, None] - every[None, :]).astype(float)
    periodic = np.exp(-2 * np.sin(np.pi * apart / year) ** 2 / (2 * np.pi * reach) ** 2)
    slow = np.exp(-(apart**2) / 2 / (0.12 * year) ** 2)
    cover = 0.35**2 * periodic + 0.15**2 * slow + trend
    inner = cover[np.ix_(seen, seen)] + 0.12**2 * np.eye(len(seen))
    index = cover[:, seen] @ np.linalg.solve(inner, level - level.mean())
    return np.asarray(index - index[:known].mean())
