"""Rules around a price: the prior price of the last thirty days, and an introductory price with an end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from shop import Shop
from tools.pricing.kernels import with_ending
from tools.pricing.robust import Array

PRIOR_DAYS = 30
INTRO_WEEKS = 4
_INTRO_CUT = 0.1


@dataclass(frozen=True)
class Intro:
    """An introductory price and the last day it is charged."""

    price: float
    until: date


def prior_price(shop: Shop, sku: str) -> tuple[float, date] | None:
    """The lowest price asked in the thirty days up to the cut-off, and the first of those days; None where unknown.

    Directive 98/6/EC, article 6a: an announced reduction must name the lowest price of the thirty days before it. A
    day's average paid price stands for what was asked where offers ran; the list price bounds it from above.
    """
    since = shop.cutoff - timedelta(days=PRIOR_DAYS - 1)
    days = shop.daily(skus=[sku], since=since)
    days = days[(days["units"] > 0) & (days["revenue"] > 0)]
    listed = shop.price_history(sku)
    day = pd.to_datetime(listed["valid_from"]).dt.date
    running = listed[(day >= since) | (day == day[day <= since].max())] if len(listed) else listed
    prices = [*(days["revenue"] / days["units"].astype(float)), *running["price"]]
    return (float(min(prices)), since) if prices else None


def intro_price(price: float, floor: float | None, launch: date, endings: Array) -> Intro | None:
    """A tenth below the price for four weeks; None where the floor leaves no room for it."""
    low = max(floor or 0.0, price * (1 - 2 * _INTRO_CUT))
    cut = with_ending(price * (1 - _INTRO_CUT), endings, low, price)
    if cut > price * (1 - _INTRO_CUT / 2):
        return None
    return Intro(cut, launch + timedelta(weeks=INTRO_WEEKS) - timedelta(days=1))
