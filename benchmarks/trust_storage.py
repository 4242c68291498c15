"""Storage that fails: the database at each statement and commit, one that is locked, a full disk, a lost index.

After each failure the reader has one sentence, the shop is as it was or as it should be, and the same thing asked again
comes out right.
"""

from __future__ import annotations

import resource
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import Pool

from agent.assistant import Assistant
from agent.brief import compile_brief
from agent.models.template import Call
from agent.scripted import ScriptedChatModel
from benchmarks.trust_faults import BROKEN, answered
from benchmarks.trust_kills import acting, copy_shop, in_child, is_whole, prepare
from benchmarks.trust_world import DRAFT, NOW, SKU, Planted, World
from shop import Shop, actions
from shop import schema as t
from shop.importers import Mapping, import_file
from shop.passages import Found, Scope
from shop.service.plans import CHANGES
from shop.session import Session
from shop.types import Role
from tools import ALL
from tools.registry import bind
from ui.edge import Failure, edge

State = dict[str, set[tuple[Any, ...]]]
# What a brief that is being written keeps on its way: parts of it are no half-written brief.
ON_THE_WAY = frozenset(("brief_steps", "meta"))
READS: dict[Role, tuple[Call, ...]] = {
    "customer": (
        Call("list_orders", {}),
        Call("get_order", {"order": "#W2"}),
        Call("get_product", {"product": "MUG"}),
        Call("search_products", {"query": "mug"}),
        Call("search_policies", {"question": "May I send it back?"}),
    ),
    "manager": (
        Call("search_products", {"query": "mug"}),
        Call("review_insights", {"query": "what do people dislike", "product": SKU}),
        Call("search_policies", {"question": "returns"}),
        Call("market_trend", {"category": "Kitchen"}),
        Call("forecast_demand", {"product": SKU}),
        Call("recommend_price", {"product": SKU}),
        Call("plan_inventory", {"product": SKU}),
        Call("find_anomalies", {"product": SKU}),
        Call("write_copy", {"product": SKU, "channel": "title"}),
    ),
}
INDEX_ERRORS: tuple[Exception, ...] = (OSError(5, BROKEN), RuntimeError(BROKEN), sqlite3.DatabaseError(BROKEN))


@dataclass(frozen=True)
class Write:
    """A way to write to the shop.

    Args:
        role: Who does it.
        do: What is done, on the shop in her hands; files go into the folder.
        parts: Tables in which it may leave parts on its way.
        is_new: Whether asking again once it is done asks for another one.
    """

    role: Role
    do: Callable[[Shop, Path], object]
    parts: frozenset[str] = frozenset()
    is_new: bool = False


def _tool(name: str, /, **arguments: Any) -> Callable[[Shop, Path], object]:
    return lambda shop, _: bind(ALL, shop, shop.acting.standing)[name](**arguments)


def _approve(shop: Shop, _: Path) -> object:
    return [actions.approve(shop, CHANGES, action.id) for action in actions.waiting(shop, CHANGES)]


def _import(shop: Shop, folder: Path) -> object:
    path = folder / "sales.csv"
    path.write_text("date,sku,units,price\n2026-01-05,KET-1,2,12.50\n2026-01-06,KET-1,1,12.50\n", encoding="utf-8")
    mapping = Mapping(table="sales", columns={name: name for name in ("date", "sku", "units", "price")})
    return import_file(shop, "generic", path, mapping=mapping, refusals=folder / "refused.csv")


def _brief(shop: Shop, _: Path) -> object:
    draft = shop.draft(DRAFT)
    assert draft is not None
    return compile_brief(bind(ALL, shop, shop.acting.standing), shop, draft)


WRITES: dict[str, Write] = {
    "proposal": Write("customer", _tool("change_address", order="#W3", address="9 Oak Road, Boulder, CO 80301")),
    "approval": Write("customer", _approve),
    "ticket": Write("customer", _tool("hand_over", summary="The lid does not fit.")),
    "draft": Write("manager", _tool("draft_product", name="Kite", price=20.0)),
    "planned change": Write("manager", _tool("propose_change", change="price", product=SKU, value="11")),
    "import": Write("manager", _import),
    "brief": Write("manager", _brief, ON_THE_WAY, is_new=True),
}


