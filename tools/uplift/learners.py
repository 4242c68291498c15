"""Uplift learners (econml's S, T, X and DR on boosted trees, T on ridge), and an honest choice between them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from tools.uplift.measure import Array, Index, Mask

Score = Callable[[Array], Array]
Learner = Literal["s", "t", "x", "dr", "linear", "mean", "response", "blend"]
LEARNERS: tuple[Learner, ...] = ("s", "t", "x", "dr", "linear", "mean", "response", "blend")
_META = ("s", "t", "x", "dr", "linear")


@dataclass(frozen=True)
class Choice:
    """The learner chosen on training data, and what each was worth there.

    Attributes:
        learner: The one chosen.
        worth: The cross-fitted area under the gain curve over random by learner, in outcome per customer.
        spread: Its standard error.
    """

    learner: Learner
    worth: dict[str, float]
    spread: dict[str, float]

    @property
    def certainty(self) -> float:
        """Standard errors by which the chosen ranking beats a random one on training data."""
        return self.worth[self.learner] / max(self.spread[self.learner], 1e-12)


@dataclass(frozen=True)
class Targeting:
    """A score of customers, on the scale of the outcome's change by treatment.

    Attributes:
        score: From features (m, k) to the expected change (m,).
        choice: The learner behind it.
        ranked_by: The outcome whose effect ranks customers: the one asked for, or an earlier one of the funnel.
        effect: The average change.
        slope: How far differences between customers' raw scores are believed.
    """

    score: Score
    choice: Choice
    ranked_by: str
    effect: float
    slope: float


def fit_targeting(
    features: Array, treated: Mask, outcomes: Mapping[str, Array], folds: int = 3, seed: int = 0
) -> dict[str, Targeting]:
    """A score for each outcome of a randomised test, learned and judged on the same customers by cross-fitting.

    A rare outcome is ranked by an earlier one of the funnel where training data tell that one's effects better: whom
    a message brings to the shop is whom it can sell to. The chosen ranking is then calibrated: cross-fitted scores are
    regressed on doubly robust pseudo-outcomes (the best linear predictor of Chernozhukov et al., 2018), so that scores
    of different learners, outcomes and arms stand on one scale, and a slope that is mostly noise is shrunk to nothing.

    Args:
        features: (n, k), numbers only; nan is a missing value.
        treated: (n,), drawn at random.
        outcomes: By name, (n,) each; earlier ones lead to later ones.
        folds: Of the cross-fitting.
        seed: Of folds and trees.
    """
    fitted = {name: cross_fit(features, treated, values, folds, seed) for name, values in outcomes.items()}
    choices = {name: choose(*each, LEARNERS) for name, each in fitted.items()}
    names, found = list(outcomes), {}
    for place, name in enumerate(names):
        source = max(names[: place + 1], key=lambda each: choices[each].certainty)
        choice = choices[source]
        held, pseudo = fitted[source][0][choice.learner], fitted[name][1]
        slope = _shrunk_slope(held, pseudo)
        raw = fit_effect(choice.learner, features, treated, outcomes[source], seed)
        found[name] = Targeting(
            partial(_calibrated, raw, float(pseudo.mean()), slope, float(held.mean())),
            choice,
            source,
            float(pseudo.mean()),
            slope,
        )
    return found


def _calibrated(raw: Score, effect: float, slope: float, centre: float, rows: Array) -> Array:
    return np.asarray(effect + slope * (raw(rows) - centre))


def _shrunk_slope(score: Array, pseudo: Array) -> float:
    """Slope of pseudo-outcomes on scores, times the share of its square that is not noise; never quite zero.

    What is left of a slope without evidence still ranks customers, and weighs nothing against another arm's average.
    """
    x = score - score.mean()
    square = max(float((x**2).sum()), 1e-12)
    slope = float((x * pseudo).sum()) / square
    variance = float(((x * (pseudo - pseudo.mean() - slope * x)) ** 2).sum()) / square**2
    believed = slope * max(0.0, 1 - variance / max(slope**2, 1e-24)) if slope > 0 else 0.0
    return max(believed, 1e-6)


def choose_learner(
    features: Array,
    treated: Mask,
    outcome: Array,
    learners: Sequence[Learner] = LEARNERS,
    folds: int = 3,
    seed: int = 0,
) -> Choice:
    """The learner that ranks customers best, judged on customers it was not fitted on.

    A ranking is judged by its gain curve on doubly robust pseudo-outcomes (Kennedy, 2023), whose noise is a fraction of
    the raw outcome's. `linear` is a T learner on ridge regressions, `mean` the average of the learners' effects. The
    `response`, the chance to buy, competes too: where effects grow with it, it ranks with the least noise. `blend` is
    that and the average together.

    Args:
        features: (n, k), numbers only; nan is a missing value.
        treated: (n,), drawn at random.
        outcome: (n,).
        learners: Those that compete.
        folds: Of the cross-fitting.
        seed: Of folds and trees.
    """
    return choose(*cross_fit(features, treated, outcome, folds, seed), learners)


def choose(scores: dict[str, Array], pseudo: Array, learners: Sequence[Learner]) -> Choice:
    """The best of cross-fitted rankings, see `choose_learner`; `pseudo` are doubly robust pseudo-outcomes (n,)."""
    ranked = {}
    for name in learners:
        # The area over random of a ranking is the covariance of a customer's rank with its effect.
        rank = np.argsort(np.argsort(scores[name])) / (len(pseudo) - 1) - 0.5
        ranked[str(name)] = rank * (pseudo - pseudo.mean())
    worth = {name: float(parts.mean()) for name, parts in ranked.items()}
    spread = {name: float(parts.std(ddof=1) / np.sqrt(len(parts))) for name, parts in ranked.items()}
    return Choice(_clearly_best(learners, worth, ranked), worth, spread)


def _clearly_best(learners: Sequence[Learner], worth: dict[str, float], ranked: dict[str, Array]) -> Learner:
    """The best learner where it beats the blend of all by more than a standard error, else that blend.

    The best of many noisy figures is best partly by luck; the blend has the least of it.
    """
    best = max(learners, key=lambda name: worth[str(name)])
    if "blend" not in learners or best == "blend":
        return best
    apart = ranked[str(best)] - ranked["blend"]
    return best if apart.mean() > apart.std(ddof=1) / np.sqrt(len(apart)) else "blend"


def cross_fit(
    features: Array, treated: Mask, outcome: Array, folds: int = 3, seed: int = 0
) -> tuple[dict[str, Array], Array]:
    """Every learner's score of each customer, from a fit without them, and doubly robust pseudo-outcomes, (n,) each."""
    fold = _folds(treated, folds, seed)
    scores = {str(name): np.zeros(len(outcome)) for name in LEARNERS}
    for number in range(folds):
        out, kept = fold == number, fold != number
        x, t, y = features[kept], treated[kept], outcome[kept]
        m1 = fit_outcome(x[t], y[t], seed)(features[out])
        for name in _META:
            scores[name][out] = fit_effect(name, x, t, y, seed)(features[out])
        scores["response"][out] = (m1 + _predicted(_ridge().fit(x[t], y[t]), features[out])) / 2
    scores["mean"] = np.mean([scores[name] for name in _META], axis=0)
    scores["blend"] = _scaled(scores["mean"]) + _scaled(scores["response"])
    return scores, pseudo_outcomes(features, treated, outcome, folds, seed)


