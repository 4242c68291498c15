"""The course of one launch, planned or begun, as draws by week with everything they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from shop import Draft, Product
from tools.demand.panel import Array
from tools.figures import QUANTILES
from tools.launch.combine import LEVELS, weekly_quantiles
from tools.launch.draws import spread_over_weeks, stratified, total_draws
from tools.launch.evidence import gather, launch_windows
from tools.launch.learning import HORIZON, Study
from tools.launch.market import Index, Market
from tools.launch.members import Knowledge, Views, ask_members, know
from tools.launch.reading import with_item
from tools.launch.replay import FIRST
from tools.launch.update import both_ways, learn_update

DRAWS = 2000


@dataclass(frozen=True)
class Course:
    """A launch over the weeks that are learned.

    Attributes:
        draws: Units by week (N, H); weeks seen are what they were.
        quantiles: P10, P50, P90 by week (H, 3).
        seen: Weeks of own sales.
        known: What was known on the launch day.
        market: The market that holds the launch.
        row: Its row there (1,).
        views: What each member said on the launch day.
        total: Point forecast over the horizon on the launch day.
    """

    draws: Array
    quantiles: Array
    seen: int
    known: Knowledge
    market: Market
    row: Index
    views: Views
    total: float

    @property
    def period(self) -> int:
        """Period of the launch."""
        return int(self.market.launched[self.row[0]])


def planned(study: Study, item: Draft | Product, price: float | None, lead: int, rng: np.random.Generator) -> Course:
    """The course of a product to come.

    Args:
        study: The shop.
        item: The product.
        price: What marks its tier.
        lead: Weeks from the cut-off to its launch.
        rng: Source of chance.

    Raises:
        ToolError: Too few launches are known.
    """
    known = replace(study.fitted(), evidence=study.evidence_ahead(lead))
    market = with_item(study.market, item, price, study.market.panel.units.shape[1] + lead)
    row = np.array([len(market.launched) - 1])
    views = ask_members(known, market, row, market.launched[row])
    recipe = study.lessons.recipe
    point = recipe.point(views.units)
    total = float(point.sum())
    sums = total_draws(total, float(views.spread[0]), recipe, DRAWS, rng)
    draws = spread_over_weeks(sums, point[0], recipe, study.lessons.record, rng)
    return Course(draws, weekly_quantiles(point, recipe)[0], 0, known, market, row, views, total)


def begun(study: Study, row: int, rng: np.random.Generator) -> Course | None:
    """The course of a product in its first weeks; None where too little was known on its launch day.

    The forecast of the launch day, moved by its error so far as past launches teach.
    """
    market, lessons = study.market, study.lessons
    now, start = market.panel.units.shape[1], int(market.launched[row])
    seen = min(now - start, HORIZON - 1)
    past = market.until(start)
    evidence = gather(past, study.rules)
    if len(evidence.rows) < FIRST:
        return None
    known = know(past, evidence, study.rules, lessons.settings)
    at = np.array([row])
    views, recipe = ask_members(known, past, at), lessons.recipe
    point = recipe.point(views.units)
    total = point.sum(axis=1)
    own = launch_windows(market, at, HORIZON)[:, :seen]
    update = learn_update(lessons.record, recipe, seen, now)
    scores = np.interp(stratified(DRAWS, rng), LEVELS, update.scores)
    weeks = both_ways(update, point, own, market, at, study.rules, {})[0]
    whole = update.sum(point, total, own) * weeks.sum() / max(float(update.weeks(point, own).sum()), 1e-9)
    sums = np.expm1(np.log1p(whole) + scores).clip(min=0)
    rest = spread_over_weeks(sums, weeks, recipe, lessons.record, rng, skip=seen)
    # A week out of stock is not a week without demand: the forecast stands in.
    first = np.where(np.isfinite(own[0]), own[0], point[0, :seen])
    draws = np.hstack([np.tile(first, (DRAWS, 1)), rest])
    quantiles = np.quantile(draws, QUANTILES, axis=0).T
    return Course(draws, quantiles, seen, known, past, at, views, float(total[0]))


def units_by_day(study: Study, item: Draft | Product, cutoff: date, days: Sequence[date]) -> Array:
    """Point forecast of the units over the weeks that are learned, by launch day (D,): the middle of `planned`.

    Args:
        study: The shop.
        item: The product, at its own price.
        cutoff: Last day with data.
        days: Launch days to come.

    Raises:
        ToolError: Too few launches are known.
    """
    known, now = study.fitted(), study.market.panel.units.shape[1]
    leads, each = np.unique([weeks_ahead(cutoff, day) for day in days], return_inverse=True)
    market = with_item(study.market, item, own_price(item), now)
    rows = np.full(len(leads), len(market.launched) - 1)
    known = replace(known, evidence=study.evidence_ahead(int(leads.max())))
    views = ask_members(known, market, rows, now + leads)
    return np.asarray(study.lessons.recipe.point(views.units).sum(axis=1)[each])


def weeks_ahead(cutoff: date, day: date) -> int:
    """Whole weeks from the first day after the cut-off to a launch day."""
    return max((day - cutoff).days - 1, 0) // 7


def own_price(item: Draft | Product) -> float | None:
    """The price that marks an item's tier."""
    return item.price if isinstance(item, Draft) else item.list_price
