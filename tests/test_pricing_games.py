"""Optimisers, rivals and markdowns: against closed forms, a discretised game and a naive loop."""

import itertools

import numpy as np
import pytest
from scipy.stats import poisson

from tools.pricing.kernels import best_price, profit
from tools.pricing.markdown import plan_markdown
from tools.pricing.optimise import evolution, genetic, grid_search, slsqp, swarm
from tools.pricing.range import best_range, logit_optimum, logit_profit, logit_shares, loglog_profit
from tools.pricing.response import rival_answer
from tools.pricing.rivals import best_response, certified, leader, linear_payoff, logit_payoff, nash

APPEAL, COST, SLOPE = np.array([3.0, 2.5, 3.4]), np.array([4.0, 3.0, 5.0]), 0.45
BOUNDS = np.array([[4.0, 20.0], [3.0, 20.0], [5.0, 20.0]])


# -- optimisers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("search", [slsqp, evolution, genetic, swarm])
def test_every_optimiser_finds_the_logits_closed_form(search: object) -> None:
    found = search(logit_profit(APPEAL, SLOPE, COST), BOUNDS)  # type: ignore[operator]
    assert found.prices == pytest.approx(logit_optimum(APPEAL, SLOPE, COST), abs=1e-4)


@pytest.mark.parametrize("search", [slsqp, evolution, genetic, swarm])
def test_every_optimiser_finds_lerners_rule(search: object) -> None:
    one = np.array([100.0])

    def earned(prices: np.ndarray) -> np.ndarray:
        return np.array([float(profit(p[0], 10.0, one, 20.0, np.array([-2.6]))[0]) for p in prices])

    found = search(earned, np.array([[10.5, 40.0]]))  # type: ignore[operator]
    assert found.prices[0] == pytest.approx(1.625 * 10.0, abs=1e-3)
    assert best_price(10.0, -2.6, 0.0, 100.0) == pytest.approx(16.25)


def test_the_grid_is_the_best_of_all_ladders() -> None:
    ladders = [np.array([6.9, 7.9, 8.9]), np.array([5.9, 6.9]), np.array([8.5, 9.5])]
    earned = logit_profit(APPEAL, SLOPE, COST)
    found = grid_search(earned, ladders)
    assert found.profit == max(float(earned(np.array([cell]))[0]) for cell in itertools.product(*ladders))
    with pytest.raises(ValueError, match="too many"):
        grid_search(earned, [np.arange(100.0)] * 3)


def test_shares_are_those_of_a_naive_loop() -> None:
    prices = np.array([[6.0, 5.0, 8.0]])
    weights = [np.exp(a - SLOPE * p) for a, p in zip(APPEAL, prices[0], strict=True)]
    assert logit_shares(prices, APPEAL, SLOPE)[0] == pytest.approx([w / (1 + sum(weights)) for w in weights])


def test_substitutes_priced_together_cost_more_than_apart() -> None:
    units, prices, cost = np.array([100.0, 80.0]), np.array([20.0, 25.0]), np.array([10.0, 12.0])
    alone = np.array([[-2.5, 0.0], [0.0, -2.5]])
    together = np.array([[-2.5, 0.4], [0.4, -2.5]])
    bounds = np.array([[11.0, 60.0], [13.0, 60.0]])
    apart = best_range(loglog_profit(units, prices, alone, cost), bounds)
    assert apart.prices == pytest.approx(cost * 2.5 / 1.5, rel=1e-3)
    joint = best_range(loglog_profit(units, prices, together, cost), bounds)
    assert (joint.prices > apart.prices).all()
    held = best_range(loglog_profit(units, prices, together, cost), bounds, np.array([True, False]))
    assert held.prices[1] == 13.0


# -- rivals -----------------------------------------------------------------------------------------------------------


def test_the_linear_duopoly_ends_at_four() -> None:
    payoff = linear_payoff(10.0, 2.0, 1.0, 1.0)
    found = nash(payoff, [(1.0, 10.0)] * 2)
    # (a + b·c) / (2b - d) = 12 / 3.
    assert found.prices == pytest.approx([4.0, 4.0], abs=1e-6)
    assert found.profits == pytest.approx([18.0, 18.0], abs=1e-5)
    assert found.regret < 1e-9


def test_logit_prices_solve_the_first_order_conditions() -> None:
    found = nash(logit_payoff(APPEAL, SLOPE, COST), [(float(c), 30.0) for c in COST])
    shares = logit_shares(found.prices[None, :], APPEAL, SLOPE)[0]
    assert found.prices - COST == pytest.approx(1 / (SLOPE * (1 - shares)), abs=1e-5)
    assert found.regret < 1e-8


def test_nash_on_a_grid_is_nashpys() -> None:
    import nashpy

    payoff = linear_payoff(10.0, 2.0, 1.0, 1.0)
    grid = np.arange(3.0, 5.01, 0.5)
    mine = np.array([[payoff(0, a, np.array([a, b])) for b in grid] for a in grid])
    pure = [
        (grid[row.argmax()], grid[column.argmax()])
        for row, column in nashpy.Game(mine, mine.T).support_enumeration()
        if row.max() == 1 and column.max() == 1
    ]
    found = nash(payoff, [(2.0, 6.0)] * 2)
    assert min(abs(a - found.prices[0]) + abs(b - found.prices[1]) for a, b in pure) < 0.5
    assert (4.0, 4.0) in pure


