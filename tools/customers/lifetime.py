"""Buy-till-you-die models by maximum likelihood: BG/NBD, Pareto/NBD, and Gamma-Gamma for the money of a purchase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, expit, gammaln, hyp2f1

Array = NDArray[np.float64]
_LEAST = 30  # customers to fit from
_MOST = 6_000  # customers to fit from; more do not move the parameters beyond their error
_BOUND = 10.0  # of a parameter's logarithm
_POLE = 1e-6  # closest that a shape comes to a pole of the expectation
_DECAY = 40.0  # powers of e after which an integrand no longer counts
_AT, _BY = np.polynomial.legendre.leggauss(24)
_NODES, _WEIGHTS = (_AT + 1) / 2, _BY / 2


@dataclass(frozen=True)
class Counts:
    """Repeat purchases `x`, time of the last `last` and length of watch `span`, from the first purchase on, (n,) each.

    Raises:
        ValueError: A count is negative, or a last purchase lies outside the watch.
    """

    x: Array
    last: Array
    span: Array

    def __post_init__(self) -> None:
        if not (np.all(self.x >= 0) and np.all(self.last >= 0) and np.all(self.last <= self.span)):
            raise ValueError("counts need x >= 0 and 0 <= last <= span")


@dataclass(frozen=True)
class BetaGeometric:
    """BG/NBD of Fader, Hardie and Lee (2005): a customer may leave after each purchase."""

    r: float
    alpha: float
    a: float
    b: float

    def log_likelihood(self, counts: Counts) -> Array:
        """Of each customer, (n,)."""
        shape = self.r + counts.x
        rate = gammaln(shape) - gammaln(self.r) + self.r * np.log(self.alpha) - shape * np.log(self.alpha + counts.span)
        stay = betaln(self.a, self.b + counts.x) - betaln(self.a, self.b)
        return np.asarray(rate + stay + np.logaddexp(0.0, self._log_odds_gone(counts)))

    def alive(self, counts: Counts) -> Array:
        """Chance of each to be a customer still, (n,)."""
        return np.asarray(expit(-self._log_odds_gone(counts)))

    def expected(self, counts: Counts, ahead: float) -> Array:
        """Purchases of each customer in the time `ahead` after the watch, (n,)."""
        a = self.a if abs(self.a - 1) > _POLE else 1 + _POLE
        c = a + self.b + counts.x - 1
        left = (self.alpha + counts.span) / (self.alpha + counts.span + ahead)
        # Euler's transformation cancels the powers of r + x: a thousand purchases are as safe as one.
        bracket = 1 - left ** (a - 1) * hyp2f1(a - 1, a + self.b - 1 - self.r, c, 1 - left)
        return np.asarray(np.maximum(c / (a - 1) * bracket, 0.0) * self.alive(counts))

    def _log_odds_gone(self, counts: Counts) -> Array:
        silence = np.log(self.alpha + counts.span) - np.log(self.alpha + counts.last)
        repeat = counts.x > 0
        chance = np.log(self.a) - np.log(np.where(repeat, self.b + counts.x - 1, 1.0))
        return np.where(repeat, chance + (self.r + counts.x) * silence, -np.inf)


@dataclass(frozen=True)
class Pareto:
    """Pareto/NBD of Schmittlein, Morrison and Colombo (1987): a customer may leave at any time."""

    r: float
    alpha: float
    s: float
    beta: float

    def log_likelihood(self, counts: Counts) -> Array:
        """Of each customer, (n,)."""
        here, gone = self._terms(counts)
        head = gammaln(self.r + counts.x) - gammaln(self.r)
        return np.asarray(head + self.r * np.log(self.alpha) + self.s * np.log(self.beta) + np.logaddexp(here, gone))

    def alive(self, counts: Counts) -> Array:
        """Chance of each to be a customer still, (n,)."""
        here, gone = self._terms(counts)
        return np.asarray(expit(here - gone))

    def expected(self, counts: Counts, ahead: float) -> Array:
        """Purchases of each customer in the time `ahead` after the watch, (n,)."""
        s = self.s if abs(self.s - 1) > _POLE else 1 + _POLE
        rate = (self.r + counts.x) / (self.alpha + counts.span)
        left = (self.beta + counts.span) / (self.beta + counts.span + ahead)
        return np.asarray(rate * (self.beta + counts.span) / (s - 1) * (1 - left ** (s - 1)) * self.alive(counts))

    def _terms(self, counts: Counts) -> tuple[Array, Array]:
        """Logarithms of the two parts of the likelihood: a customer still, and gone since the last purchase."""
        shape = self.r + counts.x
        start, end = self.alpha + counts.last, self.alpha + counts.span
        here = -shape * np.log(end) - self.s * np.log(self.beta + counts.span)
        # The integral over the day of leaving, in the logarithm of time, as far as its integrand matters.
        reach = np.minimum(np.log(end / start), _DECAY / np.maximum(shape - 1, _POLE))
        step = reach[:, None] * _NODES
        later = self.beta + counts.last[:, None] + start[:, None] * np.expm1(step)
        inside = -(shape - 1)[:, None] * step - (self.s + 1) * np.log(later)
        peak = inside.max(axis=1)
        with np.errstate(divide="ignore"):  # nobody leaves in no time
            integral = np.log(reach) + peak + np.log(np.exp(inside - peak[:, None]) @ _WEIGHTS)
        return here, np.log(self.s) - (shape - 1) * np.log(start) + integral


@dataclass(frozen=True)
class GammaGamma:
    """Money of a purchase (Fader and Hardie, 2013): gamma around each customer's mean, whose scale is gamma."""

    p: float
    q: float
    gamma: float

    def log_likelihood(self, x: Array, mean: Array) -> Array:
        """Of `x` purchases with the `mean` amount, both above zero, (n,)."""
        a, b = self.p * x, self.q
        head = gammaln(a + b) - gammaln(a) - gammaln(b) + b * np.log(self.gamma)
        return np.asarray(head + (a - 1) * np.log(mean) + a * np.log(x) - (a + b) * np.log(self.gamma + x * mean))

    def expected(self, x: Array, mean: Array) -> Array:
        """Mean amount of each customer's purchases to come, (n,)."""
        return np.asarray(self.p * (self.gamma + x * mean) / np.maximum(self.p * x + self.q - 1, _POLE))


