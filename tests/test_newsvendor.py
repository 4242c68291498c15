"""Stock arithmetic against textbook values, closed forms and naive loops."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, poisson

from tools.inventory.drp import distribute
from tools.inventory.lost_sales import Rule, follow, myopic_order, project
from tools.inventory.markov import stationary, stock_states, transitions
from tools.inventory.newsvendor import critical_ratio, expected_cost, newsvendor, worth
from tools.inventory.option import second_order
from tools.inventory.rules import eoq, in_packs, level_for_fill, open_to_buy, safety_stock
from tools.inventory.supplier import terms_of
from tools.inventory.warehouses import demand_shares


def test_newsvendor_matches_the_textbook() -> None:
    # Snyder and Shen, Fundamentals of Supply Chain Theory: h = 2, p = 18, demand N(120, 10).
    ranks = (np.arange(400_000) + 0.5) / 400_000
    assert newsvendor(norm.ppf(ranks, 120, 10), 2, 18) == pytest.approx((132.8155, 35.0997), abs=1e-3)


def test_newsvendor_quantity_costs_least() -> None:
    demand = np.random.default_rng(0).gamma(2, 50, 500)
    quantity, cost = newsvendor(demand, 3.0, 7.0)
    tried = [expected_cost(demand, each, 3.0, 7.0) for each in np.linspace(1, 600, 300)]
    assert cost <= min(tried) + 1e-9
    assert cost == pytest.approx(np.mean([3 * max(quantity - d, 0) + 7 * max(d - quantity, 0) for d in demand]))


def test_critical_ratio_maximises_profit() -> None:
    demand = np.random.default_rng(1).gamma(2, 50, 4000)
    best = np.quantile(demand, critical_ratio(20.0, 8.0, 4.0))
    profits = {
        b: worth(np.minimum(demand, b), np.full(4000, b), 20.0, 8.0, 0.5).mean() for b in np.linspace(10, 400, 80)
    }
    assert worth(np.minimum(demand, best), np.full(4000, best), 20.0, 8.0, 0.5).mean() >= max(profits.values()) - 1e-6


def test_eoq_matches_the_closed_form_and_costs_least() -> None:
    quantity, cost = eoq(1300.0, 8.0, 0.225)  # Snyder and Shen, example 3.1
    assert (quantity, cost) == pytest.approx((304.0468, 68.4105), abs=1e-3)
    assert all(8.0 * 1300 / q + 0.225 * q / 2 >= cost - 1e-9 for q in np.linspace(50, 900, 200))
    with pytest.raises(ValueError, match="above zero"):
        eoq(0, 1, 1)


def test_safety_stock_holds_what_simulated_errors_and_delays_take() -> None:
    rng = np.random.default_rng(2)
    need = rng.normal(0, 12.0, (400_000, 4)).sum(axis=1) + 30 * rng.normal(0, 0.5, 400_000)
    assert safety_stock(0.95, 12.0, 4, 30.0, 0.5) == pytest.approx(np.quantile(need, 0.95), rel=0.01)
    assert safety_stock(0.95, 12.0, 4) == pytest.approx(norm.ppf(0.95) * 12 * sqrt(4))


def test_level_for_fill_is_the_lowest_that_serves_enough() -> None:
    draws = poisson(6).rvs((5000, 3), random_state=3).astype(float)
    level = level_for_fill(draws.sum(axis=1), draws[:, 0], 0.97)
    short = [np.maximum(draws.sum(axis=1) - each, 0).mean() / draws[:, 0].mean() for each in (level - 1, level)]
    assert short[1] <= 0.03 < short[0]


def test_packs_and_minimum() -> None:
    assert [in_packs(units, 24, 10) for units in (0, -3, 5, 30, 31)] == [0, 0, 30, 30, 40]
    assert in_packs(30.0) == 30
    assert terms_of({"MOQ": "1,200 pcs", "Pack_size": "24"}) == (1200, 24)
    assert terms_of({"Colour": "red", "箱规": "12件"}) == (None, 12)


def test_open_to_buy() -> None:
    assert open_to_buy(sales=500, end_stock=200, on_hand=150, on_order=100, markdowns=20) == 470


def naive(demand: list[float], rule: Rule, opening: float, lead: int) -> tuple[list[float], list[float], list[float]]:
    stock, orders, sold, left, ordered = opening, [], [], [], []
    for week, wanted in enumerate(demand):
        stock += sum(units for due, units in orders if due == week)
        made = 0.0
        if week >= rule.first_review and (week - rule.first_review) % rule.review == 0:
            position = stock + sum(units for due, units in orders if due > week)
            if position <= rule.reorder:
                made = max(rule.up_to - position, 0.0)
                if lead:
                    orders.append((week + lead, made))
                else:
                    stock += made
        ordered.append(made)
        sold.append(min(stock, wanted))
        stock -= sold[-1]
        left.append(stock)
    return sold, left, ordered


@pytest.mark.parametrize("lead", [0, 1, 3])
@pytest.mark.parametrize("rule", [Rule(30, 60), Rule(59, 60, 2), Rule(25, 80, 3, 1)], ids=["s,S", "R,S", "R,s,S"])
def test_rules_match_a_naive_loop(rule: Rule, lead: int) -> None:
    draws = np.random.default_rng(4).poisson(9, (50, 20)).astype(float)
    run = follow(draws, rule, 40, lead)
    for row, *ours in zip(draws, run.sold, run.left, run.ordered, strict=True):
        assert [list(each) for each in ours] == list(map(list, naive(list(row), rule, 40, lead)))
    assert run.sold + run.lost == pytest.approx(draws)


def test_stationary_law_is_what_a_long_simulation_visits() -> None:
    demand, reorder, up_to = poisson(3).pmf(np.arange(40)), 4, 12
    chain = np.zeros((up_to + 1, up_to + 1))  # of end-of-week stock; an order placed then is there in the morning
    for level in range(up_to + 1):
        start = up_to if level <= reorder else level
        for units, chance in enumerate(demand):
            chain[level, max(start - units, 0)] += chance
    law = stationary(chain)
    draws = np.random.default_rng(5).poisson(3, (2000, 150)).astype(float)
    left = follow(draws, Rule(reorder, up_to), up_to, 0).left[:, 50:]
    visited = np.bincount(left.ravel().astype(int), minlength=up_to + 1) / left.size
    assert law == pytest.approx(visited, abs=0.004)
    states = stock_states(left, 3.0)
    seen = np.bincount(states.ravel(), minlength=3) / states.size
    assert stationary(transitions(states)) == pytest.approx(seen, abs=0.004)


def test_a_state_never_visited_has_no_long_run_share() -> None:
    assert stationary(transitions(np.zeros((2, 9), dtype=np.int64))) == pytest.approx([1, 0, 0])


def test_projection_loses_what_finds_no_stock() -> None:
    left = project(np.array([10.0]), np.array([[4.0]]), np.array([[[12.0, 1.0], [3.0, 2.0]]]))
    assert left.tolist() == [[3.0, 9.0]]  # not 10 + 4 - 13 = 1: the twelfth and eleventh unit were not served
    assert myopic_order(left, np.array([[5.0, 6.0]]), 1.0).tolist() == [2.0]


def test_warehouses_get_what_they_lack_in_time() -> None:
    demand = np.full((2, 6), 10.0)
    plan = distribute(demand, np.array([35.0, 5.0]), np.zeros((2, 6)), np.array([5.0, 0.0]), np.array([1, 2]), pack=6)
    assert plan.receipts[0].tolist() == [0, 0, 0, 12, 12, 6]
    assert plan.releases[0].tolist() == [0, 0, 12, 12, 6, 0]
    assert plan.projected[1, 1] == -15  # nothing new can arrive before its lead time
    assert (plan.projected[:, 3:] >= np.array([[5.0], [0.0]])).all()
    assert plan.source.sum() == plan.receipts.sum()


def test_demand_goes_to_the_warehouse_of_its_region() -> None:
    revenue = pd.DataFrame({"region": ["East", "West", "South"], "now": [60.0, 20.0, 20.0]})
    assert demand_shares(pd.Series(["East", "West"]), revenue) == pytest.approx([0.7, 0.3])
    assert demand_shares(pd.Series(["East", "East"]), revenue) == pytest.approx([0.5, 0.5])
    assert demand_shares(pd.Series(["", ""]), revenue.iloc[:0]) == pytest.approx([0.5, 0.5])


def test_a_second_order_is_worth_more_the_less_is_known() -> None:
    rng = np.random.default_rng(6)
    level = rng.lognormal(0, 0.8, (1000, 1))
    known = rng.poisson(20, (1000, 16)).astype(float)
    vague = rng.poisson(20 * level / level.mean(), (1000, 16)).astype(float)
    sure, unsure = (second_order(draws, 3, 3, 30.0, 12.0, 0.3) for draws in (known, vague))
    assert unsure.value.mean() > 10 * max(sure.value.mean(), 1.0)
    assert unsure.first < unsure.once


def test_no_second_order_is_worth_nothing_when_it_comes_too_late() -> None:
    draws = np.random.default_rng(7).poisson(20, (1000, 12)).astype(float)
    late = second_order(draws, 9, 2, 30.0, 12.0, 0.3)
    assert abs(late.value.mean()) < 0.02 * 30 * draws.sum(axis=1).mean()
