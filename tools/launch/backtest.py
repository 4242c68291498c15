"""How well the method did on launches of this very shop, each forecast with nothing later than its own launch day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tools.launch.analogues import text_similarity
from tools.launch.cohort import Cohort, Subject
from tools.launch.curves import launch_totals, mean_curve, took
from tools.launch.level import Level, Settings, launch_level
from tools.launch.season import History, season_table

Array = NDArray[np.float64]
Z90 = 1.2816  # P10 and P90 of a normal lie this many standard deviations from its mean
_MIN_TRIED = 8
_MIN_COVERAGE = 20


@dataclass(frozen=True)
class Backtest:
    """Errors on past launches; None where too few could be tried.

    Attributes:
        tried: Launches forecast.
        wape: Sum of absolute errors of the total over the basis weeks, over the sum of actual totals.
        floor: The same for the shop's median launch, the rival that any method has to beat.
        bias: Sum of errors over the sum of actual totals; negative is too low.
        coverage: Share of the later half inside P10 to P90 when the spread is scaled on the earlier half.
        scale: Factor on the spread so that P10 to P90 holds four launches in five (split conformal).
    """

    tried: int
    wape: float | None
    floor: float | None
    bias: float | None
    coverage: float | None
    scale: float


def backtest(cohort: Cohort, history: History, settings: Settings) -> Backtest:
    """Forecast up to `settings.backtests` past launches, spread evenly over the last year of finished ones.

    Args:
        cohort: Launches with at least the basis weeks.
        history: Weekly sales for the season.
        settings: How to forecast; the basis is the horizon judged.
    """
    at = _tried(cohort, settings)
    if len(at) < _MIN_TRIED:
        return Backtest(len(at), None, None, None, None, 1.0)
    texts = list(cohort.frame["text"])
    similar = text_similarity([texts[i] for i in at], texts)
    curve = mean_curve(cohort.units, settings.basis)
    actual = launch_totals(cohort.units[at], curve, settings.basis)
    levels = [_replay(cohort, history, i, similar[k], settings) for k, i in enumerate(at)]
    forecast = np.array([level.units(settings.basis) for level in levels])
    median = np.array([level.launches["units"].median() for level in levels])
    scores = np.abs(np.log1p(actual) - np.log1p(forecast)) / np.array([level.sd for level in levels])
    return Backtest(
        tried=len(at),
        wape=float(np.abs(forecast - actual).sum() / actual.sum()),
        floor=float(np.abs(median - actual).sum() / actual.sum()),
        bias=float((forecast - actual).sum() / actual.sum()),
        coverage=_coverage(scores),
        scale=conformal_scale(scores),
    )


def conformal_scale(scores: Array) -> float:
    """Factor on a normal spread so that its central 80 % interval covers 80 % of new cases (split conformal).

    Args:
        scores: Absolute errors over the predicted standard deviation (n,), exchangeable with new ones. The rank is
            that of Vovk et al.: ceil((n + 1) · 0.8), at most n.
    """
    rank = min(int(np.ceil((len(scores) + 1) * 0.8)), len(scores))
    return float(np.sort(scores)[rank - 1] / Z90)


def _coverage(scores: Array) -> float | None:
    if len(scores) < _MIN_COVERAGE:
        return None
    half = len(scores) // 2
    return float((scores[half:] <= conformal_scale(scores[:half]) * Z90).mean())


def _tried(cohort: Cohort, settings: Settings) -> NDArray[np.int64]:
    """Positions of the launches to try, in order of launch date."""
    launched, basis = cohort.frame["launched"], settings.basis
    full = np.isfinite(launch_totals(cohort.units, mean_curve(cohort.units, basis), basis))
    finished = (cohort.frame["observed"] >= basis).to_numpy() & full & took(cohort.units, basis)
    ends = launched[finished] + pd.Timedelta(weeks=basis)
    before = np.searchsorted(np.sort(ends.to_numpy()), launched.to_numpy(), side="right")
    ready = np.flatnonzero(finished & (before >= settings.backtest_history))
    if not len(ready):
        return ready
    recent = ready[(launched.iloc[ready[-1]] - launched.iloc[ready] <= pd.Timedelta(weeks=52)).to_numpy()]
    if len(recent) <= settings.backtests:
        return ready[-settings.backtests :]
    return np.asarray(recent[np.linspace(0, len(recent) - 1, settings.backtests).round().astype(int)])


def _replay(cohort: Cohort, history: History, at: int, similar: Array, settings: Settings) -> Level:
    row = cohort.frame.iloc[at]
    price = None if np.isnan(row["price"]) else float(row["price"])
    subject = Subject(row["name"], row["text"], row["category"], price, row["launched"])
    known = cohort.known_on(subject.launched)
    table = season_table(history, subject.launched)
    past = similar[cohort.before(subject.launched)]
    return launch_level(known, subject, past, table, history.names, settings)
