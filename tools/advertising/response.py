"""What spend per channel brings: adstock, saturation, and their fit with bootstrap draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CARRY = (0.0, 0.2, 0.4, 0.6, 0.8)
HALF = (0.35, 0.7, 1.4, 2.8)  # of the usual spend in weeks with some
SHAPE = (1.0,)  # concave: an S lets noise decide that a channel gets all or nothing
_PASSES = 8
_APART = 0.6  # how far channels' returns lie apart, as a share of the common one
_BLOCK = 6  # weeks that a bootstrap keeps together: shocks last


@dataclass(frozen=True)
class Response:
    """Curves of every channel, one row per bootstrap draw.

    Weekly spend x of a channel brings strength · x^shape / (x^shape + half^shape) of the target, once carry-over has
    built up (each week keeps `carry` of the stock of the week before).

    Attributes:
        channels: (C,).
        carry, half, shape, strength: (draws, C); `half` in money per week and group.
        usual: Mean spend in weeks with some, (C,); 0 for a channel without spend.
        most: Most spent in a week and group, (C,).
        fitted: Share of the target's variance explained beyond season, trend and controls.
    """

    channels: tuple[str, ...]
    carry: Array
    half: Array
    shape: Array
    strength: Array
    usual: Array
    most: Array
    fitted: float

    def lift(self, spend: Array) -> Array:
        """What weekly `spend` (..., C), held, brings by draw and channel: (draws, ..., C)."""
        extra = (slice(None), *([None] * (spend.ndim - 1)), slice(None))
        return self.strength[extra] * hill(spend[None], self.half[extra], self.shape[extra])

    def slope(self, spend: Array) -> Array:
        """The change of `lift` per further unit of money, (draws, ..., C)."""
        extra = (slice(None), *([None] * (spend.ndim - 1)), slice(None))
        half, shape, x = self.half[extra], self.shape[extra], np.maximum(spend, 1e-9)[None]
        power, at = x**shape, half**shape
        return np.asarray(self.strength[extra] * shape * at * x ** (shape - 1) / (power + at) ** 2)


def adstock(spend: Array, carry: float) -> Array:
    """Geometric carry-over along the first axis, (T, ...): stock = (1 - carry) · spend + carry · stock before.

    Normalised (Jin et al., 2017), so that constant spend has itself as its stock.
    """
    stock = np.empty_like(spend, dtype=float)
    held = np.zeros(spend.shape[1:])
    for week in range(len(spend)):
        held = (1 - carry) * spend[week] + carry * held
        stock[week] = held
    return stock


def hill(spend: Array, half: Array | float, shape: Array | float) -> Array:
    """Saturation x^s / (x^s + h^s), (...): one half at x = h; an S for s above 1."""
    power = np.maximum(spend, 0.0) ** shape
    return np.asarray(power / (power + np.asarray(half) ** shape))


def fit_response(
    target: Array,
    spend: Array,
    nuisance: Array,
    channels: tuple[str, ...],
    draws: int = 100,
    rng: np.random.Generator | None = None,
) -> Response:
    """Fit the curves of all channels at once, and again on bootstrap resamples.

    Season, trend and controls are projected out first (Frisch and Waugh, 1933). Then each channel in turn takes the
    carry-over, half point and shape of a grid, and the strength (not negative), that fit best beside the others. A
    second round pulls every channel towards the return on spend that all of them have together, by as much as the noise
    demands: with little data the plan stays near what was spent before. Intervals come from resampling blocks of weeks
    of the residuals, all groups together (moving-block bootstrap, Künsch, 1989).

    Args:
        target: Of each week and group, (T, G); nan where unknown.
        spend: (T, G, C), not negative.
        nuisance: Columns to take out, (T, G, q), an intercept among them.
        channels: Names, (C,).
        draws: Bootstrap resamples.
        rng: Of the resampling.

    Raises:
        ValueError: Fewer known weeks than columns to take out plus channels.
    """
    rng = rng or np.random.default_rng(0)
    known = np.isfinite(target)
    if known.sum() <= nuisance.shape[2] + 2 * len(channels):
        raise ValueError(f"{known.sum()} weeks cannot tell {nuisance.shape[2]} controls and {len(channels)} channels")
    basis = _basis(nuisance[known])
    grid = _Grid.build(spend, known, basis)
    outcome = _without(target[known][:, None], basis)[:, 0]
    first = grid.fit(outcome)
    noise = float(((outcome - grid.predict(first)) ** 2).sum() / max(known.sum() - nuisance.shape[2] - 1, 1))
    best = grid.fit(outcome, noise)
    said, left = grid.predict(best), outcome - grid.predict(best)
    resampled = [
        grid.fit(_without(said[:, None] + _blocks(left, known, rng)[:, None], basis)[:, 0], noise) for _ in range(draws)
    ]
    picks = np.array([best[0], *[each[0] for each in resampled]])
    strength = np.array([best[1], *[each[1] for each in resampled]])
    fitted = 1 - float((left**2).sum() / max((outcome**2).sum(), 1e-12))
    place = np.arange(len(channels))
    return Response(
        channels,
        grid.carry[place, picks],
        grid.half[place, picks],
        grid.shape[place, picks],
        strength,
        grid.usual,
        spend.max(axis=(0, 1)),
        fitted,
    )


Fit = tuple[NDArray[np.int64], Array]  # the grid's row and the strength of each channel


@dataclass(frozen=True)
class _Grid:
    """Candidate curves (K) of each channel (C), evaluated on the known weeks (n), nuisance taken out."""

    carry: Array  # (C, K)
    half: Array
    shape: Array
    columns: Array  # (C, K, n)
    gram: Array  # (C, K, C, K): inner products of columns
    square: Array  # (C, K): sum of squares of a column
    mean: Array  # (C, K): mean of the raw curve
    paid: Array  # (C,): mean spend
    usual: Array

    @classmethod
    def build(cls, spend: Array, known: NDArray[np.bool_], basis: Array) -> _Grid:
        rows = [(c, h, s) for c in CARRY for h in HALF for s in SHAPE]
        carry, half, shape = np.array(rows).T
        count = spend.shape[2]
        some = spend > 0
        usual = np.where(some, spend, 0).sum(axis=(0, 1)) / np.maximum(some.sum(axis=(0, 1)), 1)
        stocks = {c: adstock(spend, c) for c in CARRY}
        raw = np.empty((count, len(rows), int(known.sum())))
        for k, (c, h, s) in enumerate(rows):
            raw[:, k] = hill(stocks[c], np.maximum(usual * h, 1e-9), s)[known].T
        columns = _without(raw.reshape(-1, raw.shape[2]).T, basis).T.reshape(raw.shape)
        flat = columns.reshape(-1, columns.shape[2])
        gram = (flat @ flat.T).reshape(count, len(rows), count, len(rows))
        return cls(
            np.tile(carry, (count, 1)),
            np.maximum(usual, 1e-9)[:, None] * half,
            np.tile(shape, (count, 1)),
            columns,
            gram,
            (columns**2).sum(axis=2),
            raw.mean(axis=2),
            spend[known].mean(axis=0),
            usual,
        )

    def fit(self, outcome: Array, noise: float | None = None) -> Fit:
        """Backfitting: each channel in turn takes its best curve on what the others leave of `outcome` (n,)."""
        shared = self.columns @ outcome
        flat = np.zeros_like(self.mean)
        if noise is None:
            return self._backfit(shared, flat, flat + 1e-9)
        common, sd = self._common_return(outcome, noise)
        # The strength at which a channel returns as much per unit of money as all do together.
        alike = self.paid[:, None] / np.maximum(self.mean, 1e-9)
        spread = alike * (_APART * common + sd)
        return self._backfit(shared, alike * common, noise / np.maximum(spread, 1e-9) ** 2)

    def predict(self, fit: Fit) -> Array:
        place = np.arange(len(fit[1]))
        return np.asarray(fit[1] @ self.columns[place, fit[0]])

    def _common_return(self, outcome: Array, noise: float) -> tuple[float, float]:
        """Target per unit of money if all channels returned alike, from a curve in the grid's middle, and its error."""
        middle = self.columns.shape[1] // 2
        together = (self.paid / np.maximum(self.mean[:, middle], 1e-9)) @ self.columns[:, middle]
        square = max(float(together @ together), 1e-12)
        return max(float(together @ outcome) / square, 0.0), float(np.sqrt(noise / square))

    def _backfit(self, shared: Array, prior: Array, pull: Array) -> Fit:
        """Fit from the columns' products with the outcome (C, K) alone; `prior` and `pull` are (C, K)."""
        count = len(shared)
        picks, strength = np.zeros(count, dtype=np.int64), np.zeros(count)
        used = np.flatnonzero(self.usual > 0)
        place = np.arange(count)
        for _ in range(_PASSES):
            before = strength.copy()
            for c in used:
                strength[c] = 0.0
                left = shared[c] - self.gram[c][:, place, picks] @ strength
                fitted = np.maximum((left + pull[c] * prior[c]) / (self.square[c] + pull[c]), 0.0)
                loss = fitted**2 * self.square[c] - 2 * fitted * left + pull[c] * (fitted - prior[c]) ** 2
                picks[c] = int(np.argmin(loss))
                strength[c] = fitted[picks[c]]
            if np.allclose(before, strength, rtol=1e-4, atol=1e-12):
                break
        return picks, strength


