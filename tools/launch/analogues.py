"""Which earlier launches resemble a planned one, how much, and which of them count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from tools.text import tokens

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """What makes two launches alike: weights of the four parts (they sum to one) and the scale of each distance.

    Prices count in log distance, launch dates in weeks around the year. `price_bands` are tried in turn until enough
    analogues are inside: the first is the usual rule of the trade, the last lets any price in. Of the `wanted` most
    alike those below `least` of the best similarity are dropped.
    """

    text: float = 0.5
    category: float = 0.2
    price: float = 0.2
    season: float = 0.1
    price_scale: float = 0.4
    season_scale: float = 8.0
    softness: float = 0.12
    price_bands: tuple[float, ...] = (0.15, 0.30, 0.60, np.inf)
    wanted: int = 10
    enough: int = 5
    least: float = 0.5


def text_similarity(texts: Sequence[str], others: Sequence[str]) -> Array:
    """Cosine of TF-IDF vectors of words, (len(texts), len(others)); words rare among `others` weigh more."""
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


def season_similarity(launched: pd.Timestamp, others: pd.Series[pd.Timestamp], scale: float) -> Array:
    """exp(-weeks apart around the year / scale), (L,)."""
    apart = np.abs(others.dt.dayofyear.to_numpy() - launched.dayofyear) / 7
    return np.asarray(np.exp(-np.minimum(apart, 52 - apart).clip(0) / scale))


def choose(
    similarity: Array, prices: Array, lost: Array, basis: int, price: float | None, likeness: Likeness
) -> pd.DataFrame:
    """The launches most alike, those that count and those left out with the reason.

    Args:
        similarity: Of every candidate (L,), between 0 and 1.
        prices: Their launch prices (L,), NaN where unknown.
        lost: Weeks each lost to stock-outs (L,).
        basis: Weeks that are compared.
        price: The planned price; None keeps every price.
        likeness: Settings.

    Returns:
        `at` (position among the candidates), `similarity`, `weight` (sums to one over the kept), `kept`, `why`;
        most alike first.
    """
    best = np.argsort(-similarity, kind="stable")[: likeness.wanted]
    alike = similarity[best] >= likeness.least * similarity[best].max()
    in_stock = lost[best] <= basis / 3
    distance = np.abs(np.log(prices[best] / price)) if price else np.zeros(len(best))
    distance = np.nan_to_num(distance, nan=0.0)
    fit, band = alike & in_stock, np.inf
    for band in likeness.price_bands:
        kept = fit & (distance <= np.log1p(band))
        if kept.sum() >= min(likeness.enough, fit.sum()):
            break
    weight = np.where(kept, np.exp(similarity[best] / likeness.softness), 0.0)
    reasons = [_why(*each, band) for each in zip(kept, alike, in_stock, strict=True)]
    return pd.DataFrame(
        {
            "at": best,
            "similarity": similarity[best],
            "weight": weight / weight.sum() if weight.sum() else weight,
            "kept": kept,
            "why": reasons,
        }
    )


def _why(kept: bool, alike: bool, in_stock: bool, band: float) -> str:
    if not alike:
        return "dropped: too unlike beside the others"
    if not in_stock:
        return "dropped: out of stock for more than a third of the weeks"
    if not kept:
        return f"dropped: price further than {band:.0%} from the planned one"
    return "kept" if np.isinf(band) else f"kept: price within {band:.0%}"


def _shared(own: list[str], other: list[str]) -> float:
    same = 0
    while same < min(len(own), len(other)) and own[same] == other[same]:
        same += 1
    return same / max(len(own), len(other), 1)
