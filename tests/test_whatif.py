"""What-if on a stored brief: only what depends on an input is made again, and what turns the verdict is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from brief_tools import add_market, small_tools
from sqlalchemy import insert, text

from agent.brief import Brief, BriefSettings, compile_brief, load_brief
from agent.brief.whatif import Inputs, WhatIf, differences, with_inputs
from benchmarks.whatif import main
from shop import Actor, Draft, Shop, ToolError
from shop import schema as t
from tools import ALL
from tools.launch.learning import study_of_shop
from tools.registry import bind


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """One product with a sale on 2026-05-31, so that today is 2026-06-01."""
    shop = Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True)
    with shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-1", name="K-1", category="Kitchen > Kettles"))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 5, 31), units=1, revenue_cents=100))
    add_market(shop)
    return shop


@pytest.fixture(scope="module")
def real_shop(demo_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A copy of the demo shop that may be written to."""
    path = tmp_path_factory.mktemp("whatif") / "demo.db"
    with demo_shop.engine.connect() as connection:
        connection.execute(text("VACUUM INTO :path"), {"path": str(path)})
    return Shop.open(f"sqlite:///{path}")


@pytest.fixture
def brief(shop: Shop) -> Brief:
    draft = shop.add_draft("Aurora kettle", "Kitchen > Kettles", cost=10.0, price=25.0, launch_date=date(2026, 9, 1))
    return load_brief(shop, compile_brief(small_tools(shop, {}), shop, draft).id)


def recompiled(shop: Shop, draft: Draft, settings: BriefSettings, budget: float | None) -> Brief:
    return compile_brief(small_tools(shop, {}), shop, draft, settings=settings, budget=budget)


def test_nothing_changed_changes_nothing_and_calls_nothing(shop: Shop, brief: Brief) -> None:
    answer = WhatIf(small_tools(shop, {}), shop, brief).ask(Inputs())
    assert (answer.changed, answer.called) == ((), ())
    assert answer.verdict == answer.was == brief.verdict


@pytest.mark.parametrize(
    ("inputs", "called"),
    [
        (Inputs(price=28.0), ("forecast_launch", "recommend_price")),
        (Inputs(launch_date=date(2026, 10, 1)), ("forecast_launch", "recommend_price")),
        (Inputs(budget=500.0), ()),
        (Inputs(lead_time_days=45), ("plan_inventory",)),
        (Inputs(service_level=0.8), ("plan_inventory",)),
    ],
)
def test_an_answer_is_what_a_new_brief_would_say(
    shop: Shop, brief: Brief, inputs: Inputs, called: tuple[str, ...]
) -> None:
    answer = WhatIf(small_tools(shop, {}), shop, brief).ask(inputs)
    assert tuple(sorted(answer.called)) == called
    given = {"price": inputs.price, "launch_date": inputs.launch_date}
    draft = brief.subject.model_copy(update={k: v for k, v in given.items() if v is not None})
    supply = {"lead_time_days": inputs.lead_time_days, "service_level": inputs.service_level}
    settings = brief.settings.model_copy(update={k: v for k, v in supply.items() if v is not None})
    fresh = recompiled(shop, draft, settings, inputs.budget)
    assert answer.verdict == fresh.verdict
    assert not list(differences(fresh.figures, answer.plan.ledger))
    assert answer.changed
    for change in answer.changed:
        assert change.before == brief.figures.get(change.figure)


def test_an_answer_says_where_it_breaks_even(shop: Shop, brief: Brief) -> None:
    # 600 units at P50 of which 500 are bought first: all that is sold has to be bought.
    answer = WhatIf(small_tools(shop, {}), shop, brief).ask(Inputs(budget=1500.0))
    found = {name: figure.value for name, figure in answer.break_even.items()}
    assert found["price"] == pytest.approx((600 * 10 + 1500) / 600)
    assert found["cost"] == pytest.approx((600 * 25 - 1500) / 600)
    assert found["spend"] == pytest.approx(600 * 25 - 600 * 10)
    assert found["demand"] == pytest.approx(260 / 600 - 1)  # 6500 of outlay at 25 a unit


