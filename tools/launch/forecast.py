"""The forecast of a launch without history, or in its first weeks, as draws with their quantiles."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeVar

import numpy as np
import pandas as pd

from shop import Draft, Product, Shop, ToolError
from tools.demand.panel import Array
from tools.elasticity import Elasticity, estimate_elasticity
from tools.figures import QUANTILES
from tools.launch.course import DRAWS, Course, begun, own_price, planned, units_by_day, weeks_ahead
from tools.launch.drivers import drivers
from tools.launch.effects import Impact, expect
from tools.launch.learning import HORIZON, Errors, Study, study_of_shop
from tools.launch.members import ANALOGUES, Knowledge, alikeness, category_steps
from tools.launch.tail import continue_draws

T = TypeVar("T")
ANALOGUE_COLUMNS = ("sku", "name", "similarity", "weight", "units", "price", "launched", "kept", "why")
MAX_WEEKS = 52
FURTHEST = 52  # weeks after the data in which a launch may still be planned
_SUPPORT = (0.02, 0.98)  # quantiles of the launch prices seen that bound what may be said about a price
_NAMED = 5  # launches a category needs to be named as the source
_KEPT = 256  # answers held per state of the data


@dataclass(frozen=True)
class LaunchForecast:
    """What a launch will sell.

    Attributes:
        starts: First day of each launch week (W,).
        draws: Simulated demand per week (N, W), in units; rows are whole launches, so sums keep their spread.
        quantiles: P10, P50 and P90 by week (W, 3).
        analogues: `ANALOGUE_COLUMNS`, most alike first; `units` over the basis weeks, `weight` sums to one.
        errors: The method on past launches of this shop.
        basis: Weeks that `errors` and the analogues' units cover.
        price: The price forecast for; None where none is planned yet.
        support: Lowest and highest price that earlier launches say anything about; None where none has a price.
        elasticity: Demand's answer to price, where the price differs from the item's own and the data tell.
        season: Average season factor over the launch weeks.
        source: The group of launches that the level came from, with their number.
        narrower: The category asked for, where it has too few launches and a wider group stands in; else empty.
        launches: Finished launches behind the level, shop-wide.
        date_assumed: Whether the launch date was assumed.
        seen: Weeks already sold, the first ones; they are what they were in every draw.
        drivers: Units that each driver adds to `point`, see `drivers.LABELS`.
        point: Point forecast over the weeks that are learned, on the launch day at the item's own price.
        impact: What the launch is expected to do to the products beside it.
        neighbours: `sku` and `name` of those products.
    """

    starts: tuple[date, ...]
    draws: Array
    quantiles: Array
    analogues: pd.DataFrame
    errors: Errors
    basis: int
    price: float | None
    support: tuple[float, float] | None
    elasticity: Elasticity | None
    season: float
    source: str
    narrower: str
    launches: int
    date_assumed: bool
    seen: int
    drivers: dict[str, float]
    point: float
    impact: Impact
    neighbours: pd.DataFrame

    @property
    def ahead(self) -> Array:
        """Demand of the weeks to come, by draw (N, W - seen)."""
        return self.draws[:, self.seen :]

    @property
    def total(self) -> Array:
        """Demand over the whole horizon, by draw (N,)."""
        return np.asarray(self.draws.sum(axis=1))

    @property
    def outside(self) -> bool:
        """Whether the price lies outside what earlier launches were sold at."""
        if self.price is None or self.support is None:
            return False
        return not self.support[0] <= self.price <= self.support[1]


def launch_forecast(
    shop: Shop,
    item: Draft | Product,
    price: float | None = None,
    launch_date: date | None = None,
    weeks: int = 12,
) -> LaunchForecast:
    """Forecast a draft, or a product without history, from the shop's earlier launches and its own first weeks.

    The same question about the same data is answered once; see `View.learned`. The item's own price marks its tier;
    another `price` moves demand by the elasticity of its category, up to the edge of the prices seen.

    Args:
        shop: Nothing later than its cut-off is used.
        item: The planned product.
        price: Price to forecast for. Default: the item's own.
        launch_date: Default: the item's own, else four weeks from today.
        weeks: Horizon, 1 to 52.

    Raises:
        ToolError: Horizon or date out of range, or the shop has too few launches.
    """
    if price == own_price(item):
        price = None  # the same question
    wanted = launch_date or item.launch_date
    sells = isinstance(item, Product) and item.launch_date is not None and item.launch_date <= shop.cutoff
    launched = _launch_day(shop.today, None if sells else wanted, weeks)
    if sells and item.launch_date is not None:
        launched = item.launch_date
    study = _study(shop)
    key = f"{item.model_dump_json()}|{price}|{launched}|{wanted is None}"
    course, whole = _once(study, key, lambda: _whole(shop, study, item, price, launched, wanted is None))
    return _once(study, f"{key}|{weeks}", lambda: _over(study, course, whole, weeks))


def launch_units(shop: Shop, item: Draft | Product, days: Sequence[date]) -> Array:
    """Units over the first twelve weeks (D,) of an item launched on each of some days: the P50 of `launch_forecast`.

    Raises:
        ToolError: A day is out of range, or the shop has too few launches.
    """
    study, today = _study(shop), shop.today  # asked of the database every time
    return units_by_day(study, item, shop.cutoff, [_launch_day(today, day, HORIZON) for day in days])


def _once(study: Study, key: str, make: Callable[[], T]) -> T:
    """What was made under this key, or is made now; the oldest is forgotten first."""
    answers = study.answers
    found: T | None = answers.get(key)
    if found is None:
        found = make()
        while len(answers) >= _KEPT:
            answers.pop(next(iter(answers)))
        answers[key] = found
    return found


def _whole(
    shop: Shop, study: Study, item: Draft | Product, price: float | None, launched: date, assumed: bool
) -> tuple[Course, LaunchForecast]:
    """The forecast over the weeks that are learned, and the course that a longer or shorter one is made from."""
    own = own_price(item)
    asked = price if price is not None else own
    rng = np.random.default_rng(_seed(shop, item, asked, launched))
    course = _course(shop, study, item, own if own is not None else price, launched, rng)
    known = course.known
    support = _support(known, item.category)
    shift, elasticity = _price_shift(shop, item.category, own, asked, support, rng)
    draws, quantiles = course.draws.copy(), course.quantiles.copy()
    draws[:, course.seen :] *= np.exp(shift)[:, None]
    quantiles[course.seen :] *= np.exp(np.median(shift))
    source, narrower = _source(known, item.category)
    impact = expect(study.effects, course.market, int(course.row[0]), rng)
    season = known.evidence.season[course.period : course.period + HORIZON]
    forecast = LaunchForecast(
        starts=tuple(launched + timedelta(weeks=w) for w in range(HORIZON)),
        draws=draws,
        quantiles=quantiles,
        analogues=_analogues(course, HORIZON),
        errors=study.lessons.errors,
        basis=HORIZON,
        price=asked,
        support=support,
        elasticity=elasticity,
        season=float(known.evidence.curve @ np.exp(season)),
        source=source,
        narrower=narrower,
        launches=len(known.learned),
        date_assumed=assumed,
        seen=course.seen,
        drivers=drivers(known, course.market, course.row, course.views, study.lessons.recipe),
        point=course.total,
        impact=impact,
        neighbours=course.market.frame.loc[impact.neighbours, ["sku", "name"]].reset_index(drop=True),
    )
    return course, forecast


def _over(study: Study, course: Course, whole: LaunchForecast, weeks: int) -> LaunchForecast:
    """The same forecast over another horizon."""
    if weeks == HORIZON:
        return whole
    draws, quantiles = whole.draws, whole.quantiles
    if weeks > HORIZON:
        ahead = max(course.period + weeks - len(study.market.panel.starts), 0)
        draws = continue_draws(draws, study.market, study.evidence_ahead(ahead), course.period, weeks)
        quantiles = np.vstack([quantiles, np.quantile(draws[:, HORIZON:], QUANTILES, axis=0).T])
    return replace(
        whole,
        starts=tuple(whole.starts[0] + timedelta(weeks=w) for w in range(weeks)),
        draws=draws[:, :weeks],
        quantiles=quantiles[:weeks],
        analogues=whole.analogues if weeks > HORIZON else _analogues(course, weeks),
        basis=min(weeks, HORIZON),
        seen=min(whole.seen, weeks),
    )


def _course(
    shop: Shop, study: Study, item: Draft | Product, price: float | None, launched: date, rng: np.random.Generator
) -> Course:
    study.fitted()  # refuses where too few launches are known
    keys = study.market.frame["sku"].to_numpy(dtype=str)
    rows = np.flatnonzero(keys == item.sku) if isinstance(item, Product) else np.zeros(0, dtype=np.int64)
    if len(rows) and 0 <= study.market.launched[rows[0]] < study.market.panel.units.shape[1]:
        course = begun(study, int(rows[0]), rng)
        if course is not None:
            return course
    return planned(study, item, price, weeks_ahead(shop.cutoff, launched), rng)


def _study(shop: Shop) -> Study:
    study = study_of_shop(shop)
    if study is None:
        raise ToolError("The shop has no whole week of sales yet; import more history.")
    return study


def _launch_day(today: date, planned: date | None, weeks: int) -> date:
    if not 1 <= weeks <= MAX_WEEKS:
        raise ToolError(f"A launch can be forecast for 1 to {MAX_WEEKS} weeks, not {weeks}; give another horizon.")
    launched = planned or today + timedelta(weeks=4)
    if launched < today:
        raise ToolError(f"The launch date {launched} is before {today}; give a date from then on.")
    last = today + timedelta(weeks=FURTHEST)
    if launched > last:
        raise ToolError(f"The launch date {launched} is too far beyond the data; give a date up to {last}.")
    return launched


def _price_shift(
    shop: Shop,
    category: str,
    own: float | None,
    asked: float | None,
    support: tuple[float, float] | None,
    rng: np.random.Generator,
) -> tuple[Array, Elasticity | None]:
    """Change of log demand by draw (N,) of a price other than the item's own."""
    if own is None or asked is None or support is None or asked == own:
        return np.zeros(DRAWS), None
    elasticity = estimate_elasticity(shop, category)
    if elasticity is None or not elasticity.identified:
        return np.zeros(DRAWS), None
    # Beyond the prices seen the effect stops growing; the tool says so.
    bounded = min(max(asked, min(own, support[0])), max(own, support[1]))
    return elasticity.draws(DRAWS, rng) * np.log(bounded / own), elasticity


