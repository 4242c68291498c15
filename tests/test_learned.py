"""What tools learn is learned once per state of the data, kept in a plain file, and forgotten when the data change."""

import json
import threading
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import insert

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


def test_a_replay_does_not_see_what_was_learned_later(empty_shop: Shop) -> None:
    for day in range(1, 10):
        sell(empty_shop, date(2024, 1, day))
    past = empty_shop.as_of(date(2024, 1, 5))
    assert past.fingerprint != empty_shop.fingerprint
    known = past.fingerprint
    sell(empty_shop, date(2024, 1, 20))
    assert past.fingerprint == known


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
