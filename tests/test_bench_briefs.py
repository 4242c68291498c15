"""The time machine: a shop built from a folder, briefs that see no later day, and money counted as by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import delete, update

from benchmarks.briefs import Terms, main, sampled
from benchmarks.briefs_money import first_buy_results, price_results, verdict_results
from benchmarks.briefs_shop import PastLaunch, build_shop, daily_rows, weeks_of, written_on
from benchmarks.briefs_write import KeptVectors, Planned, finished_launches, lacking, write_one
from benchmarks.layout import SalesData, make_sales_data, read_sales_data
from shop import BadInput, Shop
from shop import schema as t
from shop.database import insert_new

START = pd.Timestamp("2023-01-02")


def folder(path: Path, weeks: int = 70, launches: int = 26) -> Path:
    """Weekly sales of thirty old products and some launches, with names and categories."""
    rng = np.random.default_rng(5)
    sales, products = [], []
    for n in range(30 + launches):
        first = 0 if n < 30 else 10 + round((n - 30) * (weeks - 24) / launches)
        kind = ("Mugs", "Lamps")[n % 2]
        price, level = 5.0 + n % 7, rng.lognormal(2.2, 0.4)
        products.append({"product": f"P{n:02d}", "name": f"{kind} number {n}", "category": kind, "list_price": price})
        for week in range(first, weeks):
            units = int(rng.poisson(level * (1 + np.exp(-(week - first) / 3))))
            sales.append({"product": f"P{n:02d}", "date": START + pd.Timedelta(weeks=week), "units": units})
    path.mkdir()
    frame = pd.DataFrame(sales)
    frame["revenue"] = frame["units"] * frame["product"].map({row["product"]: row["list_price"] for row in products})
    frame.to_csv(path / "sales.csv", index=False)
    pd.DataFrame(products).to_csv(path / "products.csv", index=False)
    test_from = (START + pd.Timedelta(weeks=weeks - 18)).date().isoformat()
    meta = {"name": "made", "frequency": "week", "test_from": test_from, "horizon": 12, "min_weeks_before_launch": 8}
    (path / "meta.json").write_text(json.dumps(meta))
    return path


def data_of(sales: pd.DataFrame, frequency: str, products: pd.DataFrame | None = None) -> SalesData:
    days = sales["date"]
    meta = {"frequency": frequency, "test_from": str((days.min() + (days.max() - days.min()) / 2).date())}
    return make_sales_data("made", meta, sales, products)


# -- the shop ---------------------------------------------------------------------------------------------------------


def test_a_month_is_spread_over_its_days_to_the_unit() -> None:
    dates = pd.to_datetime(["2023-01-01", "2023-02-01", "2023-03-01"])
    sales = pd.DataFrame({"product": "A", "date": dates, "units": [100.0, 3.0, 0.0], "revenue": [250.5, 9.0, 0.0]})
    days = daily_rows(data_of(sales, "month"))
    months = days.groupby(days["day"].dt.month)[["units", "revenue_cents"]].sum()
    assert months["units"].tolist() == [100, 3, 0]
    assert months["revenue_cents"].tolist() == [25050, 900, 0]
    assert len(days) == 31 + 28 + 31
    assert days["units"].max() == 4


def test_a_week_stands_on_its_first_day_and_is_out_of_stock_on_all() -> None:
    dates = pd.to_datetime(["2023-01-02", "2023-01-09", "2023-01-09", "2023-01-16"])
    stores = ["x", "x", "y", "x"]
    sales = pd.DataFrame({"product": "A", "date": dates, "units": [5.0, 2.0, -3.0, 0.0], "store": stores})
    days = daily_rows(data_of(sales.assign(in_stock=[1, 1, 1, 0], price=2.0), "week"))
    assert days["day"].dt.day.tolist() == [2, 9, *range(16, 23)]
    assert days["units"].tolist() == [5, 0, *[0] * 7]
    assert days["in_stock"].tolist() == [True, True, *[False] * 7]
    weeks = weeks_of(days, date(2023, 1, 2))
    assert weeks[0] == 5
    assert np.isnan(weeks[1:]).all()  # after the last sale, and out of stock


def test_sales_alone_make_a_shop(tmp_path: Path) -> None:
    weeks = pd.date_range("2023-01-02", periods=40, freq="7D")
    old = pd.DataFrame({"product": "A", "date": weeks, "units": 3.0})
    new = pd.DataFrame({"product": "B", "date": weeks[24:], "units": 2.0})
    shop, launches = build_shop(data_of(pd.concat([old, new]), "week"), f"sqlite:///{tmp_path / 'shop.db'}")
    assert [(launch.sku, launch.name, launch.price, launch.attributes) for launch in launches] == [("B", "B", None, {})]
    assert launches[0].actual.tolist() == [2.0] * 12
    assert shop.products()["list_price"].isna().all()


def test_a_brief_is_written_before_the_period_it_could_look_into() -> None:
    launch = PastLaunch("A", "A", "", "", {}, 1.0, None, date(2023, 5, 1), np.ones(12))
    assert written_on(launch, 28, "day") == date(2023, 4, 3)
    assert written_on(launch, 30, "week") == date(2023, 5, 1) - timedelta(weeks=5)
    assert written_on(launch, 30, "month") == date(2023, 4, 1)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, list[PastLaunch]]:
    place = tmp_path_factory.mktemp("briefs")
    return build_shop(read_sales_data(folder(place / "data")), f"sqlite:///{place / 'shop.db'}")


def test_launches_are_the_first_sales_of_the_test(past: tuple[Shop, list[PastLaunch]]) -> None:
    shop, launches = past
    assert all(np.isfinite(launch.actual).all() for launch in launches)
    assert len(shop.products()) == 56
    assert shop.products()["launch_date"].notna().sum() == 26
    assert 2 <= len(launches) <= 6
    assert sampled(launches, 2) == sorted(sampled(launches, 2), key=lambda launch: launch.day)
    early = shop.as_of(launches[0].day)
    units, prices = finished_launches(early, "Mugs")
    assert len(units) == len(prices) >= 5
    over = [day for day in early.products("Mugs")["launch_date"].dropna() if (early.cutoff - day).days >= 83]
    assert len(units) <= len(over)


def test_a_text_is_encoded_once_however_many_days_ask_for_it() -> None:
    asked: list[str] = []

    class Lengths:
        picture_model = ""

        def vectors(self, texts: list[str]) -> np.ndarray:
            asked.extend(texts)
            return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)

    kept = KeptVectors(Lengths())  # type: ignore[arg-type]
    assert kept.vectors(["a", "bbb", "a"])[:, 0].tolist() == [1, 3, 1]  # type: ignore[index]
    assert kept.vectors(["cc", "bbb"])[:, 0].tolist() == [2, 3]  # type: ignore[index]
    assert asked == ["a", "bbb", "cc"]


# -- nothing later ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_brief_does_not_change_with_what_came_later(tmp_path: Path) -> None:
    _, launches = build_shop(read_sales_data(folder(tmp_path / "data", 52, 20)), f"sqlite:///{tmp_path / 'shop.db'}")
    launch = launches[0]
    day = written_on(launch, 28, "week")
    shops = {}
    for name in ("as it was", "shuffled", "gone"):
        shops[name], _ = build_shop(read_sales_data(folder(tmp_path / name, 52, 20)), f"sqlite:///{tmp_path / name}.db")
        # The data must not end earlier in one of them: a shop knows no more than its last day.
        eve = {"sku": "P00", "day": day - timedelta(days=1), "units": 0}
        with shops[name].begin() as connection:
            insert_new(connection, t.daily, [eve])
    later = t.daily.c.day >= day
    with shops["shuffled"].begin() as connection:
        connection.execute(update(t.daily).where(later).values(units=997, revenue_cents=1))
        connection.execute(update(t.products).where(t.products.c.launch_date >= day).values(name="Something else"))
    with shops["gone"].begin() as connection:
        connection.execute(delete(t.daily).where(later))
        connection.execute(delete(t.products).where(t.products.c.launch_date >= day))
    briefs = {name: write_one(shop.as_of(day), launch, 2.0, 28) for name, shop in shops.items()}
    first = briefs["as it was"]
    assert "reviews.count" in lacking(first)
    assert not [name for name in lacking(first) if name.startswith(("launch.", "price.", "buy.", "item."))]
    assert first.figures["launch.units_12w"].value is not None
    for name in ("shuffled", "gone"):
        assert briefs[name].plan_hash == first.plan_hash
        assert briefs[name].verdict == first.verdict
        same = {key: figure.model_dump() for key, figure in briefs[name].figures.items()}
        assert same == {key: figure.model_dump() for key, figure in first.figures.items()}


# -- the measures -----------------------------------------------------------------------------------------------------


def planned(actual: list[float], first_buy: float, price: float = 10.0, cost: float = 4.0) -> Planned:
    weeks = np.pad(np.array(actual, dtype=float), (0, 12 - len(actual)))
    launch = PastLaunch("A", "A", "", "", {}, price, cost, date(2023, 5, 1), weeks)
    return Planned(
        launch=launch,
        ratio=None,
        cost=cost,
        weekly=np.tile([1.0, 5.0, 9.0], (12, 1)),
        total=np.array([20.0, 60.0, 100.0]),
        first_buy=first_buy,
        cover=2,
        price=12.0,
        verdict="go",
        base_rate=0.5,
        break_even=25.0,
        p_uncovered=0.2,
        waived=(),
        plan_hash="",
        seconds=0.0,
        past=np.tile([10.0, 4.0, *[1.0] * 10], (5, 1)),
        past_prices=np.array([8.0, 8.0, 9.0]),
    )


def value(rows: list, method: str, metric: str, **extra: object) -> float:
    found = [r for r in rows if (r.method, r.metric) == (method, metric) and extra.items() <= r.extra.items()]
    assert len(found) == 1
    assert found[0].value is not None
    return float(found[0].value)


def test_a_first_buy_is_judged_against_the_weeks_it_had_to_cover() -> None:
    plans = [planned([10, 20, 5], 40), planned([10, 10], 15)]
    rows = first_buy_results(plans, {})
    # Wanted 30 and 20 over the cover: ten too many cleared at half the cost, five too few lose their margin.
    assert value(rows, "debut", "first_buy_money_lost", leftovers="cleared") == pytest.approx((10 * 2 + 5 * 6) / 2)
    # Five of the ten spare a second order.
    assert value(rows, "debut", "first_buy_money_lost", leftovers="sold_on") == pytest.approx((5 * 2 + 5 * 6) / 2)
    best = (30 * 6 + 20 * 6) / 2
    assert value(rows, "debut", "first_buy_lost", leftovers="cleared") == pytest.approx(25 / best)
    assert value(rows, "oracle", "first_buy_lost", leftovers="cleared") == 0
    mean = np.ceil(24 / 12 * 2)
    assert value(rows, "category_mean_cover", "first_buy_money_lost", leftovers="cleared") == pytest.approx(
        ((30 - mean) * 6 + (20 - mean) * 6) / 2
    )
    assert value(rows, "category_median_cover", "first_buy_money_lost", leftovers="cleared") == pytest.approx(
        (16 * 6 + 6 * 6) / 2
    )


def test_a_price_is_judged_by_the_elasticity_assumed() -> None:
    rows = price_results([planned([10], 5), planned([30], 5)], -2.0, {})
    # At minus two the best price is twice the cost, which is what cost-plus says.
    assert value(rows, "cost_plus", "price_lost", elasticity=-2.0) == pytest.approx(0, abs=1e-3)
    best, ours = (8 - 4) * (8 / 10) ** -2, (12 - 4) * (12 / 10) ** -2
    assert value(rows, "debut", "price_lost") == pytest.approx(1 - ours / best, abs=2e-3)
    assert value(rows, "keep_price", "price_lost") == pytest.approx(1 - 6 / best, abs=2e-3)


def test_a_verdict_is_held_to_what_the_launch_earned() -> None:
    good, bad = planned([20, 20], 30), planned([1], 50)
    plans = [good, bad, replace(bad, verdict="no-go"), replace(good, verdict="conditional")]
    rows = verdict_results(plans, {})
    earned, lost = 30 * 6, 1 * 10 + 49 * 2 - 50 * 4
    assert value(rows, "always_go", "paid", verdict="any") == 0.5
    assert value(rows, "always_go", "earned") == pytest.approx((2 * earned + 2 * lost) / 4)
    assert value(rows, "debut", "earned") == pytest.approx((2 * earned + lost) / 4)
    assert value(rows, "debut_go_only", "earned") == pytest.approx((earned + lost) / 4)
    assert value(rows, "oracle", "earned") == pytest.approx(2 * earned / 4)
    assert value(rows, "debut", "hit_rate") == 0.75
    assert value(rows, "debut", "paid", verdict="go") == 0.5
    assert value(rows, "debut", "share", verdict="no-go") == 0.25


def test_a_chance_is_held_to_how_often_it_came() -> None:
    covered, missed = planned([20, 20], 30), planned([1], 50)
    rows = verdict_results([covered, replace(missed, p_uncovered=0.9), replace(covered, p_uncovered=None)], {})
    assert value(rows, "actual", "uncovered") == 0.5
    assert value(rows, "debut", "uncovered") == pytest.approx(0.55)
    assert value(rows, "debut", "uncovered_brier") == pytest.approx((0.2**2 + 0.1**2) / 2)
    assert value(rows, "base_rate", "uncovered_brier") == pytest.approx(0.25)
    assert value(rows, "always_go", "uncovered_brier") == pytest.approx(0.5)
    assert value(rows, "category_rate", "uncovered_brier") == pytest.approx(0.5), "all of them sold fewer than needed"


@pytest.mark.slow
def test_the_whole_way(tmp_path: Path) -> None:
    found = main(folder(tmp_path / "data", 52, 20), Terms(cost_ratios=(0.5,), elasticities=(-2.0,), most=2))
    assert found["bench"] == "briefs"
    assert (found["replayed"], found["briefs"], found["unforecast"]) == (2, 2, 0)
    assert found["cost"] == "assumed"
    metrics = {(row["method"], row["metric"]) for row in found["results"] if row["subset"] == "all"}
    for metric in ("wape_12w", "bias_12w", "coverage_80_total", "first_buy_lost", "price_lost", "hit_rate", "earned"):
        assert ("debut", metric) in metrics
    assert {("category_mean", "wape_12w"), ("oracle", "earned"), ("always_go", "hit_rate")} <= metrics
    assert all({"method", "metric", "value", "low", "high", "n"} <= row.keys() for row in found["results"])
    json.dumps(found)


def test_bad_terms_and_data_without_launches_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="lead time"):
        Terms(lead_days=0)
    with pytest.raises(BadInput, match="cost ratio"):
        Terms(cost_ratios=(1.2,))
    with pytest.raises(BadInput, match="below zero"):
        Terms(elasticities=(0.5,))
    place = folder(tmp_path / "data", launches=0)
    with pytest.raises(BadInput, match="has no launch from"):
        main(place)
