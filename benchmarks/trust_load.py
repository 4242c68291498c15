"""Many chats at once and very many in a row, with a scripted model: seconds, mixed-up answers, memory that stays."""

from __future__ import annotations

import gc
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from agent.models.template import Call
from benchmarks.trust_world import NOW, OTHER, OTHER_ORDER, OWN, OWN_ORDER, SKU, Chat, World
from shop.session import Session

THINKING = 0.2  # seconds that the model takes for each of its replies
_FOREIGN = {OWN: OTHER_ORDER, OTHER: OWN_ORDER}  # what must never stand in this customer's chat


def load(world: World, chats: int, turns: int) -> dict[str, Any]:
    """Chats of two customers at the same time, without a pause.

    Returns:
        Turns, errors, answers that held another customer's rows, seconds of a turn (median and 95th percentile), and
        turns a second.
    """
    started = time.perf_counter()
    with ThreadPoolExecutor(chats) as pool:
        found = list(pool.map(lambda number: _talk(world, number, turns), range(chats)))
    taken = time.perf_counter() - started
    seconds = np.array([each for one in found for each in one[0]])
    return {
        "runs": len(seconds),
        "errors": sum(one[1] for one in found),
        "cross_talk": sum(one[2] for one in found),
        "p50_seconds": round(float(np.quantile(seconds, 0.5)), 3),
        "p95_seconds": round(float(np.quantile(seconds, 0.95)), 3),
        "turns_per_second": round(len(seconds) / taken, 2),
    }


def soak(world: World, turns: int) -> dict[str, Any]:
    """Turns in a row, ten to a chat; memory is fitted after the first fifth, which fills caches."""
    sizes: list[tuple[int, float]] = []
    threads, files = threading.active_count(), _open_files()
    for number in range(turns // 10):
        _talk(world, number, 10, thinking=0.0)
        gc.collect()
        if number >= turns // 50:
            sizes.append((10 * number, _resident()))
    slope = float(np.polyfit(*zip(*sizes, strict=True), 1)[0]) * 1_000 if len(sizes) > 2 else float("nan")
    return {
        "runs": turns,
        "megabytes_per_1000_turns": round(slope, 2),
        "threads_more": threading.active_count() - threads,
        "files_more": _open_files() - files,
    }


def _talk(world: World, number: int, turns: int, thinking: float = THINKING) -> tuple[list[float], int, int]:
    """Seconds of each turn, errors, and answers with what is another customer's."""
    person = (OWN, OTHER)[number % 2]
    shop = world.shop.acting_as(Session("customer", person, id=f"load-{number}", now=lambda: NOW))
    chat = Chat(shop, [])
    calls = (Call("list_orders", {}), Call("get_product", {"product": SKU}), Call("search_products", {"query": "mug"}))
    seconds, errors, mixed = [], 0, 0
    for place in range(turns):
        wanted = calls[place % len(calls)]

        def think(_: Any, call: Call = wanted) -> Call:
            time.sleep(thinking)
            return call

        def answer(_: Any) -> str:
            time.sleep(thinking)
            return "Here you are."

        chat.model.replies = [think, answer, answer]
        chat.model.asked.clear()
        started = time.perf_counter()
        seen = chat.turn("What now?")
        seconds.append(time.perf_counter() - started)
        errors += bool(seen.errors) or not seen.answer
        mixed += _FOREIGN[person] in seen.whole
    return seconds, errors, mixed


def _resident() -> float:
    """Megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
