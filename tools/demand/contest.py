"""Champion against challenger: a rolling backtest picks, per class of series, the method or blend that ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tools.demand import local
from tools.demand.neural import lstm
from tools.demand.panel import Array, Panel
from tools.demand.series import CLASSES, classify, naive_scale, pooled_season
from tools.demand.trees import boost, hybrid, trees

Member = Callable[[Panel, int], Array]
MEMBERS: dict[str, Member] = {
    "seasonal_naive": local.seasonal_naive,
    "average": local.average,
    "ets": local.ets,
    "theta": local.theta,
    "croston": local.croston,
    "tsb": local.tsb,
    "linear": local.linear,
    "trees": trees,
    "boost": boost,
    "hybrid": hybrid,
}
SLOW: dict[str, Member] = {"arima": local.arima, "lstm": lstm}  # joined where the panel is small enough
GLOBAL = ("trees", "boost", "hybrid", "lstm")  # learn across series, so they need them all
SEASONAL: dict[str, Callable[[Panel, int, Array | None], Array]] = {
    "average": local.average,
    "ets": local.ets,
    "theta": local.theta,
    "croston": local.croston,
    "tsb": local.tsb,
    "arima": local.arima,
}
# Members of one family err alike; a blend takes the best of each.
FAMILY = {
    "average": "level",
    "croston": "level",
    "tsb": "level",
    "ets": "smoothing",
    "theta": "smoothing",
    "arima": "smoothing",
    "trees": "boosting",
    "boost": "boosting",
    "hybrid": "boosting",
}
COVER = 0.8


@dataclass(frozen=True)
class Contest:
    """What a backtest decided.

    Attributes:
        members: Names of the methods tried.
        errors: MASE by class and member (C, K); NaN for a class that does not occur.
        weights: Weight of each member by class (C, K), rows summing to one.
        scores: Errors over scale of the chosen blend, by class, with their horizon (n, 2), for the intervals.
    """

    members: tuple[str, ...]
    errors: Array
    weights: Array
    scores: Mapping[int, Array] = field(default_factory=dict)

    def champion(self, kind: int) -> str:
        """The single best member of a class in the backtest."""
        row = self.errors[kind]
        return self.members[int(np.nanargmin(row))] if np.isfinite(row).any() else "seasonal_naive"


@dataclass(frozen=True)
class Forecast:
    """Forecasts of a panel: P10, P50, P90 by period (N, H, 3), and each member's own (K, N, H)."""

    quantiles: Array
    members: dict[str, Array]
    kinds: NDArray[np.int64]


