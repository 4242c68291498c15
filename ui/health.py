"""Whether the house is well: model, data, index, disk, database, log, versions; each a line with its state."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Literal

from babel.dates import format_date
from babel.units import format_unit
from sqlalchemy import text

from shop import Shop, ToolError
from shop.passages import Searcher
from ui.settings import Settings
from ui.strings import Words
from ui.wiring import Desk

State = Literal["ok", "look", "bad"]
OLD_DAYS = 28  # as the rules of a brief ask (agent.brief.types): older data is worth a look
LEAST_FREE = 2 * 2**30  # bytes: an import of a large shop and its index need about one
PACKAGES = ("gradio", "langchain", "langgraph", "transformers", "torch", "sqlalchemy", "pandas")


@dataclass(frozen=True)
class Check:
    """One line: what was looked at (a string of `strings/settings.toml`), how it is, and what was seen."""

    key: str
    state: State
    seen: str


def checks(desk: Desk, settings: Settings, say: Words, today: date | None = None) -> list[Check]:
    """Look at everything now; nothing is loaded or started for it."""
    return [
        _model(desk, say),
        _data(desk.shop, say, today or date.today()),
        _index(desk.shop.searcher, say),
        _database(desk.shop, say),
        _disk(settings.home, say),
        _log(settings.log_file, say),
        Check("h_versions", "ok", ", ".join(_versions())),
    ]


def _model(desk: Desk, say: Words) -> Check:
    if not desk.is_ready:
        return Check("h_model", "look", f"{desk.model_name} · {say['loading']}")
    there = desk.model_or_none() is not None
    seen = say["ready" if there else "not_available"]
    return Check("h_model", "ok" if there else "bad", f"{desk.model_name} · {seen}")


def _data(shop: Shop, say: Words, today: date) -> Check:
    try:
        cutoff = shop.cutoff
    except ToolError:
        return Check("h_data", "bad", say["no_data"])
    age = (today - cutoff).days
    day = format_date(cutoff, "long", locale=say.locale)
    return Check("h_data", "ok" if age <= OLD_DAYS else "look", say("days_old", day=day, count=max(age, 0)))


def _index(searcher: Searcher | None, say: Words) -> Check:
    folder = getattr(searcher, "folder", None)
    made = sorted(Path(folder).glob("*.json")) if folder is not None else []
    if not made:
        return Check("h_index", "look", say["no_index"])
    moment = datetime.fromtimestamp(max(file.stat().st_mtime for file in made))
    return Check("h_index", "ok", say("indexed", day=format_date(moment, "long", locale=say.locale)))


def _database(shop: Shop, say: Words) -> Check:
    started = time.perf_counter()
    with shop.begin() as connection:
        connection.execute(text("SELECT 1"))
    ms = (time.perf_counter() - started) * 1000
    return Check("h_database", "ok", say("answers", kind=connection.dialect.name, ms=f"{ms:.1f}"))


def _disk(home: Path, say: Words) -> Check:
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    usage = shutil.disk_usage(there)
    free, whole = (
        format_unit(round(size / 2**30, 1), "digital-gigabyte", length="short", locale=say.locale)
        for size in (usage.free, usage.total)
    )
    return Check("h_disk", "ok" if usage.free > LEAST_FREE else "look", say("free", free=free, whole=whole))


def _log(log_file: Path, say: Words) -> Check:
    """Errors of the last day: a line that begins with a time and an error id."""
    since = f"{datetime.now() - timedelta(days=1):%Y-%m-%d %H:%M:%S}"
    lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines() if log_file.exists() else []
    count = sum(line[:19] > since and " E-" in line[19:32] for line in lines)
    return Check("h_log", "look" if count else "ok", say("errors", count=count))


def _versions() -> Iterator[str]:
    yield f"Debut {version('debut-launch-desk')}"
    yield f"Python {python_version()}"
    for package in PACKAGES:
        yield f"{package} {version(package)}"
