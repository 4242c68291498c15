"""How far a launch should be by which week: the forecast's weeks, scaled to its total."""

from __future__ import annotations

from collections.abc import Sequence

from agent.brief.plan import Plan

WEEKS = (1, 2, 4, 8, 12)  # at whose ends a launch is looked at


def scaled(weekly: Sequence[float], total: float) -> list[float]:
    """Weekly units in the same proportions that add up to a total: quantiles of weeks do not add up to the total's."""
    whole = sum(weekly)
    return [total * units / whole if whole else 0.0 for units in weekly]


def units_by(plan: Plan, week: int, part: str = "") -> float | None:
    """Units expected by the end of a week, at P50 or at the bound named `part` (`.low`, `.high`); None if unknown."""
    weekly, total = plan.numbers("launch.week_#"), plan.number(f"launch.units_12w{part}")
    if total is None or len(weekly) < week:
        return None
    return sum(scaled(weekly, total)[:week])
