"""Shops and databases that the tests share."""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from llguidance import LLTokenizer
from sqlalchemy import text

from shop import Shop
from shop.schema import metadata

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture
def empty_shop(tmp_path: Path) -> Shop:
    """A shop with its tables and nothing in them."""
    return Shop.open(f"sqlite:///{tmp_path / 'empty.db'}", create=True)


@pytest.fixture(scope="session")
def demo_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The small demo shop, built once; tests must not write to it."""
    from shop import demo

    url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}"
    demo.build(url, seed=7, small=True)
    return Shop.open(url)


@pytest.fixture(scope="session")
def tokens() -> LLTokenizer:
    """The tiny model's tokenizer, as the grammar's judge reads it."""
    from llguidance.hf import from_tokenizer
    from tiny_model import tiny_tokenizer

    return from_tokenizer(tiny_tokenizer())


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets, which a fresh clone does not have."""
    if not (SHARED / "data").is_dir():
        pytest.skip("no shared data folder beside the checkout")
    return SHARED / "data"


@pytest.fixture(scope="session")
def postgres_shop() -> Iterator[Shop]:
    """A shop on a real Postgres server of our own, reached by a unix socket."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    if not found:
        warnings.warn("POSTGRES IS NOT TESTED: install Debian's package `postgresql`", stacklevel=1)
        pytest.skip("Postgres is not installed: the store was tested on SQLite only")
    binaries = found[-1].parent
    home = Path(mkdtemp(prefix="debut-pg-"))  # not pytest's own folder: a socket's path must be short
    run = _unprivileged(home)
    try:
        initdb = [*run, str(binaries / "initdb"), "-D", str(home / "data"), "-U", "debut", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*initdb, "--no-sync"], check=True, capture_output=True)
        options = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off"
        control = [*run, str(binaries / "pg_ctl"), "-D", str(home / "data"), "-w"]
        subprocess.run([*control, "-o", options, "-l", str(home / "log"), "start"], check=True, capture_output=True)
        try:
            shop = Shop.open(f"postgresql+psycopg://debut@/postgres?host={home}", create=True)
            yield shop
            shop.engine.dispose()
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _unprivileged(home: Path) -> list[str]:
    """Postgres refuses to run as root: hand the folder to the user `nobody` and become it."""
    if os.geteuid() != 0:
        return []
    shutil.chown(home, "nobody")
    return ["runuser", "-u", "nobody", "--"]


@pytest.fixture(params=["sqlite", "postgres"])
def any_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """An empty shop on either database: what holds on one must hold on the other."""
    if request.param == "sqlite":
        shop = Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True)
        yield shop
        shop.engine.dispose()
        return
    shop = request.getfixturevalue("postgres_shop")
    yield shop
    with shop.begin() as connection:
        tables = ", ".join(table.name for table in metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
