"""Effects of promotions: known ones are found, none is found where there is none, and the algebra is the textbook's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.tsa.statespace.kalman_filter import KalmanFilter

from tools.scoring.effects.cuped import cuped
from tools.scoring.effects.structural import placebo_rank, predict, structural_effect
from tools.scoring.effects.synthetic import mix, synthetic_control

Array = NDArray[np.float64]
BEFORE, DAYS = 42, 56


def market(rng: np.random.Generator, lift: float = 0.0, donors: int = 15) -> tuple[Array, Array, float]:
    """A product's and others' sales by day, moved by one season and their own wandering; and the units added."""
    season = np.exp(np.cumsum(rng.normal(0, 0.05, DAYS)) + 0.2 * np.sin(np.arange(DAYS) * 2 * np.pi / 7))
    own = np.exp(np.cumsum(rng.normal(0, 0.03, (donors + 1, DAYS)), axis=1))
    rate = rng.lognormal(2.5, 0.5, (donors + 1, 1)) * season * own
    lifted = rate[0] * np.where(np.arange(DAYS) < BEFORE, 1, 1 + lift)
    return rng.poisson(lifted).astype(float), rng.poisson(rate[1:]).astype(float), float((lifted - rate[0]).sum())


def moved_by(donors: Array) -> Array:
    return (donors / donors[:, :BEFORE].mean(axis=1, keepdims=True)).mean(axis=0)[:, None]


# -- a randomised test ------------------------------------------------------------------------------------------------


def test_the_adjusted_effect_is_that_of_the_analysis_of_covariance() -> None:
    rng = np.random.default_rng(0)
    before, treated = rng.gamma(2, 10, 400), rng.random(400) < 0.4
    outcome = 3 + 0.7 * before + 2.5 * treated + rng.normal(0, 5, 400)
    trial = cuped(outcome, treated, before)
    design = np.column_stack([np.ones(400), treated, before])
    fitted = np.linalg.lstsq(design, outcome, rcond=None)[0]
    assert trial.effect == pytest.approx(fitted[1])
    assert trial.theta == pytest.approx(fitted[2])
    assert trial.spared == pytest.approx(np.corrcoef(before, outcome)[0, 1] ** 2, abs=0.05)
    assert trial.interval[0] < 2.5 < trial.interval[1]


def test_nothing_before_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    outcome, treated = rng.normal(0, 1, 100), np.arange(100) < 50
    trial = cuped(outcome, treated, np.zeros(100))
    assert trial.effect == pytest.approx(outcome[:50].mean() - outcome[50:].mean())
    assert (trial.effect, trial.error) == trial.plain
    assert trial.spared == 0


def test_without_an_effect_the_chances_of_a_test_are_uniform() -> None:
    rng = np.random.default_rng(2)
    chances = []
    for _ in range(400):
        before = rng.gamma(1, 10, 120)
        chances.append(cuped(before + rng.normal(0, 8, 120), rng.random(120) < 0.5, before).p)
    assert np.quantile(chances, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.07)


# -- a mix of other products ------------------------------------------------------------------------------------------


def test_a_mix_is_found_again() -> None:
    others = np.random.default_rng(3).gamma(3, 1, (6, 40))
    shares = np.array([0.5, 0, 0.3, 0, 0.2, 0])
    assert mix(shares @ others, others) == pytest.approx(shares, abs=1e-6)
    outside = mix(3 * others[0], others)
    assert outside.sum() == pytest.approx(1)
    assert (outside >= 0).all()


def test_an_effect_without_noise_is_found_to_the_unit() -> None:
    donors = np.random.default_rng(4).gamma(3, 1, (10, DAYS)) * 10
    index = donors / donors[:, :BEFORE].mean(axis=1, keepdims=True)
    own = 7 * (0.6 * index[1] + 0.4 * index[5])
    own[BEFORE:] += 5
    found = synthetic_control(own, donors, BEFORE)
    assert found.effect == pytest.approx(5 * (DAYS - BEFORE), rel=1e-4)
    assert found.p == pytest.approx(1 / 11)


def test_placebos_find_nothing_where_there_is_nothing_and_a_lift_where_there_is_one() -> None:
    rng = np.random.default_rng(5)
    none = [synthetic_control(*market(rng)[:2], BEFORE) for _ in range(60)]
    chances = np.array([found.p for found in none])
    assert (chances <= 0.1).mean() <= 0.15
    assert 0.4 < np.median(chances) < 0.75
    lifted = [(made := market(rng, 0.8), synthetic_control(made[0], made[1], BEFORE)) for _ in range(25)]
    assert np.mean([found.effect for _, found in lifted]) == pytest.approx(
        np.mean([true for (_, _, true), _ in lifted]), rel=0.1
    )
    assert np.median([found.p for _, found in lifted]) == pytest.approx(1 / 16)


# -- a structural series ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wandering", [0.0, 0.1, 1.0])
def testpredictions_are_those_of_a_kalman_filter(wandering: float) -> None:
    rng = np.random.default_rng(6)
    drivers = rng.normal(size=(DAYS, 1))
    own = np.cumsum(rng.normal(0, 0.2, DAYS)) + 0.5 * drivers[:, 0] + rng.normal(size=DAYS)
    _, mean, covariance = predict(own, drivers, BEFORE, wandering)
    known = np.where(np.arange(DAYS) < BEFORE, own, np.nan)
    filter_ = KalmanFilter(k_endog=1, k_states=2)
    filter_.bind(known[:, None].copy())
    filter_["design"] = np.stack([np.ones(DAYS), drivers[:, 0]])[None]
    filter_["transition"] = filter_["selection"] = np.eye(2)
    filter_["state_cov"], filter_["obs_cov"] = np.diag([wandering, 0.0]), np.eye(1)
    filter_.initialize_known(np.zeros(2), np.diag([100.0, 100.0]))
    filtered = filter_.filter()
    assert mean == pytest.approx(filtered.forecasts[0, BEFORE:])
    spread = filtered.forecasts_error_cov[0, 0, BEFORE:]
    assert np.diag(covariance) / covariance[0, 0] == pytest.approx(spread / spread[0])


def test_intervals_of_the_series_hold_what_they_promise() -> None:
    rng = np.random.default_rng(7)
    none = [structural_effect(own, moved_by(donors), BEFORE) for own, donors, _ in (market(rng) for _ in range(100))]
    held = np.mean([found.interval[0] <= 0 <= found.interval[1] for found in none])
    assert 0.7 <= held <= 0.92
    assert (np.array([found.p for found in none]) <= 0.1).mean() <= 0.16
    made = [market(rng, 0.8) for _ in range(25)]
    found = [structural_effect(own, moved_by(donors), BEFORE) for own, donors, _ in made]
    assert np.mean([f.effect for f in found]) == pytest.approx(np.mean([true for *_, true in made]), rel=0.15)


def test_the_placebo_in_time_needs_dates_and_ranks_a_lift_first() -> None:
    own, donors, _ = market(np.random.default_rng(8), 1.5)
    assert placebo_rank(own[30:], moved_by(donors)[30:], 12) is None
    assert placebo_rank(own, moved_by(donors), BEFORE) == pytest.approx(1 / (1 + BEFORE - 14 - 14 + 1))
