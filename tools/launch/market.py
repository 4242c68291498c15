"""Everything known on the day of a launch: other products' sales by period, what they are, and the shop's season."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from tools.demand.panel import Array, Panel
from tools.launch.pictures import picture_vectors
from tools.text import tokens

if TYPE_CHECKING:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

Index = NDArray[np.int64]
Embed = Callable[[Sequence[str]], Array]
Look = Callable[[Sequence[str]], Array | None]
TOPICS = 12
_DEPTH = 3  # steps of a category path that are compared
_SHELF = 3000  # products on the shelf that launches are compared with, at most
_AT_ONCE = 500
_SOFTNESS = 0.09  # cosine distance at which closeness has fallen to a third
_PRICE_REACH = 1.5  # log price likewise
NOTHING_NEAR = float(np.exp(-0.5 / _SOFTNESS))  # closeness that stands for "nothing resembles"
_CARRY = 4  # weeks out of stock at the end of a series that are still filled


@dataclass(frozen=True)
class Texts:
    """How product texts become vectors: TF-IDF of words, a sentence encoder if there is one, and main directions."""

    words: TfidfVectorizer | None
    embed: Embed | None
    directions: TruncatedSVD | None

    def read(self, texts: Sequence[str]) -> tuple[sparse.csr_matrix, Array | None, Array]:
        """Unit vectors of words (N, D), of meanings (N, E) or None, and the main directions of either (N, K)."""
        empty = sparse.csr_matrix((len(texts), 1))
        words = empty if self.words is None else sparse.csr_matrix(self.words.transform(texts))
        meanings = None if self.embed is None else np.asarray(self.embed(texts), dtype=float)
        if self.directions is None:
            return words, meanings, np.zeros((len(texts), 0))
        return words, meanings, np.asarray(self.directions.transform(words if meanings is None else meanings))


@dataclass(frozen=True)
class Closeness:
    """How close launches are to the products on the shelf, worked out once: it does not change with time.

    Attributes:
        shelf: Products on sale before the data start, where there are few of them every product; the best sellers (S,).
        at: Row of each product in `near` (N,), -1 where it has none.
        near: exp of the distance in likeness and log price (L, S), 0 of a product to itself.
    """

    shelf: Index
    at: Index
    near: NDArray[np.float32]


@dataclass(frozen=True)
class Market:
    """A shop's products and their sales by period.

    Attributes:
        panel: Units by product and period (N, T); periods out of stock carry the demand of those before.
        frame: One row per product: `sku`, `text`, `category`, `price` (at launch; NaN where unknown).
        launched: Period of each product's launch (N,); -1 where it was on sale before the data start.
        words: Unit vectors of the texts (N, D), sparse: TF-IDF.
        topics: Main directions of the texts (N, K).
        place: Position of each SKU among all in order (N,): neighbours are often one range. NaN without a SKU.
        texts: Reads further texts.
        closeness: Of launches to the products on the shelf.
        meanings: Unit vectors of the texts (N, E) from a language model; None where none was given.
        pictures: Unit vectors of the product pictures (N, P), zero where there is none; None where nobody has any.
        look: From the files of further pictures to their vectors.
    """

    panel: Panel
    frame: pd.DataFrame
    launched: Index
    words: sparse.csr_matrix
    topics: Array
    place: Array
    texts: Texts
    closeness: Closeness
    meanings: Array | None = None
    pictures: Array | None = None
    look: Look = picture_vectors

    def until(self, end: int) -> Market:
        """What was known before period `end`; products launched later stay, without sales."""
        return replace(self, panel=self.panel.until(end))

    def planned(
        self, sku: str, text: str, category: str, price: float | None, launched: int, picture: Array | None = None
    ) -> Market:
        """The market with one more product, without sales, as its last row.

        Args:
            sku: Empty for a draft; a SKU that is known lends its place in the range.
            text: What is written about it.
            category: Path, or empty.
            price: Planned price; None is unknown.
            launched: Period of its launch, known or to come.
            picture: Unit vector (P,) of its picture.
        """
        blank = np.full((1, len(self.panel.starts)), np.nan)
        panel = replace(
            self.panel,
            keys=(*self.panel.keys, sku),
            units=np.vstack([self.panel.units, blank]),
            price=np.vstack([self.panel.price, blank]),
            promotion=np.vstack([self.panel.promotion, np.zeros_like(blank)]),
        )
        row = {"sku": sku, "text": text, "category": category, "price": np.nan if price is None else price}
        words, meanings, topics = self.texts.read([text])
        order = np.sort(self.frame["sku"].to_numpy(dtype=str))
        place = float(np.searchsorted(order, sku)) if sku else np.nan
        pictures = self.pictures
        if pictures is not None:
            pictures = np.vstack([pictures, np.zeros(pictures.shape[1]) if picture is None else picture])
        wider = replace(
            self,
            panel=panel,
            frame=pd.concat([self.frame, pd.DataFrame([row])], ignore_index=True),
            launched=np.append(self.launched, launched),
            words=sparse.vstack([self.words, words], format="csr"),
            topics=np.vstack([self.topics, topics]),
            place=np.append(self.place, place),
            meanings=None if self.meanings is None or meanings is None else np.vstack([self.meanings, meanings]),
            pictures=pictures,
        )
        own = _nearness(wider, np.array([len(self.launched)]), self.closeness.shelf)
        at = np.append(self.closeness.at, len(self.closeness.near))
        return replace(wider, closeness=Closeness(self.closeness.shelf, at, np.vstack([self.closeness.near, own])))

    @property
    def mature(self) -> NDArray[np.bool_]:
        """Products on sale before the data start (N,); where there are few of them, every product."""
        old = self.launched < 0
        return old if old.sum() >= 20 else np.ones_like(old)

    def likeness(self, rows: Index, columns: Index) -> Array:
        """Likeness of two sets of products (len(rows), len(columns)): the mean cosine of words, meanings, pictures.

        Two products are compared by picture only where both have one.
        """
        total = (self.words[rows] @ self.words[columns].T).toarray()
        count = np.ones_like(total)
        if self.meanings is not None:
            total, count = total + self.meanings[rows] @ self.meanings[columns].T, count + 1
        if self.pictures is not None:
            seen = (self.pictures != 0).sum(axis=1) > 0
            both = np.outer(seen[rows], seen[columns])
            total = total + (self.pictures[rows] @ self.pictures[columns].T) * both
            count = count + both
        return np.asarray(total / count)

    def kinship(self, rows: Index, columns: Index) -> Array:
        """Share of the first three steps of the category path in common (len(rows), len(columns))."""
        paths = self.frame["category"].to_numpy(dtype=str)
        unique, code = np.unique(np.concatenate([paths[rows], paths[columns]]), return_inverse=True)
        steps = [path.split(" > ") for path in unique]
        shared = np.zeros((len(unique), len(unique)))
        for depth in range(1, _DEPTH + 1):
            names = np.array([" > ".join(step[:depth]) for step in steps])
            shared += (names[:, None] == names[None, :]) & (names != "")[:, None]
        return np.asarray((shared / _DEPTH)[np.ix_(code[: len(rows)], code[len(rows) :])])


def make_market(
    panel: Panel,
    frame: pd.DataFrame,
    launched: Index,
    embed: Embed | None = None,
    pictures: Array | None = None,
    masked: NDArray[np.bool_] | None = None,
) -> Market:
    """A market with its texts turned into vectors and gaps in its sales, out of stock, filled.

    Args:
        panel: Sales.
        frame: See `Market`; one row per series of the panel, in its order.
        launched: See `Market`.
        embed: From texts to unit vectors, such as a sentence encoder; None does without.
        pictures: See `Market`.
        masked: Periods recorded as out of stock (N, T); left out, gaps inside a series are taken to be.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    written = [str(text) for text in frame["text"]]
    meanings = None if embed is None else np.asarray(embed(written), dtype=float)
    words = TfidfVectorizer(analyzer=tokens, sublinear_tf=True) if any(map(tokens, written)) else None
    vectors = sparse.csr_matrix((len(written), 1)) if words is None else sparse.csr_matrix(words.fit_transform(written))
    directions = _directions(vectors if meanings is None else meanings)
    topics = np.zeros((len(written), 0))
    if directions is not None:
        topics = np.asarray(directions.transform(vectors if meanings is None else meanings))
    place = np.argsort(np.argsort(frame["sku"].to_numpy(dtype=str), kind="stable")).astype(float)
    filled = replace(panel, units=carried_demand(panel.units, masked))
    texts = Texts(words, embed, directions)
    nothing = Closeness(np.zeros(0, dtype=np.int64), launched * 0 - 1, np.zeros((0, 0), dtype=np.float32))
    market = Market(filled, frame, launched, vectors, topics, place, texts, nothing, meanings, pictures)
    return replace(market, closeness=_closeness(market))


