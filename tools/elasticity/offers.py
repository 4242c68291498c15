"""What a shop asked and sold by product and week: units, prices in force, promotions, rivals."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Date, cast, func, literal, or_, select

from shop import Shop
from shop import schema as t

WEEKS = 157  # three years: further back prices say little about today's buyers
_MIN_WEEKS = 8
_MOST_PRODUCTS = 1200
MOST_EMPTY = 3  # days out of stock beyond which a week says little
_AFTER_DAYS = 14  # how long a promotion's dip may last
# A list price this many times the usual one, or a part of it, is another channel's or another pack's.
_ANOTHER_SALE = 1.6


def weekly_offers(shop: Shop) -> pd.DataFrame:
    """What was asked and sold by product and week.

    Columns: `sku, week, units, price, promotion, after_promotion, rivals, exposure, category`.

    `price` is the price asked, not revenue over units: a week with large orders at a volume discount, or with many
    coupons, would look cheap because it sold much. It is the list price in force less percentage promotions; where no
    list price is kept, the price that most order lines paid. Weeks without a sale are zeros between the first and the
    last sale. `exposure` is the share of days not out of stock; weeks with few such days are left out, and so are weeks
    whose list price is far from the product's usual one: most of its few orders then came through another channel.
    `rivals` is the log of rivals' prices over their mean.
    """
    first = shop.cutoff - timedelta(weeks=WEEKS) + timedelta(days=1)
    sold = _weekly_units(shop, first)
    if sold.empty:
        return sold.assign(price=0.0, promotion=0.0, after_promotion=0.0, rivals=0.0, exposure=1.0, category="")
    known = shop.products().set_index("sku")
    sold = sold[sold["sku"].isin(known.index)]
    skus = list(sold.groupby("sku")["units"].sum().nlargest(_MOST_PRODUCTS).index)
    sold = sold[sold["sku"].isin(skus)]
    grid = _full_weeks(sold)
    listed = _list_prices(shop, skus, grid, first)
    depth, share, after = _promotions(shop, known.loc[skus, "category"], grid, first)
    frame = grid.assign(
        price=listed * (1 - depth),
        promotion=share,
        after_promotion=np.where(share > 0, 0.0, after),
        rivals=_rivals(shop, grid, first),
        category=grid["sku"].map(known["category"]).fillna(""),
    )
    frame = frame.assign(exposure=1 - frame.pop("empty") / 7)
    usual = pd.Series(listed).groupby(grid["sku"].to_numpy()).transform("median").to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = np.abs(np.log(listed / usual)) <= np.log(_ANOTHER_SALE)
    usable = ((frame["price"] > 0) & (grid["empty"] <= MOST_EMPTY)).to_numpy() & alike
    kept: pd.DataFrame = frame[usable].reset_index(drop=True)
    return kept


def _weekly_units(shop: Shop, first: date) -> pd.DataFrame:
    d, cutoff = t.daily, shop.cutoff
    back = (t.days_between(literal(cutoff, Date), d.c.day) // 7).label("back")
    query = (
        select(
            d.c.sku,
            back,
            func.sum(d.c.units).label("units"),
            func.count().filter(d.c.in_stock.is_(False)).label("empty"),
        )
        .where(d.c.day <= cutoff, d.c.day >= first)
        .group_by(d.c.sku, back)
    )
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).all(), columns=["sku", "back", "units", "empty"])
    frame[["back", "units", "empty"]] = frame[["back", "units", "empty"]].astype(int)
    return frame.assign(week=WEEKS - 1 - frame["back"])[["sku", "week", "units", "empty"]]


def _full_weeks(sold: pd.DataFrame) -> pd.DataFrame:
    """Zeros for weeks without a row between a product's first and last sale; products seen too briefly left out."""
    selling = sold[sold["units"] > 0].groupby("sku")["week"].agg(["min", "max"])
    selling = selling[selling["max"] - selling["min"] + 1 >= _MIN_WEEKS]
    length = (selling["max"] - selling["min"] + 1).to_numpy()
    sku = np.repeat(selling.index.to_numpy(), length)
    week = np.concatenate(
        [np.arange(a, b + 1) for a, b in zip(selling["min"], selling["max"], strict=True)] or [np.zeros(0)]
    )
    grid = pd.DataFrame({"sku": sku, "week": week.astype(int)}).merge(sold, on=["sku", "week"], how="left")
    return grid.assign(units=grid["units"].fillna(0.0).astype(float), empty=grid["empty"].fillna(0).astype(int))


