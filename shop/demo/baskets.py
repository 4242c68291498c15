"""The demo shop's orders: daily units packed into believable baskets, with a customer, an hour and a price paid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from shop.demo.catalogue import Item
from shop.demo.market import Market
from shop.demo.people import COUPON_DAYS, Coupon, People, weights
from shop.demo.truth import Ints
from shop.demo.words import Words

GUESTS = 0.09
MORE = 0.5  # chance that another line joins the basket
MOST_LINES = 4
REDEEMED = 0.6


@dataclass(frozen=True)
class Baskets:
    """Orders in order of time, and their lines in order of order. Money in cents per unit.

    `customer` is -1 for a guest; `promotion` is the number of a promotion, of a coupon after those, or -1.
    `redeemed` lists (coupon, customer, order).
    """

    customer: Ints
    second: Ints  # since the first day's midnight
    channel: Ints
    region: Ints
    order: Ints
    line: Ints
    item: Ints
    units: Ints
    paid: Ints
    discount: Ints
    promotion: Ints
    redeemed: list[tuple[int, int, int]]


@dataclass(frozen=True)
class _Lines:
    """Order lines while their price is settled: `paid` and `promotion` are changed in place."""

    order: Ints
    item: Ints
    units: Ints
    day: Ints
    paid: Ints
    promotion: Ints


def pack(
    words: Words, items: list[Item], market: Market, people: People, coupons: list[Coupon], rng: Generator
) -> Baskets:
    """Pack what was sold into orders, so that the lines add up to the market's sales of every day and product."""
    day, item, units = _picks(market.sold, rng)
    basket = _group(words, items, day, item, rng)
    first = np.unique(basket, return_index=True)[1]
    customer = _customers(items, day[first], item[first], people, coupons, rng)
    second = day[first] * 86_400 + _time_of_day(customer, people, rng)
    by_time = np.argsort(second, kind="stable")
    place = np.empty_like(by_time)
    place[by_time] = np.arange(len(by_time))
    customer, second = customer[by_time], second[by_time]
    offers = market.offers
    order, item, units, day = _merge(place[basket], item, units, day, len(items))
    lines = _Lines(order, item, units, day, offers.paid[day, item], offers.promotion[day, item])
    department = np.array([one.department for one in items])[item]
    redeemed = _redeem(lines, customer, department, coupons, len(offers.promotions), rng)
    starts = np.flatnonzero(np.diff(order, prepend=-1))
    like = np.where(customer < 0, rng.integers(0, len(people.ids), len(customer)), customer)
    # One order in eight comes through another door than usual.
    channel = np.where(rng.random(len(customer)) < 0.125, rng.integers(0, 3, len(customer)), people.channel[like])
    return Baskets(
        customer=customer,
        second=second,
        channel=channel,
        region=people.region[like],
        order=order,
        line=np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order))) + 1,
        item=item,
        units=units,
        paid=lines.paid,
        discount=offers.list_price[day, item] - lines.paid,
        promotion=lines.promotion,
        redeemed=redeemed,
    )


def _picks(sold: Ints, rng: Generator) -> tuple[Ints, Ints, Ints]:
    """Day, product and units of every pick: mostly single units, some of two or more of the same."""
    day, item = np.nonzero(sold)
    cell = np.repeat(np.arange(len(day)), sold[day, item])
    joined = (np.diff(cell, prepend=-1) == 0) & (rng.random(len(cell)) < 0.14)
    pick = np.cumsum(~joined) - 1
    first = np.flatnonzero(~joined)
    return day[cell[first]], item[cell[first]], np.bincount(pick)


