"""What the parts of the launch forecast are worth, and how long one forecast takes."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from benchmarks.accuracy import Array, Forecasts, launch_results
from benchmarks.result import Result
from tools.launch.combine import Recipe
from tools.launch.course import DRAWS
from tools.launch.draws import spread_over_weeks, total_draws
from tools.launch.evidence import Rules, gather
from tools.launch.market import Index, Market, make_market
from tools.launch.members import ask_members, know
from tools.launch.replay import replay

METRICS = ("wape_4w", "wape_8w", "wape_12w", "wape_total_12w", "bias_12w", "coverage_80", "coverage_80_total")


def ablation(market: Market, test: Index, actual: Array, keep: np.ndarray, rules: Rules) -> list[Result]:
    """Debut without the words of its products, without their meanings, and without their pictures where they have any.

    Args:
        market: The whole of it.
        test: The test launches (R,).
        actual: Their units (R, H), NaN where absent.
        keep: Which of them are scored (R,).
        rules: Which launches count.
    """
    variants = {"debut_without_text": _bare(market, text=False)}
    if market.meanings is not None:
        variants["debut_words_only"] = _bare(market, text=True)
    if market.pictures is not None:
        variants["debut_without_images"] = replace(market, pictures=None)
    rows = []
    for name, variant in variants.items():
        forecasts, found = _replayed(variant, test[keep], rules)
        results = launch_results(name, forecasts, actual[keep][found], *_plain(found), "scored")
        rows += [row for row in results if row.metric in METRICS]
    return rows


def seconds_of_one(market: Market, rules: Rules, recipe: Recipe) -> Result:
    """Seconds of one forecast once the shop has been studied: a draft put in, members asked, combined, weeks drawn."""
    known = know(market, gather(market, rules), rules)
    rng, times = np.random.default_rng(0), []
    for number in range(5):
        started = time.perf_counter()
        wider = market.planned("", f"a new product {number}", "", None, market.panel.units.shape[1])
        views = ask_members(known, wider, np.array([len(wider.launched) - 1]))
        point = recipe.point(views.units)[0]
        total = total_draws(float(point.sum()), float(views.spread[0]), recipe, DRAWS, rng)
        spread_over_weeks(total, point, recipe, None, rng)
        times.append(time.perf_counter() - started)
    return Result("debut", "seconds_one_launch", float(np.median(times)), n=len(times), extra={"subset": "all"})


def _bare(market: Market, text: bool) -> Market:
    """The market without meanings, or without any text."""
    frame = market.frame if text else market.frame.assign(text="")
    return make_market(market.panel, frame, market.launched, None, market.pictures)


def _replayed(market: Market, test: Index, rules: Rules) -> tuple[Forecasts, np.ndarray]:
    place = {int(row): i for i, row in enumerate(test)}
    horizon = rules.horizon
    weekly, total = np.zeros((len(test), horizon, 3)), np.zeros((len(test), 3))
    found = np.zeros(len(test), dtype=bool)
    for batch in replay(market, rules):
        for i, row in enumerate(batch.rows):
            if int(row) in place:
                at = place[int(row)]
                weekly[at], total[at], found[at] = batch.made.weekly[i], batch.made.total[i], True
    weekly, total = weekly[found], total[found]
    return Forecasts(weekly[..., 1], weekly[..., [0, 2]], total), found


def _plain(found: np.ndarray) -> tuple[Array, Array]:
    return np.ones(int(found.sum())), np.full(int(found.sum()), 0.5)
