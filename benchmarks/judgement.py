"""Stages, anomalies and the launch calendar against what is true in the demo shop, and halving sales on real data."""

from __future__ import annotations

import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score, precision_recall_fscore_support, roc_auc_score

from benchmarks.public import load
from benchmarks.result import Result, bootstrap, report
from benchmarks.stage_rivals import age_rule, hidden_path
from shop import Draft, Shop
from shop.demo import Truth, build
from tools.anomalies import score_weeks
from tools.demand.panel import Array, build_panel
from tools.demand.read import ShopPanel, read_panel
from tools.demand.series import filled, pooled_season
from tools.launch import launch_units
from tools.lifecycle.shapes import learn_shapes
from tools.lifecycle.stages import LEAST, STAGES, view_stage
from tools.lifecycle.survival import AHEAD, halving_model, halving_rows
from tools.timing.calendar import Index, Problem, as_soon_as_ready, evenly_spaced, greedy, solve, worth

_DRAWS = 40
_FIRST_STAGE = 8  # weeks of data before the first stage is asked for


def main(data: str | Path | None = None, seed: int = 7) -> dict[str, Any]:
    """Measure the judgements of the launch desk.

    Args:
        data: Folder of sales for the halving question; None leaves it out.
        seed: Of the demo shop.
    """
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/demo.db"
        truth = build(url, seed)
        shop = Shop.open(url)
        panel = read_panel(shop)
        assert panel is not None
        rows = [*stages(panel, truth), *anomalies(panel), *calendar(shop, truth)]
        shop.engine.dispose()
    if data is not None:
        rows += halving(Path(data))
    return report("judgement", "demo shop", rows, time.perf_counter() - started)


def stages(data: ShopPanel, truth: Truth) -> list[Result]:
    """Stages at every fourth week, of Debut and two rivals: macro-F1, accuracy, and each class apart.

    Shapes of lives are learned at every such week from what had sold by then.
    """
    said = np.concatenate([_said(data, truth, end) for end in range(_FIRST_STAGE, data.panel.units.shape[1], 4)])
    found = []
    for column, method in enumerate(("debut", "age_rule", "hidden_markov"), start=1):
        pairs = said[:, [0, column]]
        low, high = bootstrap(pairs, _macro_f1, groups=said[:, -1], draws=200)
        found.append(Result(method, "stage_macro_f1", _macro_f1(pairs), low, high, len(said)))
        right = (pairs[:, 0] == pairs[:, 1]).astype(float)
        low, high = bootstrap(right, groups=said[:, -1], draws=200)
        found.append(Result(method, "stage_accuracy", float(right.mean()), low, high, len(said)))
        scores = precision_recall_fscore_support(pairs[:, 0], pairs[:, 1], labels=range(len(STAGES)), zero_division=0)
        for stage, precision, recall, _, count in zip(STAGES, *scores, strict=True):
            found.append(
                Result(
                    method, f"{stage}_precision", float(precision), n=int((pairs[:, 1] == STAGES.index(stage)).sum())
                )
            )
            found.append(Result(method, f"{stage}_recall", float(recall), n=int(count)))
    return found


def _said(data: ShopPanel, truth: Truth, end: int) -> Array:
    """True stage, Debut's, the two rivals', and the product, of all that sell before week `end` (R, 5)."""
    known = data.panel.until(end)
    launched = data.frame["launch_date"].notna().to_numpy() & np.isfinite(known.units).any(axis=1)
    rows = np.flatnonzero(launched)
    known = known.take(rows)
    demand = filled(known, pooled_season(known, 0))
    shapes = learn_shapes([life for life in demand if len(life) >= LEAST], True)
    sells = np.isfinite(known.units[:, -4:]).any(axis=1)
    day = (data.panel.starts[end - 1] + pd.Timedelta(days=6)).date()
    said = []
    for i, life in enumerate(demand):
        past = [stage for since, stage in truth.products[known.keys[i]].stages if since <= day]
        if sells[i] and past and len(life) >= LEAST:
            view = STAGES.index(view_stage(life, True, shapes).stage)
            age, hidden = int(age_rule(np.array([len(life)]))[0]), int(hidden_path(life)[-1].argmax())
            said.append((STAGES.index(past[-1]), view, age, hidden, int(rows[i])))
    return np.array(said, dtype=float).reshape(-1, 5)


def anomalies(data: ShopPanel, seed: int = 0) -> list[Result]:
    """Precision, recall and weeks of delay on faults put into the shop's quiet weeks: four-fold or no sales."""
    before = score_weeks(data.panel, data.sold, data.returned)
    rng = np.random.default_rng(seed)
    steady = np.isfinite(before.expected) & (before.expected >= 8) & ~before.flagged & np.isfinite(data.panel.units)
    rows, weeks = np.nonzero(steady[:, :-3])
    chosen = rng.choice(len(rows), min(150, len(rows)), replace=False)
    rows, weeks = rows[chosen], weeks[chosen]
    units, sold = data.panel.units.copy(), data.sold.copy()
    up = rng.random(len(rows)) < 0.5
    for row, week, more in zip(rows, weeks, up, strict=True):
        for grid in (units, sold):
            grid[row, week] = grid[row, week] * 4 + 4 if more else 0.0
    panel = data.panel
    changed = panel.__class__(panel.keys, panel.starts, units, panel.price, panel.promotion, panel.frequency)
    after = score_weeks(changed, sold, data.returned)
    truth = np.zeros(units.shape, dtype=bool)
    truth[rows, weeks] = True
    new = after.flagged & ~before.flagged
    delays = [_delay(after.flagged[row], week) for row, week in zip(rows, weeks, strict=True)]
    hit = np.array([delay is not None for delay in delays], dtype=float)
    right = truth[new].astype(float)
    late = np.array([delay for delay in delays if delay is not None], dtype=float)
    return [
        Result("debut", metric, float(values.mean()), *bootstrap(values, draws=200), len(values))
        for metric, values in (("anomaly_precision", right), ("anomaly_recall", hit), ("anomaly_delay_weeks", late))
    ]


