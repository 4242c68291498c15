"""How alike two products are, part by part: words, category path, price."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.text import tokens

Array = NDArray[np.float64]


def text_similarity(texts: Sequence[str], others: Sequence[str]) -> Array:
    """Cosine of TF-IDF vectors of words, (len(texts), len(others)); words rare among `others` weigh more."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(tokens(text) for text in others):
        return np.zeros((len(texts), len(others)))
    vectorizer = TfidfVectorizer(analyzer=tokens, sublinear_tf=True).fit(others)
    return np.asarray((vectorizer.transform(texts) @ vectorizer.transform(others).T).toarray())


def category_similarity(category: str, others: pd.Series[str]) -> Array:
    """Share of the longer category path that two products have in common, (L,); 0 where either has no category."""
    own = category.split(" > ") if category else []
    unique = {other: _shared(own, other.split(" > ") if other else []) for other in others.unique()}
    return others.map(unique).to_numpy(dtype=float)


def price_similarity(price: float | None, others: Array, scale: float) -> Array:
    """exp(-|log price ratio| / scale), (L,); one half where a price is unknown: neither for nor against."""
    if price is None:
        return np.full(len(others), 0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        closeness = np.exp(-np.abs(np.log(others / price)) / scale)
    return np.where(np.isfinite(others) & (others > 0), closeness, 0.5)


def _shared(own: list[str], other: list[str]) -> float:
    same = 0
    while same < min(len(own), len(other)) and own[same] == other[same]:
        same += 1
    return same / max(len(own), len(other), 1)
