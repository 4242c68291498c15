"""The forecasters that a launch forecast is combined from, each in units by week since launch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.demand.panel import Array
from tools.launch.evidence import Evidence, Rules, carried, launch_windows, shelf_signal, shelf_signals
from tools.launch.kriging import Kriging, fit_kriging
from tools.launch.market import Index, Market, log_prices
from tools.launch.trees import Trees, fit_trees

NAMES = ("curve", "median", "analogues", "kriging", "trees")
ANALOGUES = 10
_OWN_GROUP = 10.0  # launches that the wider group's curve is worth beside a category's own
_LIKELIEST = 2.3  # the most that `alikeness` can be: same text, price and category


@dataclass(frozen=True)
class Views:
    """What each member says about some launches.

    Attributes:
        units: By member, units by week (M, H).
        spread: Standard deviation of the log of the total (M,), as the kriging sees it.
    """

    units: dict[str, Array]
    spread: Array


@dataclass(frozen=True)
class Knowledge:
    """What a market teaches at one moment: fitted once, asked about any launch to come.

    Attributes:
        market: As known; launches to forecast may be appended to it, rows stay.
        evidence: Levels, usual curve, season.
        kriging: The fitted process.
        trees: The fitted model; None with too little to learn.
        learned: Launches that are over and were really offered (L,).
        windows: Their units by week (L, H).
    """

    market: Market
    evidence: Evidence
    kriging: Kriging
    trees: Trees | None
    learned: Index
    windows: Array


def know(
    market: Market,
    evidence: Evidence,
    rules: Rules,
    settings: dict[str, float] | None = None,
    rounds: int = 0,
    trees: Trees | None = None,
    jobs: int = 1,
) -> Knowledge:
    """Fit every member to what is known.

    Args:
        market: As known.
        evidence: What is known of launches there.
        rules: Which launches count.
        settings: Of the kriging, or where to begin fitting them.
        rounds: Steps of fitting the settings, 0 to take them as they are.
        trees: A model fitted a little earlier, to use instead of fitting one.
        jobs: Threads.

    Raises:
        ValueError: No earlier launch to learn from.
    """
    every = shelf_signal(market, evidence)
    signal = every[market.closeness.at[evidence.rows]]
    learned, windows = whole_launches(market, rules)
    if trees is None and len(learned) >= ANALOGUES:
        trees = fit_trees(market, evidence, signal, jobs)
    kriging = fit_kriging(market, evidence, signal, settings, rounds)
    return Knowledge(market, evidence, kriging, trees, learned, windows)


def ask_members(known: Knowledge, market: Market, rows: Index, launched: Index | None = None) -> Views:
    """Every member's forecast of launches `rows` of `market`: that of the knowledge, or one with rows appended.

    A member that has too little to learn from repeats the shrunk mean curve.

    Args:
        known: What was learned; its season reaches to the end of the last launch.
        market: Holds the launches.
        rows: Which, (M,).
        launched: Periods (M,) in which each is taken to come; left out, its own.
    """
    if launched is None:
        signal = shelf_signal(market, known.evidence)[market.closeness.at[rows]]
    else:
        signal = shelf_signals(market, known.evidence, rows, launched)
    kriged = known.kriging.predict(market, rows, signal, launched)
    shape = known.evidence.shape(np.maximum(market.launched[rows] if launched is None else launched, 0))
    level = np.exp(kriged.mean)[:, None] * shape
    spread = np.sqrt(kriged.variance)
    if len(known.learned) < ANALOGUES:
        # Nothing is finished yet: the levels of unfinished launches are all there is.
        usual = np.exp(known.evidence.level).mean() * shape
        return Views({"curve": usual, **dict.fromkeys(NAMES[1:], level)}, spread)
    curve = category_curve(market, rows, known.learned, known.windows)
    units = {
        "curve": curve,
        "median": category_curve(market, rows, known.learned, known.windows, np.median),
        "analogues": analogue_mean(market, rows, known.learned, known.windows),
        "kriging": level,
        "trees": curve if known.trees is None else known.trees.predict(market, rows, known.evidence, signal, launched),
    }
    return Views(units, spread)


def whole_launches(market: Market, rules: Rules) -> tuple[Index, Array]:
    """Launches that are over and were really offered: which, and their units by week (L, H)."""
    known = market.panel.units.shape[1]
    rows = np.flatnonzero((market.launched >= 0) & (market.launched + rules.horizon <= known))
    windows = launch_windows(market, rows, rules.horizon)
    keep = carried(windows, rules)
    return rows[keep], np.nan_to_num(windows[keep])


def category_curve(
    market: Market, rows: Index, learned: Index, windows: Array, middle: Callable[..., Array] = np.mean
) -> Array:
    """Mean, or median, units by week of the category's launches (M, H), each step shrunk to the one above."""
    category = market.frame["category"].to_numpy(dtype=str)
    curves = np.tile(middle(windows, axis=0), (len(rows), 1))
    for name in set(category[rows]) - {""}:
        curve = middle(windows, axis=0)
        for _, inside in category_steps(name, category[learned]):
            if inside.any():
                count = inside.sum()
                curve = (count * middle(windows[inside], axis=0) + _OWN_GROUP * curve) / (count + _OWN_GROUP)
        curves[category[rows] == name] = curve
    return curves


def category_steps(path: str, others: NDArray[np.str_]) -> list[tuple[str, NDArray[np.bool_]]]:
    """Each step of a category path from the top, with which of `others` (L,) lie at or below it."""
    names = path.split(" > ")
    steps = [" > ".join(names[:depth]) for depth in range(1, len(names) + 1)]
    return [(step, (others == step) | np.char.startswith(others, step + " > ")) for step in steps]


def alikeness(market: Market, rows: Index, learned: Index) -> Array:
    """How much each of `rows` is like each earlier launch (M, L), from 0 to 1: text and pictures, price, category."""
    prices = log_prices(market)
    alike = market.likeness(rows, learned)
    alike = alike + np.exp(-np.abs(prices[rows][:, None] - prices[learned][None, :]) / 0.4)
    return (alike + 0.3 * market.kinship(rows, learned)) / _LIKELIEST


def analogue_weights(market: Market, rows: Index, learned: Index) -> Array:
    """Weight of each earlier launch as an analogue (M, L), rows summing to one: the ten most alike, equally."""
    alike = alikeness(market, rows, learned)
    best = np.argsort(-alike, axis=1, kind="stable")[:, :ANALOGUES]
    weights = np.zeros(alike.shape)
    np.put_along_axis(weights, best, 1 / best.shape[1], axis=1)
    return weights


def analogue_mean(market: Market, rows: Index, learned: Index, windows: Array) -> Array:
    """Mean units by week of the ten launches most alike in text, price and category (M, H)."""
    return np.asarray(analogue_weights(market, rows, learned) @ windows)
