"""Scoring a launch: the split of a gap adds up, weeks are judged by hand-made numbers, and replays see no later day."""

from __future__ import annotations

import shutil
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from score_shop import LAUNCH, MANAGER, document, kettle_shop, store
from sqlalchemy import delete

from agent.brief.write import brief_writer
from agent.ledger import bare_numbers
from agent.render import render
from shop import Draft, Product, Shop, ToolError, ToolResult
from shop import schema as t
from shop.resolve import find_product
from tools import ALL
from tools.registry import bind
from tools.scoring import score_launch
from tools.scoring.compare import PlannedWeeks, SoldWeeks, compare, lost_units, split_gap
from tools.scoring.split import shapley_split

AS_OF_TODAY = tuple(
    f"score.{name}" for name in ("rest", "revised", "order", "new_reorder", "p_stockout", "on_hand", "no_rest")
)


def run(shop: Shop, **arguments: Any) -> ToolResult:
    return bind([score_launch], shop, MANAGER)["score_launch"](**arguments)


def values(result: ToolResult) -> dict[str, Any]:
    return {figure.id: figure.value for figure in result.figures}


# -- the split --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factors", [2, 3, 4])
def test_the_split_is_the_mean_over_all_orders_and_adds_up(factors: int) -> None:
    rng = np.random.default_rng(factors)
    plan, actual = rng.uniform(0, 5, (6, factors)), rng.uniform(0, 5, (6, factors))
    effects = shapley_split(plan, actual)
    assert effects.sum(axis=-1) == pytest.approx(actual.prod(axis=-1) - plan.prod(axis=-1))
    naive = np.zeros_like(plan)
    orders = list(permutations(range(factors)))
    for order in orders:
        at = plan.copy()
        for factor in order:
            before = at.prod(axis=-1)
            at[:, factor] = actual[:, factor]
            naive[:, factor] += (at.prod(axis=-1) - before) / len(orders)
    assert effects == pytest.approx(naive)


def test_two_factors_move_at_the_mean_of_the_other() -> None:
    effects = shapley_split(np.array([10.0, 2.0]), np.array([14.0, 3.0]))
    assert effects == pytest.approx([4 * 2.5, 1 * 12.0])


def planned(*middle: float, price: float | None = 10.0) -> PlannedWeeks:
    units = np.array(middle)
    return PlannedWeeks(units * 0.5, units, units * 1.5, price)


def sold(units: list[float], revenue: list[float], out: list[float] | None = None, **visits: Any) -> SoldWeeks:
    return SoldWeeks(np.array(units), np.array(revenue), None if out is None else np.array(out), **visits)


def test_a_launch_as_planned_has_no_gap() -> None:
    score = compare(planned(20, 30), sold([20, 30], [200, 300], [0, 0]))
    assert score.gap == 0
    assert set(score.effects.values()) == {0}
    assert score.places == ("inside", "inside")
    assert score.bias == score.wape == 0
    assert score.alert == ""


def test_a_price_cut_alone_is_all_price() -> None:
    gap, effects = split_gap(planned(20, 30), sold([20, 30], [160, 240], [0, 0]))
    assert gap == pytest.approx(-100)
    assert effects == pytest.approx({"demand": 0, "availability": 0, "price": -100})


def test_days_out_of_stock_are_availability_and_not_demand() -> None:
    # 15 units in three days in stock of seven would be masked; four days in stock at 20 a week sell 20 * 4 / 7.
    units = 20 * 4 / 7
    score = compare(planned(20), sold([units], [units * 10], [3]))
    assert score.demand == pytest.approx([20])
    assert score.places == ("inside",)
    assert score.effects == pytest.approx({"demand": 0, "availability": 10 * (units - 20), "price": 0})
    assert lost_units(sold([units], [units * 10], [3])) == pytest.approx(20 - units)


def test_a_week_mostly_out_of_stock_is_not_judged_and_its_gap_is_availability() -> None:
    score = compare(planned(20, 20), sold([4, 20], [40, 200], [6, 0]))
    assert score.places == ("not judged", "inside")
    assert score.effects == pytest.approx({"demand": 0, "availability": -160, "price": 0})
    above = compare(planned(20), sold([40], [400], [5]))
    assert above.places == ("above",)
    assert above.effects["availability"] == pytest.approx(0)


def test_nothing_in_stock_all_along_has_no_bias() -> None:
    score = compare(planned(20, 20), sold([0, 0], [0, 0], [7, 7]))
    assert score.bias is None
    assert score.gap == pytest.approx(-400)
    assert score.effects == pytest.approx({"demand": 0, "availability": -400, "price": 0})