def _support(known: Knowledge, category: str) -> tuple[float, float] | None:
    rows = known.evidence.rows
    prices = known.market.frame["price"].to_numpy(dtype=float)[rows]
    if category:
        names = known.market.frame["category"].to_numpy(dtype=str)[rows]
        same = prices[category_steps(category, names)[0][1]]
        prices = same if np.isfinite(same).sum() >= _NAMED else prices
    prices = prices[np.isfinite(prices)]
    return (
        None if not len(prices) else (float(np.quantile(prices, _SUPPORT[0])), float(np.quantile(prices, _SUPPORT[1])))
    )


def _source(known: Knowledge, category: str) -> tuple[str, str]:
    """The narrowest category with enough finished launches, as text; and the one asked for, if that is another."""
    others = known.market.frame["category"].to_numpy(dtype=str)[known.learned]
    for name, inside in reversed(category_steps(category, others) if category else []):
        if inside.sum() >= _NAMED:
            return f"{name} ({inside.sum()} launches)", "" if name == category else category
    return f"the whole shop ({len(others)} launches)", category


def _analogues(course: Course, basis: int) -> pd.DataFrame:
    known, market = course.known, course.market
    if not len(known.learned):
        return pd.DataFrame(columns=list(ANALOGUE_COLUMNS))
    alike = alikeness(market, course.row, known.learned)[0]
    best = np.argsort(-alike, kind="stable")[:ANALOGUES]
    rows = known.learned[best]
    frame = market.frame.loc[rows, ["sku", "name", "price"]].reset_index(drop=True)
    return frame.assign(
        similarity=alike[best],
        weight=1 / len(best),
        units=known.windows[best, :basis].sum(axis=1),
        launched=pd.to_datetime(market.frame.loc[rows, "launched_on"].to_numpy()),
        kept=True,
        why="kept",
    )[list(ANALOGUE_COLUMNS)]


def _seed(shop: Shop, item: Draft | Product, price: float | None, launched: date) -> int:
    # Without the id: two drafts of the same product get the same draws. Without the horizon: a longer one goes on
    # from a shorter.
    key = f"{item.model_dump_json(exclude={'id'})}|{price}|{launched}|{shop.cutoff}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
