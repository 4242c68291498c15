"""The parts of the launch forecast: against closed forms, published fits, and worlds whose truth is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.optimize import approx_fprime

from tools.demand.panel import Array, Panel
from tools.launch.combine import BOUNDS, LEVELS, Record, learn, make, total_at
from tools.launch.diffusion import USUAL, bass, fit, fit_classic, shared_prior, trapezoid
from tools.launch.draws import spread_over_weeks, total_draws
from tools.launch.effects import expect, past_effects
from tools.launch.evidence import Rules, gather, shelf_signal
from tools.launch.kriging import PRIOR, _evidence_cost, _noise, _pairs, fit_kriging
from tools.launch.market import Market, carried_demand, make_market
from tools.launch.pictures import picture_vectors
from tools.launch.update import learn_update

WEEKS = 80


def market(seed: int = 0, taken: float = 0.0) -> Market:
    """Sixty old products and sixty launches of three kinds; each launch takes `taken` of its kind's old sales."""
    rng = np.random.default_rng(seed)
    kinds = ["kettle", "lamp", "card"]
    units = np.full((120, WEEKS), np.nan)
    launched = np.full(120, -1)
    launched[60:] = rng.integers(10, 75, 60)
    for row in range(120):
        level = [20.0, 60.0, 150.0][row % 3] * rng.lognormal(0, 0.2)
        start = max(launched[row], 0)
        units[row, start:] = rng.poisson(level, WEEKS - start)
    if taken:
        for row in range(60, 120):
            beside = np.flatnonzero((np.arange(120) % 3 == row % 3) & (launched < 0))
            units[beside, launched[row] :] *= 1 - taken
    frame = pd.DataFrame(
        {
            "sku": [f"P{i:03d}" for i in range(120)],
            "text": [f"{kinds[i % 3]} in {kinds[i % 3]} style" for i in range(120)],
            "category": [kinds[i % 3] for i in range(120)],
            "price": 10.0,
        }
    )
    starts = pd.date_range("2022-01-03", periods=WEEKS, freq="7D")
    blank = np.full(units.shape, np.nan)
    panel = Panel(tuple(frame["sku"]), starts, units, blank, np.zeros(units.shape), "week")
    return make_market(panel, frame, launched.astype(np.int64))