def calendar(shop: Shop, truth: Truth, seed: int = 0) -> list[Result]:
    """Contribution of calendars as a share of the oracle's, the same launches and noise for every rule.

    Ten of the shop's launches are drawn; their true value by week comes from the simulation's level, curve and
    season; the planner sees it with a log-normal error of 0.4 in the level and with the course over the weeks that the
    launch forecast of a like draft has.
    """
    rng = np.random.default_rng(seed)
    products = shop.products().set_index("sku")
    priced = (products["cost"] > 0) & (products["list_price"] > 0)
    known = [sku for sku in truth.products if priced[sku]]
    weeks = pd.date_range(pd.Timestamp(shop.today), periods=16, freq="7D")
    course = cache(lambda sku: _forecast_course(shop, products.loc[sku], weeks))
    names = {"debut": solve, "greedy": greedy, "even_spacing": evenly_spaced, "as_soon_as_ready": as_soon_as_ready}
    shares: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(_DRAWS):
        chosen = list(rng.choice(known, 10, replace=False))
        categories = [str(products.loc[sku, "category"]) for sku in chosen]
        real = np.stack([_true_value(truth, sku, products.loc[sku], weeks) for sku in chosen])
        seen = np.stack([course(sku) for sku in chosen])
        guess = real.mean(axis=1, keepdims=True) * np.exp(rng.normal(0, 0.4, (10, 1))) * seen
        group = pd.factorize(pd.Series(categories).str.split(" > ").str[0])[0].astype(np.int64)
        allowed = np.arange(16)[None, :] >= rng.integers(0, 6, 10)[:, None]
        planned = Problem(guess, group, allowed, 1, loss=0.15)
        market = Problem(real, group, allowed, 1, loss=0.15)
        best = worth(market, solve(market))
        for name, rule in names.items():
            plan: Index = rule(planned)
            shares[name].append(worth(market, plan) / best)
    return [
        Result(name, "calendar_share_of_oracle", float(np.mean(v)), *bootstrap(np.array(v), draws=200), len(v))
        for name, v in shares.items()
    ]


def halving(folder: Path) -> list[Result]:
    """AUC of "sales halve within eight weeks" on real sales, over the last two origins, against age alone."""
    data = load(folder)
    panel = build_panel(data.sales, "week")
    chance, age, truth, who = [], [], [], []
    periods = panel.units.shape[1]
    for origin in (periods - 2 * AHEAD, periods - AHEAD):
        model = halving_model(panel.until(origin))
        if model is None:
            continue
        features, halved, rows = halving_rows(panel, origin)
        chance.append(model.predict_proba(features)[:, 1])
        age.append(-features[:, -1])
        truth.append(halved)
        who.append(rows)
    if not truth:
        return []
    y, groups = np.concatenate(truth).astype(float), np.concatenate(who)
    found = []
    for method, scores in (("debut", np.concatenate(chance)), ("age_rule", np.concatenate(age))):
        pairs = np.column_stack([y, scores])
        low, high = bootstrap(pairs, _auc, groups=groups, draws=100)
        found.append(Result(method, "halving_auc", _auc(pairs), low, high, len(y), {"data": data.name}))
    return found


def _forecast_course(shop: Shop, product: pd.Series, weeks: pd.DatetimeIndex) -> Array:  # type: ignore[type-arg]
    """Forecast units by week of launch (W,) of a draft like a product, over their mean."""
    price, category = float(product["list_price"]), str(product["category"])
    draft = Draft(id="D-0000", name=str(product["name"]), category=category, price=price)
    units = launch_units(shop, draft, [week.date() for week in weeks])
    return np.asarray(units / units.mean())


def _true_value(truth: Truth, sku: str, product: pd.Series, weeks: pd.DatetimeIndex) -> Array:  # type: ignore[type-arg]
    item = truth.products[sku]
    curve = item.curve.at(np.arange(84, dtype=float))
    season = np.array(truth.season[item.season])
    values = []
    for start in weeks:
        days = (start.dayofyear - 1 + np.arange(84)) % 365
        values.append(item.level * (curve * season[days // 7]).sum())
    return np.array(values) * float(product["list_price"] - product["cost"])


def _delay(flagged: np.ndarray, week: int) -> int | None:
    late = np.flatnonzero(flagged[week : week + 3])
    return int(late[0]) if len(late) else None


def _macro_f1(pairs: Array) -> float:
    return float(f1_score(pairs[:, 0], pairs[:, 1], average="macro", labels=np.unique(pairs[:, 0]), zero_division=0))


def _auc(pairs: Array) -> float:
    return float(roc_auc_score(pairs[:, 0], pairs[:, 1])) if 0 < pairs[:, 0].mean() < 1 else float("nan")
