"""The demo shop's products: names, facts, descriptions in two languages, cost, price, launch and life."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.random import Generator

from shop.demo.truth import Curve, Ints, Kind
from shop.demo.words import Department, Fact, Pair, Sub, Words

LAST_DAY = date(2026, 11, 1)  # a Sunday: every week is whole
KINDS: tuple[Kind, ...] = ("steady", "fad", "slow")


@dataclass(frozen=True)
class Scale:
    """How much shop to build. `stream` is how many days of events the shop keeps."""

    days: int
    established: int
    launches: int
    customers: int
    reviews: int
    stream: int
    advertising: float = 1.0  # spend against the full shop's

    @property
    def first_day(self) -> date:
        return LAST_DAY - timedelta(days=self.days - 1)


FULL = Scale(days=157 * 7, established=205, launches=144, customers=6_000, reviews=6_000, stream=180)
SMALL = Scale(days=53 * 7, established=14, launches=50, customers=700, reviews=500, stream=60, advertising=0.25)


@dataclass(frozen=True)
class Item:
    """A product with what the shop does not know of it. Days count from the first day; `start` is negative for
    products older than the data; `end` is the first day off sale; money is in cents."""

    sku: str
    name: str
    name_zh: str
    type: Pair
    brand: Pair
    line: Pair
    use: Pair
    colour: str
    warranty: str
    facts: tuple[Fact, ...]
    sub: int
    department: int
    cost: int
    price: int
    tier: float  # log of price over the middle of its category
    quality: float
    level: float
    curve: Curve
    elasticity: float
    start: int
    end: int | None = None
    description: str = ""
    description_zh: str = ""


def make_items(words: Words, scale: Scale, rng: Generator) -> list[Item]:
    """All products of the shop, in order of category."""
    total = scale.established + scale.launches
    subs = np.arange(total) % len(words.subs)
    is_launch = np.zeros(total, dtype=bool)
    is_launch[rng.permutation(total)[: scale.launches]] = True
    starts = np.where(is_launch, 0, -rng.integers(120, 1400, total))
    starts[is_launch] = _launch_days(scale, rng)
    items = []
    for number, sub in enumerate(words.subs):
        mine = np.flatnonzero(subs == number)
        items += _range_of(words, sub, number, sorted(int(day) for day in starts[mine]), scale, rng)
    return _describe(words, items, rng)


def _launch_days(scale: Scale, rng: Generator) -> Ints:
    """Launches fall on Mondays or Thursdays, spread evenly; a few stay too young for twelve whole weeks."""
    late = scale.launches // 12
    early = np.linspace(7, scale.days - 86, scale.launches - late)
    days = np.concatenate([early, np.linspace(scale.days - 80, scale.days - 10, late)]).astype(int)
    days = np.clip(days + rng.integers(-5, 6, len(days)), 7, scale.days - 7)
    return rng.permutation(days // 7 * 7 + rng.choice([0, 3], len(days)))


def _range_of(words: Words, sub: Sub, number: int, starts: list[int], scale: Scale, rng: Generator) -> list[Item]:
    department = words.departments[sub.department]
    lines = rng.permutation(len(words.shared["lines"]))
    shift = int(rng.integers(len(sub.types)))
    items = []
    for place, start in enumerate(starts):
        line = tuple(words.shared["lines"][lines[place]])
        kind = sub.types[(place + shift) % len(sub.types)]
        item = _item(words, sub, number, kind, line, start, rng)
        items.append(replace(item, sku=f"{sub.prefix}-{place + 1:03d}", end=_end(item, department, scale, rng)))
    return items


def _item(words: Words, sub: Sub, number: int, kind: Pair, line: Pair, start: int, rng: Generator) -> Item:
    department = words.departments[sub.department]
    facts = tuple(options[int(rng.integers(len(options)))] for options in sub.facts.values())
    quality = float(np.clip(0.28 * sum(fact.sign for fact in facts) + rng.normal(0, 0.3), -1.2, 1.2))
    low, high = np.log(sub.price)
    place = float(np.clip(rng.beta(1.6, 1.9) + 0.12 * quality, 0.02, 0.98))
    price = round(float(np.exp(low + place * (high - low)))) * 100 - (10 if rng.random() < 0.7 else 0)
    tier = float(np.log(price / 100) - (low + high) / 2)
    size = next((fact.value for fact in facts if fact.attribute == sub.size), "")
    has_size = bool(size) and size[0].isdigit() and rng.random() < 0.4
    level = 0.95 * department.level * np.exp(-0.55 * tier + 0.35 * quality + rng.normal(0, 0.38))
    return Item(
        sku="",
        name=f"{line[0]} {kind[0]}" + (f" {size}" if has_size else ""),
        name_zh=f"{line[1]}{kind[1]}" + (f" {size.replace(' ', '')}" if has_size else ""),
        type=kind,
        brand=department.brands[int(rng.integers(len(department.brands)))],
        line=line,
        use=sub.uses[int(rng.integers(len(sub.uses)))],
        colour=department.colours[int(rng.integers(len(department.colours)))],
        warranty=department.warranties[int(rng.integers(len(department.warranties)))],
        facts=facts,
        sub=number,
        department=sub.department,
        cost=round(price * float(rng.uniform(0.35, 0.55))),
        price=price,
        tier=tier,
        quality=quality,
        level=float(level),
        curve=_curve(KINDS[int(rng.choice(3, p=department.kinds))] if start >= 0 else "steady", rng),
        elasticity=float(np.clip(rng.normal(department.elasticity, 0.35), -4.0, -1.2)),
        start=start,
    )


_CURVES = {
    "steady": (0.45, 11.0, 1.2, 20.0, 420.0, 420.0, 0.35),
    "fad": (0.65, 5.0, 2.5, 19.0, 40.0, 55.0, 0.15),
    "slow": (0.2, 55.0, 1.05, 60.0, 480.0, 500.0, 0.5),
}


def _curve(kind: Kind, rng: Generator) -> Curve:
    values = np.array(_CURVES[kind]) * rng.lognormal(0, 0.12, 7)
    floor, ramp, peak, peak_day, hold, fade, tail = (float(value) for value in values)
    return Curve(
        kind=kind, floor=floor, ramp=ramp, peak=max(peak, 1.0), peak_day=peak_day, hold=hold, fade=fade, tail=tail
    )


def _end(item: Item, department: Department, scale: Scale, rng: Generator) -> int | None:
    """Products that faded are taken off sale, never before twenty weeks and never in the last four."""
    days = np.arange(max(item.start + 140, 120), scale.days - 28, dtype=np.float64)
    if not len(days):
        return None
    faded = np.flatnonzero(item.curve.at(days - item.start) < 0.42)
    wait = int(rng.integers(0, 200))
    chance = rng.random()
    if not len(faded) or chance > 0.35:
        return None
    end = int(days[faded[0]]) + wait
    return end if end < scale.days - 28 else None


def _describe(words: Words, items: list[Item], rng: Generator) -> list[Item]:
    """Openers and closers go round within a department, so that neighbours on a page do not sound alike."""
    described = []
    for place, item in enumerate(items):
        department = words.departments[item.department]
        facts = [item.facts[i] for i in rng.permutation(len(item.facts))]
        names = {"name": item.name, "line": item.line[0], "type": item.type[0], "a_type": _with_article(item.type[0])}
        english = {**names, "use": item.use[0], "brand": item.brand[0], "colour": item.colour}
        zh = words.shared["zh"]
        chinese = {
            "name": item.name_zh,
            "line": item.line[1],
            "type": item.type[1],
            "use": item.use[1],
            "brand": item.brand[1],
        }
        chinese |= {"colour": zh[item.colour], "warranty": zh[item.warranty]}
        opener = department.openers[place % len(department.openers)].format(**english)
        opener_zh = department.openers_zh[place % len(department.openers_zh)].format(**chinese)
        closers, closers_zh = words.shared["closers"], words.shared["closers_zh"]
        closer = closers[int(rng.integers(len(closers)))].format(**english, warranty=item.warranty)
        closer_zh = closers_zh[int(rng.integers(len(closers_zh)))].format(**chinese)
        described.append(
            replace(
                item,
                description=" ".join([_capital(opener), *(fact.text for fact in facts), _capital(closer)]),
                description_zh="".join([opener_zh, *(fact.text_zh for fact in facts), closer_zh]),
            )
        )
    return described


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' or noun.startswith('LED') else 'a'} {noun}"


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
