"""Launch forecasts: the kernels against closed forms, the forecast against a world whose truth is known."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agent.ledger import Ledger, bare_numbers
from agent.scripted import ScriptedChatModel
from shop import Actor, Draft, Shop, ToolError, ToolResult
from shop import schema as t
from shop.learned import Learned
from tools import ALL
from tools.demand.panel import demand_rate
from tools.launch import forecast_launch, launch_forecast, launch_units
from tools.launch.analogues import text_similarity
from tools.launch.learning import CODEC, study_of_shop
from tools.launch.reading import read_market
from tools.registry import bind
from ui.wiring import Desk, learn_beforehand

FIRST = date(2024, 1, 1)
DAYS = 7 * 100
LEVELS = {"Kitchen > Kettles": 20.0, "Kitchen > Pans": 5.0, "Garden > Pots": 60.0}


def world(shop: Shop, launches: int = 30, seed: int = 3) -> Shop:
    """Launches a week apart in three categories of known level: `LEVELS` units in a usual week, slowly falling."""
    rng = np.random.default_rng(seed)
    products, daily = [], []
    for number in range(launches):
        category = list(LEVELS)[number % 3]
        launched = FIRST + timedelta(weeks=number * 2)
        level = LEVELS[category] * rng.lognormal(0, 0.2)
        noun = category.split(" > ")[1][:-1].lower()
        products.append(
            {
                "sku": f"P{number:03d}",
                "name": f"{['Oak', 'Elm', 'Ash'][number % 3]} {noun} {number}",
                "category": category,
                "attributes": {"kind": noun},
                "list_price_cents": 2000 + 100 * (number % 5),
                "launch_date": launched,
                "source": "test",
            }
        )
        for day in range((FIRST + timedelta(days=DAYS) - launched).days):
            units = rng.poisson(level / 7 * 0.98 ** (day / 7))
            if units:
                price = 2000 + 100 * (number % 5)
                daily.append(
                    {
                        "sku": f"P{number:03d}",
                        "day": launched + timedelta(days=day),
                        "units": int(units),
                        "revenue_cents": int(units) * price,
                    }
                )
    with shop.begin() as connection:
        connection.execute(t.products.insert(), products)
        connection.execute(t.daily.insert(), daily)
    return shop


@pytest.fixture
def known(empty_shop: Shop) -> Shop:
    return world(empty_shop)


def kettle(**changes: Any) -> Draft:
    fields = {"id": "D-0001", "name": "Beech kettle", "category": "Kitchen > Kettles", "price": 22.0}
    return Draft(**{**fields, **changes})


# -- kernels ----------------------------------------------------------------------------------------------------------


def test_demand_rate_masks_weeks_mostly_out_of_stock() -> None:
    rates = demand_rate(np.array([14.0, 8.0, 3.0, 0.0]), np.array([0.0, 3.0, 4.0, 7.0]))
    assert rates[:2].tolist() == [14.0, 14.0]
    assert np.isnan(rates[2:]).all()


def test_text_similarity_counts_rare_words_and_reads_chinese() -> None:
    likeness = text_similarity(["red kettle", "不锈钢水壶"], ["blue kettle", "blue pan", "不锈钢锅"])
    assert likeness[0].argmax() == 0
    assert likeness[1].argmax() == 2
    assert likeness[0, 1] == 0


# -- the forecast -----------------------------------------------------------------------------------------------------


def test_level_is_that_of_the_category(known: Shop) -> None:
    total = np.median(launch_forecast(known, kettle()).total)
    usual = LEVELS["Kitchen > Kettles"] * sum(0.98**week for week in range(12))
    assert total == pytest.approx(usual, rel=0.35)
    pots = launch_forecast(known, kettle(name="Beech pot", category="Garden > Pots"))
    assert np.median(pots.total) > 2 * total


def test_quantiles_of_the_total_come_from_whole_launches(known: Shop) -> None:
    forecast = launch_forecast(known, kettle())
    low, high = np.quantile(forecast.total, [0.1, 0.9])
    assert forecast.draws.shape == (2000, 12)
    # Weeks of one launch do not go wrong independently, nor all at the same quantile.
    weekly = np.quantile(forecast.draws, [0.1, 0.9], axis=0).sum(axis=1)
    assert weekly[0] < low < high
    assert (np.diff(forecast.quantiles, axis=1) >= 0).all()


def test_the_same_question_has_the_same_answer(known: Shop) -> None:
    one, two = launch_forecast(known, kettle()), launch_forecast(known, kettle())
    assert (one.draws == two.draws).all()


def test_nothing_later_than_today_is_seen(known: Shop) -> None:
    past = FIRST + timedelta(weeks=60)
    replay = launch_forecast(known.as_of(past), kettle(launch_date=past + timedelta(days=7)))
    with known.begin() as connection:
        connection.execute(t.daily.delete().where(t.daily.c.day >= past))
        connection.execute(t.products.delete().where(t.products.c.launch_date > past))
    truncated = launch_forecast(known.as_of(past), kettle(launch_date=past + timedelta(days=7)))
    assert (replay.draws == truncated.draws).all()
    assert (replay.analogues["launched"] < pd.Timestamp(past)).all()


def first_weeks(shop: Shop, sku: str) -> np.ndarray:
    market = read_market(shop)
    assert market is not None
    row = market.panel.keys.index(sku)
    return market.panel.units[row, market.launched[row] :][:12]


def test_weeks_out_of_stock_carry_the_demand_before_not_zero(known: Shop) -> None:
    before = first_weeks(known, "P000")
    gap = [FIRST + timedelta(days=day) for day in range(7, 14)]
    with known.begin() as connection:
        connection.execute(t.daily.delete().where(t.daily.c.sku == "P000", t.daily.c.day.in_(gap)))
        rows = [{"sku": "P000", "day": day, "units": 0, "revenue_cents": 0, "in_stock": False} for day in gap]
        connection.execute(t.daily.insert(), rows)
    after = first_weeks(known, "P000")
    assert after[1] == before[0]
    assert after[[0, *range(2, 12)]].tolist() == before[[0, *range(2, 12)]].tolist()


def test_weeks_after_delisting_are_absent(known: Shop) -> None:
    with known.begin() as connection:
        gone = {"delisted_date": FIRST + timedelta(days=35)}
        connection.execute(t.products.update().where(t.products.c.sku == "P000").values(gone))
    units = first_weeks(known, "P000")
    assert np.isfinite(units[:5]).all()
    assert np.isnan(units[5:]).all()


def test_backtest_beats_the_shops_median_launch_where_categories_differ(empty_shop: Shop) -> None:
    errors = launch_forecast(world(empty_shop, launches=45), kettle()).errors
    assert errors.tried >= 8
    assert errors.wape is not None
    assert errors.floor is not None
    assert errors.wape < 0.7 * errors.floor


def test_too_few_launches_to_try_is_said_not_guessed(empty_shop: Shop) -> None:
    errors = launch_forecast(world(empty_shop, launches=12), kettle()).errors
    assert errors.wape is None
    result = bind(ALL, empty_shop, Actor(role="manager"))
    empty_shop.add_draft("Beech kettle", "Kitchen > Kettles", price=22.0)
    figures = {f.id: f for f in result["forecast_launch"](product="Beech kettle").figures}
    assert figures["launch.wape"].value is None
    assert "too few" in figures["launch.wape"].reason


# -- the tool ---------------------------------------------------------------------------------------------------------


def check_templates(result: ToolResult) -> Ledger:
    """No bare digit in any text, and every placeholder names a figure."""
    ledger = Ledger()
    ledger.add(result)
    texts = [result.summary, *result.warnings, *([result.chart.title] if result.chart else [])]
    texts += [text for table in result.tables for row in (table.columns, (table.title,), *table.rows) for text in row]
    for text in texts:
        assert bare_numbers(text) == []
        assert ledger.missing(text) == []
    if result.chart:
        for figure_id in [*result.chart.x, *(i for ids in result.chart.series.values() for i in ids)]:
            assert ledger.missing("{{" + figure_id + "}}") == []
    return ledger


def test_the_tool_gives_the_figures_the_brief_needs(known: Shop) -> None:
    known.add_draft("Beech kettle", "Kitchen > Kettles", cost=8.0, price=22.0)
    call = bind(ALL, known, Actor(role="manager"))["forecast_launch"]
    ledger = check_templates(call(product="D-0001"))
    wanted = "units_12w revenue_12w week_01 week_12 horizon price date analogues base_rate_hit base_rate_of wape bias"
    wanted += " coverage backtests season level_source analogue_1_name analogue_1_fate analogue_1_units"
    assert {f"launch.{name}" for name in wanted.split()} <= set(ledger)
    total = ledger["launch.units_12w"]
    assert total.low is not None
    assert total.low < float(str(total.value)) < total.high  # type: ignore[operator]
    for figure in ledger.values():
        if figure.rows is not None:
            assert len(known.rows_behind(figure.rows, limit=10**6)) == figure.rows.count > 0
    assert "Kettles" in str(ledger["launch.level_source"].value)


def test_a_price_never_seen_is_a_warning(known: Shop) -> None:
    known.add_draft("Beech kettle", "Kitchen > Kettles", price=22.0)
    result = forecast_launch(known, "D-0001", price=400.0)
    assert any("outside" in warning for warning in result.warnings)


def test_without_a_price_revenue_is_unknown(known: Shop) -> None:
    known.add_draft("Beech kettle", "Kitchen > Kettles")
    figures = {f.id: f for f in forecast_launch(known, "D-0001").figures}
    assert figures["launch.revenue_12w"].value is None
    assert figures["launch.price"].reason


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"weeks": 0}, "1 to 52 weeks"),
        ({"weeks": 53}, "1 to 52 weeks"),
        ({"launch_date": "2001-01-01"}, "before"),
        ({"price": -1.0}, "above zero"),
    ],
)
def test_bad_input_is_one_sentence(known: Shop, arguments: dict[str, Any], says: str) -> None:
    known.add_draft("Beech kettle", "Kitchen > Kettles", price=22.0)
    with pytest.raises(ToolError, match=says):
        forecast_launch(known, "D-0001", **arguments)


def test_a_product_that_sells_is_not_a_launch(known: Shop) -> None:
    with pytest.raises(ToolError, match="already has its own sales"):
        forecast_launch(known, "P000")


def test_a_shop_without_launches_says_what_is_missing(empty_shop: Shop) -> None:
    world(empty_shop, launches=2)
    with pytest.raises(ToolError, match="import more history"):
        launch_forecast(empty_shop, kettle())


def test_demo_shop_forecast(demo_shop: Shop) -> None:
    category = demo_shop.categories()["category"].iloc[0]
    forecast = launch_forecast(demo_shop, kettle(name="New thing", category=category, price=None), price=40.0)
    assert np.isfinite(forecast.draws).all()
    assert forecast.errors.tried >= 8


def test_drivers_add_up_to_the_point_forecast(known: Shop) -> None:
    forecast = launch_forecast(known, kettle())
    assert sum(forecast.drivers.values()) == pytest.approx(forecast.point)
    assert np.median(forecast.total) == pytest.approx(forecast.point, rel=0.02)
    known.add_draft("Beech kettle", "Kitchen > Kettles", price=22.0)
    figures = {f.id: f for f in forecast_launch(known, "D-0001").figures}
    parts = [f.value for name, f in figures.items() if name.startswith("launch.driver_")]
    assert sum(parts) == pytest.approx(figures["launch.point"].value)  # type: ignore[arg-type]


def test_a_longer_horizon_goes_on_from_a_shorter(known: Shop) -> None:
    short, long = launch_forecast(known, kettle(), weeks=8), launch_forecast(known, kettle(), weeks=30)
    assert (long.draws[:, :8] == short.draws).all()
    later = np.median(long.draws[:, 12:], axis=0)
    # The world falls by two per cent a week.
    assert 0.4 * np.median(long.draws[:, 11]) < later[-1] < np.median(long.draws[:, 11])


def test_a_product_in_its_first_weeks_learns_from_them(known: Shop) -> None:
    day = FIRST + timedelta(days=DAYS - 28)
    with known.begin() as connection:
        new = {"sku": "N1", "name": "New kettle", "category": "Kitchen > Kettles", "launch_date": day, "source": "test"}
        connection.execute(t.products.insert(), [{**new, "list_price_cents": 2200}])
        rows = [{"sku": "N1", "day": day + timedelta(days=i), "units": 20, "revenue_cents": 44000} for i in range(28)]
        connection.execute(t.daily.insert(), rows)
    product = known.product("N1")
    assert product is not None
    forecast = launch_forecast(known, product)
    assert forecast.seen == 4
    assert (forecast.draws[:, :4] == 140).all()
    plan = np.median(launch_forecast(known, kettle()).draws[:, 4:].sum(axis=1))
    # Seven times what kettles usually sell.
    assert np.median(forecast.ahead.sum(axis=1)) > 2.5 * plan
    assert any("on sale" in warning for warning in forecast_launch(known, "N1").warnings)


def test_lessons_survive_being_filed(known: Shop, tmp_path: Path) -> None:
    first = launch_forecast(known.remembering(Learned(tmp_path)), kettle())
    again = launch_forecast(known.remembering(Learned(tmp_path)), kettle())
    assert list(tmp_path.glob("launch-lessons*.json"))
    assert again.quantiles == pytest.approx(first.quantiles, rel=1e-4)
    study = study_of_shop(known)
    assert study is not None
    copy = CODEC.read(json.loads(json.dumps(CODEC.write(study.lessons))))
    assert copy.errors == study.lessons.errors
    assert copy.recipe == study.lessons.recipe


def test_the_first_week_of_a_launch_is_its_first_seven_days(known: Shop) -> None:
    sales = known.daily(skus=["P007"]).set_index("day")["units"]
    launched = known.product("P007").launch_date
    units = first_weeks(known, "P007")
    for week, made in enumerate(units):
        days = [launched + timedelta(days=7 * week + d) for d in range(7)]
        assert made == sum(sales.get(pd.Timestamp(day), 0) for day in days)


def test_units_by_launch_day_are_the_middle_of_each_days_forecast(known: Shop) -> None:
    days = [known.today + timedelta(weeks=w) for w in (0, 3, 10)]
    units = launch_units(known, kettle(), days)
    points = [launch_forecast(known, kettle(), launch_date=day).point for day in days]
    assert units == pytest.approx(points, rel=1e-9)
    with pytest.raises(ToolError, match="is before"):
        launch_units(known, kettle(), [known.today - timedelta(days=1)])


def test_the_middles_of_the_weeks_add_up_to_the_point_forecast(known: Shop) -> None:
    forecast = launch_forecast(known, kettle())
    assert forecast.quantiles[:, 1].sum() == pytest.approx(forecast.point)
    assert np.median(forecast.total) == pytest.approx(forecast.point, rel=0.01)


def test_few_launches_are_told_instead_of_forecast(empty_shop: Shop) -> None:
    world(empty_shop, launches=6)
    with pytest.raises(ToolError, match=r"Only \d launches.*sold from.*import more history"):
        launch_forecast(empty_shop, kettle())


def test_a_launch_far_beyond_the_data_is_refused(known: Shop) -> None:
    with pytest.raises(ToolError, match="too far beyond the data"):
        launch_forecast(known, kettle(launch_date=FIRST + timedelta(days=DAYS + 500)))


def test_a_category_with_few_launches_leans_on_its_parent_and_says_so(known: Shop) -> None:
    forecast = launch_forecast(known, kettle(category="Kitchen > Graters"))
    assert forecast.source.startswith("Kitchen (")
    assert forecast.narrower == "Kitchen > Graters"


def test_what_first_questions_would_wait_for_is_learned_beforehand(known: Shop) -> None:
    said: list[str] = []
    learn_beforehand(known, said.append)
    assert said[0] == "learning from past launches …"
    study = study_of_shop(known)
    # What the shop holds already is what the question gets: nothing is made a second time.
    assert known.learned("launch-study", lambda: None) is study
    desk = Desk(known, lambda: ScriptedChatModel(replies=[]), "scripted")
    desk.learn()
    desk.wait_until_learned()
    assert desk.learning == ""


def test_an_empty_shop_has_nothing_to_learn_beforehand(empty_shop: Shop) -> None:
    said: list[str] = []
    learn_beforehand(empty_shop, said.append)
    assert said == ["learning from past launches …"]  # and no further, without an error
