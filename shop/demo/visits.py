"""The demo shop's clickstream: the searches, views and carts that led to an order, and those that did not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.random import Generator

from shop.demo.baskets import Baskets
from shop.demo.catalogue import Item
from shop.demo.people import People
from shop.demo.words import Words

IDLE = 1.1  # sessions without an order for each one with


def make_events(
    words: Words, items: list[Item], baskets: Baskets, people: People, start: datetime, since: int, rng: Generator
) -> list[dict[str, Any]]:
    """Event rows from day `since` on, in order of time.

    Args:
        start: Midnight of the first day.
    """
    sessions = _buying(baskets, since) + _idle(items, baskets, people, since, rng)
    neighbours = _neighbours(items)
    rows: list[dict[str, Any]] = []
    for number, (second, customer, wanted, bought) in enumerate(sessions):
        head: dict[str, Any] = {
            "customer_id": None if customer < 0 else people.ids[customer],
            "session": f"S-{number + 1:06d}",
        }
        clock = second - 60 * int(rng.integers(4, 40))
        for kind, column, query in _steps(words, items, wanted, bought, neighbours, rng):
            sku = None if column is None else items[column].sku
            at = start + timedelta(seconds=max(clock, 0))
            rows.append(head | {"at": at, "kind": kind, "sku": sku, "query": query})
            clock = min(clock + int(rng.integers(8, 120)), second - 1)
    rows.sort(key=lambda row: (row["at"], row["session"]))
    return [row | {"id": number + 1} for number, row in enumerate(rows)]


Session = tuple[int, int, list[int], bool]  # second, customer, products, bought


def _buying(baskets: Baskets, since: int) -> list[Session]:
    first = int(np.searchsorted(baskets.second, since * 86_400))
    bounds = np.searchsorted(baskets.order, np.arange(first, len(baskets.second) + 1))
    return [
        (int(baskets.second[o]), int(baskets.customer[o]), baskets.item[bounds[i] : bounds[i + 1]].tolist(), True)
        for i, o in enumerate(range(first, len(baskets.second)))
    ]


def _idle(items: list[Item], baskets: Baskets, people: People, since: int, rng: Generator) -> list[Session]:
    """Sessions that end without an order: the same hours, popular products, any known customer or none."""
    recent = np.flatnonzero(baskets.second >= since * 86_400)
    lines = np.flatnonzero(baskets.order >= recent[0])
    count = int(len(recent) * IDLE)
    # A day's shopper looks at what was on sale that day: both come from a real order line.
    drawn = rng.choice(lines, count)
    second = baskets.second[baskets.order[drawn]]
    anyone, day = rng.integers(0, len(people.ids), count), second // 86_400
    there = (people.joined[anyone] < day) & (people.gone[anyone] > day)
    customer = np.where(there, anyone, -1)
    return [(int(second[i]), int(customer[i]), [int(baskets.item[drawn[i]])], False) for i in range(count)]


def _neighbours(items: list[Item]) -> list[list[int]]:
    """Products of the same category that outlive the data, to be looked at beside each one."""
    by_sub: dict[int, list[int]] = {}
    for column, item in enumerate(items):
        if item.end is None and item.start < 0:
            by_sub.setdefault(item.sub, []).append(column)
    return [by_sub.get(item.sub, []) for item in items]


def _steps(
    words: Words, items: list[Item], wanted: list[int], bought: bool, neighbours: list[list[int]], rng: Generator
) -> list[tuple[str, int | None, str]]:
    steps: list[tuple[str, int | None, str]] = []
    lead = items[wanted[0]]
    if rng.random() < 0.35:
        patterns = words.shared["searches"]["patterns"]
        pattern = patterns[int(rng.integers(len(patterns)))]
        sub = words.subs[lead.sub].name.lower()
        query = pattern.format(
            type=lead.type[0], line=lead.line[0].lower(), colour=lead.colour, sub=sub, use=lead.use[0]
        )
        steps.append(("search", None, query))
    beside = neighbours[wanted[0]]
    if beside and rng.random() < 0.5:
        steps.append(("view", beside[int(rng.integers(len(beside)))], ""))
    for column in wanted:
        steps.append(("view", column, ""))
        if bought or rng.random() < 0.12:
            steps.append(("cart", column, ""))
    return steps
