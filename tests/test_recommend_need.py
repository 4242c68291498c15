"""Replenishment, offers, live choice and audiences: kernels against closed forms and simulations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from shop import Shop
from tools.recommend.audience import holdout_size, learn_response, may_be_told, plain_ranking
from tools.recommend.choice import LiveChoice, policy_from_log, replay
from tools.recommend.histories import Histories, histories
from tools.recommend.need import due, gaps, learn_need
from tools.recommend.offer import Offer, chance_by_rank, next_best_offer
from tools.standing import FEATURES, inside, standing

# -- need ---------------------------------------------------------------------------------------------------------


def renewals(rows: int = 200, gap: float = 30.0, spread: float = 0.2, seed: int = 0) -> Histories:
    """Item 0 is bought again after log-normal gaps, item 1 once by everybody."""
    rng = np.random.default_rng(seed)
    row, item, time = [], [], []
    for each in range(rows):
        day = rng.uniform(0, 30)
        row.append(each), item.append(1), time.append(day)
        for _ in range(6):
            row.append(each), item.append(0), time.append(day)
            day += np.exp(rng.normal(np.log(gap), spread))
    return histories(np.array(row), np.array(item), np.array(time), 2)


def test_gaps_equal_a_naive_loop_and_count_a_day_once() -> None:
    log = histories(np.array([0, 0, 0, 0, 1]), np.array([3, 3, 3, 2, 3]), np.array([1.2, 1.7, 5.5, 2.0, 9.0]), 4)
    row, item, day, since = gaps(log)
    assert list(zip(row, item, day, strict=True)) == [(0, 2, 2), (0, 3, 1), (0, 3, 5), (1, 3, 9)]
    assert np.isnan(since[[0, 1, 3]]).all()
    assert since[2] == 4


def test_need_recovers_the_gap_and_stays_silent_about_what_is_bought_once() -> None:
    need = learn_need(renewals())
    assert np.exp(need.middle[0]) == pytest.approx(30, rel=0.05)
    assert need.spread[0] == pytest.approx(0.2, abs=0.03)
    assert need.again.tolist() == [1.0, 0.0]
    assert np.isnan(need.middle[1])


def test_a_few_gaps_of_ones_own_are_drawn_towards_everybodys() -> None:
    need = learn_need(renewals())
    one = histories(
        np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64), np.array([0.0, 60.0]), 2, np.array([70.0])
    )
    found = due(need, one)
    # Two gaps' worth of the item's 30 days against one of 60.
    assert found.gap[0] == pytest.approx(np.exp((2 * need.middle[0] + np.log(60)) / 3))
    middle, spread = np.log(found.gap[0]), need.spread[0]
    alive, later = norm.sf((np.log(10) - middle) / spread), norm.sf((np.log(38) - middle) / spread)
    assert found.chance[0] == pytest.approx((alive - later) / alive)
    assert found.low[0] < found.gap[0] < found.high[0]


def test_chances_of_need_come_true() -> None:
    log = renewals(rows=800, seed=3)
    until = 100.0
    before = log.time < until
    past = histories(log.row[before], log.item[before], log.time[before], 2, np.full(log.rows, until))
    found = due(learn_need(past), past, ahead=14)
    bought = {int(r) for r, i, t in zip(log.row, log.item, log.time, strict=True) if i == 0 and until <= t < until + 14}
    came = np.mean([int(row) in bought for row in found.row])
    assert found.chance.mean() == pytest.approx(came, abs=0.06)


def test_nobody_without_purchases_needs_anything_again() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert len(due(learn_need(renewals()), histories(none, none, np.zeros(0), 2, np.array([5.0]))).row) == 0


# -- offers and live choice ---------------------------------------------------------------------------------------


def test_the_next_best_offer_weighs_uplift_by_margin_and_may_be_none() -> None:
    offers = [Offer("sure", 0.5, 1.0), Offer("rich", 0.1, 20.0, cost=0.2), Offer("harm", -0.2, 50.0)]
    assert [each.key for each in next_best_offer(offers)] == ["rich", "sure"]
    assert next_best_offer(offers[2:]) == []


def test_chances_fall_with_the_place_and_keep_the_mean() -> None:
    hit = (np.random.default_rng(0).random((400, 10)) < np.linspace(0.3, 0.05, 10)).astype(float)
    chances = chance_by_rank(hit)
    assert (np.diff(chances) <= 1e-12).all()
    assert chances.mean() == pytest.approx(hit.mean(), rel=1e-6)


def shown(choice: LiveChoice, rates: list[float], rounds: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    arms, rewards, chances = [], [], []
    for start in range(0, rounds, 20):
        for _ in range(20):
            drawn = choice.choose()
            arms.append(drawn.arm), chances.append(drawn.chance), rewards.append(float(rng.random() < rates[drawn.arm]))
        choice.learn(np.array(arms[start:]), np.array(rewards[start:]))
    return np.array(arms), np.array(rewards), np.array(chances)


def test_thompson_finds_the_best_arm_and_its_log_tells_what_another_policy_earns() -> None:
    rates = [0.1, 0.3, 0.6]
    arms, rewards, chances = shown(LiveChoice(["a", "b", "c"], explore=0.3, draws=60, seed=1), rates, 1500, 2)
    assert np.mean(arms[-300:] == 2) > 0.6
    assert chances.min() >= 0.1 - 1e-12  # every arm keeps a third of the even part
    for arm, rate in enumerate(rates):
        value, error, size = policy_from_log(rewards, chances, (arms == arm).astype(float))
        assert abs(value - rate) < 4 * error + 0.01
        assert 0 < size <= len(arms)


def test_the_same_seed_draws_the_same_arms() -> None:
    first = shown(LiveChoice(["a", "b"], seed=4, draws=20), [0.2, 0.5], 100, 0)[0]
    again = shown(LiveChoice(["a", "b"], seed=4, draws=20), [0.2, 0.5], 100, 0)[0]
    assert first.tolist() == again.tolist()


def test_linucb_learns_which_arm_fits_which_customer_by_replay() -> None:
    rng = np.random.default_rng(0)
    context = np.column_stack([np.ones(1200), rng.integers(0, 2, 1200)])
    logged = rng.integers(0, 2, 1200)
    rewards = (rng.random(1200) < np.where(logged == context[:, 1], 0.7, 0.2)).astype(float)
    choice = LiveChoice(["a", "b"], policy="linucb", explore=0.1, alpha=0.5)
    assert choice.chances(context[0]).tolist() == [0.5, 0.5]
    choice.learn(logged[:600], rewards[:600], context[:600])
    chances = np.array([choice.chances(row) for row in context[600:]])
    assert chances.sum(axis=1) == pytest.approx(1.0)
    wanted = chances.argmax(axis=1)
    assert np.mean(wanted == context[600:, 1]) > 0.95
    value, events = replay(wanted, logged[600:], rewards[600:])
    assert value == pytest.approx(0.7, abs=0.1)
    assert events == int((wanted == logged[600:]).sum())


def test_a_log_without_chances_proves_nothing() -> None:
    with pytest.raises(ValueError, match="above zero"):
        policy_from_log(np.ones(2), np.array([0.5, 0.0]), np.ones(2))
    with pytest.raises(ValueError, match="explore"):
        LiveChoice(["a"], explore=0.0)
    assert np.isnan(policy_from_log(np.ones(2), np.full(2, 0.5), np.zeros(2))[0])


# -- audience -----------------------------------------------------------------------------------------------------

LINES = pd.DataFrame(
    {
        "customer": ["a", "a", "b", "b", "c"],
        "day": [100.0, 130.0, 140.0, 140.0, 160.0],
        "category": ["Kitchen > Kettles", "Bags", "Kitchen", "Kitchen > Kettles", "Bags"],
        "paid": [10.0, 20.0, 5.0, 6.0, 7.0],
    }
)


def test_standing_sees_only_what_lies_before_the_day() -> None:
    found = standing(LINES, pd.Index(["a", "b", "c"]), 150.0, "Kitchen", np.array([50.0, np.nan, 90.0]))
    assert found["recency"].tolist()[:2] == [20.0, 10.0]
    assert np.isnan(found.loc["c", "recency"])
    assert found["orders"].tolist() == [2, 1, 0]
    assert found["spent"].tolist() == [30, 11, 0]
    assert found["in_category"].tolist() == [1, 1, 0]
    assert inside(LINES["category"], "").all()


def market(launches: int = 12, customers: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    launch = np.repeat(np.arange(launches), customers)
    features = np.column_stack([rng.exponential(size, len(launch)) for size in (60, 4, 100, 1, 300, 2)])
    chance = 1 / (1 + np.exp(-(-4.5 + 1.8 * np.log1p(features[:, 3]) - 0.2 * np.log1p(features[:, 0]))))
    return features, rng.random(len(launch)) < chance, launch


def test_response_is_calibrated_ranks_and_says_how_far_launches_differ() -> None:
    features, bought, launch = market()
    response = learn_response(features, bought, launch)
    assert response is not None
    assert response.score(features).sum() == pytest.approx(bought.sum(), rel=0.02)
    assert response.lift[1] <= response.lift[0] <= response.lift[2]
    assert response.lift[0] > 1.5
    assert response.ratio[0] < 1 < response.ratio[1]
    more = features[:2].copy()
    more[:, 3] = [0.0, 5.0]
    assert np.diff(response.score(more)) > 0


def test_too_few_launches_or_buyers_teach_nothing() -> None:
    features, bought, launch = market()
    assert learn_response(features, bought, np.minimum(launch, 3)) is None
    assert learn_response(features, np.zeros(len(bought), dtype=bool), launch) is None


def test_without_launches_the_ranking_is_affinity_recency_and_value() -> None:
    rows = np.array([[5, 1, 50.0, 3, 1, 0], [5, 1, 50.0, 0, 1, 0], [300, 1, 50.0, 3, 1, 0], [np.nan, 0, 0, 0, 1, 0]])
    ranking = plain_ranking(rows)
    assert ranking.argmax() == 0
    assert ranking.argmin() == 3
    assert len(FEATURES) == rows.shape[1]


def test_the_cap_and_the_size_of_a_holdout() -> None:
    assert may_be_told(np.array([0, 1, 2, 5])).tolist() == [True, True, False, False]
    held, shows = holdout_size(10_000, 0.1, 0.03)
    assert shows
    error = np.sqrt(0.09 / held + 0.09 / (10_000 - held))
    assert 2.487 * error <= 0.03
    smaller = held - 1
    assert 2.487 * np.sqrt(0.09 / smaller + 0.09 / (10_000 - smaller)) > 0.03
    assert holdout_size(200, 0.1, 0.001) == (20, False)


@pytest.mark.slow
def test_features_are_those_of_the_coupon_tests(demo_shop: Shop) -> None:
    from shop import schema as t
    from tools.promotion.coupons import trials
    from tools.recommend.tell import _features, _joined, _lines

    rows = trials(demo_shop)
    first = rows[rows["promotion"] == rows["promotion"].iloc[0]]
    with demo_shop.engine.connect() as connection:
        offer = connection.execute(t.promotions.select().where(t.promotions.c.id == first["promotion"].iloc[0])).one()
        got = connection.execute(t.coupons.select().where(t.coupons.c.promotion_id == offer.id)).all()
    customers = pd.Index([row.customer_id for row in got])
    day = float((offer.starts - pd.Timestamp("1970-01-01").date()).days)
    found = _features(demo_shop, _lines(demo_shop), customers, day, offer.category, _joined(demo_shop))
    theirs = first[first["treated"]][list(FEATURES)].to_numpy(dtype=float)
    assert np.sort(found, axis=0) == pytest.approx(np.sort(theirs, axis=0), nan_ok=True)
