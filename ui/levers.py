"""The sliders of a what-if: where each stands, how far it goes, and the inputs that a moved one means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from agent.brief.types import Brief
from agent.brief.whatif import Inputs

WEEKS = 26  # that a launch may be put off
LEAD_TIME = 30  # days that a supplier is given where the brief says nothing


@dataclass(frozen=True)
class Lever:
    """An input that a reader may move: `name` as in `Inputs`, the rest in the units of its slider."""

    name: str
    value: float
    low: float
    high: float
    step: float


def levers(brief: Brief) -> list[Lever]:
    """What may be moved about a brief; an input that it does not know is left out."""
    price, buy = _number(brief, "price.planned"), _number(brief, "buy.first_buy")
    lead = int(_number(brief, "buy.lead_time") or LEAD_TIME)
    service = _number(brief, "buy.service_level")
    depth = _number(brief, "promotion.depth") or brief.settings.promotion_depth or 0.0
    spend = max(brief.budget or 0.0, (_number(brief, "economics.contribution_12w") or 0.0) / 2, 1_000.0)
    found = []
    if price:
        found.append(Lever("price", round(price, 2), round(price * 0.5, 2), round(price * 1.6, 2), _step(price)))
    if brief.subject.launch_date is not None:
        found.append(Lever("launch_date", 0, 0, WEEKS, 1))
    if buy is not None:
        found.append(Lever("first_buy", round(buy), 0, max(10 * round(buy / 4), 10), 1))
    found.append(Lever("promotion_depth", round(100 * depth), 0, 70, 1))
    found.append(Lever("budget", brief.budget or 0.0, 0, round(2 * spend, -2), 50))
    found.append(Lever("lead_time_days", lead, 1, max(180, lead), 1))
    if service is not None:
        found.append(Lever("service_level", round(100 * service, 1), 50, 99.9, 0.1))
    return found


def inputs_of(brief: Brief, moved: Mapping[str, float]) -> Inputs:
    """The inputs that levers stand for; one that stands where the brief has it is no change."""
    start = {lever.name: lever.value for lever in levers(brief)}
    changed = {name: value for name, value in moved.items() if name in start and value != start[name]}
    day = brief.subject.launch_date
    weeks, lead = changed.get("launch_date"), changed.get("lead_time_days")
    service, depth, buy = (changed.get(name) for name in ("service_level", "promotion_depth", "first_buy"))
    return Inputs(
        price=changed.get("price"),
        launch_date=None if weeks is None or day is None else day + timedelta(weeks=int(weeks)),
        budget=changed.get("budget"),
        lead_time_days=None if lead is None else int(lead),
        service_level=None if service is None else service / 100,
        promotion_depth=None if depth is None else depth / 100,
        first_buy=None if buy is None else int(buy),
    )


def _number(brief: Brief, name: str) -> float | None:
    figure = brief.figures.get(name)
    return float(figure.value) if figure is not None and isinstance(figure.value, int | float) else None


def _step(price: float) -> float:
    return 0.05 if price < 20 else 0.5 if price < 200 else 1.0
