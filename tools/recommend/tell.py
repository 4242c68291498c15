"""`recommend_audience`: customers to tell first about a launch, what they may do, and how many to hold out."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import select

from shop import Draft, Product, Shop, ToolError, ToolResult
from shop import schema as t
from shop.resolve import find_product
from shop.types import Count
from tools.promotion.coupons import trials
from tools.recommend.audience import WINDOW, Response, learn_response, may_be_told, plain_ranking
from tools.recommend.histories import Array
from tools.recommend.read import contacted, days
from tools.recommend.told import Added, Audience, audience_report
from tools.registry import tool
from tools.standing import FEATURES, YEAR, standing

_USUAL = 500
_LAUNCHES = 24
_MOST_CUSTOMERS = 4000
_LEAST_HELD = 100
_LEAST_GAIN = 10
_EPOCH = datetime(1970, 1, 1)


@tool("read", "internal")
def recommend_audience(shop: Shop, product: str, size: Count | None = None) -> ToolResult:
    """Recommend the customers to tell first about a product, with their expected response.

    Args:
        product: SKU, draft id or name.
        size: How many customers to tell; left out, five hundred or as many as can be reached.
    """
    if size is not None and size < 10:
        raise ToolError(f"An audience of {size} tells nothing; ask for 10 customers or more.")
    item = find_product(shop, product)
    lines, joined = _lines(shop), _joined(shop)
    if lines.empty:
        raise ToolError("No order names its customer, so nobody can be chosen; import orders with customer ids.")
    response = shop.learned("launch-response", lambda: _response(shop, lines, joined))
    added = shop.learned("message-uplift", lambda: _added(shop))
    audience = _choose(shop, item, lines, joined, size or _USUAL, response, added)
    return audience_report(item, size, audience, response, added)


def _choose(
    shop: Shop,
    item: Draft | Product,
    lines: pd.DataFrame,
    joined: pd.Series[float],
    size: int,
    response: Response | None,
    added: Added | None,
) -> Audience:
    now = float(days(shop.today))
    customers = pd.Index(sorted(lines.loc[lines["day"] >= now - YEAR, "customer"].unique()))
    if not len(customers):
        raise ToolError("Nobody has bought within a year, so there is no audience; import newer orders.")
    features = _features(shop, lines, customers, now, item.category, joined)
    told = may_be_told(contacted(shop, shop.today - timedelta(days=WINDOW), list(customers)))
    if isinstance(item, Product):
        had = set(lines.loc[lines["sku"] == item.sku, "customer"])
        told &= ~customers.isin(had)
    chance = None if response is None else response.score(features)
    extra = None if added is None else added.score(features)
    likely = plain_ranking(features) if chance is None else chance
    # Where enough customers gain by a message, only they are told; else the likelier buyers go first.
    gain = told & (extra > 0) if extra is not None else np.zeros(len(customers), dtype=bool)
    by_uplift = extra is not None and int(gain.sum()) >= _LEAST_GAIN
    ranking = np.lexsort((np.arange(len(customers)), -likely, -extra if by_uplift and extra is not None else -likely))
    chosen = ranking[(gain if by_uplift else told)[ranking]][:size]
    return Audience(customers, features, told, chance, extra, np.asarray(chosen, dtype=np.int64), by_uplift)


# -- what is learned --------------------------------------------------------------------------------------------------


def _response(shop: Shop, lines: pd.DataFrame, joined: pd.Series[float]) -> Response | None:
    """From the shop's latest launches that have been on sale for four weeks."""
    products = shop.products()
    day = pd.to_datetime(products["launch_date"]).dt.date
    done = products[day.notna() & (day <= shop.today - timedelta(days=WINDOW))]
    latest = done.sort_values(["launch_date", "sku"]).tail(_LAUNCHES)
    rng = np.random.default_rng(0)
    features, bought, launch = [], [], []
    for number, row in enumerate(latest.itertuples()):
        start = float(days(pd.Timestamp(str(row.launch_date)).date()))
        known = np.sort(lines.loc[(lines["day"] < start) & (lines["day"] >= start - YEAR), "customer"].unique())
        if len(known) > _MOST_CUSTOMERS:
            known = np.sort(rng.choice(known, _MOST_CUSTOMERS, replace=False))
        if not len(known):
            continue
        customers = pd.Index(known)
        features.append(_features(shop, lines, customers, start, str(row.category), joined))
        first = lines[(lines["sku"] == row.sku) & (lines["day"] >= start) & (lines["day"] < start + WINDOW)]
        bought.append(customers.isin(first["customer"].unique()))
        launch.append(np.full(len(customers), number))
    if not features:
        return None
    return learn_response(np.vstack(features), np.concatenate(bought), np.concatenate(launch))


def _added(shop: Shop) -> Added | None:
    """From past coupons that were held back from some customers at random; None where there were none."""
    rows = trials(shop)
    if rows.empty or (~rows["treated"]).sum() < _LEAST_HELD or rows["treated"].sum() < _LEAST_HELD:
        return None
    from tools.uplift import fit_targeting

    treated = rows["treated"].to_numpy(dtype=bool)
    bought = rows["bought"].to_numpy(dtype=float)
    found = fit_targeting(rows[list(FEATURES)].to_numpy(dtype=float), treated, {"bought": bought})["bought"]
    a, b = bought[treated], bought[~treated]
    error = float(np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)))
    return Added(
        found.score, float(a.mean() - b.mean()), error, len(rows), int((~treated).sum()), found.choice.certainty
    )


def _features(
    shop: Shop, lines: pd.DataFrame, customers: pd.Index[str], day: float, category: str, joined: pd.Series[float]
) -> Array:
    frame = standing(lines, customers, day, category, np.asarray(joined.reindex(customers), dtype=float))
    until = _EPOCH.date() + timedelta(days=int(day))
    frame["sent_before"] = _sent_before(shop, until, customers)
    return frame[list(FEATURES)].to_numpy(dtype=float)


def _sent_before(shop: Shop, day: date, customers: pd.Index[str]) -> Array:
    return contacted(shop.as_of(day), date(1970, 1, 2), list(customers)).astype(float)


def _lines(shop: Shop) -> pd.DataFrame:
    """Lines of known customers up to the cut-off, cancelled ones left out: `customer, day, sku, category, paid`."""
    lines, o, p = t.order_lines, t.orders, t.products
    end = datetime.combine(shop.cutoff + timedelta(days=1), time())
    query = (
        select(o.c.customer_id, o.c.placed_at, p.c.sku, p.c.category, lines.c.units, lines.c.price_cents)
        .join(o, o.c.id == lines.c.order_id)
        .join(p, p.c.sku == lines.c.sku)
        .where(o.c.customer_id.is_not(None), o.c.status != "cancelled", o.c.placed_at < end)
    )
    with shop.engine.connect() as connection:
        rows = connection.execute(query).all()
    frame = pd.DataFrame(rows, columns=["customer", "at", "sku", "category", "units", "cents"])
    frame["day"] = np.floor((pd.to_datetime(frame.pop("at")) - _EPOCH) / pd.Timedelta(days=1))
    frame["paid"] = frame.pop("units").astype(float) * frame.pop("cents").astype(float) / 100
    return frame


def _joined(shop: Shop) -> pd.Series[float]:
    c = t.customers
    with shop.engine.connect() as connection:
        rows = connection.execute(select(c.c.id, c.c.joined_on)).all()
    days_in = {str(key): float(days(day)) if day is not None else np.nan for key, day in rows}
    return pd.Series(days_in, dtype=float)