def test_a_best_response_is_the_best_of_a_grid() -> None:
    payoff, prices = logit_payoff(APPEAL, SLOPE, COST), np.array([7.0, 6.0, 8.0])
    grid = np.linspace(4.0, 20.0, 4001)
    best = grid[int(np.argmax([payoff(0, float(p), prices) for p in grid]))]
    assert best_response(payoff, 0, prices, (4.0, 20.0)) == pytest.approx(best, abs=0.005)


def test_the_leader_of_the_duopoly_earns_more_and_prices_higher() -> None:
    payoff = linear_payoff(10.0, 2.0, 1.0, 1.0)
    found = leader(payoff, [(1.0, 10.0)] * 2)
    # Follower: (12 + p) / 4; the leader maximises (p - 1)(10 - 2p + (12 + p) / 4): p = 14.75 / 3.5.
    assert found.prices == pytest.approx([14.75 / 3.5, (12 + 14.75 / 3.5) / 4], abs=1e-4)
    assert found.profits[0] > 18.0
    assert found.regret > 0


def test_the_certificate_tells_how_far_a_plan_is_off() -> None:
    payoff = linear_payoff(10.0, 2.0, 1.0, 1.0)
    off = certified(payoff, np.array([5.0, 4.0]), [(1.0, 10.0)] * 2)
    assert off.regret == pytest.approx(payoff(0, 4.0, np.array([4.0, 4.0])) - payoff(0, 5.0, np.array([5.0, 4.0])))


# -- markdown ---------------------------------------------------------------------------------------------------------


def naive_value(demand: list[float], ladder: list[float], e: float, week: int, stock: int, lowest: int) -> float:
    """The same process by plain recursion."""
    if week == len(demand):
        return 1.0 * stock
    best = -np.inf
    for rung in range(lowest, len(ladder)):
        rate = demand[week] * (ladder[rung] / 20.0) ** e
        worth = 0.0
        for wanted in range(60):
            sold = min(wanted, stock)
            worth += float(poisson.pmf(wanted, rate)) * (
                ladder[rung] * sold + naive_value(demand, ladder, e, week + 1, stock - sold, rung)
            )
            if wanted > stock + 40:
                break
        best = max(best, worth)
    return best


def test_a_rival_whose_price_is_its_best_stays_and_answers_cuts_with_smaller_ones() -> None:
    still = rival_answer(20.0, 20.0, 9.0, -2.5, 20.0)
    assert still is not None
    assert (still.price, still.change) == (pytest.approx(20.0, abs=1e-4), pytest.approx(0.0, abs=1e-4))
    cut = rival_answer(20.0, 18.0, 9.0, -2.5, 20.0)
    assert cut is not None
    assert 18.0 < cut.low <= cut.price <= cut.high < 20.0
    assert cut.change < 0
    # The same by a grid over the rival's profit, at the middle share of a quarter for either.
    slope = 2.5 / (20.0 * 0.75)
    cost, appeal = 20.0 - 1 / (slope * 0.75), np.log(0.25 / 0.5) + slope * 20.0
    grid = np.linspace(15.0, 25.0, 10_001)
    weight = np.exp(appeal - slope * grid)
    share = weight / (1 + weight + np.exp(appeal - slope * 18.0))
    assert cut.price == pytest.approx(grid[int(np.argmax((grid - cost) * share))], abs=2e-3)
    assert rival_answer(20.0, 18.0, 9.0, -0.9, 20.0) is None


def test_backward_induction_is_the_naive_recursion() -> None:
    demand, ladder = [3.0, 2.0], [20.0, 15.0]
    found = plan_markdown(np.array(demand), 20.0, -2.0, np.array(ladder), 4, salvage=1.0)
    assert found.value == pytest.approx(naive_value(demand, ladder, -2.0, 0, 4, 0), rel=1e-6)


def test_more_stock_means_lower_prices_and_they_never_rise() -> None:
    demand, ladder = np.full(8, 10.0), np.array([30.0, 25.0, 20.0, 15.0])
    little, much = (plan_markdown(demand, 25.0, -2.0, ladder, stock) for stock in (30, 150))
    assert (little.path >= much.path).all()
    assert (np.diff(much.path) <= 0).all()
    assert much.value > little.value
    free = plan_markdown(demand, 25.0, -2.0, ladder, 150, falling=False)
    assert free.value >= much.value - 1e-9


def test_endless_stock_takes_the_static_optimum() -> None:
    ladder = np.arange(10.0, 40.0, 1.0)
    found = plan_markdown(np.full(3, 5.0), 20.0, -2.6, ladder, 120, salvage=10.0)
    # What is left brings ten, so a sale costs ten: Lerner's 1.625 · 10, on the ladder.
    assert found.path[0] == pytest.approx(16.0)
