"""Copies of the shop, one customer's data out of it and out of it for good, the audit, and statistics with noise."""

from __future__ import annotations

import json
import math
import random
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest
from service_shop import EMAIL, NOW, STREET, acting, call, fill, rows, value
from sqlalchemy import select, text

from shop import BadInput, Shop, ToolError, actions, audit
from shop import schema as t
from shop.backup import back_up, restore
from shop.privacy import erase, export
from shop.published import discrete_laplace, publish
from shop.service.plans import CHANGES
from shop.session import Session
from ui.cli import main


@pytest.fixture
def shop(any_shop: Shop) -> Shop:
    """The little shop with a proposal carried out, one that waits, a ticket, a review and a search."""
    full = fill(any_shop)
    anna = acting(full)
    done = call(anna, "cancel_order", order="#W1", reason="no longer needed")
    actions.approve(anna, CHANGES, str(value(done, "action.id")))
    call(anna, "change_address", address="9 Oak Road, Boulder, CO 80301")
    call(anna, "hand_over", summary="Anna wants her parcel at 1 Elm Street")
    with full.begin() as connection:
        review = {"id": "r1", "sku": "TEA-S", "customer_id": "anna", "day": NOW.date(), "rating": 5, "text": "Anna B."}
        connection.execute(t.reviews.insert(), [review])
        connection.execute(t.events.insert(), [{"customer_id": "anna", "at": NOW, "kind": "view", "sku": "TEA-S"}])
    return full


def manager(shop: Shop) -> Shop:
    return shop.acting_as(Session("manager", "mia", now=lambda: NOW))


def every_cell(shop: Shop) -> Counter[str]:
    """Every value of every table as text."""
    cells: Counter[str] = Counter()
    with shop.engine.connect() as connection:
        for table in t.metadata.sorted_tables:
            if table is t.meta:  # it counts changes, and a restore is one
                continue
            for row in connection.execute(select(table)):
                cells.update(json.dumps(value, default=str) for value in row)
    return cells


def test_a_copy_is_the_shop(shop: Shop, tmp_path: Path) -> None:
    copied = back_up(shop.engine, tmp_path / "copies" / "one.backup")
    assert [path.name for path in copied.path.parent.iterdir()] == ["one.backup"], "no log and no unfinished file"
    url = f"sqlite:///{tmp_path / 'again.db'}"
    again = restore(copied.path, url)
    assert (again.sha256, again.rows) == (copied.sha256, copied.rows)
    twin = Shop.open(url)
    assert every_cell(twin) == every_cell(shop)
    actions.approve(acting(twin), CHANGES, rows(twin, t.pending_actions, status="pending")[0]["id"])
    with pytest.raises(BadInput, match="exists already"):
        back_up(shop.engine, copied.path)


def test_a_copy_goes_back_into_either_database(tmp_path: Path, any_shop: Shop, shop: Shop) -> None:
    copied = back_up(shop.engine, tmp_path / "one.backup")
    with pytest.raises(BadInput, match="stands"):
        restore(copied.path, shop.engine.url.render_as_string(hide_password=False))
    if shop.engine.dialect.name == "postgresql":
        before = every_cell(shop)
        with shop.begin() as connection:
            names = ", ".join(table.name for table in t.metadata.sorted_tables)
            connection.execute(text(f"TRUNCATE {names}"))
        restore(copied.path, shop.engine.url.render_as_string(hide_password=False))
        assert every_cell(shop) == before
        with shop.begin() as connection:  # numbers go on after the last
            connection.execute(t.events.insert(), [{"customer_id": "ben", "at": NOW, "kind": "view", "sku": "TEA-S"}])
        return
    restore(copied.path, str(shop.engine.url), replace=True)
    assert Path(f"{shop.engine.url.database}.before-restore").exists()
    assert every_cell(Shop.open(str(shop.engine.url))) == every_cell(Shop.open(f"sqlite:///{copied.path}"))


def test_a_copy_taken_while_orders_come_in_is_of_one_moment(empty_shop: Shop, tmp_path: Path) -> None:
    shop, stop = fill(empty_shop), threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with shop.begin() as connection:  # an order without its line must never be seen
                order = {"id": f"#N{number}", "customer_id": "ben", "placed_at": NOW}
                connection.execute(t.orders.insert(), [order])
                line = {"order_id": f"#N{number}", "line": 1, "sku": "TEA-S", "units": 1, "price_cents": 499}
                connection.execute(t.order_lines.insert(), [line])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [back_up(shop.engine, tmp_path / f"{n}.backup") for n in range(8)]
    finally:
        stop.set()
        writer.join()
    for copy in copies:
        twin = Shop.open(f"sqlite:///{copy.path}")
        lines = {row["order_id"] for row in rows(twin, t.order_lines)}
        assert {row["id"] for row in rows(twin, t.orders)} == lines


def test_a_copy_that_is_not_there_or_of_something_else_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'again.db'}"
    with pytest.raises(BadInput, match="There is no backup"):
        restore(tmp_path / "none.backup", url)
    with closing(sqlite3.connect(tmp_path / "other.backup")) as file, file:
        file.execute("CREATE TABLE notes (text TEXT)")
    with pytest.raises(BadInput, match=r"other\.backup"):
        restore(tmp_path / "other.backup", url)


