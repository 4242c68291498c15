"""Counts the changes to what tools learn from: what was learned before one is out of date after it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, Integer, String, cast, event, insert, update
from sqlalchemy.sql.dml import UpdateBase

from shop import schema as t

KEY = "version"  # the row of `meta` that holds the count
# Not orders and customers: an import that brings some is a row of `imports` and writes `daily`, while a shopper who
# cancels an order must not make the desk learn everything anew. Not drafts and briefs: nothing is learned from them.
COUNTED = frozenset(
    table.name
    for table in (
        t.products,
        t.prices,
        t.competitor_prices,
        t.stock,
        t.daily,
        t.returns,
        t.promotions,
        t.coupons,
        t.campaigns,
        t.events,
        t.reviews,
        t.imports,
        t.forecast_errors,
    )
)
_CHANGED = "debut_changed"


def count_changes(engine: Engine) -> None:
    """From now on every transaction of the engine that changes a table in `COUNTED` adds one, with it or not at all."""
    event.listen(engine, "after_execute", _note)
    event.listen(engine, "commit", _count)
    event.listen(engine, "rollback", _forget)


def _note(
    connection: Connection, statement: Any, _many: Any, _one: Any, _options: Any, result: CursorResult[Any]
) -> None:
    if isinstance(statement, UpdateBase) and getattr(statement.table, "name", "") in COUNTED and result.rowcount != 0:
        connection.info[_CHANGED] = True


def _count(connection: Connection) -> None:
    if not connection.info.pop(_CHANGED, False):
        return
    m = t.meta
    more = cast(cast(m.c.value, Integer) + 1, String)
    if not connection.execute(update(m).where(m.c.key == KEY).values(value=more)).rowcount:
        connection.execute(insert(m).values(key=KEY, value="1"))


def _forget(connection: Connection) -> None:
    connection.info.pop(_CHANGED, None)
