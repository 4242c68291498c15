"""The price benchmark on made-up panels: layouts, truth, methods and refusals."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.price import main
from benchmarks.price_layout import load_panels, make_panel
from benchmarks.price_market import draw_market, market_results, on_sale, weekly_frame
from shop import BadInput
from shop.demo.catalogue import SMALL
from shop.demo.words import load


def rows(products: int = 4, stores: int = 3, weeks: int = 60, slope: float = -2.0, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    parts = []
    for product in range(products):
        cost = np.exp(1.0 + 0.1 * rng.normal(size=weeks).cumsum() / 5)
        for store in range(stores):
            promotion = rng.random(weeks) < 0.2
            price = 1.5 * cost * np.exp(rng.normal(0, 0.05, weeks) - 0.2 * promotion)
            mean = np.exp(4 + rng.normal(0, 0.3) + slope * np.log(price / 6) + 0.2 * promotion)
            parts.append(
                pd.DataFrame(
                    {
                        "product": f"P{product}",
                        "store": f"S{store}",
                        "date": pd.date_range("2023-01-02", periods=weeks, freq="7D"),
                        "units": rng.poisson(mean),
                        "price": price,
                        "cost": cost,
                        "promotion": promotion.astype(int),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows().to_csv(tmp_path / "panel.csv", index=False)
    meta = {"name": "made up", "test_from": "2023-11-06", "true_elasticity": -2.0}
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    return tmp_path


def test_the_report_has_every_method_and_metric(folder: Path) -> None:
    found = main(folder)
    assert found["bench"] == "price"
    results = pd.DataFrame(found["results"])
    assert {"debut", "naive_ols", "fixed_effects", "keep_price", "cost_plus", "oracle"} == set(results["method"])
    metrics = {"elasticity", "elasticity_bias", "sign_accuracy", "coverage", "profit_gain", "regret"}
    assert metrics <= set(results["metric"])
    debut = results[results["method"] == "debut"].set_index("metric")
    assert abs(debut.loc["elasticity_bias", "value"]) < 0.25
    assert debut.loc["sign_accuracy", "value"] == 1
    assert debut.loc["out_of_sample_error", "value"] < 1
    assert debut.loc["oracle_share", "value"] > 0.9
    products = results[results["product"].notna()]
    assert len(products) == 4
    assert (products["low"] < products["value"]).all()
    gains = results[results["metric"] == "profit_gain"].set_index("method")["value"]
    assert gains["oracle"] == gains.max()
    assert gains["keep_price"] == 0
    assert results.loc[(results["method"] == "oracle") & (results["metric"] == "regret"), "value"].item() == 0


def test_truth_by_product_and_without_stores_or_truth(tmp_path: Path) -> None:
    frame = rows(stores=1)
    named = make_panel("one", {"true_elasticity": {"P0": -2.0}}, frame.drop(columns="store"))
    assert named.truth == {"P0": -2.0}
    assert len(named.part(False)) + len(named.part(True)) == len(frame)
    frame[["product", "date", "units", "price"]].to_parquet(tmp_path / "panel.parquet")
    found = pd.DataFrame(main(tmp_path)["results"])
    assert set(found["method"]) == {"debut", "naive_ols", "fixed_effects"}
    assert (found["reference"].dropna() == "test period").all()


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda f: f.drop(columns="price"), "column price is missing"),
        (lambda f: f.assign(units="many"), "line 2: column units"),
        (lambda f: f.assign(date="someday"), "column date"),
        (lambda f: f.assign(price=-1.0), "positive price"),
    ],
)
def test_a_broken_panel_gets_one_sentence(folder: Path, break_it: object, says: str) -> None:
    break_it(rows()).to_csv(folder / "panel.csv", index=False)  # type: ignore[operator]
    with pytest.raises(BadInput, match=says):
        load_panels(folder)


@pytest.mark.parametrize(
    ("meta", "says"),
    [({"test_from": "1999-01-01"}, "test_from"), ({"true_elasticity": "steep"}, "true_elasticity")],
)
def test_broken_settings_get_one_sentence(meta: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        make_panel("x", meta, rows())


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no panel file"):
        load_panels(tmp_path)


def test_the_markets_frame_is_what_was_sold() -> None:
    words = load(small=True)
    items, market = draw_market(words, SMALL, 3)
    frame = weekly_frame(words, items, market)
    column = next(i for i, item in enumerate(items) if item.sku == frame["sku"].iloc[0])
    one = frame[frame["sku"] == items[column].sku]
    weekly = market.sold[:, column].reshape(-1, 7).sum(axis=1)
    assert one["units"].to_numpy() == pytest.approx(weekly[one["week"]])
    cases = on_sale(items, market)
    assert all(0 < case.cost < case.price for case in cases.values())
    assert all(case.truth < -1 for case in cases.values())


@pytest.mark.slow
def test_decisions_in_the_market_are_ordered() -> None:
    found = pd.DataFrame([r.as_json() for r in market_results(2)])
    share = found[(found["metric"] == "oracle_share") & (found["step"] == "10%")].set_index("method")["value"]
    assert share["oracle"] == pytest.approx(1)
    assert share["keep_price"] == 0
    assert share["debut"] > share["naive_ols"]
    assert share["debut"] > 0.6


@pytest.mark.slow
def test_the_public_panels_are_read(shared_data: Path) -> None:
    for name, count in (("avocado", 1), ("ecdat_panels", 5), ("scanner_pl", 1)):
        panels = load_panels(shared_data / name)
        assert len(panels) == count
        assert all((panel.rows["price"] > 0).all() and panel.truth is None for panel in panels)
