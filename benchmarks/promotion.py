"""Whom to contact: targeting by uplift on a randomised test, against random, a response model and RFM."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.experiment import Array, Experiment, read_experiment, subset
from benchmarks.result import Result, report
from shop.errors import BadInput
from tools.uplift import fit_outcome, fit_targeting, qini, top_share

SHARES = (0.1, 0.2, 0.3, 0.5)
_FOLDS = 4
_DRAWS = 300
_MARKETS = 1  # demo markets on which depth and dip are held to the truth
_LIBRARY = "hillstrom_email"
Index = NDArray[np.int64]
Scores = dict[str, Array]  # method → score of each customer and arm (n, arms)


def main(data: str | Path | None = None, shared: str | Path | None = None, seeds: int = 3) -> dict[str, Any]:
    """Measure targeting on the test in `data`, or on the published e-mail test in the shared folder.

    Every customer is judged by scores fitted without them: a quarter of the customers is scored by the other
    three, in turn, for `seeds` divisions. Learners are chosen on the training part alone. There is no oracle: a
    customer is seen under one arm only; treating nobody and treating everybody stand beside the policies instead.
    Without `data` what price promotions do is measured too, on the demo market, whose truth is known.

    Raises:
        BadInput: Neither folder was given, or the folder does not hold a test.
    """
    started = time.perf_counter()
    if data is None and shared is None:
        raise BadInput("Give --data with a folder of the experiment layout, or --shared with the public data sets.")
    folder = Path(data) if data is not None else Path(str(shared)) / _LIBRARY
    test = read_experiment(folder)
    rows, chosen = measure(test, seeds)
    if data is None:
        from benchmarks.promotion_depth import measure_depth

        rows += measure_depth(_MARKETS)
    about = {"arms": test.arms, "customers": len(test.arm), "seeds": seeds, "draws": _DRAWS, "chosen": chosen}
    return report("promotion", test.name, rows, time.perf_counter() - started, **about)


def measure(test: Experiment, seeds: int) -> tuple[list[Result], dict[str, list[str]]]:
    """All rows of the report, and which learner was chosen for which outcome in each training part."""
    chosen: dict[str, list[str]] = {}
    by_seed = [score_all(test, seed, chosen) for seed in range(seeds)]
    weights = np.random.default_rng(0).poisson(1.0, (_DRAWS, len(test.arm))).astype(np.float32)
    rows: list[Result] = []
    for outcome in test.outcomes:
        scored = [scores[outcome] for scores in by_seed]
        rows += policies(test, outcome, scored, weights)
        rows += curves(test, outcome, scored, weights)
    return rows, chosen


def score_all(test: Experiment, seed: int, chosen: dict[str, list[str]]) -> dict[str, Scores]:
    """Scores of every customer by outcome, from models fitted on the part without them."""
    fold = np.random.default_rng(seed).permutation(np.arange(len(test.arm)) % _FOLDS)
    found = {name: {} for name in test.outcomes}  # type: dict[str, Scores]
    for number in range(_FOLDS):
        train, held = subset(test, np.flatnonzero(fold != number)), np.flatnonzero(fold == number)
        fitted = fit(train, test.features[held], seed, chosen)
        for outcome, scores in fitted.items():
            for method, values in scores.items():
                whole = found[outcome].setdefault(method, np.zeros((len(test.arm), len(test.arms))))
                whole[held] = values
    return found


def fit(train: Experiment, features: Array, seed: int, chosen: dict[str, list[str]]) -> dict[str, Scores]:
    """Scores (m, arms) of customers with `features`, by outcome and method, learned on `train`."""
    names = list(train.outcomes)
    found = {name: np.zeros((2, len(features), len(train.arms))) for name in names}
    for k, arm in enumerate(train.arms):
        use = (train.arm == 0) | (train.arm == k + 1)
        x, treated = train.features[use], train.arm[use] == k + 1
        outcomes = {name: train.outcomes[name][use] for name in names}
        for name, learned in fit_targeting(x, treated, outcomes, seed=seed).items():
            chosen.setdefault(f"{name}: {arm}", []).append(f"{learned.choice.learner}, ranked by {learned.ranked_by}")
            found[name][0, :, k] = learned.score(features)
            found[name][1, :, k] = fit_outcome(x[treated], outcomes[name][treated], seed)(features)
    return {name: {"debut": both[0], "response_model": both[1]} for name, both in found.items()}


def policies(test: Experiment, outcome: str, scored: list[Scores], weights: Array) -> list[Result]:
    """Value per customer of contacting the best share by each method, and Debut's gain over each rival.

    All methods contact equally many customers. Rivals use the arm that does best on average; Debut picks one for each
    customer. Random targeting is in closed form: that share of the best arm's mean, the rest of the control's.
    """
    values, n = test.outcomes[outcome], len(test.arm)
    best = _best_arm(test, outcome)
    flat = _arm_means(test, values, weights)
    rows = [
        Result(name, "policy_value", *_summary(flat[arm]), n, {"outcome": outcome, "share": share})
        for name, arm, share in (("treat_none", 0, 0.0), ("treat_all", best, 1.0))
    ]
    for share in SHARES:
        draws = {"random": share * flat[best] + (1 - share) * flat[0]}
        for method in ("debut", "response_model", "rfm"):
            if method == "rfm" and test.rfm is None:
                continue
            draws[method] = np.mean(
                [
                    _value_draws(test, values, _policy(test, scores, method, best, share, seed), weights)
                    for seed, scores in enumerate(scored)
                ],
                axis=0,
            )
        extra = {"outcome": outcome, "share": share}
        rows += [Result(method, "policy_value", *_summary(each), n, extra) for method, each in draws.items()]
        rows += [
            Result("debut", f"gain_over_{method}", *_summary(draws["debut"] - each), n, extra)
            for method, each in draws.items()
            if method != "debut"
        ]
    return rows


def curves(test: Experiment, outcome: str, scored: list[Scores], weights: Array) -> list[Result]:
    """Qini of each arm's ranking by Debut, the response model, RFM and chance, in outcome per customer."""
    rows = []
    for k, arm in enumerate(test.arms):
        use = (test.arm == 0) | (test.arm == k + 1)
        y, treated = test.outcomes[outcome][use], test.arm[use] == k + 1
        rankings: dict[str, list[Array]] = {
            "debut": [scores["debut"][use, k] for scores in scored],
            "response_model": [scores["response_model"][use, k] for scores in scored],
            "random": [np.random.default_rng(seed).random(int(use.sum())) for seed in range(len(scored))],
        }
        if test.rfm is not None:
            rankings["rfm"] = [test.rfm[use]]
        for method, scores in rankings.items():
            draws = [
                np.mean([qini(y, treated, s, w) for s in scores])
                for w in [np.ones(len(y)), *weights[: _DRAWS // 3, use]]
            ]
            rows.append(Result(method, "qini", *_summary(np.array(draws)), len(y), {"outcome": outcome, "arm": arm}))
    return rows


def _policy(test: Experiment, scores: Scores, method: str, best: int, share: float, seed: int) -> Index:
    """The arm of each customer when `share` of them are contacted, 0 for no contact, (n,)."""
    rng = np.random.default_rng(seed)
    arm = np.full(len(test.arm), best)
    if method == "debut":
        arm, score = scores["debut"].argmax(axis=1) + 1, scores["debut"].max(axis=1)
    else:
        score = scores["response_model"][:, best - 1] if method == "response_model" else np.asarray(test.rfm)
    return np.where(top_share(score, share, rng), arm, 0)


def _value_draws(test: Experiment, values: Array, chosen: Index, weights: Array) -> Array:
    """`policy_value` as measured, then of every bootstrap draw, (1 + draws,): one product of matrices for all."""
    all_weights = np.vstack([np.ones(len(values), dtype=np.float32), weights])
    total = np.zeros(len(all_weights))
    for each in np.unique(chosen):
        wants = chosen == each
        got = (wants & (test.arm == each)).astype(float)
        sums = all_weights @ np.column_stack([wants, got, got * values]).astype(np.float32)
        # Where nobody drew the arm of a handful of customers, the arm's mean stands for them.
        mean = values[test.arm == each].mean()
        reached = np.divide(sums[:, 2], sums[:, 1], out=np.full(len(sums), mean), where=sums[:, 1] > 0)
        total += sums[:, 0] / all_weights.sum(axis=1) * reached
    return total


def _arm_means(test: Experiment, values: Array, weights: Array) -> dict[int, Array]:
    return {arm: _value_draws(test, values, np.full(len(values), arm), weights) for arm in range(len(test.arms) + 1)}


def _best_arm(test: Experiment, outcome: str) -> int:
    means = [test.outcomes[outcome][test.arm == k + 1].mean() for k in range(len(test.arms))]
    return int(np.argmax(means)) + 1


def _summary(draws: Array) -> tuple[float, float, float]:
    """The measured value, which stands first, and the bootstrap's 95 % interval."""
    low, high = np.nanquantile(draws[1:], [0.025, 0.975])
    return float(draws[0]), float(low), float(high)
