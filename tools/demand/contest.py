"""Champion against challenger: a rolling backtest picks, per class of series, the method or blend that ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tools.demand import local
from tools.demand.intervals import Scores, conformal_quantiles, make_scores
from tools.demand.neural import lstm
from tools.demand.panel import Array, Panel
from tools.demand.series import CLASSES, classify, naive_scale, pooled_season
from tools.demand.trees import Index, Learned, boost, hybrid, predict_trees, trees

Member = Callable[[Panel, int], Array]
MEMBERS: dict[str, Member] = {
    "seasonal_naive": local.seasonal_naive,
    "average": local.average,
    "ets": local.ets,
    "theta": local.theta,
    "ces": local.ces,
    "croston": local.croston,
    "tsb": local.tsb,
    "linear": local.linear,
    "trees": trees,
    "boost": boost,
    "hybrid": hybrid,
}
SLOW: dict[str, Member] = {"arima": local.arima, "lstm": lstm}  # joined where the panel is small enough
SEASONAL: dict[str, Callable[[Panel, int, Array | None], Array]] = {
    "average": local.average,
    "ets": local.ets,
    "theta": local.theta,
    "ces": local.ces,
    "croston": local.croston,
    "tsb": local.tsb,
    "arima": local.arima,
}
TRIM = 0.35  # of the weight on either side that a blend leaves out, cell by cell: close to a median
_SHARPNESS = 3.0  # how fast weight falls with a member's error: exp(-3) at twice the best
_CLEARLY = 0.9  # of the blend's error, below which a single member ships instead of it
_NEXT_TO_NOTHING = 0.02  # of the best member's weight, below which a member is not worth running
_LEAST = 10  # series of a class needed to judge by


@dataclass(frozen=True)
class Contest:
    """What a backtest decided.

    Attributes:
        members: Names of the methods tried.
        errors: MASE by class and member (C, K); NaN where nothing could be tried.
        weights: Weight of each member by class (C, K), rows summing to one.
        blend_errors: MASE of what ships, by class (C,).
        scores: Errors over scale of what ships, by class, for the intervals.
    """

    members: tuple[str, ...]
    errors: Array
    weights: Array
    blend_errors: Array
    scores: Mapping[int, Scores] = field(default_factory=dict)

    def champion(self, kind: int) -> str:
        """The single best member of a class in the backtest."""
        row = self.errors[kind]
        return self.members[int(np.nanargmin(row))] if np.isfinite(row).any() else "seasonal_naive"


@dataclass(frozen=True)
class Forecast:
    """Forecasts of a panel: P10, P50, P90 by period (N, H, 3), each member's own, and how much each cell takes of it.

    `members` holds (N, H) by name; `shares` the same, summing to one over the members in every cell.
    """

    quantiles: Array
    members: dict[str, Array]
    shares: dict[str, Array]
    kinds: NDArray[np.int64]


def run_contest(panel: Panel, horizon: int, origins: int = 3, most: int = 100, slow: int = 0, seed: int = 0) -> Contest:
    """Replay the last origins of a panel with every member and decide per class.

    The champion is a trimmed mean of all members, weighted by how well they did; a single member takes its place where
    it is clearly better, and so does the seasonal naive where nothing beats it.

    Args:
        panel: As known.
        horizon: Periods ahead.
        origins: How many past origins, a horizon apart.
        most: Series the members are tried on, drawn at random.
        slow: Also try the slow members where the sample has no more series than this.
        seed: Of the draw.

    Returns:
        A plain blend for every class where the history is too short for one origin.
    """
    periods = panel.units.shape[1]
    cuts = [periods - horizon * (k + 1) for k in range(origins)]
    cuts = [cut for cut in cuts if cut >= max(8, periods // 4)]
    if len(panel.keys) > most:
        rng = np.random.default_rng(seed)
        panel = panel.take(np.sort(rng.choice(len(panel.keys), most, replace=False)))
    members = MEMBERS | (SLOW if len(panel.keys) <= slow else {})
    names = tuple(members)
    made, actual, scale, kinds, age = _replay(panel, cuts, horizon, members)
    errors = np.full((len(CLASSES), len(names)), np.nan)
    weights, blended = np.tile(_few(names), (len(CLASSES), 1)), np.full(len(CLASSES), np.nan)
    scores: dict[int, Scores] = {}
    for kind in range(len(CLASSES)):
        inside = kinds == kind
        if inside.sum() < _LEAST:
            inside = np.ones(len(kinds), dtype=bool)  # too few of the kind to judge by: all series together
        if inside.sum() < _LEAST:
            continue
        part, came, unit = made[:, inside], actual[inside], scale[inside]
        errors[kind] = [mase(f, came, unit) for f in part]
        weights[kind], blended[kind] = choose_weights(part, came, unit, names)
        point = (cell_shares(part, weights[kind]) * part).sum(axis=0)
        scores[kind] = make_scores(point, came, unit, age[inside])
    return Contest(names, errors, weights, blended, scores)


def choose_weights(made: Array, actual: Array, scale: Array, names: Sequence[str]) -> tuple[Array, float]:
    """Weights (K,) of what ships, and its error.

    Single winners of a small backtest are often lucky, and means of many methods seldom bad (Makridakis et al. 2020),
    so all members count unless one is clearly better. The seasonal naive is no part of the mean.

    Args:
        made: By member, series and period (K, R, H).
        actual: (R, H), NaN where not known.
        scale: MASE denominators (R,).
        names: Of each member (K,).
    """
    single = np.array([mase(f, actual, scale) for f in made])
    naive = np.array([name == "seasonal_naive" for name in names])
    best = single[~naive].min() if (~naive).any() else single.min()
    raw = np.where(naive & ~naive.all(), 0.0, np.exp(-_SHARPNESS * (single / max(best, 1e-9) - 1)))
    weights = np.where(raw < _NEXT_TO_NOTHING, 0.0, raw)
    weights = weights / weights.sum()
    error = mase((cell_shares(made, weights) * made).sum(axis=0), actual, scale)
    top = int(single.argmin())
    if single[top] < (1.0 if naive[top] else _CLEARLY) * error:
        return np.eye(len(made))[top], float(single[top])
    return weights, error


def cell_shares(made: Array, weights: Array) -> Array:
    """How much each member counts in each cell of a weighted trimmed mean (K, N, H), summing to one over members.

    Members are put in order of what they say for the cell; `TRIM` of the weight is left out at either end.

    Args:
        made: By member, series and period (K, N, H).
        weights: Of the members (K,) or of each series' members (K, N).
    """
    each = np.broadcast_to(weights.reshape(len(made), -1, 1), made.shape)
    order = np.argsort(made, axis=0, kind="stable")
    upper = np.cumsum(np.take_along_axis(each, order, axis=0), axis=0)
    lower = upper - np.take_along_axis(each, order, axis=0)
    inside = (np.minimum(upper, 1 - TRIM) - np.maximum(lower, TRIM)).clip(min=0)
    shares = np.empty_like(inside)
    np.put_along_axis(shares, order, inside / inside.sum(axis=0), axis=0)
    return shares


def forecast(
    panel: Panel,
    horizon: int,
    contest: Contest,
    models: Mapping[str, Learned | None] | None = None,
    rows: Index | None = None,
    groups: Index | None = None,
) -> Forecast:
    """Forecast series of a panel with what a contest decided; only members with weight are run, each on its classes.

    Args:
        panel: As known; the season is told from all of it.
        horizon: Periods ahead.
        contest: From `run_contest`.
        models: Fitted trees by member; None fits them on the panel.
        rows: Which series; None takes all.
        groups: Category numbers of the panel's series, where the models were taught with them.
    """
    rows = np.arange(len(panel.keys)) if rows is None else rows
    part, season = panel.take(rows), pooled_season(panel, horizon)[rows]
    kinds = classify(part)
    weights = contest.weights[kinds].T
    names = [name for k, name in enumerate(contest.members) if (weights[k] > 0).any()]
    weights = weights[[contest.members.index(name) for name in names]]
    made = np.zeros((len(names), len(rows), horizon))
    for k, name in enumerate(names):
        mine = np.flatnonzero(weights[k] > 0)
        if models is not None and name in models:
            codes = None if groups is None else groups[rows[mine]]
            made[k, mine] = predict_trees(models[name], part.take(mine), horizon, codes, season=season[mine])
        elif name in SEASONAL:
            # A class of its own would have too few series to tell the season from.
            made[k, mine] = SEASONAL[name](part.take(mine), horizon, season[mine])
        elif name in ("linear", "seasonal_naive"):
            made[k, mine] = MEMBERS[name](part.take(mine), horizon)
        else:
            made[k, mine] = (MEMBERS | SLOW)[name](panel, horizon)[rows[mine]]
    shares = cell_shares(made, weights)
    point = (shares * made).sum(axis=0)
    quantiles = conformal_quantiles(point, naive_scale(part), kinds, contest.scores)
    return Forecast(quantiles, dict(zip(names, made, strict=True)), dict(zip(names, shares, strict=True)), kinds)


def _replay(
    panel: Panel, cuts: list[int], horizon: int, members: Mapping[str, Member]
) -> tuple[Array, Array, Array, NDArray[np.int64], NDArray[np.int64]]:
    """Forecasts (K, R, H), what came (R, H), scales, classes, and how many origins ago (R,)."""
    made, actual, scale, kinds, age = [], [], [], [], []
    for ago, cut in enumerate(cuts):
        known = panel.until(cut)
        ahead = np.isfinite(panel.units[:, cut : cut + horizon])
        live = np.asarray(np.isfinite(known.units[:, -8:]).any(axis=1) & ahead.any(axis=1))
        if not live.any():
            continue
        known = known.take(live)
        made.append(np.stack([member(known, horizon) for member in members.values()]))
        actual.append(panel.units[live, cut : cut + horizon])
        scale.append(naive_scale(known))
        kinds.append(classify(known))
        age.append(np.full(int(live.sum()), ago))
    if not made:
        none = np.zeros(0, dtype=np.int64)
        return np.zeros((len(members), 0, horizon)), np.zeros((0, horizon)), np.zeros(0), none, none
    return (
        np.concatenate(made, axis=1),
        np.concatenate(actual),
        np.concatenate(scale),
        np.concatenate(kinds),
        np.concatenate(age),
    )


def _few(names: Sequence[str]) -> Array:
    """With nothing to judge by: the simple methods alike."""
    simple = np.array([name in ("average", "ets", "theta", "tsb") for name in names], dtype=float)
    return np.asarray(simple / simple.sum())


def mase(made: Array, actual: Array, scale: Array) -> float:
    """Mean over series of the absolute error over the scale, each capped at ten: one runaway must not decide."""
    error = np.abs(made - actual)
    known = np.isfinite(error)
    each = np.divide(np.nansum(error, axis=1), known.sum(axis=1), out=np.zeros(len(error)), where=known.any(axis=1))
    return float(np.minimum(each / scale, 10.0)[known.any(axis=1)].mean())
