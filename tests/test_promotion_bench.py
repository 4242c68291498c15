"""The promotion benchmark: its layout, its rivals, and a made-up test whose answer is known."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.experiment import encode, read_experiment, rfm_score
from benchmarks.promotion import main
from shop.errors import BadInput


def write(folder: Path, n: int = 1500, effect: float = 0.5) -> Path:
    """Two arms; the first moves who has a high `taste`, the second nobody."""
    rng = np.random.default_rng(0)
    taste, recency = rng.random(n), rng.integers(1, 13, n)
    arm = rng.choice(["none", "mail", "call"], n)
    visit = (rng.random(n) < 0.2 + effect * (taste > 0.6) * (arm == "mail")).astype(int)
    frame = pd.DataFrame({"customer": np.arange(n), "treatment": arm, "visit": visit, "taste": taste})
    frame["recency"], frame["zip"] = recency, rng.choice(["Urban", "Rural"], n)
    frame.to_csv(folder / "experiment.csv", index=False)
    (folder / "meta.json").write_text(json.dumps({"outcomes": ["visit"], "control": "none"}))
    return folder


def test_layout_is_read(tmp_path: Path) -> None:
    test = read_experiment(write(tmp_path))
    assert test.arms == ("call", "mail")
    assert set(np.unique(test.arm)) == {0, 1, 2}
    assert test.features.shape == (1500, 4)
    assert test.rfm is not None


def test_features_and_rfm() -> None:
    frame = pd.DataFrame({"recency": [1, 9], "history": [50.0, 5.0], "city": ["A", "B"]})
    assert encode(frame).shape == (2, 4)
    score = rfm_score(frame)
    assert score is not None
    assert score[0] > score[1]
    assert rfm_score(frame[["city"]]) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"outcomes": []}, "outcomes"),
        ({"outcomes": ["sale"]}, "column sale is missing"),
        ({"control": "nobody"}, "has no 'nobody'"),
    ],
)
def test_a_broken_folder_gets_one_sentence(tmp_path: Path, change: dict[str, object], said: str) -> None:
    write(tmp_path, 60)
    meta = {"outcomes": ["visit"], "control": "none"} | change
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(BadInput, match=said):
        read_experiment(tmp_path)


def test_no_folder_is_asked_for() -> None:
    with pytest.raises(BadInput, match="--data"):
        main()


@pytest.mark.slow
def test_targeting_finds_who_is_moved(tmp_path: Path) -> None:
    found = main(write(tmp_path, 3000), seeds=1)
    rows = {(r["method"], r["metric"], r.get("share"), r.get("arm")): r for r in found["results"]}
    gain = rows["debut", "gain_over_random", 0.3, None]
    assert gain["low"] > 0
    assert rows["debut", "qini", None, "mail"]["low"] > 0
    assert abs(rows["random", "qini", None, "mail"]["value"]) < 0.02
    assert rows["debut", "qini", None, "mail"]["value"] > rows["rfm", "qini", None, "mail"]["value"]
    # At equal shares everybody's value lies between treating nobody and the best that could be.
    assert rows["treat_none", "policy_value", 0.0, None]["value"] < rows["debut", "policy_value", 0.3, None]["value"]


def test_the_published_file_is_known(shared_data: Path) -> None:
    test = read_experiment(shared_data / "hillstrom_email")
    assert test.arms == ("Mens E-Mail", "Womens E-Mail")
    assert list(test.outcomes) == ["visit", "conversion", "spend"]
