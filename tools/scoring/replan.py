"""The rest of a launch planned again from today: its own weeks move the forecast, what is left moves the order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import ceil

import numpy as np
from numpy.typing import NDArray

from shop import Product, Shop
from tools.inventory.plan import JUDGED_WEEKS, Needs, order_plan
from tools.launch import launch_forecast
from tools.scoring.plan import FrozenPlan
from tools.scoring.read import whole_weeks

Array = NDArray[np.float64]
_DRAWS = 1000
_LONGEST = 52  # weeks that a launch is forecast for
_USUAL = {"buy.lead_time": 30.0, "buy.review": 2.0, "buy.service_level": 0.95}


@dataclass(frozen=True)
class Replan:
    """The rest of a launch, from today.

    Attributes:
        seen: Whole weeks already sold.
        starts: First day of each week to come (R,).
        weeks: P10, P50, P90 of the weeks to come (R, 3).
        rest: Units of all weeks to come, by draw (N,).
        on_hand: Units in stock; None where the shop keeps no count.
        order: Units to order now; None without a count.
        up_to: Stock on hand and on order to reach.
        reorder_point: Stock at which to order.
        p_stockout: Chance to run out in the weeks that are judged when the rule is followed; None without a count.
        lead_days, service: As in the plan.
    """

    seen: int
    starts: tuple[date, ...]
    weeks: Array
    rest: Array
    on_hand: float | None
    order: int | None
    up_to: int
    reorder_point: int
    p_stockout: float | None
    lead_days: float
    service: float


def replan(shop: Shop, product: Product, plan: FrozenPlan) -> Replan | None:
    """Forecast the weeks of the plan that are to come, and the order for them; None where all of them are over.

    The plan's lead time, review rhythm and service level stand. Orders on the way are not on record, so the order says
    what is needed beside them.

    Raises:
        ToolError: Too few launches of the shop are known to learn from.
    """
    if whole_weeks(shop, product) >= plan.horizon:
        return None
    lead_days, review, service = (plan.number(name) or usual for name, usual in _USUAL.items())
    lead = ceil(lead_days / 7)
    needed = max(JUDGED_WEEKS, lead + int(review)) + lead
    forecast = launch_forecast(shop, product, weeks=min(plan.horizon + needed, _LONGEST))
    left = plan.horizon - forecast.seen
    ahead = forecast.ahead[:_DRAWS]
    ahead = np.pad(ahead, ((0, 0), (0, max(needed - ahead.shape[1], 0))), mode="edge")
    counted = shop.stock_on_hand(sku=product.sku)
    on_hand = None if counted.empty else float(counted["on_hand"].sum())
    needs = Needs(lead, int(review), service, on_hand=on_hand)
    made = order_plan(ahead, needs, launched=True)
    return Replan(
        seen=forecast.seen,
        starts=forecast.starts[forecast.seen : plan.horizon],
        weeks=forecast.quantiles[forecast.seen : plan.horizon],
        rest=np.asarray(forecast.ahead[:, :left].sum(axis=1)),
        on_hand=on_hand,
        order=made.order,
        up_to=made.up_to,
        reorder_point=made.reorder_point,
        p_stockout=None if on_hand is None else made.p_stockout,
        lead_days=lead_days,
        service=service,
    )
