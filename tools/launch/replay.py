"""Launches in order of their date: each batch is forecast with what was known then, and becomes a lesson later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tools.launch.combine import Made, Recipe, Record, learn, make
from tools.launch.evidence import Rules, carried, gather, launch_windows
from tools.launch.market import Index, Market
from tools.launch.members import NAMES, Views, ask_members, know
from tools.launch.trees import Trees

FIRST = 10  # earlier launches before a forecast is worth making
_REFIT = 6  # batches between two fits of the kriging's settings
_REGROW = 2  # batches between two fits of the trees
_ROUNDS = 12  # steps of a fit; it begins where the last one ended


@dataclass(frozen=True)
class Batch:
    """Launches forecast together.

    Attributes:
        rows: Which products (M,).
        origin: First period that was not known.
        made: The forecast.
        plain: The same before intervals were stretched.
        views: What each member said.
        recipe: How they were combined.
        settings: Of the kriging.
        floor: Units over the horizon of the median of the launches that were over, the rival to beat.
    """

    rows: Index
    origin: int
    made: Made
    plain: Made
    views: Views
    recipe: Recipe
    settings: dict[str, float]
    floor: float


def replay(market: Market, rules: Rules, most_batches: int = 60, jobs: int = 1) -> Iterator[Batch]:
    """Forecast every launch as it would have been on its own day.

    Launches of one batch share an origin no later than their own launch; with more launch periods than
    `most_batches`, neighbouring periods share a batch. What is learned at an origin uses nothing later.

    Yields:
        Batches in order; none before ten launches are known.
    """
    settings: dict[str, float] | None = None
    trees: Trees | None = None
    past: list[Batch] = []
    for rows in _batches(market, most_batches):
        origin = int(market.launched[rows].min())
        lead = int(market.launched[rows].max()) - origin
        known = market.until(origin)
        evidence = gather(known, rules, lead)
        if len(evidence.rows) < FIRST:
            continue
        rounds = _ROUNDS if len(past) % _REFIT == 0 else 0
        knowledge = know(known, evidence, rules, settings, rounds, trees if len(past) % _REGROW else None, jobs)
        settings, trees = knowledge.kriging.settings, knowledge.trees
        views = ask_members(knowledge, known, rows)
        recipe = learn(record_of(known, past, rules), NAMES, origin)
        made = make(views.units, views.spread, recipe)
        plain = make(views.units, views.spread, replace(recipe, stretch=(1.0, 1.0)))
        whole = knowledge.windows.sum(axis=1)
        floor = float(np.median(whole)) if len(whole) else float(np.median(made.total[:, 1]))
        batch = Batch(rows, origin, made, plain, views, recipe, settings, floor)
        past.append(batch)
        yield batch


def record_of(known: Market, past: Sequence[Batch], rules: Rules) -> Record | None:
    """What became, by now, of launches forecast in the past; None where nothing can be said yet."""
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
        np.concatenate([b.plain.total for b in past])[keep],
        np.concatenate([b.plain.weekly for b in past])[keep],
    )


def _batches(market: Market, most: int) -> list[Index]:
    launched = np.flatnonzero(market.launched >= 0)
    periods = np.unique(market.launched[launched])
    groups = np.array_split(periods, min(most, len(periods))) if len(periods) else []
    return [launched[np.isin(market.launched[launched], group)] for group in groups]
