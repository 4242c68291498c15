"""The demo shop's prices: list price steps, promotions that follow slow demand, and what competitors ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.random import Generator

from shop.demo.catalogue import Item
from shop.demo.truth import Floats, Ints, PromotionTruth
from shop.demo.words import Words

RIVALS = (("Fernhill Direct", 0.72, -0.03), ("Nestmarket", 0.64, -0.09), ("Orbit & Oak", 0.5, 0.05))
SEASONAL = (  # name, month and day, days, depth, share of the range
    ("New year clear-out", (1, 2), 14, 0.25, 0.22),
    ("Spring refresh", (4, 10), 10, 0.15, 0.2),
    ("Midsummer sale", (6, 18), 14, 0.2, 0.25),
    ("Black Friday week", (11, 21), 9, 0.25, 0.35),
)


@dataclass(frozen=True)
class Offers:
    """`list_price` and `paid` in cents, `depth` and `lift` (log demand beyond price) by (day, product);
    `promotion` is the number of the promotion in force, or -1."""

    list_price: Ints
    paid: Ints
    depth: Floats
    lift: Floats
    promotion: Ints
    promotions: list[dict[str, Any]]
    truths: dict[str, PromotionTruth]
    price_rows: list[dict[str, Any]]


def list_prices(items: list[Item], days: int, first_day: date, rng: Generator) -> tuple[Ints, list[dict[str, Any]]]:
    """List prices by (day, product), drifting upwards in one to three steps a life, and the price history."""
    grid = np.empty((days, len(items)), dtype=np.int64)
    rows: list[dict[str, Any]] = []
    for number, item in enumerate(items):
        begin = max(item.start, 0)
        grid[:, number] = item.price
        steps = sorted({int(day) for day in rng.integers(begin + 60, max(days, begin + 61), 3)})
        price = item.price
        rows.append(_price(item, first_day, begin, price))
        for day in steps[: int(rng.integers(0, 4))]:
            if day >= (item.end or days):
                continue
            # A price keeps its ending: 49.90 moves to 52.90, not to 52.37.
            price = max(round(price * float(rng.normal(1.015, 0.05)) / 100) * 100 - (100 - price % 100) % 100, 500)
            grid[day:, number] = price
            rows.append(_price(item, first_day, day, price))
    return grid, rows


def _price(item: Item, first_day: date, day: int, price: int) -> dict[str, Any]:
    return {"sku": item.sku, "valid_from": first_day + timedelta(days=day), "price_cents": price}


def make_offers(words: Words, items: list[Item], first_day: date, shock: Floats, rng: Generator) -> Offers:
    """Set prices and promotions.

    Args:
        shock: Demand surprises by (week, product) in logs; a promotion is likelier where the last ones were low.
    """
    days = len(shock) * 7
    prices, price_rows = list_prices(items, days, first_day, rng)
    depth, lift = np.zeros(prices.shape), np.zeros(prices.shape)
    number = np.full(prices.shape, -1, dtype=np.int64)
    promotions: list[dict[str, Any]] = []
    truths: dict[str, PromotionTruth] = {}
    for name, sku, category, columns, start, length, cut in _windows(words, items, shock, first_day, rng):
        free = [c for c in columns if start >= max(items[c].start, 0) + 28 and start + length <= (items[c].end or days)]
        free = [c for c in free if not depth[max(start - 14, 0) : start + length, c].any()]
        if not free:
            continue
        promotion_id = f"PR-{len(promotions) + 1:04d}"
        truth = PromotionTruth(
            uplift=round(float(rng.uniform(0.08, 0.32)), 3), dip=round(float(rng.uniform(0.05, 0.2)), 3)
        )
        truths[promotion_id] = truth
        window = slice(start, start + length)
        depth[window, free] = cut
        lift[window, free] = truth.uplift
        lift[start + length : start + length + 14, free] = -truth.dip
        number[window, free] = len(promotions)
        last = first_day + timedelta(days=min(start + length, days) - 1)
        head = {"id": promotion_id, "name": name, "mechanic": "percentage", "category": category, "sku": sku}
        promotions.append(head | {"starts": first_day + timedelta(days=start), "ends": last, "depth": cut})
    paid = np.rint(prices * (1 - depth)).astype(np.int64)
    return Offers(prices, paid, depth, lift, number, promotions, truths, price_rows)


Window = tuple[str, str | None, str, list[int], int, int, float]


def _windows(words: Words, items: list[Item], shock: Floats, first_day: date, rng: Generator) -> list[Window]:
    """Wished promotions: seasonal ones per department, and ones of single products after slow weeks."""
    days = len(shock) * 7
    windows: list[Window] = []
    for year in range(first_day.year, first_day.year + days // 365 + 2):
        for name, (month, day), length, cut, share in SEASONAL:
            start = (date(year, month, day) - first_day).days
            if not 0 <= start < days - length:
                continue
            for number, department in enumerate(words.departments):
                mine = [c for c, item in enumerate(items) if item.department == number and rng.random() < share]
                windows.append((f"{name}: {department.name}", None, department.name, mine, start, length, cut))
    slow = np.argsort(shock + rng.normal(0, 0.25, shock.shape), axis=None, kind="stable")
    for cell in slow[: len(items) * len(shock) // 45]:
        week, column = divmod(int(cell), len(items))
        start, length = (week + 1) * 7, int(rng.integers(1, 4)) * 7
        cut = float(rng.choice([0.1, 0.15, 0.2, 0.3]))
        item = items[column]
        if start + length <= days:
            windows.append((f"{item.line[0]} offer", item.sku, words.category(item.sub), [column], start, length, cut))
    return windows


def competitors(
    items: list[Item], prices: Ints, first_day: date, rng: Generator
) -> tuple[list[dict[str, Any]], Floats]:
    """Competitors' prices every four weeks, and the rivals' average price over its own mean, in logs, by day."""
    days = len(prices)
    marks = range(0, days, 28)
    rows: list[dict[str, Any]] = []
    gap = np.zeros((len(marks), len(items)))
    for rival, cover, stance in RIVALS:
        for column in np.flatnonzero(rng.random(len(items)) < cover):
            item = items[column]
            level = stance + rng.normal(0, 0.05)
            walk = level + np.cumsum(rng.normal(0, 0.012, len(marks)))
            rating = float(np.clip(rng.normal(4.15, 0.25), 3.1, 4.9))
            growth = np.cumsum(rng.poisson(rng.lognormal(1.2, 0.7), len(marks)))
            gap[:, column] += (walk - level) / len(RIVALS)
            for mark, day in enumerate(marks):
                if max(item.start, 0) <= day < (item.end or days):
                    asked = int(round(float(prices[day, column] * np.exp(walk[mark])), -1))
                    row = {"competitor": rival, "sku": item.sku, "day": first_day + timedelta(days=day)}
                    row |= {"price_cents": asked, "rating": round(rating, 1), "reviews": int(growth[mark])}
                    rows.append(row)
    return rows, np.repeat(gap, 28, axis=0)[:days]