def pseudo_outcomes(features: Array, treated: Mask, outcome: Array, folds: int = 3, seed: int = 0) -> Array:
    """Doubly robust pseudo-outcomes (n,): unbiased for each customer's effect, on average, in a randomised test.

    The difference of both arms' expected outcomes, from fits without the customer, plus the inversely weighted error
    of the arm they were in (Kennedy, 2023).
    """
    fold, pseudo = _folds(treated, folds, seed), np.zeros(len(outcome))
    for number in range(folds):
        out, kept = fold == number, fold != number
        x, t, y = features[kept], treated[kept], outcome[kept]
        m1, m0 = (fit_outcome(x[arm], y[arm], seed)(features[out]) for arm in (t, ~t))
        got, seen, share = treated[out], outcome[out], t.mean()
        pseudo[out] = m1 - m0 + np.where(got, (seen - m1) / share, -(seen - m0) / (1 - share))
    return pseudo


def fit_effect(name: str, features: Array, treated: Mask, outcome: Array, seed: int = 0) -> Score:
    """Fit a learner and return its score of new customers.

    Args:
        name: One of `LEARNERS`; `response` scores by the outcome expected under treatment, `blend` by both
            in standard deviations, the others by its change.
        features: (n, k).
        treated: (n,), drawn at random.
        outcome: (n,).
        seed: Of the trees.
    """
    if name == "response":
        trees = fit_outcome(features[treated], outcome[treated], seed)
        line = _ridge().fit(features[treated], outcome[treated])
        return lambda rows: (trees(rows) + _predicted(line, rows)) / 2
    if name == "mean":
        fitted = [fit_effect(each, features, treated, outcome, seed) for each in _META]
        return lambda rows: np.asarray(np.mean([score(rows) for score in fitted], axis=0))
    if name == "blend":
        parts = [fit_effect(each, features, treated, outcome, seed) for each in ("mean", "response")]
        spreads = [max(float(score(features).std()), 1e-12) for score in parts]
        return lambda rows: np.asarray(sum(score(rows) / sd for score, sd in zip(parts, spreads, strict=True)))
    model = _meta_learner(name, len(outcome), seed)
    with warnings.catch_warnings():
        # econml's stages pass bare arrays to trees that were shown names, and the other way round.
        warnings.simplefilter("ignore")
        model.fit(outcome, treated.astype(int), X=features)
    return lambda rows: _quiet_effect(model, rows)