def log_prices(market: Market) -> Array:
    """Log launch prices (N,), the median where unknown."""
    prices = np.log(market.frame["price"].to_numpy(dtype=float).clip(min=1e-2))
    known = prices[np.isfinite(prices)]
    return np.where(np.isfinite(prices), prices, np.median(known) if len(known) else 0.0)


def carried_demand(units: Array, masked: NDArray[np.bool_] | None = None) -> Array:
    """Units (N, T) with periods out of stock filled by the mean of the three periods before, from the past alone.

    Gaps inside a series are out of stock; at its end only those that `masked` (N, T) says so, and at most four
    periods of them: then nobody knows whether the product comes back.
    """
    known = np.isfinite(units)
    begun = np.cumsum(known, axis=1) > 0
    usual = pd.DataFrame(units.T).rolling(3, min_periods=1).mean().ffill().to_numpy().T
    last = np.where(known.any(axis=1), units.shape[1] - 1 - known[:, ::-1].argmax(axis=1), -1)[:, None]
    at = np.arange(units.shape[1])[None, :]
    gap = ~known & begun & (at < last)
    if masked is not None:
        gap |= ~known & masked & (last >= 0) & (at > last) & (at <= last + _CARRY)
    return np.where(gap, usual, units)


def _closeness(market: Market) -> Closeness:
    shelf = np.flatnonzero(market.mature)
    best = np.argsort(-np.nansum(market.panel.units[shelf], axis=1), kind="stable")[:_SHELF]
    shelf = np.sort(shelf[best])
    rows = np.flatnonzero(market.launched >= 0)
    at = np.full(len(market.launched), -1)
    at[rows] = np.arange(len(rows))
    parts = [_nearness(market, rows[i : i + _AT_ONCE], shelf) for i in range(0, len(rows), _AT_ONCE)]
    return Closeness(shelf, at, np.vstack(parts) if parts else np.zeros((0, len(shelf)), dtype=np.float32))


