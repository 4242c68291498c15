"""What sales alone tell about products: names, launch dates, list prices and their history; then the roll-up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

import pandas as pd
from sqlalchemy import Connection, Date, bindparam, delete, func, literal, or_, select, update

from shop import rollup
from shop import schema as t
from shop.database import insert_new
from shop.importers.job import Job

LAUNCH_AFTER_DAYS = 56  # a first sale earlier than that may be an old product seen for the first time
SMALL_LINE = 12  # units; larger lines are often priced below the list
LASTING_WEEKS = 4
LEAST_CHANGE = 0.02
_BATCH = 5_000
_MOVED = or_(t.daily.c.units > 0, t.daily.c.returned_units > 0)


def finish(job: Job, category_of: Callable[[str], str] | None = None) -> None:
    """Complete the products that an import touched, and rebuild their roll-up."""
    if job.rows_new:
        _name_products(job, category_of)
        rebuild_touched(job)


def rebuild_touched(job: Job) -> None:
    """The roll-up of the products that an import touched, and what follows from their sales.

    Only products that this kind of import brought are completed: what a product list says of launch and price stays.
    """
    p = t.products
    begun = _first_day(job.connection)
    rollup.rebuild(job.connection, job.touched)
    begins = _first_day(job.connection)
    if begins is None:
        return
    completed: Iterable[str] = job.touched
    if begun is None or begins < begun:
        # Data that reaches further back tells more about the launch of every product.
        completed = job.connection.execute(select(p.c.sku).where(p.c.source == job.source)).scalars().all()
    for skus in _batches(completed):
        query = select(p.c.sku, p.c.declared).where(p.c.sku.in_(skus), p.c.source == job.source)
        declared = {sku: fields.split() for sku, fields in job.connection.execute(query)}
        launches = {sku for sku, fields in declared.items() if "launch_date" not in fields}
        _set_launch_dates(job.connection, launches, begins)
        _set_prices(
            job.connection, {sku for sku, fields in declared.items() if "list_price_cents" not in fields}, begins
        )


def _first_day(connection: Connection) -> date | None:
    day: date | None = connection.execute(select(func.min(t.daily.c.day)).where(_MOVED)).scalar()
    return day


def _batches(skus: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(skus)
    for start in range(0, len(ordered), _BATCH):
        yield ordered[start : start + _BATCH]


def _name_products(job: Job, category_of: Callable[[str], str] | None) -> None:
    """New products get their most frequent name, ties going to the first in the alphabet."""
    by_sku: dict[str, Counter[str]] = {}
    for (sku, name), count in job.names.items():
        if sku in job.new_skus:
            by_sku.setdefault(sku, Counter())[name] += count
    best = {sku: min(names, key=lambda name: (-names[name], name)) for sku, names in by_sku.items()}
    if not best:
        return
    query = update(t.products).where(t.products.c.sku == bindparam("of"))
    job.connection.execute(query.values(name=bindparam("to")), [{"of": sku, "to": name} for sku, name in best.items()])
    if category_of is not None:
        paths = [{"of": sku, "to": category_of(name)} for sku, name in best.items()]
        job.connection.execute(query.values(category=bindparam("to")), paths)


def _set_launch_dates(connection: Connection, skus: set[str], begins: date) -> None:
    """The first sale or return, where it comes long enough after the data begins; else unknown."""
    d = t.daily
    first = select(d.c.sku, func.min(d.c.day)).where(_MOVED, d.c.sku.in_(skus)).group_by(d.c.sku)
    rows = [
        {"of": sku, "on": day if (day - begins).days >= LAUNCH_AFTER_DAYS else None}
        for sku, day in connection.execute(first)
    ]
    query = update(t.products).where(t.products.c.sku == bindparam("of")).values(launch_date=bindparam("on"))
    if rows:
        connection.execute(query, rows)


def _set_prices(connection: Connection, skus: set[str], begins: date) -> None:
    """The list price is what small lines pay most often; a change that lasts makes a new row of history."""
    paid = _weekly_modes(connection, skus, begins)
    connection.execute(delete(t.prices).where(t.prices.c.sku.in_(skus)))
    history, current = [], []
    for sku, weeks in paid.groupby("sku", sort=False):
        steps = price_steps(weeks["week"].tolist(), weeks["price_cents"].tolist())
        for week, price in steps:
            day = begins + timedelta(days=7 * week)
            history.append({"sku": sku, "valid_from": day, "price_cents": price})
        current.append({"of": sku, "to": steps[-1][1]})
    insert_new(connection, t.prices, history)
    if current:
        query = update(t.products).where(t.products.c.sku == bindparam("of")).values(list_price_cents=bindparam("to"))
        connection.execute(query, current)


def _weekly_modes(connection: Connection, skus: set[str], begins: date) -> pd.DataFrame:
    """`sku, week, price_cents`: the price most lines paid in each week with a sale, small lines first."""
    lines, orders = t.order_lines, t.orders
    week = t.days_between(func.date(orders.c.placed_at, type_=Date), literal(begins, Date)) // 7
    small = lines.c.units <= SMALL_LINE
    query = (
        select(
            lines.c.sku,
            week.label("week"),
            lines.c.price_cents,
            func.count().filter(small).label("small"),
            func.count().label("lines"),
        )
        .join(orders, orders.c.id == lines.c.order_id)
        .where(lines.c.sku.in_(skus), orders.c.status.not_in(rollup.NOT_SOLD), lines.c.price_cents > 0)
        .group_by(lines.c.sku, week, lines.c.price_cents)
    )
    result = connection.execute(query)
    paid = pd.DataFrame(result.fetchall(), columns=list(result.keys()))
    paid = paid.sort_values(["sku", "week", "small", "lines", "price_cents"])
    return paid.drop_duplicates(["sku", "week"], keep="last")[["sku", "week", "price_cents"]]


def price_steps(weeks: list[int], prices: list[int]) -> list[tuple[int, int]]:
    """When a list price changed for good.

    Args:
        weeks: Running numbers of the weeks with a sale, ascending.
        prices: The price most lines paid in each, in cents.

    Returns:
        (first week, price) of every level: the first level is what most of the first weeks paid; a later one differs
        by at least `LEAST_CHANGE` and was paid for `LASTING_WEEKS` weeks with a sale in a row.
    """
    opening = Counter(prices[:LASTING_WEEKS])
    level = max(opening, key=lambda price: (opening[price], price))
    steps = [(weeks[0], level)]
    run = 0
    for place, price in enumerate(prices):
        run = run + 1 if place and price == prices[place - 1] else 1
        if run == LASTING_WEEKS and abs(price - level) >= LEAST_CHANGE * level:
            level = price
            steps.append((weeks[place - LASTING_WEEKS + 1], level))
    return steps
