"""Figures of the plan that a person set by hand: who came closer to what happened, the hand or the tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from shop import Figure
from tools.scoring.compare import Score, SoldWeeks
from tools.scoring.plan import FrozenPlan

BY_HAND = "by_hand"  # entry of a stored figure's inputs that says who set it and what the tools had said
_PRICES = ("launch.price", "price.planned", "item.price", "price.recommended")
_NOT_OVER = "the weeks it is about are not over"
Closer = Literal["hand", "tools", "equal", "not known"]


@dataclass(frozen=True)
class HandSet:
    """One figure set by hand.

    Attributes:
        figure: As it stands in the plan.
        said: What the tools had said; None where they did not know.
        actual: What happened; None where not known, because `reason`.
        by: Who set it.
        why: Because of what.
        reason: See `actual`.
    """

    figure: Figure
    said: float | None
    actual: float | None
    by: str
    why: str
    reason: str = ""

    @property
    def closer(self) -> Closer:
        """Which of the two was nearer to what happened."""
        value = self.figure.value
        if self.actual is None or self.said is None or not isinstance(value, int | float):
            return "not known"
        hand, tools = abs(float(value) - self.actual), abs(self.said - self.actual)
        return "equal" if np.isclose(hand, tools) else "hand" if hand < tools else "tools"


def hand_set(plan: FrozenPlan, sold: SoldWeeks, score: Score) -> tuple[HandSet, ...]:
    """The numbers of the plan set by hand, in the plan's order."""
    found = []
    for name, stored in plan.figures.items():
        about: Mapping[str, Any] = (stored.get("inputs") or {}).get(BY_HAND) or {}
        figure = plan.figure(name) if about else None
        if figure is None or not isinstance(figure.value, int | float):
            continue
        was = about.get("was")
        said = float(was) if isinstance(was, int | float) else None
        actual = _actual(name, plan, sold, score)
        reason = _NOT_OVER if _is_timed(name, plan) else "nothing on record says what it became"
        found.append(HandSet(figure, said, actual, str(about.get("by", "")), str(about.get("because", "")), reason))
    return tuple(found)


def _is_timed(name: str, plan: FrozenPlan) -> bool:
    return name.startswith("launch.week_") or name in (f"launch.units_{plan.horizon}w", "buy.first_buy")


def _actual(name: str, plan: FrozenPlan, sold: SoldWeeks, score: Score) -> float | None:
    """What became of a figure: units at the rate of the days in stock, the price paid."""
    weeks = len(sold.units)
    demand = np.where(np.isfinite(score.demand), score.demand, sold.units)
    if name in _PRICES:
        units = float(sold.units.sum())
        return float(sold.revenue.sum()) / units if units else None
    if name.startswith("launch.week_") and name[12:].isdigit():
        week = int(name[12:])
        return float(demand[week - 1]) if week <= weeks else None
    if name == f"launch.units_{plan.horizon}w":
        return float(demand.sum()) if weeks >= plan.horizon else None
    if name == "buy.first_buy":
        cover = int(plan.number("buy.cover_weeks") or 0)
        return float(demand[:cover].sum()) if 0 < cover <= weeks else None
    return None