def record(rows: int = 80, seed: int = 1) -> Record:
    """Launches whose level was forecast with a log error of 0.5 that lasts, and weeks with one of 0.2."""
    rng = np.random.default_rng(seed)
    point = rng.lognormal(3, 0.5, (rows, 1)) * np.linspace(1.3, 0.7, 12)
    actual = point * np.exp(rng.normal(0, 0.5, (rows, 1)) + rng.normal(0, 0.2, (rows, 12)))
    units = {"a": point, "b": point * np.exp(rng.normal(0, 1.0, (rows, 1)))}
    spread = np.full(rows, 0.5)
    total = point.sum(axis=1)[:, None] * np.exp(np.array([-0.64, 0, 0.64]))
    weekly = point[..., None] * np.exp(np.array([-0.7, 0, 0.7]))
    return Record(units, spread, np.arange(rows, dtype=np.int64) // 2, actual, total, weekly)


# -- diffusion --------------------------------------------------------------------------------------------------------


def test_bass_peaks_where_its_closed_form_says() -> None:
    p, q = 0.03, 0.38
    units = bass(np.log([1000.0, p, q]), 400)
    assert units.sum() == pytest.approx(1000, rel=1e-6)
    fine = bass(np.log([1000.0, p / 100, q / 100]), 4000)
    assert np.argmax(fine) / 100 == pytest.approx(np.log(q / p) / (p + q), abs=0.02)


@pytest.mark.parametrize(
    ("series", "m", "p", "q"),
    [  # non-linear least squares as published: Mahajan, Mason & Srinivasan (1986)
        ("clothes_dryers_us_thousand", 16497, 0.0136, 0.3267),
        ("room_air_conditioners_us_thousand", 18713, 0.0094, 0.3748),
        ("color_tv_us_thousand", 39659, 0.0185, 0.6159),
    ],
)
def test_bass_fits_of_the_classic_series_are_those_published(
    shared_data: Path, series: str, m: float, p: float, q: float
) -> None:
    data = pd.read_csv(shared_data / "bass_diffusion" / "bass_classic.csv.gz")
    found = np.exp(fit_classic(data.loc[data["series"] == series, "value"].to_numpy()))
    assert found == pytest.approx([m, p, q], rel=0.01)


@pytest.mark.parametrize("curve", [bass, trapezoid])
def test_own_weeks_move_the_fit_from_the_prior_to_what_was_sold(curve) -> None:  # type: ignore[no-untyped-def]
    shapes = np.stack(
        [USUAL[curve].mean + np.random.default_rng(i).normal(0, 0.1, len(USUAL[curve].mean)) for i in range(10)]
    )
    prior = shared_prior(curve, shapes, np.ones(10), 240.0, 12)
    nothing = curve(fit(curve, np.full(12, np.nan), prior), 12)
    assert nothing.sum() == pytest.approx(240, rel=0.01)
    seen = np.full(12, np.nan)
    seen[0] = 3 * nothing[0]
    one = curve(fit(curve, seen, prior), 12).sum()
    seen[1:4] = 3 * nothing[1:4]
    four = curve(fit(curve, seen, prior), 12).sum()
    assert 240 < one < four <= 3.2 * 240


# -- combination, draws, update ---------------------------------------------------------------------------------------


def test_the_member_that_is_right_gets_the_weight_and_intervals_cover() -> None:
    known, new = record(), record(400, seed=2)
    recipe = learn(known, ("a", "b"), 40)
    assert recipe.weights["a"] > 0.7
    made = make(new.units, new.spread, recipe)
    total = new.actual.sum(axis=1)
    assert ((total >= made.total[:, 0]) & (total <= made.total[:, 2])).mean() == pytest.approx(0.8, abs=0.1)
    inside = (new.actual >= made.weekly[..., 0]) & (new.actual <= made.weekly[..., 2])
    assert inside.mean() == pytest.approx(0.8, abs=0.08)


def test_intervals_that_missed_of_late_are_stretched() -> None:
    known = record()
    narrow = replace(known, total=known.total[:, [1, 1, 1]] * np.exp([-0.1, 0, 0.1]))
    assert learn(narrow, ("a", "b"), 40).stretch[0] > 1.4 * learn(known, ("a", "b"), 40).stretch[0]


def test_draws_have_the_quantiles_of_the_forecast_and_add_up() -> None:
    known = record()
    recipe, rng = learn(known, ("a", "b"), 40), np.random.default_rng(0)
    units = {name: values[:1] for name, values in known.units.items()}
    point = recipe.point(units)
    total = total_draws(float(point.sum()), 0.5, recipe, 4000, rng)
    wanted = total_at(point.sum(axis=1), np.array([0.5]), recipe, BOUNDS)[0]
    assert np.quantile(total, BOUNDS) == pytest.approx(wanted, rel=0.01)
    weeks = spread_over_weeks(total, point[0], recipe, known, rng)
    assert weeks.sum(axis=1) == pytest.approx(total)


def test_an_error_that_lasts_is_carried_over_and_one_that_does_not_is_not() -> None:
    lasting = record()
    recipe = learn(lasting, ("a", "b"), 40)
    assert learn_update(lasting, recipe, 4, 40).pull > 0.8
    rng = np.random.default_rng(3)
    noise = replace(lasting, actual=lasting.units["a"] * np.exp(rng.normal(0, 0.6, lasting.actual.shape)))
    assert learn_update(noise, recipe, 4, 40).pull < 0.6
    assert np.diff(learn_update(lasting, recipe, 1, 40).scores).min() >= 0
    assert len(learn_update(None, recipe, 1, 40).scores) == len(LEVELS)


# -- kriging, market, effects, pictures -------------------------------------------------------------------------------


def test_the_gradient_of_the_evidence_is_that_of_finite_differences() -> None:
    known = market()
    evidence = gather(known, Rules())
    signal = shelf_signal(known, evidence)[known.closeness.at[evidence.rows]]
    pairs = _pairs(known, evidence.rows, evidence.rows, signal, signal)
    apart, noise = evidence.level - evidence.level.mean(), _noise(evidence.seen)

    def cost(p: Array) -> float:
        return _evidence_cost(dict(zip(PRIOR, np.exp(p), strict=True)), pairs, apart, noise)[0]

    at = np.log(np.array(list(PRIOR.values())))
    slope = _evidence_cost(PRIOR, pairs, apart, noise)[1]
    assert slope == pytest.approx(approx_fprime(at, cost, 1e-6), rel=1e-3, abs=1e-3)


def test_kriging_terms_add_up_and_know_the_kinds() -> None:
    known = market()
    evidence = gather(known, Rules())
    signal = shelf_signal(known, evidence)
    kriging = fit_kriging(known, evidence, signal[known.closeness.at[evidence.rows]], None, rounds=5)
    wider = known.planned("", "card in card style", "card", 10.0, WEEKS)
    row = np.array([120])
    found = kriging.predict(wider, row, shelf_signal(wider, evidence)[wider.closeness.at[row]])
    assert found.base + sum(float(term[0]) for term in found.terms.values()) == pytest.approx(float(found.mean[0]))
    assert np.exp(found.mean[0]) == pytest.approx(150 * 12, rel=0.35)


def test_weeks_out_of_stock_are_filled_from_the_past_alone() -> None:
    gap = np.array([[np.nan, 4.0, 8.0, np.nan, 100.0, np.nan, np.nan]])
    assert carried_demand(gap)[0, 3] == pytest.approx(6.0)
    assert np.isnan(carried_demand(gap)[0, [0, 5, 6]]).all()
    masked = np.isnan(gap)
    assert np.isfinite(carried_demand(gap, masked)[0, 1:]).all()


def test_what_launches_take_from_their_neighbours_is_found() -> None:
    plain = expect(past_effects(market()), market(), 100, np.random.default_rng(0))
    assert plain.change is not None
    assert plain.change[1] < 0 < plain.change[2] or abs(plain.change[0]) < 0.02
    robbed = market(taken=0.06)
    found = expect(past_effects(robbed), robbed, 100, np.random.default_rng(0))
    assert found.change is not None
    # Some eight weeks hold other launches of the kind, and some controls are of a kind that was robbed too.
    assert -0.25 < found.change[0] < -0.02
    assert found.change[2] < 0


def test_too_few_launches_say_nothing_of_neighbours() -> None:
    few = market()
    launched = np.where(np.arange(120) < 115, -1, few.launched)
    few = make_market(few.panel, few.frame, launched)
    found = expect(past_effects(few), few, 118, np.random.default_rng(0))
    assert found.change is None
    assert found.launches < 12


def test_pictures_alike_in_colour_are_near(tmp_path: Path) -> None:
    for name, colour in (("red", (200, 20, 20)), ("crimson", (210, 30, 25)), ("blue", (10, 20, 220))):
        Image.new("RGB", (80, 60), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_text("no picture")
    vectors = picture_vectors([str(tmp_path / f"{n}.png") for n in ("red", "crimson", "blue", "broken")])
    assert vectors is not None
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > 0.9 > likeness[0, 2]
    assert not vectors[3].any()
    assert picture_vectors(["", "nowhere.png"]) is None
