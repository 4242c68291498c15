"""What each promotion of a launch added: its own days against the days before, other products, and held-out buyers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import or_, select

from shop import Product, Shop
from shop import schema as t
from tools.scoring.effects.cuped import Trial, cuped
from tools.scoring.effects.structural import LEAST_BEFORE, Structural, placebo_rank, structural_effect
from tools.scoring.effects.synthetic import LEAST_DONORS, Synthetic, synthetic_control
from tools.scoring.plan import FrozenPlan

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
_DONORS = 30  # best sellers without a promotion, those of its own category first
_LEAST_SOLD = 7  # units before the promotion without which a product is no yardstick
_LEAST_ARM = 30  # customers in either arm of a test


@dataclass(frozen=True)
class Promotion:
    """A promotion on record that could meet the product; `depth` is the share off the price."""

    id: str
    name: str
    mechanic: str
    depth: float
    starts: date
    ends: date


@dataclass(frozen=True)
class Measured:
    """What a promotion of the product did over its days so far.

    Attributes:
        promotion: Which.
        units: Sold on its days.
        control: Against a mix of other products; None where there are too few of them.
        series: Against its own days before; None where there are too few of those.
        placebo: Of the series, in time; None where there are too few dates to try.
        margin: Money that it brought above the same days without it; None without a unit cost or a yardstick.
        reason: Why nothing can be said, where that is so.
    """

    promotion: Promotion
    units: float
    control: Synthetic | None = None
    series: Structural | None = None
    placebo: float | None = None
    margin: float | None = None
    reason: str = ""

    @property
    def effect(self) -> tuple[float, float, float] | None:
        """Units added, with P10 and P90: by the mix where there is one, else by the series."""
        found = self.control or self.series
        return None if found is None else (found.effect, *found.interval)


@dataclass(frozen=True)
class Tested:
    """A coupon of the product's category that some customers, drawn at random, did not get; money per customer."""

    promotion: Promotion
    customers: int
    held: int
    trial: Trial


@dataclass(frozen=True)
class _Days:
    """Sales by day since the launch: the product's own (T,), other products' (D, T), and the first promoted day."""

    own: Array
    donors: Array
    before: int
    shape: Array  # of the planned launch on those days, mean one before the promotion


def promotions_of(shop: Shop, product: Product, until: date) -> list[Promotion]:
    """Promotions from the launch to a day that name the product, a category it is in, or all; the earliest first."""
    p = t.promotions
    path = product.category.split(" > ") if product.category else []
    above = [" > ".join(path[:depth]) for depth in range(1, len(path) + 1)]
    scope = or_(p.c.sku == product.sku, p.c.sku.is_(None) & p.c.category.in_([*above, ""]))
    chosen = (p.c.starts >= product.launch_date, p.c.starts <= min(until, shop.cutoff), scope)
    query = select(p.c.id, p.c.name, p.c.mechanic, p.c.depth, p.c.starts, p.c.ends).where(*chosen)
    with shop.engine.connect() as connection:
        rows = connection.execute(query.order_by(p.c.starts, p.c.id)).all()
    return [Promotion(*row) for row in rows]


def measured(shop: Shop, product: Product, plan: FrozenPlan, promotion: Promotion, until: date) -> Measured:
    """The effect of one promotion on the launched product, over its days up to `until`.

    Where nobody was drawn at random, two yardsticks stand beside each other: a synthetic control from products without
    a promotion, and a Bayesian structural time series of the product itself with the shop's other sales as regressor;
    each with its placebo test. The planned shape of the launch is divided out first: a launch that climbs or fades
    would else be taken for an effect.
    """
    days, units, paid = _days(shop, product, plan, promotion, until)
    if isinstance(days, str):
        return Measured(promotion, units, reason=days)
    if days.before < LEAST_BEFORE or days.own[: days.before].sum() <= 0:
        return Measured(promotion, units, reason="too few days with sales before it to know what was usual")
    level = days.own / days.shape
    scale = float(days.shape[days.before :].mean())
    control = _scaled(synthetic_control(level, days.donors, days.before), scale) if len(days.donors) else None
    drivers = np.zeros((len(level), 0))
    if len(days.donors):
        drivers = (days.donors / days.donors[:, : days.before].mean(axis=1, keepdims=True)).mean(axis=0)[:, None]
    found = structural_effect(level, drivers, days.before)
    low, high = found.interval
    series = Structural(found.path * scale, found.effect * scale, (low * scale, high * scale), found.p)
    effect = control.effect if control is not None else series.effect
    usual = _price_before(shop, product, promotion)
    margin = None
    if product.cost is not None and usual is not None and paid is not None:
        margin = units * (paid - product.cost) - max(units - effect, 0.0) * (usual - product.cost)
    return Measured(promotion, units, control, series, placebo_rank(level, drivers, days.before), margin)


