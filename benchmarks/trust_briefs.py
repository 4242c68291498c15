"""A process that is killed while it writes a brief: started again, it does nothing twice, and the brief is the same."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from agent.brief import compile_brief
from agent.brief.memory import call_key
from benchmarks.trust_kills import STUCK, copy_shop, in_child, is_whole
from benchmarks.trust_world import NOW
from shop import Shop, ToolResult, demo
from shop import schema as t
from shop.brief_steps import brief_steps
from shop.canonical import digest
from shop.learned import Learned
from shop.session import Session
from tools import ALL
from tools.registry import BoundTool, Tool, bind


@dataclass(frozen=True)
class Logged(Tool):
    """A tool that writes down each call before it is made, where a killed process cannot take it back."""

    log: Path = Path(os.devnull)

    def run(self, shop: Shop, arguments: dict[str, Any]) -> ToolResult:
        """The call, and its key in the log."""
        with self.log.open("a", encoding="utf-8") as log:
            log.write(digest(call_key(self, arguments)) + "\n")
        return super().run(shop, arguments)


@dataclass(frozen=True)
class Desk:
    """A copy of the small demo shop in which one brief is written, in processes of their own."""

    folder: Path
    learned: Learned = field(default_factory=Learned)  # in memory, where a forked process finds it

    @property
    def clean(self) -> Path:
        return self.folder / "clean.db"

    @property
    def place(self) -> Path:
        return self.folder / "shop.db"

    @property
    def log(self) -> Path:
        return self.folder / "calls"

    def write(self) -> None:
        """Write the brief of the first draft."""
        shop = Shop.open(f"sqlite:///{self.place}").remembering(self.learned)
        shop = shop.acting_as(Session("manager", "mia", id="kill", now=lambda: NOW))
        tools = bind(ALL, shop, shop.acting.standing)
        logged = {name: BoundTool(_logged(bound.tool, self.log), bound.shop) for name, bound in tools.items()}
        compile_brief(logged, shop, shop.drafts()[0])
        shop.close()

    def calls(self) -> set[str]:
        """Keys of the calls that were begun since the log was last emptied."""
        return set(self.log.read_text(encoding="utf-8").split()) if self.log.exists() else set()

    def kept(self) -> set[str]:
        """Keys of the steps that stand in the shop."""
        return set(self._column(brief_steps.c.step))

    def briefs(self) -> list[str]:
        """The stored briefs, without what is another one each time: number and seconds."""
        return [_timeless(document) for document in self._column(t.briefs.c.document)]

    def _column(self, column: Any) -> list[Any]:
        shop = Shop.open(f"sqlite:///{self.place}")
        with shop.engine.connect() as connection:
            found = list(connection.execute(select(column)).scalars())
        shop.close()
        return found


def kill_briefs(folder: Path, points: int, seed: int = 0) -> dict[str, Any]:
    """Kill −9 at random moments of a brief, and now and then a moment after it was stored, then start it again.

    Returns:
        Counts: how often the brief was stored before the kill, how often exactly one stood in the end and was equal to
        the one that nobody killed, calls that were made again although their result was kept, how many steps were kept
        at the moment of the kill (quartiles), and the longest second run.
    """
    draw, counts, kept, again = random.Random(seed), Counter[str](), [], [0.0]
    desk = Desk(folder)
    demo.build(f"sqlite:///{desk.clean}", seed=7, small=True)
    copy_shop(desk.clean, desk.place)
    desk.write()  # what tools learn from the shop is learned here, once
    whole, longest = desk.briefs(), _timed(desk)
    for _ in range(points):
        copy_shop(desk.clean, desk.place)
        desk.log.unlink(missing_ok=True)
        counts["runs"] += 1
        counts["killed"] += os.WIFSIGNALED(in_child(desk.write, draw.uniform(0, 1.1 * longest)))
        steps, stored = desk.kept(), bool(desk.briefs())
        kept.append(len(steps))
        counts["stored_before"] += stored
        desk.log.unlink(missing_ok=True)
        started = time.perf_counter()
        ended = in_child(desk.write, STUCK) == 0
        again.append(time.perf_counter() - started)
        counts["repeated_calls"] += len(desk.calls() & steps)
        counts["same_brief"] += ended and desk.briefs() == whole
        counts["audit_whole"] += is_whole(desk.place)
    names = ("runs", "killed", "stored_before", "same_brief", "repeated_calls", "audit_whole")
    quartiles = [int(part) for part in np.quantile(kept, (0.25, 0.5, 0.75))]
    return {name: counts[name] for name in names} | {"steps_kept": quartiles, "again_seconds": round(max(again), 1)}


def _logged(tool: Tool, log: Path) -> Logged:
    return Logged(**{each.name: getattr(tool, each.name) for each in fields(Tool)}, log=log)


def _timed(desk: Desk) -> float:
    """Seconds of a whole brief in a process of its own: the middle of three."""
    taken = []
    for _ in range(3):
        copy_shop(desk.clean, desk.place)
        started = time.perf_counter()
        in_child(desk.write, STUCK)
        taken.append(time.perf_counter() - started)
    return sorted(taken)[1]


def _timeless(document: dict[str, Any]) -> str:
    calls = [{name: value for name, value in call.items() if name != "seconds"} for call in document["calls"]]
    return json.dumps({**document, "id": "", "seconds": 0, "calls": calls}, sort_keys=True)
