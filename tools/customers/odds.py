"""Chances with their reasons: logistic regression and boosted trees as sums of terms in the log odds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

Array = NDArray[np.float64]
BOTH = "both"
_TREES: dict[str, Any] = {
    "n_estimators": 120,
    "learning_rate": 0.04,
    "num_leaves": 8,
    "min_child_samples": 40,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.6,
    "reg_lambda": 5.0,
    "n_jobs": 1,
    "verbose": -1,
}


class Odds(Protocol):
    """A fitted chance whose log odds are a base plus one term per feature."""

    def terms(self, frame: pd.DataFrame) -> Array:
        """What each feature adds to the log odds, and in the last column the base, (n, k + 1)."""
        ...


@dataclass(frozen=True)
class Logistic:
    """Logistic regression on signed logarithms, standardised; what is missing counts as the middle."""

    middle: Array
    mean: Array
    spread: Array
    weights: Array
    base: float

    @classmethod
    def fit(cls, frame: pd.DataFrame, happened: NDArray[np.bool_]) -> Logistic:
        from sklearn.linear_model import LogisticRegression

        bent = _bent(frame)
        middle = np.nan_to_num(np.nanmedian(np.where(np.isfinite(bent).any(axis=0), bent, 0.0), axis=0))
        filled = np.where(np.isnan(bent), middle, bent)
        mean, spread = filled.mean(axis=0), filled.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        model = LogisticRegression(C=0.5, max_iter=2000).fit((filled - mean) / spread, happened)
        return cls(middle, mean, spread, np.asarray(model.coef_[0]), float(model.intercept_[0]))

    def terms(self, frame: pd.DataFrame) -> Array:
        bent = _bent(frame)
        filled = np.where(np.isnan(bent), self.middle, bent)
        return np.column_stack([(filled - self.mean) / self.spread * self.weights, np.full(len(frame), self.base)])


@dataclass(frozen=True)
class Trees:
    """LightGBM; its terms are exact Shapley values of the trees (Lundberg et al., 2020)."""

    model: Any

    @classmethod
    def fit(cls, frame: pd.DataFrame, happened: NDArray[np.bool_], seed: int = 0) -> Trees:
        from lightgbm import LGBMClassifier

        return cls(LGBMClassifier(**_TREES, random_state=seed).fit(frame.to_numpy(dtype=float), happened))

    def terms(self, frame: pd.DataFrame) -> Array:
        return np.asarray(self.model.predict(frame.to_numpy(dtype=float), pred_contrib=True))

    def log_odds(self, frame: pd.DataFrame) -> Array:
        return np.asarray(self.model.predict(frame.to_numpy(dtype=float), raw_score=True))


@dataclass(frozen=True)
class Mean:
    """The mean of two in the log odds, so that its terms are the means of theirs."""

    parts: tuple[Logistic, Trees]

    def terms(self, frame: pd.DataFrame) -> Array:
        return np.asarray(np.mean([part.terms(frame) for part in self.parts], axis=0))


def chance(model: Odds, frame: pd.DataFrame) -> Array:
    """Chance of each row, (n,)."""
    if isinstance(model, Mean):
        return np.asarray(expit(np.mean([_log_odds(part, frame) for part in model.parts], axis=0)))
    return np.asarray(expit(_log_odds(model, frame)))


def fit_odds(frame: pd.DataFrame, happened: NDArray[np.bool_], seed: int = 0) -> dict[str, Odds]:
    """`logistic`, `lightgbm` and `both` of them.

    Raises:
        ValueError: All rows are the same class.
    """
    if happened.all() or not happened.any():
        raise ValueError("all rows have the same outcome: there is nothing to tell apart")
    plain, trees = Logistic.fit(frame, happened), Trees.fit(frame, happened, seed)
    return {"logistic": plain, "lightgbm": trees, BOTH: Mean((plain, trees))}


def choose_odds(frame: pd.DataFrame, happened: NDArray[np.bool_], seed: int = 0, folds: int = 4) -> str:
    """The name with the best cross-validated log loss; `both`, unless another is surely better."""
    fold = np.random.default_rng(seed).permutation(np.arange(len(frame)) % folds)
    losses: dict[str, Array] = {}
    for number in range(folds):
        held = fold == number
        for name, model in fit_odds(frame[~held], happened[~held], seed).items():
            losses.setdefault(name, np.zeros(len(frame)))[held] = log_loss(chance(model, frame[held]), happened[held])
    return surely_best(losses, BOTH)


def surely_best(losses: dict[str, Array], default: str) -> str:
    """The name of least loss, if it is below the default's by two standard errors of the paired difference."""
    best = min(losses, key=lambda name: float(losses[name].mean()))
    gain = losses[default] - losses[best]
    return best if gain.mean() > 2 * gain.std() / np.sqrt(len(gain)) else default


def log_loss(predicted: Array, happened: NDArray[np.bool_]) -> Array:
    """Of each row, (n,)."""
    safe = np.clip(predicted, 1e-9, 1 - 1e-9)
    return np.asarray(-np.where(happened, np.log(safe), np.log1p(-safe)))


def _log_odds(model: Odds, frame: pd.DataFrame) -> Array:
    if isinstance(model, Trees):  # many times faster than the sum of its terms
        return model.log_odds(frame)
    return np.asarray(model.terms(frame).sum(axis=1))


def _bent(frame: pd.DataFrame) -> Array:
    values = frame.to_numpy(dtype=float)
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))
