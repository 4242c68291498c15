"""The demo shop's demand: what would be asked for each day, what stock allowed, and the truth behind both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.random import Generator

from shop.demo import media, offers
from shop.demo.catalogue import Item, Scale
from shop.demo.offers import Offers
from shop.demo.truth import Cannibal, ChannelTruth, Floats, Ints
from shop.demo.words import Words

RIVAL_ELASTICITY = 0.4
COUPON_LIFT = 0.03  # what a running coupon adds to its department's demand, in logs


@dataclass(frozen=True)
class Market:
    """Grids are by (day, product): `expected` mean demand, `asked` drawn demand, `sold` what stock allowed,
    `on_hand` stock at the end of the day (-1 off sale). `season` is by (53 weeks, department)."""

    expected: Floats
    asked: Ints
    sold: Ints
    on_hand: Ints
    received: Ints
    season: Floats
    offers: Offers
    cannibals: tuple[Cannibal, ...]
    channels: dict[str, ChannelTruth]
    campaign_rows: list[dict[str, Any]]
    rival_rows: list[dict[str, Any]]


def simulate(words: Words, items: list[Item], scale: Scale, coupon_days: Floats, rng: Generator) -> Market:
    """Draw the shop's sales.

    Args:
        coupon_days: 1 where a coupon of the department runs, by (day, department).
    """
    first_day, days = scale.first_day, scale.days
    department = np.array([item.department for item in items])
    season = seasons(words)
    by_day = season[_week_of_year(first_day, days)]
    bought = media.plan(words, days, first_day, by_day, scale.advertising, rng)
    shock = _shocks(days // 7, len(items), rng)
    offer = offers.make_offers(words, items, first_day, shock, rng)
    rival_rows, rival_gap = offers.competitors(items, offer.list_price, first_day, rng)
    weekday = np.array([d.weekday for d in words.departments])
    weekday /= weekday.mean(axis=1, keepdims=True)
    # The first day is a Monday.
    pattern = by_day * weekday.T[np.arange(days) % 7] * np.exp(bought.effect + COUPON_LIFT * coupon_days)
    price = np.log(offer.paid / np.array([item.price for item in items]))
    tastes = price * np.array([item.elasticity for item in items]) + offer.lift + RIVAL_ELASTICITY * rival_gap
    cannibals, shares = _cannibals(items, days, rng)
    expected = life(items, days) * pattern[:, department] * np.exp(tastes) * shares
    noisy = expected * np.repeat(np.exp(shock - 0.5 * shock.var()), 7, axis=0)
    asked = rng.poisson(noisy * rng.gamma(6.0, 1 / 6.0, noisy.shape)).astype(np.int64)
    sold, on_hand, received = _stock(items, asked, days, rng)
    return Market(
        expected, asked, sold, on_hand, received, season, offer, cannibals, bought.truths, bought.rows, rival_rows
    )


def life(items: list[Item], days: int) -> Floats:
    """Level times launch curve by (day, product); 0 before launch and from the delisting day on."""
    grid = np.empty((days, len(items)))
    for number, item in enumerate(items):
        grid[:, number] = item.level * item.curve.at(np.arange(days, dtype=np.float64) - item.start)
        grid[item.end if item.end is not None else days :, number] = 0.0
    return grid


def seasons(words: Words) -> Floats:
    """Seasonal factors by (53 weeks, department), mean 1: bumps on the circle of the year."""
    weeks = np.arange(53.0)
    factors = np.ones((53, len(words.departments)))
    for number, department in enumerate(words.departments):
        for centre, width, height in department.season:
            distance = np.minimum(np.abs(weeks - centre), 52 - np.abs(weeks - centre))
            factors[:, number] += height * np.exp(-0.5 * (distance / width) ** 2)
    return np.asarray(factors / factors.mean(axis=0))


def _week_of_year(first_day: date, days: int) -> Ints:
    return np.array([((first_day + timedelta(days=i)).timetuple().tm_yday - 1) // 7 for i in range(days)])


def _shocks(weeks: int, products: int, rng: Generator) -> Floats:
    """Weekly demand surprises in logs that last a few weeks: first-order autoregression, 0.6 a week."""
    shock = np.empty((weeks, products))
    shock[0] = rng.normal(0, 0.25, products)
    for week in range(1, weeks):
        shock[week] = 0.6 * shock[week - 1] + rng.normal(0, 0.2, products)
    return shock


def _cannibals(items: list[Item], days: int, rng: Generator) -> tuple[tuple[Cannibal, ...], Floats]:
    """What launches take from earlier products of their category, most from those of a similar price."""
    shares = np.ones((days, len(items)))
    pairs = []
    for launch in (item for item in items if item.start >= 0):
        ramp = np.minimum(launch.curve.at(np.arange(days, dtype=np.float64) - launch.start), 1.0)
        for column, victim in enumerate(items):
            if victim.sub != launch.sub or victim.start >= launch.start or (victim.end or days) <= launch.start:
                continue
            likeness = np.exp(-2 * abs(np.log(victim.price / launch.price)))
            share = round(float(rng.uniform(0.03, 0.12) * likeness), 4)
            shares[:, column] *= 1 - share * ramp
            pairs.append(Cannibal(launch=launch.sku, victim=victim.sku, share=share))
    return tuple(pairs), shares


def _stock(items: list[Item], asked: Ints, days: int, rng: Generator) -> tuple[Ints, Ints, Ints]:
    """Run an order-up-to rule with late suppliers and first buys that were guesses: sold, on hand, received."""
    products = len(items)
    start = np.array([max(item.start, 0) for item in items])
    end = np.array([item.end if item.end is not None else days for item in items])
    level = np.array([item.level for item in items])
    lead = rng.integers(14, 42, products)
    cover = rng.uniform(0.95, 1.7, products)
    arriving = np.zeros((days + 120, products), dtype=np.int64)
    arriving[start, np.arange(products)] = np.ceil(level * (lead + 28) * rng.lognormal(0.15, 0.45, products)) + 4
    sold, on_hand = np.zeros_like(asked), np.full_like(asked, -1)
    stock, coming, rate = np.zeros(products, dtype=np.int64), np.zeros(products, dtype=np.int64), level.copy()
    for day in range(days):
        open_now = (day >= start) & (day < end)
        stock += arriving[day]
        coming -= np.where(day == start, 0, arriving[day])
        sold[day] = np.where(open_now, np.minimum(asked[day], stock), 0)
        stock -= sold[day]
        on_hand[day] = np.where(open_now, stock, -1)
        # The buyer sees sales, not demand: an empty shelf looks like a slow product, but never like a dead one.
        rate += np.where(open_now, (sold[day] - rate) / 24, 0.0)
        rate = np.maximum(rate, 0.3 * level)
        wanted = rate * lead * cover
        order = open_now & (stock + coming < wanted) & (day < end - 30)
        amount = np.where(order, np.ceil(wanted - stock - coming + rate * 30), 0).astype(np.int64)
        delay = lead + np.where(
            rng.random(products) < 0.12, rng.integers(7, 30, products), rng.integers(-3, 4, products)
        )
        np.add.at(arriving, (day + delay, np.arange(products)), amount)
        coming += amount
    return sold, on_hand, arriving[:days]
