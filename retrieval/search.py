"""Finding passages: words and meaning, narrowed before they are ranked, fused into one order."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from retrieval.briefs import BRIEF_KINDS, brief_passages, last_approval
from retrieval.collect import ALWAYS, NEVER, collect, passages
from retrieval.embed import Embedder, speaks
from retrieval.fusion import fuse, surely
from retrieval.index import Index, Snapshot, in_memory
from retrieval.rerank import DEPTH, Reranker, reordered
from retrieval.vectors import DAMAGE
from retrieval.words import words
from shop.errors import BadInput
from shop.passages import Found, Hit, Scope
from shop.text import clean, language_of
from shop.types import Passage

Method = Literal["bm25", "dense", "hybrid"]
POOL = 100  # passages each side puts forward
LONGEST_QUERY = 600  # characters; a question is shorter, an attack may not be

Mask = NDArray[np.bool_]


class Texts:
    """The searcher over a shop's texts: the index where it is whole, words alone where it is not.

    Args:
        engine: The shop's database, from which texts are read when there is no index to use.
        index: Where the index lives and what embeds queries.
        reranker: Reads the best passages again, where one is configured.
    """

    def __init__(self, engine: Engine, index: Index, reranker: Reranker | None = None) -> None:
        self._engine = engine
        self._index = index
        self._reranker = reranker
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._seen: tuple[object, int] = (None, 0)  # what the snapshot was read from

    def search(self, query: str, scope: Scope, limit: int = 10) -> Found:
        """The passages in scope that fit the query best, at most `limit`.

        An index that is missing or damaged is answered around, and `degraded` says so. An index made with another
        embedding model is refused.

        Raises:
            BadInput: The query is empty, or the index was made with another embedding model.
        """
        return find(self.snapshot(), self._index.embedder, query, scope, limit, reranker=self._reranker)

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Unit vectors of what texts mean (n, dimensions)."""
        return self._index.embedder.passages(texts)

    def snapshot(self) -> Snapshot:
        """The index as it is now; read again when another process has changed it, or a brief was approved since."""
        with self._lock:
            state = self._state()
            if self._snapshot is None or state != self._seen:
                if self._index.exists and last_approval(self._engine):
                    self._tell()
                    state = self._state()
                self._snapshot, self._seen = self._read(self._index.exists), state
            return self._snapshot

    def _state(self) -> tuple[object, int]:
        return self._index.stamp() if self._index.exists else None, last_approval(self._engine)

    def _tell(self) -> None:
        """Bring the index up to date with what approved briefs tell."""
        # Where it is damaged it is answered around; where another process is writing, its end is a change to look at.
        with suppress(BadInput):
            self._index.replace(BRIEF_KINDS, passages(list(brief_passages(self._engine))))

    def _read(self, exists: bool) -> Snapshot:
        if not exists:
            missing = "the texts are not indexed yet, so this was found by words alone; run `./debut index`"
            return in_memory(collect(self._engine), missing)
        self._index.check_model()
        try:
            return self._index.load()
        except BadInput as damage:
            return in_memory(collect(self._engine), str(damage))


def find(
    snapshot: Snapshot,
    embedder: Embedder,
    query: str,
    scope: Scope,
    limit: int,
    method: Method = "hybrid",
    reranker: Reranker | None = None,
) -> Found:
    """Search one state of the index by words (`bm25`), by meaning (`dense`) or both, read again by a `reranker`.

    Raises:
        BadInput: The query holds no letter or digit.
    """
    text = clean(query)[:LONGEST_QUERY]
    if not any(char.isalnum() for char in text):
        raise BadInput("There is nothing to search for; say what you are looking for in a few words.")
    mask, degraded, spoken = in_scope(snapshot, scope), "", language_of(text)
    lexical, covered = np.zeros(len(mask), np.float32), np.zeros(len(mask), np.float32)
    if method != "dense":
        lexical, covered = snapshot.lexical.scores(snapshot.glossary.expand(words(text)))
    cosines: dict[int, float] = {}
    reads = method == "dense" or speaks(embedder, spoken)
    if method != "bm25" and mask.any():
        near = _nearest if reads else _bridged
        cosines, degraded = near(snapshot, embedder, text, scope, mask)
    ranked = fuse(np.where(mask, lexical, 0), covered, cosines, POOL)
    if reranker and ranked:
        written = [str(snapshot.frame["text"].iloc[row]) for row, _ in ranked[:DEPTH]]
        ranked = reordered(ranked, text, written, reranker)
    hits = tuple(
        _hit(snapshot, row, score, surely(float(covered[row]), cosines.get(row) if reads else None, spoken))
        for row, score in ranked[:limit]
    )
    return Found(hits=hits, degraded=degraded)


