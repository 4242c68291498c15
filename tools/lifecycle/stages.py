"""Stage probabilities of a product from its weekly demand: a left-to-right hidden Markov model and a trapezoid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import ruptures
from hmmlearn.hmm import GaussianHMM
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.special import logsumexp

from tools.demand.panel import Array

STAGES = ("introduction", "growth", "maturity", "decline")
LEAST = 3  # weeks of demand below which no stage can be told
_INTRODUCTION = 0.6  # of the height reached, below which a climb is still an introduction

# Weekly evidence in each stage, chosen from what the words mean and not fitted to any data set: slope of log demand
# (last four weeks against the eight before), and the log share of the highest level so far.
_MEANS = np.array([[0.70, -0.03], [0.35, -0.03], [0.0, -0.12], [-0.10, -0.70]])
_SPREADS = np.array([[0.35, 0.08], [0.20, 0.08], [0.32, 0.16], [0.35, 0.35]])
_AGES, _AGE_SPREAD = np.array([2.0, 8.0, 30.0, 60.0]), np.array([0.7, 0.8, 1.0, 1.0])
_STAY = np.array([0.85, 0.85, 0.985, 0.99])


@dataclass(frozen=True)
class StageView:
    """A product's stage.

    Attributes:
        probabilities: Of `STAGES` now (4,).
        path: The same by week from the hidden Markov model (T, 4).
        turned: Weeks since the last change of level that ruptures finds; None without one.
        bass: Market size, innovation and imitation of a Bass fit; None where it does not fit.
    """

    probabilities: Array
    path: Array
    turned: int | None
    bass: tuple[float, float, float] | None

    @property
    def stage(self) -> str:
        """The likeliest stage."""
        return STAGES[int(self.probabilities.argmax())]


def view_stage(demand: Array, from_launch: bool) -> StageView:
    """The stage of a product from weekly demand with the season taken out.

    The mean of two opinions, the hidden Markov model, which sees the path, and the trapezoid, which sees the shape,
    times the odds of the age.

    Args:
        demand: Weekly demand (T,), gaps filled, from the launch or from the start of the data.
        from_launch: Whether the first week is the launch.

    Raises:
        ValueError: Fewer than three weeks.
    """
    if len(demand) < LEAST:
        raise ValueError(f"{len(demand)} weeks are too few to tell a stage")
    path = stage_path(demand, from_launch)
    both = (path[-1] + trapezoid_stage(demand, from_launch)) / 2
    both = both * age_odds(len(demand)) if from_launch else both
    # Both opinions rest on models that are not quite true, so neither may be certain.
    both = 0.92 * both / both.sum() + 0.08 / len(STAGES)
    return StageView(both, path, weeks_since_change(demand), bass_fit(demand) if from_launch else None)


def age_odds(weeks: int) -> Array:
    """Odds of the stages at an age (4,): log-normal in weeks, wide, so that demand outvotes them."""
    apart = (np.log(weeks) - np.log(_AGES)) / _AGE_SPREAD
    return np.asarray(np.exp(-(apart**2) / 2) + 0.02)


def stage_path(demand: Array, from_launch: bool) -> Array:
    """Probabilities of the stages by week (T, 4) from a left-to-right hidden Markov model; the last row is filtered."""
    return np.asarray(_model(from_launch).predict_proba(evidence_of(demand)))


def evidence_of(demand: Array) -> Array:
    """Slope of log demand and log share of the highest level so far, by week (T, 2)."""
    total = np.concatenate([[0.0], np.cumsum(demand)])
    week = np.arange(1, len(demand) + 1)
    late = (total[week] - total[np.maximum(week - 4, 0)]) / np.minimum(week, 4)
    before = np.maximum(week - 4, 0)
    start = np.maximum(week - 12, 0)
    # A unit of Poisson chance on top keeps slow sellers from looking like roller coasters.
    floor = 0.5 + 0.05 * demand.mean()
    early = np.where(before > start, (total[before] - total[start]) / np.maximum(before - start, 1), late * 0.5)
    slope = np.log(late + floor) - np.log(early + floor)
    wide = (total[week] - total[np.maximum(week - 8, 0)]) / np.minimum(week, 8)
    # The highest of many noisy means is high by chance: a standard error is taken off before the comparison.
    noise = np.sqrt(wide / np.minimum(week, 8) + (0.25 * wide) ** 2 / np.minimum(week, 8))
    peak = np.maximum(np.maximum.accumulate(np.maximum(wide - noise, 0)), wide)
    return np.column_stack([slope, np.log(wide + floor) - np.log(peak + floor)])


def trapezoid_stage(demand: Array, from_launch: bool, grid: int = 16) -> Array:
    """Probabilities of the stages now (4,) from a trapezoid life cycle (Hu et al. 2019, M&SOM 21(3)).

    Demand climbs to a plateau until t1, holds it until t2 and then falls in a line; every (t1, t2) on a grid is fitted
    by least squares and weighs by its likelihood. Now is decline if t2 lies behind and the fitted level has fallen
    below three quarters of the plateau, growth or introduction if t1 lies ahead, by the share of the height reached.
    """
    n = len(demand)
    week = np.arange(1, n + 1, dtype=float)
    ends = np.unique(np.linspace(1, 1.5 * n, grid).round())
    starts = ends if from_launch else np.array([1.0])
    logs, votes = [], []
    # Square roots make Poisson-like noise even.
    y = np.sqrt(demand)
    for t1 in starts:
        for t2 in ends[ends >= t1]:
            rise = np.minimum(week / t1, 1.0)
            for fall in (0.0, 0.01, 0.02, 0.04, 0.08):
                if fall and t2 >= n:
                    continue
                shape = np.sqrt(rise * np.maximum(1 - fall * np.maximum(week - t2, 0), 0.02))
                height = (shape @ y) / (shape @ shape)
                logs.append(-((y - height * shape) ** 2).sum())
                level = shape[-1] ** 2
                votes.append(_vote(n < t1, level, fall > 0))
    best = np.array(logs)
    noise = max(-best.max() / max(n - 3, 1), 0.15)
    weight = np.exp(best / (2 * noise) - logsumexp(best / (2 * noise)))
    return np.asarray(weight @ np.array(votes))


def weeks_since_change(demand: Array) -> int | None:
    """Weeks since the last change of the level of log demand (PELT, Killick et al. 2012); None without one."""
    if len(demand) < 12:
        return None
    signal = np.log1p(demand)[:, None]
    noise = max(float(np.var(np.diff(signal[:, 0])) / 2), 0.02)
    breaks = ruptures.Pelt(model="l2", min_size=4, jump=1).fit(signal).predict(pen=3 * np.log(len(demand)) * noise)
    return len(demand) - breaks[-2] if len(breaks) > 1 else None


def bass_fit(demand: Array) -> tuple[float, float, float] | None:
    """Market size, innovation p and imitation q of a Bass curve (Bass 1969) by least squares on weekly demand.

    None where the fit fails or ends on a bound: a product that is still climbing does not tell its market.
    """
    if len(demand) < 10 or demand.sum() <= 0:
        return None
    week = np.arange(1, len(demand) + 1, dtype=float)

    def sold(t: Array, size: float, p: float, q: float) -> Array:
        return size * (bass_share(t, p, q) - bass_share(t - 1, p, q))

    total = float(demand.sum())
    try:
        fitted, _ = curve_fit(
            sold, week, demand, p0=(1.5 * total, 0.02, 0.1), bounds=([0.5 * total, 1e-5, 0.0], [10 * total, 0.5, 1.0])
        )
    except RuntimeError:  # no convergence
        return None
    return None if fitted[0] > 9.5 * total else (float(fitted[0]), float(fitted[1]), float(fitted[2]))


def bass_share(t: Array, p: float, q: float) -> Array:
    """Share of the market that has bought by time t (Bass 1969, eq. 9)."""
    e = np.exp(-(p + q) * np.maximum(t, 0.0))
    return np.asarray((1 - e) / (1 + q / p * e))


def _vote(climbing: bool, level: float, falling: bool) -> list[float]:
    if climbing:
        return [1.0, 0.0, 0.0, 0.0] if level < _INTRODUCTION else [0.0, 1.0, 0.0, 0.0]
    return [0.0, 0.0, 0.0, 1.0] if falling and level < 0.75 else [0.0, 0.0, 1.0, 0.0]


def _model(from_launch: bool) -> GaussianHMM:
    model = GaussianHMM(n_components=4, covariance_type="diag", init_params="", params="")
    model.startprob_ = np.array([0.9, 0.08, 0.01, 0.01] if from_launch else [0.02, 0.08, 0.6, 0.3])
    leave = np.diag(_STAY)
    for stage in range(3):
        leave[stage, stage + 1] = 1 - _STAY[stage]
    leave[3, 3], leave[3, 2] = _STAY[3], 1 - _STAY[3]  # a relaunch can bring a product back
    model.transmat_, model.means_, model.covars_ = leave, _MEANS, _SPREADS**2
    return model


def age_rule(weeks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Stage by age alone (N,): what any product would be told. The baseline that the model must beat."""
    return np.searchsorted(np.array([4, 12, 52]), weeks, side="right").astype(np.int64)
