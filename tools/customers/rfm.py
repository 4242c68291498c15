"""Recency, frequency, money: scores, the segments people know them by, and what a segment's past spending says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
_PARTS = 5
SEGMENTS = (
    "champions",
    "loyal",
    "promising",
    "new",
    "big spenders slipping away",
    "slipping away",
    "occasional",
    "lapsed",
)


def rfm_scores(frame: pd.DataFrame) -> pd.DataFrame:
    """Scores `recency, frequency, money` from 1 (worst) to 5 by quintile of the ranks; equal values score equal.

    Args:
        frame: `recency` (less is better), `purchases`, `spent`; one row per customer.
    """
    parts = {"recency": -frame["recency"], "frequency": frame["purchases"], "money": frame["spent"]}
    ranks = pd.DataFrame({name: values.rank(pct=True, method="average") for name, values in parts.items()})
    return (ranks * _PARTS).apply(np.ceil).clip(1, _PARTS).astype(int)


def rfm_names(frame: pd.DataFrame) -> pd.Series[str]:
    """The segment of each customer, one of `SEGMENTS`, from their scores and whether they bought once or again."""
    score = rfm_scores(frame)
    again, lately = frame["purchases"] > 1, score["recency"] >= 4
    often, much = score["frequency"] >= 4, score["money"] >= 4
    away = score["recency"] <= 2
    rules = [
        lately & often & much & again,
        ~away & often & again,
        lately & again,
        lately,
        away & much & again,
        away & often & again,
        ~away,
    ]
    names = np.select([rule.to_numpy() for rule in rules], SEGMENTS[:-1], SEGMENTS[-1])
    return pd.Series(names, index=frame.index, dtype=object)


def rfm_value(train: pd.DataFrame, outcome: Array, frame: pd.DataFrame) -> Array:
    """What customers with the same sum of scores spent later, on average: the plain rule of thumb, (n,)."""
    before = rfm_scores(train).sum(axis=1)
    mean: pd.Series[Any] = pd.Series(outcome, index=train.index).groupby(before).mean()
    every = mean.reindex(range(3, 3 * _PARTS + 1)).interpolate(limit_direction="both")
    return rfm_scores(frame).sum(axis=1).map(every).to_numpy(dtype=float)


def rfm_risk(frame: pd.DataFrame) -> Array:
    """Risk to be lost by the rule of thumb: less the sum of scores, (n,)."""
    return -rfm_scores(frame).sum(axis=1).to_numpy(dtype=float)
