"""Forecasts against their rivals: launches by launch date, series with history by rolling origin."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from benchmarks.accuracy import Array, Forecasts, launch_results
from benchmarks.history import history_task
from benchmarks.launch_parts import ablation, seconds_of_one
from benchmarks.launch_rivals import RIVALS, Task, shelf_mean
from benchmarks.launch_updates import update_results
from benchmarks.layout import SalesData
from benchmarks.public import load
from benchmarks.result import Result, report
from retrieval.embed import open_embedder
from retrieval.pictures import PictureModel
from shop.errors import BadInput
from tools.demand.panel import Panel, build_panel
from tools.launch.evidence import Rules, carried, launch_windows
from tools.launch.market import Embed, Index, Look, Market, make_market
from tools.launch.members import whole_launches
from tools.launch.pictures import picture_vectors
from tools.launch.replay import Batch, replay

_COST_SHARE = 0.5  # of the price, where the data hold no cost: for the newsvendor regret only
_KNOWN_COLUMNS = {"product", "name", "category", "description", "cost", "list_price", "launch_date", "image"}


def main(
    data: str | Path,
    task: Literal["launch", "history"] = "launch",
    series: int = 0,
    embed: Embed | None = None,
    look: Look = picture_vectors,
) -> dict[str, Any]:
    """Run one task of `./debut bench forecast` and return its report.

    Args:
        data: Folder in the layout of the formats document, or with one of the raw public files.
        task: "launch" or "history".
        series: At most this many series in the history task, drawn with seed 0; 0 takes all.
        embed: Sentence encoder for product texts; None compares by words alone.
        look: Turns the pictures that the column `image` of the products names, by path in the folder, into vectors.

    Raises:
        BadInput: The folder breaks its layout, or holds nothing to test.
    """
    started = time.perf_counter()
    content = load(Path(data))
    if task == "launch":
        pictures = _pictures(content, Path(data), look)
        rows, extra = launch_task(content, embed, pictures)
    else:
        rows, extra = history_task(content, series)
    return report("forecast", content.name, rows, time.perf_counter() - started, task=task, **extra)


def sentence_encoder(home: Path) -> Embed:
    """The embedded sentence encoder as `main` takes it; `home` is where it keeps its converted weights."""
    embedder = open_embedder(home)
    return lambda texts: np.asarray(embedder.passages(texts), dtype=float)


def picture_reader(name: str) -> Look:
    """The model for pictures of that name as `main` takes it; empty is colour and texture."""
    return PictureModel(name).vectors if name else picture_vectors


def launch_task(
    data: SalesData, embed: Embed | None, pictures: dict[str, Array] | None = None
) -> tuple[list[Result], dict[str, Any]]:
    """Score Debut and every rival on the launches from `test_from` on.

    Raises:
        BadInput: No launch lies in the test.
    """
    market, prices, costs, panel = market_of(data, embed, pictures)
    horizon = _horizon(data)
    test = _test_launches(market, data, horizon)
    if not len(test):
        raise BadInput(
            f"{data.name} has no launch from {data.test_from.date()} on with {horizon} periods after it; "
            "set an earlier test_from or a shorter horizon in meta.json."
        )
    rules = Rules(horizon=horizon)
    made, spent, learned, batches = _forecast_all(market, test, rules)
    # Weeks out of stock are filled for learning and not scored.
    actual = launch_windows(replace(market, panel=panel), test, horizon)
    scored = carried(actual, Rules(horizon=horizon, least_share=min(6 / 12, 6 / horizon)))
    rows = []
    for method, forecasts in made.items():
        for subset, keep in (("scored", scored), ("all", np.ones(len(test), dtype=bool))):
            part = _take(forecasts, keep)
            rows += launch_results(method, part, actual[keep], prices[test][keep], costs[test][keep], subset)
        rows.append(Result(method, "seconds", spent[method], n=len(test), extra={"subset": "all"}))
    rows += update_results(market, actual, batches, test, scored, rules)
    rows += ablation(market, test, actual, scored, rules)
    if batches:
        rows.append(seconds_of_one(market, rules, batches[-1].recipe))
    return rows, {"launches": len(test), "scored": int(scored.sum()), "recipe": learned}


def market_of(
    data: SalesData, embed: Embed | None, pictures: dict[str, Array] | None = None
) -> tuple[Market, Array, Array, Panel]:
    """A data set as a market, the price and cost of every product (N,) for the regret, and the sales as they were."""
    frequency = "week" if _folds(data) else data.frequency
    panel = build_panel(data.sales, frequency)
    products = data.products.set_index("product").reindex(list(panel.keys))
    price = _launch_price(products, panel)
    frame = pd.DataFrame(
        {
            "sku": list(panel.keys),
            "text": _texts(products),
            "category": _text(products, "category"),
            "price": price,
        }
    )
    known_price = np.where(np.isfinite(price) & (price > 0), price, 1.0)
    cost = products["cost"].to_numpy(dtype=float) if "cost" in products else np.full(len(products), np.nan)
    cost = np.where(np.isfinite(cost), np.minimum(cost, 0.95 * known_price), _COST_SHARE * known_price)
    seen = None if pictures is None else np.stack([pictures[key] for key in panel.keys])
    return make_market(panel, frame, _launched(products, panel, data), embed, seen), known_price, cost, panel


def _pictures(data: SalesData, folder: Path, look: Look) -> dict[str, Array] | None:
    """Vectors of the products' pictures; None where there is no column `image`, or no picture behind it."""
    if "image" not in data.products:
        return None
    files = [str(folder / name) if name else "" for name in _text(data.products, "image")]
    found = look(files)
    return None if found is None else dict(zip(data.products["product"], np.asarray(found, dtype=float), strict=True))