def test_visits_split_demand_into_traffic_and_conversion() -> None:
    # Planned 20 units at a conversion of 10 % are 200 visits; 400 came and 5 % of them bought: the same 20 units.
    visits = {"views": np.array([400.0]), "conversion": 0.1}
    gap, effects = split_gap(planned(20), sold([20], [200], [0], **visits))
    assert gap == pytest.approx(0)
    assert effects["traffic"] == pytest.approx(-effects["conversion"])
    assert effects["traffic"] == pytest.approx(10 * 200 * 0.075)


def test_the_split_adds_up_over_random_launches() -> None:
    rng = np.random.default_rng(5)
    for _ in range(100):
        weeks = int(rng.integers(1, 13))
        out = rng.integers(0, 8, weeks).astype(float)
        units = np.where(out == 7, 0, rng.poisson(15, weeks)).astype(float)
        revenue = units * rng.uniform(5, 12, weeks)
        plan = PlannedWeeks(np.full(weeks, 5.0), rng.uniform(1, 30, weeks), np.full(weeks, 40.0), 10.0)
        visits = {"views": rng.integers(1, 200, weeks).astype(float), "conversion": 0.08}
        gap, effects = split_gap(plan, SoldWeeks(units, revenue, out, **visits))
        assert sum(effects.values()) == pytest.approx(gap)
        assert gap == pytest.approx(revenue.sum() - 10 * plan.middle.sum())


def test_two_weeks_outside_on_one_side_are_an_alert() -> None:
    assert compare(planned(20, 20, 20), sold([20, 5, 5], [0, 0, 0])).alert == "below"
    assert compare(planned(20, 20, 20), sold([20, 5, 40], [0, 0, 0])).alert == ""
    # A week that cannot be judged does not end a run.
    assert compare(planned(20, 20, 20), sold([40, 0, 40], [0, 0, 0], [0, 7, 0])).alert == "above"


# -- the tool on a shop made by hand ----------------------------------------------------------------------------------


@pytest.fixture
def shop(empty_shop: Shop) -> Shop:
    return kettle_shop(empty_shop)


def test_the_figures_of_a_launch_made_by_hand(shop: Shop) -> None:
    found = values(run(shop, product="D-0001"))
    assert found["score.weeks"] == 4
    assert found["score.units_plan"] == 112
    assert found["score.units"] == 28 + 28 + 16 + 14
    assert found["score.attained"] == pytest.approx(86 / 112)
    assert found["score.week_03_demand"] == pytest.approx(28)
    assert found["score.lost"] == pytest.approx(12)
    assert found["score.days_out"] == 3
    assert found["score.sell_through"] == pytest.approx(0.86)
    assert found["score.gap"] == pytest.approx(10 * (86 - 112))
    assert found["score.gap_demand"] == pytest.approx(-140)
    assert found["score.gap_availability"] == pytest.approx(-120)
    assert found["score.gap_price"] == pytest.approx(0)
    assert found["score.inside"] == 4
    assert found["score.bias"] == pytest.approx(14 / 98)


def test_texts_name_every_number(shop: Shop) -> None:
    result = run(shop, product="Aurora kettle", week=3)
    cells = [cell for table in result.tables for row in (*table.rows, table.columns) for cell in row]
    assert not any(bare_numbers(text) for text in (result.summary, *result.warnings, *cells))
    told = render(result.summary, {figure.id: figure for figure in result.figures})
    assert "Aurora Kettle (K-1) sold 72 units in its first 3 weeks, against 84" in told
    assert "out of stock" in told
    assert any("by name alone" in warning for warning in result.warnings)


def test_the_name_of_a_launched_draft_means_the_product(shop: Shop) -> None:
    assert isinstance(find_product(shop, "aurora kettle"), Product)
    assert isinstance(find_product(shop, "D-0001"), Draft)
    assert isinstance(find_product(shop.as_of(LAUNCH - timedelta(days=1)), "aurora kettle"), Draft)


def test_a_gap_inside_the_interval_is_no_lesson_about_demand(shop: Shop) -> None:
    with shop.begin() as connection:
        connection.execute(t.daily.update().values(in_stock=True))
    assert "ordinary scatter" in run(shop, product="K-1").summary
    with shop.begin() as connection:
        connection.execute(t.daily.update().values(units=0, revenue_cents=0, in_stock=True))
    none = run(shop, product="K-1")
    assert "fewer wanted it" in none.summary
    assert none.warnings[0].startswith("Alert: the last weeks lay below")
    assert none.warnings[1].startswith("Alert: sales lie outside")
    assert not any("sales lie" in warning for warning in run(shop, product="K-1", week=2).warnings)


def test_replays_see_only_their_past(shop: Shop) -> None:
    earlier = shop.as_of(LAUNCH + timedelta(days=15))
    found = values(run(earlier, product="K-1"))
    assert found["score.weeks"] == 2
    assert found["score.gap"] == 0
    with pytest.raises(ToolError, match=r"Week 3 cannot be scored yet.*1 to 2"):
        run(earlier, product="K-1", week=3)
    with pytest.raises(ToolError, match="first week is not over"):
        run(shop.as_of(LAUNCH + timedelta(days=5)), product="K-1")


