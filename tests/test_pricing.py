"""Prices: the optimum against its closed form and a grid, elasticity against a known slope, honest refusals."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_launch import check_templates, world

from shop import Shop, ToolError
from shop import schema as t
from tools.elasticity import between_variance, pooled_elasticity, take_out_effects
from tools.pricing import recommend_price
from tools.pricing.kernels import best_price, price_floor, profit, usual_endings, weighted_quantile, with_ending


@pytest.fixture
def known(empty_shop: Shop) -> Shop:
    return world(empty_shop)


def panel(
    slopes: dict[str, float], products: int = 12, weeks: int = 60, seed: int = 0, moves: float = 0.15
) -> pd.DataFrame:
    """Weekly units and prices with a slope per category; demand shocks shared by week, levels by product."""
    rng = np.random.default_rng(seed)
    shock = rng.normal(0, 0.5, weeks)
    rows = []
    for category, slope in slopes.items():
        for number in range(products):
            price = np.exp(rng.normal(3, 0.3) + rng.normal(0, moves, weeks))
            units = np.exp(4 + rng.normal() + slope * np.log(price / 20) + shock + rng.normal(0, 0.3, weeks))
            rows.append(
                pd.DataFrame(
                    {
                        "sku": f"{category}{number}",
                        "week": np.arange(weeks),
                        "units": units,
                        "price": price,
                        "category": category,
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)


# -- kernels ----------------------------------------------------------------------------------------------------------


def test_optimum_is_the_closed_form() -> None:
    assert best_price(10.0, -2.6, 0.0, 1000.0) == pytest.approx(16.25)


@pytest.mark.parametrize("elasticity", [-4.0, -2.0, -1.2, -0.5])
@pytest.mark.parametrize("bounds", [(11.0, 15.0), (12.0, 80.0), (30.0, 40.0)])
def test_bounded_optimum_matches_a_grid(elasticity: float, bounds: tuple[float, float]) -> None:
    grid = np.linspace(*bounds, 20001)
    gains = [float(profit(p, 10.0, np.array([100.0]), 20.0, np.array([elasticity]))[0]) for p in grid]
    assert best_price(10.0, elasticity, *bounds) == pytest.approx(grid[int(np.argmax(gains))], abs=0.01)


def test_floor_keeps_the_margin() -> None:
    floor = price_floor(8.5, 0.15)
    assert floor == pytest.approx(10)
    assert (floor - 8.5) / floor == pytest.approx(0.15)


def test_endings_are_the_shops_own() -> None:
    assert usual_endings(np.array([1.65, 2.65, 3.95, 4.95, 7.13])).tolist() == [0.65, 0.95]
    assert usual_endings(np.array([1.11, 2.22])).tolist() == [0.99]
    assert with_ending(41.3, np.array([0.99]), 0, 100) == 40.99
    assert with_ending(1.63, np.array([0.99]), 0, 100) == 1.63  # the ending would move it by a fifth
    assert with_ending(41.3, np.array([0.99]), 41.2, 41.4) == 41.3


def test_weighted_quantile_against_repetition() -> None:
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1, 5, 4])
    repeated = np.sort(np.repeat(values, weights))
    for share in (0.1, 0.5, 0.75, 0.95):
        assert weighted_quantile(values, weights.astype(float), share) == np.quantile(
            repeated, share, method="inverted_cdf"
        )


def test_effects_are_the_residuals_of_dummies() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 5, 60), rng.integers(0, 7, 60)
    values = rng.normal(size=60)
    dummies = np.hstack([np.eye(5)[first], np.eye(7)[second]])
    solved = values - dummies @ np.linalg.lstsq(dummies, values, rcond=None)[0]
    assert take_out_effects(values, first, second, rounds=200) == pytest.approx(solved, abs=1e-8)


def test_between_variance_is_dersimonian_laird() -> None:
    assert between_variance(np.array([1.0, 1.0, 1.0]), np.ones(3)) == 0
    slopes, sds = np.array([-1.0, -2.0, -4.0]), np.array([0.1, 0.1, 0.1])
    assert between_variance(slopes, sds) == pytest.approx(slopes.var(ddof=1) - 0.01)


def test_elasticity_finds_each_categorys_slope() -> None:
    data = panel({"A > a": -3.0, "B > b": -1.5})
    for category, slope in (("A > a", -3.0), ("B > b", -1.5)):
        found = pooled_elasticity(data, category)
        assert found is not None
        assert found.identified
        assert found.own
        assert found.value == pytest.approx(slope, abs=0.15)


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    inside = []
    for seed in range(60):
        found = pooled_elasticity(panel({"A": -2.0}, weeks=26, seed=seed), "")
        assert found is not None
        inside.append(found.low <= -2.0 <= found.high)
    assert 0.65 <= np.mean(inside) <= 0.95


def test_a_category_without_moves_takes_the_shops_slope_with_a_wider_interval() -> None:
    still = panel({"C": -2.0}, moves=0.001, seed=5)
    data = pd.concat([panel({"A": -3.0, "B": -1.5, "D": -2.2}), still], ignore_index=True)
    shop, own = pooled_elasticity(data, ""), pooled_elasticity(data, "C")
    assert shop is not None
    assert own is not None
    assert not own.own
    assert own.value == shop.value
    assert own.sd > shop.sd


def test_noise_is_not_an_elasticity() -> None:
    found = pooled_elasticity(panel({"A": 0.0}), "A")
    assert found is None or not found.identified or found.value > -0.2
    assert pooled_elasticity(panel({"A": -2.0}, moves=0.001), "A") is None


# -- the tool ---------------------------------------------------------------------------------------------------------


def with_moving_prices(shop: Shop, slope: float = -2.5) -> Shop:
    """Reprice each product every four weeks, units answering with `slope`, and give kettles a cost and rivals."""
    rng = np.random.default_rng(9)
    rows = shop.daily()
    rows["price"] = rows["revenue"] / rows["units"]
    period = (rows["day"] - rows["day"].min()).dt.days // 28
    move = pd.Series(rng.choice([0.8, 0.9, 1.0, 1.1, 1.25], size=10_000))
    key = (period * 40 + rows["sku"].str[1:].astype(int)).to_numpy()
    factor = move.iloc[key % 10_000].to_numpy()
    units = np.maximum(np.round(rows["units"] * 5 * factor**slope), 1).astype(int)
    cents = (rows["price"] * factor * 100).round().astype(int) * units
    with shop.begin() as connection:
        connection.execute(t.daily.delete())
        daily = zip(rows["sku"], rows["day"].dt.date, units, cents, strict=True)
        connection.execute(
            t.daily.insert(), [{"sku": s, "day": d, "units": int(u), "revenue_cents": int(c)} for s, d, u, c in daily]
        )
        connection.execute(t.products.update().values(cost_cents=900))
        day = shop.cutoff if rows.empty else rows["day"].max().date()
        rivals = [{"competitor": "Rival", "sku": "P000", "day": day, "price_cents": 1900}]
        connection.execute(t.competitor_prices.insert(), rivals)
    return shop


def test_the_tool_gives_the_figures_the_brief_needs(known: Shop) -> None:
    with_moving_prices(known)
    known.add_draft("Beech kettle", "Kitchen > Kettles", cost=9.0, price=23.0)
    result = recommend_price(known, "D-0001")
    ledger = check_templates(result)
    wanted = "recommended floor cost current elasticity margin_rate unit_margin market_median market_low market_high"
    wanted += " competitor_median strategy_cost strategy_market strategy_competition strategy_value strategy_profit"
    wanted += " profit_gain comparables support_low support_high ladder_1_name ladder_1_price"
    assert {f"price.{name}" for name in wanted.split()} <= set(ledger)
    assert ledger["price.elasticity"].value == pytest.approx(-2.5, abs=0.5)
    best = 9.0 * 2.5 / 1.5
    low, high = (float(str(ledger[f"price.support_{end}"].value)) for end in ("low", "high"))
    assert ledger["price.recommended"].value == pytest.approx(float(np.clip(best, low, high)), rel=0.1)
    assert float(str(ledger["price.profit_gain"].value)) > 0
    assert result.chart is not None
    for figure in ledger.values():
        if figure.rows is not None:
            assert len(known.rows_behind(figure.rows, limit=10**6)) == figure.rows.count > 0


def test_without_a_cost_the_market_still_answers(known: Shop) -> None:
    known.add_draft("Beech kettle", "Kitchen > Kettles", price=23.0)
    result = recommend_price(known, "D-0001")
    ledger = check_templates(result)
    for name in ("floor", "cost", "unit_margin", "margin_rate", "strategy_cost", "strategy_profit", "profit_gain"):
        assert ledger[f"price.{name}"].value is None
        assert "supply" in ledger[f"price.{name}"].reason
    assert ledger["price.recommended"].value == ledger["price.strategy_market"].value
    assert any("market" in warning for warning in result.warnings)


def test_prices_that_never_moved_tell_no_elasticity(known: Shop) -> None:
    known.add_draft("Beech kettle", "Kitchen > Kettles", cost=9.0, price=23.0)
    result = recommend_price(known, "D-0001")
    ledger = check_templates(result)
    assert ledger["price.elasticity"].value is None
    assert ledger["price.strategy_profit"].value is None
    assert any("Elasticity is unknown" in warning for warning in result.warnings)


def test_every_strategy_stays_above_the_floor_and_inside_the_prices_seen(known: Shop) -> None:
    with_moving_prices(known)
    known.add_draft("Beech kettle", "Kitchen > Kettles", cost=17.0, price=23.0)
    for strategy in ("cost", "market", "competition", "value", "profit"):
        figures = {f.id: f.value for f in recommend_price(known, "D-0001", strategy=strategy).figures}
        price = float(str(figures["price.recommended"]))
        assert float(str(figures["price.floor"])) <= price <= float(str(figures["price.support_high"]))
        assert price == figures[f"price.strategy_{strategy}"]


def test_a_cost_above_every_price_is_refused(known: Shop) -> None:
    known.add_draft("Beech kettle", "Kitchen > Kettles", cost=500.0)
    with pytest.raises(ToolError, match="nothing comparable sells above"):
        recommend_price(known, "D-0001")


def test_a_product_that_sells_is_compared_with_what_it_costs_now(known: Shop) -> None:
    with_moving_prices(known)
    ledger = check_templates(recommend_price(known, "P000"))
    sold = known.daily(skus=["P000"], since=known.cutoff - timedelta(weeks=13))
    assert ledger["price.current"].value == pytest.approx(sold["revenue"].sum() / sold["units"].sum())
    assert all("P000" not in str(f.value) for f in ledger.values() if "ladder" in f.id)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"min_margin": 1.0}, "between 0 and 0.95"), ({"cost": 0.0}, "above zero"), ({"cost": -3.0}, "above zero")],
)
def test_bad_input_is_one_sentence(known: Shop, arguments: dict[str, Any], says: str) -> None:
    known.add_draft("Beech kettle", "Kitchen > Kettles")
    with pytest.raises(ToolError, match=says):
        recommend_price(known, "D-0001", **arguments)
