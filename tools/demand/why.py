"""Why a forecast is what it is: units per driver, for every member and for what ships, that add up exactly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tools.demand.contest import SEASONAL, Forecast
from tools.demand.local import linear_terms
from tools.demand.panel import Array, Panel
from tools.demand.series import filled, pooled_season, recent_level
from tools.demand.trees import Index, Learned, contributions

LEVEL, TREND, SEASON = "recent level", "trend", "season"
Parts = dict[str, Array]


def explain(
    panel: Panel,
    row: int,
    made: Forecast,
    models: Mapping[str, Learned | None],
    groups: Index | None = None,
) -> Parts:
    """What each driver adds to the P50 of one series, in units by period (H,); they sum to it exactly.

    The forecast is a mean of its members with known shares in every period, so the parts of the members, each of which
    sums to that member, are averaged with the same shares.

    Args:
        panel: All series, from which the season was told.
        row: The series.
        made: Its forecast: from `contest.forecast(..., rows=[row])`.
        models: The trees behind the global members.
        groups: Category codes of the panel's series.
    """
    horizon = made.quantiles.shape[1]
    season = pooled_season(panel, horizon)[[row]]
    alone = panel.take(np.array([row]))
    codes = None if groups is None else groups[[row]]
    total: Parts = {}
    for name, values in made.members.items():
        share = made.shares[name][0]
        if not (share > 0).any():
            continue
        for driver, units in _member(name, values[0], alone, season, models.get(name), codes).items():
            total[driver] = total.get(driver, np.zeros(horizon)) + share * units
    return total


def _member(name: str, made: Array, alone: Panel, season: Array, learned: Learned | None, codes: Index | None) -> Parts:
    if name == "linear":
        return _linear(made, alone)
    if learned is not None:
        return _trees(made, alone, season, learned, codes)
    return smoothed_parts(made, alone, season, name in SEASONAL)


def smoothed_parts(made: Array, alone: Panel, season: Array, seasonal: bool = True) -> Parts:
    """Level, trend and season of a forecast that moves along the season (H,).

    The level is the mean of the last eight periods with the season taken out; the trend is how far the member departs
    from it; the season is what the index adds to both.
    """
    periods = alone.units.shape[1]
    index = np.exp(season[0, periods:]) if seasonal else np.ones(len(made))
    history = filled(alone, season[:, :periods])[0]
    level = float(history[-8:].mean()) if len(history) else 0.0
    flat = made / index
    return {LEVEL: np.full(len(made), level), TREND: flat - level, SEASON: made - flat}


def shared_logs(logs: Mapping[str, Array], start: Array, end: Array) -> Parts:
    """Units of terms that are added in logs: each takes its part of `end - start` (H,).

    By the logarithmic mean (Ang 2004, the LMDI-I of index decomposition), under which the parts sum exactly where the
    logs do.
    """
    total = sum(logs.values())
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(np.abs(total) > 1e-12, (end - start) / total, end)
    return {name: weight * value for name, value in logs.items()}


def _linear(made: Array, alone: Panel) -> Parts:
    terms = linear_terms(alone, 0, len(made))
    if terms is None:
        return {LEVEL: made}
    base = np.expm1(terms.pop("level"))
    end = base + 1
    for value in terms.values():
        end = end * np.exp(value)
    parts = shared_logs(terms, base + 1, end)
    # A cap on runaway trends may have cut the forecast; what it took is a part of the level.
    return {LEVEL: made - sum(parts.values()), **parts}


def _trees(made: Array, alone: Panel, season: Array, learned: Learned, codes: Index | None) -> Parts:
    level = recent_level(alone)[0]
    raw = {name: value[0] for name, value in contributions(learned, alone, len(made), codes, season).items()}
    base = raw.pop("usual")
    if learned.kind == "boost":
        start = level * np.exp(base)
        parts = shared_logs(raw, start, level * np.exp(base + sum(raw.values())))
    else:
        parts = {name: level * value for name, value in raw.items()}
    if learned.kind == "hybrid":
        history = filled(alone, season[:, : alone.units.shape[1]])[0]
        flat = history[-8:].mean() if len(history) else 0.0
        parts[SEASON] = parts.get(SEASON, 0.0) + flat * np.expm1(season[0, alone.units.shape[1] :])
    # What is left is the level that sales of late stand for, and what a floor of zero cut off.
    parts[LEVEL] = made - sum(value for name, value in parts.items() if name != LEVEL)
    return parts
