"""Demand: panels, series, forecasters and their contest, against closed forms, naive loops and known worlds."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from tools.demand import local
from tools.demand.contest import MEMBERS, Contest, bottom_up, choose_weights, conformal_quantiles, forecast, run_contest
from tools.demand.drift import page_hinkley, stability_index, take_in
from tools.demand.neural import lstm
from tools.demand.panel import Panel, build_panel, closing_zeros_absent
from tools.demand.series import CLASSES, classify, naive_scale, pooled_season, recent_level, reconstruct
from tools.demand.trees import Planned, contributions, fit_trees, predict_trees

START = pd.Timestamp("2022-01-03")


def panel_of(units: np.ndarray, price: np.ndarray | None = None, promotion: np.ndarray | None = None) -> Panel:
    count, periods = units.shape
    starts = pd.date_range(START, periods=periods, freq="7D")
    return Panel(
        tuple(f"P{i}" for i in range(count)),
        starts,
        units.astype(float),
        np.full(units.shape, 10.0) if price is None else price,
        np.zeros(units.shape) if promotion is None else promotion,
        "week",
    )


@pytest.fixture(scope="module")
def seasonal() -> Panel:
    """Forty series of three years with one season, levels of their own and Poisson noise."""
    rng = np.random.default_rng(1)
    wave = np.exp(0.5 * np.sin(2 * np.pi * np.arange(156) / 52))
    return panel_of(rng.poisson(rng.uniform(5, 60, 40)[:, None] * wave[None, :]))


def sales(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["product", "date", "units"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


def test_weeks_before_the_first_sale_and_after_the_last_are_absent_and_gaps_are_zeros() -> None:
    panel = build_panel(sales([("a", "2024-01-08", 3), ("a", "2024-01-22", 2), ("b", "2024-01-01", 1)]), "week")
    assert list(panel.starts) == list(pd.date_range("2024-01-01", periods=4, freq="7D"))
    np.testing.assert_array_equal(panel.units[0], [np.nan, 3, 0, 2])
    np.testing.assert_array_equal(panel.units[1], [1, np.nan, np.nan, np.nan])


def test_days_fall_into_monday_weeks_unless_all_dates_share_a_weekday() -> None:
    mixed = build_panel(sales([("a", "2024-01-03", 1), ("a", "2024-01-05", 2)]), "week")
    assert mixed.starts[0] == pd.Timestamp("2024-01-01")
    assert mixed.units[0, 0] == 3
    saturdays = build_panel(sales([("a", "2024-01-06", 1), ("a", "2024-01-13", 2)]), "week")
    assert saturdays.starts[0] == pd.Timestamp("2024-01-06")


def test_an_empty_shelf_is_unknown_demand_and_never_a_zero() -> None:
    frame = sales([("a", "2024-01-01", 5), ("a", "2024-01-08", 0), ("a", "2024-01-15", 4)])
    panel = build_panel(frame.assign(in_stock=[1, 0, 1]), "week")
    np.testing.assert_array_equal(panel.units[0], [5, np.nan, 4])


def test_a_replay_does_not_know_that_a_silent_series_will_sell_again() -> None:
    panel = panel_of(np.array([[1.0, 2.0, 0.0, 0.0, 7.0]]))
    np.testing.assert_array_equal(panel.until(4).units[0], [1, 2, np.nan, np.nan])
    np.testing.assert_array_equal(closing_zeros_absent(np.array([[0.0, 0.0]]))[0], [np.nan, np.nan])


def test_the_price_of_a_week_is_what_was_paid_and_stays_until_the_next_sale() -> None:
    frame = sales([("a", "2024-01-01", 2), ("a", "2024-01-15", 1)]).assign(revenue=[30.0, 8.0])
    np.testing.assert_allclose(build_panel(frame, "week").price[0], [15, 15, 8])


def test_the_scale_of_mase_is_the_seasonal_naive_error_as_a_loop_finds_it(seasonal: Panel) -> None:
    units = seasonal.units[3]
    steps = [abs(units[t] - units[t - 52]) for t in range(52, len(units))]
    assert naive_scale(seasonal)[3] == pytest.approx(np.mean(steps))


def test_series_are_told_apart_by_length_and_by_weeks_between_sales() -> None:
    units = np.full((3, 30), np.nan)
    units[0] = 5
    units[1] = np.where(np.arange(30) % 3 == 0, 2.0, 0.0)
    units[2, -6:] = 4
    assert [CLASSES[kind] for kind in classify(panel_of(units))] == ["smooth", "intermittent", "short"]


def test_recent_level_skips_gaps() -> None:
    units = np.array([[100.0, 2.0, np.nan, 4.0]])
    assert recent_level(panel_of(units), periods=2)[0] == pytest.approx(3.0)


def test_lost_demand_lies_between_its_neighbours_and_is_never_below_sales() -> None:
    rebuilt = reconstruct(np.array([10.0, 1.0, 0.0, 40.0, 20.0]), np.array([True, False, False, True, True]))
    np.testing.assert_allclose(rebuilt, [10, 20, 30, 40, 20])
    high = reconstruct(np.array([10.0, 50.0, 10.0]), np.array([True, False, True]))
    assert high[1] == 50


def test_the_pooled_season_finds_the_wave_that_made_the_sales(seasonal: Panel) -> None:
    truth = 0.5 * np.sin(2 * np.pi * np.arange(156, 208) / 52)
    found = pooled_season(seasonal, 52)[:, 156:].mean(axis=0)
    assert np.corrcoef(found, truth)[0, 1] > 0.98
    assert found.max() == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("name", sorted(MEMBERS))
def test_every_member_forecasts_what_it_should(name: str, seasonal: Panel) -> None:
    member: Callable[[Panel, int], np.ndarray] = MEMBERS[name]
    made = member(seasonal.until(130), 8)
    assert made.shape == (40, 8)
    assert np.isfinite(made).all()
    assert (made >= 0).all()
    flat = member(panel_of(np.full((12, 60), 7.0)), 4)
    np.testing.assert_allclose(flat, 7.0, rtol=0.15)
    gone = seasonal.units.copy()
    gone[:5, :] = np.nan
    gone[:5, -3:] = 2.0
    assert np.isfinite(member(panel_of(gone), 5)).all()


def test_the_seasonal_naive_repeats_the_last_year(seasonal: Panel) -> None:
    made = local.seasonal_naive(seasonal, 60)
    np.testing.assert_array_equal(made[:, :52], seasonal.units[:, 104:156])
    np.testing.assert_array_equal(made[:, 52:], seasonal.units[:, 104:112])


def test_croston_spreads_regular_lumps_over_the_weeks_between() -> None:
    lumps = np.where(np.arange(52) % 4 == 0, 8.0, 0.0)[None, :]
    interval = 1.0
    for _ in range(12):  # thirteen lumps, four weeks apart; smoothing constant 0.1
        interval += 0.1 * (4 - interval)
    # Syntetos-Boylan takes half the smoothing constant off size over interval.
    assert local.croston(panel_of(lumps), 3)[0, 0] == pytest.approx(0.95 * 8 / interval)


def test_the_linear_model_separates_price_and_promotion() -> None:
    rng = np.random.default_rng(0)
    price = np.where(np.arange(120) % 10 < 2, 8.0, 10.0)[None, :]
    promotion = (np.arange(120) % 15 == 0).astype(float)[None, :]
    units = 20 * (price / 10) ** -2 * np.exp(0.6 * promotion) * np.exp(rng.normal(0, 0.05, (1, 120)))
    panel = panel_of(units, price, promotion)
    cheap = local.linear_terms(panel, 0, 4, price=8.0)
    usual = local.linear_terms(panel, 0, 4, price=10.0)
    offered = local.linear_terms(panel, 0, 4, price=10.0, promotion=1.0)
    assert cheap is not None
    assert usual is not None
    assert offered is not None
    gain = np.expm1(sum(cheap.values())) / np.expm1(sum(usual.values()))
    assert gain[0] == pytest.approx(0.8**-2, rel=0.15)
    lift = np.expm1(sum(offered.values())) / np.expm1(sum(usual.values()))
    assert lift[0] == pytest.approx(np.exp(0.6), rel=0.2)


def test_contributions_add_up_to_the_forecast(seasonal: Panel) -> None:
    learned = fit_trees(seasonal, 6)
    assert learned is not None
    parts = contributions(learned, seasonal, 7)
    made = predict_trees(learned, seasonal)[7] / recent_level(seasonal)[7]
    np.testing.assert_allclose(np.exp(parts.sum(axis=1)), made, rtol=1e-6)


def test_a_planned_price_changes_what_the_trees_say() -> None:
    rng = np.random.default_rng(2)
    price = 10 * np.exp(rng.choice([0.0, -0.3], (40, 120), p=[0.7, 0.3]))
    units = rng.poisson(30 * (price / 10) ** -2.5)
    panel = panel_of(units, price)
    learned = fit_trees(panel, 4)
    assert learned is not None
    none = np.zeros((40, 4))
    cut = predict_trees(learned, panel, Planned(np.full((40, 4), 7.4), none)).sum()
    kept = predict_trees(learned, panel, Planned(np.full((40, 4), 10.0), none)).sum()
    assert cut > 1.4 * kept


def test_the_contest_beats_the_seasonal_naive_and_covers_what_comes(seasonal: Panel) -> None:
    known = seasonal.until(132)
    contest = run_contest(known, 8, origins=3)
    made = forecast(known, 8, contest)
    actual = seasonal.units[:, 132:140]
    error = np.abs(made.quantiles[..., 1] - actual).mean()
    naive = np.abs(local.seasonal_naive(known, 8) - actual).mean()
    assert error < 0.9 * naive
    assert contest.champion(0) != "seasonal_naive"
    inside = (actual >= made.quantiles[..., 0]) & (actual <= made.quantiles[..., 2])
    assert 0.70 <= inside.mean() <= 0.95
    np.testing.assert_allclose(contest.weights.sum(axis=1), 1)


def test_without_enough_history_the_contest_still_gives_a_forecast() -> None:
    short = panel_of(np.array([[4.0, 5.0, 6.0, 5.0, 4.0]] * 3))
    made = forecast(short, 6, run_contest(short, 6))
    np.testing.assert_allclose(made.quantiles[..., 1], 5, atol=1.5)


def test_a_blend_is_preferred_to_a_winner_by_a_hair() -> None:
    rng = np.random.default_rng(3)
    actual = np.full((200, 4), 10.0)
    noise = rng.normal(0, 2, (3, 200, 4))
    weights = choose_weights(actual + noise, actual, np.ones(200), ["a", "b", "c"])
    assert (weights > 0).sum() == 3


def test_conformal_intervals_cover_exchangeable_errors_as_promised() -> None:
    rng = np.random.default_rng(4)
    past = np.column_stack([rng.laplace(0, 1, 500), np.zeros(500)])
    contest = Contest(("average",), np.ones((3, 1)), np.ones((3, 1)), {0: past})
    point = np.full((4000, 1), 100.0)
    kinds = np.zeros(4000, dtype=np.int64)
    bounds = conformal_quantiles(point, np.full(4000, 3.0), kinds, contest)
    came = 100 + 3 * rng.laplace(0, 1, 4000)
    inside = (came >= bounds[:, 0, 0]) & (came <= bounds[:, 0, 2])
    assert inside.mean() == pytest.approx(0.8, abs=0.04)


def test_groups_sum_points_and_add_independent_spreads_in_squares() -> None:
    quantiles = np.array([[[7.0, 10.0, 14.0]], [[6.0, 10.0, 13.0]], [[1.0, 2.0, 3.0]]])
    total = bottom_up(quantiles, np.array([0, 0, 1]), 2)
    np.testing.assert_allclose(total[0, 0], [20 - 5, 20, 20 + 5])
    np.testing.assert_allclose(total[1, 0], [1, 2, 3])


@pytest.mark.slow
def test_the_lstm_learns_a_level_and_needs_no_torch_until_called(seasonal: Panel) -> None:
    made = lstm(seasonal.until(132), 8, epochs=3)
    error = np.abs(made - seasonal.units[:, 132:140]).mean()
    assert error < 0.4 * seasonal.units[:, 132:140].mean()


def test_the_stability_index_is_zero_for_the_same_and_large_for_a_shift() -> None:
    rng = np.random.default_rng(5)
    old = rng.normal(0, 1, 5000)
    assert stability_index(old, rng.normal(0, 1, 5000)) < 0.02
    assert stability_index(old, rng.normal(1, 1, 5000)) > 0.5


def test_page_hinkley_sounds_soon_after_a_jump_and_seldom_without() -> None:
    rng = np.random.default_rng(6)
    quiet = [page_hinkley(rng.normal(0, 0.3, 60)) for _ in range(100)]
    assert sum(at is not None for at in quiet) <= 10
    jumps = [page_hinkley(np.concatenate([rng.normal(0, 0.3, 30), rng.normal(1.5, 0.3, 30)])) for _ in range(50)]
    assert all(at is not None and 30 <= at <= 45 for at in jumps)


def test_feedback_moves_weight_to_the_method_that_was_right() -> None:
    actual = np.full((20, 10), 10.0)
    made = {"good": actual + 0.1, "bad": actual + 3.0}
    rng = np.random.default_rng(7)
    inputs = {"price": (rng.normal(0, 1, 500), rng.normal(2, 1, 500)), "units": (rng.normal(0, 1, 500),) * 2}
    said = take_in(made, actual, np.ones(20), {"good": 0.5, "bad": 0.5}, inputs)
    assert said.after["good"] > 0.9
    assert sum(said.after.values()) == pytest.approx(1)
    assert set(said.shifted) == {"price"}
    assert any("good was closest" in line for line in said.lines())
