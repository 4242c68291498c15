"""`forecast_demand` on the demo shop: figures for everything, an honest what-if, and clear refusals."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from agent.ledger import bare_numbers
from shop import Actor, Shop, ToolError, ToolResult
from tools.demand.contest import Contest
from tools.demand.forecast import category_forecast
from tools.demand.intervals import make_scores
from tools.demand.methods import Methods
from tools.demand.panel import Panel
from tools.demand.read import ShopPanel, read_panel
from tools.demand.tool import forecast_demand
from tools.registry import bind


def run(shop: Shop, **arguments: Any) -> ToolResult:
    return bind([forecast_demand], shop, Actor(role="manager"))["forecast_demand"](**arguments)


@pytest.fixture(scope="module")
def best_seller(demo_shop: Shop) -> str:
    return str(demo_shop.daily().groupby("sku")["units"].sum().idxmax())


@pytest.mark.slow
def test_a_forecast_holds_its_weeks_method_and_drivers(demo_shop: Shop, best_seller: str) -> None:
    result = run(demo_shop, product=best_seller, weeks=6)
    figures = {figure.id: figure for figure in result.figures}
    weeks = [figures[f"demand.week_{n:02d}"] for n in range(1, 7)]
    assert all(f.low <= f.value <= f.high for f in weeks)  # type: ignore[operator]
    total = figures["demand.units"]
    assert total.value == pytest.approx(sum(float(f.value) for f in weeks))  # type: ignore[arg-type]
    assert total.low >= sum(f.low for f in weeks) - 1e-6  # type: ignore[operator, misc]
    drivers = [float(f.value) for f in result.figures if f.id.startswith("demand.driver_")]  # type: ignore[arg-type]
    assert sum(drivers) == pytest.approx(float(total.value))  # type: ignore[arg-type]
    cells = [cell for table in result.tables for row in (*table.rows, table.columns) for cell in row]
    assert not any(bare_numbers(text) for text in (result.summary, *result.warnings, *cells))


@pytest.mark.slow
def test_a_price_far_from_what_was_seen_is_answered_with_a_warning(demo_shop: Shop, best_seller: str) -> None:
    usual = run(demo_shop, product=best_seller, weeks=4)
    high = next(f.value for f in usual.figures if f.id == "demand.price_high")
    dear = run(demo_shop, product=best_seller, weeks=4, price=round(3 * float(high), 2))  # type: ignore[arg-type]
    assert any("outside" in warning for warning in dear.warnings)


def test_the_weekly_panel_adds_up_to_the_roll_up(demo_shop: Shop, best_seller: str) -> None:
    data = read_panel(demo_shop)
    assert data is not None
    weeks = data.panel.starts
    since = weeks[0].date()
    daily = demo_shop.daily(skus=[best_seller], since=since)
    assert data.sold[data.row(best_seller)].sum() == daily["units"].sum()
    assert (weeks[-1] - weeks[0]).days == 7 * (len(weeks) - 1)
    assert weeks[-1].date().toordinal() + 6 == demo_shop.cutoff.toordinal()


def plain_shop() -> tuple[ShopPanel, Methods]:
    """Three products and one long gone, and a contest that ships the average."""
    rng = np.random.default_rng(5)
    units = rng.poisson([[30], [12], [5], [9]], (4, 40)).astype(float)
    units[3, 20:] = np.nan
    flat = np.ones(units.shape)
    panel = Panel(tuple("abcd"), pd.date_range("2026-01-05", periods=40, freq="7D"), units, flat, 0 * flat, "week")
    frame = pd.DataFrame({"sku": list("abcd"), "category": ["x", "x", "y", "x"]})
    sold = np.nan_to_num(units)
    scores = {0: make_scores(np.zeros((50, 4)), rng.normal(0, 1, (50, 4)), np.ones(50), np.repeat([0, 1], 25))}
    contest = Contest(("average",), np.ones((3, 1)), np.ones((3, 1)), np.ones(3), scores)
    return ShopPanel(panel, frame, sold, 0 * sold, 0 * sold, sold), Methods(12, contest, {}, ("x", "y"), 4)


def test_a_category_is_the_sum_of_its_products_that_still_sell() -> None:
    data, methods = plain_shop()
    made = category_forecast(data, methods, 6)
    assert made.skus == ("a", "b", "c")
    assert made.starts[0] == data.panel.starts[-1] + pd.Timedelta(days=7)
    np.testing.assert_allclose(made.products[:, 0, 1], data.panel.units[:3, -8:].mean(axis=1))
    np.testing.assert_allclose(made.total[:, 1], made.products[..., 1].sum(axis=0))
    wide = np.sqrt(((made.products[..., 2] - made.products[..., 1]) ** 2).sum(axis=0))
    np.testing.assert_allclose(made.total[:, 2] - made.total[:, 1], wide)


def test_some_products_of_a_category_are_forecast_as_they_are_among_all() -> None:
    data, methods = plain_shop()
    every, mine = (
        category_forecast(data, methods, 6),
        category_forecast(data, methods, 6, data.frame["category"] == "x"),
    )
    assert mine.skus == ("a", "b")
    np.testing.assert_allclose(mine.products, every.products[:2])


def test_drafts_and_long_horizons_are_refused(demo_shop: Shop, best_seller: str) -> None:
    with pytest.raises(ToolError, match="1 to 52"):
        run(demo_shop, product=best_seller, weeks=60)
    with pytest.raises(ToolError, match="above zero"):
        run(demo_shop, product=best_seller, price=-1.0)