def in_scope(snapshot: Snapshot, scope: Scope) -> Mask:
    """Which passages may be found, shape (passages,)."""
    column = snapshot.columns
    mask = np.ones(len(snapshot.frame), dtype=bool)
    if scope.kinds:
        mask &= np.isin(column["kind"], scope.kinds)
    if scope.skus is not None:
        mask &= np.isin(column["sku"], scope.skus)
    if scope.category:
        mask &= np.isin(column["category"], _below(snapshot, scope.category))
    if scope.language:
        mask &= column["language"] == scope.language
    if scope.since:
        mask &= column["day"] >= scope.since.toordinal()
    if scope.until:
        mask &= column["day"] <= scope.until.toordinal()
    if scope.in_force:
        mask &= (column["day"] <= scope.in_force.toordinal()) & (column["until"] >= scope.in_force.toordinal())
    if scope.ratings:
        mask &= (column["rating"] >= scope.ratings[0]) & (column["rating"] <= scope.ratings[1])
    if scope.prices:
        mask &= (column["price"] >= scope.prices[0]) & (column["price"] <= scope.prices[1])
    return mask


def _below(snapshot: Snapshot, category: str) -> list[str]:
    return [path for path in snapshot.categories if path == category or path.startswith(f"{category} > ")]


def _nearest(
    snapshot: Snapshot, embedder: Embedder, text: str, scope: Scope, mask: Mask
) -> tuple[dict[int, float], str]:
    if snapshot.vectors is None:
        return {}, snapshot.damage
    try:
        # Chroma filters row by row: where most passages are in scope, it is faster to ask for more and leave some out.
        most = 2 * int(mask.sum()) >= len(mask)
        where, limit = (None, 2 * POOL) if most else (_where(snapshot, scope), POOL)
        found = snapshot.vectors.nearest(embedder.queries([text])[0], limit, where)
    except (*DAMAGE, sqlite3.Error):
        return {}, "the index of meanings cannot be read, so this was found by words alone; run `./debut index`"
    rows = ((snapshot.position.get(key), cosine) for key, cosine in found)
    return dict([(row, cosine) for row, cosine in rows if row is not None and mask[row]][:POOL]), ""


def _bridged(
    snapshot: Snapshot, embedder: Embedder, text: str, scope: Scope, mask: Mask
) -> tuple[dict[int, float], str]:
    """Products close in meaning to a query in a language that the model does not read, in whatever language they are.

    The catalogue teaches the words of products and no others, so other kinds of passages are left to the words.
    """
    bridge = snapshot.bridge
    if bridge is None or (scope.kinds and "product" not in scope.kinds):
        return {}, ""
    if snapshot.vectors is None:
        return {}, snapshot.damage
    vector = bridge.vector(words(text))
    if vector is None:
        return {}, ""
    products = scope.model_copy(update={"kinds": ("product",), "language": ""})
    try:
        found = snapshot.vectors.nearest(vector, 2 * POOL, _where(snapshot, products))
    except (*DAMAGE, sqlite3.Error):
        return {}, "the index of meanings cannot be read, so this was found by words alone; run `./debut index`"
    cosines: dict[int, float] = {}
    for key, product in found:
        at = snapshot.position.get(key)
        cosine = bridge.cosine(product, vector)
        if at is None or cosine <= 0:
            continue
        for row in snapshot.products[snapshot.frame["ref"].iloc[at]]:
            if mask[row]:
                cosines[row] = max(cosine, cosines.get(row, 0.0))
    return cosines, ""


def _where(snapshot: Snapshot, scope: Scope) -> dict[str, Any] | None:
    """The scope in Chroma's language: one operator on top, no nulls."""
    clauses: list[dict[str, Any]] = []
    if scope.kinds:
        clauses.append({"kind": {"$in": list(scope.kinds)}})
    if scope.skus is not None:
        clauses.append({"sku": {"$in": list(scope.skus) or [""]}})
    if scope.category:
        clauses.append({"category": {"$in": _below(snapshot, scope.category) or ["\0"]}})
    if scope.language:
        clauses.append({"language": scope.language})
    lower = [("day", scope.since), ("until", scope.in_force)]
    upper = [("day", scope.until), ("day", scope.in_force)]
    clauses += [{name: {"$gte": day.toordinal()}} for name, day in lower if day]
    clauses += [{name: {"$lte": day.toordinal()}} for name, day in upper if day]
    for name, bounds in (("rating", scope.ratings), ("price", scope.prices)):
        if bounds:
            clauses += [{name: {"$gte": bounds[0]}}, {name: {"$lte": bounds[1]}}]
    return {"$and": clauses} if len(clauses) > 1 else clauses[0] if clauses else None


def _hit(snapshot: Snapshot, row: int, score: float, match: float) -> Hit:
    found = snapshot.frame.iloc[row]
    return Hit(
        passage=Passage(id=found["id"], source=found["source"], text=found["text"]),
        kind=found["kind"],
        ref=found["ref"],
        sku=found["sku"],
        language=found["language"],
        day=date.fromordinal(int(found["day"])) if ALWAYS < found["day"] < NEVER else None,
        rating=int(found["rating"]) or None,
        score=score,
        match=match,
    )