def _group(words: Words, items: list[Item], day: Ints, item: Ints, rng: Generator) -> Ints:
    """A basket number for every pick, counting from 0.

    What is bought together shares a bundle (coffee, desk, nursery …): picks of one day are shuffled within their
    bundle and cut into baskets of one to four.
    """
    names = sorted({bundle for sub in words.subs for bundle in sub.bundles})
    choices = np.array([[names.index(sub.bundles[i % len(sub.bundles)]) for i in range(6)] for sub in words.subs])
    subs = np.array([one.sub for one in items])
    bundle = choices[subs[item], rng.integers(0, 6, len(item))]
    # Some baskets mix anything: the bundle is forgotten.
    bundle = np.where(rng.random(len(item)) < 0.12, len(names), bundle)
    by_group = np.lexsort((rng.random(len(item)), bundle, day))
    key = (day * (len(names) + 1) + bundle)[by_group]
    cut = (np.diff(key, prepend=-1) != 0) | (rng.random(len(key)) >= MORE)
    starts = np.flatnonzero(cut)
    place = np.arange(len(key)) - np.repeat(starts, np.diff(starts, append=len(key)))
    cut |= place % MOST_LINES == 0
    basket = np.empty(len(key), dtype=np.int64)
    basket[by_group] = np.cumsum(cut) - 1
    return basket


def _customers(items: list[Item], day: Ints, item: Ints, people: People, coupons: list[Coupon], rng: Generator) -> Ints:
    """Who placed each order, drawn by week from those who are there and like the department and the price."""
    department = np.array([one.department for one in items])[item]
    tier = np.array([one.tier for one in items])[item]
    band = np.digitize(tier, np.quantile(tier, [1 / 3, 2 / 3])) - 1  # cheap, middle, dear
    week = day // 7
    groups = (week * 64 + department) * 3 + band + 1
    by_group = np.argsort(groups, kind="stable")
    edges = np.flatnonzero(np.diff(groups[by_group], prepend=-1))
    customer = np.full(len(item), -1, dtype=np.int64)
    taste = {b: np.exp(0.7 * b * people.band) for b in (-1, 0, 1)}
    known = -1
    chance = np.empty((0, 0))
    for start, stop in zip(edges, [*edges[1:], len(by_group)], strict=True):
        mine = by_group[start:stop]
        if week[mine[0]] != known:
            known = int(week[mine[0]])
            chance = weights(people, coupons, known)
        total = np.cumsum(chance[:, department[mine[0]]] * taste[int(band[mine[0]])])
        customer[mine] = np.searchsorted(total, rng.random(len(mine)) * total[-1], side="right")
    return np.where(rng.random(len(customer)) < GUESTS, -1, customer)


def _time_of_day(customer: Ints, people: People, rng: Generator) -> Ints:
    """Seconds since midnight around each customer's usual hour; guests come in the evening."""
    usual = np.where(customer < 0, 20.0, people.hour[customer])
    return np.asarray(np.clip(rng.normal(usual, 1.4) * 3600, 0, 86_399).astype(np.int64))


def _merge(order: Ints, item: Ints, units: Ints, day: Ints, products: int) -> tuple[Ints, Ints, Ints, Ints]:
    """One line per product and order, in order of order."""
    key, first, line = np.unique(order * products + item, return_index=True, return_inverse=True)
    return key // products, key % products, np.bincount(line, weights=units).astype(np.int64), day[first]


def _redeem(
    lines: _Lines, customer: Ints, department: Ints, coupons: list[Coupon], base: int, rng: Generator
) -> list[tuple[int, int, int]]:
    """Take each coupon off the full-price lines of one order of those who redeem it; `base` numbers the first."""
    redeemed = []
    buyer = customer[lines.order]
    for place, coupon in enumerate(coupons):
        runs = (lines.day >= coupon.start) & (lines.day < coupon.start + COUPON_DAYS)
        own = (lines.promotion < 0) & (buyer >= 0) & coupon.treated[buyer]
        fits = runs & own & (department == coupon.department)
        _, firsts = np.unique(buyer[fits], return_index=True)
        chosen = lines.order[np.flatnonzero(fits)[firsts]]
        chosen = chosen[rng.random(len(chosen)) < REDEEMED]
        cut = fits & np.isin(lines.order, chosen)
        lines.paid[cut] = np.rint(lines.paid[cut] * (1 - coupon.depth)).astype(np.int64)
        lines.promotion[cut] = base + place
        redeemed += [(place, int(customer[order]), int(order)) for order in chosen]
    return redeemed
