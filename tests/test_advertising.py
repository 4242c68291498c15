"""Advertising: curves against closed forms and a known truth, budgets against a grid, rates, and the tool."""

import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_launch import check_templates

from shop import Actor, Shop, ToolError
from tools import ALL
from tools.advertising import plan_advertising
from tools.advertising.allocate import allocate, climb, equal_split, gain, marginal
from tools.advertising.channels import CHANNELS, find_channels
from tools.advertising.joint import Buy, split_limit
from tools.advertising.rates import concentration, fit_rate, log_loss
from tools.advertising.read import covering
from tools.advertising.response import Response, adstock, calendar_columns, fit_response, hill
from tools.inventory.newsvendor import newsvendor
from tools.registry import bind


def curves(strength: tuple[float, ...], half: tuple[float, ...]) -> Response:
    row = np.ones((1, len(strength)))
    names = tuple(f"c{i}" for i in range(len(strength)))
    most = np.full(len(strength), 1000.0)
    return Response(names, 0 * row, row * half, row, row * strength, most / 2, most, 1.0)


# -- curves -----------------------------------------------------------------------------------------------------------


def test_adstock_is_the_naive_sum_and_keeps_constant_spend() -> None:
    spend = np.random.default_rng(0).random(30)
    stock = adstock(spend, 0.6)
    naive = [sum(0.4 * 0.6**k * spend[t - k] for k in range(t + 1)) for t in range(30)]
    np.testing.assert_allclose(stock, naive)
    assert adstock(np.ones(200), 0.8)[-1] == pytest.approx(1.0)


def test_hill_is_half_at_the_half_point() -> None:
    assert hill(np.array([0.0, 50.0]), 50.0, 1.6).tolist() == [0.0, 0.5]


def test_slope_is_the_derivative_of_the_lift() -> None:
    response, at = curves((100.0, 80.0), (200.0, 50.0)), np.array([[120.0, 30.0]])
    step = 1e-4
    for c in range(2):
        more = at + step * np.eye(2)[c]
        numeric = (response.lift(more) - response.lift(at)).sum() / step
        assert response.slope(at)[0, 0, c] == pytest.approx(numeric, rel=1e-4)


def test_fit_finds_a_known_response() -> None:
    rng = np.random.default_rng(1)
    weeks = 200
    spend = rng.gamma(1.0, 100.0, (weeks, 1, 2)) * (rng.random((weeks, 1, 2)) < 0.6)
    truth = (60 * hill(adstock(spend[:, 0, 0], 0.4), 100.0, 1.0), 15 * hill(spend[:, 0, 1], 100.0, 1.0))
    season = 10 * np.sin(np.arange(weeks) * 2 * np.pi / 52)
    target = 300 + season + sum(truth) + rng.normal(0, 3, weeks)
    columns = calendar_columns(np.datetime64("2023-01-02") + 7 * np.arange(weeks))[:, None, :]
    found = fit_response(target[:, None], spend, columns, ("a", "b"), draws=40)
    assert abs(found.carry[0, 0] - 0.4) <= 0.2
    point = np.array([100.0, 100.0])
    lift = found.lift(point)
    assert lift[0] == pytest.approx([30.0, 7.5], rel=0.3)
    low, high = np.quantile(lift[1:, 0], [0.02, 0.98])
    # Half points lie on a grid, so an interval may miss by its step.
    assert low * 0.9 < 30.0 < high * 1.1


def test_too_few_weeks_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot tell"):
        fit_response(np.ones((5, 1)), np.ones((5, 1, 2)), np.ones((5, 1, 3)), ("a", "b"))


# -- budgets ----------------------------------------------------------------------------------------------------------


def test_allocation_is_the_best_of_a_grid_and_equalises_the_last_unit() -> None:
    response = curves((100.0, 60.0), (300.0, 80.0))
    plan = allocate(response, 400.0, np.ones(1), np.array([1000.0, 1000.0]), logs=False)
    first = np.linspace(0, 400, 4001)
    worth = [float(gain(response, np.array([[x, 400 - x]]), np.ones(1), logs=False)[0]) for x in first]
    assert plan.sum() == pytest.approx(400.0)
    assert plan[0, 0] == pytest.approx(first[int(np.argmax(worth))], abs=1.5)
    last = marginal(response, plan, np.ones(1), logs=False)[0]
    assert last[0] == pytest.approx(last[1], rel=0.01)


def test_climbing_reaches_the_same_plan_in_steps() -> None:
    response, caps = curves((100.0, 60.0), (300.0, 80.0)), np.array([1000.0, 1000.0])
    plan, spent, brought = climb(response, 400.0, np.ones(1), caps, logs=False)
    best = allocate(response, 400.0, np.ones(1), caps, logs=False)
    np.testing.assert_allclose(plan, best, atol=2 * 400 / 120)
    assert spent[-1] == pytest.approx(400.0)
    assert (np.diff(brought) < 1e-9).all()