def _basis(columns: Array) -> Array:
    """Orthonormal basis of the span of `columns` (n, q), nearly dependent ones dropped."""
    scaled = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-12)
    left, sizes, _ = np.linalg.svd(scaled, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-8])


def _without(columns: Array, basis: Array) -> Array:
    return np.asarray(columns - basis @ (basis.T @ columns))


def _blocks(left: Array, known: NDArray[np.bool_], rng: np.random.Generator) -> Array:
    """Residuals (n,) with their weeks redrawn in blocks, all groups of a week together."""
    weeks = len(known)
    grid = np.full(known.shape, np.nan)
    grid[known] = left
    starts = rng.integers(0, max(weeks - _BLOCK + 1, 1), weeks // _BLOCK + 1)
    order = (starts[:, None] + np.arange(_BLOCK)).ravel()[:weeks] % weeks
    drawn = grid[order][known]
    return np.asarray(np.where(np.isfinite(drawn), drawn, rng.choice(left, len(drawn))))


def calendar_columns(days: NDArray[np.datetime64], harmonics: int = 2) -> Array:
    """Intercept, trend with a bend each year, and waves of the year, (T, q), for periods that start on `days` (T,)."""
    age = (days - days[0]) / np.timedelta64(1, "D") / 365.25
    bends = [np.maximum(age - year, 0.0) for year in range(1, int(age[-1] - 0.5) + 1)]
    waves = []
    # Less than a year tells no season from the trend.
    for k in range(1, harmonics + 1 if age[-1] > 0.9 else 1):
        waves += [np.sin(2 * np.pi * k * age), np.cos(2 * np.pi * k * age)]
    return np.column_stack([np.ones(len(age)), age, *bends, *waves])
