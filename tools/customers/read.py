"""The shop's known customers and what they bought, without a word about who they are; kept until the data change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, func, select

from shop import Shop, ToolError
from shop import schema as t
from tools.customers.churn import Churn, lost_after, predict_lost
from tools.customers.features import features, purchase_days
from tools.customers.value import Values, predict_value

LEAST_SHOWN = 5  # people in a group that is shown
VALUE_WEEKS = 26
_YEARS = 3
HABITS = ("basket", "items", "discount", "evening", "weekend", "focus", "app", "gap")
_EVENING = 18  # the hour from which it is evening
ORDERS = ("customer", "at", "channel", "amount", "units", "cut")
BOUGHT = ("customer", "category", "amount", "units", "orders", "last")


@dataclass(frozen=True)
class Base:
    """Orders of known customers over three years, and what follows from them.

    Attributes:
        orders: `ORDERS`, one row each; `cut` is the share of the units that were sold below list price.
        bought: `BOUGHT`, one row per customer and category.
        days: As `features.purchase_days` gives them.
        known: `FEATURES` by customer as of today.
        habits: `HABITS` by customer.
    """

    orders: pd.DataFrame
    bought: pd.DataFrame
    days: pd.DataFrame
    known: pd.DataFrame
    habits: pd.DataFrame


def read_base(shop: Shop) -> Base:
    """The customers of a shop; kept until the data change.

    Raises:
        ToolError: No order names its customer.
    """
    return shop.learned("customers", lambda: _read(shop))


def customer_values(shop: Shop) -> Values:
    """Money each customer is expected to spend in half a year; kept until the data change.

    Raises:
        ToolError: There are too few customers to learn from.
    """
    return shop.learned("customer-values", lambda: _values(shop))


def customer_churn(shop: Shop) -> Churn:
    """Chance of each customer to be lost; kept until the data change.

    Raises:
        ToolError: There are too few customers to learn from.
    """
    return shop.learned("customer-churn", lambda: _churn(shop))


def of_known(shop: Shop) -> list[ColumnElement[bool]]:
    """Conditions on orders: with a customer, not cancelled, of the last three years and no later than the cut-off."""
    end = datetime.combine(shop.cutoff + timedelta(days=1), time())
    o = t.orders
    since = end - timedelta(days=365 * _YEARS)
    return [o.c.customer_id.is_not(None), o.c.status != "cancelled", o.c.placed_at < end, o.c.placed_at >= since]


def _read(shop: Shop) -> Base:
    o, line, p = t.orders, t.order_lines, t.products
    paid = line.c.units * line.c.price_cents
    cut = func.sum(line.c.units).filter(line.c.discount_cents > 0)
    # Grouped along the lines' own key before the join: sorting all lines by customer would take longer than the rest.
    sums = (
        select(line.c.order_id, func.sum(paid).label("paid"), func.sum(line.c.units).label("units"), cut.label("cut"))
        .where(line.c.units > 0)
        .group_by(line.c.order_id)
        .subquery()
    )
    orders = (
        select(o.c.customer_id, o.c.placed_at, o.c.channel, sums.c.paid, sums.c.units, sums.c.cut)
        .join(sums, sums.c.order_id == o.c.id)
        .where(*of_known(shop))
    )
    kinds = (
        select(
            o.c.customer_id,
            p.c.category,
            func.sum(paid),
            func.sum(line.c.units),
            func.count(o.c.id.distinct()),
            func.max(o.c.placed_at),
        )
        .join(line, line.c.order_id == o.c.id)
        .join(p, p.c.sku == line.c.sku)
        .where(*of_known(shop), line.c.units > 0)
        .group_by(o.c.customer_id, p.c.category)
    )
    with shop.engine.connect() as connection:
        first = pd.DataFrame(connection.execute(orders).all(), columns=list(ORDERS))
        second = pd.DataFrame(connection.execute(kinds).all(), columns=list(BOUGHT))
    if first.empty:
        raise ToolError("No order names its customer, so nobody is known; import orders with customer ids.")
    for frame in (first, second):
        frame["amount"] = pd.to_numeric(frame["amount"]).astype(float) / 100
        frame["units"] = pd.to_numeric(frame["units"]).astype(float)
    first["at"] = pd.to_datetime(first["at"])
    first["cut"] = pd.to_numeric(first["cut"]).fillna(0).astype(float) / first["units"]
    days = purchase_days(first.rename(columns={"at": "date"}))
    if days.empty:
        raise ToolError("No known customer has paid for an order yet; import orders with prices.")
    known = features(days, pd.Timestamp(shop.cutoff) + pd.Timedelta(days=1))
    return Base(first, second, days, known, _habits(first, second, known))


def _habits(orders: pd.DataFrame, bought: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """How each customer shops, `HABITS`: money and units of an order, and shares of the orders; gap in weeks."""
    marked = orders.assign(
        evening=(orders["at"].dt.hour >= _EVENING).astype(float),
        weekend=(orders["at"].dt.weekday >= 5).astype(float),
        app=(orders["channel"] == "app").astype(float),
    )
    groups = marked.groupby("customer")
    found = groups[["units", "cut", "evening", "weekend", "app"]].mean()
    found = found.rename(columns={"units": "items", "cut": "discount"}).reindex(known.index)
    found["basket"] = known["basket"]
    by_category = bought.groupby("customer")["amount"]
    found["focus"] = (by_category.max() / by_category.sum()).reindex(known.index)
    found["gap"] = known["gap"].fillna(known["age"])
    return found[list(HABITS)].fillna(0.0)


def _values(shop: Shop) -> Values:
    base = read_base(shop)
    try:
        return predict_value(base.days, pd.Timestamp(shop.today), VALUE_WEEKS)
    except ValueError as error:
        raise ToolError(
            f"What customers will spend cannot be told yet ({error}); segment_customers by rfm works with fewer."
        ) from error


def _churn(shop: Shop) -> Churn:
    base, today = read_base(shop), pd.Timestamp(shop.today)
    try:
        return predict_lost(base.days, today, lost_after(base.days, today))
    except ValueError as error:
        raise ToolError(
            f"Who will be lost cannot be told yet ({error}); segment_customers by rfm shows who has been away long."
        ) from error


def favourite(bought: pd.DataFrame) -> str | None:
    """The category that most money went to; None where nothing has one."""
    named = bought[bought["category"] != ""]
    if named.empty:
        return None
    totals: pd.Series[Any] = named.groupby("category")["amount"].sum()
    return str(totals.index[int(np.argmax(totals.to_numpy()))])
