"""Click and conversion rates: logistic regression and boosted trees, calibrated, chosen on training folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
Predict = Callable[[pd.DataFrame], Array]
Calibrate = Callable[[Array], Array]
MODELS = ("mean", "logistic", "lightgbm")
CALIBRATIONS = ("level", "platt", "isotonic")
_FLOOR = 1e-7


@dataclass(frozen=True)
class RateModel:
    """A fitted rate.

    Attributes:
        predict: From features to the chance of a hit per trial, (m,).
        name: Model and calibration chosen, such as `logistic, platt`.
        loss: Cross-fitted log loss per trial of every candidate.
        concentration: How alike trials of one row are: 0 for independent ones, 1 for all hits or none.
    """

    predict: Predict
    name: str
    loss: dict[str, float]
    concentration: float


def fit_rate(
    features: pd.DataFrame,
    trials: Array,
    hits: Array,
    groups: NDArray[Any] | None = None,
    folds: int = 5,
    seed: int = 0,
    models: Sequence[str] = MODELS,
    calibrations: Sequence[str] = CALIBRATIONS,
) -> RateModel:
    """Fit every model, calibrate it on predictions for rows left out, and keep the one with the least log loss.

    Rows of many trials are not worth that many independent ones: in the fit a row weighs as much as its trials are
    worth under the beta-binomial's correlation (Kish's effective size). Calibration and choice go by single trials,
    since that is what a rate is multiplied with. The overall mean competes too; features that say nothing lose to it.

    Args:
        features: Numbers and text, one row per ad, campaign or day, (n, k).
        trials: Impressions or clicks, (n,), not negative.
        hits: Clicks or conversions among them, (n,), at most `trials`.
        groups: Rows that stay together in a fold, (n,), such as the days of a campaign.
        folds: Of the cross-fitting; fewer where there are fewer groups.
        seed: Of folds and trees.
        models: Those that compete.
        calibrations: Those that compete.

    Raises:
        ValueError: No trial at all, or more hits than trials.
    """
    if not trials.sum() > 0 or (hits > trials).any():
        raise ValueError("hits must be among trials, and there must be some")
    rho = concentration(trials, hits)
    weight = trials / (1 + np.maximum(trials - 1, 0) * rho)
    rate = np.divide(hits, trials, out=np.zeros_like(hits, dtype=float), where=trials > 0)
    fold = _folds(np.arange(len(rate)) if groups is None else groups, folds, seed)
    names = models if fold.max() > 0 else ("mean",)
    held = {name: _held_out(name, features, rate, weight, fold, seed) for name in names}
    loss = {}
    for name, predicted in held.items():
        for kind in calibrations if name != "mean" else ("level",):
            calibrated = np.empty_like(predicted)
            for number in range(fold.max() + 1):
                out = fold == number
                fitted = _calibration(kind, predicted[~out], rate[~out], trials[~out]) if out.any() else _as_is
                calibrated[out] = fitted(predicted[out])
            loss[f"{name}, {kind}"] = log_loss(calibrated, rate, trials)
    best = min(loss, key=lambda name: loss[name])
    name, kind = best.split(", ")
    model = _fit(name, features, rate, weight, seed)
    fix = _calibration(kind, held[name], rate, trials)
    return RateModel(lambda rows: fix(model(rows)), best, loss, rho)


def concentration(trials: Array, hits: Array) -> float:
    """Correlation between trials of one row, by moments of the beta-binomial (Williams, 1982), between 0 and 1."""
    some = trials > 1
    n, k = trials[some], hits[some]
    if len(n) < 3 or k.sum() == 0:
        return 0.0
    p = k.sum() / n.sum()
    excess = float((((k - n * p) ** 2) / (n * p * (1 - p) + 1e-12) - 1).sum())
    return float(np.clip(excess / max(float((n - 1).sum()), 1e-12), 0.0, 1.0))


def log_loss(predicted: Array, rate: Array, weight: Array) -> float:
    """Mean log loss of hits and misses at the predicted chance, rows weighted."""
    p = np.clip(predicted, _FLOOR, 1 - _FLOOR)
    return float(-np.average(rate * np.log(p) + (1 - rate) * np.log1p(-p), weights=weight))


def _held_out(name: str, features: pd.DataFrame, rate: Array, weight: Array, fold: NDArray[Any], seed: int) -> Array:
    predicted = np.full(len(rate), np.average(rate, weights=weight))
    for number in range(fold.max() + 1):
        out = fold == number
        if weight[~out].sum() > 0:
            predicted[out] = _fit(name, features[~out], rate[~out], weight[~out], seed)(features[out])
    return predicted


def _fit(name: str, features: pd.DataFrame, rate: Array, weight: Array, seed: int) -> Predict:
    mean = float(np.average(rate, weights=weight))
    if name == "mean" or mean in (0.0, 1.0):
        return lambda rows: np.full(len(rows), mean)
    return _logistic(features, rate, weight) if name == "logistic" else _boosted(features, rate, weight, seed)


def _logistic(features: pd.DataFrame, rate: Array, weight: Array) -> Predict:
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
    )
    model = make_pipeline(columns, LogisticRegression(C=1.0, max_iter=500))
    # Each row twice: its hits and its misses.
    both = pd.concat([features, features], ignore_index=True)
    label = np.repeat([1, 0], len(features))
    counted = np.concatenate([weight * rate, weight * (1 - rate)])
    model.fit(both, label, logisticregression__sample_weight=counted)
    return lambda rows: np.asarray(model.predict_proba(rows)[:, 1])


def _boosted(features: pd.DataFrame, rate: Array, weight: Array, seed: int) -> Predict:
    from lightgbm import LGBMRegressor

    levels = {name: pd.CategoricalDtype(sorted(features[name].astype(str).unique())) for name in _text(features)}

    def coded(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(**{name: rows[name].astype(str).astype(kind) for name, kind in levels.items()})

    model = LGBMRegressor(
        objective="cross_entropy",
        n_estimators=80,
        learning_rate=0.05,
        num_leaves=7,
        min_child_samples=max(10, len(rate) // 40),
        min_child_weight=0.0,
        reg_lambda=1.0,
        cat_smooth=20.0,
        n_jobs=1,
        random_state=seed,
        verbosity=-1,
    )
    seen = weight > 0
    model.fit(coded(features)[seen], rate[seen], sample_weight=weight[seen] / weight[seen].mean())
    return lambda rows: np.asarray(model.predict(coded(rows)), dtype=float)


def _text(features: pd.DataFrame) -> list[str]:
    return [str(name) for name in features if not pd.api.types.is_numeric_dtype(features[name])]


def _calibration(kind: str, predicted: Array, rate: Array, trials: Array) -> Calibrate:
    """A monotone map from predicted to observed rates: a shift of the logit, Platt's (1999) line, or isotonic steps."""
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    hits = trials * rate
    if hits.sum() <= 0 or hits.sum() >= trials.sum():
        return _as_is
    if kind == "level" or np.ptp(predicted) < 1e-12:
        return _shifted(predicted, trials, float(hits.sum()))
    if kind == "isotonic":
        steps = IsotonicRegression(y_min=_FLOOR, out_of_bounds="clip").fit(predicted, rate, sample_weight=trials + 1e-9)
        return lambda values: np.asarray(steps.predict(values))
    line = LogisticRegression(C=1e4)
    line.fit(
        np.tile(_logit(predicted), 2)[:, None], np.repeat([1, 0], len(rate)), np.concatenate([hits, trials - hits])
    )
    return lambda values: np.asarray(line.predict_proba(_logit(values)[:, None])[:, 1])


def _shifted(predicted: Array, trials: Array, hits: float) -> Calibrate:
    """Predictions moved on the logit scale so that they add up to the hits."""
    from scipy.optimize import brentq
    from scipy.special import expit

    at = _logit(predicted)
    shift = float(brentq(lambda move: float((trials * expit(at + move)).sum()) - hits, -15.0, 15.0))
    return lambda values: np.asarray(expit(_logit(values) + shift))


def _as_is(values: Array) -> Array:
    return values


def _logit(values: Array) -> Array:
    p = np.clip(values, _FLOOR, 1 - _FLOOR)
    return np.asarray(np.log(p / (1 - p)))


def _folds(groups: NDArray[Any], folds: int, seed: int) -> NDArray[np.int64]:
    """A fold for each row, groups kept whole; one fold where there are fewer than four groups."""
    _, codes = np.unique(groups, return_inverse=True)
    count = int(codes.max()) + 1
    if count < 4:
        return np.zeros(len(codes), dtype=np.int64)
    order = np.random.default_rng(seed).permutation(count)
    return np.asarray((order % min(folds, count))[codes], dtype=np.int64)