def test_a_product_list_may_name_the_draft(shop: Shop) -> None:
    with shop.begin() as connection:
        connection.execute(
            t.products.update().where(t.products.c.sku == "K-1").values(name="Renamed", attributes={"Draft": "d-0001"})
        )
    for said in ("K-1", "D-0001"):
        result = run(shop, product=said)
        assert values(result)["score.product"] == "Renamed (K-1)"
        assert not any("by name alone" in warning for warning in result.warnings)


def test_the_last_brief_before_the_launch_is_the_plan(shop: Shop) -> None:
    store(shop, "B-0002", "D-0001", LAUNCH - timedelta(days=2), document(price=None))
    store(shop, "B-0003", "D-0001", LAUNCH + timedelta(days=7), document())
    found = values(run(shop, product="K-1"))
    assert found["score.brief"] == "B-0002"
    assert found["score.revenue_plan"] is None
    assert found["score.gap"] == pytest.approx(86 - 112)  # units, where no price was planned
    assert "score.gap_price" not in found


def test_what_cannot_be_scored_says_why(shop: Shop) -> None:
    shop.add_draft("Dusk lamp")
    with pytest.raises(ToolError, match=r"Dusk lamp \(D-0002\) has not launched"):
        run(shop, product="D-0002")
    with pytest.raises(ToolError, match="No draft of Old kettle"):
        run(shop, product="K-0")
    with pytest.raises(ToolError, match="counted from 1"):
        run(shop, product="K-1", week=0)
    with shop.begin() as connection:
        connection.execute(delete(t.briefs))
    with pytest.raises(ToolError, match="No brief of Aurora Kettle"):
        run(shop, product="K-1")
    store(shop, "B-0001", "D-0001", LAUNCH, document())
    with pytest.raises(ToolError, match="was written on sales from its launch"):
        run(shop, product="K-1")
    store(shop, "B-0002", "D-0001", LAUNCH - timedelta(days=3), {"figures": {}})
    with pytest.raises(ToolError, match="holds no weekly forecast"):
        run(shop, product="K-1")


# -- the whole way on the demo shop -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_brief_written_before_a_demo_launch_is_scored_after_it(demo_shop: Shop, tmp_path: Path) -> None:
    shutil.copy(str(demo_shop.engine.url.database), tmp_path / "copy.db")
    shop = Shop.open(f"sqlite:///{tmp_path / 'copy.db'}")
    item = shop.product("CAM-006")
    assert item is not None
    assert item.launch_date is not None
    past = shop.as_of(item.launch_date - timedelta(days=10))
    draft = past.add_draft(item.name, item.category, item.cost, item.list_price, item.launch_date, item.description)
    tools = bind(ALL, past, MANAGER)
    bind([brief_writer(tools)], past, MANAGER)["write_brief"](product=draft.id)

    later = shop.as_of(item.launch_date + timedelta(days=30))
    seen = values(run(later, product=draft.id))
    whole = values(run(shop, product=item.name, week=4))
    assert seen["score.weeks"] == 4
    # What is to come and what is in stock is told as of the day; all the rest is the same when told later.
    past_only = {key: value for key, value in seen.items() if not key.startswith(AS_OF_TODAY)}
    assert len(past_only) < len(seen)
    assert {key: whole[key] for key in past_only} == past_only
    parts = [value for key, value in seen.items() if key.startswith("score.gap_")]
    assert sum(parts) == pytest.approx(seen["score.gap"])
    assert seen["score.gap"] == pytest.approx(seen["score.revenue"] - seen["score.revenue_plan"])
    # The day after, gone from the data, nothing changes: a replay read none of it.
    with shop.begin() as connection:
        connection.execute(delete(t.daily).where(t.daily.c.day >= later.today))
    assert values(run(later, product=draft.id)) == seen


def test_visits_are_read_where_they_cover_the_launch(demo_shop: Shop, tmp_path: Path) -> None:
    shutil.copy(str(demo_shop.engine.url.database), tmp_path / "copy.db")
    shop = Shop.open(f"sqlite:///{tmp_path / 'copy.db'}")
    item = shop.product("YOG-006")
    assert item is not None
    assert item.launch_date is not None
    past = shop.as_of(item.launch_date - timedelta(days=5))
    draft = past.add_draft(item.name, item.category, item.cost, item.list_price, item.launch_date)
    store(past, "B-0001", draft.id, past.cutoff, document())
    result = run(shop, product=item.sku)
    effects = {key: value for key, value in values(result).items() if key.startswith("score.gap_")}
    assert sum(effects.values()) == pytest.approx(values(result)["score.gap"])
    assert {"score.gap_traffic", "score.gap_conversion"} <= set(effects)
    early = values(run(shop, product=item.sku, week=1))
    assert early["score.weeks"] == 1
