"""What the demo shop's buyers say: reviews and return reasons that follow each product's facts and quality."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

import numpy as np
from numpy.random import Generator

from shop.demo.baskets import Baskets
from shop.demo.catalogue import Item
from shop.demo.people import People
from shop.demo.words import Fact, Words

T = TypeVar("T")


def make_reviews(
    words: Words,
    items: list[Item],
    baskets: Baskets,
    people: People,
    first_day: date,
    days: int,
    count: int,
    rng: Generator,
) -> list[dict[str, Any]]:
    """About `count` reviews by buyers, one to five weeks after the order, in order of day."""
    day = baskets.second[baskets.order] // 86_400
    delay = rng.integers(7, 36, len(day))
    known = (baskets.customer[baskets.order] >= 0) & (day + delay < days)
    sales = np.bincount(baskets.item, minlength=len(items)).astype(np.float64)
    # A slow seller gets more reviews per sale than a fast one, as shops that ask for reviews see.
    chance = np.where(known, sales[baskets.item] ** -0.35, 0.0)
    lines = rng.choice(len(day), min(count, int(known.sum())), replace=False, p=chance / chance.sum())
    lines = lines[np.lexsort((lines, (day + delay)[lines]))]
    rows = []
    for number, line in enumerate(lines):
        item, customer = items[baskets.item[line]], int(baskets.customer[baskets.order[line]])
        rating = _rating(item, rng)
        language = "zh" if people.chinese[customer] else "en"
        title, text = write(words, item, rating, language, rng)
        rows.append(
            {
                "id": f"R-{number + 1:05d}",
                "sku": item.sku,
                "customer_id": people.ids[customer],
                "day": first_day + timedelta(days=int(day[line] + delay[line])),
                "rating": rating,
                "title": title,
                "text": text,
                "language": language,
            }
        )
    return rows


def _rating(item: Item, rng: Generator) -> int:
    return int(np.clip(round(4.05 + 0.85 * item.quality + rng.normal(0, 1.05)), 1, 5))


def write(words: Words, item: Item, rating: int, language: str, rng: Generator) -> tuple[str, str]:
    """Title and text of one review: an opening, what the buyer noticed, and an end."""
    mood = "good" if rating >= 4 else "mixed" if rating == 3 else "bad"
    voice = words.voices[mood]
    end = "_zh" if language == "zh" else ""
    names = {"type": item.type[1 if end else 0], "use": item.use[1 if end else 0]}
    opener = _pick(voice[f"openers{end}"], rng).format(**names)
    noticed = _noticed(item, mood, language, rng)
    parts = [opener, *noticed]
    if not end and (not noticed or rng.random() < 0.3):
        parts.append(_pick(voice["middles"], rng))
    if rng.random() < 0.45:
        parts.append(_pick(voice[f"closers{end}"], rng))
    return _pick(voice[f"titles{end}"], rng), ("" if end else " ").join(parts)


def _noticed(item: Item, mood: str, language: str, rng: Generator) -> list[str]:
    """One or two sentences about facts of the product, praise first when the buyer is content."""
    good = [fact for fact in item.facts if fact.sign > 0]
    bad = [fact for fact in item.facts if fact.sign < 0]
    praise = [_said(_pick(good, rng), language, rng)] if good else []
    complaint = [_said(_pick(bad, rng), language, rng)] if bad else []
    if mood == "good":
        return praise + (complaint if rng.random() < 0.12 else [])
    if mood == "mixed":
        return praise + complaint
    return complaint + (praise if rng.random() < 0.15 else [])


def _said(fact: Fact, language: str, rng: Generator) -> str:
    return fact.said_zh if language == "zh" else _pick(fact.said, rng)


def make_returns(
    words: Words, items: list[Item], baskets: Baskets, people: People, first_day: date, days: int, rng: Generator
) -> list[dict[str, Any]]:
    """Returns within four weeks of the order; poor products come back more often, and for their faults."""
    rate = np.array([words.departments[item.department].returns for item in items])
    rate *= np.exp(-0.8 * np.array([item.quality for item in items]))
    day = baskets.second[baskets.order] // 86_400 + rng.integers(5, 29, len(baskets.order))
    back = np.flatnonzero((rng.random(len(day)) < rate[baskets.item]) & (day < days))
    rows = []
    for number, line in enumerate(back[np.argsort(day[back], kind="stable")]):
        item, customer = items[baskets.item[line]], int(baskets.customer[baskets.order[line]])
        units = int(rng.integers(1, baskets.units[line] + 1))
        rows.append(
            {
                "id": f"RT-{number + 1:05d}",
                "order_id": order_id(int(baskets.order[line])),
                "sku": item.sku,
                "customer_id": None if customer < 0 else people.ids[customer],
                "day": first_day + timedelta(days=int(day[line])),
                "units": units,
                "refund_cents": units * int(baskets.paid[line]),
                "reason": _reason(words, item, rng),
            }
        )
    return rows


def _reason(words: Words, item: Item, rng: Generator) -> str:
    faults = [fact for fact in item.facts if fact.sign < 0]
    if faults and rng.random() < 0.45:
        fault = _pick(faults, rng)
        return f"{fault.attribute.lower()}: {fault.value}"
    return str(_pick(words.shared["returns"]["fault" if rng.random() < 0.3 else "any"], rng))


def order_id(number: int) -> str:
    """The id of the order at a place in time."""
    return f"O-{number + 1:06d}"


def _pick(options: Sequence[T], rng: Generator) -> T:
    return options[int(rng.integers(len(options)))]
