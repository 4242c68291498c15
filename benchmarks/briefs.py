"""The time machine: launch briefs of the past, written with what was known then, held to what the launches became."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.accuracy import Array, Forecasts, launch_results
from benchmarks.briefs_money import Extra, first_buy_results, price_results, verdict_results
from benchmarks.briefs_shop import WEEKS, PastLaunch, build_shop
from benchmarks.briefs_write import KeptVectors, Planned, write_briefs
from benchmarks.public import load
from benchmarks.result import Result, report
from retrieval.library import Library
from shop.errors import BadInput
from tools.figures import QUANTILES
from tools.launch.evidence import Rules, carried

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Terms:
    """What a replay assumes.

    Attributes:
        lead_days: From order to shelf: a brief is written so many days before its launch.
        cost_ratios: Unit cost as a share of the price, tried where the data hold none.
        elasticities: Of demand to price, tried since a launch shows one price only.
        most: Launches at most, drawn with seed 0; 0 takes all.
    """

    lead_days: int = 28
    cost_ratios: tuple[float, ...] = (0.4, 0.5, 0.6)
    elasticities: tuple[float, ...] = (-1.5, -2.0, -3.0)
    most: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.lead_days <= 365:
            raise BadInput("A lead time must be 1 to 365 days.")
        if not self.cost_ratios or not 0 < min(self.cost_ratios) <= max(self.cost_ratios) < 1:
            raise BadInput("A cost ratio (unit cost over price) must lie between 0 and 1.")
        if not self.elasticities or max(self.elasticities) >= 0:
            raise BadInput("An elasticity must be below zero.")


def main(
    data: str | Path, terms: Terms | None = None, home: Path | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Run `./debut bench briefs` and return its report.

    Args:
        data: Folder in the sales layout, or a published one.
        terms: See `Terms`.
        home: Where the sentence encoder's weights are kept; None compares product texts by words alone.
        progress: Told how many launches are done, and of how many.

    Raises:
        BadInput: The folder breaks its layout, or holds no launch to test.
    """
    started = time.perf_counter()
    terms = terms or Terms()
    source = load(Path(data))
    with TemporaryDirectory() as folder:
        shop, launches = build_shop(source, f"sqlite:///{folder}/shop.db")
        if not launches:
            raise BadInput(
                f"{source.name} has no launch from {source.test_from.date()} on with {WEEKS} weeks after it; "
                "set an earlier test_from in meta.json, or take longer data."
            )
        chosen = sampled(launches, terms.most)
        if home is not None:
            shop = shop.searched_by(KeptVectors(Library(shop.engine, home)))
        plans = []
        for plan in write_briefs(shop, chosen, source.frequency, terms.lead_days, terms.cost_ratios):
            if progress is not None and (not plans or plans[-1].launch is not plan.launch):
                progress(len({made.launch.sku for made in plans}), len(chosen))
            plans.append(plan)
        shop.engine.dispose()
    return report(
        "briefs",
        source.name,
        score(plans, terms),
        time.perf_counter() - started,
        launches=len(launches),
        replayed=len(chosen),
        briefs=len(plans),
        unforecast=sum(plan.total is None for plan in plans),
        lead_days=terms.lead_days,
        cost="assumed" if any(launch.cost is None for launch in chosen) else "from the data",
        waived=list(plans[0].waived),
        seconds_a_brief=round(float(np.median([plan.seconds for plan in plans])), 3),
    )


def sampled(launches: Sequence[PastLaunch], most: int) -> list[PastLaunch]:
    """At most so many launches, in the order of their days."""
    if not most or len(launches) <= most:
        return list(launches)
    chosen = np.sort(np.random.default_rng(0).choice(len(launches), most, replace=False))
    return [launches[i] for i in chosen]


def score(plans: Sequence[Planned], terms: Terms) -> list[Result]:
    """Every measure of a set of briefs, over the scored launches and over all: the forecast, then money by cost ratio.

    Launches whose cost is in the data have rows without a `cost_ratio`.
    """
    rows: list[Result] = []
    actual = np.stack([plan.launch.actual for plan in plans])
    scored = carried(actual, Rules(horizon=WEEKS))
    for subset in ("scored", "all"):
        kept = [plan for plan, keep in zip(plans, scored, strict=True) if keep or subset == "all"]
        rows += forecast_results(_one_each(kept), subset)
        for ratio in sorted({plan.ratio for plan in kept}, key=lambda ratio: ratio or 0.0):
            part = [plan for plan in kept if plan.ratio == ratio]
            extra: Extra = {"subset": subset} if ratio is None else {"subset": subset, "cost_ratio": ratio}
            rows += first_buy_results(part, extra)
            rows += verdict_results(part, extra)
            for elasticity in terms.elasticities:
                rows += price_results(part, elasticity, extra)
    return rows


def forecast_results(plans: Sequence[Planned], subset: str) -> list[Result]:
    """Coverage, bias and errors of the units planned, beside the mean and the median of the category's launches."""
    known = [plan for plan in plans if plan.weekly is not None and plan.total is not None and len(plan.past)]
    if not known:
        return [Result("debut", "wape_total_12w", None, extra={"subset": subset})]
    actual = np.stack([plan.launch.actual for plan in known])
    price = np.array([plan.launch.price or 1.0 for plan in known])
    cost = np.array([plan.cost or 0.5 * (plan.launch.price or 1.0) for plan in known])
    weekly = np.stack([plan.weekly for plan in known if plan.weekly is not None])
    total = np.stack([plan.total for plan in known if plan.total is not None])
    made = {
        "debut": Forecasts(weekly[..., 1], weekly[..., [0, 2]], total),
        "category_mean": _rule(known, np.mean),
        "category_median": _rule(known, np.median),
    }
    return [row for name, f in made.items() for row in launch_results(name, f, actual, price, cost, subset)]


def _rule(plans: Sequence[Planned], middle: Any) -> Forecasts:
    """The same launch for everyone: that of the finished ones in the category, with their spread."""
    bounds = [np.quantile(plan.past, QUANTILES, axis=0).T for plan in plans]
    point = np.stack([middle(plan.past, axis=0) for plan in plans])
    sums: list[Array] = []
    for plan in plans:
        whole = plan.past.sum(axis=1)
        low, _, high = np.quantile(whole, QUANTILES)
        sums.append(np.array([low, middle(whole), high]))
    return Forecasts(point, np.stack(bounds)[..., [0, 2]], np.stack(sums))


def _one_each(plans: Sequence[Planned]) -> list[Planned]:
    """The first brief of each launch: its units do not hang on the cost."""
    return list({plan.launch.sku: plan for plan in reversed(plans)}.values())[::-1]
