"""`recommend_products` and `recommend_audience` on the demo shop, and the recommendation benchmark on small folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agent.ledger import bare_numbers
from benchmarks.customers_interactions import diginetica, make_interactions, read_interactions
from benchmarks.customers_recommend import main, measure
from shop import BadInput, Shop, ToolError, ToolResult
from shop import schema as t
from tools.recommend import recommend_audience, recommend_products
from tools.recommend.read import read_shelf, taught


def values(result: ToolResult, start: str) -> list[object]:
    return [figure.value for figure in result.figures if figure.id.startswith(start)]


def check_templates(result: ToolResult) -> None:
    known = {figure.id for figure in result.figures}
    cells = [cell for table in result.tables for row in (table.columns, *table.rows) for cell in row]
    for text in (result.summary, *result.warnings, *cells):
        assert bare_numbers(text) == []
        for part in text.split("{{")[1:]:
            assert part.split("}}")[0].removesuffix(".low").removesuffix(".high") in known


def test_one_of_customer_and_product_is_needed(demo_shop: Shop) -> None:
    with pytest.raises(ToolError, match="a customer or a product"):
        recommend_products(demo_shop)
    with pytest.raises(ToolError, match="1 to 20"):
        recommend_products(demo_shop, product="BAC-001", limit=50)
    with pytest.raises(ToolError, match="10 customers"):
        recommend_audience(demo_shop, product="BAC-001", size=3)


def test_a_shop_without_known_customers_says_so(empty_shop: Shop) -> None:
    with empty_shop.begin() as connection:
        connection.execute(t.products.insert().values(sku="A", name="Kettle"))
        connection.execute(t.daily.insert().values(sku="A", day=pd.Timestamp("2026-01-05").date(), units=1))
    with pytest.raises(ToolError, match="names its customer"):
        recommend_products(empty_shop, product="A")
    with pytest.raises(ToolError, match="names its customer"):
        recommend_audience(empty_shop, product="A")


def test_the_shelf_leaves_out_what_cannot_be_bought(demo_shop: Shop) -> None:
    shelf = read_shelf(demo_shop)
    gone = pd.to_datetime(shelf.frame["delisted_date"]).notna().to_numpy()
    assert not shelf.buyable[gone].any()
    assert shelf.buyable.any()
    assert shelf.content.shape[0] == len(shelf.frame)
    # Nothing that launches later is on the shelf of an earlier day.
    earlier = pd.Timestamp(demo_shop.cutoff - pd.Timedelta(days=120)).date()
    launched = pd.to_datetime(read_shelf(demo_shop.as_of(earlier)).frame["launch_date"]).dropna()
    assert (launched <= pd.Timestamp(earlier)).all()


@pytest.mark.slow
def test_products_for_a_customer(demo_shop: Shop) -> None:
    result = recommend_products(demo_shop, customer="C-00001", limit=6)
    check_templates(result)
    skus = values(result, "recommend.sku_")
    assert len(skus) == len(set(skus)) == 6
    model = taught(demo_shop)
    buyable = set(model.shelf.frame["sku"][model.shelf.buyable])
    assert set(skus) <= buyable
    had = set(model.shelf.frame["sku"].iloc[model.log.take(np.array([model.rows["C-00001"]])).item])
    again = {str(row[0]) for table in result.tables if table.title == "Needed again" for row in table.rows}
    assert len(set(skus) & had) <= len(again)
    chances = [value for value in values(result, "recommend.chance_") if value is not None]
    assert chances == sorted(chances, reverse=True)
    assert recommend_products(demo_shop, customer="C-00001", limit=6).figures == result.figures


@pytest.mark.slow
def test_products_beside_a_product_a_draft_and_for_both(demo_shop: Shop) -> None:
    beside = recommend_products(demo_shop, product="BAC-001")
    check_templates(beside)
    assert "BAC-001" not in values(beside, "recommend.sku_")
    draft = recommend_products(demo_shop, product="D-0001")
    check_templates(draft)
    assert any("draft" in warning for warning in draft.warnings)
    both = recommend_products(demo_shop, customer="C-00001", product="BAC-001")
    check_templates(both)
    assert values(both, "recommend.customer") == ["C-00001"]


@pytest.mark.slow
def test_a_customer_without_purchases_gets_what_is_popular(demo_shop: Shop) -> None:
    model = taught(demo_shop)
    with demo_shop.engine.connect() as connection:
        everybody = connection.execute(t.customers.select()).all()
    quiet = next(row.id for row in everybody if row.id not in model.rows)
    result = recommend_products(demo_shop, customer=quiet)
    check_templates(result)
    assert any("not bought within two years" in warning for warning in result.warnings)
    chance = next(figure for figure in result.figures if figure.id == "recommend.chance_1")
    assert chance.value is None
    assert "not bought" in chance.reason


@pytest.mark.slow
def test_the_audience_of_a_draft(demo_shop: Shop) -> None:
    result = recommend_audience(demo_shop, product="D-0001", size=40)
    check_templates(result)
    figures = {figure.id: figure for figure in result.figures}
    assert figures["audience.size"].value <= 40
    assert figures["audience.holdout"].value < figures["audience.size"].value
    buyers = figures["audience.buyers"]
    assert buyers.low <= buyers.value <= buyers.high
    assert figures["audience.reach"].value + figures["audience.left_out"].value == figures["audience.customers"].value
    # Nothing about a person but the id and their own figures.
    text = json.dumps([figure.model_dump(mode="json") for figure in result.figures])
    assert "@" not in text
    assert recommend_audience(demo_shop, product="D-0001", size=40).figures == result.figures


@pytest.mark.slow
def test_whoever_has_the_product_is_not_told_about_it(demo_shop: Shop) -> None:
    model = taught(demo_shop)
    sku = str(model.shelf.frame["sku"].iloc[int(np.bincount(model.log.item).argmax())])
    place = model.shelf.place[sku]
    owners = {model.customers[row] for row in model.log.row[model.log.item == place]}
    told = set(values(recommend_audience(demo_shop, product=sku, size=100), "audience.customer_"))
    assert told
    assert not told & owners


# -- the benchmark ------------------------------------------------------------------------------------------------


def frame_of(seed: int = 0, users: int = 150) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        (
            f"u{user}",
            f"i{10 * (user % 3) + int(rng.integers(0, 10))}",
            f"2026-01-{1 + int(step * 4 + rng.integers(0, 3)):02d}",
        )
        for user in range(users)
        for step in range(6)
    ]
    return pd.DataFrame(rows, columns=["user", "item", "order"])


def folder_of(path: Path, frame: pd.DataFrame, **meta: object) -> Path:
    frame.to_csv(path / "interactions.csv", index=False)
    (path / "meta.json").write_text(json.dumps({"name": "small", **meta}))
    return path


@pytest.mark.parametrize(
    "meta",
    [
        {"protocol": "split_date", "split_date": "2026-01-17"},
        {"protocol": "leave_last_out"},
        {"protocol": "sessions", "test_share": 0.2},
    ],
    ids=lambda meta: str(meta["protocol"]),
)
def test_each_protocol_is_measured_and_taste_beats_popularity(tmp_path: Path, meta: dict[str, object]) -> None:
    report = main(folder_of(tmp_path, frame_of(), **meta))
    rows = {(row["method"], row["metric"], row["subset"]): row for row in report["results"]}
    ours, theirs = (rows[method, "ndcg_10", "all"] for method in ("debut", "popularity"))
    assert ours["value"] > theirs["value"]
    assert ours["low"] <= ours["value"] <= ours["high"]
    assert {row["method"] for row in report["results"]} == {"debut", "popularity", "covisitation", "implicit_als"}
    assert 0 < rows["debut", "coverage", "all"]["value"] <= 1


def test_reading_says_what_is_wrong(tmp_path: Path) -> None:
    frame = frame_of()
    with pytest.raises(BadInput, match="protocol"):
        make_interactions("x", {"protocol": "random"}, frame, "interactions.csv")
    with pytest.raises(BadInput, match="column item is missing"):
        make_interactions("x", {"protocol": "sessions"}, frame.drop(columns="item"), "interactions.csv")
    with pytest.raises(BadInput, match="split_date"):
        make_interactions("x", {"protocol": "split_date", "split_date": "soon"}, frame, "interactions.csv")
    with pytest.raises(BadInput, match="inside the interactions"):
        make_interactions("x", {"protocol": "split_date", "split_date": "2030-01-01"}, frame, "interactions.csv")
    with pytest.raises(BadInput, match="test_share"):
        make_interactions("x", {"protocol": "sessions", "test_share": 2}, frame, "interactions.csv")
    broken = frame.assign(order=frame["order"].where(frame.index != 3, "whenever"))
    with pytest.raises(BadInput, match="line 5"):
        make_interactions("x", {"protocol": "sessions"}, broken, "interactions.csv")
    with pytest.raises(BadInput, match="--data"):
        main()


def test_running_numbers_and_texts_are_read(tmp_path: Path) -> None:
    frame = frame_of().assign(order=lambda rows: range(len(rows)))
    folder = folder_of(tmp_path, frame, protocol="leave_last_out")
    pd.DataFrame({"item": ["i1"], "name": ["red kettle"], "price": [3.0]}).to_csv(
        tmp_path / "products.csv", index=False
    )
    found = read_interactions(folder)
    assert "red kettle" in found.texts
    assert found.trial.asked.rows == frame["user"].nunique()


@pytest.mark.slow
def test_published_sessions_are_read_whole(shared_data: Path) -> None:
    found = diginetica(shared_data / "diginetica_sessions")
    # Unfolding the longest beginning of each session gives back every beginning in the file.
    assert found.trial.asked.rows == 60858
    assert found.trial.truth.nnz == 60858


def test_a_list_for_measuring_holds_nothing_had_where_nothing_is_taken_twice() -> None:
    frame = frame_of().drop_duplicates(["user", "item"])
    data = make_interactions("x", {"protocol": "leave_last_out"}, frame, "interactions.csv")
    rows, told = measure(data)
    assert {row.extra["subset"] for row in rows} == {"all"}
    assert told["cases"] == data.trial.asked.rows
