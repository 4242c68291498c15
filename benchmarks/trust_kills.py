"""A process that is killed in the middle of a write: afterwards it has happened once, or waits and happens once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks.trust_world import NOW, OWN, OWN_ORDER, build
from shop import Actor, Shop, actions, audit
from shop import schema as t
from shop.service.plans import CHANGES
from shop.session import Session
from tools import ALL
from tools.registry import bind

STUCK = 120.0  # seconds after which a process counts as one that does not end


def kill_writes(folder: Path, points: int, seed: int = 0) -> dict[str, Any]:
    """Kill −9 at random moments of an approval, then approve again.

    Returns:
        Counts: how often it had happened before the kill, how often exactly one effect stood in the end, and how often
        the audit was whole.
    """
    draw = random.Random(seed)
    clean, place = folder / "clean.db", folder / "shop.db"
    action_id = prepare(clean)
    longest = 1.2 * _timed(clean, place, action_id)
    counts = {"runs": 0, "killed": 0, "done_before": 0, "one_effect": 0, "audit_whole": 0}
    for _ in range(points):
        copy_shop(clean, place)
        status = in_child(partial(_approve, place, action_id), draw.uniform(0, longest))
        counts["runs"] += 1
        counts["killed"] += os.WIFSIGNALED(status)
        before = _effects(place)
        _approve(place, action_id)
        counts["done_before"] += before == (1, 1, 1)
        counts["one_effect"] += before in ((0, 0, 0), (1, 1, 1)) and _effects(place) == (1, 1, 1)
        counts["audit_whole"] += is_whole(place)
    return counts


def flip_bytes(folder: Path) -> dict[str, int]:
    """Change each value of each row of an audit, and cut its last row off: all must be found."""
    place = folder / "flip.db"
    _approve(place, prepare(place))
    tried = found = 0
    names = [column.name for column in t.audit.columns]
    with closing(sqlite3.connect(place)) as file:
        rows = file.execute(f"SELECT {', '.join(names)} FROM audit ORDER BY number").fetchall()
        for trigger in ("audit_update", "audit_delete"):
            file.execute(f"DROP TRIGGER {trigger}")
        for row in rows:
            for name, value in zip(names, row, strict=True):
                file.execute(f"UPDATE audit SET {name} = ? WHERE number = ?", (_flipped(value), row[0]))
                file.commit()
                tried, found = tried + 1, found + (not is_whole(place))
                number = _flipped(value) if name == "number" else row[0]
                file.execute(f"UPDATE audit SET {name} = ? WHERE number = ?", (value, number))
                file.commit()
        file.execute("DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)")
        file.commit()
    return {"runs": tried + 1, "found": found + (not is_whole(place))}


def _flipped(value: Any) -> Any:
    if isinstance(value, int):
        return value + 100
    return chr(ord(value[0]) ^ 1) + value[1:] if value[:1].isalpha() or not value else "3" + value[1:]


def prepare(path: Path) -> str:
    """A shop with one proposal that waits."""
    shop = build(path)
    tools = bind(ALL, acting(shop), Actor(role="customer"))
    result = tools["cancel_order"](order=OWN_ORDER, reason="no longer needed")
    shop.close()
    return str(next(figure.value for figure in result.figures if figure.id == "action.id"))


def acting(shop: Shop) -> Shop:
    """In the hands of the customer whose proposal it is."""
    return shop.acting_as(Session("customer", OWN, id="kill", now=lambda: NOW))


def _approve(path: Path, action_id: str) -> None:
    shop = Shop.open(f"sqlite:///{path}")
    actions.approve(acting(shop), CHANGES, action_id)
    shop.close()


def in_child(work: Callable[[], int | None], seconds: float) -> int:
    """Do it in a forked process that is killed after so many seconds; its status as `os.waitpid` gives it.

    The process ends with what the work returns, and with 1 where it raises.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = work() or 0
        finally:
            os._exit(code)
    ends = time.perf_counter() + seconds
    while (left := ends - time.perf_counter()) > 0:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(min(left, 0.002))
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _timed(clean: Path, place: Path, action_id: str) -> float:
    taken = []
    for _ in range(3):
        copy_shop(clean, place)
        started = time.perf_counter()
        in_child(partial(_approve, place, action_id), STUCK)
        taken.append(time.perf_counter() - started)
    return sorted(taken)[1]


def copy_shop(clean: Path, place: Path) -> None:
    """A fresh copy of a closed shop in place of what stood there."""
    for suffix in ("", "-wal", "-shm"):
        place.with_name(place.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(clean, place)


def _effects(path: Path) -> tuple[int, int, int]:
    """Refunds of the order, executions, and execute rows of the audit."""
    shop = Shop.open(f"sqlite:///{path}")
    p, a = t.payments.c, t.audit.c
    with shop.engine.connect() as connection:
        refunds = select(func.count()).where(p.order_id == OWN_ORDER, p.kind == "refund")
        executed = select(func.count()).where(a.decision == "execute")
        counts = [refunds, select(func.count()).select_from(t.executions), executed]
        found = tuple(int(connection.execute(query).scalar_one()) for query in counts)
    shop.close()
    return found[0], found[1], found[2]


def is_whole(path: Path) -> bool:
    """Whether the shop's audit is as it was written, and tells of all that was carried out."""
    shop = Shop.open(f"sqlite:///{path}")
    try:
        with shop.engine.connect() as connection:
            return audit.first_broken(connection) is None and not audit.unrecorded(connection)
    except ValueError:  # a time that is none any more
        return False
    finally:
        shop.close()