@dataclass(frozen=True)
class Bench:
    """A shop that is copied afresh for every failure; a proposal waits in it."""

    folder: Path

    @property
    def clean(self) -> Path:
        return self.folder / "clean.db"

    @property
    def place(self) -> Path:
        return self.folder / "shop.db"

    def fresh(self) -> None:
        copy_shop(self.clean, self.place)

    def run(self, write: Write, fault: AbstractContextManager[object] | None = None) -> Failure | None:
        """Do it as the page does; what the reader is told where it fails."""
        told: list[Failure] = []
        with edge(self.folder / "debut.log", told.append):
            shop = Shop.open(f"sqlite:///{self.place}")
            try:
                if write.role == "customer":
                    shop = acting(shop)
                else:
                    shop = shop.acting_as(Session(write.role, "mia", id="storage", now=lambda: NOW))
                with fault or nullcontext():
                    write.do(shop, self.folder)
            finally:
                shop.close()
        return told[0] if told else None

    def state(self, parts: frozenset[str] = frozenset()) -> State:
        """All rows of all tables but these."""
        with closing(sqlite3.connect(self.place)) as file:
            names = [name for name in t.metadata.tables if name not in parts]
            return {name: set(file.execute(f'SELECT * FROM "{name}"')) for name in names}


class Fault:
    """Counts what databases are asked in this process, statements and commits, and lets the n-th fail."""

    def __init__(self, at: int = 0) -> None:
        self.at, self.asked = at, 0

    def __enter__(self) -> Fault:
        event.listen(Engine, "before_cursor_execute", self._next)
        event.listen(Engine, "commit", self._next)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Engine, "before_cursor_execute", self._next)
        event.remove(Engine, "commit", self._next)

    def _next(self, *_: Any) -> None:
        self.asked += 1
        if self.asked == self.at:
            raise OperationalError(BROKEN, {}, sqlite3.OperationalError(BROKEN))


def fail_database(folder: Path, points: int) -> dict[str, Any]:
    """Every way to write, the database failing at each statement and commit (at most so many, evenly spread).

    Returns:
        Counts: failures tried, those that were told in one sentence or did no harm, shops that were neither as before
        nor as after, and writes that came out right when they were asked again.
    """
    bench, counts, failures = _bench(folder), Counter[str](), []
    for name, write in WRITES.items():
        before, after, asked = _known(bench, write)
        for at in _spread(asked, points):
            bench.fresh()
            told = bench.run(write, Fault(at))
            failures += _judged(bench, name, told, before, after, counts)
    return _report(counts, failures)


def lock_database(folder: Path) -> dict[str, Any]:
    """Every way to write while another process holds the database and does not let go."""
    bench, counts, failures = _bench(folder), Counter[str](), []
    event.listen(Pool, "checkout", _in_a_hurry)
    try:
        for name, write in WRITES.items():
            before, after, _ = _known(bench, write)
            bench.fresh()
            with closing(sqlite3.connect(bench.place, isolation_level=None)) as other:
                other.execute("PRAGMA journal_mode=WAL")
                other.execute("BEGIN IMMEDIATE")
                told = bench.run(write)
            failures += _judged(bench, name, told, before, after, counts)
    finally:
        event.remove(Pool, "checkout", _in_a_hurry)
    return _report(counts, failures)


def fill_disk(folder: Path, points: int) -> dict[str, Any]:
    """Every way to write in a process whose files may only grow to a limit: at bytes evenly spread over what it writes.

    Another process holds the shop open, as the desk's server does, so that the file next to the database is the one
    that fills up.
    """
    bench, counts, failures = _bench(folder), Counter[str](), []
    for name, write in WRITES.items():
        before, after, _ = _known(bench, write)
        bench.fresh()
        with _held(bench):
            bench.run(write)
            size = bench.place.with_name("shop.db-wal").stat().st_size
        for limit in _spread(size, points):
            bench.fresh()
            with _held(bench):
                status = in_child(partial(_within, limit, bench, write), 120)
            told = None if status == 0 else Failure(f"status {status}", status)
            failures += _judged(bench, name, told, before, after, counts, is_clean=status in (0, TOLD << 8))
    return _report(counts, failures)


TOLD = 7  # how a process ends that told its reader one clean sentence


def _within(limit: int, bench: Bench, write: Write) -> int:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    told = bench.run(write)
    return 0 if told is None else TOLD if _is_clean(told) else 1


