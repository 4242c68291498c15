"""The forecast of a launch without history: level, curve, season and price, as draws with their quantiles."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from shop import Draft, Product, Shop, ToolError
from tools.elasticity import Elasticity, estimate_elasticity
from tools.figures import QUANTILES
from tools.launch.analogues import text_similarity
from tools.launch.backtest import Backtest, backtest
from tools.launch.cohort import Cohort, read_cohort, subject_of
from tools.launch.level import MIN_LAUNCHES, Level, Settings, launch_level
from tools.launch.season import read_history, season_table

Array = NDArray[np.float64]
ANALOGUE_COLUMNS = ("sku", "name", "similarity", "weight", "units", "price", "launched", "kept", "why")
MAX_WEEKS = 52
_SUPPORT = (0.02, 0.98)  # quantiles of the launch prices seen that bound what may be said about a price


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
        launches: Finished launches behind the level, shop-wide.
        date_assumed: Whether the launch date was assumed.
    """

    starts: tuple[date, ...]
    draws: Array
    quantiles: Array
    analogues: pd.DataFrame
    errors: Backtest
    basis: int
    price: float | None
    support: tuple[float, float] | None
    elasticity: Elasticity | None
    season: float
    source: str
    launches: int
    date_assumed: bool

    @property
    def total(self) -> Array:
        """Demand over the whole horizon, by draw (N,)."""
        return np.asarray(self.draws.sum(axis=1))

    @property
    def outside(self) -> bool:
        """Whether the price lies outside what earlier launches were sold at."""
        return self.price is not None and self.support is not None and not _within(self.price, self.support)


def launch_forecast(
    shop: Shop,
    item: Draft | Product,
    price: float | None = None,
    launch_date: date | None = None,
    weeks: int = 12,
    settings: Settings | None = None,
) -> LaunchForecast:
    """Forecast a draft, or a product that has not sold yet, from the shop's earlier launches.

    The item's own price marks its tier; another `price` moves demand by the elasticity of its category, up to the
    edge of the prices seen.

    Args:
        shop: Nothing later than its cut-off is used.
        item: The planned product.
        price: Price to forecast for. Default: the item's own.
        launch_date: Default: the item's own, else four weeks from today.
        weeks: Horizon, 1 to 52.
        settings: How to forecast.

    Raises:
        ToolError: Horizon or date out of range, or the shop has fewer than three finished launches.
    """
    planned = launch_date or item.launch_date
    launched = _launch_day(shop, planned, weeks)
    settings = replace(settings or Settings(), basis=min(weeks, (settings or Settings()).basis))
    cohort = read_cohort(shop, weeks)
    _check_enough(cohort, settings.basis)
    history = read_history(shop)
    own = _own_price(item)
    subject = subject_of(item, own if own is not None else price, launched)
    text = text_similarity([subject.text], list(cohort.frame["text"]))[0]
    day = pd.Timestamp(shop.cutoff) + pd.Timedelta(days=1)
    known = cohort.before(day)
    table = season_table(history, day)
    level = launch_level(cohort.known_on(day), subject, text[known], table, history.names, settings)
    errors = backtest(cohort, history, settings)

    asked = price if price is not None else own
    support = _support(level, subject.category)
    rng = np.random.default_rng(_seed(shop, item, asked, launched, weeks))
    shift, elasticity = _price_shift(shop, subject.category, own, asked, support, settings.draws, rng)
    draws = simulate(level, errors.scale, shift, settings, rng)
    return LaunchForecast(
        starts=tuple(launched + timedelta(weeks=w) for w in range(weeks)),
        draws=draws,
        quantiles=np.quantile(draws, QUANTILES, axis=0).T,
        analogues=_analogue_frame(level),
        errors=errors,
        basis=settings.basis,
        price=asked,
        support=support,
        elasticity=elasticity,
        season=float((level.curve * level.season).sum() / level.curve.sum()),
        source=_source(level, settings),
        launches=len(level.launches),
        date_assumed=planned is None,
    )