def _list_prices(shop: Shop, skus: list[str], grid: pd.DataFrame, first: date) -> NDArray[np.float64]:
    """The list price at the end of each week of the grid; the price that most lines paid where no list is kept."""
    h = t.prices
    with shop.engine.connect() as connection:
        rows = connection.execute(
            select(h.c.sku, h.c.valid_from, h.c.price_cents).where(h.c.valid_from <= shop.cutoff)
        ).all()
    steps = pd.DataFrame(rows, columns=["sku", "day", "cents"])
    steps = steps[steps["sku"].isin(skus)]
    if len(steps):
        days = (pd.to_datetime(steps["day"]) - pd.Timestamp(first)).dt.days
        # A price set in the second half of a week is next week's.
        steps = steps.assign(week=(days + 3) // 7, price=steps["cents"] / 100).sort_values("week")
        left = grid.assign(at=np.arange(len(grid))).sort_values("week")
        merged = pd.merge_asof(
            left[["sku", "week", "at"]], steps[["sku", "week", "price"]], on="week", by="sku", direction="backward"
        )
        listed = merged.sort_values("at")["price"].to_numpy(dtype=float)
    else:
        listed = np.full(len(grid), np.nan)
    missing = grid.loc[np.isnan(listed), "sku"].unique()
    if not len(missing):
        return listed
    paid = _usual_paid(shop, first)
    if paid.empty:
        paid = _average_paid(shop, first)
    both = grid[["sku", "week"]].merge(paid, on=["sku", "week"], how="left")["price"]
    filled = both.groupby(grid["sku"]).ffill().groupby(grid["sku"]).bfill().to_numpy(dtype=float)
    return np.where(np.isnan(listed), filled, listed)


def _usual_paid(shop: Shop, first: date) -> pd.DataFrame:
    """The price before discounts that most order lines of a product and week have: `sku, week, price`."""
    lines, orders = t.order_lines, t.orders
    day = cast(orders.c.placed_at, Date) if shop.engine.dialect.name != "sqlite" else func.date(orders.c.placed_at)
    back = (t.days_between(literal(shop.cutoff, Date), day) // 7).label("back")
    asked = (lines.c.price_cents + lines.c.discount_cents).label("cents")
    query = (
        select(lines.c.sku, back, asked, func.count().label("lines"))
        .join(orders, orders.c.id == lines.c.order_id)
        .where(day <= str(shop.cutoff), day >= str(first), lines.c.price_cents > 0, lines.c.units > 0)
        .group_by(lines.c.sku, back, asked)
    )
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).all(), columns=["sku", "back", "cents", "lines"])
    # Among equally many lines the dearer price is the list price.
    best = frame.sort_values(["lines", "cents"]).groupby(["sku", "back"], as_index=False).last()
    return pd.DataFrame(
        {"sku": best["sku"], "week": WEEKS - 1 - best["back"].astype(int), "price": best["cents"].astype(float) / 100}
    )


def _average_paid(shop: Shop, first: date) -> pd.DataFrame:
    """Revenue over units, all that a shop without order lines can tell: `sku, week, price`."""
    paid = shop.weekly_prices(since=first)
    week = (paid["week"] - pd.Timestamp(first)).dt.days // 7
    return paid.assign(week=week.astype(int))[["sku", "week", "price"]]


