"""Why a launch forecast is what it is: units by driver, adding up to the point forecast exactly."""

from __future__ import annotations

import numpy as np

from tools.demand.panel import Array
from tools.launch.combine import Recipe
from tools.launch.evidence import shelf_signal
from tools.launch.market import Index, Market
from tools.launch.members import Knowledge, Views

_KRIGING = {
    "drift": "recent",
    "batch": "recent",
    "price": "price",
    "text": "text",
    "category": "category",
    "neighbour": "siblings",
    "shelf": "shelf",
}
_TREES = {
    "log_price": "price",
    "season": "season",
    "launched": "recent",
    "neighbour": "siblings",
    "category": "category",
    "shelf": "shelf",
    "week": "usual",
    "base": "usual",
}
LABELS = {
    "usual": "The shop's usual launch",
    "recent": "How launches went of late",
    "category": "Its category",
    "analogues": "Its analogues",
    "price": "Its price against other launches",
    "text": "What is written about it",
    "siblings": "Products next to it in the range",
    "shelf": "What resembles it on the shelf",
    "season": "The season of its launch weeks",
    "middle": "Median instead of mean launches",
}


def drivers(known: Knowledge, market: Market, row: Index, views: Views, recipe: Recipe) -> dict[str, float]:
    """Units that each driver in `LABELS` adds to the point forecast over the horizon.

    The forecast is a weighted sum of members, and each member is the usual launch plus parts: the kriging's level is
    a sum of terms in logs, shared out by the logarithmic mean (Ang 2004: exact), the trees' parts are TreeSHAP
    values (exact), the curve's and the analogues' are differences.

    Args:
        known: What was known on the launch day.
        market: The market that holds the launch.
        row: Its row there (1,).
        views: What each member said.
        recipe: How they were combined.
    """
    total = {name: float(units[0].sum()) for name, units in views.units.items()}
    signal = shelf_signal(market, known.evidence)[market.closeness.at[row]]
    usual = float(known.windows.mean(axis=0).sum()) if len(known.windows) else total["curve"]
    parts = {
        "curve": {"usual": usual, "category": total["curve"] - usual},
        "analogues": {"usual": usual, "analogues": total["analogues"] - usual},
        "median": _of_median(known, usual, total["median"]),
        "kriging": _of_kriging(known, market, row, signal, total["kriging"]),
        "trees": _of_trees(known, market, row, signal, total["trees"], usual),
    }
    added = dict.fromkeys(LABELS, 0.0)
    for member, weight in recipe.weights.items():
        for driver, units in parts[member].items():
            added[driver] += weight * units
    return added


def _of_median(known: Knowledge, usual: float, total: float) -> dict[str, float]:
    plain = float(np.median(known.windows, axis=0).sum()) if len(known.windows) else total
    return {"usual": usual, "middle": plain - usual, "category": total - plain}


def _of_kriging(known: Knowledge, market: Market, row: Index, signal: Array, total: float) -> dict[str, float]:
    kriged = known.kriging.predict(market, row, signal)
    logs = {"usual": kriged.base}
    for term, values in kriged.terms.items():
        logs[_KRIGING[term]] = logs.get(_KRIGING[term], 0.0) + float(values[0])
    logs["season"] = float(np.log(known.evidence.shape(market.launched[row]).sum()))
    start = float(np.exp(kriged.base))
    moved = np.log(total / start)
    # The logarithmic mean of start and end turns differences of logs into units without a remainder.
    mean = (total - start) / moved if abs(moved) > 1e-9 else start
    units = {driver: mean * change for driver, change in logs.items() if driver != "usual"}
    return {"usual": start, **units}


def _of_trees(
    known: Knowledge, market: Market, row: Index, signal: Array, total: float, usual: float
) -> dict[str, float]:
    if known.trees is None:
        return {"usual": usual, "category": total - usual}
    units: dict[str, float] = {}
    found = known.trees.contributions(market, int(row[0]), known.evidence, signal)
    for feature, value in found.items():
        driver = _TREES.get(feature, "text")
        units[driver] = units.get(driver, 0.0) + value
    # Weeks predicted below zero were lifted to it.
    units["usual"] += total - sum(found.values())
    return units
