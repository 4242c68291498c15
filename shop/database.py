"""The engine under the store: opening a database by URL, and inserts that skip what is already there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from shop.errors import BadInput
from shop.schema import metadata
from shop.version import count_changes

NO_SHOP = "There is no shop here yet; run `./debut demo` for the demo shop or `./debut import` for your own data."


def open_engine(url: str, create: bool = False) -> Engine:
    """An engine for a database that holds the shop's tables; with `create`, an empty one becomes a shop.

    Raises:
        BadInput: The URL is malformed, the database cannot be reached, or it holds no shop and `create` is false.
    """
    try:
        parsed = make_url(url)
        # An error of the database would print the values of the row: names, addresses.
        engine = create_engine(parsed, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise BadInput(
            f"The shop address cannot be used ({error}); set DEBUT_SHOP to an SQLAlchemy URL such as sqlite:///shop.db."
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
        if parsed.database and parsed.database != ":memory:" and not Path(parsed.database).exists():
            # Connecting would leave an empty file behind.
            if not create:
                raise BadInput(NO_SHOP)
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    try:
        there = inspect(engine).get_table_names()
        is_empty = "products" not in there
        missing = [table for name, table in metadata.tables.items() if name not in there]
        if missing and (create or not is_empty):  # a shop of an earlier version gets the tables it lacks
            metadata.create_all(engine, tables=missing)
    except DBAPIError as error:
        where = parsed.render_as_string(hide_password=True)
        raise BadInput(f"The shop database {where} cannot be opened; check the address or that it runs.") from error
    if is_empty and not create:
        raise BadInput(NO_SHOP)
    count_changes(engine)
    return engine


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows, all with the same keys, leaving those already there as they are; returns how many were new."""
    if not rows:
        return 0
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).on_conflict_do_nothing()
    # Without the option SQLAlchemy does not keep the count of an insert of many rows on Postgres.
    return connection.execute(statement, list(rows), execution_options={"preserve_rowcount": True}).rowcount


def _tune_sqlite(connection: Any, _record: Any) -> None:
    settings: Iterable[str] = (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "cache_size=-65536",
        "temp_store=MEMORY",
    )
    cursor = connection.cursor()
    for setting in settings:
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()
