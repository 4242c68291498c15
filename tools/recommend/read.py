"""A shop's purchases and shelf as recommenders want them, learned once and kept until the data change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import select

from shop import Shop, ToolError
from shop import schema as t
from tools.recommend.histories import Array, Histories, Index, Mask, histories
from tools.recommend.hybrid import Hybrid
from tools.recommend.need import Need, learn_need
from tools.recommend.neighbours import CoVisits
from tools.recommend.offer import chance_by_rank
from tools.recommend.simple import describe
from tools.recommend.split import Trial, by_time

AHEAD = 28  # days that a recommendation is judged on
NEW = 56  # days since its launch that a product counts as new
_DAYS = 730
_LEAST = 30  # customers with a past and a purchase after it, before anything is learned from them
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Shelf:
    """The catalogue: one entry per product, in the order of its SKU.

    Attributes:
        frame: `sku, name, category, price, cost, launch_date, delisted_date`.
        place: Number of each SKU.
        kinds: Category of each product as a number, (items,).
        content: Vectors of its words, sparse (items, terms).
        buyable: On sale and not known to be out of stock, (items,).
        new: Launched within eight weeks, (items,).
    """

    frame: pd.DataFrame
    place: dict[str, int]
    kinds: Index
    content: Any
    buyable: Mask
    new: Mask

    @property
    def prices(self) -> Array:
        return np.asarray(self.frame["price"], dtype=np.float64)

    @property
    def margins(self) -> Array:
        return self.prices - np.asarray(self.frame["cost"], dtype=np.float64)


@dataclass(frozen=True)
class Taught:
    """What was learned from a shop's purchases.

    Attributes:
        shelf: The catalogue.
        log: Purchases of known customers, a row each.
        customers: Id of each row.
        rows: Row of each id.
        model: Ranks the catalogue for a history.
        beside: What is bought near what.
        need: Days between purchases.
        chances: Chance that each place of a list is bought within four weeks by somebody who orders then, (places,).
        judged: Lists behind it, and how many of their first ten places held something that was bought.
    """

    shelf: Shelf
    log: Histories
    customers: tuple[str, ...]
    rows: dict[str, int]
    model: Hybrid
    beside: CoVisits
    need: Need
    chances: Array
    judged: tuple[int, int]


def taught(shop: Shop) -> Taught:
    """The recommender of a shop; kept until the data change.

    Raises:
        ToolError: Too few customers bought more than once to learn from.
    """
    return shop.learned("recommend", lambda: _teach(shop))


def _teach(shop: Shop) -> Taught:
    shelf = read_shelf(shop)
    log, customers = purchases(shop, shelf.place)
    split = float(np.floor(log.time.max())) + 1 - AHEAD
    known = np.intersect1d(log.row[log.time < split], log.row[log.time >= split])
    if len(known) < _LEAST:
        raise ToolError(
            f"Only {len(known)} known customers bought both lately and before, and {_LEAST} are needed to learn what "
            "goes with what; import more orders with their customers."
        )
    model = Hybrid(last_weeks, shelf.content, candidates=25, most=800).fit(log)
    beside = CoVisits(power=0.5).fit(log)
    rows = {customer: row for row, customer in enumerate(customers)}
    hit = model.proof[True]
    judged = (len(hit), int((hit[:, :10].sum(axis=1) > 0).sum()))
    return Taught(shelf, log, customers, rows, model, beside, learn_need(log), chance_by_rank(hit), judged)


def last_weeks(log: Histories) -> Trial:
    """The last four weeks of a log, or its last third where it is shorter, from what came before."""
    last = float(np.floor(log.time.max())) + 1
    return by_time(log, last - min(AHEAD, float(np.ptp(log.time)) / 3))


def read_shelf(shop: Shop) -> Shelf:
    """The catalogue as of `today`."""
    frame = shop.products().rename(columns={"list_price": "price"}).reset_index(drop=True)
    told = frame[["name", "category", "brand", "description"]].fillna("").astype(str).agg(" ".join, axis=1)
    words = [f"{text} {_said(attributes)}" for text, attributes in zip(told, frame["attributes"], strict=True)]
    launched = pd.to_datetime(frame["launch_date"])
    today = pd.Timestamp(shop.today)
    gone = pd.to_datetime(frame["delisted_date"]) <= today
    stock = shop.stock_on_hand().groupby("sku")["on_hand"].sum()
    empty = frame["sku"].map(stock).fillna(1.0) <= 0
    ahead = launched > today
    new = (launched > today - pd.Timedelta(days=NEW)) & ~ahead
    return Shelf(
        frame,
        {str(sku): i for i, sku in enumerate(frame["sku"])},
        pd.factorize(frame["category"])[0].astype(np.int64),
        describe(words),
        (~(gone | empty | ahead)).to_numpy(dtype=bool),
        new.to_numpy(dtype=bool),
    )


def _said(attributes: Any) -> str:
    return " ".join(f"{name} {value}" for name, value in attributes.items()) if isinstance(attributes, Mapping) else ""


def purchases(shop: Shop, place: Mapping[str, int]) -> tuple[Histories, tuple[str, ...]]:
    """What known customers ordered over two years, cancelled orders left out, and the customer of each row."""
    lines, o = t.order_lines, t.orders
    end = datetime.combine(shop.cutoff + timedelta(days=1), time())
    query = (
        select(o.c.customer_id, lines.c.sku, o.c.placed_at)
        .join(o, o.c.id == lines.c.order_id)
        .where(
            o.c.customer_id.is_not(None),
            o.c.status != "cancelled",
            o.c.placed_at < end,
            o.c.placed_at >= end - timedelta(days=_DAYS),
            lines.c.units > 0,
        )
        .order_by(o.c.customer_id, o.c.placed_at, lines.c.order_id, lines.c.line)
    )
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).all(), columns=["customer", "sku", "at"])
    frame = frame[frame["sku"].isin(place)]
    if frame.empty:
        raise ToolError("No order names its customer, so nobody's taste is known; import orders with customer ids.")
    row, ids = pd.factorize(frame["customer"], sort=True)
    at = np.asarray((pd.to_datetime(frame["at"]) - _EPOCH) / pd.Timedelta(days=1), dtype=float)
    item = np.asarray(frame["sku"].map(place), dtype=np.int64)
    now = np.full(len(ids), float(days(shop.today)))
    return histories(np.asarray(row, dtype=np.int64), item, at, len(place), now), tuple(map(str, ids))


def days(day: date) -> int:
    """A day as the logs count it."""
    return (day - _EPOCH.date()).days


def contacted(shop: Shop, since: date, customers: Sequence[str]) -> Index:
    """Coupons sent to each of the customers from a day on, (customers,)."""
    c = t.coupons
    query = select(c.c.customer_id).where(c.c.sent_on >= since, c.c.sent_on <= shop.cutoff)
    with shop.engine.connect() as connection:
        sent = pd.Series(connection.execute(query).scalars().all(), dtype=object).value_counts()
    return np.array([int(sent.get(each, 0)) for each in customers], dtype=np.int64)
