"""Prices: the optimum against its closed form and a grid, elasticity against a known slope, honest refusals."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_launch import check_templates, world

from shop import Figure, Shop, ToolError
from shop import schema as t
from tools.elasticity.offers import weekly_offers
from tools.figures import Sheet
from tools.pricing import recommend_price, simulate_price
from tools.pricing.advice import Subject
from tools.pricing.hedonic import Hedonic, attribute_worth
from tools.pricing.kernels import (
    best_price,
    charm_prices,
    price_floor,
    profit,
    usual_endings,
    weighted_quantile,
    with_ending,
)
from tools.pricing.ladder import Ladder
from tools.pricing.neighbours import Neighbours, moved
from tools.pricing.report import attributes
from tools.pricing.robust import expected_profit, flip_cost, flip_elasticity, robust_price
from tools.pricing.rules import intro_price, prior_price


@pytest.fixture
def known(empty_shop: Shop) -> Shop:
    return world(empty_shop)


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


def test_charm_prices_are_all_those_with_the_ending() -> None:
    assert charm_prices(9.0, 12.0, np.array([0.5, 0.9])).tolist() == [9.5, 9.9, 10.5, 10.9, 11.5, 11.9]
    assert len(charm_prices(9.0, 9.3, np.array([0.5]))) == 0


def test_a_sure_elasticity_gives_the_closed_form() -> None:
    found = robust_price(10.0, np.array([-2.6]), 15.0, (11.0, 25.0), np.zeros(0))
    assert found.price == pytest.approx(best_price(10.0, -2.6, 11.0, 25.0), abs=0.08)
    assert found.low < found.price < found.high


def test_the_average_over_beliefs_does_not_chase_the_luckiest() -> None:
    slopes = np.random.default_rng(0).normal(-2.0, 0.5, 4000)
    grid = np.linspace(12.0, 30.0, 400)
    direct = [(p - 10.0) * ((p / 18.0) ** slopes).mean() for p in grid]
    assert expected_profit(grid, 10.0, slopes, 18.0) == pytest.approx(direct)
    found = robust_price(10.0, slopes, 18.0, (12.0, 30.0), np.zeros(0))
    assert found.price == pytest.approx(grid[int(np.argmax(direct))], abs=0.2)


def test_a_price_that_nothing_beats_is_kept_and_stock_raises_it() -> None:
    endings, slopes = np.array([0.9]), np.array([-2.0])
    assert robust_price(10.0, slopes, 20.0, (18.0, 22.0), endings, keep=20.0).price == 20.0
    assert robust_price(10.0, slopes, 20.0, (18.0, 30.0), endings, keep=20.0, stock=0.6).price > 24.0


def test_flips_are_where_both_prices_earn_the_same() -> None:
    at = flip_elasticity(10.0, 20.0, 24.0)
    assert at is not None
    assert pytest.approx((24.0 - 10) * (24 / 20) ** at) == (20.0 - 10)
    cost = flip_cost(20.0, 24.0, -2.5)
    assert cost is not None
    assert (20.0 - cost) == pytest.approx((24.0 - cost) * (24 / 20) ** -2.5)
    assert flip_elasticity(10.0, 9.0, 24.0) is None
    assert flip_cost(20.0, 20.0, -2.0) is None


def test_attributes_are_worth_what_the_prices_were_made_of() -> None:
    rng = np.random.default_rng(1)
    steel, large = rng.random(80) < 0.5, rng.random(80) < 0.5
    base = np.where(np.arange(80) % 2 == 0, 3.0, 4.0)
    prices = np.exp(base + 0.3 * steel + 0.1 * large + rng.normal(0, 0.03, 80))
    attributes = [
        {"body": "steel" if a else "glass", "size": "L" if b else "S"} for a, b in zip(steel, large, strict=True)
    ]
    found = attribute_worth(prices, attributes, ["A" if x == 3.0 else "B" for x in base])
    assert found is not None
    gap = np.log1p(found.worth["body: steel"][0]) - np.log1p(found.worth["body: glass"][0])
    assert gap == pytest.approx(0.3, abs=0.03)
    value = found.price("B", {"body": "steel", "size": "S"})
    assert value is not None
    assert value[0] == pytest.approx(np.exp(4.3), rel=0.03)
    assert found.price("B", {"finish": "matt"}) is None
    assert attribute_worth(prices[:10], attributes[:10], ["A"] * 10) is None


def test_only_attributes_that_explain_prices_are_listed() -> None:
    worth = Hedonic({"body: steel": (0.3, 0.2, 0.4), "size: L": (0.1, 0.0, 0.2)}, {"A": 3.0}, 0.6, 40)
    ladder = Ladder(pd.DataFrame({"price": [20.0]}), pd.DataFrame({"price": []}), "A", np.array([20.0]), worth)
    subject = Subject(9.0, 20.0, False, "A", {"body": "steel", "finish": "matt"})
    sheet = Sheet()
    table = attributes(sheet, ladder, subject)
    assert table is not None
    assert len(table.rows) == 1
    assert [figure.value for figure in sheet.figures] == ["body: steel", 0.3]
    assert attributes(Sheet(), replace(ladder, worth=replace(worth, fit=0.1)), subject) is None


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
    low, high = (max(number(ledger[f"price.{of}_{end}"]) for of in ("support", "evidence")) for end in ("low", "high"))
    assert number(ledger["price.recommended"]) == pytest.approx(float(np.clip(best, low, high)), rel=0.12)
    assert number(ledger["price.profit_gain"]) > 0
    assert 0.5 < number(ledger["price.gain_chance"]) <= 1
    assert result.chart is not None
    for figure in ledger.values():
        if figure.rows is not None:
            assert len(known.rows_behind(figure.rows, limit=10**6)) == figure.rows.count > 0


def number(figure: Figure) -> float:
    assert isinstance(figure.value, int | float), figure.reason
    return float(figure.value)


def test_the_nearest_rival_answers_and_without_one_it_is_unknown(known: Shop) -> None:
    with_moving_prices(known)
    known.add_draft("Beech kettle", "Kitchen > Kettles", cost=9.0, price=23.0)
    result = recommend_price(known, "D-0001")
    ledger = check_templates(result)
    assert ledger["price.rival_name"].value == "Rival"
    answer = ledger["price.rival_response"]
    assert answer.low is not None
    assert answer.low <= number(answer) <= (answer.high or 0)
    assert "would best answer" in result.summary
    with known.begin() as connection:
        connection.execute(t.competitor_prices.delete())
    alone = recommend_price(known, "D-0001")
    assert "no rival price is on record" in check_templates(alone)["price.rival_response"].reason
    assert "rivals would answer is unknown" in alone.summary


def test_a_launch_has_prices_by_week_that_only_fall(known: Shop) -> None:
    with_moving_prices(known)
    known.add_draft("Beech kettle", "Kitchen > Kettles", cost=9.0, price=23.0, launch_date=known.today)
    result = recommend_price(known, "D-0001", strategy="market")
    ledger = check_templates(result)
    assert number(ledger["price.stock"]) > 0
    assert number(ledger["price.markdown_gain"]) >= 0
    for name in ("price", "weak"):
        path = [number(f) for figure, f in ledger.items() if re.fullmatch(rf"price\.markdown_\d+_{name}", figure)]
        assert path == sorted(path, reverse=True)
        assert all(number(ledger["price.floor"]) <= p <= number(ledger["price.recommended"]) for p in path)


def test_stock_on_hand_bounds_what_a_low_price_can_earn(known: Shop) -> None:
    with_moving_prices(known)
    with known.begin() as connection:
        connection.execute(t.warehouses.insert().values(id="W", name="Main"))
        connection.execute(t.stock.insert().values(sku="P000", warehouse_id="W", day=known.cutoff, on_hand=10))
    ledger = check_templates(recommend_price(known, "P000"))
    assert number(ledger["price.stock"]) == 10
    assert number(ledger["price.stock_price"]) > number(ledger["price.recommended"])
    assert number(ledger["price.stock_weeks"]) < 12


def test_a_price_far_from_the_usual_is_another_channels_and_left_out(known: Shop) -> None:
    with_moving_prices(known)
    before = weekly_offers(known)
    chosen = before[before["sku"] == "P000"]
    usual = chosen["price"].median()
    assert (np.abs(np.log(before["price"] / before.groupby("sku")["price"].transform("median"))) < np.log(1.6)).all()
    with known.begin() as connection:
        last = known.cutoff - timedelta(days=6)
        connection.execute(
            t.daily.update()
            .where(t.daily.c.sku == "P000", t.daily.c.day >= last)
            .values(revenue_cents=t.daily.c.units * round(usual * 250))
        )
    after = weekly_offers(known)
    assert after[after["sku"] == "P000"]["price"].max() < 1.6 * usual


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


@pytest.mark.slow
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
    item = known.product("P000")
    assert item is not None
    assert ledger["price.current"].value == item.list_price
    assert ledger["price.prior_low"].value == pytest.approx(float((sold["revenue"] / sold["units"]).tail(30).min()))
    assert all("P000" not in str(f.value) for f in ledger.values() if "ladder" in f.id)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"min_margin": 1.0}, "between 0 and 0.95"), ({"cost": 0.0}, "above zero"), ({"cost": -3.0}, "above zero")],
)
def test_bad_input_is_one_sentence(known: Shop, arguments: dict[str, Any], says: str) -> None:
    known.add_draft("Beech kettle", "Kitchen > Kettles")
    with pytest.raises(ToolError, match=says):
        recommend_price(known, "D-0001", **arguments)


def test_the_introductory_price_ends_and_keeps_the_floor(known: Shop) -> None:
    launch = known.today + timedelta(weeks=6)
    found = intro_price(40.0, 20.0, launch, np.array([0.9]))
    assert found is not None
    assert found.price == 35.9
    assert found.until == launch + timedelta(days=27)
    assert intro_price(40.0, 39.95, launch, np.array([0.9])) is None


def test_the_prior_price_is_the_lowest_of_thirty_days(known: Shop) -> None:
    with_moving_prices(known)
    found = prior_price(known, "P000")
    assert found is not None
    days = known.daily(skus=["P000"], since=known.cutoff - timedelta(days=29))
    assert found[0] == pytest.approx((days["revenue"] / days["units"]).min())
    assert found[1] == known.cutoff - timedelta(days=29)
    assert prior_price(known, "nothing") is None


# -- simulate_price ---------------------------------------------------------------------------------------------------


def test_a_lower_price_sells_more_by_the_elasticity(known: Shop) -> None:
    with_moving_prices(known)
    ledger = check_templates(simulate_price(known, "P000", 18.0))
    now, then = number(ledger["simulate.units_now"]), number(ledger["simulate.units_then"])
    e = number(ledger["simulate.elasticity"])
    assert then / now == pytest.approx((18.0 / number(ledger["simulate.current"])) ** e, rel=0.05)
    assert number(ledger["simulate.margin_then"]) == pytest.approx((18.0 - 9.0) * then, rel=0.01)
    change = number(ledger["simulate.revenue_then"]) - number(ledger["simulate.revenue_now"])
    assert number(ledger["simulate.revenue_change"]) == pytest.approx(change, rel=0.3)
    flip = number(ledger["simulate.flip_elasticity"])
    assert (20.0 - 9) * 20.0**flip == pytest.approx((18.0 - 9) * 18.0**flip)


def test_substitutes_gain_from_a_dearer_price_as_the_cross_elasticity_says() -> None:
    found = Neighbours(np.array([100.0, 40.0]), np.array([5.0, 8.0]), np.array([0.5, 0.2]))
    units, margin = moved(found, 1.2, np.array([0.0, 0.6]))
    gained = [100 * (1.2 ** (0.6 * 0.5) - 1), 40 * (1.2 ** (0.6 * 0.2) - 1)]
    assert units == pytest.approx([0.0, sum(gained)])
    assert margin == pytest.approx([0.0, 5 * gained[0] + 8 * gained[1]])


def test_the_category_is_told_of_or_said_to_be_unknown(known: Shop) -> None:
    with_moving_prices(known)
    result = simulate_price(known, "P000", 18.0)
    ledger = check_templates(result)
    figure = ledger["simulate.neighbour_units"]
    assert (figure.value is None) == any("substitutes is unknown" in warning for warning in result.warnings)
    assert figure.value is not None or figure.reason
    assert number(ledger["simulate.neighbours"]) > 0


def test_a_draft_is_compared_with_its_planned_price(known: Shop) -> None:
    with_moving_prices(known)
    known.add_draft("Beech kettle", "Kitchen > Kettles", cost=9.0, price=23.0)
    result = simulate_price(known, "D-0001", 21.0)
    ledger = check_templates(result)
    assert number(ledger["simulate.units_then"]) > number(ledger["simulate.units_now"])
    assert any("launch forecast" in warning for warning in result.warnings)
    again = simulate_price(known, "D-0001", 21.0)
    assert again.figures == result.figures


def test_outside_the_evidence_it_warns_and_far_outside_it_refuses(known: Shop) -> None:
    with_moving_prices(known)
    inside, near, far = (simulate_price(known, "P000", price) for price in (19.0, 28.0, 90.0))
    assert not any("outside" in warning for warning in inside.warnings)
    assert any("outside" in warning for warning in near.warnings)
    figures = check_templates(far)
    assert figures["simulate.units_then"].value is None
    assert "too far" in figures["simulate.units_then"].reason
    assert number(check_templates(near)["simulate.units_now"]) > 0


def test_a_price_below_cost_is_said_to_lose_money(known: Shop) -> None:
    with_moving_prices(known)
    result = simulate_price(known, "P000", 8.0)
    check_templates(result)
    assert any("loses money" in warning for warning in result.warnings)


def test_unknown_cost_and_still_prices_leave_figures_unknown(known: Shop) -> None:
    ledger = check_templates(simulate_price(known, "P000", 19.0))
    assert ledger["simulate.margin_now"].value is None
    assert "supply" in ledger["simulate.margin_now"].reason
    assert ledger["simulate.units_then"].value is None
    assert "price test" in ledger["simulate.units_then"].reason


@pytest.mark.parametrize("price", [0.0, -5.0])
def test_a_price_of_nothing_is_refused(known: Shop, price: float) -> None:
    with pytest.raises(ToolError, match="above zero"):
        simulate_price(known, "P000", price)