def test_more_goes_where_a_week_is_worth_more_and_nothing_over_a_cap() -> None:
    response = curves((0.5, 0.5), (100.0, 100.0))
    plan = allocate(response, 300.0, np.array([100.0, 400.0]), np.array([90.0, 1000.0]), logs=True)
    assert plan[1].sum() > plan[0].sum()
    assert (plan[:, 0] <= 90.0 + 1e-9).all()
    everything = allocate(response, 1e9, np.ones(2), np.array([90.0, 1000.0]), logs=True)
    assert everything.sum() == pytest.approx(2 * 1090.0)


def test_equal_split_hands_on_what_a_cap_cuts_off() -> None:
    np.testing.assert_allclose(equal_split(200.0, 2, np.array([10.0, 60.0, 60.0])), [[10.0, 45.0, 45.0]] * 2)


# -- rates ------------------------------------------------------------------------------------------------------------


def ads(n: int = 400, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"place": rng.choice(["top", "side"], n), "size": rng.normal(size=n)})
    true = np.where(frame["place"] == "top", 0.05, 0.02)
    trials = rng.integers(50, 3000, n).astype(float)
    return frame, trials, rng.binomial(trials.astype(int), true).astype(float), true


def test_rates_are_found_and_calibrated() -> None:
    frame, trials, hits, true = ads()
    model = fit_rate(frame, trials, hits)
    said = model.predict(frame)
    assert np.abs(said - true).mean() < 0.004
    assert (said * trials).sum() == pytest.approx(hits.sum(), rel=0.03)
    assert model.loss[model.name] == min(model.loss.values())
    assert model.loss[model.name] < model.loss["mean, level"]


def test_features_that_say_nothing_do_no_harm() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"noise": rng.normal(size=200)})
    trials = np.full(200, 500.0)
    hits = rng.binomial(500, 0.03, 200).astype(float)
    said = fit_rate(frame, trials, hits).predict(frame)
    assert np.abs(said - hits.sum() / trials.sum()).max() < 0.01


def test_concentration_is_zero_for_independent_trials_and_one_for_all_or_nothing() -> None:
    rng = np.random.default_rng(2)
    trials = np.full(2000, 100.0)
    assert concentration(trials, rng.binomial(100, 0.1, 2000).astype(float)) < 0.002
    assert concentration(trials, 100.0 * (rng.random(2000) < 0.1)) == pytest.approx(1.0, abs=0.05)
    spread = rng.binomial(100, rng.beta(1.9, 17.1, 2000)).astype(float)
    assert concentration(trials, spread) == pytest.approx(1 / 20, abs=0.01)


def test_hits_beyond_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="hits"):
        fit_rate(pd.DataFrame({"x": [1.0, 2.0]}), np.array([1.0, 1.0]), np.array([2.0, 0.0]))


def test_log_loss_is_the_textbook_one() -> None:
    assert log_loss(np.array([0.25]), np.array([1.0]), np.array([3.0])) == pytest.approx(np.log(4))


# -- the tool ---------------------------------------------------------------------------------------------------------


def test_channels_are_the_contracts_and_have_other_names() -> None:
    assert find_channels(["小红书", "Google", "SMS", "xiaohongshu"]) == ("search", "social", "sms")
    with pytest.raises(ToolError, match=r"radio.*search, social, display, email, sms, video, affiliate"):
        find_channels(["radio"])
    assert set(find_channels(list(CHANNELS))) == set(CHANNELS)


def test_the_narrowest_campaign_category_counts() -> None:
    assert covering(("", "Kitchen", "Kitchen > Kettles"), "Kitchen > Kettles > Steel") == 2
    assert covering(("Kitchen",), "Kitchenware") is None


def test_the_plan_adds_up_and_every_number_is_a_figure(demo_shop: Shop) -> None:
    call = bind(ALL, demo_shop, Actor(role="manager"))["plan_advertising"]
    draft = demo_shop.drafts()[0]
    ledger = check_templates(call(budget=2000.0, product=draft.id, weeks=4))
    value = {key: figure.value for key, figure in ledger.items()}
    names = [key.split(".")[1][:-5] for key in value if key.endswith("_name")]
    assert sum(float(value[f"ads.{name}_budget"]) for name in names) == pytest.approx(2000.0, abs=0.5)
    by_week = sum(float(value[f"ads.week_{week}_{name}"]) for week in range(1, 5) for name in names)
    assert by_week == pytest.approx(2000.0, abs=0.5)
    worth = ledger["ads.worth"]
    assert worth.low is not None
    assert worth.low <= float(str(worth.value)) <= worth.high  # type: ignore[operator]
    assert 0 < float(value["ads.search_ctr"]) < 1


