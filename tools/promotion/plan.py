"""Chooses the depth of a promotion and lays the mechanics side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from shop import Draft, Product, Shop, ToolError
from tools.demand.forecast import demand_forecast
from tools.demand.read import read_panel
from tools.inventory.demand import spread_out
from tools.launch import has_history, launch_forecast
from tools.launch.learning import HORIZON
from tools.promotion.contribution import AFTER, Ground, Outcome, promote
from tools.promotion.coupons import SHARES, CouponEvidence
from tools.promotion.response import Effects

Array = NDArray[np.float64]
_STEP = 0.025
_RECENT = 13
_Z80 = 1.2816
_SURE = 2.13  # standard errors above zero that one of six shares reaches by luck one time in ten


@dataclass(frozen=True)
class Cut:
    """A price cut that was weighed."""

    depth: float
    outcome: Outcome

    @property
    def expected(self) -> float:
        return float(self.outcome.contribution.mean())

    @property
    def given(self) -> float:
        """Money given away, expected."""
        return float(self.outcome.given.mean())


def ground(shop: Shop, item: Draft | Product, price: float, cost: float, start: date, weeks: int) -> Ground:
    """Demand without the promotion over its weeks and the four after it, and what else the category earns.

    Raises:
        ToolError: There is no forecast; the sentence says what is lacking.
    """
    launch = item.launch_date if item.launch_date and item.launch_date >= shop.today else None
    if isinstance(item, Product) and has_history(shop, item):
        ahead = max(0, (start - shop.today).days // 7)
        made = demand_forecast(shop, item, min(ahead + weeks + AFTER, 52))
        units = spread_out(made.quantiles)[:, ahead:]
    else:
        ahead = max(0, (start - launch).days // 7) if launch else 0
        last = min(ahead + weeks + AFTER, 52)
        # At least as far as others ask for the same launch: then they share one forecast.
        units = launch_forecast(shop, item, weeks=max(last, HORIZON)).draws[:, ahead:last]
    if units.shape[1] < weeks + AFTER:
        raise ToolError("The forecast does not reach to the end of that promotion; plan an earlier or a shorter one.")
    rest, share = _rest(shop, item, float(units.mean()))
    return Ground(units, price, cost, rest, share)


def _rest(shop: Shop, item: Draft | Product, weekly: float) -> tuple[float, float]:
    """Weekly contribution of the rest of the category over the last quarter, and the product's share of its units."""
    name = "promotion-rest-" + "".join(char if char.isalnum() else "-" for char in item.category)
    data = shop.learned(name, lambda: read_panel(shop, item.category or None, weeks=_RECENT))
    if data is None:
        return 0.0, 0.0
    other = (data.frame["sku"] != (item.sku if isinstance(item, Product) else "")).to_numpy()
    units = data.sold[other].sum(axis=1)
    costs = data.frame.loc[other, "cost"].to_numpy(dtype=float)
    revenue = data.revenue[other].sum(axis=1)
    known = np.isfinite(costs)
    # Products without a known cost earn the margin of the others.
    earned = revenue[known].sum() - (units * np.nan_to_num(costs))[known].sum()
    margin = earned / max(float(revenue[known].sum()), 1e-9) if known.any() else 0.0
    weeks = data.sold.shape[1]
    return float(margin * revenue.sum() / weeks), weekly / max(weekly + float(units.sum()) / weeks, 1e-9)


def cuts(found: Effects, base: Ground, weeks: int, rng: np.random.Generator) -> list[Cut]:
    """Every depth of the grid inside what was seen, shallow first; the same draws for all."""
    draws = found.draws(len(base.units), rng)
    low, high = max(found.low, _STEP), max(found.high, _STEP)
    depths = sorted({round(low, 3), *np.arange(np.ceil(low / _STEP) * _STEP, high + 1e-9, _STEP).round(3).tolist()})
    return [Cut(depth, promote(base, draws, depth, weeks)) for depth in depths]


def best_cut(found: list[Cut], budget: float | None) -> Cut | None:
    """The cut with the most expected contribution whose discounts fit the budget; None where none fits."""
    fitting = [cut for cut in found if budget is None or cut.given <= budget]
    return max(fitting, key=lambda cut: cut.expected, default=None)


@dataclass(frozen=True)
class CouponPlan:
    """The share of customers to send a coupon to, what it brings in all (estimate, P10, P90), and what it costs."""

    share: float
    customers: int
    contribution: float
    low: float
    high: float
    cost: float
    sure: bool


def coupon_plan(evidence: CouponEvidence | None, customers: int, budget: float | None) -> CouponPlan | None:
    """Whom to send coupons: the share with the most expected contribution whose discounts fit the budget.

    Args:
        evidence: What past coupons told; None where nobody was ever held out.
        customers: Who could get one.
        budget: Money for discounts; None is no limit.
    """
    if evidence is None or not customers:
        return None
    plans = []
    for share, (mean, sd) in zip(SHARES, evidence.by_share, strict=True):
        count = round(share * customers)
        cost = count * evidence.given
        if count and (budget is None or cost <= budget):
            low, high = (count * (mean + side * _Z80 * sd) for side in (-1, 1))
            plans.append(CouponPlan(share, count, count * mean, low, high, cost, mean > _SURE * sd))
    # The lower end decides: shares differ by noise as much as by effect.
    return max(plans, key=lambda plan: plan.low, default=None)


def last_day(start: date, weeks: int) -> date:
    return start + timedelta(weeks=weeks) - timedelta(days=1)