def fit_beta_geometric(counts: Counts, seed: int = 0) -> BetaGeometric:
    """Maximum likelihood.

    Raises:
        ValueError: Fewer than thirty customers, or none who came again.
    """
    part, weight = _grouped(counts, seed)
    found = _maximise(lambda v: float(weight @ BetaGeometric(*v).log_likelihood(part)), [0.5, _scale(part), 0.7, 2.0])
    return BetaGeometric(*found)


def fit_pareto(counts: Counts, seed: int = 0) -> Pareto:
    """Maximum likelihood.

    Raises:
        ValueError: Fewer than thirty customers, or none who came again.
    """
    part, weight = _grouped(counts, seed)
    scale = _scale(part)
    found = _maximise(lambda v: float(weight @ Pareto(*v).log_likelihood(part)), [0.5, scale, 0.6, 1.2 * scale])
    return Pareto(*found)


def fit_gamma_gamma(x: Array, mean: Array, seed: int = 0) -> GammaGamma:
    """Maximum likelihood over customers with a purchase of a positive amount; `q` is held above 1, so that means exist.

    Raises:
        ValueError: Fewer than thirty customers.
    """
    good = (x > 0) & (mean > 0)
    if good.sum() < _LEAST:
        raise ValueError(f"{int(good.sum())} customers with purchases are too few; {_LEAST} are needed")
    x, mean = x[good], mean[good]
    if len(x) > _MOST:
        rows = np.random.default_rng(seed).choice(len(x), _MOST, replace=False)
        x, mean = x[rows], mean[rows]
    level = float(np.median(mean))

    def total(v: Array) -> float:
        return float(GammaGamma(v[0], 1 + v[1], level * v[2]).log_likelihood(x, mean).sum())

    p, q, gamma = _maximise(total, [4.0, 2.5, 1.0])
    return GammaGamma(p, 1 + q, level * gamma)


def _grouped(counts: Counts, seed: int) -> tuple[Counts, Array]:
    """Different customers and how many there are of each; a sample where there are very many."""
    n = len(counts.x)
    if n < _LEAST or not (counts.x > 0).any():
        raise ValueError(f"{n} customers, or none who came again, are too few; {_LEAST} are needed")
    rows = np.column_stack([counts.x, counts.last, counts.span])
    if n > _MOST:
        rows = rows[np.random.default_rng(seed).choice(n, _MOST, replace=False)]
    different, number = np.unique(rows, axis=0, return_counts=True)
    return Counts(*different.T), number.astype(float)


def _scale(counts: Counts) -> float:
    """A rate's inverse to start from: time watched per repeat purchase, at the half of it."""
    return max(float(0.5 * counts.span.sum() / max(counts.x.sum(), 1.0)), 1e-3)


def _maximise(total: Callable[[Array], float], start: list[float]) -> list[float]:
    """The positive parameters with the highest log likelihood, from two starts (the likelihoods have ridges)."""
    from scipy.optimize import minimize

    starts = np.log([start, [2 * value for value in start]])
    size = max(abs(total(np.exp(starts[0]))), 1.0)
    limits = [(value - _BOUND, value + _BOUND) for value in starts[0]]

    def loss(v: Array) -> float:
        value = total(np.exp(v))
        return -value / size if np.isfinite(value) else 1e6

    options = {"maxiter": 500, "ftol": 1e-11, "gtol": 1e-8}
    best = min(
        (minimize(loss, each, method="L-BFGS-B", bounds=limits, options=options) for each in starts),
        key=lambda result: float(result.fun),
    )
    return [float(value) for value in np.exp(best.x)]