def test_a_channel_without_campaigns_gets_nothing_and_alone_is_refused(demo_shop: Shop) -> None:
    call = bind(ALL, demo_shop, Actor(role="manager"))["plan_advertising"]
    found = call(budget=500.0, channels=["sms", "小红书"], weeks=2)
    figures = {figure.id: figure.value for figure in found.figures}
    assert "ads.sms_budget" not in figures
    assert figures["ads.social_budget"] == pytest.approx(500.0, abs=0.5)
    assert any("sms" in warning for warning in found.warnings)
    with pytest.raises(ToolError, match="never spent on sms"):
        call(budget=500.0, channels=["sms"])


def test_money_over_the_evidence_or_the_joint_limit_is_not_spent(demo_shop: Shop) -> None:
    call = bind(ALL, demo_shop, Actor(role="manager"))["plan_advertising"]
    huge = {figure.id: figure.value for figure in call(budget=1e7, weeks=2).figures}
    assert float(huge["ads.planned"]) + float(huge["ads.unspent"]) == pytest.approx(1e7)
    limited = {f.id: f.value for f in call(budget=900.0, weeks=2, committed=4500.0, money_limit=5000.0).figures}
    assert limited["ads.planned"] == pytest.approx(500.0, abs=0.5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"budget": 0.0}, "above zero"),
        ({"budget": -5.0}, "above zero"),
        ({"budget": 10.0, "weeks": 0}, "weeks"),
        ({"budget": 10.0, "channels": ["radio"]}, "channels are"),
        ({"budget": 10.0, "committed": 10.0, "money_limit": 5.0}, "nothing is left"),
        ({"budget": 10.0, "start": "2001-01-01"}, "has passed"),
    ],
)
def test_bad_input_is_refused_with_the_next_step(demo_shop: Shop, arguments: dict[str, object], said: str) -> None:
    with pytest.raises(ToolError, match=said):
        bind(ALL, demo_shop, Actor(role="manager"))["plan_advertising"](**arguments)


def test_a_shop_without_campaigns_says_so(empty_shop: Shop) -> None:
    from test_launch import world

    with pytest.raises(ToolError, match="No campaign"):
        bind(ALL, world(empty_shop), Actor(role="manager"))["plan_advertising"](budget=100.0)


def test_a_replay_sees_no_later_campaign(demo_shop: Shop) -> None:
    from tools.advertising.read import learn

    earlier = demo_shop.as_of(demo_shop.cutoff - timedelta(weeks=10))
    assert learn(earlier).media.starts[-1] < np.datetime64(demo_shop.cutoff - timedelta(weeks=10))


def test_one_limit_ends_where_the_last_unit_brings_the_same_in_stock_and_advertising() -> None:
    demand = np.random.default_rng(0).gamma(4.0, 25.0, 4000)
    buy = Buy(demand, price=20.0, cost=8.0, residual=4.0)
    spent = np.linspace(10.0, 2000.0, 200)
    brought = 3.0 * np.exp(-spent / 500.0)
    free = split_limit(1e6, buy, spent, brought)
    assert free.rate == 1.0
    assert free.stock == pytest.approx(8.0 * newsvendor(demand, 4.0, 12.0)[0])
    tight = split_limit(700.0, buy, spent, brought)
    assert tight.rate > 1
    assert 690 < tight.stock + tight.ads <= 700
    # No other split of the same money is expected to bring more.
    totals = []
    for stock in np.linspace(0.0, 700.0, 141):
        sold = np.minimum(demand, stock / 8.0)
        bought = (20.0 * sold + 4.0 * (stock / 8.0 - sold)).mean()
        totals.append(bought + 1500.0 * (1 - np.exp(-(700.0 - stock) / 500.0)))
    best = np.linspace(0.0, 700.0, 141)[int(np.argmax(totals))]
    assert tight.stock == pytest.approx(best, abs=15.0)


@pytest.mark.slow
def test_the_first_buy_of_a_draft_takes_its_share_of_the_limit(demo_shop: Shop, tmp_path: Path) -> None:
    copy = tmp_path / "own.db"
    shutil.copy(str(demo_shop.engine.url.database), copy)
    shop = Shop.open(f"sqlite:///{copy}")
    like = shop.products().dropna(subset=["cost", "list_price"]).iloc[0]
    shop.add_draft("Oak thing", like["category"], cost=float(like["cost"]), price=float(like["list_price"]))
    draft = shop.drafts()[-1]
    result = plan_advertising(shop, budget=3000.0, product=draft.id, weeks=4, money_limit=4000.0)
    ledger = check_templates(result)
    parts = [ledger[f"ads.{name}"].value for name in ("stock_money", "planned", "left")]
    assert sum(float(str(part)) for part in parts) == pytest.approx(4000.0)
    assert float(str(ledger["ads.joint_return"].value)) >= 1
    assert "first buy takes" in result.summary