def fit_outcome(features: Array, outcome: Array, seed: int = 0) -> Score:
    """Expected outcome by customer from boosted trees."""
    model = _trees(len(outcome), seed).fit(features, outcome)
    return lambda rows: np.asarray(model.booster_.predict(rows, num_threads=1), dtype=float)


def _scaled(score: Array) -> Array:
    return score / max(float(score.std()), 1e-12)


def _predicted(model: Any, rows: Array) -> Array:
    return np.asarray(model.predict(rows), dtype=float)


def _quiet_effect(model: Any, rows: Array) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(model.effect(rows), dtype=float).reshape(-1)


def _meta_learner(name: str, count: int, seed: int) -> Any:
    from econml.dr import DRLearner
    from econml.metalearners import SLearner, TLearner, XLearner
    from sklearn.dummy import DummyClassifier

    # Treatment was drawn at random, so its chance is one number for all.
    if name == "s":
        return SLearner(overall_model=_trees(count, seed), allow_missing=True)
    if name == "t":
        return TLearner(models=_trees(count // 2, seed), allow_missing=True)
    if name == "linear":
        return TLearner(models=_ridge(), allow_missing=True)
    if name == "x":
        return XLearner(
            models=_trees(count // 2, seed), propensity_model=DummyClassifier(strategy="prior"), allow_missing=True
        )
    if name != "dr":
        raise ValueError(f"learner must be one of {', '.join(LEARNERS)}, not {name!r}")
    return DRLearner(
        model_propensity=DummyClassifier(strategy="prior"),
        model_regression=_trees(count, seed),
        model_final=_trees(count, seed),
        cv=3,
        random_state=seed,
        allow_missing=True,
    )


def _ridge() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(SimpleImputer(), StandardScaler(), RidgeCV(np.logspace(0, 5, 11)))


def _trees(count: int, seed: int) -> Any:
    """Shallow, slow trees with large leaves: effects are small against outcomes and overfit first."""
    from lightgbm import LGBMRegressor

    return LGBMRegressor(
        n_estimators=60,
        learning_rate=0.05,
        num_leaves=6,
        min_child_samples=max(20, count // 60),
        reg_lambda=10.0,
        n_jobs=1,
        random_state=seed,
        verbosity=-1,
    )


def _folds(treated: Mask, folds: int, seed: int) -> Index:
    """A fold for each customer, treated and untreated spread evenly."""
    rng = np.random.default_rng(seed)
    fold = np.zeros(len(treated), dtype=np.int64)
    for group in (treated, ~treated):
        rows = np.flatnonzero(group)
        fold[rng.permutation(rows)] = np.arange(len(rows)) % folds
    return fold