def fail_reads(world: World, log: Path, points: int) -> dict[str, Any]:
    """Questions while the database fails at each statement, and while the index fails; then the same question again."""
    counts, failures = Counter[str](), []
    for role, calls in READS.items():
        shop = world.acting(role)
        for call in calls:
            with Fault() as seen:
                right = _asked(shop, call, log)
            faults: list[tuple[str, Shop, AbstractContextManager[object]]] = [
                *((f"statement {at}", shop, Fault(at)) for at in _spread(seen.asked, points)),
                *((f"{type(e).__name__} of the index", shop.searched_by(Lost(e)), nullcontext()) for e in INDEX_ERRORS),
            ]
            for what, broken, fault in faults:
                with fault:
                    said = _asked(broken, call, log)
                again = _asked(shop, call, log)
                clean = bool(said) and BROKEN not in said and "Traceback" not in said
                counts.update({"runs": 1, "clean": int(clean), "right_again": int(again == right)})
                if not clean or again != right:
                    failures.append(f"{call.name}, {what}: {said[:80]!r}, then {again[:80]!r}")
    counts["effects"] = len(world.changed())
    return {name: counts[name] for name in ("runs", "clean", "right_again", "effects")} | {"failures": failures[:20]}


class Lost(Planted):
    """An index that cannot be read."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def search(self, query: str, scope: Scope, limit: int = 10) -> Found:
        raise self._error


def _asked(shop: Shop, call: Call, log: Path) -> str:
    model = ScriptedChatModel(replies=[call, "Here you are.", "Here you are."])
    tools = bind(ALL, shop, shop.acting.standing)
    return answered(Assistant(model, tools, role=shop.acting.role), "Tell me", log)


def _bench(folder: Path) -> Bench:
    bench = Bench(folder)
    prepare(bench.clean)
    return bench


def _known(bench: Bench, write: Write) -> tuple[State, State, int]:
    """The rows before and after a write that nothing disturbs, and how much it asks of the database.

    Of a table that comes out otherwise each time (it holds seconds) only how many rows it has is kept.
    """
    bench.fresh()
    before, found = bench.state(write.parts), []
    for _ in range(2):
        bench.fresh()
        with Fault() as seen:
            told = bench.run(write)
        assert told is None, f"undisturbed it failed: {told}"
        found.append(bench.state(write.parts))
    after = {name: rows if rows == found[1][name] else {(len(rows),)} for name, rows in found[0].items()}
    return before, after, seen.asked


def _judged(
    bench: Bench,
    name: str,
    told: Failure | None,
    before: State,
    after: State,
    counts: Counter[str],
    is_clean: bool | None = None,
) -> list[str]:
    """Count one failure; what is wrong with it."""
    write = WRITES[name]
    state = bench.state(write.parts)
    done = _equal(state, after)
    clean = (told is None and done) or (_is_clean(told) if is_clean is None else is_clean)
    half = not done and state != before
    again = (
        ((done and write.is_new) or bench.run(write) is None)
        and _equal(bench.state(write.parts), after)
        and is_whole(bench.place)
    )
    counts.update({"runs": 1, "clean": int(clean), "half_written": int(half), "right_again": int(again)})
    sentence = told.sentence[:120] if told else "nothing was told"
    return [] if clean and again and not half else [f"{name}: {sentence}; half {half}, again {again}"]


def _equal(state: State, after: State) -> bool:
    return all(rows == after[name] or after[name] == {(len(rows),)} for name, rows in state.items())


def _is_clean(told: Failure | None) -> bool:
    return told is not None and BROKEN not in told.sentence and "Traceback" not in told.sentence


def _report(counts: Counter[str], failures: list[str]) -> dict[str, Any]:
    names = ("runs", "clean", "half_written", "right_again")
    return {name: counts[name] for name in names} | {"failures": failures[:20]}


def _spread(last: int, most: int) -> list[int]:
    """At most so many whole numbers from 1 to the last, evenly."""
    return sorted({int(place) for place in np.linspace(1, last, min(last, most)).round()})


def _in_a_hurry(connection: Any, *_: Any) -> None:
    with suppress(sqlite3.DatabaseError):  # a customer's own door takes no settings; it only reads, and never waits
        connection.execute("PRAGMA busy_timeout=20")


@contextmanager
def _held(bench: Bench) -> Iterator[None]:
    with closing(sqlite3.connect(bench.place)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("SELECT count(*) FROM meta").fetchone()
        yield
