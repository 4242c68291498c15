"""The store answers the same on SQLite and Postgres, and never shows what is later than the day it is asked on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, select

from shop import BadInput, Shop, ToolError, rollup
from shop import schema as t
from shop.database import insert_new
from shop.types import Rows

FIRST = date(2027, 1, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def sell(connection: Connection, sku: str, number: int, units: int, cents: int = 1000, **order: Any) -> None:
    key = f"{sku}-{number}-{units}-{cents}"
    at = datetime.combine(day(number), datetime.min.time()) + timedelta(hours=13)
    insert_new(connection, t.orders, [{"id": key, "placed_at": at, **order}])
    line = {"order_id": key, "line": 1, "sku": sku, "units": units, "price_cents": cents, "discount_cents": 0}
    insert_new(connection, t.order_lines, [line])


@pytest.fixture
def shop(any_shop: Shop) -> Shop:
    """Two kettles (one launched on day 20, delisted on day 45) and a mug, sold on 60 days."""
    with any_shop.begin() as connection:
        insert_new(
            connection,
            t.products,
            [
                dict(zip(("sku", "name", "category", "launch_date", "delisted_date"), row, strict=True))
                for row in [
                    ("K1", "Old kettle", "Kitchen > Kettles", None, None),
                    ("K2", "New kettle", "Kitchen > Kettles > Electric", day(20), day(45)),
                    ("M1", "Mug", "Kitchenware_", day(30), None),
                ]
            ],
        )
        for number in range(60):
            sell(connection, "K1", number, 2, 3000 if number < 40 else 2500)
            if 20 <= number <= 45:
                sell(connection, "K2", number, 1 + number % 3)
            if number >= 30 and number % 7 == 0:
                sell(connection, "M1", number, 5, 499)
        sell(connection, "K1", 10, 99, status="cancelled")
        insert_new(
            connection,
            t.prices,
            [{"sku": "K1", "valid_from": day(n), "price_cents": c} for n, c in [(0, 3000), (40, 2500)]],
        )
        rows = [("A", 5, 2900), ("A", 50, 2700), ("B", 30, 3100)]
        insert_new(
            connection,
            t.competitor_prices,
            [{"competitor": who, "sku": "K1", "day": day(n), "price_cents": c} for who, n, c in rows],
        )
        rollup.rebuild(connection)
    return any_shop


def test_the_rollup_leaves_out_cancelled_orders(shop: Shop) -> None:
    daily = shop.daily(skus=["K1"])
    assert daily["units"].sum() == 120
    assert daily["revenue"].sum() == pytest.approx(40 * 2 * 30 + 20 * 2 * 25)
    assert daily["in_stock"].isna().all()


def test_today_is_the_day_after_the_data(shop: Shop) -> None:
    assert (shop.cutoff, shop.today) == (day(59), day(60))
    assert shop.as_of(day(30)).cutoff == day(29)
    assert shop.as_of(day(300)).cutoff == day(59)


def test_an_import_is_seen_at_once(shop: Shop) -> None:
    with shop.begin() as connection:
        sell(connection, "K1", 75, 1)
        rollup.rebuild(connection, ["K1"])
    assert shop.cutoff == day(75)


def test_launch_weeks_equal_a_naive_count(shop: Shop) -> None:
    weeks = shop.launch_weeks(12)
    expected: dict[tuple[str, int], int] = {}
    for number in range(20, 46):
        expected["K2", (number - 20) // 7 + 1] = expected.get(("K2", (number - 20) // 7 + 1), 0) + 1 + number % 3
    for number in (35, 42, 49, 56):
        expected["M1", (number - 30) // 7 + 1] = 5
    found = {(row.sku, row.week): row.units for row in weeks.itertuples()}
    assert found == {key: units for key, units in expected.items() if key[0] == "K2" or key[1] <= 4}
    assert pd.api.types.is_integer_dtype(weeks["week"])


def test_launch_weeks_of_a_replay_are_whole_weeks_of_the_past(shop: Shop) -> None:
    weeks = shop.as_of(day(33)).launch_weeks(12)
    assert weeks[["sku", "week"]].to_numpy().tolist() == [["K2", 1]]


def test_launch_weeks_narrow_to_category_and_date(shop: Shop) -> None:
    assert set(shop.launch_weeks(12, category="Kitchen")["sku"]) == {"K2"}
    assert set(shop.launch_weeks(12, since=day(25))["sku"]) == {"M1"}


def test_weekly_prices_end_with_a_whole_week(shop: Shop) -> None:
    prices = shop.weekly_prices(category="Kitchen > Kettles")
    old = prices[prices["sku"] == "K1"]
    assert old["week"].iloc[-1] == pd.Timestamp(day(53))
    assert old["units"].tolist() == [8, *[14] * 8]
    assert old["price"].iloc[[0, -1]].tolist() == [30.0, 25.0]
    change = old[old["week"] == pd.Timestamp(day(39))]["price"].item()
    assert change == pytest.approx((2 * 30 + 12 * 25) / 14)


def test_a_category_holds_the_ones_below_it_and_no_neighbour(shop: Shop) -> None:
    assert shop.products("Kitchen > Kettles")["sku"].tolist() == ["K1", "K2"]
    assert shop.products("Kitchen")["sku"].tolist() == ["K1", "K2"]
    assert shop.products("Kitchenware_")["sku"].tolist() == ["M1"]
    assert shop.products("Kitchenware%").empty


def test_a_replay_knows_no_later_launch_price_or_delisting(shop: Shop) -> None:
    past = shop.as_of(day(25))
    assert past.products()["sku"].tolist() == ["K1", "K2"]
    assert past.product("M1") is None
    assert past.product("K2").delisted_date is None  # type: ignore[union-attr]
    assert past.product("K1").list_price == 30.0  # type: ignore[union-attr]
    assert shop.as_of(day(50)).product("K1").list_price == 25.0  # type: ignore[union-attr]
    assert past.price_history("K1")["price"].tolist() == [30.0]
    assert past.competitors("K1")[["competitor", "price"]].to_numpy().tolist() == [["A", 29.0]]
    assert past.categories()["category"].tolist() == ["Kitchen > Kettles", "Kitchen > Kettles > Electric"]
    assert past.daily()["day"].max() == pd.Timestamp(day(24))
    assert past.rows_behind(Rows(table="daily", where={"sku": ("K1",)}))["day"].max() == day(24)


def test_the_latest_price_of_every_competitor(shop: Shop) -> None:
    found = shop.competitors(category="Kitchen")
    assert found[["competitor", "price"]].to_numpy().tolist() == [["A", 27.0], ["B", 31.0]]
    assert shop.competitors("M1").empty


def test_stock_out_days_are_false_and_unrecorded_ones_unknown(any_shop: Shop) -> None:
    with any_shop.begin() as connection:
        insert_new(connection, t.products, [{"sku": "S", "name": "Scarf", "launch_date": FIRST}])
        insert_new(connection, t.warehouses, [{"id": w, "name": w} for w in ("north", "south")])
        stock = {0: (4, 0), 1: (0, 0), 2: (0, 0), 3: (0, 7)}
        insert_new(
            connection,
            t.stock,
            [
                {"sku": "S", "warehouse_id": warehouse, "day": day(number), "on_hand": on_hand}
                for number, pair in stock.items()
                for warehouse, on_hand in zip(("north", "south"), pair, strict=True)
            ],
        )
        sell(connection, "S", 0, 3)
        sell(connection, "S", 1, 4)  # sold out during the day
        sell(connection, "S", 6, 1)
        returned = {"id": "r", "sku": "S", "day": day(5), "units": 2, "refund_cents": 900}
        insert_new(connection, t.returns, [returned])
        rollup.rebuild(connection)
    daily = any_shop.daily().set_index("day")
    assert daily["in_stock"].tolist() == [True, True, False, True, None, None]
    assert daily["units"].tolist() == [3, 4, 0, 0, 0, 1]
    assert daily["returned_units"].tolist() == [0, 0, 0, 0, 2, 0]
    assert any_shop.launch_weeks()["out_of_stock_days"].tolist() == [1]
    on_hand = any_shop.stock_on_hand("S")
    assert on_hand[["warehouse", "on_hand"]].to_numpy().tolist() == [["north", 0], ["south", 7]]


def test_rebuilding_some_products_equals_rebuilding_all(shop: Shop) -> None:
    def stored() -> list[Any]:
        with shop.engine.connect() as connection:
            return list(connection.execute(select(t.daily).order_by(t.daily.c.sku, t.daily.c.day)).all())

    before = stored()
    with shop.begin() as connection:
        rollup.rebuild(connection, ["K2", "M1"])
    assert stored() == before


def test_texts_and_campaigns_up_to_the_day(shop: Shop) -> None:
    with shop.begin() as connection:
        insert_new(
            connection,
            t.reviews,
            [{"id": f"r{n}", "sku": "K2", "day": day(n), "rating": 4, "text": "fine"} for n in (21, 40)],
        )
        policy = {"title": "Returns", "section": "Period", "text": "…"}
        insert_new(
            connection,
            t.policies,
            [
                {"id": "old", **policy, "effective_from": FIRST, "effective_to": day(30)},
                {"id": "new", **policy, "effective_from": day(31), "effective_to": None},
            ],
        )
        numbers = {"spend_cents": 1250, "impressions": 100, "clicks": 9, "conversions": 1}
        campaign = {"id": "c", "name": "Spring", "channel": "search", "category": "Kitchen > Kettles", **numbers}
        insert_new(connection, t.campaigns, [{**campaign, "day": day(n)} for n in (10, 50)])
    past = shop.as_of(day(30))
    assert past.reviews(category="Kitchen")["id"].tolist() == ["r21"]
    assert shop.reviews(skus=["K2"])["id"].tolist() == ["r40", "r21"]
    assert shop.reviews(skus=[]).empty
    assert past.policies()["id"].tolist() == ["old"]
    assert shop.policies()["id"].tolist() == ["new"]
    assert past.campaigns(category="Kitchen")["spend"].tolist() == [12.5]


def test_drafts_get_the_next_number_even_when_many_ask_at_once(shop: Shop) -> None:
    first = shop.add_draft("Aurora kettle", "Kitchen > Kettles", cost=12.5, attributes={"colour": "red"})
    assert first.id == "D-0001"
    assert shop.draft("D-0001") == first
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda n: shop.add_draft(f"Draft {n}").id, range(12)))
    assert sorted(ids) == [f"D-{n:04d}" for n in range(2, 14)]
    assert len(shop.drafts()) == 13
    assert "Aurora kettle" in shop.names()["name"].tolist()


def test_inserting_what_is_there_changes_nothing(shop: Shop) -> None:
    with shop.begin() as connection:
        rows = [{"sku": "K1", "name": "Another name"}, {"sku": "K9", "name": "Ninth"}]
        assert insert_new(connection, t.products, rows) == 1
    assert shop.product("K1").name == "Old kettle"  # type: ignore[union-attr]


def test_a_failed_transaction_leaves_nothing(shop: Shop) -> None:
    def sell_and_fail() -> None:
        with shop.begin() as connection:
            sell(connection, "K1", 70, 1)
            rollup.rebuild(connection)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        sell_and_fail()
    assert shop.cutoff == day(59)


def test_an_empty_shop_says_what_to_do(any_shop: Shop) -> None:
    assert any_shop.products().empty
    with pytest.raises(ToolError, match="debut import"):
        _ = any_shop.cutoff


def test_addresses_that_cannot_be_opened(tmp_path: Path) -> None:
    missing = tmp_path / "none.db"
    with pytest.raises(BadInput, match="debut demo"):
        Shop.open(f"sqlite:///{missing}")
    assert not missing.exists()
    with pytest.raises(BadInput, match="DEBUT_SHOP"):
        Shop.open("not an address")
    text = tmp_path / "text.db"
    text.write_text("this is no database, whatever its name says " * 50)
    with pytest.raises(BadInput, match="cannot be opened"):
        Shop.open(f"sqlite:///{text}")