def run_contest(panel: Panel, horizon: int, origins: int = 3, most: int = 150, slow: int = 0, seed: int = 0) -> Contest:
    """Replay the last origins of a panel with every member and decide per class.

    Args:
        panel: As known.
        horizon: Periods ahead.
        origins: How many past origins, a horizon apart.
        most: Series the local members are tried on, drawn at random; the rest learn from them.
        slow: Also try the slow members where the sample has no more series than this.
        seed: Of the draw.

    Returns:
        Seasonal naive for every class where the history is too short for one origin.
    """
    periods = panel.units.shape[1]
    cuts = [periods - horizon * (k + 1) for k in range(origins)]
    cuts = [cut for cut in cuts if cut >= max(8, periods // 4)]
    if len(panel.keys) > most:
        rng = np.random.default_rng(seed)
        panel = panel.take(np.sort(rng.choice(len(panel.keys), most, replace=False)))
    members = MEMBERS | (SLOW if len(panel.keys) <= slow else {})
    names = tuple(members)
    made, actual, scale, kinds = _replay(panel, cuts, horizon, members)
    errors = np.full((len(CLASSES), len(names)), np.nan)
    weights = np.zeros((len(CLASSES), len(names)))
    scores: dict[int, Array] = {}
    for kind in range(len(CLASSES)):
        inside = kinds == kind
        if inside.sum() < 5:
            inside = np.ones(len(kinds), dtype=bool)  # too few of the kind to judge by: all series together
        if inside.sum() < 5:
            weights[kind] = _few(names)
            continue
        part, came, unit = made[:, inside], actual[inside], scale[inside]
        errors[kind] = [_mase(f, came, unit) for f in part]
        weights[kind] = choose_weights(part, came, unit, [FAMILY.get(name, name) for name in names])
        blended = np.tensordot(weights[kind], part, axes=1)
        scores[kind] = _scores(blended, came, unit)
    return Contest(names, errors, weights, scores)


def choose_weights(made: Array, actual: Array, scale: Array, families: Sequence[str]) -> Array:
    """Weights (K,) of the best of: each member alone, and means of the best of two to four families.

    A blend is preferred to a single member that is less than three per cent better: single winners of a small
    backtest are often lucky (Makridakis et al. 2020).

    Args:
        made: By member, series and period (K, R, H).
        actual: (R, H), NaN where not known.
        scale: MASE denominators (R,).
        families: Of each member (K,).
    """
    single = np.array([_mase(f, actual, scale) for f in made])
    ranked = np.argsort(single)
    order = [k for at, k in enumerate(ranked) if families[k] not in {families[j] for j in ranked[:at]}]
    best, weights = single[order[0]] * 0.97, np.eye(len(made))[order[0]]
    for size in range(2, min(4, len(order)) + 1):
        trial = np.zeros(len(made))
        trial[order[:size]] = 1 / size
        error = _mase(np.tensordot(trial, made, axes=1), actual, scale)
        if error <= best or (size == 3 and error <= 1.03 * single[order[0]]):
            best, weights = min(error, best), trial
    return np.asarray(weights)


def forecast(panel: Panel, horizon: int, contest: Contest) -> Forecast:
    """Forecast a panel with what a contest decided; only members with weight are run, each on its classes."""
    kinds = classify(panel)
    weights = contest.weights[kinds]
    season = pooled_season(panel, horizon)
    runs: dict[str, Array] = {}
    point = np.zeros((len(panel.keys), horizon))
    for k, name in enumerate(contest.members):
        rows = np.flatnonzero(weights[:, k] > 0)
        if not len(rows):
            continue
        made = np.full((len(panel.keys), horizon), np.nan)
        made[rows] = _run(name, panel, rows, horizon, season)
        runs[name] = made
        point[rows] += weights[rows, k, None] * made[rows]
    return Forecast(conformal_quantiles(point, naive_scale(panel), kinds, contest), runs, kinds)


def conformal_quantiles(point: Array, scale: Array, kinds: NDArray[np.int64], contest: Contest) -> Array:
    """P10, P50, P90 (N, H, 3) from the backtest's scaled errors of the same class and a like horizon."""
    horizon = point.shape[1]
    low, high = np.zeros_like(point), np.zeros_like(point)
    for kind in range(len(CLASSES)):
        rows = kinds == kind
        scores = contest.scores.get(kind, next(iter(contest.scores.values()), np.array([[0.0, 0.0]])))
        for h in range(horizon):
            near = scores[np.abs(scores[:, 1] - h) <= max(1, horizon // 6), 0]
            near = near if len(near) >= 30 else scores[:, 0]
            n = len(near)
            tail = (1 - COVER) / 2
            low[rows, h] = np.quantile(near, max(tail - tail / n, 0.0)) * scale[rows]
            high[rows, h] = np.quantile(near, min(1 - tail + tail / n, 1.0)) * scale[rows]
    return np.stack([np.minimum((point + low).clip(min=0), point), point, np.maximum(point + high, point)], axis=-1)


def _run(name: str, panel: Panel, rows: NDArray[np.int64], horizon: int, season: Array) -> Array:
    if name in GLOBAL:
        return (MEMBERS | SLOW)[name](panel, horizon)[rows]
    part = panel.take(rows)
    if name in SEASONAL:
        # A class of its own would have too few series to tell the season from.
        return SEASONAL[name](part, horizon, season[rows])
    return (MEMBERS | SLOW)[name](part, horizon)


def _replay(
    panel: Panel, cuts: list[int], horizon: int, members: Mapping[str, Member]
) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    made, actual, scale, kinds = [], [], [], []
    for cut in cuts:
        known = panel.until(cut)
        ahead = np.isfinite(panel.units[:, cut : cut + horizon])
        live = np.asarray(np.isfinite(known.units).any(axis=1) & ahead.any(axis=1))
        if not live.any():
            continue
        known = known.take(live)
        made.append(np.stack([member(known, horizon) for member in members.values()]))
        actual.append(panel.units[live, cut : cut + horizon])
        scale.append(naive_scale(known))
        kinds.append(classify(known))
    if not made:
        return np.zeros((len(members), 0, horizon)), np.zeros((0, horizon)), np.zeros(0), np.zeros(0, dtype=np.int64)
    return np.concatenate(made, axis=1), np.concatenate(actual), np.concatenate(scale), np.concatenate(kinds)


def _few(names: tuple[str, ...]) -> Array:
    """With nothing to judge by: the mean of the simple methods."""
    simple = np.array([name in ("average", "theta") for name in names], dtype=float)
    return np.asarray(simple / simple.sum())


def _mase(made: Array, actual: Array, scale: Array) -> float:
    error = np.abs(made - actual)
    known = np.isfinite(error)
    each = np.divide(np.nansum(error, axis=1), known.sum(axis=1), out=np.zeros(len(error)), where=known.any(axis=1))
    # One runaway series must not decide for its class.
    return float(np.minimum(each / scale, 10.0)[known.any(axis=1)].mean())


def _scores(made: Array, actual: Array, scale: Array) -> Array:
    error = (actual - made) / scale[:, None]
    ahead = np.broadcast_to(np.arange(made.shape[1]), made.shape)
    known = np.isfinite(error)
    return np.column_stack([error[known], ahead[known]])


def bottom_up(quantiles: Array, groups: NDArray[np.int64], count: int) -> Array:
    """Forecasts of groups (G, H, 3) from those of their series (N, H, 3).

    Medians of skewed series sum low and extremes do not happen together, so the spread of a sum is the root of the
    sum of squares of its parts' half-widths, around the sum of the points (independent errors; an understatement
    where the whole market moves).
    """
    point = np.zeros((count, quantiles.shape[1]))
    down, up = np.zeros_like(point), np.zeros_like(point)
    np.add.at(point, groups, quantiles[..., 1])
    np.add.at(down, groups, (quantiles[..., 1] - quantiles[..., 0]) ** 2)
    np.add.at(up, groups, (quantiles[..., 2] - quantiles[..., 1]) ** 2)
    return np.stack([(point - np.sqrt(down)).clip(min=0), point, point + np.sqrt(up)], axis=-1)
