"""Praise or complaint: polarity from a lexicon, sharpened by the shop's own ratings where there are many."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shop.text import is_chinese
from tools.text import tokens

CLEAR = 0.2  # a sentence says something good or bad from here on
_REACH = 3  # words (or Chinese characters) before a word in which a negation turns it
LEAST_RATED = 150  # rated reviews on either side before the shop's own words are learned
MOST_RATED = 8000


@dataclass(frozen=True)
class _Lexicon:
    opinion: re.Pattern[str]
    praise: frozenset[str]
    flip: re.Pattern[str]
    turn: re.Pattern[str]


@lru_cache(maxsize=1)
def _lexicons() -> dict[str, _Lexicon]:
    listed = tomllib.loads(Path(__file__).with_name("polarity.toml").read_text(encoding="utf-8"))
    found = {}
    for language, group in listed.items():
        # Longest first, so that "not worth" is read before "worth".
        entries = sorted({*group["praise"], *group["complaint"]}, key=len, reverse=True)
        either = "|".join(re.escape(word) for word in entries)
        ends = (r"\b(", r")[a-z]{0,4}\b") if language == "en" else ("(", ")")
        whole = (r"\b(?:", r")\b") if language == "en" else ("(?:", ")")
        found[language] = _Lexicon(
            re.compile(ends[0] + either + ends[1]),
            frozenset(group["praise"]),
            re.compile(whole[0] + "|".join(sorted(map(re.escape, group["flip"]), key=len, reverse=True)) + whole[1]),
            re.compile(whole[0] + "|".join(sorted(map(re.escape, group["turn"]), key=len, reverse=True)) + whole[1]),
        )
    return found


def lexicon_score(text: str) -> float:
    """Polarity between -1 and 1; 0 where no word of the lexicon occurs.

    Every word of praise or complaint counts one, turned by a negation shortly before it; what follows "but" counts
    double (the rules of Hu & Liu 2004 and of Taboada et al. 2011, in short). The sum s becomes s / sqrt(s² + 2).
    """
    text = text.lower().replace("’", "'")
    language = "zh" if is_chinese(text) else "en"
    lexicon = _lexicons()[language]
    turned = [match.end() for match in lexicon.turn.finditer(text)]
    total = 0.0
    for match in lexicon.opinion.finditer(text):
        sign = 1.0 if match[1] in lexicon.praise else -1.0
        before = text[max(0, match.start() - 40) : match.start()]
        before = before[-_REACH:] if language == "zh" else " ".join(re.split(r"[,.;!?]", before)[-1].split()[-_REACH:])
        if lexicon.flip.search(before):
            sign *= -0.8
        total += sign * (2 if turned and match.start() >= turned[-1] else 1)
    return total / float(np.sqrt(total**2 + 2))


class Polarity:
    """Polarity of sentences: the lexicon alone, or averaged with a model fitted to the shop's rated reviews."""

    def __init__(self, model: Any = None) -> None:
        self._model = model

    @classmethod
    def fit(cls, texts: Sequence[str], ratings: Sequence[int]) -> Polarity:
        """Learn from reviews with four or five stars against those with one or two; the lexicon alone if too few.

        A logistic regression on words and pairs of words, the classes weighted to be equal.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        rated = [(text, rating >= 4) for text, rating in zip(texts, ratings, strict=True) if rating != 3][:MOST_RATED]
        good = sum(liked for _, liked in rated)
        if min(good, len(rated) - good) < LEAST_RATED:
            return cls()
        model = make_pipeline(
            TfidfVectorizer(analyzer=_with_pairs, min_df=2, sublinear_tf=True),
            LogisticRegression(C=4.0, class_weight="balanced", max_iter=300),
        )
        return cls(model.fit([text for text, _ in rated], [liked for _, liked in rated]))

    def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Polarity of each text between -1 and 1, shape (n,)."""
        lexical = np.array([lexicon_score(text) for text in texts], dtype=float)
        if self._model is None or not len(lexical):
            return lexical
        learned = 2 * self._model.predict_proba(list(texts))[:, 1] - 1
        # The model saw whole reviews: on a sentence it only speaks with the lexicon, or alone when it is sure.
        return np.asarray(np.where(lexical == 0, 0.6 * learned, 0.5 * lexical + 0.5 * learned))


def _with_pairs(text: str) -> list[str]:
    found = tokens(text)
    return found + [f"{a} {b}" for a, b in pairwise(found)]
