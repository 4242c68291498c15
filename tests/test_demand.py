"""Demand: panels, series, forecasters and their contest, against closed forms, naive loops and known worlds."""

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from tools.demand import local
from tools.demand.contest import MEMBERS, Contest, cell_shares, choose_weights, forecast, run_contest
from tools.demand.drift import page_hinkley, stability_index, take_in
from tools.demand.intervals import bottom_up, conformal_quantiles, make_scores, stretch_of, weighted_quantile
from tools.demand.methods import CODEC, Methods
from tools.demand.neural import lstm
from tools.demand.panel import Panel, build_panel, closing_zeros_absent
from tools.demand.series import CLASSES, classify, naive_scale, pooled_season, recent_level, reconstruct
from tools.demand.trees import KINDS, Learned, Planned, contributions, fit_trees, predict_trees
from tools.demand.why import explain, shared_logs

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


@pytest.fixture(scope="module")
def taught(seasonal: Panel) -> tuple[Contest, dict[str, Learned | None]]:
    """What two origins of the seasonal panel teach."""
    return run_contest(seasonal, 13, origins=2), {kind: fit_trees(seasonal, 13, kind) for kind in KINDS}


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


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_contributions_of_the_trees_add_up_to_what_they_predict(kind: str, seasonal: Panel) -> None:
    learned = fit_trees(seasonal, 6, kind)
    assert learned is not None
    raw = sum(contributions(learned, seasonal, 6).values())
    made = predict_trees(learned, seasonal, 6)
    base = local.average(seasonal, 6) if kind == "hybrid" else 0.0
    multiple = np.exp(raw) if kind == "boost" else raw
    np.testing.assert_allclose(base + multiple * recent_level(seasonal)[:, None], made, rtol=1e-6)


@pytest.mark.slow
def test_the_drivers_of_a_forecast_add_up_to_it_and_name_the_season(
    seasonal: Panel, taught: tuple[Contest, dict[str, Learned | None]]
) -> None:
    contest, models = taught
    made = forecast(seasonal, 13, contest, models, np.array([7]))
    parts = explain(seasonal, 7, made, models)
    np.testing.assert_allclose(sum(parts.values()), made.quantiles[0, :, 1], rtol=1e-9)
    # The wave that made the sales is above its mean for the whole quarter ahead.
    assert parts["season"].mean() > 0.1 * made.quantiles[0, :, 1].mean()
    assert abs(parts["promotion"]).max() < 0.05 * made.quantiles[0, :, 1].mean()


def test_terms_added_in_logs_share_units_exactly() -> None:
    logs = {"a": np.array([0.5, 0.0]), "b": np.array([-0.2, 0.0])}
    start = np.array([10.0, 4.0])
    end = start * np.exp(sum(logs.values()))
    parts = shared_logs(logs, start, end)
    np.testing.assert_allclose(sum(parts.values()), end - start, atol=1e-12)
    assert parts["a"][0] / parts["b"][0] == pytest.approx(0.5 / -0.2)


def test_a_planned_price_changes_what_the_trees_say() -> None:
    rng = np.random.default_rng(2)
    price = 10 * np.exp(rng.choice([0.0, -0.3], (40, 120), p=[0.7, 0.3]))
    units = rng.poisson(30 * (price / 10) ** -2.5)
    panel = panel_of(units, price)
    learned = fit_trees(panel, 4)
    assert learned is not None
    none = np.zeros((40, 4))
    cut = predict_trees(learned, panel, 4, planned=Planned(np.full((40, 4), 7.4), none)).sum()
    kept = predict_trees(learned, panel, 4, planned=Planned(np.full((40, 4), 10.0), none)).sum()
    assert cut > 1.4 * kept


@pytest.mark.slow
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


@pytest.mark.slow
def test_one_series_is_forecast_as_it_is_among_all_and_comes_back_from_its_file(
    seasonal: Panel, taught: tuple[Contest, dict[str, Learned | None]]
) -> None:
    contest, models = taught
    every = forecast(seasonal, 8, contest, models)
    stored = json.loads(json.dumps(CODEC.write(Methods(13, contest, models, ("a", "b"), 40))))
    back = CODEC.read(stored)
    one = forecast(seasonal, 8, back.contest, back.models, np.array([11]))
    np.testing.assert_allclose(one.quantiles[0], every.quantiles[11])


