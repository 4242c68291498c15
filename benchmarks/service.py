"""Service: gold writes of a public task set, replayed through our own tools and held to the end states they name.

Each task runs in a savepoint that is rolled back. The acting person comes from a session: first another customer tries
every write, then the owner makes it (the tool files a proposal, its owner approves it), then sends it again.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from sqlalchemy import JSON, Connection, Engine, Table, create_engine, event, func, select

from benchmarks.service_set import Call, Task, order_record, read_tasks, same, user_record
from shop import Shop, ToolError, actions
from shop import schema as t
from shop.importers import tau_retail
from shop.service.plans import CHANGES
from shop.session import Session
from tools.registry import bind
from tools.service import (
    cancel_order,
    change_address,
    change_items,
    change_payment,
    exchange_items,
    return_items,
)

DAY = date(2026, 1, 1)  # the set has no dates
WRITES = (cancel_order, change_address, change_items, change_payment, exchange_items, return_items)
# What a write may change; the roll-up follows from the lines, proposals and audit are about the write itself.
WATCHED = (
    t.products,
    t.variants,
    t.customers,
    t.customer_addresses,
    t.payment_methods,
    t.orders,
    t.order_lines,
    t.order_addresses,
    t.payments,
    t.shipments,
    t.requests,
)
# What a second effect would add to; that no row differs from what is expected is seen at the end of the task.
EFFECTS = select(
    *(select(func.count()).select_from(table).scalar_subquery() for table in (t.executions, t.payments, t.requests)),
    *(select(func.sum(column)).scalar_subquery() for column in (t.payment_methods.c.balance_cents, t.payments.c.cents)),
)
_WRITES_TO = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)")
Rows = set[tuple[Any, ...]]


@dataclass
class Score:
    """What was tried and what came of it."""

    counts: Counter[str] = field(default_factory=Counter)
    mismatches: list[dict[str, Any]] = field(default_factory=list)


class Trial:
    """One connection in place of an engine: transactions of the shop become savepoints of the trial's own."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        self.url = connection.engine.url

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        yield self.connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self.connection.begin_nested():
            yield self.connection


def main(tasks: Path, db: Path, expected: Path, url: str = "") -> dict[str, Any]:
    """Replay a set.

    Args:
        tasks: The tasks with their gold calls.
        db: The shop to start from.
        expected: What each task should lead to.
        url: SQLAlchemy URL of an empty database to load the set into; left out, a temporary file.

    Returns:
        The report, in the keys of the documented layout.

    Raises:
        BadInput: A file is not in its layout, or the database is not empty.
    """
    started = time.perf_counter()
    wanted = read_tasks(tasks, expected)
    with TemporaryDirectory(prefix="debut-service-") as folder:
        shop = Shop.open(url or f"sqlite:///{Path(folder) / 'service.db'}", create=True)
        tau_retail.load(shop, db, DAY)
        score = replay(shop, wanted)
        shop.engine.dispose()
    tried = ("matched", "writes", "refused_ok", "foreign_tried", "foreign_refused")
    return {
        "tasks": len(wanted),
        **{name: score.counts[name] for name in (*tried, "double_tried", "double_single_effect")},
        "seconds": round(time.perf_counter() - started, 2),
        "mismatches": score.mismatches,
    }


def replay(shop: Shop, tasks: list[Task]) -> Score:
    """Every task on its own, from the same state."""
    score = Score()
    engine = _with_savepoints(shop.engine)
    written = _tables_written(engine)
    with engine.connect() as connection, connection.begin():
        users = sorted(tau_users(connection))
        start = _watched(connection, WATCHED)
        for number, task in enumerate(tasks):
            savepoint = connection.begin_nested()
            written.clear()
            other = next((user for user in users[number % len(users) :] + users if user != task.user), "")
            faults = _Replay(Shop(cast(Engine, Trial(connection))), task, score.counts).run(other)
            faults += _differences(connection, task, start, [table for table in WATCHED if table.name in written])
            savepoint.rollback()
            score.counts["matched"] += not faults
            if faults:
                score.mismatches.append({"task": task.id, "what": faults})
    engine.dispose()
    return score


