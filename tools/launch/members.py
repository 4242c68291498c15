"""The forecasters that a launch forecast is combined from, each in units by week since launch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tools.demand.panel import Array
from tools.launch.evidence import Evidence, Rules, carried, launch_windows, log_prices
from tools.launch.kriging import krige
from tools.launch.market import Index, Market
from tools.launch.trees import launch_trees

NAMES = ("curve", "median", "analogues", "kriging", "trees")
ANALOGUES = 10
_OWN_GROUP = 10.0  # launches that the shop's curve is worth beside a category's own


@dataclass(frozen=True)
class Views:
    """What each member says about a batch of launches.

    Attributes:
        units: By member, units by week (M, H).
        spread: Standard deviation of the log of the total (M,), as the kriging sees it.
    """

    units: dict[str, Array]
    spread: Array


def forecast_members(
    market: Market, rows: Index, evidence: Evidence, settings: dict[str, float], rules: Rules, jobs: int = 1
) -> Views:
    """Every member's forecast of launches `rows`, planned for the first period not known yet.

    A member that has too little to learn from repeats the shrunk mean curve.

    Raises:
        ValueError: No earlier launch to learn from.
    """
    kriged = krige(market, rows, evidence, settings)
    shape = evidence.shape(market.panel.units.shape[1])
    level = np.exp(kriged.mean)[:, None] * shape[None, :]
    learned, windows = whole_launches(market, rules)
    if len(learned) < ANALOGUES:
        # Nothing is finished yet: the levels of unfinished launches are all there is.
        usual = np.tile(np.exp(evidence.level).mean() * shape, (len(rows), 1))
        return Views(
            {"curve": usual, "median": level, "analogues": level, "kriging": level, "trees": level},
            np.sqrt(kriged.variance),
        )
    curve = category_curve(market, rows, learned, windows)
    trees = launch_trees(market, rows, evidence, jobs)
    units = {
        "curve": curve,
        "median": category_curve(market, rows, learned, windows, np.median),
        "analogues": analogue_mean(market, rows, learned, windows),
        "kriging": level,
        "trees": curve if trees is None else trees,
    }
    return Views(units, np.sqrt(kriged.variance))


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
    """Mean, or median, units by week of the category's launches (M, H), shrunk to the shop's."""
    shop = middle(windows, axis=0)
    category = market.frame["category"].to_numpy(dtype=str)
    curves = np.tile(shop, (len(rows), 1))
    for name in set(category[rows]) - {""}:
        own = windows[category[learned] == name]
        if len(own):
            curves[category[rows] == name] = (len(own) * middle(own, axis=0) + _OWN_GROUP * shop) / (
                len(own) + _OWN_GROUP
            )
    return curves


def analogue_weights(market: Market, rows: Index, learned: Index) -> Array:
    """Weight of each earlier launch as an analogue (M, L), rows summing to one: the ten most alike, equally."""
    prices = log_prices(market)
    alike = market.likeness(rows, learned)
    alike = alike + np.exp(-np.abs(prices[rows][:, None] - prices[learned][None, :]) / 0.4)
    category = market.frame["category"].to_numpy(dtype=str)
    alike = alike + 0.3 * ((category[rows][:, None] == category[learned][None, :]) & (category[rows][:, None] != ""))
    best = np.argsort(-alike, axis=1, kind="stable")[:, :ANALOGUES]
    weights = np.zeros(alike.shape)
    np.put_along_axis(weights, best, 1 / best.shape[1], axis=1)
    return weights


def analogue_mean(market: Market, rows: Index, learned: Index, windows: Array) -> Array:
    """Mean units by week of the ten launches most alike in text, price and category (M, H)."""
    return np.asarray(analogue_weights(market, rows, learned) @ windows)
