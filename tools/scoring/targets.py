"""The plan's targets held to what happened: green, amber or red, by week and over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np

from shop import Product, Shop
from shop.types import Unit
from tools.scoring.compare import SoldWeeks
from tools.scoring.plan import FrozenPlan

Light = Literal["green", "amber", "red", "not known"]
LOOKS = (1, 2, 4, 8, 12)  # weeks at whose end a launch is looked at
PLAN_LOW = 0.75  # share of the plan under which a launch is red, where the brief does not say
MEASURES: dict[str, tuple[str, Unit]] = {
    "units": ("Units by then", "units"),
    "through": ("Sell-through by then", "share"),
    "margin": ("Margin by then", "money"),
    "returns": ("Return rate", "share"),
    "rating": ("Rating", "ratio"),
    "stockout": ("Days out of stock", "share"),
}
_NO_STOCK = "the shop keeps no stock record of it"


@dataclass(frozen=True)
class Mark:
    """One target and what became of it.

    Attributes:
        measure: A key of `MEASURES`.
        week: Launch week by whose end it counts.
        actual: None where unknown, because `reason`.
        green, red: Where green ends and red begins; a red below the green is a target to reach, above it one to keep.
        reason: See `actual`.
    """

    measure: str
    week: int
    actual: float | None
    green: float
    red: float
    reason: str = ""

    @property
    def light(self) -> Light:
        return "not known" if self.actual is None else light(self.actual, self.green, self.red)


@dataclass(frozen=True)
class Service:
    """What buyers did and said after the sale, over the weeks scored; None where not on record."""

    returns: float | None
    rating: float | None


def light(actual: float, green: float, red: float) -> Light:
    """Green at the target or better, red beyond the red line, amber between; less is better where red lies above."""
    ahead = 1.0 if red <= green else -1.0
    if ahead * actual >= ahead * green:
        return "green"
    return "red" if ahead * actual < ahead * red else "amber"


def marks(plan: FrozenPlan, sold: SoldWeeks, cost: float | None, service: Service) -> tuple[Mark, ...]:
    """The targets of the weeks scored, the later ones last, then those that hold at every look.

    Args:
        plan: Its figures `targets.…` hold the lines; a brief without them is held to its forecast.
        sold: The weeks scored.
        cost: Unit cost; None where unknown.
        service: See `Service`.
    """
    scored = len(sold.units)
    found = [mark for week in LOOKS if week <= scored for mark in _by_week(plan, sold, cost, week)]
    out = None if sold.days_out is None else float(sold.days_out.sum()) / (7 * scored)
    always = {"returns": service.returns, "rating": service.rating, "stockout": out}
    reasons = {"returns": "nothing was sold", "rating": "nobody reviewed it", "stockout": _NO_STOCK}
    for measure, actual in always.items():
        green, red = plan.number(f"targets.{measure}"), plan.number(f"targets.{measure}_red")
        if green is not None and red is not None:
            found.append(Mark(measure, scored, actual, green, red, reasons[measure]))
    return tuple(found)


def latest(found: Sequence[Mark]) -> tuple[Mark, ...]:
    """The latest mark of each measure."""
    return tuple({mark.measure: mark for mark in sorted(found, key=lambda mark: mark.week)}.values())


def worst(found: Sequence[Mark]) -> Light:
    """The light of the launch as it stands: the worst of the latest marks; unknown ones do not count."""
    lights = {mark.light for mark in latest(found)}
    order: tuple[Light, ...] = ("red", "amber", "green")
    return next((each for each in order if each in lights), "not known")


def service_of(shop: Shop, product: Product, weeks: int) -> Service:
    """Returns and reviews of a product over its first weeks."""
    assert product.launch_date is not None
    last = product.launch_date + timedelta(days=7 * weeks - 1)
    days = shop.daily(skus=[product.sku], since=product.launch_date, until=last)
    units = float(days["units"].sum())
    written = shop.reviews(skus=[product.sku], since=product.launch_date)
    rated = written.loc[[day <= last for day in written["day"]], "rating"]
    return Service(
        returns=float(days["returned_units"].sum()) / units if units else None,
        rating=float(rated.mean()) if len(rated) else None,
    )


def _by_week(plan: FrozenPlan, sold: SoldWeeks, cost: float | None, week: int) -> list[Mark]:
    units, revenue = float(sold.units[:week].sum()), float(sold.revenue[:week].sum())
    actual = {
        "units": units,
        "through": None if not plan.first_buy else min(units / plan.first_buy, 1.0),
        "margin": None if cost is None else revenue - cost * units,
    }
    found = []
    for measure, came in actual.items():
        lines = _lines(plan, week, measure)
        if lines is not None:
            found.append(Mark(measure, week, came, *lines, "the brief names no first buy, or no unit cost is known"))
    return found


def _lines(plan: FrozenPlan, week: int, measure: str) -> tuple[float, float] | None:
    stem = f"targets.week_{week}"
    green = plan.number(f"{stem}_{measure}")
    red = plan.number(f"{stem}_red" if measure == "units" else f"{stem}_{measure}_red")
    if green is not None and red is not None:
        return green, red
    if measure != "units" or week > plan.horizon:
        return None
    planned = float(np.sum(plan.weeks.middle[:week]))
    return planned, plan.setting("plan_low", PLAN_LOW) * planned
