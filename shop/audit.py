"""The audit: one row for every proposal, execution and rejection, each sealed with the hash of the row before it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from shop import schema as t
from shop.canonical import digest
from shop.session import Session
from shop.types import PendingAction

FIRST = "0" * 64
_LAST = select(t.audit.c.number, t.audit.c.hash).order_by(t.audit.c.number.desc()).limit(1)
_SEALED = tuple(column.name for column in t.audit.columns if column.name != "hash")


def lock(connection: Connection) -> None:
    """Make every other writer of the audit wait until this transaction ends; call it before anything is read."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))
    else:
        # SQLite has one writer at a time, from its first writing statement on; this one writes nothing.
        connection.execute(update(t.audit).where(t.audit.c.number < 0).values(hash=t.audit.c.hash))


def append(
    connection: Connection, session: Session, decision: str, action: PendingAction, version: str, at: datetime
) -> None:
    """Add a row. It holds hashes of arguments and effect, not the values: they may be personal."""
    of_action = {"action_id": action.id, "tool": action.tool, "content_hash": action.content_hash}
    note(connection, session, at, decision=decision, version=version, **of_action)


def note(connection: Connection, session: Session, at: datetime, **what: str) -> None:
    """Add a row about anything that changes what is on record: decision, action_id, tool, content_hash, version."""
    last = connection.execute(_LAST).first()
    row = {
        "number": 1 if last is None else last.number + 1,
        "at": at,
        "session": session.id,
        "actor_role": session.actor.role,
        "actor_id": session.actor.id,
        **what,
        "previous": FIRST if last is None else last.hash,
    }
    connection.execute(insert(t.audit), [{**row, "hash": _seal(row)}])


def first_broken(connection: Connection) -> int | None:
    """Number of the first row that is not as it was written or does not follow the one before; None if all are."""
    previous, expected = FIRST, 1
    for row in connection.execute(select(t.audit).order_by(t.audit.c.number)).mappings():
        if row["number"] != expected or row["previous"] != previous or row["hash"] != _seal(dict(row)):
            return expected
        previous, expected = row["hash"], expected + 1
    return None


def unrecorded(connection: Connection) -> list[str]:
    """Actions that were carried out and are not in the audit, or stand there and were not: a row lost at the end."""
    executed = set(connection.execute(select(t.executions.c.action_id)).scalars())
    query = select(t.audit.c.action_id).where(t.audit.c.decision == "execute")
    return sorted(executed ^ set(connection.execute(query).scalars()))


def rows(connection: Connection) -> Iterator[dict[str, Any]]:
    """The whole audit as plain values, oldest first; times in ISO form, so that each seal can be computed again."""
    for row in connection.execute(select(t.audit).order_by(t.audit.c.number)).mappings():
        yield {**row, "at": row["at"].isoformat()}


def _seal(row: dict[str, object]) -> str:
    return digest({name: row[name] for name in _SEALED})