def tested(shop: Shop, promotion: Promotion) -> Tested | None:
    """The randomised test of a coupon: contribution in its category per customer; None where there was none, or it is
    not over."""
    from tools.promotion.coupons import trials

    rows = trials(shop)
    if rows.empty:
        return None
    rows = rows[rows["promotion"] == promotion.id]
    treated = rows["treated"].to_numpy(dtype=bool)
    if min(treated.sum(), (~treated).sum()) < _LEAST_ARM:
        return None
    trial = cuped(rows["contribution"].to_numpy(dtype=float), treated, rows["in_category"].to_numpy(dtype=float))
    return Tested(promotion, len(rows), int((~treated).sum()), trial)


def _scaled(found: Synthetic, scale: float) -> Synthetic:
    low, high = found.interval
    return Synthetic(found.shares, found.path * scale, found.effect * scale, (low * scale, high * scale), found.p)


def _days(
    shop: Shop, product: Product, plan: FrozenPlan, promotion: Promotion, until: date
) -> tuple[_Days | str, float, float | None]:
    """The days that can be compared, or why there are none; units sold on the promoted days, and the price paid then.

    Days out of stock, and days of other promotions before this one, are left out of every series.
    """
    assert product.launch_date is not None
    first, last = product.launch_date, min(promotion.ends, until, shop.cutoff)
    count = (last - first).days + 1
    before = (promotion.starts - first).days
    sales = shop.daily(since=first, until=last)
    mine = sales[sales["sku"] == product.sku]
    own, out, off = (_grid(mine, column, first, count) for column in ("units", "out", "discount"))
    promoted = np.arange(count) >= before
    units, revenue = float(own[promoted].sum()), float(_grid(mine, "revenue", first, count)[promoted].sum())
    paid = revenue / units if units else None
    kept = (out == 0) & (promoted | (off == 0))
    if not (off[promoted] > 0).any():
        return "the product was not sold cheaper on its days", units, paid
    if not (kept & promoted).any():
        return "the product was out of stock on its days", units, paid
    donors = _donors(shop, product, sales[sales["sku"] != product.sku], promotion, first, count)
    planned = np.repeat(plan.weeks.middle, 7)[:count]
    planned = np.pad(planned, (0, count - len(planned)), mode="edge")
    shape = planned[kept] / max(float(planned[kept & ~promoted].mean()) if (kept & ~promoted).any() else 1.0, 1e-9)
    shape = np.where(shape > 0, shape, 1.0)
    start = int((kept & ~promoted).sum())
    donors = donors[:, kept]
    enough = donors[donors[:, :start].sum(axis=1) >= _LEAST_SOLD][:_DONORS]
    return _Days(own[kept], enough if len(enough) >= LEAST_DONORS else enough[:0], start, shape), units, paid


def _donors(shop: Shop, product: Product, sales: pd.DataFrame, promotion: Promotion, first: date, count: int) -> Array:
    """Other products' units by day (D, T), none cheaper on the promoted days, own category first, then best sellers."""
    from_day = pd.Timestamp(promotion.starts)
    cheaper = set(sales.loc[(sales["day"] >= from_day) & (sales["discount"] > 0), "sku"])
    known = shop.products()
    there = known[[day is None or day <= first for day in known["launch_date"]]]
    sold = sales[sales["sku"].isin(set(there["sku"]) - cheaper)].groupby("sku")["units"].sum()
    category = there.set_index("sku")["category"]
    order = sorted(sold.index, key=lambda sku: (category[sku] != product.category, -sold[sku]))[: 2 * _DONORS]
    by_sku = dict(list(sales[sales["sku"].isin(order)].groupby("sku")))
    grids = [_grid(by_sku[sku], "units", first, count) for sku in order]
    return np.stack(grids) if grids else np.zeros((0, count))


def _grid(sales: pd.DataFrame, column: str, first: date, count: int) -> Array:
    """One product's column by day (count,); `out` counts days recorded as out of stock."""
    at = (sales["day"] - pd.Timestamp(first)).dt.days.to_numpy(dtype=np.int64)
    values = sales["in_stock"].eq(False) if column == "out" else sales[column]
    days = np.zeros(count)
    days[at] = values.to_numpy(dtype=float)
    return days


def _price_before(shop: Shop, product: Product, promotion: Promotion) -> float | None:
    """What was paid on the days before the promotion; None where nothing was sold."""
    days = shop.daily(skus=[product.sku], since=product.launch_date, until=promotion.starts - timedelta(days=1))
    units = float(days["units"].sum())
    return float(days["revenue"].sum()) / units if units else None
