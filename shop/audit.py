"""The audit: one row for every proposal, execution and rejection, each sealed with the hash of the row before it."""

from __future__ import annotations

from datetime import datetime

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
    last = connection.execute(_LAST).first()
    row = {
        "number": 1 if last is None else last.number + 1,
        "at": at,
        "session": session.id,
        "actor_role": session.actor.role,
        "actor_id": session.actor.id,
        "decision": decision,
        "action_id": action.id,
        "tool": action.tool,
        "content_hash": action.content_hash,
        "version": version,
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


def _seal(row: dict[str, object]) -> str:
    return digest({name: row[name] for name in _SEALED})
