"""What price promotions do, on the demo market, whose true effects are known: learned before, held to those after."""

from __future__ import annotations

import tempfile
from datetime import timedelta

import numpy as np
import pandas as pd

from benchmarks.result import Result, bootstrap
from shop import Shop
from shop import schema as t
from shop.demo import Truth, build
from tools.promotion.read import promotion_panel
from tools.promotion.response import MIN_DEPTH, Array, Effects, PromotionPanel, effects

_HELD_WEEKS = 26
_BEFORE = 4


def measure_depth(seeds: int) -> list[Result]:
    """Error of the lift that later promotions truly have, in logs, of Debut and of the past's naive lift.

    Everything is learned as of half a year before the data end. Judged are promotions of single products from then on:
    their true lift is the product's elasticity at the cut and the promotion's own effect. The naive lift is what
    sheets of promotion results hold: units in promoted weeks over those of the weeks before, by depth.
    """
    frames = [_judged(seed) for seed in range(seeds)]
    cases = pd.concat(frames, ignore_index=True)
    groups = cases["seed"].astype(str) + cases["sku"]
    rows = []
    for method in ("debut", "naive_lift", "oracle"):
        error = (cases[method] - cases["truth"]).to_numpy()
        extra = {"set": "demo market"}
        rows.append(
            Result(
                method,
                "lift_error",
                float(np.abs(error).mean()),
                *bootstrap(np.abs(error), groups=groups),
                len(error),
                extra,
            )
        )
        rows.append(
            Result(method, "lift_bias", float(error.mean()), *bootstrap(error, groups=groups), len(error), extra)
        )
    gap = cases["dip"] - cases["dip_truth"]
    rows.append(
        Result("debut", "dip_bias", float(gap.mean()), *bootstrap(gap, groups=groups), len(gap), {"set": "demo market"})
    )
    return rows


def _judged(seed: int) -> pd.DataFrame:
    """One row per later promotion of a single product: log lifts by method and the truth."""
    with tempfile.TemporaryDirectory() as folder:
        truth = build(f"sqlite:///{folder}/demo.db", seed)
        shop = Shop.open(f"sqlite:///{folder}/demo.db")
        start = shop.cutoff - timedelta(weeks=_HELD_WEEKS)
        panel = promotion_panel(shop.as_of(start))
        categories = shop.products().set_index("sku")["category"]
        with shop.engine.connect() as connection:
            later = t.promotions.c.starts >= start
            offers = (
                connection.execute(t.promotions.select().where(later, t.promotions.c.sku.is_not(None))).mappings().all()
            )
        shop.engine.dispose()
    naive = naive_slope(panel)
    found: dict[str, Effects | None] = {}
    rows = []
    for offer in offers:
        category = str(categories[offer["sku"]])
        if category not in found:
            found[category] = effects(panel, category)
        learned = found[category]
        if learned is None:
            continue
        rows.append(_row(seed, truth, dict(offer), learned, naive))
    return _with_oracle(pd.DataFrame(rows))


def _row(seed: int, truth: Truth, offer: dict[str, object], learned: Effects, naive: float) -> dict[str, object]:
    cut = -np.log1p(-float(str(offer["depth"])))
    own = truth.promotions[str(offer["id"])]
    return {
        "seed": seed,
        "sku": offer["sku"],
        "cut": cut,
        "truth": -truth.products[str(offer["sku"])].elasticity * cut + own.uplift,
        "debut": float(learned.mean[0] * cut + learned.mean[1]),
        "naive_lift": naive * cut,
        "dip": float(learned.mean[2]),
        "dip_truth": -own.dip,
    }


def naive_slope(panel: PromotionPanel) -> float:
    """Log of units in promoted weeks over the mean of the weeks before, per log of the cut: one figure for all."""
    count, weeks = int(panel.product.max()) + 1, int(panel.week.max()) + 1
    units, depth = np.full((count, weeks), np.nan), np.zeros((count, weeks))
    units[panel.product, panel.week] = panel.units
    depth[panel.product, panel.week] = panel.depth
    cuts: list[float] = []
    lifts: list[float] = []
    for product, week in zip(*np.nonzero(depth >= MIN_DEPTH), strict=True):
        before: Array = units[product, max(week - _BEFORE, 0) : week][
            depth[product, max(week - _BEFORE, 0) : week] < MIN_DEPTH
        ]
        base = np.nanmean(before) if np.isfinite(before).any() else np.nan
        if base > 0 and units[product, week] > 0:
            cuts.append(float(-np.log1p(-depth[product, week])))
            lifts.append(float(np.log(units[product, week] / base)))
    return float(np.dot(cuts, lifts) / np.dot(cuts, cuts)) if cuts else 0.0


def _with_oracle(cases: pd.DataFrame) -> pd.DataFrame:
    """The best that one line for the whole shop could do: what is left is products' and promotions' own ways."""
    design = np.column_stack([cases["cut"], np.ones(len(cases))])
    slopes = np.linalg.lstsq(design, cases["truth"], rcond=None)[0]
    return cases.assign(oracle=design @ slopes)
