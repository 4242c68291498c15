"""Series with history: Debut's contest against single methods, by rolling origin."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.accuracy import Array, history_results
from benchmarks.layout import SalesData
from benchmarks.result import Result
from shop.errors import BadInput
from tools.demand import local
from tools.demand.contest import forecast, run_contest
from tools.demand.panel import Panel, build_panel
from tools.demand.series import CLASSES, naive_scale
from tools.demand.trees import KINDS, fit_trees, predict_trees

MOST_ORIGINS = 3
_MANY = 1000  # products of the category that is forecast anew for the clock
_RECENT = 8  # a series without a sale for this many periods before an origin is not forecast


def plain_lightgbm(panel: Panel, horizon: int) -> Array:
    """LightGBM with lags and the Tweedie mean: what one would try first."""
    return predict_trees(fit_trees(panel, horizon), panel, horizon)


RIVALS: dict[str, Callable[[Panel, int], Array]] = {
    "seasonal_naive": local.seasonal_naive,
    "auto_ets": local.ets,
    "auto_arima": local.arima,
    "theta": local.theta,
    "croston": local.croston,
    "lightgbm": plain_lightgbm,
}


def history_task(data: SalesData, series: int) -> tuple[list[Result], dict[str, Any]]:
    """Score Debut and every rival from up to three origins from `test_from` on, a horizon apart.

    Args:
        data: The data set; a series is a product, or a product in a store.
        series: At most this many series, drawn with seed 0; 0 takes all, and also times a category of a thousand.

    Raises:
        BadInput: The test is shorter than the horizon, or no series sells before it.
    """
    keys = ("product", "store") if "store" in data.sales else ("product",)
    panel = build_panel(data.sales, data.frequency, keys)
    if series and len(panel.keys) > series:
        chosen = np.random.default_rng(0).choice(len(panel.keys), series, replace=False)
        panel = panel.take(np.sort(chosen))
    first = int(panel.starts.searchsorted(data.test_from))
    origins = list(range(first, len(panel.starts) - data.horizon + 1, data.horizon))[:MOST_ORIGINS]
    if not origins or first < 4:
        raise BadInput(
            f"{data.name} leaves no {data.horizon} periods from {data.test_from.date()} on, or no history before it; "
            "change test_from or horizon in meta.json."
        )
    parts, spent, chosen_by = _run(panel, origins, data.horizon)
    rows: list[Result] = []
    for method in ("debut", *RIVALS):
        made = np.concatenate([part[method] for part in parts])
        actual, scale = (np.concatenate([part[key] for part in parts]) for key in ("actual", "scale"))
        quantiles = np.concatenate([part["quantiles"] for part in parts]) if method == "debut" else None
        groups = np.concatenate([part["series"] for part in parts])
        rows += history_results(method, made, quantiles, actual, scale, groups)
        rows.append(Result(method, "seconds", spent[method], n=len(actual)))
    if not series:
        rows += clock(panel.until(origins[-1]), data.horizon)
    return rows, {"series": len(panel.keys), "origins": [str(panel.starts[o].date()) for o in origins], **chosen_by}


def clock(panel: Panel, horizon: int) -> list[Result]:
    """Seconds to learn from a category of a thousand products, to forecast all of it anew, and one product of it.

    A panel of fewer series is repeated until it has as many; the contest looks at a sample, as it always does. Learning
    is done once per state of the data, forecasting with every question; processor seconds do not hang on what else
    runs.
    """
    live = np.flatnonzero(np.isfinite(panel.units[:, -_RECENT:]).any(axis=1))
    if not len(live):
        return []
    many = panel.take(np.resize(live, _MANY))
    begun, worked = time.perf_counter(), time.process_time()
    contest = run_contest(many, horizon)
    models = {kind: fit_trees(many, horizon, kind) for kind in KINDS}
    learned, learning = time.perf_counter(), time.process_time()
    forecast(many, horizon, contest, models)
    done, all_done = time.perf_counter(), time.process_time()
    each = []
    for row in range(5):
        started = time.perf_counter()
        forecast(many, horizon, contest, models, np.array([row]))
        each.append(time.perf_counter() - started)
    return [
        Result("debut", "seconds_learn", learned - begun, n=_MANY),
        Result("debut", "processor_seconds_learn", learning - worked, n=_MANY),
        Result("debut", "seconds_1000_products", done - learned, n=_MANY),
        Result("debut", "processor_seconds_1000_products", all_done - learning, n=_MANY),
        Result("debut", "seconds_one_product", float(np.median(each)), n=len(each)),
    ]


def _run(
    panel: Panel, origins: list[int], horizon: int
) -> tuple[list[dict[str, Array]], dict[str, float], dict[str, Any]]:
    parts, spent, chosen = [], dict.fromkeys(("debut", *RIVALS), 0.0), {}
    for origin in origins:
        known = panel.until(origin)
        live = np.isfinite(known.units[:, -_RECENT:]).any(axis=1)
        live &= np.isfinite(panel.units[:, origin : origin + horizon]).any(axis=1)
        known = known.take(live)
        part: dict[str, Array] = {
            "actual": panel.units[live, origin : origin + horizon],
            "scale": naive_scale(known),
            "series": np.flatnonzero(live).astype(float),
        }
        started = time.perf_counter()
        contest = run_contest(known, horizon)
        made = forecast(known, horizon, contest)
        part["debut"], part["quantiles"] = made.quantiles[..., 1], made.quantiles
        spent["debut"] += time.perf_counter() - started
        for name, method in RIVALS.items():
            started = time.perf_counter()
            part[name] = method(known, horizon)
            spent[name] += time.perf_counter() - started
        parts.append(part)
        chosen[str(panel.starts[origin].date())] = {
            label: {m: round(float(w), 2) for m, w in zip(contest.members, contest.weights[c], strict=True) if w > 0}
            for c, label in enumerate(CLASSES)
        }
    return parts, spent, {"chosen": chosen}
