"""A copy of the whole shop as it is at one moment, while it goes on being used, and a shop made from such a copy.

A copy is an SQLite file whatever the shop's database is, so that it can be looked into, and a shop can move from one
to the other. Accounts and conversations are kept elsewhere and are not in it.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, func, inspect, select, text
from sqlalchemy.engine import make_url

from shop import audit
from shop.database import open_engine
from shop.errors import BadInput
from shop.schema import metadata

CHUNK = 10_000  # rows copied at a time


@dataclass(frozen=True)
class Copied:
    """What was copied: the file, its SHA-256, its rows, and whether the audit in it is whole."""

    path: Path
    sha256: str
    rows: int


def back_up(engine: Engine, path: Path) -> Copied:
    """Copy a shop, from one snapshot: what is written meanwhile is in it whole or not at all.

    Raises:
        BadInput: There is a file already, or the copy is not whole.
    """
    if path.exists():
        raise BadInput(f"{path} exists already; name another file for the backup.")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        _copy_sqlite(engine, unfinished) if engine.dialect.name == "sqlite" else _copy_rows(engine, unfinished)
        rows = _checked(unfinished)
        os.replace(unfinished, path)  # no half file under the name of a whole one
    finally:
        unfinished.unlink(missing_ok=True)
    return Copied(path, _sha256(path), rows)


def restore(path: Path, url: str, replace: bool = False) -> Copied:
    """Make a shop from a copy.

    Args:
        path: What `back_up` wrote.
        url: SQLAlchemy URL of the shop to be; nothing may stand there, or an empty Postgres database.
        replace: For SQLite, set a shop that stands there aside, under its name and `.before-restore`.

    Raises:
        BadInput: The file is no whole copy, or something stands there already.
    """
    if not path.is_file():
        raise BadInput(f"There is no backup {path}; check the path.")
    rows = _checked(path)
    target = make_url(url)
    if target.get_backend_name() != "sqlite":
        _fill(path, url)
        return Copied(path, _sha256(path), rows)
    place = Path(target.database or "")
    if place.exists():
        if not replace:
            raise BadInput(f"A shop stands at {place} already; `--replace` sets it aside.")
        _set_aside(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(place)) as copy:
        source.backup(copy)
    return Copied(path, _sha256(path), rows)


def _copy_sqlite(engine: Engine, path: Path) -> None:
    # In one step: SQLite reads a single state of the file, and in WAL mode nobody who writes waits for it.
    with closing(sqlite3.connect(str(engine.url.database))) as source, closing(sqlite3.connect(path)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it


def _copy_rows(engine: Engine, path: Path) -> None:
    copy = open_engine(f"sqlite:///{path}", create=True)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as source, copy.begin() as target:
        there = set(inspect(source).get_table_names())
        _copy_tables(source, target, [table for table in metadata.sorted_tables if table.name in there])
    with copy.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
    copy.dispose()


def _fill(path: Path, url: str) -> None:
    """Copy the rows into a database that holds no shop, or one without a row."""
    target = open_engine(url, create=True)
    source = create_engine(f"sqlite:///{path}")
    with source.connect() as reading, target.begin() as writing:
        there = set(inspect(reading).get_table_names())
        tables = [table for table in metadata.sorted_tables if table.name in there]
        if any(writing.execute(select(func.count()).select_from(table)).scalar() for table in tables):
            raise BadInput("A shop stands in that database already; restore into an empty one.")
        _copy_tables(reading, writing, tables)
        _restart_numbers(writing, tables)
    source.dispose()
    target.dispose()


def _copy_tables(source: Connection, target: Connection, tables: list[Table]) -> None:
    for table in tables:
        # A backup of an earlier version may lack columns that have come since.
        has = {column["name"] for column in inspect(source).get_columns(table.name)}
        columns = [column for column in table.columns if column.name in has]
        found = source.execution_options(yield_per=CHUNK).execute(select(*columns))
        for block in found.mappings().partitions(CHUNK):
            target.execute(table.insert(), [dict(row) for row in block])


def _restart_numbers(connection: Connection, tables: list[Table]) -> None:
    """Postgres counts new rows by itself, from one; let it go on after the last."""
    for table in tables:
        column = table.autoincrement_column
        name = {"table": table.name, "column": column.name if column is not None else ""}
        if (
            column is None
            or not connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), name).scalar()
        ):
            continue
        last = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
        connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, column.name), last, False)))


def _checked(path: Path) -> int:
    """Number of rows of a whole copy.

    Raises:
        BadInput: It is no shop, is damaged, or its audit was changed.
    """
    broken = BadInput(f"{path.name} is no whole backup of a shop; take another one.")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            if (
                file.execute("PRAGMA quick_check").fetchone() != ("ok",)
                or file.execute("PRAGMA foreign_key_check").fetchone()
            ):
                raise broken
    except sqlite3.DatabaseError as error:
        raise broken from error
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            names = set(inspect(connection).get_table_names())
            if not {"products", "audit"} <= names:
                raise broken
            if audit.first_broken(connection) is not None:
                raise BadInput(
                    f"The audit in {path.name} was changed after it was written; keep the file and take another."
                )
            counted = MetaData()
            counted.reflect(connection, only=sorted(names))
            return sum(int(_count(connection, table)) for table in counted.tables.values())
    finally:
        engine.dispose()


def _count(connection: Connection, table: Table) -> Any:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _set_aside(place: Path) -> None:
    # The log is a part of the database until it is written back.
    with closing(sqlite3.connect(place)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.replace(place, place.with_name(place.name + ".before-restore"))
    for suffix in ("-wal", "-shm"):
        place.with_name(place.name + suffix).unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
