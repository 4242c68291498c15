"""Words that mean the same in both languages: a short list of shop words, and pairs learned from the catalogue."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from retrieval.words import chinese_words, words

LEAST_TOGETHER = 4  # products that must hold both words of a learned pair
LEAST_DICE = 0.6
MOST_PRODUCTS = 5000  # more add no new words, only time
EXPANSION = 0.5  # weight of a translated word beside one that was said
MOST_TRANSLATIONS = 4


@dataclass(frozen=True)
class Glossary:
    """Translations of search terms with how sure they are, in either direction."""

    pairs: Mapping[str, Mapping[str, float]]

    def expand(self, terms: Sequence[str]) -> list[dict[str, float]]:
        """For every term of a query, the words that stand for it: itself at 1, its translations below `EXPANSION`."""
        return [{**self._translated(term), term: 1.0} for term in terms]

    def _translated(self, term: str) -> dict[str, float]:
        known = self.pairs.get(term, {})
        best = sorted(known, key=lambda other: (-known[other], other))[:MOST_TRANSLATIONS]
        return {other: EXPANSION * known[other] for other in best}


def learn(english: Sequence[str], chinese: Sequence[str]) -> Glossary:
    """Shop words, and the pairs that stand in the same products' texts (`english[i]` and `chinese[i]` describe one).

    A pair is kept when it is the best one for either word by Dice's coefficient 2|A∩B| / (|A|+|B|), at least
    `LEAST_DICE`, over at least `LEAST_TOGETHER` products (Dice 1945; used so by Melamed 2000 for bitext).
    """
    pairs: dict[str, dict[str, float]] = {}
    for left, right in shop_words():
        _add(pairs, left, right, 1.0)
    both = [(e, c) for e, c in zip(english, chinese, strict=True) if e and c][:MOST_PRODUCTS]
    if len(both) < LEAST_TOGETHER:
        return Glossary(pairs)
    en_terms, en = _incidence([[w for w in words(e) if len(w) > 2 and w.isalpha() and w.isascii()] for e, _ in both])
    zh_terms, zh = _incidence([chinese_words(c) for _, c in both])
    together = (en.T @ zh).tocoo()
    sizes_en, sizes_zh = np.asarray(en.sum(axis=0)).ravel(), np.asarray(zh.sum(axis=0)).ravel()
    dice = 2 * together.data / (sizes_en[together.row] + sizes_zh[together.col])
    keep = (together.data >= LEAST_TOGETHER) & (dice >= LEAST_DICE)
    best_en, best_zh = np.zeros(len(en_terms)), np.zeros(len(zh_terms))
    np.maximum.at(best_en, together.row[keep], dice[keep])
    np.maximum.at(best_zh, together.col[keep], dice[keep])
    for row, column, sure in zip(together.row[keep], together.col[keep], dice[keep], strict=True):
        if sure >= min(best_en[row], best_zh[column]) - 1e-9:
            _add(pairs, zh_terms[column], en_terms[row], float(sure))
    return Glossary(pairs)


@lru_cache(maxsize=1)
def shop_words() -> tuple[tuple[str, str], ...]:
    """Pairs of single terms, Chinese and English, from the list beside this module."""
    listed = tomllib.loads(Path(__file__).with_name("glossary.toml").read_text(encoding="utf-8"))
    return tuple((term, e) for c, en in listed.items() for e in words(en) for term in {c, *chinese_words(c)} if c)


def _add(pairs: dict[str, dict[str, float]], one: str, other: str, sure: float) -> None:
    pairs.setdefault(one, {})[other] = sure
    pairs.setdefault(other, {})[one] = sure


def _incidence(documents: Sequence[Sequence[str]]) -> tuple[list[str], csr_matrix]:
    """Terms and which documents hold them, shape (documents, terms); terms in over half of the documents left out."""
    counts: dict[str, int] = {}
    for document in documents:
        for term in set(document):
            counts[term] = counts.get(term, 0) + 1
    terms = sorted(t for t, n in counts.items() if LEAST_TOGETHER <= n <= len(documents) / 2)
    at = {term: column for column, term in enumerate(terms)}
    cells = [(row, at[term]) for row, document in enumerate(documents) for term in set(document) if term in at]
    rows, columns = np.array(cells, dtype=int).reshape(-1, 2).T
    return terms, csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(documents), len(terms)))
