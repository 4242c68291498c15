"""Launches in order of their date: each batch is forecast with what was known then, and becomes a lesson later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tools.demand.panel import Array
from tools.launch.combine import Recipe, Record, learn, mix, total_quantiles, weekly_quantiles
from tools.launch.evidence import Evidence, Rules, carried, gather, launch_windows
from tools.launch.kriging import PRIOR, fit_settings
from tools.launch.market import Index, Market
from tools.launch.members import NAMES, Views, forecast_members

_FIRST = 10  # earlier launches before a forecast is worth making
_REFIT = 4  # batches between two fits of the kriging's settings


@dataclass(frozen=True)
class Batch:
    """Launches forecast together.

    Attributes:
        rows: Which products (M,).
        origin: First period that was not known.
        total: P10, P50, P90 of the units over the horizon (M, 3).
        weekly: P10, P50, P90 by week (M, H, 3).
        views: What each member said.
        recipe: How they were combined.
    """

    rows: Index
    origin: int
    total: Array
    weekly: Array
    views: Views
    recipe: Recipe


def replay(market: Market, rules: Rules, most_batches: int = 60, jobs: int = 1) -> Iterator[Batch]:
    """Forecast every launch as it would have been on its own day.

    Launches of one batch share an origin no later than their own launch; with more launch periods than
    `most_batches`, neighbouring periods share a batch. What is learned at an origin uses nothing later.

    Yields:
        Batches in order; none before ten launches are known.
    """
    settings = dict(PRIOR)
    past: list[Batch] = []
    for number, rows in enumerate(_batches(market, most_batches)):
        origin = int(market.launched[rows].min())
        known = market.until(origin)
        evidence = gather(known, rules)
        if len(evidence.rows) < _FIRST:
            continue
        if number % _REFIT == 0 or not past:
            settings = fit_settings(known, evidence)
        batch = forecast_batch(known, rows, evidence, settings, _record(known, past, rules), rules, jobs)
        past.append(batch)
        yield batch


def forecast_batch(
    known: Market,
    rows: Index,
    evidence: Evidence,
    settings: dict[str, float],
    record: Record | None,
    rules: Rules,
    jobs: int = 1,
) -> Batch:
    """Forecast launches `rows`, planned for the first period not known, with the recipe that the record teaches.

    Raises:
        ValueError: No earlier launch to learn from.
    """
    origin = known.panel.units.shape[1]
    views = forecast_members(known, rows, evidence, settings, rules, jobs)
    recipe = learn(record, NAMES, origin)
    point = mix(views.units, recipe)
    return Batch(
        rows, origin, total_quantiles(point, views.spread, recipe), weekly_quantiles(point, recipe), views, recipe
    )


def _record(known: Market, past: list[Batch], rules: Rules) -> Record | None:
    if not past:
        return None
    rows = np.concatenate([batch.rows for batch in past])
    windows = launch_windows(known, rows, rules.horizon)
    seen = np.isfinite(windows)
    # Only launches that were really offered teach: the rule for unfinished ones is the same in proportion.
    sold = (np.nan_to_num(windows) > 0).sum(axis=1)
    offered = (sold >= rules.least_share * seen.sum(axis=1)) & (seen.sum(axis=1) >= rules.horizon / 2)
    offered &= np.nansum(windows, axis=1) >= rules.least_units * seen.mean(axis=1)
    whole = seen.all(axis=1)
    keep = np.where(whole, carried(windows, rules), offered)
    if not keep.any():
        return None
    return Record(
        {name: np.concatenate([b.views.units[name] for b in past])[keep] for name in NAMES},
        np.concatenate([b.views.spread for b in past])[keep],
        known.launched[rows[keep]],
        windows[keep],
    )


def _batches(market: Market, most: int) -> list[Index]:
    launched = np.flatnonzero(market.launched >= 0)
    periods = np.unique(market.launched[launched])
    groups = np.array_split(periods, min(most, len(periods))) if len(periods) else []
    return [launched[np.isin(market.launched[launched], group)] for group in groups]