def tau_users(connection: Connection) -> list[str]:
    """Ids of all customers."""
    return list(connection.execute(t.customers.select().with_only_columns(t.customers.c.id)).scalars())


class _Replay:
    """The calls of one task, as another customer, as its owner, and again."""

    def __init__(self, shop: Shop, task: Task, counts: Counter[str]) -> None:
        self._shop, self._task, self._counts = shop, task, counts

    def run(self, other: str) -> list[str]:
        """What did not go as it should."""
        if self._task.user is None:
            return []
        faults: list[str] = []
        stranger, owner = (_acting(self._shop, user) for user in (other, self._task.user))
        for call in self._task.calls:
            self._counts["writes"] += 1
            if call.names_an_owner:
                self._counts["foreign_tried"] += 1
                refused = _send(stranger, call) is None
                self._counts["foreign_refused"] += refused
                faults += [] if refused else [f"action {call.index} was not refused to another customer"]
            faults += self._own(owner, call)
        return faults

    def _own(self, owner: Shop, call: Call) -> list[str]:
        answer = _send(owner, call)
        should_refuse = call.index in self._task.refused
        if answer is None or should_refuse:
            self._counts["refused_ok"] += answer is None and should_refuse
            return [] if (answer is None) == should_refuse else [f"action {call.index}: refusal is not as expected"]
        self._counts["double_tried"] += 1
        with self._shop.engine.connect() as connection:
            before = connection.execute(EFFECTS).one()
            again = _send(owner, call)
            single = again == answer and connection.execute(EFFECTS).one() == before
        self._counts["double_single_effect"] += single
        return [] if single else [f"action {call.index} sent twice had another effect"]


def _acting(shop: Shop, user: str) -> Shop:
    return shop.acting_as(Session("customer", user, id="bench", now=lambda: datetime.combine(DAY, datetime.min.time())))


def _send(shop: Shop, call: Call) -> actions.PendingAction | None:
    """Propose through the tool and approve as the same person; None where that is refused."""
    tools = bind(WRITES, shop, shop.acting.actor)
    try:
        result = tools[call.tool](**call.arguments)
        action_id = next(figure.value for figure in result.figures if figure.id == "action.id")
        return actions.approve(shop, CHANGES, str(action_id))
    except ToolError:
        return None


def _differences(connection: Connection, task: Task, start: dict[str, Rows], written: Sequence[Table]) -> list[str]:
    """Records that are not as expected, and rows that changed though they belong to none of them."""
    orders, users = (task.changed.get(part, {}) for part in ("orders", "users"))
    faults = [f"order {key}" for key, want in orders.items() if not same(order_record(connection, key), want)]
    faults += [f"user {key}" for key, want in users.items() if not same(user_record(connection, key), want)]
    for name, rows in _watched(connection, written).items():
        owners = {row[0] for row in rows ^ start[name]}
        faults += [f"{name} of {owner} changed" for owner in sorted(owners - {*orders, *users})]
    return faults


def _watched(connection: Connection, tables: Sequence[Table]) -> dict[str, Rows]:
    """All rows of these tables, by table; whose they are stands first in each row."""
    found = {}
    # The driver's own cursor, and JSON as text: ten thousand rows are read after every task.
    cursor = connection.connection.cursor()
    for table in tables:
        owner = next(name for name in ("order_id", "customer_id", "sku", "id") if name in table.primary_key.columns)
        columns = [f"CAST({c.name} AS TEXT)" if isinstance(c.type, JSON) else c.name for c in table.columns]
        cursor.execute(f"SELECT {owner}, {', '.join(columns)} FROM {table.name}")
        found[table.name] = set(cursor.fetchall())
    cursor.close()
    return found


def _tables_written(engine: Engine) -> set[str]:
    """Names of the tables that statements on this engine write to, from now on; no other table can have changed."""
    names: set[str] = set()

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        target = _WRITES_TO.match(statement)
        if target:
            names.add(target[1])

    return names


def _with_savepoints(engine: Engine) -> Engine:
    """An engine to the same database on which savepoints work: SQLite's driver would begin transactions by itself."""
    if engine.dialect.name != "sqlite":
        return create_engine(engine.url)
    own = create_engine(engine.url)

    @event.listens_for(own, "connect")
    def _leave_transactions_alone(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(own, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return own
