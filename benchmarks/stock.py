"""`./debut bench stock`: turnover and cost of ordering rules at equal fill rate, on real demand with lost sales."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.layout import SalesData
from benchmarks.public import load
from benchmarks.result import Result, report
from benchmarks.stock_methods import debut, fixed_cover, oracle, z_sigma
from benchmarks.stock_replay import Array, Prices, Tally, World, at_fill, curve_of, replay
from shop import BadInput
from tools.demand.panel import CYCLE, Panel, build_panel

METRICS = ("turnover", "cost", "fill_rate", "stock", "units_lost", "fill_rate_units")
RIVALS = ("moving_average_fixed_cover", "moving_average_z_sigma")
RATIOS = (2.0, 5.0, 10.0, 20.0)
_DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12}
_WINDOWS_DAYS = (28, 56, 91, 182)  # moving averages that a rival may choose from
_USUAL_WINDOW = 56
_LEAST_PERIODS = 8  # of history before the first order
_DRAWS = 300


@dataclass(frozen=True)
class Terms:
    """The terms of trade of a run: days, the fill rates to compare at, and lost margin over holding cost."""

    lead_days: int = 14
    review_days: int = 7
    fills: tuple[float, ...] = (0.9, 0.95)
    ratios: tuple[float, ...] = RATIOS
    most: int = 2000

    def __post_init__(self) -> None:
        if self.lead_days < 1 or self.review_days < 1:
            raise BadInput("Lead time and review must be at least one day.")
        if not self.fills or not 0.5 <= min(self.fills) <= max(self.fills) <= 0.999:
            raise BadInput("A fill rate cannot be compared at unless it lies between 0.5 and 0.999; give another.")
        if not self.ratios or min(self.ratios) <= 0:
            raise BadInput("A cost ratio (lost margin over holding cost) must be above zero.")


def main(data: Path, terms: Terms | None = None, earlier: bool = False) -> dict[str, Any]:
    """Run the replay and report it.

    Args:
        data: Folder in the sales layout, or a published one.
        terms: See `Terms`.
        earlier: Measure on the period before the test, where design choices were made.
    """
    started = time.perf_counter()
    terms = terms or Terms()
    source = load(data)
    panel = panel_of(source)
    test = int(panel.starts.searchsorted(source.test_from))
    before = earlier_part(panel, test)
    if earlier:
        if before is None:
            raise BadInput("The data before test_from are too short to hold an earlier test.")
        panel, test = before
        before = earlier_part(panel, test)
    window = dict.fromkeys(RIVALS, _USUAL_WINDOW) if before is None else choose_windows(*before, terms)
    world = world_of(panel, test, terms)
    cycle, year = CYCLE[panel.frequency], 365.25 / _DAYS[panel.frequency]
    seconds: dict[str, float] = {}
    tallies: dict[str, Tally] = {}
    for name in ("oracle", *RIVALS, "debut"):
        begun = time.perf_counter()
        tallies[name] = _run(name, world, panel, window, cycle)
        seconds[name] = round(time.perf_counter() - begun, 2)
    results = _results(tallies, world, terms, year)
    return report(
        "stock",
        source.name,
        results,
        time.perf_counter() - started,
        products=len(world.demand),
        periods=int(world.demand.shape[1] - world.test),
        frequency=panel.frequency,
        lead_periods=world.lead,
        review_periods=world.review,
        moving_average_days=window,
        matched_by="interpolation between the two settings of a method whose fill rates lie around the target",
        curves=_curves(tallies, world, terms, year),
        method_seconds=seconds,
    )


def panel_of(source: SalesData) -> Panel:
    """Demand per product, and store where there are stores."""
    return build_panel(
        source.sales, source.frequency, ("product", "store") if "store" in source.sales else ("product",)
    )


def earlier_part(panel: Panel, test: int) -> tuple[Panel, int] | None:
    """The data before the test with a test of its own as long, or as a third of them; None where that is too short."""
    length = min(panel.units.shape[1] - test, test // 3)
    start = test - length
    return None if length < 4 or start < 2 * _LEAST_PERIODS else (panel.until(test), start)


def world_of(panel: Panel, test: int, terms: Terms) -> World:
    """What the methods face: products with enough history before the first order that are sold in the test."""
    step = _DAYS[panel.frequency]
    lead, review = math.ceil(terms.lead_days / step - 1e-9), math.ceil(terms.review_days / step - 1e-9)
    start = max(test - 2 * (lead + review), _LEAST_PERIODS)
    known = np.isfinite(panel.units[:, :start]).sum(axis=1) >= _LEAST_PERIODS
    sold = np.nansum(panel.units[:, test:], axis=1) > 0
    rows = np.flatnonzero(known & sold)
    if len(rows) < 2 or start >= test:
        raise BadInput("Fewer than two products have eight periods of sales before the test; move test_from later.")
    if len(rows) > terms.most:
        rows = np.sort(np.random.default_rng(0).choice(rows, terms.most, replace=False))
    price = panel.price[rows, start - 1]
    usual = np.nanmedian(price) if np.isfinite(price).any() else 1.0
    demand = panel.units[rows]
    whole = bool((np.nan_to_num(demand) % 1 == 0).all())
    return World(demand, np.where(np.isfinite(price), price, usual), start, test, lead, review, whole)


def choose_windows(panel: Panel, test: int, terms: Terms) -> dict[str, int]:
    """The moving average, in days, with the least stock at the highest fill rate on an earlier period, by rival."""
    world = world_of(panel, test, terms)
    chosen = {}
    for name in RIVALS:
        stock = {}
        for days in _WINDOWS_DAYS:
            tally = _run(name, world, panel, {name: days}, CYCLE[panel.frequency])
            stock[days] = at_fill(tally, world, terms.fills[-1], Prices(1.0, 0.0, 0.0), 1.0)["stock"]
        known = {days: units for days, units in stock.items() if np.isfinite(units)}
        chosen[name] = min(known, key=lambda days: known[days]) if known else _USUAL_WINDOW
    return chosen


def _run(name: str, world: World, panel: Panel, window: dict[str, int], cycle: int) -> Tally:
    step = _DAYS[panel.frequency]
    if name in RIVALS:
        periods = max(2, round(window[name] / step))
        decide, knobs = (fixed_cover if name == RIVALS[0] else z_sigma)(world, periods)
    else:
        decide, knobs = oracle(world) if name == "oracle" else debut(world, cycle)
    return replay(world, decide, knobs, world.opening(max(2, round(_USUAL_WINDOW / step))))


def prices_of(world: World, ratio: float) -> Prices:
    """Holding a unit over one review costs its value, losing it `ratio` times that, and an order as much as makes the
    economic order of the middle product last just one review (so that the common review is not a handicap)."""
    mean = np.nanmean(np.where(np.arange(world.demand.shape[1]) < world.start, world.demand, np.nan), axis=1)
    per_review = np.nan_to_num(mean) * world.value * world.review
    return Prices(1.0, ratio, float(np.median(per_review)) / 2)


def _results(tallies: dict[str, Tally], world: World, terms: Terms, year: float) -> list[Result]:
    rng = np.random.default_rng(0)
    count = len(world.demand)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=_DRAWS).astype(float)
    found: list[Result] = []
    for fill in terms.fills:
        for ratio in terms.ratios:
            prices = prices_of(world, ratio)
            point = {name: at_fill(tally, world, fill, prices, year) for name, tally in tallies.items()}
            drawn = {
                name: [at_fill(tally, world, fill, prices, year, w) for w in weights] for name, tally in tallies.items()
            }
            first = ratio == terms.ratios[0]
            for name in tallies:
                for metric in METRICS if first else ("cost",):
                    low, high = _bounds(np.array([draw[metric] for draw in drawn[name]]))
                    extra = {"at_fill": fill, **({"cost_ratio": ratio} if metric == "cost" else {})}
                    found.append(Result(name, metric, point[name][metric], low, high, count, extra))
            if first:
                found.append(_gain("turnover_gain", "turnover", point, drawn, count, {"at_fill": fill}))
            extra = {"at_fill": fill, "cost_ratio": ratio}
            found.append(_gain("cost_saving", "cost", point, drawn, count, extra))
    return found


def _gain(
    name: str,
    metric: str,
    point: dict[str, dict[str, float]],
    drawn: dict[str, list[dict[str, float]]],
    count: int,
    extra: dict[str, Any],
) -> Result:
    """Relative gain over the better of the rivals, products drawn again for both alike."""
    sign = 1 if metric == "turnover" else -1
    reached = [rival for rival in RIVALS if np.isfinite(point[rival][metric])]
    if not reached or not np.isfinite(point["debut"][metric]):
        return Result("debut", name, None, n=count, extra=extra)
    rival = max(reached, key=lambda each: sign * point[each][metric])
    values = [sign * (o[metric] / r[metric] - 1) for o, r in zip(drawn["debut"], drawn[rival], strict=True)]
    low, high = _bounds(np.array(values))
    value = sign * (point["debut"][metric] / point[rival][metric] - 1)
    return Result("debut", name, value, low, high, count, {**extra, "against": rival})


def _bounds(values: Array) -> tuple[float | None, float | None]:
    known = values[np.isfinite(values)]
    if len(known) < 0.9 * len(values):
        return None, None
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)


def _curves(tallies: dict[str, Tally], world: World, terms: Terms, year: float) -> dict[str, list[dict[str, float]]]:
    """Every setting of every method: its fill rate, stock, turnover and cost at the first ratio."""
    out = {}
    for name, tally in tallies.items():
        curve = curve_of(tally, world, prices_of(world, terms.ratios[0]), year)
        rows: Sequence[int] = np.argsort(curve["fill_rate"]).tolist()
        out[name] = [{metric: float(f"{values[k]:.6g}") for metric, values in curve.items()} for k in rows]
    return out
