"""Recommendations against popularity, co-visitation and implicit ALS: full catalogue, split in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.customers_interactions import Interactions, holds_interactions, read_interactions
from benchmarks.experiment import read_experiment
from benchmarks.promotion import measure as measure_targeting
from benchmarks.result import Result, bootstrap, report
from shop.errors import BadInput
from tools.recommend import recommend_products
from tools.recommend.factors import Als
from tools.recommend.histories import Array, Histories, Index, Mask, Scores
from tools.recommend.hybrid import Hybrid
from tools.recommend.measure import coverage, exposure, ndcg, recall
from tools.recommend.neighbours import CoVisits
from tools.recommend.rank import top, with_popular, without
from tools.recommend.read import taught
from tools.recommend.simple import Popularity, Recommender, describe
from tools.recommend.split import Trial

PUBLISHED = ("online_retail_ii", "diginetica_sessions", "complete_journey")
_EMAIL_TEST = "hillstrom_email"
_SHARES = (0.1, 0.3)
_CASES = 3000  # test rows at most, by whole sessions drawn with seed 0
_NEW = 1 / 8  # an item first seen in this last share of the training span is new
_LISTED = 300  # places kept, so that twenty are left where what one had is taken out


def main(data: str | Path | None = None, shared: str | Path | None = None, most: int = _CASES) -> dict[str, Any]:
    """Measure recommendations on the folder `data`, or on the published sets of the shared folder.

    Raises:
        BadInput: Neither folder was given, or a folder does not hold its layout.
    """
    started = time.perf_counter()
    if data is None and shared is None:
        raise BadInput("Give --data with a folder of the interactions layout, or --shared with the public data sets.")
    folders = [Path(data)] if data is not None else [Path(str(shared)) / name for name in PUBLISHED]
    rows: list[Result] = []
    about: dict[str, Any] = {}
    for folder in (each for each in folders if holds_interactions(each)):
        found = read_interactions(folder)
        measured, told = measure(found, most)
        rows += measured
        about[found.name] = told
    if data is None:
        rows += audience(Path(str(shared)) / _EMAIL_TEST)
        rows += latency()
    name = Path(str(data or shared)).name
    return report("customers", name, rows, time.perf_counter() - started, recommendation=about)


def audience(folder: Path) -> list[Result]:
    """The launch audience on a randomised e-mail test: visits when targeting by uplift, response, RFM or chance."""
    found, _ = measure_targeting(read_experiment(folder), 1)
    kept = [row for row in found if row.extra.get("outcome") == "visit" and row.extra.get("share") in (None, *_SHARES)]
    return [replace(row, extra={"set": folder.name, "task": "audience", **row.extra}) for row in kept]


def latency(asked: int = 100) -> list[Result]:
    """Milliseconds of `recommend_products` for a customer of the demo shop, once taught; 95 of 100 take no longer.

    Beside those on the clock stand those of the processor, which do not depend on what else the machine is doing.
    """
    from tempfile import TemporaryDirectory

    from shop import Shop, demo

    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/demo.db"
        demo.build(url)
        shop = Shop.open(url)
        customers = taught(shop).customers[:asked]
        recommend_products(shop, customer=customers[0])
        taken = []
        for customer in customers:
            begun = time.perf_counter(), time.process_time()
            recommend_products(shop, customer=customer)
            taken.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
        shop.engine.dispose()
    where = {"set": "demo shop", "task": "recommendation"}
    slowest = 1000 * np.quantile(np.array(taken), 0.95, axis=0)
    metrics = ("recommend_ms_p95", "recommend_cpu_ms_p95")
    return [
        Result("debut", metric, float(value), n=len(taken), extra=where)
        for metric, value in zip(metrics, slowest, strict=True)
    ]


def measure(data: Interactions, most: int = _CASES) -> tuple[list[Result], dict[str, Any]]:
    """All rows of one data set, and what was done to get them."""
    trial = data.trial.sample(most)
    new = is_new(trial.past)
    content = describe(data.texts) if data.texts else None
    lists: dict[str, Index] = {}
    seconds: dict[str, float] = {}
    hybrid = Hybrid(data.split, content)
    chosen = rivals(data, trial.past)
    for method, model in {**chosen, "debut": hybrid}.items():
        begun = time.perf_counter()
        model.fit(trial.past)
        lists[method] = in_batches(model.score, trial)
        seconds[method] = round(time.perf_counter() - begun, 1)
    fresh = {**lists, "debut": in_batches(partial(hybrid.score, fresh=True), trial)}
    rows = score(data, trial, lists, new, "all") if takes_again(trial.past) else []
    rows += score(data, trial, fresh, new, "first_time" if rows else "all")
    told = {
        "protocol": data.protocol,
        "users": trial.past.rows,
        "items": trial.past.items,
        "interactions": len(trial.past.row),
        "cases": trial.asked.rows,
        "of_cases": data.trial.asked.rows,
        "new_items": int(new.sum()),
        "truth_new": round(float(new[trial.truth.indices].mean()), 4),
        "answers": list(hybrid.answers.values()),
        "judged": [{name: round(value, 4) for name, value in each.items()} for each in hybrid.judged.values()],
        "method_seconds": seconds,
        "rivals": {name: repr(model) for name, model in chosen.items()},
    }
    return rows, told


def rivals(data: Interactions, past: Histories) -> dict[str, Recommender]:
    """The rivals, each with the settings that did best on a trial inside the training part."""
    trial = data.split(past).sample(2000)
    options: dict[str, list[Recommender]] = {
        "popularity": [Popularity(half_life) for half_life in (np.inf, 0.5, 0.1, 0.02)],
        "covisitation": [CoVisits(reach=reach) for reach in (1.0, 5.0, 50.0)],
        "implicit_als": [Als(alpha=alpha, factors=factors) for alpha, factors in ((1.0, 64), (10.0, 64), (1.0, 128))],
    }
    had = None if takes_again(trial.past) else trial.asked.matrix()
    found = {}
    for method, choices in options.items():
        lists = [in_batches(model.fit(trial.past).score, trial) for model in choices]
        worth = [float(ndcg(each if had is None else without(each, had), trial.truth).mean()) for each in lists]
        found[method] = choices[int(np.argmax(worth))]
    return found


def in_batches(score: Callable[[Histories], Scores], trial: Trial, limit: int = _LISTED) -> Index:
    """Ranked lists of a trial's rows, popularity as the last resort of every method, (rows, limit)."""
    popular = Popularity().fit(trial.past).shares
    found = []
    for start in range(0, trial.asked.rows, 500):
        asked = trial.asked.take(np.arange(start, min(start + 500, trial.asked.rows)))
        found.append(top(with_popular(score(asked), popular), limit))
    return np.vstack(found)


