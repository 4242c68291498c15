"""Uplift: gain curves against a naive loop and scikit-uplift, policy values, learners on a known effect."""

import numpy as np
import pytest
from sklift.metrics import qini_auc_score, qini_curve

from tools.uplift import choose_learner, fit_effect, fit_targeting, gain_curve, policy_value, qini, top_share
from tools.uplift.learners import pseudo_outcomes


def experiment(n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features, treatment, outcome and true effect: half of the customers respond, by the sign of one feature."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    treated = rng.random(n) < 0.5
    effect = np.where(x[:, 0] > 0, 0.5, 0.0)
    return x, treated, x[:, 1] + effect * treated + rng.normal(0, 0.5, n), effect


def test_gain_curve_is_the_naive_one() -> None:
    _, treated, y, _ = experiment(300)
    score = np.random.default_rng(1).random(300)
    share, gain = gain_curve(y, treated, score)
    order = np.argsort(-score)
    for k in (50, 100, 299):
        top = order[:k]
        t, c = top[treated[top]], top[~treated[top]]
        naive = (y[t].sum() - y[c].sum() * len(t) / len(c)) / treated.sum()
        assert gain[k] == pytest.approx(naive)
        assert share[k] == pytest.approx(k / 300)


def test_gain_curve_and_qini_agree_with_scikit_uplift() -> None:
    rng = np.random.default_rng(2)
    treated, score = rng.random(2000) < 0.4, rng.random(2000)
    y = (rng.random(2000) < 0.1 + 0.2 * treated * score).astype(int)
    _, theirs = qini_curve(y, score, treated.astype(int))
    np.testing.assert_allclose(gain_curve(y.astype(float), treated, score)[1] * treated.sum(), theirs, atol=1e-9)
    other = rng.random(2000)
    ratio = qini(y.astype(float), treated, score) / qini(y.astype(float), treated, other)
    assert ratio == pytest.approx(
        qini_auc_score(y, score, treated.astype(int)) / qini_auc_score(y, other, treated.astype(int)), rel=1e-6
    )


def test_weights_count_customers() -> None:
    _, treated, y, _ = experiment(200)
    score = np.random.default_rng(3).random(200)
    twice = np.concatenate([np.arange(200), np.arange(100)])
    weights = np.where(np.arange(200) < 100, 2.0, 1.0)
    assert qini(y, treated, score, weights) == pytest.approx(qini(y[twice], treated[twice], score[twice]))


def test_qini_of_random_scores_is_about_zero_and_of_the_truth_is_not() -> None:
    _, treated, y, effect = experiment(20000)
    draws = [qini(y, treated, np.random.default_rng(seed).random(20000)) for seed in range(20)]
    assert abs(np.mean(draws)) < 0.003
    # Half respond by one half: at half of the customers the gain is a quarter, the straight line's an eighth.
    assert qini(y, treated, effect) == pytest.approx(0.25 * 0.75 - 0.125, abs=0.02)
    assert qini(y, treated, np.zeros(20000)) == pytest.approx(0.0, abs=1e-12)


def test_policy_value_is_the_mean_of_those_who_got_what_the_policy_gives() -> None:
    arm = np.array([0, 1, 2, 0, 1, 2])
    y = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    chosen = np.array([0, 0, 0, 2, 2, 2])
    assert policy_value(y, arm, chosen) == pytest.approx(0.5 * 1.0 + 0.5 * 6.0)
    assert np.isnan(policy_value(y[:2], arm[:2], np.array([2, 2])))


def test_policy_value_is_unbiased_over_random_arms() -> None:
    rng = np.random.default_rng(4)
    base, effect = rng.normal(size=500), rng.normal(size=500)
    chosen = (effect > 0).astype(int)
    truth = float((base + effect * chosen).mean())
    drawn = []
    for _ in range(400):
        arm = rng.integers(0, 2, 500)
        drawn.append(policy_value(base + effect * arm, arm, chosen))
    assert np.mean(drawn) == pytest.approx(truth, abs=0.02)


def test_top_share_takes_the_best_and_breaks_ties_at_random() -> None:
    rng = np.random.default_rng(0)
    assert top_share(np.array([3.0, 1.0, 2.0, 0.0]), 0.5, rng).tolist() == [True, False, True, False]
    ties = np.mean([top_share(np.zeros(10), 0.3, rng) for _ in range(500)], axis=0)
    np.testing.assert_allclose(ties, 0.3, atol=0.1)


def test_pseudo_outcomes_average_to_the_effect() -> None:
    x, treated, y, effect = experiment()
    found = pseudo_outcomes(x, treated, y)
    assert found.mean() == pytest.approx(effect.mean(), abs=0.05)
    assert found[x[:, 0] > 0].mean() == pytest.approx(0.5, abs=0.07)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["s", "t", "x", "dr", "linear", "mean"])
def test_every_learner_finds_a_plain_effect(name: str) -> None:
    x, treated, y, _ = experiment()
    new, _, _, effect = experiment(1000, seed=9)
    found = fit_effect(name, x, treated, y)(new)
    assert np.corrcoef(found, effect)[0, 1] > 0.5


def test_an_unknown_learner_is_named() -> None:
    x, treated, y, _ = experiment(200)
    with pytest.raises(ValueError, match="learner must be one of"):
        fit_effect("z", x, treated, y)


@pytest.mark.slow
def test_the_choice_is_made_on_customers_left_out_and_knows_when_there_is_nothing() -> None:
    x, treated, y, _ = experiment()
    good = choose_learner(x, treated, y)
    assert good.certainty > 5
    assert good.worth[good.learner] == pytest.approx(0.0625, abs=0.015)
    nothing = choose_learner(x, treated, np.random.default_rng(5).normal(size=len(y)))
    assert nothing.certainty < 3


@pytest.mark.slow
def test_a_rare_outcome_is_ranked_by_the_one_before_it_on_its_own_scale() -> None:
    x, treated, y, effect = experiment(6000)
    rng = np.random.default_rng(6)
    rare = (rng.random(6000) < 0.01 + 0.02 * effect * treated).astype(float)
    found = fit_targeting(x, treated, {"visit": y, "sale": rare})
    assert found["sale"].ranked_by == "visit"
    assert found["visit"].score(x).mean() == pytest.approx(effect.mean(), abs=0.06)
    assert abs(found["sale"].score(x).mean()) < 0.03
