"""The forecast benchmark: its layout, its measures against hand-made cases, and both tasks on a made-up shop."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.accuracy import Forecasts, launch_results, pinball, poisson_floor, regret
from benchmarks.forecast import main
from benchmarks.layout import read_sales_data
from benchmarks.public import load
from shop.errors import BadInput
from tools.demand.panel import build_panel

META = {"name": "Toy", "frequency": "week", "test_from": "2023-03-06", "horizon": 12, "min_weeks_before_launch": 8}


def write(folder: Path, sales: pd.DataFrame, meta: dict[str, object] | None = None) -> Path:
    sales.to_csv(folder / "sales.csv", index=False)
    (folder / "meta.json").write_text(json.dumps(META if meta is None else meta))
    return folder


def toy(folder: Path, seed: int = 0) -> Path:
    """Sixty old products and ninety launches whose level follows their price and the noun in their name."""
    rng = np.random.default_rng(seed)
    rows, products = [], []
    weeks = pd.date_range("2022-01-03", periods=90, freq="7D")
    for number in range(150):
        noun, price = ["kettle", "lamp", "card"][number % 3], float(rng.choice([2, 5, 10, 20]))
        level = {"kettle": 20, "lamp": 60, "card": 150}[noun] * (price / 5) ** -0.7 * rng.lognormal(0, 0.3)
        start = 0 if number < 60 else int(rng.integers(9, 76))
        products.append({"product": f"P{number:03d}", "name": f"{noun} {number}", "list_price": price})
        for week in range(start, 90):
            rows.append((f"P{number:03d}", weeks[week].date(), int(rng.poisson(level))))
    frame = pd.DataFrame(rows, columns=["product", "date", "units"])
    pd.DataFrame(products).to_csv(folder / "products.csv", index=False)
    return write(folder, frame)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="units"), "sales.csv: column units is missing"),
        (lambda f: f.assign(units=["x", 1]), "sales.csv, line 2: column units has 'x'; a number is expected"),
        (lambda f: f.assign(date=["2023-01-02", "soon"]), "sales.csv, line 3: column date has 'soon'"),
        (lambda f: f.iloc[:0], "sales.csv has no rows"),
    ],
)
def test_a_broken_table_gets_one_sentence_with_file_column_and_expectation(tmp_path, change, words) -> None:
    good = pd.DataFrame({"product": ["a", "a"], "date": ["2023-01-02", "2023-05-01"], "units": [1, 2]})
    with pytest.raises(BadInput) as error:
        read_sales_data(write(tmp_path, change(good)))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"frequency": "hour"}, '"frequency" must be "day", "week" or "month"'),
        ({"test_from": "soon"}, '"test_from" must be a day'),
        ({"test_from": "2030-01-01"}, "must lie inside the sales"),
        ({"horizon": 0}, '"horizon" must be a whole number above zero'),
    ],
)
def test_broken_settings_are_named(tmp_path: Path, change: dict[str, object], words: str) -> None:
    good = pd.DataFrame({"product": ["a", "a"], "date": ["2023-01-02", "2023-05-01"], "units": [1, 2]})
    with pytest.raises(BadInput, match=r"meta\.json") as error:
        read_sales_data(write(tmp_path, good, META | change))
    assert words in str(error.value)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no meta\.json"):
        read_sales_data(tmp_path)


def test_measures_of_a_case_worked_by_hand() -> None:
    actual = np.array([[10.0, 0.0, np.nan], [5.0, 5.0, 10.0]])
    made = Forecasts(np.array([[8.0, 2.0, 9.0], [5.0, 10.0, 5.0]]))
    rows = launch_results("m", made, actual, np.ones(2), np.ones(2) * 0.5, "all")
    found = {row.metric: row.value for row in rows}
    # The absent week of the first launch is neither an error nor a sale.
    assert found["wape_total_12w"] == pytest.approx(0 / 30)
    assert found["bias_12w"] == pytest.approx(0)
    wide = np.tile(actual[1], (1, 4))
    again = launch_results("m", Forecasts(wide + 1), wide, np.ones(1), np.ones(1), "all")
    found = {row.metric: row.value for row in again}
    assert found["wape_12w"] == pytest.approx(12 / 80)
    assert found["wape_4w"] == pytest.approx(4 / 25)


def test_the_noise_floor_is_the_mean_deviation_of_a_poisson() -> None:
    draws = np.random.default_rng(0).poisson(3.7, 400_000)
    assert poisson_floor(np.array([3.7]))[0] == pytest.approx(np.abs(draws - 3.7).mean(), rel=0.01)
    assert poisson_floor(np.array([0.0]))[0] == 0


def test_pinball_is_least_at_the_quantile() -> None:
    came = np.random.default_rng(1).exponential(10, 20_000)
    grid = np.linspace(0, 60, 301)
    loss = [pinball(np.full(len(came), x), came, 0.9).mean() for x in grid]
    assert grid[int(np.argmin(loss))] == pytest.approx(np.quantile(came, 0.9), abs=0.5)


def test_regret_is_zero_for_the_right_buy_and_in_money_for_the_wrong_one() -> None:
    bounds = np.array([[100.0, 100.0, 100.0]])
    price, cost = np.array([10.0]), np.array([4.0])
    assert regret(bounds, np.array([100.0]), price, cost)[0] == pytest.approx(0, abs=1e-9)
    assert regret(bounds, np.array([110.0]), price, cost)[0] == pytest.approx(10 * 6)
    assert regret(bounds, np.array([90.0]), price, cost)[0] == pytest.approx(10 * 2)


@pytest.mark.slow
def test_launches_of_a_plain_world_are_forecast_better_than_by_the_median_curve(tmp_path: Path) -> None:
    report = main(toy(tmp_path), "launch")
    value = {(r["method"], r["metric"]): r["value"] for r in report["results"] if r.get("subset") == "scored"}
    assert value["debut", "wape_total_12w"] < 0.8 * value["median_curve", "wape_total_12w"]
    assert value["debut", "wape_12w"] < 0.94 * value["median_curve", "wape_12w"]
    assert 0.6 <= value["debut", "coverage_80_total"] <= 0.97
    methods = {r["method"] for r in report["results"]}
    assert {"debut", "mean_curve", "price_tier_median", "analogues", "auto_ets", "auto_arima", "lightgbm"} <= methods
    assert {r["subset"] for r in report["results"]} == {"scored", "all"}
    json.dumps(report)


@pytest.mark.slow
def test_a_launch_forecast_uses_nothing_later_than_its_own_day(tmp_path: Path) -> None:
    from benchmarks.forecast import market_of
    from tools.launch.evidence import Rules
    from tools.launch.replay import replay

    market, *_ = market_of(load(toy(tmp_path)), None)
    whole = {int(b.rows[0]): b for b in replay(market, Rules())}
    last = max(whole.values(), key=lambda b: b.origin)
    changed = market.panel.units.copy()
    changed[:, last.origin :] *= 50
    other = replace(market, panel=replace(market.panel, units=changed))
    again = next(b for b in replay(other, Rules()) if b.origin == last.origin)
    np.testing.assert_allclose(again.made.weekly, last.made.weekly)


@pytest.mark.slow
def test_history_reports_every_method_and_debut_is_no_worse_than_seasonal_naive(tmp_path: Path) -> None:
    meta = META | {"horizon": 6}
    folder = toy(tmp_path)
    (folder / "meta.json").write_text(json.dumps(meta))
    report = main(folder, "history", series=25)
    mase = {r["method"]: r["value"] for r in report["results"] if r["metric"] == "mase"}
    assert mase["debut"] < 0.9 * mase["seasonal_naive"]
    assert set(mase) >= {"debut", "seasonal_naive", "auto_ets", "auto_arima", "lightgbm"}


def test_a_test_without_launches_says_what_to_change(tmp_path: Path) -> None:
    weeks = pd.date_range("2022-01-03", periods=70, freq="7D")
    frame = pd.DataFrame({"product": "a", "date": weeks, "units": 3})
    with pytest.raises(BadInput, match="no launch from"):
        main(write(tmp_path, frame), "launch")


def test_the_gift_shop_holds_the_launches_that_its_readme_counts(shared_data: Path) -> None:
    data = load(shared_data / "online_retail_ii")
    first = build_panel(data.sales, "week").first
    assert 600 <= ((first >= 8) & (first + 12 <= 53)).sum() <= 700
    assert data.sales["units"].min() > 0
