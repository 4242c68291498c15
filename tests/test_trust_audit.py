"""The audit by itself: each row sealed with the one before, every change of one found, and one writer at a time."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from service_shop import NOW
from sqlalchemy import Connection, delete, insert, update

from shop import Actor, PendingAction, Shop, audit
from shop import schema as t
from shop.session import Session

MIA = Session("manager", "mia", id="s-1", now=lambda: NOW)
ACTION = PendingAction(
    id="A-1",
    tool="cancel_order",
    subject="#W1",
    arguments={},
    before={},
    after={},
    content_hash="c0ffee",
    actor=Actor(role="customer", id="anna"),
    created_at=NOW,
    expires_at=NOW,
)
FIRST_ROW = {
    "number": 1,
    "at": NOW.isoformat(),
    "session": "s-1",
    "actor_role": "manager",
    "actor_id": "mia",
    "decision": "execute",
    "action_id": "A-1",
    "tool": "cancel_order",
    "content_hash": "c0ffee",
    "version": "v",
    "previous": "0" * 64,
}


def sealed(row: dict[str, object]) -> dict[str, object]:
    """A row with its seal, computed a second way."""
    text = json.dumps([row], sort_keys=True, separators=(",", ":"))
    return {**row, "hash": hashlib.sha256(text.encode()).hexdigest()}


def write_three(connection: Connection) -> None:
    audit.append(connection, MIA, "execute", ACTION, "v", NOW)
    for number in (2, 3):
        of_action = {"action_id": f"A-{number}", "tool": "import", "content_hash": "", "version": ""}
        audit.note(connection, MIA, NOW + timedelta(hours=number), decision="erase", **of_action)


def test_a_row_holds_who_did_what_and_the_seal_of_the_row_before(empty_shop: Shop) -> None:
    with empty_shop.begin() as connection:
        assert list(audit.rows(connection)) == []
        assert audit.first_broken(connection) is None
        write_three(connection)
        first, second, third = audit.rows(connection)
        assert audit.first_broken(connection) is None
    assert first == sealed(FIRST_ROW)
    assert (second["number"], second["previous"], second["at"]) == (2, first["hash"], "2026-03-02T14:00:00")
    assert (third["number"], third["previous"], third["decision"]) == (3, second["hash"], "erase")
    assert third == sealed({name: value for name, value in third.items() if name != "hash"})


@pytest.mark.parametrize("row", [1, 2, 3])
@pytest.mark.parametrize("column", [column.name for column in t.audit.columns])
def test_every_changed_value_is_found_where_it_stands(empty_shop: Shop, column: str, row: int) -> None:
    changed = {"number": row + 10, "at": NOW - timedelta(seconds=1)}.get(column, "forged")
    with empty_shop.begin() as connection:
        write_three(connection)
        connection.exec_driver_sql("DROP TRIGGER audit_update")
        connection.execute(update(t.audit).where(t.audit.c.number == row).values({column: changed}))
        assert audit.first_broken(connection) == row


def test_a_forger_who_seals_anew_is_found_at_the_next_row(empty_shop: Shop) -> None:
    with empty_shop.begin() as connection:
        write_three(connection)
        connection.exec_driver_sql("DROP TRIGGER audit_update")
        forged = sealed({**FIRST_ROW, "actor_id": "ben"})
        values = {name: forged[name] for name in ("actor_id", "hash")}
        connection.execute(update(t.audit).where(t.audit.c.number == 1).values(**values))
        assert audit.first_broken(connection) == 2


def test_what_was_carried_out_and_what_is_recorded_are_held_together(empty_shop: Shop) -> None:
    done = [{"key": f"k{n}", "action_id": f"A-{n}", "subject": "#W1", "number": n, "at": NOW} for n in (9, 1, 5)]
    with empty_shop.begin() as connection:
        write_three(connection)  # the first alone was an execution
        assert audit.unrecorded(connection) == ["A-1"]
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")  # no proposals stand behind these
        connection.execute(insert(t.executions), done)
        assert audit.unrecorded(connection) == ["A-5", "A-9"]
        connection.execute(delete(t.executions))


def test_a_second_writer_waits_from_the_first_look_on(empty_shop: Shop) -> None:
    with closing(sqlite3.connect(str(empty_shop.engine.url.database), timeout=0)) as other:
        with empty_shop.begin() as connection:
            audit.lock(connection)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
