"""Launch forecasts: the kernels against closed forms, the forecast against a world whose truth is known."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agent.ledger import Ledger, bare_numbers
from shop import Actor, Draft, Shop, ToolError, ToolResult
from shop import schema as t
from shop.learned import Learned
from tools import ALL
from tools.demand.panel import demand_rate
from tools.launch import forecast_launch, launch_forecast
from tools.launch.analogues import text_similarity
from tools.launch.cohort import read_cohort
from tools.launch.curves import launch_totals, mean_curve, took, within_slope
from tools.launch.learning import CODEC, study_of_shop
from tools.launch.reading import read_market
from tools.launch.season import WEEKS, History, season_table
from tools.registry import bind

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


def test_curve_and_totals_recover_a_launch_seen_in_part() -> None:
    shape = np.array([0.4, 0.3, 0.2, 0.1])
    units = np.outer([10.0, 100.0, 1000.0], shape)
    units[2, 2:] = np.nan
    curve = mean_curve(units, 4)
    assert curve == pytest.approx(shape)
    assert launch_totals(units, curve, 4) == pytest.approx([10, 100, 1000])
    units[2, 0] = np.nan
    assert np.isnan(launch_totals(units, curve, 4)[2])


def test_took_leaves_out_stock_that_reappeared_for_a_day() -> None:
    units = np.array([[5.0, 0, 0, 0], [5, 0, 2, 0], [5, np.nan, np.nan, np.nan]])
    assert took(units, 4).tolist() == [False, True, True]


def test_slope_within_groups_ignores_levels_between_them() -> None:
    x = np.tile([0.0, 1.0, 2.0], 200)
    groups = pd.Series(np.repeat(np.arange(200), 3).astype(str))
    y = 100.0 * np.repeat(np.arange(200), 3) - 0.5 * x
    assert within_slope(x, y, groups, ridge=0.0) == pytest.approx(-0.5)


def test_a_year_that_is_not_over_gives_no_season() -> None:
    weeks = pd.date_range("2024-01-01", periods=WEEKS - 1, freq="7D")
    history = History(weeks, np.ones((len(weeks), 1)), ("A",))
    assert not season_table(history, weeks[-1] + pd.Timedelta(days=7)).any()


def test_season_finds_the_peak_and_takes_out_growth() -> None:
    weeks = pd.date_range("2021-01-01", periods=4 * WEEKS, freq="7D")
    position = np.arange(len(weeks)) % WEEKS
    true = 0.8 * np.exp(-(((position - 47) / 3.0) ** 2))
    units = 1000 * np.exp(0.01 * np.arange(len(weeks)) + true)
    table = season_table(History(weeks, units[:, None], ("A",)), weeks[-1] + pd.Timedelta(days=7))
    assert abs(int(table[0].argmax()) - 47) <= 1
    assert np.corrcoef(table[0], true[:WEEKS])[0, 1] > 0.95


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


def test_weeks_out_of_stock_are_masked_not_zero(known: Shop) -> None:
    before = read_cohort(known, 12)
    launched = FIRST
    gap = [launched + timedelta(days=day) for day in range(7, 14)]
    with known.begin() as connection:
        connection.execute(t.daily.delete().where(t.daily.c.sku == "P000", t.daily.c.day.in_(gap)))
        rows = [{"sku": "P000", "day": day, "units": 0, "revenue_cents": 0, "in_stock": False} for day in gap]
        connection.execute(t.daily.insert(), rows)
    after = read_cohort(known, 12)
    assert np.isnan(after.units[0, 1])
    assert after.units[0, [0, *range(2, 12)]].tolist() == before.units[0, [0, *range(2, 12)]].tolist()


def test_weeks_after_delisting_are_absent(known: Shop) -> None:
    with known.begin() as connection:
        gone = {"delisted_date": FIRST + timedelta(days=35)}
        connection.execute(t.products.update().where(t.products.c.sku == "P000").values(gone))
    units = read_cohort(known, 12).units[0]
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
    market = read_market(known)
    assert market is not None
    cohort = read_cohort(known, 12)
    for sku, units in zip(cohort.frame["sku"], cohort.units, strict=True):
        row = market.panel.keys.index(sku)
        start = market.launched[row]
        assert market.panel.units[row, start : start + 12].tolist() == units.tolist()


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