def score(data: Interactions, trial: Trial, lists: dict[str, Index], new: Mask, subset: str) -> list[Result]:
    """Every metric of every method on one subset, and Debut's gain over each rival.

    Subset `all` is whatever was taken next; `first_time` only what the row had not taken before, from lists without
    it. Where nothing is ever taken twice in the training part, the lists of `all` hold nothing that was taken either.
    """
    truth, rows = trial.truth, np.arange(trial.asked.rows)
    if subset == "first_time" or not takes_again(trial.past):
        had = trial.asked.matrix()
        truth = (truth - truth.multiply(had)).tocsr()
        truth.eliminate_zeros()
        rows = np.flatnonzero(np.diff(truth.indptr) > 0)
        truth = truth[rows]
        lists = {method: without(found[rows], had[rows]) for method, found in lists.items()}
    where = {"set": data.name, "task": "recommendation", "subset": subset}
    group = trial.group[rows]
    gains = {method: ndcg(found, truth) for method, found in lists.items()}
    out: list[Result] = []
    for method, found in lists.items():
        out.append(_mean(method, "ndcg_10", gains[method], group, where))
        out.append(_mean(method, "recall_20", recall(found, truth), group, where))
        out.append(Result(method, "coverage", coverage(found[:, :10], trial.past.items), n=len(rows), extra=where))
        out.append(Result(method, "new_exposure", exposure(found[:, :10], new), n=len(rows), extra=where))
    for rival in ("popularity", "covisitation", "implicit_als"):
        pair = _by_group(np.column_stack([gains["debut"], gains[rival]]), group)
        low, high = bootstrap(pair, _ratio)
        out.append(Result("debut", f"ndcg_10_over_{rival}", _ratio(pair), low, high, len(rows), where))
    return out


def takes_again(past: Histories) -> bool:
    """Whether anybody took an item twice."""
    return len(np.unique(past.row * past.items + past.item)) < len(past.row)


def is_new(past: Histories) -> Mask:
    """Items first seen in the last part of the training span, or never before the test, (items,)."""
    seen = past.first_seen()
    return np.asarray(seen > past.time.max() - _NEW * np.ptp(past.time))


def _mean(method: str, metric: str, values: Array, group: Index, where: dict[str, Any]) -> Result:
    sums = _by_group(np.column_stack([values, np.ones(len(values))]), group)
    low, high = bootstrap(sums, lambda drawn: float(drawn[:, 0].sum() / drawn[:, 1].sum()))
    return Result(method, metric, float(values.mean()), low, high, len(values), where)


def _by_group(values: Array, group: Index) -> Array:
    place = np.unique(group, return_inverse=True)[1]
    return np.column_stack([np.bincount(place, weights=column) for column in values.T])


def _ratio(pair: Array) -> float:
    ours, theirs = pair.sum(axis=0)
    return float(ours / theirs - 1) if theirs > 0 else float("nan")
