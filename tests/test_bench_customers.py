"""The customer benchmark: its layouts, its metrics, and made-up sets whose answer is known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from customer_sets import shoppers
from sklearn.metrics import roc_auc_score

from benchmarks.customers import fill, main
from benchmarks.customers_layout import Labels, Transactions, read_customers
from benchmarks.customers_value import auroc, decile_lift, spearman
from shop import Shop
from shop.errors import BadInput


def write(folder: Path, stem: str, frame: pd.DataFrame, meta: dict[str, Any]) -> Path:
    frame.to_csv(folder / f"{stem}.csv", index=False)
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


def labels(n: int = 800) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    recency, orders = rng.exponential(10, n), rng.poisson(4, n)
    odds = 0.15 * recency - 0.4 * orders + (rng.random(n) < 0.5) * 1.5
    churned = np.where(rng.random(n) < 1 / (1 + np.exp(-odds)), "Yes", "No")
    plan = rng.choice(["monthly", "yearly"], n)
    return pd.DataFrame(
        {
            "customer": [f"c{i}" for i in range(n)],
            "recency": recency,
            "orders": orders,
            "plan": plan,
            "churned": churned,
        }
    )


@pytest.mark.slow
def test_transactions_are_measured_with_every_rival(tmp_path: Path) -> None:
    write(tmp_path, "transactions", shoppers(700, 50), {"split_date": "2024-09-01", "predict_weeks": 12})
    found = main(tmp_path)
    rows = {(row["task"], row["method"], row["metric"]): row for row in found["results"]}
    for metric in ("mae", "spearman", "decile_lift", "holdout"):
        for method in ("debut", "linear", "rfm", "bg_nbd", "pareto_nbd", "two_stage"):
            row = rows["value", method, metric]
            assert row["low"] <= row["value"] <= row["high"]
    for metric in ("auroc", "pr_auc", "lift_10"):
        for method in ("debut", "rfm", "logistic", "lightgbm", "cox"):
            assert ("churn", method, metric) in rows
    assert ("churn", "rfm", "brier") not in rows  # a score is not a chance
    assert rows["value", "debut", "mae"]["value"] <= rows["value", "linear", "mae"]["value"]
    assert found["not_measured"] == []


@pytest.mark.slow
def test_labels_are_measured_on_rows_drawn_with_seed_0(tmp_path: Path) -> None:
    data = read_customers(write(tmp_path, "labels", labels(), {"test_share": 0.3}))[0]
    assert isinstance(data, Labels)
    assert data.test.sum() == 240
    assert set(np.flatnonzero(data.test)) == set(np.random.default_rng(0).permutation(800)[:240])
    assert data.rfm is not None
    assert data.features.shape[1] == 4  # recency, orders and two plans; an id is no feature
    rows = {(row["method"], row["metric"]): row["value"] for row in main(tmp_path)["results"]}
    assert rows["debut", "auroc"] > 0.7
    assert rows["debut", "lift_10"] >= rows["rfm", "lift_10"]


def test_without_a_split_the_last_weeks_are_the_test(tmp_path: Path) -> None:
    frame = shoppers(50, 30)
    data = read_customers(write(tmp_path, "transactions", frame, {"predict_weeks": 5, "observe_weeks": 10}))[0]
    assert isinstance(data, Transactions)
    assert data.split == frame["date"].max() + pd.Timedelta(days=1 - 35)
    assert data.since == data.split - pd.Timedelta(days=70)
    assert data.weeks == 5


def test_metrics_are_the_libraries() -> None:
    rng = np.random.default_rng(0)
    predicted, actual = rng.integers(0, 5, 200).astype(float), (rng.random(200) < 0.3).astype(float)
    assert auroc(predicted, actual) == pytest.approx(roc_auc_score(actual, predicted))
    assert spearman(predicted, actual) == pytest.approx(pd.Series(predicted).corr(pd.Series(actual), method="spearman"))
    assert decile_lift(np.zeros(200), actual) == pytest.approx(1.0)  # all tied: no lift
    assert decile_lift(actual, actual) == pytest.approx(1 / actual.mean())


@pytest.mark.parametrize(
    ("stem", "frame", "meta", "said"),
    [
        ("transactions", pd.DataFrame({"customer": [1], "date": ["2024-01-01"]}), {}, "column amount is missing"),
        ("labels", labels().assign(churned="maybe"), {}, "column churned has 'maybe'"),
        ("labels", labels(), {"test_share": 2}, "test_share"),
        ("transactions", shoppers(20, 20), {"split_date": "1999-01-01"}, "split_date"),
        ("others", pd.DataFrame({"a": [1]}), {}, "no transactions, labels or interactions"),
    ],
)
def test_a_broken_folder_gets_one_sentence(
    tmp_path: Path, stem: str, frame: pd.DataFrame, meta: dict[str, Any], said: str
) -> None:
    write(tmp_path, stem, frame, meta)
    with pytest.raises(BadInput, match=said):
        read_customers(tmp_path)


def test_neither_folder_nor_meta_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--data"):
        main()
    with pytest.raises(BadInput, match=r"meta\.json"):
        read_customers(tmp_path)


def test_a_set_too_small_is_named(tmp_path: Path) -> None:
    write(tmp_path, "transactions", shoppers(30, 30), {"predict_weeks": 8})
    found = main(tmp_path)
    assert len(found["not_measured"]) == 2
    assert found["results"] == []


def test_the_shop_of_the_speed_test_is_one(tmp_path: Path) -> None:
    from tools.customers import segment_customers

    url = f"sqlite:///{tmp_path / 'many.db'}"
    fill(url, 400)
    result = segment_customers.tool.run(Shop.open(url), {})  # type: ignore[attr-defined]
    assert result.figures[-2].id == "segments.customers"


def test_customers_are_read_alike_on_either_database(any_shop: Shop) -> None:
    from tools.customers.paths import read_visits
    from tools.customers.read import read_base

    fill(any_shop.engine.url.render_as_string(hide_password=False), 60)
    base = read_base(any_shop)
    assert len(base.known) == 60
    assert base.orders["amount"].sum() == pytest.approx(base.bought["amount"].sum())
    assert base.habits.notna().all(axis=None)
    assert read_visits(any_shop) == []


def test_public_sets_are_read(shared_data: Path) -> None:
    cdnow = read_customers(shared_data / "cdnow")[0]
    assert isinstance(cdnow, Transactions)
    assert cdnow.weeks == 39
    telco = read_customers(shared_data / "telco_churn")[0]
    assert isinstance(telco, Labels)
    assert telco.churned.mean() == pytest.approx(0.265, abs=0.01)
    assert telco.rfm is not None
