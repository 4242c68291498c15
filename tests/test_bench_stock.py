"""The stock replay: a naive loop, no look ahead, equal fill rates, paths that hold what they promise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.stock import Terms, main
from benchmarks.stock_methods import debut, fixed_cover, oracle, z_sigma
from benchmarks.stock_replay import Array, Prices, Tally, World, at_fill, curve_of, replay
from shop import BadInput
from tools.inventory.paths import draw_paths, fit_paths, look

PRICES = Prices(holding=1.0, lost=5.0, order=2.0)


def lumpy(series: int = 40, periods: int = 70, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    level = rng.lognormal(2, 0.7, (series, 1)) * np.exp(np.cumsum(rng.normal(0, 0.05, (series, periods)), axis=1))
    return rng.poisson(level * rng.gamma(2, 0.5, (series, periods))).astype(float)


def world(demand: Array, lead: int = 2, review: int = 1) -> World:
    return World(demand, np.ones(len(demand)), 40, 46, lead, review, True)


@pytest.mark.parametrize(("lead", "review"), [(1, 1), (2, 1), (3, 2)])
def test_the_replay_matches_a_naive_loop(lead: int, review: int) -> None:
    demand = lumpy(6)
    demand[2, 50:53] = np.nan
    place = world(demand, lead, review)
    levels = np.array([20.0, 60.0])

    def up_to(t: int, on_hand: Array, due: Array) -> Array:
        return levels[:, None] - on_hand - due.sum(axis=2)

    tally = replay(place, up_to, 2, np.full(6, 30.0))
    for knob, level in enumerate(levels):
        for row in range(6):
            stock, orders, sold, held, lines = 30.0, {}, 0.0, 0.0, 0
            for t in range(40, 70):
                stock += orders.pop(t, 0.0)
                if (t - 40) % review == 0:
                    order = max(level - stock - sum(orders.values()), 0.0)
                    orders[t + lead] = orders.get(t + lead, 0.0) + round(order)
                    lines += t >= 46 and order > 0
                wanted = demand[row, t]
                served = 0.0 if np.isnan(wanted) else min(stock, wanted)
                if t >= 46 and not np.isnan(wanted):
                    sold += served
                    held += stock - served / 2
                stock -= served
            assert (tally.sold[knob, row], tally.stock[knob, row]) == pytest.approx((sold, held))
            assert tally.orders[knob, row] == lines


@pytest.mark.parametrize("method", ["cover", "sigma", "debut"])
def test_no_method_looks_ahead(method: str) -> None:
    demand = lumpy(30)
    other = demand.copy()
    other[:, 55:] = lumpy(30, seed=9)[:, 55:] * 7
    on_hand, due = np.full((16, 30), 12.0), np.full((16, 30, 1), 3.0)

    def order(units: Array) -> Array:
        place = world(units)
        decide, _ = {
            "cover": lambda: fixed_cover(place, 8),
            "sigma": lambda: z_sigma(place, 8),
            "debut": lambda: debut(place, 52),
        }[method]()
        return decide(55, on_hand, due)

    assert order(demand) == pytest.approx(order(other))


def test_the_oracle_serves_all_with_next_to_no_stock() -> None:
    place = world(lumpy())
    decide, knobs = oracle(place)
    curve = curve_of(replay(place, decide, knobs, place.opening(8)), place, PRICES, 52.0)
    assert curve["fill_rate"][-1] == pytest.approx(1.0, abs=0.002)
    assert curve["turnover"][-1] > 60  # half a week of demand on hand at the most, but for what it opened with


def test_metrics_at_a_fill_rate_lie_between_the_runs_around_it() -> None:
    place = world(np.full((2, 70), 10.0))
    asked = np.full(2, 240.0)
    sold = np.array([[200.0, 200.0], [220.0, 240.0]])
    stock = np.array([[24.0, 24.0], [48.0, 96.0]])
    tally = Tally(sold, stock, np.full((2, 2), 24.0), asked, np.full(2, 24.0))
    found = at_fill(tally, place, (400 / 480 + 460 / 480) / 2, PRICES, 52.0)
    curve = curve_of(tally, place, PRICES, 52.0)
    for name, value in found.items():
        assert value == pytest.approx(curve[name].mean())
    assert curve["cost"].tolist() == [48 + 80 * 5 + 96, 144 + 20 * 5 + 96]
    assert np.isnan(at_fill(tally, place, 0.99, PRICES, 52.0)["stock"])
    twice = at_fill(tally, place, 0.9, PRICES, 52.0, np.array([2.0, 0.0]))
    assert twice["units_lost"] == pytest.approx(48.0)


@pytest.mark.slow
def test_paths_cover_what_they_say() -> None:
    demand = lumpy(150, 130, seed=3)
    seen = look(demand, 52, 3, 100)
    model = fit_paths(seen, 100, 3)
    inside = []
    for t in range(100, 127, 3):
        totals = draw_paths(model, seen, t, np.arange(150)).sum(axis=2)
        inside.append(demand[:, t : t + 3].sum(axis=1)[:, None] <= np.quantile(totals, (0.5, 0.8, 0.95), axis=1).T)
    assert np.concatenate(inside).mean(axis=0) == pytest.approx([0.5, 0.8, 0.95], abs=0.05)


def test_paths_need_a_window_that_is_over() -> None:
    with pytest.raises(ValueError, match="no window"):
        fit_paths(look(lumpy(5, 10), 52, 3, 10), 10, 3)


def folder(tmp_path: Path, demand: Array) -> Path:
    starts = pd.date_range("2024-01-01", periods=demand.shape[1], freq="7D")
    rows = [
        (f"p{i}", day, units, 5.0 + i % 3)
        for i, row in enumerate(demand)
        for day, units in zip(starts, row, strict=True)
    ]
    pd.DataFrame(rows, columns=["product", "date", "units", "price"]).to_csv(tmp_path / "sales.csv", index=False)
    meta = {"name": "made", "frequency": "week", "test_from": str(starts[46].date()), "horizon": 12}
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    return tmp_path


@pytest.mark.slow
def test_the_report_has_every_method_metric_and_curve(tmp_path: Path) -> None:
    found = main(folder(tmp_path, lumpy(60)), Terms(fills=(0.9,), ratios=(2.0, 10.0)))
    names = {(row["method"], row["metric"]) for row in found["results"]}
    methods = ("debut", "moving_average_fixed_cover", "moving_average_z_sigma", "oracle")
    assert {(m, x) for m in methods for x in ("turnover", "cost", "fill_rate", "stock", "units_lost")} <= names
    fills = [row["value"] for row in found["results"] if row["metric"] == "fill_rate"]
    assert fills == pytest.approx([0.9] * 4)
    assert {("debut", "turnover_gain"), ("debut", "cost_saving")} <= names
    assert all(len(found["curves"][method]) >= 10 for method in methods)
    stock = {row["method"]: row["value"] for row in found["results"] if row["metric"] == "stock"}
    assert stock["oracle"] < min(stock[method] for method in methods[:3])


@pytest.mark.parametrize(
    ("given", "says"),
    [({"lead_days": 0}, "at least one day"), ({"fills": (1.0,)}, "0.5 and 0.999"), ({"ratios": (0.0,)}, "above zero")],
)
def test_terms_that_make_no_sense_are_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        Terms(**given)  # type: ignore[arg-type]


def test_too_little_history_is_refused(tmp_path: Path) -> None:
    data = folder(tmp_path, lumpy(4, 60))
    meta = json.loads((data / "meta.json").read_text()) | {"test_from": "2024-02-05"}
    (data / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(BadInput, match="eight periods"):
        main(data)
