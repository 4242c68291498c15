"""The database as a customer may see it: views of her own rows and of the shelf, and nothing else.

A view has the name of the table behind it and stands before it: in SQLite in the connection's own schema, with an
authorizer that refuses every read past a view; in Postgres in a schema of its own, read by a role that has no rights
on the tables. So cost, plans, forecasts and other people's rows are not left out of an answer: they are never loaded.
Writing goes through the shop's own engine, by the plans of `shop.actions` alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from shop import schema as t
from shop.errors import BadInput

SCHEMA, ROLE, SETTING = "debut_customer", "debut_customer", "debut.customer"
# Facts about a product that the shop keeps to itself, wherever an import has put them.
INTERNAL_FACTS = ("supplier", "vendor", "manufacturer_id", "cost", "margin", "moq", "lead_time", "purchase", "landed")
_OWN_ORDER = "order_id IN (SELECT id FROM {orders} WHERE customer_id = {me})"
# Table → which of its rows; a table that is not named here has no view, and so cannot be read.
ROWS: Mapping[Table, str] = {
    t.meta: "key IN ('currency', 'name')",
    t.products: "1 = 1",
    t.variants: "1 = 1",
    t.policies: "1 = 1",
    t.reviews: "1 = 1",
    t.daily: "1 = 1",
    t.drafts: "1 = 0",  # searched with the products by name; a customer sees none
    t.customers: "id = {me}",
    t.customer_addresses: "customer_id = {me}",
    t.payment_methods: "customer_id = {me}",
    t.orders: "customer_id = {me}",
    t.order_lines: _OWN_ORDER,
    t.order_addresses: _OWN_ORDER,
    t.payments: _OWN_ORDER,
    t.shipments: _OWN_ORDER,
    t.requests: _OWN_ORDER,
    t.pending_actions: "actor_role = 'customer' AND actor_id = {me}",
}
# Columns that stand empty, or hold less than the table does.
HIDDEN: Mapping[Table, frozenset[str]] = {
    t.products: frozenset(("cost_cents", "source", "declared")),
    t.reviews: frozenset(("customer_id",)),
    t.daily: frozenset(column.name for column in t.daily.columns) - {"day"},  # how far the data goes, not what was sold
    t.drafts: frozenset(("cost_cents",)),
}


class OwnRows:
    """What stands in place of the shop's engine in a customer's hands: connections that see only her rows.

    Args:
        door: How connections are made.
        person: Who she is, asked for with every connection: she may be identified later than she comes.
    """

    def __init__(self, door: Door, person: Callable[[], str]) -> None:
        self._door = door
        self._person = person

    @property
    def dialect(self) -> Any:
        return self._door.engine.dialect

    @property
    def url(self) -> Any:
        return self._door.engine.url

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection on which every table is its view."""
        with self._door.connect(self._person()) as connection:
            yield connection


