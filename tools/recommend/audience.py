"""Whom to tell first: chance to buy a launch, learned from past launches, and how many to hold out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import pandas as pd

from tools.recommend.histories import Array, Index, Mask
from tools.standing import FEATURES, YEAR

WINDOW = 28  # days after a launch in which a purchase counts
_LEAST_LAUNCHES = 6
_LEAST_BUYERS = 30
_FOLDS = 5
_POWER = 1.645 + 0.842  # a difference seen at 90 % confidence with 80 % power, in standard errors


@dataclass(frozen=True)
class Response:
    """Chance that a customer buys a launch of a category within four weeks.

    Attributes:
        score: From features (n, 6) in the order of `FEATURES` to chances (n,).
        launches: Past launches behind it.
        ratio: Buyers over expected buyers of launches left out, P10 and P90.
        lift: Buyers among the tenth ranked first over those of a tenth at random, launches left out; with its 80 %
            interval over launches.
    """

    score: Callable[[Array], Array]
    launches: int
    ratio: tuple[float, float]
    lift: tuple[float, float, float]


def learn_response(features: Array, bought: Mask, launch: Index) -> Response | None:
    """Logistic regression over customers and past launches, judged on launches left out; None where they are too few.

    Args:
        features: (n, 6) in the order of `FEATURES`, as of each launch.
        bought: Whether the customer bought the launched product within four weeks, (n,).
        launch: Number of the launch, (n,).
    """
    names = np.unique(launch)
    if len(names) < _LEAST_LAUNCHES or bought.sum() < _LEAST_BUYERS:
        return None
    held = np.zeros(len(bought))
    for fold in range(_FOLDS):
        out = np.isin(launch, names[fold::_FOLDS])
        held[out] = _chance(_model(features[~out], bought[~out]), features[out])
    by_launch = [_judge(held[launch == name], bought[launch == name]) for name in names]
    sums = np.array(by_launch)
    low, high = np.quantile(sums[:, 0] / np.maximum(sums[:, 1], 1e-9), [0.1, 0.9])
    model = _model(features, bought)
    return Response(lambda rows: _chance(model, rows), len(names), (float(low), float(high)), _lift(sums[:, 2:]))


def _judge(chance: Array, bought: Mask) -> tuple[float, float, float, float]:
    """Buyers, expected buyers, buyers among the tenth ranked first, and buyers of a tenth at random."""
    first = np.argsort(-chance, kind="stable")[: max(1, round(0.1 * len(chance)))]
    return float(bought.sum()), float(chance.sum()), float(bought[first].sum()), float(bought.mean() * len(first))


def _lift(pairs: Array) -> tuple[float, float, float]:
    rng = np.random.default_rng(0)
    draws = pairs[rng.integers(0, len(pairs), (500, len(pairs)))].sum(axis=1)
    low, high = np.quantile(draws[:, 0] / np.maximum(draws[:, 1], 1e-9), [0.1, 0.9])
    total = pairs.sum(axis=0)
    return float(total[0] / max(total[1], 1e-9)), float(low), float(high)


def _model(features: Array, bought: Mask) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=500)).fit(_logs(features), bought)


def _chance(model: Any, features: Array) -> Array:
    return np.asarray(model.predict_proba(_logs(features))[:, 1], dtype=float)


def _logs(features: Array) -> Array:
    """Counts, money and days on a log scale; whoever was not seen within a year stands at two years."""
    return np.log1p(np.maximum(np.where(np.isfinite(features), features, 2.0 * YEAR), 0.0))


def plain_ranking(features: Array) -> Array:
    """Affinity x recency x value, for shops without enough past launches: a ranking (n,), not a chance.

    Each part is the customer's share of all customers who stand lower, so that none outweighs the others.
    """
    frame = pd.DataFrame(features, columns=list(FEATURES))
    parts = [frame["in_category"], -frame["recency"].fillna(2.0 * YEAR), frame["spent"]]
    ranks = [part.rank(pct=True).to_numpy(dtype=float) for part in parts]
    return np.asarray(ranks[0] * ranks[1] * ranks[2])


def may_be_told(sent: Index, cap: int = 2) -> Mask:
    """Who may get one more message: fewer than `cap` in the last four weeks, (n,)."""
    return np.asarray(sent < cap)


def holdout_size(size: int, chance: float, effect: float) -> tuple[int, bool]:
    """How many of an audience to leave out at random so that the message's effect shows, and whether it will.

    The smallest hold-out at which the expected effect is 2.49 standard errors of the difference of two shares (90 %
    confidence, 80 % power), at most half; a tenth where no hold-out would do.

    Args:
        size: Of the audience.
        chance: To buy without the message.
        effect: What the message is expected to add.
    """
    variance = max(chance * (1 - chance), 1e-6)
    for held in range(max(1, ceil(0.02 * size)), size // 2 + 1):
        if abs(effect) >= _POWER * np.sqrt(variance / held + variance / (size - held)):
            return held, True
    return max(1, round(0.1 * size)), False
