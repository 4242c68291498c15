"""A launch in its first weeks: how far its own sales move the forecast of the weeks to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from tools.demand.panel import Array
from tools.launch.combine import HALF_LIFE, LEVELS, Recipe, Record, weighted_quantile
from tools.launch.diffusion import USUAL, Curve, fit, shared_prior, trapezoid
from tools.launch.evidence import Rules
from tools.launch.market import Index, Market
from tools.launch.members import analogue_weights, whole_launches

_PRIOR_LAUNCHES = 10.0  # past launches that the prior is worth
_PRIOR_PULL = {1: 0.4, 2: 0.6, 4: 0.8}  # share of the error so far that stays, before any launch is seen
_PRIOR_SPREAD = 0.6
_PRIOR_VARIANCE = 0.5  # of the error so far


@dataclass(frozen=True)
class Update:
    """How the error of the first `seen` weeks carries over to the rest.

    Attributes:
        seen: Weeks of own sales.
        pull: Share of the log error so far that the rest is moved by.
        shift: The sum of the rest is moved by in any case.
        scores: Log errors left of that sum at the quantiles `LEVELS`, 0 in the middle.
    """

    seen: int
    pull: float
    shift: float
    scores: tuple[float, ...]

    def weeks(self, point: Array, own: Array) -> Array:
        """Units of the weeks to come (M, H - seen).

        Args:
            point: Forecast on the launch day (M, H).
            own: Units of the weeks seen (M, seen), NaN where out of stock.
        """
        return np.asarray(point[:, self.seen :] * self._moved(point, own)[:, None])

    def sum(self, point: Array, total: Array, own: Array) -> Array:
        """Units of all weeks to come (M,); `total` (M,) is the forecast of the whole launch on its day."""
        share = point[:, self.seen :].sum(axis=1) / np.maximum(point.sum(axis=1), 1e-9)
        return np.asarray(total * share * self._moved(point, own) * np.exp(self.shift))

    def _moved(self, point: Array, own: Array) -> Array:
        return np.asarray(np.exp(self.pull * _early(point[:, : self.seen], own)))


def learn_update(record: Record | None, recipe: Recipe, seen: int, now: int) -> Update:
    """The update that past launches teach: a regression of the later log error on the earlier one.

    Weighted least squares on launches forecast before, later ones counting more, with a normal prior on the slope;
    the errors left, weighted likewise, give the spread. The earlier error is the mean over weeks of the log error,
    so that one large order does not become a level.

    Args:
        record: Launches forecast in the past.
        recipe: How members become a forecast.
        seen: Weeks of own sales, at least one.
        now: Period of today.
    """
    prior = float(np.interp(seen, list(_PRIOR_PULL), list(_PRIOR_PULL.values())))
    early, late, weight = _errors(record, recipe, seen, now)
    trust = _PRIOR_LAUNCHES * _PRIOR_VARIANCE
    pull = ((weight * early * late).sum() + trust * prior) / ((weight * early**2).sum() + trust)
    left = late - pull * early
    grid = _PRIOR_SPREAD * ndtri((np.arange(20) + 0.5) / 20)
    values, weights = np.concatenate([left, grid]), np.concatenate([weight, np.full(20, _PRIOR_LAUNCHES / 20)])
    found = np.array([weighted_quantile(values, weights, q) for q in LEVELS])
    middle = float(np.interp(0.5, LEVELS, found))
    return Update(seen, float(pull), middle, tuple(map(float, found - middle)))


def both_ways(
    update: Update, point: Array, own: Array, market: Market, rows: Index, rules: Rules, fits: dict[int, Array]
) -> Array:
    """Units of the weeks to come (M, H - seen): the mean of the regression and of a trapezoid fitted to the weeks seen.

    Neither was better on every set it was tried on; their mean was best or close to it on all.

    Args:
        update: The regression.
        point: Forecast on the launch day (M, H).
        own: Units of the weeks seen (M, seen).
        market: As known now.
        rows: The launches (M,).
        rules: Which launches count.
        fits: Trapezoids of earlier launches, by row; those missing are added.
    """
    learned = diffusion_rest(trapezoid, point, own, market, rows, rules, fits)
    moved = update.weeks(point, own)
    return moved if learned is None else (moved + learned) / 2


def diffusion_rest(
    curve: Curve, point: Array, own: Array, market: Market, rows: Index, rules: Rules, fits: dict[int, Array]
) -> Array | None:
    """Units of the weeks to come (M, H - seen) by the posterior mode of a diffusion curve; see `both_ways`.

    The prior is that of the ten analogues for the shape and of the forecast for the size. None before any launch is
    over.
    """
    learned, windows = whole_launches(market, rules)
    if not len(learned):
        return None
    seen, made = own.shape[1], []
    for weights, first, forecast in zip(analogue_weights(market, rows, learned), own, point, strict=True):
        near = np.flatnonzero(weights)
        for i in near:
            if int(learned[i]) not in fits:
                fits[int(learned[i])] = fit(curve, windows[i], USUAL[curve])
        shapes = np.stack([fits[int(learned[i])] for i in near])
        prior = shared_prior(curve, shapes, weights[near], float(forecast.sum()), rules.horizon)
        units = np.append(first, np.full(rules.horizon - seen, np.nan))
        made.append(curve(fit(curve, units, prior), rules.horizon)[seen:])
    return np.stack(made)


def _errors(record: Record | None, recipe: Recipe, seen: int, now: int) -> tuple[Array, Array, Array]:
    """Early and late log errors and the weights of past launches that say something about both."""
    if record is None:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    point = recipe.point(record.units)
    known = np.isfinite(record.actual)
    enough = known[:, :seen].any(axis=1) & (known[:, seen:].sum(axis=1) >= 3)
    point, actual, known = point[enough], record.actual[enough], known[enough]
    rest = (point * known)[:, seen:].sum(axis=1)
    late = np.log1p(np.nansum(actual[:, seen:], axis=1)) - np.log1p(rest)
    early = _early(point[:, :seen], actual[:, :seen])
    return early, late, 0.5 ** (np.maximum(now - record.launched[enough], 0) / HALF_LIFE)


def _early(point: Array, actual: Array) -> Array:
    """Mean log error of the weeks known (M,), 0 where none is."""
    known = np.isfinite(actual)
    off = np.where(known, np.log1p(np.nan_to_num(actual)) - np.log1p(point), 0.0)
    return np.asarray(off.sum(axis=1) / np.maximum(known.sum(axis=1), 1))