def _forecast_all(
    market: Market, test: Index, rules: Rules
) -> tuple[dict[str, Forecasts], dict[str, float], dict[str, Any], list[Batch]]:
    """Forecasts of every method for `test`, the seconds each took, Debut's last recipe and all its batches."""
    place = {int(row): i for i, row in enumerate(test)}
    parts: dict[str, dict[int, tuple[Array, Array | None, Array | None]]] = {name: {} for name in ("debut", *RIVALS)}
    spent = dict.fromkeys(parts, 0.0)
    recipe: dict[str, Any] = {}
    batches: list[Batch] = []
    started = time.perf_counter()
    for batch in replay(market, rules):
        spent["debut"] += time.perf_counter() - started
        batches.append(batch)
        rows = np.array([row for row in batch.rows if int(row) in place], dtype=np.int64)
        at = np.isin(batch.rows, rows)
        if len(rows):
            recipe = {"weights": batch.recipe.weights, "stretch": batch.recipe.stretch}
            weekly = batch.made.weekly[at]
            made = Forecasts(weekly[..., 1], weekly[..., [0, 2]], batch.made.total[at])
            _store(parts["debut"], batch.rows[at], made)
            for name, forecasts, seconds in _rivals(market.until(batch.origin), rows, rules):
                _store(parts[name], rows, forecasts)
                spent[name] += seconds
        started = time.perf_counter()
    _fill_early(parts, market, test, rules)
    return {name: _stack(parts[name], test) for name in parts}, spent, recipe, batches


def _rivals(known: Market, rows: Index, rules: Rules) -> Sequence[tuple[str, Forecasts, float]]:
    learned, windows = whole_launches(known, rules)
    found = []
    for name, method in RIVALS.items():
        started = time.perf_counter()
        task = Task(known, rows, learned, windows)
        forecasts = method(task) if len(learned) >= 5 else shelf_mean(known, rows, rules.horizon)
        found.append((name, forecasts, time.perf_counter() - started))
    return found


def _fill_early(parts: dict[str, Any], market: Market, test: Index, rules: Rules) -> None:
    """Launches before anything is known of launches: every method says what products on the shelf sell."""
    for row in test:
        if int(row) not in parts["debut"]:
            early = shelf_mean(market.until(int(market.launched[row])), np.array([row]), rules.horizon)
            for name in parts:
                _store(parts[name], np.array([row]), early)


def _store(into: dict[int, Any], rows: Index, f: Forecasts) -> None:
    for i, row in enumerate(rows):
        weekly = None if f.weekly is None else f.weekly[i]
        into[int(row)] = (f.point[i], weekly, None if f.total is None else f.total[i])


def _stack(found: dict[int, Any], test: Index) -> Forecasts:
    points, weekly, totals = zip(*(found[int(row)] for row in test), strict=True)
    return Forecasts(
        np.stack(points),
        None if any(w is None for w in weekly) else np.stack(weekly),
        None if any(t is None for t in totals) else np.stack(totals),
    )


def _take(f: Forecasts, keep: np.ndarray) -> Forecasts:
    return Forecasts(
        f.point[keep], None if f.weekly is None else f.weekly[keep], None if f.total is None else f.total[keep]
    )


def _test_launches(market: Market, data: SalesData, horizon: int) -> Index:
    start = market.panel.starts.searchsorted(data.test_from)
    inside = (market.launched >= start) & (market.launched + horizon <= len(market.panel.starts))
    return np.flatnonzero(inside)


def _launched(products: pd.DataFrame, panel: Panel, data: SalesData) -> Index:
    weeks = {"day": 7.0, "week": 1.0, "month": 7 / 30.4}[panel.frequency]
    before = int(np.ceil(data.min_before * weeks))
    launched = np.where(panel.first >= before, panel.first, -1)
    if "launch_date" in products:
        dates = products["launch_date"]
        old = dates.notna() & (dates < panel.starts[min(before, len(panel.starts) - 1)])
        launched = np.where(old, -1, launched)
    return launched.astype(np.int64)


def _launch_price(products: pd.DataFrame, panel: Panel) -> Array:
    first = panel.first.clip(max=panel.units.shape[1] - 1)
    seen = panel.price[np.arange(len(first)), first]
    if "list_price" not in products:
        return seen
    listed = products["list_price"].to_numpy(dtype=float)
    return np.where(np.isfinite(listed), listed, seen)


def _texts(products: pd.DataFrame) -> list[str]:
    """Name and description as written; other attributes as `column value` without the space, so they match exactly."""
    words = _text(products, "name") + " " + _text(products, "description")
    for column in products.columns:
        if column not in _KNOWN_COLUMNS:
            value = products[column].astype(str).str.replace(r"\W+", "", regex=True)
            words = words + " " + (column + value).where(products[column].notna(), "")
    return list(words.str.strip())


def _text(products: pd.DataFrame, column: str) -> pd.Series:  # type: ignore[type-arg]
    if column not in products:
        return pd.Series("", index=products.index)
    return products[column].fillna("").astype(str)


def _folds(data: SalesData) -> bool:
    """Daily launches with a horizon of four weeks or more are forecast and scored by week."""
    return data.frequency == "day" and data.horizon >= 28


def _horizon(data: SalesData) -> int:
    return data.horizon // 7 if _folds(data) else data.horizon
