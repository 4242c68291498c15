"""What knowing is worth, where prices leave room, how far a launch should be, and an order that is given."""

from __future__ import annotations

import numpy as np
import pytest

from agent.brief.chance import chance_below
from agent.brief.pace import scaled
from agent.brief.payback import break_even_units, result_of
from agent.brief.sections.market import widest_gap
from agent.brief.worth import WEIGHTS, expected, perfect_information, worth_of_elasticity, worth_of_go
from tools.inventory.plan import Needs, order_plan


def test_weights_are_a_distribution() -> None:
    assert sum(WEIGHTS) == pytest.approx(1)
    assert expected([7, 7, 7]) == pytest.approx(7)


@pytest.mark.parametrize(
    ("results", "worth"),
    [
        ((-10, 5, 20), 0.3 * 10),  # launching blindly earns 5; knowing saves the loss
        ((-50, 5, 20), 0.4 * 5 + 0.3 * 20),  # blindly nobody launches; knowing earns the good cases
        ((1, 2, 3), 0.0),  # it pays either way
        ((-3, -2, -1), 0.0),  # it never does
    ],
)
def test_worth_of_knowing_whether_to_launch(results: tuple[float, ...], worth: float) -> None:
    assert worth_of_go(results) == pytest.approx(worth)


def test_perfect_information_against_a_naive_loop_of_a_newsvendor() -> None:
    demand, choices = (20.0, 60.0, 150.0), [float(q) for q in range(0, 201, 10)]

    def profit(buy: float, sold: float) -> float:
        return 25 * min(buy, sold) - 10 * buy

    known = sum(w * max(profit(q, d) for q in choices) for w, d in zip(WEIGHTS, demand, strict=True))
    blind = max(sum(w * profit(q, d) for w, d in zip(WEIGHTS, demand, strict=True)) for q in choices)
    assert perfect_information(profit, choices, demand) == pytest.approx(known - blind)
    assert known > blind


def test_an_elasticity_that_is_known_is_worth_nothing_more() -> None:
    assert worth_of_elasticity(100, 25, 10, (-2, -2, -2), 15, 35) == pytest.approx(0)
    wide = worth_of_elasticity(100, 25, 10, (-4, -2, -1.2), 15, 35)
    narrow = worth_of_elasticity(100, 25, 10, (-2.2, -2, -1.8), 15, 35)
    assert wide > narrow > 0
    assert worth_of_elasticity(100, 25, 10, (-4, -2, -1.2), 25, 25) == pytest.approx(0)  # no price to choose


def test_the_widest_gap_is_the_largest_ratio() -> None:
    assert widest_gap([10, 12, 30, 33, 0]) == (12, 30)
    assert widest_gap([10, 10]) is None
    assert widest_gap([]) is None


def test_breaking_even_leaves_nothing() -> None:
    for units, first_buy, spend in ((300, 500, 700.0), (800, 500, 700.0)):
        price, cost = 25.0, 10.0
        bought = max(units, first_buy)
        assert result_of(units, (bought * cost + spend) / units, cost, first_buy, spend) == pytest.approx(0)
        assert result_of(units, price, (units * price - spend) / bought, first_buy, spend) == pytest.approx(0)
    sold = break_even_units(5000, 700, 25, 10, 500)
    assert sold is not None
    assert result_of(sold, 25, 10, 500, 700) >= 0 > result_of(sold - 1, 25, 10, 500, 700)


def test_weeks_keep_their_shape_and_reach_the_total() -> None:
    assert scaled([1, 3], 8) == [2, 6]
    assert sum(scaled([5.0, 2.0, 3.0], 71.0)) == pytest.approx(71)


def test_an_order_that_is_given_is_the_one_that_is_judged() -> None:
    draws = np.random.default_rng(3).gamma(2.0, 20.0, (400, 24))
    needs = Needs(lead=4, review=2, service=0.9)
    small, planned, large = (order_plan(draws, needs, order=order) for order in (10, None, 5000))
    assert (small.order, large.order) == (10, 5000)
    assert planned.order == planned.up_to
    assert small.p_overstock <= planned.p_overstock < large.p_overstock
    assert small.p_stockout > large.p_stockout == 0


def test_a_chance_meets_the_quantiles_it_is_read_off() -> None:
    assert [chance_below(units, 40, 100, 300) for units in (40, 100, 300)] == pytest.approx([0.1, 0.5, 0.9])
    rising = [chance_below(units, 40, 100, 300) for units in range(0, 1000, 10)]
    assert rising == sorted(rising)
    assert (chance_below(99, 100, 100, 100), chance_below(101, 100, 100, 100)) == (0.0, 1.0)
    assert chance_below(100, 100, 100, 100) == 0.5
    sides = np.where(np.random.default_rng(0).random(200_000) < 0.5, np.log1p(40), np.log1p(300))
    z = np.abs(np.random.default_rng(1).normal(size=200_000)) / 1.2815515655
    drawn = np.expm1(np.log1p(100) + z * (sides - np.log1p(100)))
    assert chance_below(150, 40, 100, 300) == pytest.approx((drawn < 150).mean(), abs=0.005)