@pytest.mark.parametrize("fault", ["cut", "garbage", "no shop", "forged audit"])
def test_a_copy_that_is_not_whole_is_refused(empty_shop: Shop, tmp_path: Path, fault: str) -> None:
    shop = fill(empty_shop)
    call(acting(shop), "cancel_order", order="#W1", reason="no longer needed")
    path = back_up(shop.engine, tmp_path / "one.backup").path
    content = path.read_bytes()
    if fault == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif fault == "garbage":
        path.write_bytes(b"x" * 5_000)
    else:
        with closing(sqlite3.connect(path)) as file, file:
            if fault == "no shop":
                file.execute("DROP TABLE products")
            else:
                file.execute("DROP TRIGGER audit_update")
                file.execute("UPDATE audit SET actor_id = 'ben'")
    with pytest.raises(BadInput):
        restore(path, f"sqlite:///{tmp_path / 'again.db'}")
    assert not (tmp_path / "again.db").exists()


def test_everything_of_a_customer_in_one_document(shop: Shop) -> None:
    found = export(shop, "anna")
    assert found["customers"][0]["email"] == EMAIL
    assert {row["id"] for row in found["orders"]} == {"#W1", "#W2", "#W3", "#W5"}
    assert {"payments", "order_addresses", "tickets", "reviews", "events", "pending_actions", "audit"} <= found.keys()
    assert "ben" not in json.dumps(found, default=str).lower().replace("been", "")
    with pytest.raises(ToolError, match="no customer"):
        export(shop, "nobody")


def test_an_erased_customer_is_nowhere_but_in_the_audit(shop: Shop) -> None:
    units, others = rows(shop, t.daily), export(shop, "ben")
    erased = erase(manager(shop), "anna")
    assert erased.rows["customers"] == 1
    for table in t.metadata.sorted_tables:
        held = json.dumps(rows(shop, table), default=str)
        personal = ("Anna", EMAIL, STREET, "Boulder", "card_1", "gift_1", *(["anna"] if table is not t.audit else []))
        # The other customer lives in the same house, and her cards have other numbers.
        found = [each for each in personal if each in held and not (each == STREET and "ben" in held)]
        assert not [each for each in found if each != STREET or "#W4" not in held], f"{table.name} still holds {found}"
    assert rows(shop, t.daily) == units, "what was sold stays sold"
    assert len(rows(shop, t.orders)) == 5
    assert export(shop, "ben") == others
    assert rows(shop, t.audit)[-1]["decision"] == "erase"
    with shop.engine.connect() as connection:
        assert audit.first_broken(connection) is None
        assert audit.unrecorded(connection) == []
    with pytest.raises(ToolError, match="no customer"):
        erase(manager(shop), "anna")


def test_rows_cut_off_the_end_of_the_audit_are_missed(empty_shop: Shop) -> None:
    shop = fill(empty_shop)
    anna = acting(shop)
    done = call(anna, "cancel_order", order="#W1", reason="no longer needed")
    actions.approve(anna, CHANGES, str(value(done, "action.id")))
    with shop.begin() as connection:
        assert audit.unrecorded(connection) == []
        connection.exec_driver_sql("DROP TRIGGER audit_delete")
        connection.execute(t.audit.delete().where(t.audit.c.number == 2))
        assert audit.first_broken(connection) is None, "what is left is a chain"
        assert audit.unrecorded(connection) == [value(done, "action.id")]


def test_the_commands(empty_shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = fill(empty_shop)
    call(acting(shop), "cancel_order", order="#W1", reason="no longer needed")
    world = {"DEBUT_SHOP": str(shop.engine.url), "DEBUT_HOME": str(tmp_path / "home")}
    assert main(["audit", "verify"], world) == 0
    assert "whole: 1 rows" in capsys.readouterr().out
    assert main(["audit", "export", str(tmp_path / "audit.jsonl")], world) == 0
    assert json.loads((tmp_path / "audit.jsonl").read_text())["decision"] == "propose"
    assert main(["privacy", "export", "anna"], world) == 0
    assert EMAIL in capsys.readouterr().out
    assert main(["privacy", "erase", "anna", "--yes"], world) == 0
    assert rows(shop, t.customers, id="anna") == []
    assert main(["backup", str(tmp_path / "one.backup"), "--json"], world) == 0
    capsys.readouterr()
    assert main(["restore", str(tmp_path / "one.backup")], world) == 2
    assert "stands at" in capsys.readouterr().err
    assert main(["restore", str(tmp_path / "one.backup"), "--replace"], world) == 0
    assert main(["privacy", "publish", "--json"], world) == 0
    assert json.loads(capsys.readouterr().out.split("rows: ")[-1].split("\n", 1)[1])["regions"] == []


def test_noise_follows_its_distribution() -> None:
    """Against the closed form: P(k) = (1 - p) / (1 + p) p^|k| with p = exp(-1 / scale)."""
    source, scale, draws = random.Random(3), Fraction(5, 2), 20_000
    drawn = Counter(discrete_laplace(scale, source) for _ in range(draws))
    p = math.exp(-1 / float(scale))
    for k in range(-4, 5):
        expected = (1 - p) / (1 + p) * p ** abs(k)
        assert drawn[k] / draws == pytest.approx(expected, abs=4 * math.sqrt(expected / draws))


def test_what_is_published_is_near_and_clipped_and_small_segments_are_left_out() -> None:
    spending = {"North": [100] * 500, "South": [100] * 400 + [1_000_000], "West": [5]}
    found = publish(spending, Fraction(2), 200, random.Random(1))
    assert found.keys() == {"North", "South"}
    assert found["North"].customers == pytest.approx(500, abs=20)
    assert found["South"].spending == pytest.approx(40_200, abs=4_000)
    again = publish(spending, Fraction(2), 200)
    assert again.keys() == {"North", "South"}
    for epsilon, clip in ((Fraction(0), 1), (Fraction(1), 0)):
        with pytest.raises(ToolError, match="above zero"):
            publish(spending, epsilon, clip)
