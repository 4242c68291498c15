"""Launch weeks beyond those that are learned: how launches seen longer went on."""

from __future__ import annotations

import numpy as np

from tools.demand.panel import Array
from tools.launch.evidence import Evidence, launch_windows
from tools.launch.market import Market

_RECENT = 4  # the last learned weeks, that the later ones are measured against
_STEADY = 5.0  # launches' worth of "no change from the week before"


def continue_draws(draws: Array, market: Market, evidence: Evidence, launched: int, weeks: int) -> Array:
    """Draws of launches (N, H) gone on to `weeks` weeks.

    Each later week is the mean of the last four, times the usual course of launches seen that long, in the season of
    its week.

    Args:
        draws: Simulated units by week (N, H).
        market: As known.
        evidence: Of that market, its season reaching to the last week.
        launched: Period of the launch.
        weeks: Weeks wanted, more than H.
    """
    horizon = draws.shape[1]
    season = np.exp(evidence.season[launched : launched + weeks])
    level = (draws[:, -_RECENT:] / season[horizon - _RECENT : horizon]).mean(axis=1)
    later = usual_course(market, evidence, horizon, weeks) * season[horizon:]
    return np.hstack([draws, level[:, None] * later[None, :]])


def usual_course(market: Market, evidence: Evidence, horizon: int, weeks: int) -> Array:
    """Units of each week from `horizon` to `weeks` over the mean of the four weeks before (weeks - horizon,).

    Season taken out; launches count while they sell; a week that few were seen in leans on the week before it.
    """
    rows = evidence.rows[evidence.seen >= 1]
    windows = launch_windows(market, rows, weeks)
    at = market.launched[rows, None] + np.arange(weeks)[None, :]
    flat = windows / np.exp(evidence.season[at.clip(max=len(evidence.season) - 1)])
    base = np.nan_to_num(flat[:, horizon - _RECENT : horizon]).mean(axis=1)
    course, last = np.ones(weeks - horizon), 1.0
    usual = float(base.mean()) if len(base) else 0.0
    for week in range(horizon, weeks):
        there = np.isfinite(flat[:, week]) & (base > 0)
        prior = _STEADY * usual
        if prior > 0:
            last = (flat[there, week].sum() + prior * last) / (base[there].sum() + prior)
        course[week - horizon] = last
    return course
