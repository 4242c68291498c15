"""What a customer, or a group of them, likes and needs: categories, brands, prices, hours, channel, and what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import select

from shop import Shop
from shop import schema as t
from tools.customers.read import of_known

_MOST = 400  # customers whose lines are read; a larger group is drawn from
BANDS = ("low", "middle", "high")
LINES = ("at", "channel", "sku", "name", "category", "brand", "units", "price")


@dataclass(frozen=True)
class Taste:
    """Habits and interests; shares are of money, best first; None where nothing tells.

    Attributes:
        categories: (category, share of money).
        brands: (brand, share of money).
        band: Most usual third of its category's prices that products come from, and its share of the units.
        hours: First and last hour of the eight in a row that most orders fall into, and their share.
        weekend: Share of orders at the weekend.
        channel: Most usual channel and its share of the orders.
    """

    categories: tuple[tuple[str, float], ...]
    brands: tuple[tuple[str, float], ...]
    band: tuple[str, float] | None
    hours: tuple[int, int, float]
    weekend: float
    channel: tuple[str, float]


@dataclass(frozen=True)
class Due:
    """Something bought again and again whose next time has come: days between times, and days since the last."""

    category: str
    every: float
    since: float


def read_lines(shop: Shop, customers: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """What these customers bought, `LINES`; of a large group, a random four hundred."""
    chosen = list(customers)
    if len(chosen) > _MOST:
        chosen = list(np.random.default_rng(seed).choice(chosen, _MOST, replace=False))
    o, line, p = t.orders, t.order_lines, t.products
    query = (
        select(o.c.placed_at, o.c.channel, p.c.sku, p.c.name, p.c.category, p.c.brand, line.c.units, line.c.price_cents)
        .join(line, line.c.order_id == o.c.id)
        .join(p, p.c.sku == line.c.sku)
        .where(*of_known(shop), o.c.customer_id.in_(chosen), line.c.units > 0)
        .order_by(o.c.placed_at, o.c.id, line.c.line)
    )
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).all(), columns=list(LINES))
    frame["at"] = pd.to_datetime(frame["at"])
    frame["price"] = pd.to_numeric(frame["price"]).astype(float) / 100
    return frame


def taste(lines: pd.DataFrame, prices: pd.DataFrame) -> Taste:
    """Habits and interests from what was bought.

    Args:
        lines: `LINES`, at least one.
        prices: `sku, category, list_price` of the shop's products: what counts as dear in a category.
    """
    money = lines["units"] * lines["price"]
    orders = lines.drop_duplicates(["at", "channel"])
    channel = orders["channel"].value_counts(normalize=True)
    return Taste(
        _shares(lines["category"], money),
        _shares(lines["brand"], money),
        _band(lines, prices),
        _hours(orders["at"].dt.hour.to_numpy()),
        float((orders["at"].dt.weekday >= 5).mean()),
        (str(channel.index[0]), float(channel.iloc[0])),
    )


def due(lines: pd.DataFrame, today: pd.Timestamp) -> list[Due]:
    """Categories bought three times or more whose usual gap is over by today, longest waiting first.

    What has waited three gaps is not due any more but dropped.
    """
    found = []
    for category, group in lines[lines["category"] != ""].groupby("category"):
        times = group["at"].dt.normalize().drop_duplicates().sort_values()
        if len(times) >= 3:
            every = float(times.diff().dt.days.median())
            since = float((today - times.iloc[-1]).days)
            if every <= since <= 3 * every:
                found.append(Due(str(category), every, since))
    return sorted(found, key=lambda each: -each.since / each.every)


def _shares(names: pd.Series[str], money: pd.Series[float]) -> tuple[tuple[str, float], ...]:
    known = names != ""
    totals = money[known].groupby(names[known]).sum().sort_values(ascending=False, kind="stable")
    whole = float(totals.sum())
    return tuple((str(name), float(value) / whole) for name, value in totals.items()) if whole > 0 else ()


def _band(lines: pd.DataFrame, prices: pd.DataFrame) -> tuple[str, float] | None:
    known = prices[prices["list_price"].notna()]
    rank = known.groupby("category")["list_price"].rank(pct=True)
    third = pd.Series(np.minimum((rank * 3).to_numpy(), 2.999).astype(int), index=known["sku"])
    several = known.groupby("category")["sku"].transform("size") >= 3
    third = third[several.to_numpy()]
    place = lines["sku"].map(third)
    units = lines["units"].groupby(place).sum()
    if units.empty:
        return None
    best = int(units.idxmax())
    return BANDS[best], float(units.max() / units.sum())


def _hours(hours: np.ndarray) -> tuple[int, int, float]:
    counts = np.bincount(hours, minlength=24)
    windows = np.array([counts[start : start + 8].sum() for start in range(17)])
    start = int(windows.argmax())
    return start, start + 7, float(windows[start] / counts.sum())
