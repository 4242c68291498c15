"""The advertising benchmark: its layouts, its oracle against a grid, and a made-up mix whose truth is known."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.ads import _oracle, main, read_ads
from benchmarks.mix import Curve, drawn_truth, read_mixes, true_effect, true_value
from shop.errors import BadInput
from tools.advertising.response import adstock

TRUTH = {
    "tv": {"carry_over": 0.5, "strength": 400.0, "half": 120.0},
    "web": {"carry_over": 0.1, "strength": 100.0, "rate": 0.02},
}


def write(folder: Path, weeks: int = 120) -> Path:
    rng = np.random.default_rng(0)
    spend = rng.gamma(1.5, 60.0, (weeks, 2)) * (rng.random((weeks, 2)) < 0.7)
    truth = (Curve(0.5, 400.0, half=120.0), Curve(0.1, 100.0, rate=0.02))
    frame = pd.DataFrame({"date": pd.date_range("2022-01-03", periods=weeks, freq="7D"), "tv": spend[:, 0]})
    frame["web"] = spend[:, 1]
    frame["event"] = rng.choice(["no", "fair"], weeks, p=[0.9, 0.1])
    frame["sales"] = 1000 + true_effect(truth, spend) + 80 * (frame["event"] == "fair") + rng.normal(0, 20, weeks)
    frame.to_csv(folder / "mix.csv", index=False)
    meta = {"target": "sales", "channels": ["tv", "web"], "controls": ["event"], "truth": TRUTH}
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


def test_layout_and_truth_are_read(tmp_path: Path) -> None:
    mix = read_mixes(write(tmp_path))[0]
    assert mix.channels == ("tv", "web")
    assert mix.truth == (Curve(0.5, 400.0, half=120.0), Curve(0.1, 100.0, rate=0.02))
    assert mix.nuisance.shape[0] == 120


def test_a_truth_of_another_shape_is_left_out(tmp_path: Path) -> None:
    write(tmp_path)
    meta = json.loads((tmp_path / "meta.json").read_text()) | {"truth": {"tv": 1.2, "web": 0.8}}
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    assert read_mixes(tmp_path)[0].truth is None


def test_a_broken_folder_gets_one_sentence(tmp_path: Path) -> None:
    write(tmp_path)
    meta = json.loads((tmp_path / "meta.json").read_text()) | {"channels": ["tv", "radio"]}
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(BadInput, match="column radio is missing"):
        read_mixes(tmp_path)
    with pytest.raises(BadInput, match="--data"):
        main()


def test_a_logistic_curve_is_the_one_it_says() -> None:
    x = np.array([0.5, 2.0])
    np.testing.assert_allclose(Curve(0.0, 3.0, rate=4.0).at(x), 3 * (1 - np.exp(-4 * x)) / (1 + np.exp(-4 * x)))


def test_the_oracle_is_the_best_of_a_grid() -> None:
    truth = (Curve(0.2, 100.0, half=50.0, shape=1.6), Curve(0.0, 80.0, rate=0.02))
    caps = np.array([300.0, 300.0])
    plan = _oracle(truth, 200.0, caps)
    grid = max(true_value(truth, np.array([x, 200 - x])) for x in np.linspace(0, 200, 2001))
    assert true_value(truth, plan) == pytest.approx(grid, rel=1e-4)
    assert plan.sum() == pytest.approx(200.0)


def test_drawn_truths_bring_a_tenth_to_a_third_of_the_target(tmp_path: Path) -> None:
    mix = read_mixes(write(tmp_path))[0]
    for seed in range(5):
        truth = drawn_truth(mix, np.random.default_rng(seed))
        assert 0.1 < true_effect(truth, mix.spend).mean() / mix.target.mean() < 0.35
        assert adstock(mix.spend[:, 0], truth[0].carry).max() <= mix.spend.max()


def test_a_known_mix_is_split_better_than_evenly(tmp_path: Path) -> None:
    found = main(write(tmp_path), seeds=2)
    rows = {(r["method"], r["metric"], r.get("truth"), r.get("target")): r["value"] for r in found["results"]}
    share = ("share_of_oracle", "published", "published")
    assert rows["oracle", *share] == pytest.approx(1.0)
    assert rows["equal_split", *share] < rows["debut", *share] <= 1.0 + 1e-6
    wape = ("wape_held_out", None, None)
    assert rows["debut", *wape] < rows["no_media", *wape]


@pytest.mark.slow
def test_ads_are_scored(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 200
    place, shown = rng.choice(["top", "side"], n), rng.integers(1000, 9000, n)
    clicks = rng.binomial(shown, np.where(place == "top", 0.03, 0.01))
    frame = pd.DataFrame({"ad_id": np.arange(n), "place": place, "impressions": shown, "clicks": clicks})
    frame["conversions"], frame["spend"] = rng.binomial(clicks, 0.1), clicks * 0.5
    frame.to_csv(tmp_path / "ads.csv", index=False)
    (tmp_path / "meta.json").write_text("{}")
    read = read_ads(tmp_path)
    assert read is not None
    assert "ad_id" not in read
    rows = {(r["method"], r["metric"], r["rate"]): r["value"] for r in main(tmp_path)["results"]}
    assert rows["debut", "auroc", "ctr"] > 0.6
    assert rows["debut", "calibration", "ctr"] == pytest.approx(1.0, abs=0.03)
    assert rows["debut", "log_loss", "ctr"] < rows["mean", "log_loss", "ctr"]


def test_the_published_sets_are_known(shared_data: Path) -> None:
    names = [
        mix.name for folder in ("mmm_robyn", "mmm_meridian", "mmm_pymc") for mix in read_mixes(shared_data / folder)
    ]
    assert names == ["Robyn", "Meridian, regions", "Meridian, national", "PyMC"]
    assert read_ads(shared_data / "facebook_ads") is not None