def _nearness(market: Market, rows: Index, shelf: Index) -> NDArray[np.float32]:
    prices = log_prices(market)
    distance = (1 - market.likeness(rows, shelf)) / _SOFTNESS
    distance += np.abs(prices[rows][:, None] - prices[shelf][None, :]) / _PRICE_REACH
    return np.where(rows[:, None] == shelf[None, :], 0.0, np.exp(-distance)).astype(np.float32)


def _directions(vectors: sparse.csr_matrix | Array) -> TruncatedSVD | None:
    from sklearn.decomposition import TruncatedSVD

    count = min(TOPICS, vectors.shape[1] - 1, vectors.shape[0] - 1)
    return TruncatedSVD(count, random_state=0).fit(vectors[:5000]) if count >= 1 else None


def season_index(panel: Panel, rows: NDArray[np.bool_], ahead: int, reach: float = 7 / 52, each: bool = False) -> Array:
    """Log level of the shop's sales by period, known and to come (T + ahead,), mean 0 over the known.

    A Gaussian process on the log of all units of `rows`, each product's period capped so that one order does not make
    a season: a periodic part (MacKay 1998; the same week of another year is near, so a December that was seen tells
    of the next November), a slow part, and a linear trend held close to zero. Its settings are fixed, not fitted.

    Args:
        panel: Sales as known.
        rows: Products to count (N,).
        ahead: Periods to go on.
        reach: Length over which the time of year changes, as a share of the year.
        each: Whether to count units per product on sale, where `rows` grow in number by launches.
    """
    units = np.nan_to_num(panel.units[rows])
    known = panel.units.shape[1]
    sold = units[units > 0]
    if not len(sold) or known < 3:
        return np.zeros(known + ahead)
    total = np.minimum(units, np.quantile(sold, 0.99)).sum(axis=0)
    if each:
        total = total / np.maximum(np.isfinite(panel.units[rows]).sum(axis=0), 1)
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
