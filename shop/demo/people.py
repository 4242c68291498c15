"""The demo shop's customers: who they are, what they like, when they come and when they stop coming; and coupons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from shop.demo.catalogue import Scale
from shop.demo.truth import Floats, Ints
from shop.demo.words import Words

CLASSES = ("loyal", "regular", "occasional", "one-off")
SHARE = (0.16, 0.36, 0.33, 0.15)
RATE = (0.7, 0.42, 0.2, 0.4)  # relative orders a week while alive
LIFE = (1_600.0, 900.0, 600.0, 45.0)  # mean days from joining to leaving
LIFT = {"loyal": 0.05, "regular": 0.35, "occasional": 0.8, "one-off": 0.1}  # of a coupon, on the chance to order
CHANNELS = ("web", "app", "marketplace")
HOLDOUT = 0.2
COUPON_DAYS = 14


@dataclass(frozen=True)
class Coupon:
    """A coupon for one department that a random part of the customers received; `treated` is a mask of customers."""

    promotion_id: str
    department: int
    start: int
    depth: float
    treated: NDArray[np.bool_]
    eligible: NDArray[np.bool_]


@dataclass(frozen=True)
class People:
    """Customers, one place per customer. Days count from the first day; `affinity` is by (customer, department)."""

    ids: list[str]
    names: list[str]
    kind: Ints
    rate: Floats
    joined: Ints
    gone: Ints
    affinity: Floats
    band: Floats  # taste for dear (1) against cheap (-1) products
    hour: Floats
    channel: Ints
    region: Ints
    zips: list[str]
    chinese: NDArray[np.bool_]


def make_people(words: Words, scale: Scale, rng: Generator) -> People:
    """Draw the customers; about a third were there before the first day."""
    count = scale.customers
    given, family, regions = (words.shared["people"][key] for key in ("given", "family", "regions"))
    kind = rng.choice(len(CLASSES), count, p=SHARE)
    joined = np.where(rng.random(count) < 0.35, -rng.integers(1, 900, count), rng.integers(0, scale.days - 3, count))
    joined[0] = -1  # somebody is there on the first day, however small the shop
    stay = rng.exponential(np.array(LIFE)[kind])
    gone = np.maximum(joined + stay, 1).astype(np.int64) + 1
    region = rng.choice(len(regions), count, p=[entry["share"] for entry in regions])
    affinity = rng.dirichlet(np.full(len(words.departments), 0.35), count)
    return People(
        ids=[f"C-{i + 1:05d}" for i in range(count)],
        names=[f"{given[a]} {family[b]}" for a, b in rng.integers(0, [len(given), len(family)], (count, 2))],
        kind=kind,
        rate=np.array(RATE)[kind] * rng.gamma(2.0, 0.5, count),
        joined=joined,
        gone=gone,
        affinity=affinity + 0.02,
        band=rng.normal(0, 0.8, count),
        hour=np.where(rng.random(count) < 0.6, rng.normal(20.2, 1.6, count), rng.normal(11.5, 2.4, count)),
        channel=rng.choice(len(CHANNELS), count, p=(0.52, 0.33, 0.15)),
        region=region,
        zips=[regions[r]["zips"][int(rng.integers(len(regions[r]["zips"])))] for r in region],
        chinese=rng.random(count) < 0.12,
    )


def plan_coupons(people: People, departments: int, days: int, rng: Generator) -> list[Coupon]:
    """One coupon every seven weeks, sent to a random four fifths of the customers of that day."""
    coupons: list[Coupon] = []
    for start in range(35, days - 30, 49):
        eligible = (people.joined < start) & (people.gone > start - 120) & (rng.random(len(people.ids)) < 0.35)
        treated = eligible & (rng.random(len(people.ids)) >= HOLDOUT)
        depth = float(rng.choice([0.1, 0.15, 0.2]))
        coupons.append(
            Coupon(f"CP-{len(coupons) + 1:03d}", int(rng.integers(departments)), start, depth, treated, eligible)
        )
    return coupons


def coupon_grid(coupons: list[Coupon], days: int, departments: int) -> Floats:
    """1 where a coupon runs, by (day, department)."""
    grid = np.zeros((days, departments))
    for coupon in coupons:
        grid[coupon.start : coupon.start + COUPON_DAYS, coupon.department] = 1.0
    return grid


def coupon_promotions(words: Words, coupons: list[Coupon], first_day: date) -> list[dict[str, Any]]:
    """The coupons as promotions."""
    return [
        {
            "id": coupon.promotion_id,
            "name": f"Thank-you coupon: {words.departments[coupon.department].name}",
            "mechanic": "coupon",
            "category": words.departments[coupon.department].name,
            "sku": None,
            "starts": first_day + timedelta(days=coupon.start),
            "ends": first_day + timedelta(days=coupon.start + COUPON_DAYS - 1),
            "depth": coupon.depth,
        }
        for coupon in coupons
    ]


def weights(people: People, coupons: list[Coupon], week: int) -> Floats:
    """Chance weights of an order in a week, by (customer, department): 0 for who has not joined or has left."""
    monday = week * 7
    alive = (people.joined <= monday) & (people.gone > monday + 6)
    chance = np.asarray((people.rate * alive)[:, None] * people.affinity)
    for coupon in coupons:
        if coupon.start < monday + 7 and coupon.start + COUPON_DAYS > monday:
            lift = np.array([LIFT[kind] for kind in CLASSES])[people.kind]
            chance[:, coupon.department] *= 1 + lift * coupon.treated
    return chance


def customer_rows(words: Words, people: People, coupons: list[Coupon], first_day: date) -> list[dict[str, Any]]:
    """Customers as the shop knows them; who was held out of a coupon stands in their attributes."""
    regions = words.shared["people"]["regions"]
    rows = []
    for i, customer_id in enumerate(people.ids):
        name = people.names[i]
        held = [c.promotion_id for c in coupons if c.eligible[i] and not c.treated[i]]
        attributes = {"language": "zh" if people.chinese[i] else "en", "channel": CHANNELS[people.channel[i]]}
        rows.append(
            {
                "id": customer_id,
                "name": name,
                "email": f"{name.lower().replace(' ', '.')}.{i + 1}@example.com",
                "zip": people.zips[i],
                "region": regions[people.region[i]]["name"],
                "joined_on": first_day + timedelta(days=int(people.joined[i])),
                "attributes": attributes | ({"coupon_holdout": held} if held else {}),
            }
        )
    return rows
