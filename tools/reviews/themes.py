"""What reviews talk about, as n of N: aspects with praise and complaint kept apart, each with its sentences."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal, cast

import numpy as np
import pandas as pd

from shop.text import clean, sentences
from tools.reviews.polarity import CLEAR, Polarity
from tools.text import tokens

Side = Literal["praise", "complaint"]
LEAST_REVIEWS = 3  # a theme needs that many reviews that say so
LEAST_SHARE = 0.02  # and, for one found by its words alone, that share of the opinions nothing else explains
MOST_FOUND = 4
SENTENCE_COLUMNS = ("review", "sku", "day", "rating", "language", "text", "score", "aspects")


@dataclass(frozen=True)
class Theme:
    """One aspect on one side. `reviews` are the ids of those that say so, each counted once."""

    aspect: str
    side: Side
    reviews: frozenset[str]
    quotes: tuple[tuple[str, str], ...]  # (review id, sentence), the clearest first
    counter: tuple[tuple[str, str], ...]  # what the other side says about the same aspect
    skus: dict[str, int]
    days: tuple[date, ...]


class Aspects:
    """The vocabulary of aspects: the general list and the attributes of the shop's own products."""

    def __init__(self, attributes: Iterable[str] = ()) -> None:
        self._patterns = dict(_general())
        for name in sorted(set(attributes)):
            if name and not self.of(name):
                self._patterns[name] = re.compile(rf"\b{re.escape(name.lower())}\b")

    def of(self, text: str) -> list[str]:
        """Names of the aspects that a sentence mentions."""
        lowered = text.lower()
        return [name for name, pattern in self._patterns.items() if pattern.search(lowered)]


@lru_cache(maxsize=1)
def _general() -> tuple[tuple[str, re.Pattern[str]], ...]:
    listed = tomllib.loads(Path(__file__).with_name("aspects.toml").read_text(encoding="utf-8"))
    patterns = []
    for name, group in listed.items():
        english = "|".join(re.escape(word) for word in group["en"])
        patterns.append((name, re.compile(rf"\b(?:{english})s?\b|" + "|".join(map(re.escape, group["zh"])))))
    return tuple(patterns)


def review_sentences(reviews: pd.DataFrame, aspects: Aspects, polarity: Polarity) -> pd.DataFrame:
    """Sentences of reviews (`shop.store.REVIEW_COLUMNS`) with polarity and aspects: `SENTENCE_COLUMNS`."""
    rows = [
        (row["id"], row["sku"], row["day"], row["rating"], row["language"], sentence)
        for row in reviews.to_dict("records")
        for sentence in sentences(clean(row["text"]))
    ]
    frame = pd.DataFrame(rows, columns=list(SENTENCE_COLUMNS[:6]))
    frame["score"] = polarity.scores(frame["text"].tolist())
    frame["aspects"] = [aspects.of(text) for text in frame["text"]]
    return frame


def themes(frame: pd.DataFrame, least: int = LEAST_REVIEWS) -> list[Theme]:
    """Themes with at least `least` reviews, most reviews first; equal ones by name.

    A review that praises an aspect in one sentence and complains about it in another counts on both sides.

    Args:
        frame: `SENTENCE_COLUMNS`.
    """
    clear = frame[frame["score"].abs() >= CLEAR]
    clear = clear.assign(side=np.where(clear["score"] > 0, "praise", "complaint"))
    named = clear.explode("aspects").dropna(subset=["aspects"])
    found = _grouped(named, least)
    loose = clear[~clear["review"].isin(set(named["review"]))]
    found += _grouped(_by_words(loose, least), least)
    return sorted(found, key=lambda theme: (-len(theme.reviews), theme.aspect, theme.side))


def _grouped(named: pd.DataFrame, least: int) -> list[Theme]:
    found = []
    for key, rows in named.groupby(["aspects", "side"], sort=True):
        aspect, side = cast(tuple[str, Side], key)
        reviews = rows.drop_duplicates("review")
        if len(reviews) < least:
            continue
        other = named[(named["aspects"] == aspect) & (named["side"] != side)]
        found.append(
            Theme(
                aspect=aspect,
                side=side,
                reviews=frozenset(reviews["review"]),
                quotes=_clearest(rows),
                counter=_clearest(other),
                skus=dict(Counter(reviews["sku"])),
                days=tuple(reviews["day"]),
            )
        )
    return found


def _by_words(loose: pd.DataFrame, least: int) -> pd.DataFrame:
    """Opinions that name no known aspect, under the word that most of their reviews share."""
    found: list[pd.DataFrame] = []
    while len(found) < MOST_FOUND and len(loose):
        held = {row: set(_telling(text)) for row, text in zip(loose.index, loose["text"], strict=True)}
        pairs = {(loose.at[row, "review"], word) for row, terms in held.items() for word in terms}
        counts = Counter(word for _, word in pairs)
        if not counts:
            break
        word, reviews = max(counts.items(), key=lambda item: (item[1], item[0]))
        if reviews < max(least, LEAST_SHARE * loose["review"].nunique()):
            break
        holding = [row for row, terms in held.items() if word in terms]
        found.append(loose.loc[holding].assign(aspects=f"“{word}”"))
        loose = loose.drop(index=holding)
    return pd.concat(found) if found else loose.iloc[:0].assign(aspects="")


def _telling(text: str) -> list[str]:
    """Words that could name a subject: nouns are not told from verbs, but opinions and fillers are left out."""
    return [w for w in tokens(text) if len(w) > 3 and w.isalpha() and w.isascii() and w not in _FILLERS]


def _clearest(rows: pd.DataFrame, most: int = 3) -> tuple[tuple[str, str], ...]:
    """Short sentences with a strong polarity, one per review and per wording, newest first among equals."""
    ranked = rows.assign(
        strength=rows["score"].abs().round(1) - 0.002 * rows["text"].str.len().clip(lower=40),
        day=pd.to_datetime(rows["day"]),
    ).sort_values(["strength", "day", "review"], ascending=[False, False, True])
    ranked = ranked.drop_duplicates("review").drop_duplicates("text")
    return tuple(zip(ranked["review"][:most], ranked["text"][:most], strict=True))


_FILLERS = frozenset(
    (
        *("about", "after", "again", "also", "always", "another", "bought", "buy", "could", "daily", "does", "doing"),
        *("else", "ever", "every", "everything", "from", "have", "here", "into", "just", "keep", "keeping", "like"),
        *("love", "loved", "made", "make", "many", "more", "most", "much", "need", "never", "nice", "only", "order"),
        *("ordered", "other", "perfect", "product", "purchase", "quite", "rather", "really", "recommend", "review"),
        *("says", "same", "should", "some", "still", "such", "than", "that", "them", "then", "there", "they", "thing"),
        *("think", "this", "tried", "used", "using", "very", "want", "wanted", "well", "were", "what", "when"),
        *("which", "will", "wish", "with", "work", "would", "your", "good", "great", "best", "better", "happy"),
        *("disappointed", "disappointing", "excellent", "been", "being", "because", "down", "even", "thi", "star"),
        *("month", "week", "year", "time", "sure", "must", "item", "first", "second", "third", "tomorrow", "friend"),
    )
)