def test_a_blend_is_preferred_to_a_winner_by_a_hair_and_a_clear_winner_to_a_blend() -> None:
    rng = np.random.default_rng(3)
    actual = np.full((200, 4), 10.0)
    noise = rng.normal(0, 2, (3, 200, 4))
    weights, error = choose_weights(actual + noise, actual, np.ones(200), ["a", "b", "c"])
    assert (weights > 0.2).all()
    assert error < np.abs(noise[0]).mean()
    good = np.stack([actual + 0.1, actual + 3, actual + 4])
    np.testing.assert_array_equal(choose_weights(good, actual, np.ones(200), ["a", "b", "c"])[0], [1, 0, 0])


def test_the_seasonal_naive_ships_where_nothing_beats_it() -> None:
    actual = np.full((50, 4), 10.0)
    made = np.stack([actual, actual + 1, actual + 2])
    weights, _ = choose_weights(made, actual, np.ones(50), ["seasonal_naive", "a", "b"])
    np.testing.assert_array_equal(weights, [1, 0, 0])


def test_a_trimmed_mean_is_what_a_loop_over_cells_finds() -> None:
    rng = np.random.default_rng(8)
    made, weights = rng.normal(0, 1, (5, 3, 2)), np.full(5, 0.2)
    blended = (cell_shares(made, weights) * made).sum(axis=0)
    for i in range(3):
        for h in range(2):
            _, second, middle, fourth, _ = np.sort(made[:, i, h])
            # 0.35 of the weight goes at either end: the extremes wholly, their neighbours by three quarters.
            assert blended[i, h] == pytest.approx((0.05 * second + 0.2 * middle + 0.05 * fourth) / 0.3)


def test_conformal_intervals_cover_exchangeable_errors_as_promised() -> None:
    rng = np.random.default_rng(4)
    came = rng.laplace(0, 1, (400, 3))
    scores = make_scores(np.zeros((400, 3)), came, np.ones(400), np.repeat([0, 1], 200))
    point = np.full((4000, 3), 100.0)
    bounds = conformal_quantiles(point, np.full(4000, 3.0), np.zeros(4000, dtype=np.int64), {0: scores})
    new = 100 + 3 * rng.laplace(0, 1, (4000, 3))
    inside = (new >= bounds[..., 0]) & (new <= bounds[..., 2])
    assert inside.mean() == pytest.approx(0.8, abs=0.04)


def test_bounds_stretch_where_origins_disagree_and_grow_beyond_the_backtest() -> None:
    rng = np.random.default_rng(9)
    shift = np.repeat([-1.0, 0.0, 1.0], 200)
    origin = np.repeat([0, 1, 2], 200)
    assert stretch_of(rng.normal(0, 0.3, 600), origin) < 1.15
    assert stretch_of(rng.normal(0, 0.3, 600) + shift, origin) > 1.3
    shrinking = rng.normal(0, 1, 600) * np.repeat([0.4, 0.7, 1.0], 200)
    assert stretch_of(shrinking, origin) < 0.95
    scores = make_scores(np.zeros((600, 4)), rng.normal(0, 1, (600, 4)), np.ones(600), origin)
    made = conformal_quantiles(np.full((1, 16), 50.0), np.ones(1), np.zeros(1, dtype=np.int64), {0: scores})
    width = made[0, :, 2] - made[0, :, 0]
    assert width[15] == pytest.approx(2 * width[3])


def test_a_weighted_quantile_counts_repeats() -> None:
    assert weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([1.0, 8.0, 1.0]), 0.5) == 1
    assert weighted_quantile(np.array([3.0, 1.0, 2.0]), np.ones(3), 0.5) == 2


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
    said = take_in(made, actual, np.ones(20), {"good": 0.5, "bad": 0.5})
    assert said.after["good"] > 0.9
    assert sum(said.after.values()) == pytest.approx(1)
    assert any("good was closest" in line for line in said.lines())