def simulate(level: Level, scale: float, shift: Array, settings: Settings, rng: np.random.Generator) -> Array:
    """Draws of weekly demand (N, W): a level from its predictive normal, a curve from launches like it, the season.

    Args:
        level: See `level.launch_level`.
        scale: Factor on the spread of the level, from the backtest.
        shift: Added to the log level by draw (N,), the effect of price.
        settings: How many draws, and the basis weeks.
        rng: Source of chance.
    """
    # One draw from each of N equal slices of the distribution: quantiles are steady at a small N.
    ranks = (rng.permutation(settings.draws) + 0.5) / settings.draws
    units = np.expm1(np.maximum(level.mean + level.sd * scale * ndtri(ranks) + shift, 0.0))
    picked = level.shapes[rng.choice(len(level.weights), settings.draws, p=level.weights)]
    usual = level.weights @ level.shapes
    shapes = picked * np.divide(level.curve, usual, out=np.ones_like(usual), where=usual > 0)
    whole = shapes[:, : settings.basis].sum(axis=1, keepdims=True)
    shapes = np.where(whole > 0, shapes / np.maximum(whole, 1e-12), level.curve)
    return np.asarray(units[:, None] * shapes * level.season)


def _launch_day(shop: Shop, planned: date | None, weeks: int) -> date:
    if not 1 <= weeks <= MAX_WEEKS:
        raise ToolError(f"A launch can be forecast for 1 to {MAX_WEEKS} weeks, not {weeks}; give another horizon.")
    launched = planned or shop.today + timedelta(weeks=4)
    if launched < shop.today:
        raise ToolError(f"The launch date {launched} is before {shop.today}; give a date from then on.")
    return launched


def _check_enough(cohort: Cohort, basis: int) -> None:
    if (cohort.frame["observed"] >= basis).sum() < MIN_LAUNCHES:
        raise ToolError(
            f"Fewer than {MIN_LAUNCHES} launches of this shop have {basis} weeks of sales; "
            "import more history, or ask for fewer weeks."
        )


def _own_price(item: Draft | Product) -> float | None:
    return item.price if isinstance(item, Draft) else item.list_price


def _price_shift(
    shop: Shop,
    category: str,
    own: float | None,
    asked: float | None,
    support: tuple[float, float] | None,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Array, Elasticity | None]:
    if own is None or asked is None or support is None or asked == own:
        return np.zeros(draws), None
    elasticity = estimate_elasticity(shop, category)
    if elasticity is None or not elasticity.identified:
        return np.zeros(draws), None
    # Beyond the prices seen the effect stops growing; the tool says so.
    bounded = min(max(asked, min(own, support[0])), max(own, support[1]))
    return elasticity.draws(draws, rng) * np.log(bounded / own), elasticity


def _support(level: Level, category: str) -> tuple[float, float] | None:
    frame = level.launches
    top = category.split(" > ")[0]
    same = frame[(frame["category"] == top) | frame["category"].str.startswith(top + " > ")] if top else frame
    prices = (same if len(same) >= 5 else frame)["price"].dropna()
    return None if prices.empty else (float(prices.quantile(_SUPPORT[0])), float(prices.quantile(_SUPPORT[1])))


def _within(price: float, support: tuple[float, float]) -> bool:
    return support[0] <= price <= support[1]


def _source(level: Level, settings: Settings) -> str:
    named = [(name, n) for name, n in level.groups[:-1] if n >= settings.level_launches]
    name, count = named[-1] if named else level.groups[0]
    return f"{name} ({count:.0f} launches)"


def _analogue_frame(level: Level) -> pd.DataFrame:
    rows = level.launches.iloc[level.choice["at"].to_numpy()].reset_index(drop=True)
    frame = pd.concat([rows[["sku", "name", "units", "price", "launched"]], level.choice], axis=1)
    return frame[list(ANALOGUE_COLUMNS)]


def _seed(shop: Shop, item: Draft | Product, price: float | None, launched: date, weeks: int) -> int:
    # Without the id: two drafts of the same product get the same draws.
    key = f"{item.model_dump_json(exclude={'id'})}|{price}|{launched}|{weeks}|{shop.cutoff}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
