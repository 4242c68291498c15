"""Gathers what was true in the drawn demo shop into a `Truth`."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from shop.demo.catalogue import LAST_DAY, Item, Scale
from shop.demo.market import RIVAL_ELASTICITY, Market
from shop.demo.people import CLASSES, LIFT, Coupon, People
from shop.demo.truth import CouponTruth, CustomerTruth, Floats, ProductTruth, Stage, Truth
from shop.demo.words import Words


def reveal(
    seed: int, words: Words, scale: Scale, items: list[Item], people: People, coupons: list[Coupon], market: Market
) -> Truth:
    """The truth of everything drawn."""
    names = [department.name for department in words.departments]
    return Truth(
        seed=seed,
        first_day=scale.first_day,
        last_day=LAST_DAY,
        season={name: _rounded(market.season[:, i]) for i, name in enumerate(names)},
        weekday={name: words.departments[i].weekday for i, name in enumerate(names)},
        products={item.sku: _product(words, item, column, scale, market) for column, item in enumerate(items)},
        cannibals=market.cannibals,
        promotions=market.offers.truths,
        channels=market.channels,
        coupons={coupon.promotion_id: CouponTruth(lift=LIFT) for coupon in coupons},
        customers=_customers(people, scale),
    )


def _product(words: Words, item: Item, column: int, scale: Scale, market: Market) -> ProductTruth:
    lost = market.asked[:, column] - market.sold[:, column]
    return ProductTruth(
        level=item.level,
        curve=item.curve,
        elasticity=item.elasticity,
        rival_elasticity=RIVAL_ELASTICITY,
        quality=item.quality,
        season=words.departments[item.department].name,
        expected=_rounded(market.expected[:, column]),
        lost={scale.first_day + timedelta(days=int(day)): int(lost[day]) for day in np.flatnonzero(lost)},
        stages=_stages(item, scale),
        themes=tuple((fact.attribute, fact.sign) for fact in item.facts),
    )


def _stages(item: Item, scale: Scale) -> tuple[tuple[date, Stage], ...]:
    """Stages from the curve alone: below 60 % of its height, still climbing, near it, and fallen below 75 %."""
    begin, end = max(item.start, 0), item.end if item.end is not None else scale.days
    whole = item.curve.at(np.arange(0, 3_000, dtype=np.float64))
    top = int(whole.argmax())
    stages: list[tuple[date, Stage]] = []
    for day in range(begin, end):
        age = day - item.start
        share = whole[age] / whole[top]
        stage: Stage = "maturity" if share >= 0.9 or (age > top and share >= 0.75) else "growth"
        if age > top and share < 0.75:
            stage = "decline"
        elif age <= top and share < 0.6:
            stage = "introduction"
        if not stages or stages[-1][1] != stage:
            stages.append((scale.first_day + timedelta(days=day), stage))
    return tuple(stages)


def _customers(people: People, scale: Scale) -> dict[str, CustomerTruth]:
    return {
        customer: CustomerTruth(
            kind=CLASSES[people.kind[i]],
            rate=round(float(people.rate[i]), 4),
            gone_on=scale.first_day + timedelta(days=int(people.gone[i])) if people.gone[i] < scale.days else None,
        )
        for i, customer in enumerate(people.ids)
    }


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(np.round(values, 3).tolist())
