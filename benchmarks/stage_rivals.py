"""Other ways to tell a stage, which Debut's is measured against: by age alone, and by a hidden Markov model."""

from __future__ import annotations

import numpy as np
from hmmlearn.hmm import GaussianHMM
from numpy.typing import NDArray

from tools.demand.panel import Array

# Weekly evidence in each stage, chosen from what the words mean and not fitted to any data set: slope of log demand
# (last four weeks against the eight before), and the log share of the highest level so far.
_MEANS = np.array([[0.70, -0.03], [0.35, -0.03], [0.0, -0.12], [-0.10, -0.70]])
_SPREADS = np.array([[0.35, 0.08], [0.20, 0.08], [0.32, 0.16], [0.35, 0.35]])
_STAY = np.array([0.85, 0.85, 0.985, 0.99])


def age_rule(weeks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Stage by age alone (N,): what any product would be told. The baseline that the model must beat."""
    return np.searchsorted(np.array([4, 12, 52]), weeks, side="right").astype(np.int64)


def hidden_path(demand: Array) -> Array:
    """Chances of the stages by week (T, 4) from a left-to-right hidden Markov model of products seen from launch."""
    return np.asarray(_model().predict_proba(evidence_of(demand)))


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


def _model() -> GaussianHMM:
    model = GaussianHMM(n_components=4, covariance_type="diag", init_params="", params="")
    model.startprob_ = np.array([0.9, 0.08, 0.01, 0.01])
    leave = np.diag(_STAY)
    for stage in range(3):
        leave[stage, stage + 1] = 1 - _STAY[stage]
    leave[3, 3], leave[3, 2] = _STAY[3], 1 - _STAY[3]  # a relaunch can bring a product back
    model.transmat_, model.means_, model.covars_ = leave, _MEANS, _SPREADS**2
    return model
