"""What would have been sold without a promotion: the product's own wandering level, and what moves other sales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Array = NDArray[np.float64]
WANDERING = np.array([0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0])  # variance of the level's step over the noise
_VAGUE = 1e2  # prior variance of level and slopes over the noise, in units of the series' own spread
_SHAPE = 2.0  # of the inverse-gamma prior of the noise variance
_CHANCE = 4000  # draws from the posterior
LEAST_BEFORE = 14  # periods before the treatment


@dataclass(frozen=True)
class Structural:
    """What the model says of the treated periods.

    Attributes:
        path: Mean of what would have been sold (H,).
        effect: Mean of the sum of what was sold less that.
        interval: P10 and P90 of the effect.
        p: Chance, given the data, that the effect has the other sign, twice.
    """

    path: Array
    effect: float
    interval: tuple[float, float]
    p: float


def structural_effect(own: Array, drivers: Array, before: int, seed: int = 0) -> Structural:
    """The effect of a treatment from period `before` on, by a Bayesian structural time series (Brodersen et al., 2015).

    A local level with regression: y = level + drivers · slopes + noise, the level a random walk. Level, slopes and
    noise variance have conjugate priors and are integrated out in closed form; how much the level wanders is averaged
    over `WANDERING` by its posterior. So there is nothing to sample but the answer, and a placebo test can afford
    every date. With fixed wandering the predictions are those of a Kalman filter.

    Args:
        own: Sales of the treated product (T,).
        drivers: What moves sales whether there is a treatment or not (T, K), untouched by it; K may be 0.
        before: Periods before the treatment, at least three.
        seed: Of the draws.
    """
    centre, scale = float(own[:before].mean()), float(own[:before].std()) or 1.0
    y = (own - centre) / scale
    x = (drivers - drivers[:before].mean(axis=0)) / np.maximum(drivers[:before].std(axis=0), 1e-9)
    fits = [predict(y, x, before, q) for q in WANDERING]
    evidence = np.array([fit[0] for fit in fits])
    weight = np.exp(evidence - evidence.max())
    weight /= weight.sum()
    rng = np.random.default_rng(seed)
    freedom = 2 * _SHAPE + before
    drawn = []
    for (_, mean, covariance), count in zip(fits, rng.multinomial(_CHANCE, weight), strict=True):
        total, spread = y[before:].sum() - mean.sum(), np.sqrt(covariance.sum())
        drawn.append(total + spread * rng.standard_t(freedom, size=count))
    sums = np.concatenate(drawn) * scale
    path = sum(w * fit[1] for w, fit in zip(weight, fits, strict=True)) * scale + centre
    low, high = np.quantile(sums, [0.1, 0.9])
    below = float((sums < 0).mean())
    return Structural(np.asarray(path), float(sums.mean()), (float(low), float(high)), 2 * min(below, 1 - below))


def placebo_rank(own: Array, drivers: Array, before: int) -> float | None:
    """The placebo test in time: share of dates, the real one included, at which as large an effect is found.

    Each earlier stretch as long as the treatment, at least `LEAST_BEFORE` periods in, is taken for it, with nothing
    later in sight. None where there are fewer than four such dates.
    """
    length = len(own) - before
    starts = range(LEAST_BEFORE, before - length + 1)
    if len(starts) < 4:
        return None
    real = _standing(own, drivers, before)
    found = [_standing(own[: at + length], drivers[: at + length], at) for at in starts]
    return (1 + sum(each >= real for each in found)) / (1 + len(found))


def _standing(own: Array, drivers: Array, before: int) -> float:
    """An effect's size in units of its own interval."""
    made = structural_effect(own, drivers, before)
    return abs(made.effect) / max(made.interval[1] - made.interval[0], 1e-9)


def predict(y: Array, x: Array, before: int, wandering: float) -> tuple[float, Array, Array]:
    """Log evidence, predictive mean (H,) and scale matrix (H, H) of the later periods for one way of wandering.

    `y` (T,) and the columns of `x` (T, K) are standardised on the first `before` periods, the ones that are seen.
    y is jointly Gaussian given the noise variance: level and slopes are vague normals, the random walk adds
    `wandering` times min(s, t). The variance's inverse-gamma prior turns that into a Student t.
    """
    count = len(y)
    steps = np.arange(count, dtype=float)
    cover = _VAGUE * (1 + x @ x.T) + wandering * np.minimum(steps[:, None], steps[None, :]) + np.eye(count)
    seen, later = slice(0, before), slice(before, count)
    inverse = np.linalg.solve(cover[seen, seen], np.column_stack([y[seen], cover[seen, later]]))
    mean = cover[later, seen] @ inverse[:, 0]
    square = float(y[seen] @ inverse[:, 0])
    prior = _SHAPE - 1  # a noise variance about that of the series
    shape, rate = _SHAPE + before / 2, prior + square / 2
    log_evidence = gammaln(shape) - shape * np.log(rate) - 0.5 * np.linalg.slogdet(cover[seen, seen])[1]
    left = cover[later, later] - cover[later, seen] @ inverse[:, 1:]
    return float(log_evidence), np.asarray(mean), np.asarray(rate / shape * left)
