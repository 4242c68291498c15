"""Feedback: errors logged as actuals come in, drift of inputs and residuals tested, weights moved, and a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tools.demand.panel import Array

MOVED = 0.25  # PSI from which a shift is usually called large (Siddiqi 2006)
_BINS = 10


@dataclass(frozen=True)
class Feedback:
    """What new actuals say about methods in use.

    Attributes:
        errors: Mean absolute scaled error by method over the new periods.
        before: Weights in use.
        after: Weights after learning from the errors.
    """

    errors: dict[str, float]
    before: dict[str, float]
    after: dict[str, float]

    def lines(self) -> tuple[str, ...]:
        """What changed, one sentence each; the numbers stay in the fields."""
        best = min(self.errors, key=lambda name: self.errors[name])
        said = [f"{best} was closest to the new sales."]
        for name in self.after:
            change = self.after[name] - self.before[name]
            if abs(change) >= 0.02:
                said.append(f"{name} counts {'more' if change > 0 else 'less'} from now on.")
        return tuple(said)


def take_in(
    made: Mapping[str, Array],
    actual: Array,
    scale: Array,
    weights: Mapping[str, float],
    rate: float = 1.0,
) -> Feedback:
    """Learn from new actuals.

    Weights move by exponentiated gradient (Kivinen & Warmuth 1997) on the scaled absolute errors, with one per cent
    kept for every method so that none is lost for good.

    Args:
        made: Forecasts of each method (N, H).
        actual: What came (N, H), NaN where absent.
        scale: MASE denominators (N,).
        weights: In use, by method, summing to one.
        rate: How fast weights move.
    """
    residuals = {name: (actual - forecast) / scale[:, None] for name, forecast in made.items()}
    errors = {name: float(np.nanmean(np.abs(r))) for name, r in residuals.items()}
    raw = {name: weights[name] * np.exp(-rate * errors[name]) for name in made}
    total = sum(raw.values())
    share = 0.01
    after = {name: (1 - share * len(raw)) * value / total + share for name, value in raw.items()}
    return Feedback(errors, {name: float(weights[name]) for name in made}, after)


def stability_index(old: Array, new: Array) -> float:
    """Population stability index between two samples: sum of (q - p) log(q / p) over tenths of the old one.

    Half a case is added to every bin, so that an empty one does not make it infinite.
    """
    old, new = old[np.isfinite(old)], new[np.isfinite(new)]
    if len(old) < _BINS or not len(new):
        return 0.0
    cuts = np.unique(np.quantile(old, np.linspace(0, 1, _BINS + 1)[1:-1]))
    p = np.bincount(np.searchsorted(cuts, old, side="right"), minlength=len(cuts) + 1) + 0.5
    q = np.bincount(np.searchsorted(cuts, new, side="right"), minlength=len(cuts) + 1) + 0.5
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def page_hinkley(residuals: Array, tolerance: float = 0.1, threshold: float = 4.0) -> int | None:
    """Position at which the mean of residuals is found to have moved, up or down; None if it did not.

    Page (1954), Hinkley (1971): the cumulated excess over the mean so far beyond `tolerance`, against its extreme.

    Args:
        residuals: In time order (T,), in units of their usual size; NaN is skipped.
        tolerance: Change per step that is let pass.
        threshold: Cumulated change that raises the alarm.
    """
    mean, seen, up, down = 0.0, 0, 0.0, 0.0
    for at, value in enumerate(residuals):
        if not np.isfinite(value):
            continue
        seen += 1
        mean += (value - mean) / seen
        up = max(0.0, up + value - mean - tolerance)
        down = max(0.0, down + mean - value - tolerance)
        if max(up, down) > threshold:
            return at
    return None