def _promotions(
    shop: Shop, category: pd.Series[str], grid: pd.DataFrame, first: date
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean depth, share of days on promotion, and share of days just after one, by row of the grid."""
    p = t.promotions
    query = select(p.c.sku, p.c.category, p.c.starts, p.c.ends, p.c.depth).where(
        p.c.starts <= shop.cutoff, p.c.mechanic == "percentage", or_(p.c.sku.is_not(None), p.c.category != "")
    )
    with shop.engine.connect() as connection:
        rows = connection.execute(query).all()
    place = {sku: number for number, sku in enumerate(category.index)}
    days = WEEKS * 7
    depth, after = np.zeros((len(place), days)), np.zeros((len(place), days))
    off, gross = _discounts(shop, place, days, first)
    # Offers of single products first: their discount must not be taken for a share in the category's.
    for sku, path, starts, ends, cut in sorted(rows, key=lambda row: row[0] is None):
        begin, end = ((pd.Timestamp(each) - pd.Timestamp(first)).days for each in (starts, ends))
        if sku is not None:
            mine = np.array([place[sku]] if sku in place else [], dtype=int)
        else:
            mine = np.flatnonzero((category == path) | category.str.startswith(f"{path} > "))
        if end < 0:
            continue
        if sku is None:
            # A promotion of a category seldom covers all of it: those whose buyers got the discount took part.
            window = slice(max(begin, 0), end + 1)
            free = depth[mine, window] == 0
            got, asked = (np.where(free, values[mine, window], 0.0).sum(axis=1) for values in (off, gross))
            mine = mine[(asked > 0) & (got >= cut / 2 * asked)]
        depth[mine, max(begin, 0) : end + 1] = np.maximum(depth[mine, max(begin, 0) : end + 1], float(cut))
        after[mine, max(end + 1, 0) : end + 1 + _AFTER_DAYS] = 1.0
    after[depth > 0] = 0.0
    at = (grid["sku"].map(place).to_numpy(dtype=int), grid["week"].to_numpy(dtype=int))
    weekly = [values.reshape(len(place), WEEKS, 7).mean(axis=2)[at] for values in (depth, (depth > 0) * 1.0, after)]
    return weekly[0], weekly[1], weekly[2]


def _discounts(
    shop: Shop, place: dict[str, int], days: int, first: date
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Money off and money before discounts by product and day (P, days)."""
    d = t.daily
    query = select(d.c.sku, d.c.day, d.c.revenue_cents, d.c.discount_cents).where(
        d.c.day >= first, d.c.day <= shop.cutoff, d.c.units > 0
    )
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).all(), columns=["sku", "day", "revenue", "discount"])
    frame = frame[frame["sku"].isin(list(place))]
    at = (
        frame["sku"].map(place).to_numpy(dtype=int),
        (pd.to_datetime(frame["day"]) - pd.Timestamp(first)).dt.days,
    )
    off, gross = np.zeros((len(place), days)), np.zeros((len(place), days))
    off[at] = frame["discount"].astype(float)
    gross[at] = (frame["revenue"] + frame["discount"]).astype(float)
    return off, gross


def _rivals(shop: Shop, grid: pd.DataFrame, first: date) -> NDArray[np.float64]:
    """Log of rivals' prices for the product over each rival's own mean, carried forward; 0 where none is watched."""
    c = t.competitor_prices
    query = select(c.c.competitor, c.c.sku, c.c.day, c.c.price_cents).where(c.c.day <= shop.cutoff, c.c.price_cents > 0)
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(connection.execute(query).all(), columns=["competitor", "sku", "day", "cents"])
    if frame.empty:
        return np.zeros(len(grid))
    frame["log"] = np.log(frame["cents"].astype(float))
    frame["log"] -= frame.groupby(["competitor", "sku"])["log"].transform("mean")
    frame["week"] = (pd.to_datetime(frame["day"]) - pd.Timestamp(first)).dt.days // 7
    mean = frame.groupby(["sku", "week"])["log"].mean().reset_index().sort_values("week")
    left = grid.assign(at=np.arange(len(grid)))[["sku", "week", "at"]].sort_values("week")
    merged = pd.merge_asof(left, mean, on="week", by="sku", direction="backward").sort_values("at")
    return merged["log"].fillna(0.0).to_numpy(dtype=float)
