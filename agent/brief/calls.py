"""The tool calls of a brief and how their arguments follow from the draft and the figures so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent.brief.plan import HORIZON_WEEKS, Plan
from tools.registry import Tool

Arguments = Callable[[Plan], dict[str, Any]]


def _price(plan: Plan) -> dict[str, Any]:
    return {
        "product": plan.draft.id,
        "cost": plan.draft.cost,
        "strategy": plan.settings.strategy,
        "min_margin": plan.settings.min_margin,
    }


def _forecast(plan: Plan) -> dict[str, Any]:
    day = plan.draft.launch_date
    return {
        "product": plan.draft.id,
        "price": plan.number("price.planned"),
        "launch_date": None if day is None else day.isoformat(),
        "weeks": HORIZON_WEEKS,
    }


def _inventory(plan: Plan) -> dict[str, Any]:
    return {
        **_forecast(plan),
        "lead_time_days": plan.settings.lead_time_days,
        "service_level": plan.settings.service_level,
    }


CALLS: dict[str, Arguments] = {
    "recommend_price": _price,
    "forecast_launch": _forecast,
    "plan_inventory": _inventory,
}


def arguments_of(tool: Tool, plan: Plan) -> dict[str, Any]:
    """Arguments for a tool. What is not known, or not an argument of this tool, is left out: its own default holds."""
    given = CALLS[tool.name](plan)
    return {name: value for name, value in given.items() if value is not None and name in tool.arguments.model_fields}
