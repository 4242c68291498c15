"""A shop's sales as a weekly panel: what was sold, at what price, on which promotion, where shelves were empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import func, or_, select

from shop import Shop
from shop import schema as t
from tools.demand.panel import Array, Panel, demand_rate


@dataclass(frozen=True)
class ShopPanel:
    """Weekly demand of a shop's products.

    Attributes:
        panel: Weeks of seven days that count back from the cut-off; demand at the rate of the days in stock, NaN out
            of stock, before the launch (without one: the first sale) and after delisting.
        frame: `sku, name, category, launch_date, cost, list_price`, in the panel's order.
        sold: Units really sold (N, T), zero where none.
        days_out: Days recorded as out of stock (N, T).
        returned: Units returned (N, T).
        revenue: Money taken (N, T).
    """

    panel: Panel
    frame: pd.DataFrame
    sold: Array
    days_out: Array
    returned: Array
    revenue: Array

    def row(self, sku: str) -> int:
        """Position of a product; ValueError where it is not in the panel."""
        return self.panel.keys.index(sku)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> ShopPanel:
        """Some of the products."""
        return ShopPanel(
            self.panel.take(rows),
            self.frame.loc[rows].reset_index(drop=True),
            self.sold[rows],
            self.days_out[rows],
            self.returned[rows],
            self.revenue[rows],
        )


def read_panel(shop: Shop, category: str | None = None, weeks: int = 160) -> ShopPanel | None:
    """The weekly panel of a category, or of the shop, up to the cut-off; None where nothing was sold in it.

    Args:
        shop: The shop.
        category: Path; None takes every product.
        weeks: At most this many weeks back.
    """
    products = shop.products(category)
    bins = _weekly(shop, weeks)
    bins = bins[bins["sku"].isin(products["sku"])]
    if bins.empty:
        return None
    frame = products[products["sku"].isin(bins["sku"])].reset_index(drop=True)
    count = int(bins["back"].max()) + 1
    cutoff = pd.Timestamp(shop.cutoff)
    starts = pd.DatetimeIndex([cutoff - pd.Timedelta(days=7 * back + 6) for back in range(count - 1, -1, -1)])
    at = (
        frame.index.to_series().set_axis(frame["sku"]).loc[bins["sku"]].to_numpy(),
        count - 1 - bins["back"].to_numpy(),
    )
    grids = {}
    for name in ("units", "days_out", "returned", "revenue"):
        grids[name] = np.zeros((len(frame), count))
        grids[name][at] = bins[name].to_numpy(dtype=float)
    price = np.full((len(frame), count), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        price[at] = np.where(bins["revenue"] > 0, bins["revenue"] / bins["units"], np.nan)
    price = pd.DataFrame(price).ffill(axis=1).to_numpy()
    units = np.where(_on_sale(frame, starts, grids["units"]), demand_rate(grids["units"], grids["days_out"]), np.nan)
    promotion = _promoted(shop, frame, starts)
    panel = Panel(tuple(frame["sku"]), starts, units, price, promotion, "week")
    return ShopPanel(panel, frame, grids["units"], grids["days_out"], grids["returned"], grids["revenue"])


def _weekly(shop: Shop, weeks: int) -> pd.DataFrame:
    d = t.daily
    back = (t.days_between(shop.cutoff, d.c.day) // 7).label("back")
    out = func.count().filter(d.c.in_stock.is_(False)).label("days_out")
    query = (
        select(
            d.c.sku,
            back,
            func.sum(d.c.units).label("units"),
            func.sum(d.c.revenue_cents).label("revenue"),
            func.sum(d.c.returned_units).label("returned"),
            out,
        )
        .where(d.c.day <= shop.cutoff, t.days_between(shop.cutoff, d.c.day) < 7 * weeks)
        .group_by(d.c.sku, back)
    )
    with shop.engine.connect() as connection:
        frame = pd.DataFrame(
            connection.execute(query).fetchall(), columns=["sku", "back", "units", "revenue", "returned", "days_out"]
        )
    frame[["units", "revenue", "returned"]] = frame[["units", "revenue", "returned"]].astype(float)
    frame["revenue"] = frame["revenue"] / 100
    # The oldest bin may hold less than seven days.
    first = shop_first_day(shop)
    whole = ((shop.cutoff - first).days + 1) // 7
    return frame[frame["back"] < max(whole, 1)].reset_index(drop=True)


def shop_first_day(shop: Shop) -> date:
    """First day with sales."""
    with shop.engine.connect() as connection:
        day = connection.execute(select(func.min(t.daily.c.day))).scalar_one()
    assert isinstance(day, date)
    return day


def _on_sale(frame: pd.DataFrame, starts: pd.DatetimeIndex, units: Array) -> NDArray[np.bool_]:
    """Whole weeks between launch, or first sale, and delisting (N, T)."""
    launch = pd.to_datetime(frame["launch_date"]).to_numpy()[:, None]
    end = pd.to_datetime(frame["delisted_date"]).to_numpy()[:, None]
    week = starts.to_numpy()[None, :]
    first_sale = np.where((units > 0).any(axis=1), (units > 0).argmax(axis=1), units.shape[1])[:, None]
    begun = np.where(np.isnat(launch), np.arange(units.shape[1])[None, :] >= first_sale, week >= launch)
    over = ~np.isnat(end) & (week + np.timedelta64(7, "D") > end)
    return np.asarray(begun & ~over)


def _promoted(shop: Shop, frame: pd.DataFrame, starts: pd.DatetimeIndex) -> Array:
    """1 in weeks with at least four days of a promotion on the product or its category (N, T)."""
    p = t.promotions
    query = select(p.c.sku, p.c.category, p.c.starts, p.c.ends).where(
        p.c.starts <= shop.cutoff, or_(p.c.sku.is_not(None), p.c.category != "")
    )
    flags = np.zeros((len(frame), len(starts)))
    with shop.engine.connect() as connection:
        rows = connection.execute(query).all()
    paths = frame["category"].astype(str)
    for sku, category, begins, ends in rows:
        from_day = np.maximum(starts.to_numpy(), np.datetime64(begins))
        to_day = np.minimum(starts.to_numpy() + np.timedelta64(6, "D"), np.datetime64(ends))
        weeks = (to_day - from_day) / np.timedelta64(1, "D") + 1 >= 4
        if sku is not None:
            mine = (frame["sku"] == sku).to_numpy()
        else:
            mine = ((paths == category) | paths.str.startswith(f"{category} > ")).to_numpy()
        flags[np.ix_(mine, weeks)] = 1.0
    return flags
