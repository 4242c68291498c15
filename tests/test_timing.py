"""The launch calendar: optimal on small problems, never worse than the rules of thumb, and refused where it must be."""

from datetime import date
from itertools import product
from typing import Any

import numpy as np
import pytest

from agent.ledger import bare_numbers, placeholders
from shop import Actor, Shop, ToolError, ToolResult
from tools.registry import bind
from tools.timing import plan_launch_calendar
from tools.timing.calendar import (
    NEVER,
    Problem,
    as_soon_as_ready,
    cadence,
    crowding_price,
    evenly_spaced,
    greedy,
    solve,
    worth,
)
from tools.timing.values import within_slope


def problem(seed: int, count: int = 4, weeks: int = 4, capacity: int = 1, loss: float = 0.4) -> Problem:
    rng = np.random.default_rng(seed)
    value = rng.uniform(50, 100, (count, 1)) * (1 + 0.5 * np.sin(np.arange(weeks) + rng.uniform(0, 6, (count, 1))))
    allowed = np.arange(weeks)[None, :] >= rng.integers(0, weeks // 2, count)[:, None]
    return Problem(value, rng.integers(0, 2, count), allowed, capacity, loss, window=3)


@pytest.mark.parametrize("seed", range(6))
def test_the_plan_is_the_best_of_all_plans(seed: int) -> None:
    given = problem(seed)
    best = -np.inf
    for weeks in product(range(-1, 4), repeat=4):
        plan = np.array(weeks)
        placed = plan[plan != NEVER]
        fits = np.bincount(placed, minlength=4).max(initial=0) <= given.capacity
        if fits and all(week == NEVER or given.allowed[row, week] for row, week in enumerate(weeks)):
            best = max(best, worth(given, plan))
    assert worth(given, solve(given)) == pytest.approx(best, rel=2e-3)


def test_it_is_never_worse_than_even_spacing_greedy_or_as_soon_as_ready() -> None:
    gains = []
    for seed in range(20):
        given = problem(seed, count=10, weeks=12, capacity=2)
        best = worth(given, solve(given))
        rules = [worth(given, rule(given)) for rule in (greedy, evenly_spaced, as_soon_as_ready)]
        assert best >= max(rules) - 2e-3 * abs(best)
        gains.append(best / max(rules) - 1)
    assert np.mean(gains) > 0.01


def test_supply_and_capacity_are_kept() -> None:
    given = problem(3, count=8, weeks=10, capacity=1)
    for plan in (solve(given), greedy(given), evenly_spaced(given), as_soon_as_ready(given)):
        placed = plan[plan != NEVER]
        assert np.bincount(placed).max() <= 1
        assert all(given.allowed[row, week] for row, week in enumerate(plan) if week != NEVER)


def test_neighbours_of_one_category_cost_their_overlap() -> None:
    given = Problem(np.full((2, 6), 80.0), np.zeros(2, dtype=np.int64), np.ones((2, 6), dtype=bool), 2, 0.1, window=4)
    assert crowding_price(given)[0] == pytest.approx(0.1 * 80 / 4)
    assert worth(given, np.array([0, 0])) == pytest.approx(160 - 4 * 2.0)
    assert worth(given, np.array([0, 4])) == pytest.approx(160)
    apart = solve(given)
    assert abs(apart[0] - apart[1]) >= 4


def test_a_faster_pace_never_brings_less() -> None:
    curve = cadence(problem(1, count=8, weeks=6), most=4)
    assert (np.diff(curve) >= -1e-6 - 2e-3 * curve[:-1]).all()


def test_the_slope_on_neighbours_ignores_levels_between_categories() -> None:
    x = np.tile([0.0, 1.0, 2.0], 200)
    groups = np.repeat(np.arange(200), 3)
    y = 100.0 * groups - 0.5 * x
    assert within_slope(x, y, groups, ridge=0.0) == pytest.approx(-0.5)


def run(shop: Shop, **arguments: Any) -> ToolResult:
    return bind([plan_launch_calendar], shop, Actor(role="manager"))["plan_launch_calendar"](**arguments)


def test_drafts_without_a_price_cannot_be_weighed(empty_shop: Shop) -> None:
    shop = empty_shop.as_of(date(2026, 1, 1))
    shop.add_draft("Kettle", price=20.0)
    with pytest.raises(ToolError, match="both a price and a cost"):
        run(shop)
    with pytest.raises(ToolError, match="has passed"):
        run(shop, start="2025-11-01")


@pytest.mark.slow
def test_the_tool_places_the_demo_drafts_without_bare_numbers(tmp_path: Any) -> None:
    from shop import demo

    url = f"sqlite:///{tmp_path / 'demo.db'}"
    demo.build(url, seed=7, small=True)
    shop = Shop.open(url)
    category = str(shop.categories()["category"].iloc[0])
    ids = [shop.add_draft(f"Planned {letter}", category, cost=8.0, price=20.0).id for letter in "ABC"]
    result = run(shop, products=ids, weeks=8, max_per_week=1)
    figures = {figure.id: figure.value for figure in result.figures}
    assert figures["calendar.launches"] == 3
    assert figures["calendar.contribution"] >= figures["calendar.asap"] * 0.998  # type: ignore[operator]
    cells = [cell for table in result.tables for row in (*table.rows, table.columns) for cell in row]
    assert not any(bare_numbers(text) for text in (result.summary, *result.warnings, *cells))


def test_a_draft_that_cannot_be_weighed_is_named(demo_shop: Shop) -> None:
    whole = demo_shop.add_draft("Whole lamp", "Lighting", 10.0, 30.0)
    bare = demo_shop.add_draft("Bare lamp", "Lighting")
    plan = bind([plan_launch_calendar], demo_shop, Actor(role="manager", id="m"))["plan_launch_calendar"]
    result = plan(products=[whole.id, bare.id])
    figures = {figure.id: figure for figure in result.figures}
    named = [name for warning in result.warnings for name in placeholders(warning)]
    assert "calendar.missing" in named
    assert set(named) <= figures.keys()
    assert figures["calendar.missing"].value == bare.id