class Door:
    """Makes customers' connections to one database; set up when the first customer comes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._own: Engine | None = None
        self._lock = Lock()

    @contextmanager
    def connect(self, person: str) -> Iterator[Connection]:
        """A connection that sees this customer's rows; nobody's, where the id is empty."""
        with self._lock:
            if self._own is None:
                self._own = _sqlite(self.engine) if self.engine.dialect.name == "sqlite" else _postgres(self.engine)
        with self._own.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                connection.info["person"][0] = person
            else:
                connection.execute(text("SELECT set_config(:name, :me, true)"), {"name": SETTING, "me": person})
                connection.execute(text(f"SET LOCAL ROLE {ROLE}"))
                connection.execute(text(f"SET LOCAL search_path TO {SCHEMA}"))
            yield connection

    def close(self) -> None:
        """Give the connections back."""
        if self._own is not None and self._own is not self.engine:
            self._own.dispose()


def view_of(table: Table, schema: str, me: str, facts: str) -> str:
    """The SELECT of a view.

    Args:
        table: The table behind it.
        schema: Where the table stands.
        me: SQL for the customer's id.
        facts: SQL for a product's facts without those of `INTERNAL_FACTS`.
    """
    hidden = HIDDEN.get(table, frozenset())
    columns = [_column(table, name, hidden, facts) for name in table.columns.keys()]  # noqa: SIM118
    where = ROWS[table].format(me=me, orders=f"{schema}.orders")
    return f"SELECT {', '.join(columns)} FROM {schema}.{table.name} WHERE {where}"


def _column(table: Table, name: str, hidden: frozenset[str], facts: str) -> str:
    if table is t.products and name == "attributes":
        return f"{facts} AS attributes"
    return f"NULL AS {name}" if name in hidden else name


def _sqlite(engine: Engine) -> Engine:
    """A second engine to the same file, whose connections have the views and may read nothing but by them."""
    own = create_engine(engine.url, hide_parameters=True)

    @event.listens_for(own, "connect")
    def _prepare(connection: sqlite3.Connection, record: Any) -> None:
        person = record.info["person"] = [""]
        connection.create_function("me", 0, lambda: person[0])
        connection.create_function("public_facts", 1, _public_facts, deterministic=True)
        for table in ROWS:
            connection.execute(
                f"CREATE TEMP VIEW {table.name} AS {view_of(table, 'main', 'me()', 'public_facts(attributes)')}"
            )
        connection.execute("PRAGMA busy_timeout=10000")
        connection.execute("PRAGMA query_only=ON")
        connection.set_authorizer(_read_by_views)

    return own


_VIEWS = frozenset(table.name for table in ROWS)
_READS = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_TRANSACTION,
    sqlite3.SQLITE_SAVEPOINT,
    sqlite3.SQLITE_RECURSIVE,
}


def _read_by_views(action: int, _table: str | None, _column: str | None, schema: str | None, view: str | None) -> int:
    """SQLite asks this of everything that a statement would do, before it runs."""
    if action in _READS:
        return sqlite3.SQLITE_OK
    # A read of a view itself, or of a table on behalf of a view.
    is_by_view = action == sqlite3.SQLITE_READ and (view in _VIEWS or schema == "temp")
    return sqlite3.SQLITE_OK if is_by_view else sqlite3.SQLITE_DENY


def _public_facts(attributes: str) -> str:
    kept = {name: value for name, value in json.loads(attributes).items() if is_public(name)}
    return json.dumps(kept, ensure_ascii=False)


def is_public(fact: str) -> bool:
    """Whether a fact about a product is for customers, by its name."""
    name = fact.lower().replace(" ", "_").replace("-", "_")
    return not any(word in name for word in INTERNAL_FACTS)


def _postgres(engine: Engine) -> Engine:
    """The same engine, once the role, its schema and the views are there; each connection takes the role."""
    name = "replace(replace(lower(fact.key), ' ', '_'), '-', '_')"
    hidden = " OR ".join(f"position('{word}' IN {name}) > 0" for word in INTERNAL_FACTS)
    facts = (
        "(SELECT coalesce(json_object_agg(fact.key, fact.value), '{}'::json) "
        f"FROM json_each(attributes) AS fact WHERE NOT ({hidden}))"
    )
    me = f"current_setting('{SETTING}', true)"
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(724137)"))
            if not connection.execute(text(f"SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}'")).scalar():
                connection.execute(text(f"CREATE ROLE {ROLE} NOLOGIN"))
            connection.execute(text(f"GRANT {ROLE} TO CURRENT_USER"))
            home = connection.execute(text("SELECT current_schema()")).scalar_one()
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            for table in ROWS:
                # Not replaced: a view of an earlier version may have other columns.
                connection.execute(text(f"DROP VIEW IF EXISTS {SCHEMA}.{table.name}"))
                body = _typed(table, view_of(table, home, me, facts))
                connection.exec_driver_sql(
                    f"CREATE VIEW {SCHEMA}.{table.name} WITH (security_barrier) AS {body}".replace("%", "%%")
                )
            connection.execute(text(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {ROLE}"))
            connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {ROLE}"))
    except DBAPIError as error:
        raise BadInput(
            f"The database does not let me set up the role {ROLE} that customers read by; give this user CREATEROLE "
            "and CREATE on the database, or let an administrator start Debut once."
        ) from error
    return engine


def _typed(table: Table, body: str) -> str:
    """What is hidden keeps the column's type."""
    for column in table.columns:
        kind = column.type.compile()
        body = body.replace(f"NULL AS {column.name}", f"CAST(NULL AS {kind}) AS {column.name}")
    return body
