"""Briefs written on past days, with nothing later in sight, and what each of them planned."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.brief import BriefSettings, compile_brief
from agent.brief.run import DECIDING
from agent.brief.types import Brief, Verdict
from benchmarks.briefs_shop import WEEKS, Array, PastLaunch, written_on
from shop import Actor, Shop
from shop.passages import Found, Scope, Searcher
from tools import ALL
from tools.demand.panel import Frequency
from tools.launch.evidence import Rules, carried
from tools.registry import bind

MANAGER = Actor(role="manager", id="time-machine")
_DECIDES = ("item.", "launch.", "price.", "buy.", "economics.", "decision.")  # figures without which nothing is decided
_ENOUGH = 5  # finished launches that a category needs to speak for itself


@dataclass(frozen=True)
class Planned:
    """What a brief planned for a launch; None where it does not know.

    Attributes:
        launch: Which.
        ratio: Assumed unit cost as a share of the price; None where the data hold the cost, or no price.
        cost: Unit cost it was given; None where unknown.
        weekly: P10, P50, P90 by week (12, 3).
        total: P10, P50, P90 of the sum (3,).
        first_buy: Units.
        cover: Weeks that the first buy must last.
        price: Recommended.
        verdict: Of the brief.
        base_rate: Share of analogues that reached the plan.
        break_even: Units whose takings cover the outlay.
        p_uncovered: Chance that it says there is of fewer over the twelve weeks.
        waived: Bold figures that all briefs do without.
        plan_hash: Of the brief.
        seconds: To compile it.
        past: Units by week of the finished launches that a simple rule would go by (L, 12), NaN where absent.
        past_prices: Their list prices (L,), those known.
    """

    launch: PastLaunch
    ratio: float | None
    cost: float | None
    weekly: Array | None
    total: Array | None
    first_buy: float | None
    cover: int | None
    price: float | None
    verdict: Verdict
    base_rate: float | None
    break_even: float | None
    p_uncovered: float | None
    waived: tuple[str, ...]
    plan_hash: str
    seconds: float
    past: Array
    past_prices: Array


def write_briefs(
    shop: Shop,
    launches: Sequence[PastLaunch],
    frequency: Frequency,
    lead_days: int,
    cost_ratios: Sequence[float],
) -> Iterator[Planned]:
    """A brief for each launch and, where its cost is unknown, for each assumed one, on the day it had to be ordered.

    What the first brief lacks because such data hold none of it (reviews, rivals' prices, campaigns) is waived in all,
    as a shop that does without it may: else every verdict would wait for the same missing data.

    Args:
        shop: The whole of it; each brief sees the morning of its own day.
        launches: In the order of their days, so that what is learned of a day is learned once.
        frequency: Of the data.
        lead_days: From order to shelf.
        cost_ratios: Unit cost as a share of the price, where the data hold none.
    """
    waived: tuple[str, ...] | None = None
    for launch in launches:
        past = shop.as_of(written_on(launch, lead_days, frequency))
        finished = finished_launches(past, launch.category)
        for ratio, cost in _costs(launch, cost_ratios):
            if waived is None:
                waived = lacking(write_one(past, launch, cost, lead_days))
            started = time.perf_counter()
            brief = write_one(past, launch, cost, lead_days, waived)
            yield _planned(launch, ratio, cost, brief, time.perf_counter() - started, *finished)


class KeptVectors:
    """A searcher that encodes each text once: every past day asks for those of the day before and some more."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._kept: dict[str, NDArray[np.float32]] = {}

    @property
    def picture_model(self) -> str:
        return self._searcher.picture_model

    def search(self, query: str, scope: Scope, limit: int = 10) -> Found:
        return self._searcher.search(query, scope, limit)

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        new = [text for text in dict.fromkeys(texts) if text not in self._kept]
        found = self._searcher.vectors(new) if new else ()
        if found is None:
            return None
        self._kept.update(zip(new, found, strict=True))
        return np.stack([self._kept[text] for text in texts])

    def pictures(self, paths: Sequence[str]) -> NDArray[np.float32] | None:
        return self._searcher.pictures(paths)


def write_one(
    past: Shop, launch: PastLaunch, cost: float | None, lead_days: int, waived: tuple[str, ...] = ()
) -> Brief:
    """The brief of a launch as it would have been written on `past.today`, sentences by rule.

    With the tools that decide; sections about buyers, visits and campaigns, of which such data hold none, stay empty.
    """
    draft = past.add_draft(
        launch.name, launch.category, cost, launch.price, launch.day, launch.description, launch.attributes
    )
    bound = bind(ALL, past, MANAGER)
    tools = {name: bound[name] for name in DECIDING}
    return compile_brief(tools, past, draft, settings=BriefSettings(lead_time_days=lead_days, waived=waived))


def lacking(brief: Brief) -> tuple[str, ...]:
    """The bold figures that a brief lacks, but for those that a decision rests on."""
    missing = {name for section in brief.sections for each in section.missing for name in each.figures}
    return tuple(sorted(name for name in missing if not name.startswith(_DECIDES)))


def finished_launches(past: Shop, category: str) -> tuple[Array, Array]:
    """Weeks (L, 12) and list prices (L,) of the launches of a category that are over and were really offered.

    The narrowest step of the category's path with five of them; without any, those of the whole shop.
    """
    sales = past.launch_weeks(WEEKS)
    products = past.products().set_index("sku")
    over = [day is not None and (past.cutoff - day).days + 1 >= 7 * WEEKS for day in products["launch_date"]]
    products = products[over]
    grid = sales.pivot(index="sku", columns="week", values="units").reindex(
        index=products.index, columns=range(1, WEEKS + 1)
    )
    units = grid.fillna(0).to_numpy(dtype=float)
    offered = carried(units, Rules(horizon=WEEKS)) if len(units) else np.zeros(0, dtype=bool)
    path = category.split(" > ") if category else []
    for depth in range(len(path), -1, -1):
        step = " > ".join(path[:depth])
        paths = products["category"].astype(str)
        inside = offered & np.asarray((paths == step) | paths.str.startswith(f"{step} > ") | (step == ""))
        if inside.sum() >= _ENOUGH or depth == 0:
            prices = products.loc[inside, "list_price"].dropna().to_numpy(dtype=float)
            return units[inside], prices
    raise AssertionError("the whole shop is the last step")


def _costs(launch: PastLaunch, ratios: Sequence[float]) -> list[tuple[float | None, float | None]]:
    if launch.cost is not None or launch.price is None:
        return [(None, launch.cost)]
    return [(ratio, round(ratio * launch.price, 2)) for ratio in ratios]


def _planned(
    launch: PastLaunch,
    ratio: float | None,
    cost: float | None,
    brief: Brief,
    seconds: float,
    past: Array,
    prices: Array,
) -> Planned:
    def number(name: str, part: str = "value") -> float | None:
        found = brief.figures.get(name)
        value = None if found is None else getattr(found, part)
        return float(value) if isinstance(value, int | float) else None

    def three(name: str) -> list[float | None]:
        return [number(name, "low"), number(name), number(name, "high")]

    weekly = [three(f"launch.week_{week:02d}") for week in range(1, WEEKS + 1)]
    total = three(f"launch.units_{WEEKS}w")
    cover = number("buy.cover_weeks")
    return Planned(
        launch=launch,
        ratio=ratio,
        cost=cost,
        weekly=_array(weekly),
        total=_array(total),
        first_buy=number("buy.first_buy"),
        cover=None if cover is None else int(cover),
        price=number("price.recommended"),
        verdict=brief.verdict,
        base_rate=number("decision.base_rate"),
        break_even=number("economics.break_even_units"),
        p_uncovered=number("decision.p_uncovered"),
        waived=brief.settings.waived,
        plan_hash=brief.plan_hash,
        seconds=seconds,
        past=past,
        past_prices=prices,
    )


def _array(values: Sequence[object]) -> Array | None:
    """Numbers as an array; None where one is unknown."""
    found = np.array(values, dtype=float)
    return found if np.isfinite(found).all() else None