def test_a_call_is_made_once(shop: Shop, brief: Brief) -> None:
    asked = WhatIf(small_tools(shop, {}), shop, brief)
    assert set(asked.ask(Inputs(price=28.0)).called) == {"forecast_launch", "recommend_price"}
    assert asked.ask(Inputs(price=28.0)).called == ()


def test_newer_data_make_every_call_again(shop: Shop, brief: Brief) -> None:
    with shop.begin() as connection:
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 6, 3), units=1, revenue_cents=100))
    answer = WhatIf(small_tools(shop, {}), shop, brief).ask(Inputs())
    assert set(answer.called) == {"recommend_price", "forecast_launch", "plan_inventory", "review_insights"}


@pytest.mark.slow
def test_what_turns_the_verdict_is_the_smallest_change(shop: Shop, brief: Brief) -> None:
    asked = WhatIf(small_tools(shop, {}), shop, brief)
    flips = {flip.input: flip for flip in asked.flips()}
    assert set(flips) == {"price", "launch_date", "budget", "lead_time_days", "service_level", "first_buy"}
    usual = asked.ask(Inputs()).verdict
    for name, flip in flips.items():
        if flip.to is not None:
            assert asked.ask(replace(Inputs(), **{name: flip.to})).verdict == flip.verdict != usual
    price = flips["price"]
    assert isinstance(price.to, float)
    assert price.to < 25.0  # small tools sell 600 units at any price: only a lower one can turn it
    # 500 units at 50 a week last ten weeks, give or take the rounding that the linter allows.
    assert flips["lead_time_days"].to == pytest.approx(72, abs=3)
    assert flips["service_level"].to is None


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        (Inputs(price=0.0), "above zero"),
        (Inputs(budget=-1.0), "zero or more"),
        (Inputs(lead_time_days=0), "1 to 365"),
        (Inputs(service_level=1.0), "between 0.5 and 0.999"),
        (Inputs(first_buy=-1), "zero or more"),
        (Inputs(promotion_depth=1.0), "between 0 and 1"),
    ],
)
def test_inputs_that_make_no_sense_are_refused(shop: Shop, brief: Brief, inputs: Inputs, says: str) -> None:
    with pytest.raises(ToolError, match=says):
        WhatIf(small_tools(shop, {}), shop, brief).ask(inputs)


@pytest.mark.slow
def test_with_real_tools_an_answer_is_to_the_last_digit_what_a_new_brief_would_say(real_shop: Shop) -> None:
    tools = bind(ALL, real_shop, Actor(role="manager", id="m-1"))
    brief = compile_brief(tools, real_shop, real_shop.drafts()[0])
    asked = WhatIf(tools, real_shop, load_brief(real_shop, brief.id))
    price, day = asked.ask(Inputs()).plan.number("price.planned"), brief.subject.launch_date
    assert price is not None
    assert day is not None
    for inputs in (Inputs(price=round(1.07 * price, 2)), Inputs(launch_date=day + timedelta(weeks=3))):
        answer = asked.ask(inputs)
        study = study_of_shop(real_shop)
        assert study is not None
        study.answers.clear()
        draft, settings, budget = with_inputs(brief, inputs)
        fresh = compile_brief(tools, real_shop, draft, None, settings, budget=budget, store=False)
        # Copy is not written again, so what the linter finds in it differs: the old price, the old day.
        of_copy = ("copy_", "content.", "gate.")
        copied = {name: each for name, each in fresh.figures.items() if not name.startswith(of_copy)}
        again = {name: figure for name, figure in answer.plan.ledger.items() if name in copied}
        told = [change.figure for change in differences(copied, again)]
        assert not told
        assert answer.called
        assert not asked.ask(inputs).called, "asked again, nothing is computed again"


@pytest.mark.slow
def test_the_bench_asks_every_input_of_real_briefs(real_shop: Shop) -> None:
    found = main(real_shop, rounds=1, drafts=1)
    assert {row["input"] for row in found["results"]} == {
        "price",
        "launch_date",
        "budget",
        "lead_time_days",
        "service_level",
        "first_buy",
        "promotion_depth",
        "all",
    }
    assert all(row["value"] >= 0 for row in found["results"])
