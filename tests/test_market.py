"""Market trend: growth lines with known slopes, concentration, and the tool against sums taken by hand."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from agent.ledger import bare_numbers
from shop import Actor, Shop, ToolError, ToolResult
from tools.market import market_trend
from tools.market.trend import herfindahl, trend_line
from tools.registry import bind


def run(shop: Shop, **arguments: Any) -> ToolResult:
    return bind([market_trend], shop, Actor(role="manager"))["market_trend"](**arguments)


def test_a_known_growth_comes_back_inside_its_bounds() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        series = 100 * 1.01 ** np.arange(40) * np.exp(rng.normal(0, 0.1, 40))
        trend = trend_line(series)
        assert trend is not None
        inside += trend.low <= 0.01 <= trend.high
    assert inside / 200 == pytest.approx(0.8, abs=0.1)


def test_an_outside_series_takes_its_part_of_the_movement() -> None:
    rng = np.random.default_rng(1)
    market = np.cumsum(rng.normal(0.02, 0.1, 60))
    series = 50 * np.exp(0.8 * market + rng.normal(0, 0.01, 60))
    alone, beside = trend_line(series, weeks=60), trend_line(series, market[:, None], weeks=60)
    assert alone is not None
    assert beside is not None
    assert abs(beside.value) < 0.002 < abs(alone.value)


def test_too_few_weeks_have_no_trend() -> None:
    assert trend_line(np.array([1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0])) is None


def test_concentration_of_equals_and_of_one() -> None:
    assert herfindahl(np.full(4, 25.0)) == pytest.approx(0.25)
    assert herfindahl(np.array([9.0, 0.0])) == 1
    assert herfindahl(np.zeros(3)) == 0


def test_size_and_share_are_the_sums_of_the_roll_up(demo_shop: Shop) -> None:
    category = str(demo_shop.categories()["category"].iloc[0])
    result = run(demo_shop, category=category, weeks=20)
    figures = {figure.id: figure for figure in result.figures}
    since = demo_shop.cutoff - timedelta(weeks=20) + timedelta(days=1)
    mine, every = demo_shop.daily(category=category, since=since), demo_shop.daily(since=since)
    assert figures["market.revenue"].value == pytest.approx(mine["revenue"].sum())
    assert figures["market.units"].value == pytest.approx(mine["units"].sum())
    assert figures["market.share"].value == pytest.approx(mine["revenue"].sum() / every["revenue"].sum())
    cells = [cell for table in result.tables for row in (*table.rows, table.columns) for cell in row]
    assert not any(bare_numbers(text) for text in (result.summary, *result.warnings, *cells))


def test_an_unknown_region_is_answered_with_the_known_ones(demo_shop: Shop) -> None:
    category = str(demo_shop.categories()["category"].iloc[0])
    with pytest.raises(ToolError, match="the regions are"):
        run(demo_shop, category=category, region="Atlantis")


def test_growth_is_unknown_where_the_data_do_not_reach_back_as_far_again(demo_shop: Shop) -> None:
    category = str(demo_shop.categories()["category"].iloc[0])
    for weeks, known in ((20, True), (104, False)):
        figures = {figure.id: figure for figure in run(demo_shop, category=category, weeks=weeks).figures}
        assert (figures["market.region_1_growth"].value is not None) == known
        assert (figures["market.growth"].value is not None) == known
