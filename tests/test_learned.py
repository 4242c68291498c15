"""What tools learn is learned once per state of the data, kept in a plain file, and forgotten when the data change."""

import json
import sqlite3
import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError

from shop import Shop
from shop import schema as t
from shop.learned import Codec, Learned

PLAIN: Codec[dict[str, int]] = Codec(lambda value: value, lambda value: value)


def sell(shop: Shop, day: date) -> None:
    with shop.begin() as connection:
        if shop.product("A") is None:
            connection.execute(insert(t.products), [{"sku": "A", "name": "A"}])
        connection.execute(insert(t.daily), [{"sku": "A", "day": day, "units": 3, "revenue_cents": 900}])


def counting() -> tuple[list[int], Callable[[], dict[str, int]]]:
    calls: list[int] = []

    def make() -> dict[str, int]:
        calls.append(1)
        return {"calls": len(calls)}

    return calls, make


def test_a_value_is_made_once_until_the_data_change(empty_shop: Shop) -> None:
    sell(empty_shop, date(2024, 1, 1))
    calls, make = counting()
    assert empty_shop.learned("thing", make) == empty_shop.searched_by(None).learned("thing", make)  # type: ignore[arg-type]
    assert len(calls) == 1
    sell(empty_shop, date(2024, 1, 2))
    empty_shop.learned("thing", make)
    assert len(calls) == 2


def test_each_day_seen_from_has_a_state_of_its_own(empty_shop: Shop) -> None:
    for day in range(1, 10):
        sell(empty_shop, date(2024, 1, day))
    past = empty_shop.as_of(date(2024, 1, 5))
    assert past.fingerprint != empty_shop.fingerprint
    assert past.fingerprint == empty_shop.as_of(date(2024, 1, 5)).fingerprint
    assert past.fingerprint != empty_shop.as_of(date(2024, 1, 6)).fingerprint


DAY, NOON = date(2024, 1, 2), datetime(2024, 1, 2, 12)
CHANGES: dict[str, Any] = {
    "a name of the same length": update(t.products).values(name="B"),
    "an attribute": update(t.products).values(attributes={"colour": "red"}),
    "a cost": update(t.products).values(cost_cents=100),
    "a price": insert(t.prices).values(sku="A", valid_from=DAY, price_cents=100),
    "a rival's price": insert(t.competitor_prices).values(competitor="C", sku="A", day=DAY, price_cents=100),
    "a campaign": insert(t.campaigns).values(
        id="K", day=DAY, name="K", channel="email", spend_cents=1, impressions=1, clicks=0, conversions=0
    ),
    "a promotion": insert(t.promotions).values(id="P", name="P", mechanic="coupon", starts=DAY, ends=DAY, depth=0.1),
    "a review": insert(t.reviews).values(id="R", sku="A", day=DAY, rating=5, text="good"),
    "an event": insert(t.events).values(id=1, at=NOON, kind="view", sku="A"),
    "a sale taken back": update(t.daily).values(returned_units=1),
    "a sale fewer": delete(t.daily).where(t.daily.c.day == DAY),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_of_what_is_learned_from_is_seen(empty_shop: Shop, what: str) -> None:
    sell(empty_shop, date(2024, 1, 1))
    sell(empty_shop, DAY)
    before = empty_shop.fingerprint
    assert empty_shop.fingerprint == before
    with empty_shop.begin() as connection:
        connection.execute(CHANGES[what])
    assert empty_shop.fingerprint != before


def test_coupons_count_and_what_nothing_is_learned_from_does_not(empty_shop: Shop) -> None:
    sell(empty_shop, DAY)
    with empty_shop.begin() as connection:
        connection.execute(CHANGES["a promotion"])
    before = empty_shop.fingerprint
    empty_shop.add_draft(name="Kettle")
    with empty_shop.begin() as connection:
        connection.execute(insert(t.customers).values(id="U"))
        connection.execute(insert(t.orders).values(id="O", placed_at=NOON))
        connection.execute(update(t.orders).values(status="cancelled"))
        connection.execute(update(t.daily).where(t.daily.c.sku == "nobody").values(units=1))
    assert empty_shop.fingerprint == before
    with pytest.raises(IntegrityError), empty_shop.begin() as connection:
        connection.execute(update(t.products).values(cost_cents=100, name=None))
    with empty_shop.begin() as connection:
        connection.execute(update(t.orders).values(status="delivered"))
    assert empty_shop.fingerprint == before
    with empty_shop.begin() as connection:
        connection.execute(insert(t.coupons).values(code="X", promotion_id="P", customer_id="U", sent_on=DAY))
    assert empty_shop.fingerprint != before


def test_a_change_by_another_program_is_seen_by_its_size(empty_shop: Shop) -> None:
    sell(empty_shop, DAY)
    before = empty_shop.fingerprint
    with sqlite3.connect(str(empty_shop.engine.url.database)) as other:
        other.execute("UPDATE products SET description = 'longer than before'")
    assert empty_shop.fingerprint != before


def test_a_file_serves_the_next_process_and_no_other_data_or_code(empty_shop: Shop, tmp_path: Path) -> None:
    sell(empty_shop, date(2024, 1, 1))
    _, make = counting()
    first = empty_shop.remembering(Learned(tmp_path / "learned")).learned("thing", make, PLAIN)
    again = empty_shop.remembering(Learned(tmp_path / "learned")).learned("thing", make, PLAIN)
    assert again == first == {"calls": 1}
    (file,) = (tmp_path / "learned").glob("*.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"stamp": "another program"}))
    assert empty_shop.remembering(Learned(tmp_path / "learned")).learned("thing", make, PLAIN) == {"calls": 2}
    file.write_text("{cut sho")
    assert empty_shop.remembering(Learned(tmp_path / "learned")).learned("thing", make, PLAIN) == {"calls": 3}
    # A replay leaves the file of the shop as it stands alone.
    before = file.read_text()
    past = empty_shop.remembering(Learned(tmp_path / "learned")).as_of(empty_shop.cutoff + timedelta(days=3))
    past.learned("thing", make, PLAIN)
    assert file.read_text() == before


def test_two_who_ask_at_once_share_one_learning() -> None:
    memory, calls = Learned(), []
    started = threading.Barrier(4)

    def ask() -> None:
        started.wait()
        memory.recall("shop", "state", "thing", lambda: calls.append(1) or len(calls))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
