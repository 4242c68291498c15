"""Planned weeks against sold weeks: hits, bias, and what the gap came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tools.demand.panel import demand_rate
from tools.scoring.split import Array, shapley_split

Place = Literal["inside", "below", "above", "not judged"]
IN_A_ROW = 2  # weeks outside on one side before it is an alert


@dataclass(frozen=True)
class PlannedWeeks:
    """What was planned per launch week: bounds and middle of units (W,) each, and the price; None if none was set."""

    low: Array
    middle: Array
    high: Array
    price: float | None


@dataclass(frozen=True)
class SoldWeeks:
    """What happened per launch week (W,): units, revenue, days out of stock.

    Attributes:
        days_out: None where the shop keeps no stock record of the product.
        views: Sessions that looked at the product; None where visits were not recorded over all weeks.
        conversion: Units per viewing session of the category's other products over the same weeks; None with `views`.
    """

    units: Array
    revenue: Array
    days_out: Array | None = None
    views: Array | None = None
    conversion: float | None = None


@dataclass(frozen=True)
class Score:
    """The comparison. `effects` add up to the gap: in revenue where a price was planned, else in units.

    Attributes:
        demand: Units per week had the product been in stock all week (W,); NaN in a week not judged.
        places: Where each week's demand lies against its interval.
        bias: Plan less demand over demand, over the judged weeks; None where nothing was judged or sold.
        wape: Absolute weekly errors over demand, likewise.
        gap: Actual less plan, over all weeks.
        effects: Contribution of each factor to the gap.
        alert: The side on which the last `IN_A_ROW` judged weeks lay outside; empty if there is none.
    """

    demand: Array
    places: tuple[Place, ...]
    bias: float | None
    wape: float | None
    gap: float
    effects: dict[str, float]
    alert: Literal["", "below", "above"]


def compare(plan: PlannedWeeks, sold: SoldWeeks) -> Score:
    """Hold sold weeks against planned ones, week one of the launch against week one of the plan.

    A week in stock for fewer than `LEAST_DAYS` days is not judged, unless it sold more than the upper bound even so.
    """
    out = np.zeros_like(sold.units) if sold.days_out is None else sold.days_out
    demand = demand_rate(sold.units, out)
    places = tuple(_place(*week) for week in zip(demand, sold.units, plan.low, plan.high, strict=True))
    judged = np.isfinite(demand)
    seen = float(demand[judged].sum())
    errors = (plan.middle - demand)[judged]
    gap, effects = split_gap(plan, sold)
    return Score(
        demand=demand,
        places=places,
        bias=float(errors.sum()) / seen if seen else None,
        wape=float(np.abs(errors).sum()) / seen if seen else None,
        gap=gap,
        effects=effects,
        alert=_alert(places),
    )


def split_gap(plan: PlannedWeeks, sold: SoldWeeks) -> tuple[float, dict[str, float]]:
    """The gap between actual and plan, and its split into factors that add up to it.

    Units are demand times availability; demand is traffic times conversion where visits are recorded. No plan names
    visits, so the planned ones are those that would bring the planned units at the category's conversion.
    In a week that was mostly out of stock demand was not seen: it is taken as planned, or as sold if that is more.
    """
    out = np.zeros_like(sold.units) if sold.days_out is None else sold.days_out
    rate = demand_rate(sold.units, out)
    demand = np.where(np.isfinite(rate), rate, np.maximum(plan.middle, sold.units))
    ones = np.ones_like(demand)
    available = np.divide(sold.units, demand, out=1 - out / 7, where=demand > 0)
    factors: dict[str, tuple[Array, Array]] = {}
    if sold.views is not None and sold.conversion is not None and (sold.views > 0).all():
        expected = ones * sold.conversion
        factors["traffic"] = (plan.middle / expected, sold.views)
        factors["conversion"] = (expected, demand / sold.views)
    else:
        factors["demand"] = (plan.middle, demand)
    if sold.days_out is not None:
        factors["availability"] = (ones, available)
    if plan.price is not None:
        paid = np.divide(sold.revenue, sold.units, out=ones * plan.price, where=sold.units > 0)
        factors["price"] = (ones * plan.price, paid)
    planned, actual = (np.stack([pair[side] for pair in factors.values()], axis=-1) for side in (0, 1))
    effects = shapley_split(planned, actual).sum(axis=0)
    gap = float(actual.prod(axis=-1).sum() - planned.prod(axis=-1).sum())
    return gap, dict(zip(factors, effects.tolist(), strict=True))


def lost_units(sold: SoldWeeks) -> float | None:
    """Units not sold because the product was out of stock, over the weeks judged; None without a stock record."""
    if sold.days_out is None:
        return None
    demand = demand_rate(sold.units, sold.days_out)
    return float(np.nansum(demand - sold.units))


def _place(demand: float, units: float, low: float, high: float) -> Place:
    if units > high:
        return "above"
    if not np.isfinite(demand):
        return "not judged"
    return "below" if demand < low else "above" if demand > high else "inside"


def _alert(places: tuple[Place, ...]) -> Literal["", "below", "above"]:
    last = [place for place in places if place != "not judged"][-IN_A_ROW:]
    if len(last) == IN_A_ROW and len(set(last)) == 1 and last[0] in ("below", "above"):
        return "below" if last[0] == "below" else "above"
    return ""
