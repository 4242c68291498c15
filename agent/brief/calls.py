"""The tool calls of a brief and how their arguments follow from the draft and the figures so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agent.brief.fees import service_level
from agent.brief.plan import HORIZON_WEEKS, Plan
from tools.registry import Tool

Arguments = Callable[[Plan], dict[str, Any]]
CHANNELS = ("title", "bullets", "description", "email", "sms", "social", "ad")
LANGUAGES = {"en": "English", "zh": "Chinese"}
QUESTIONS = {
    "returns": {"en": "How long may an item be returned?", "zh": "多久之内可以退货？"},
    "warranty": {"en": "What does the warranty cover?", "zh": "质保保障哪些内容？"},
    "delivery": {"en": "How long does delivery take and what does it cost?", "zh": "多久送达，运费多少？"},
}
_LONGEST_CALENDAR = 52  # weeks
_AFTER_LAUNCH = 8  # weeks that the calendar looks beyond the planned launch


@dataclass(frozen=True)
class Call:
    """One tool call.

    Args:
        tool: Name of the tool.
        arguments: Makes them from the plan; one that is None is left out, and its own default holds.
        after: Sections whose figures the arguments are made of.
        needs: Figures without which the call is not made.
        prefix: First part of the figures' ids here; empty keeps the tool's own.
    """

    tool: str
    arguments: Arguments
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    prefix: str = ""


def _product(plan: Plan) -> dict[str, Any]:
    return {"product": plan.draft.id}


def _category(plan: Plan) -> dict[str, Any]:
    return {"category": plan.draft.category}


def _price(plan: Plan) -> dict[str, Any]:
    chosen = {"strategy": plan.settings.strategy, "min_margin": plan.settings.min_margin}
    return {**_product(plan), "cost": plan.draft.cost, **chosen}


def _launch_day(plan: Plan) -> str | None:
    day = plan.draft.launch_date
    return None if day is None else day.isoformat()


def _forecast(plan: Plan) -> dict[str, Any]:
    weeks = {"launch_date": _launch_day(plan), "weeks": HORIZON_WEEKS}
    return {**_product(plan), "price": plan.number("price.planned"), **weeks}


def _inventory(plan: Plan) -> dict[str, Any]:
    asked = plan.settings
    level = service_level(plan)
    supply = {"lead_time_days": asked.lead_time_days, "service_level": level, "first_buy": asked.first_buy}
    return {**_forecast(plan), **supply}


def _reviews(plan: Plan) -> dict[str, Any]:
    return {"query": plan.draft.name, "category": plan.draft.category or None}


def _advertising(plan: Plan) -> dict[str, Any]:
    """What the promotion's discounts leave of the launch spend, all of it where they would take it all."""
    budget, given = plan.budget or 0.0, plan.number("promotion.given") or 0.0
    return {"budget": budget - given if given < budget else budget, **_product(plan)}


def _calendar(plan: Plan) -> dict[str, Any]:
    """From when stock can be there until some weeks after the planned day."""
    lead = plan.settings.lead_time_days
    start = None if lead is None else plan.today + timedelta(days=lead)
    ahead = 0 if plan.draft.launch_date is None else (plan.draft.launch_date - plan.today).days // 7
    weeks = min(max(HORIZON_WEEKS, ahead + _AFTER_LAUNCH), _LONGEST_CALENDAR)
    return {"products": [plan.draft.id], "start": start and start.isoformat(), "weeks": weeks}


def _copy(channel: str, language: str) -> Call:
    def arguments(plan: Plan) -> dict[str, Any]:
        return {**_product(plan), "channel": channel, "language": LANGUAGES[language]}

    return Call("write_copy", arguments, prefix=f"copy_{channel}_{language}")


def _question(key: str) -> Call:
    return Call("search_policies", lambda plan: {"question": QUESTIONS[key][plan.locale]}, prefix=f"policy_{key}")


CALLS: dict[str, Call] = {
    "recommend_price": Call("recommend_price", _price),
    "forecast_launch": Call("forecast_launch", _forecast, after=("price",)),
    "plan_inventory": Call("plan_inventory", _inventory, after=("price",)),
    "market_trend": Call("market_trend", _category, needs=("item.category",)),
    "review_insights": Call("review_insights", _reviews),
    "lifecycle_stage": Call("lifecycle_stage", _category, needs=("item.category",)),
    "segments": Call("segment_customers", lambda _: {"by": "rfm"}),
    "values": Call("segment_customers", lambda _: {"by": "value"}, prefix="values"),
    "plan_promotion": Call("plan_promotion", _product, needs=("item.price", "item.cost")),
    "plan_advertising": Call("plan_advertising", _advertising, after=("promotion",), needs=("item.budget",)),
    "plan_launch_calendar": Call("plan_launch_calendar", _calendar, needs=("item.price", "item.cost")),
    "recommend_audience": Call("recommend_audience", _product),
    "recommend_products": Call("recommend_products", _product),
    "score_launch": Call("score_launch", _product),
    **{f"policy_{key}": _question(key) for key in QUESTIONS},
    **{f"copy_{channel}_{language}": _copy(channel, language) for channel in CHANNELS for language in LANGUAGES},
}
# Fields of the draft that a tool looks up itself, beyond its arguments: a what-if that changes one calls it again.
# Copy is left out: a new version writes it anew, a what-if is about money.
READ_FROM_DRAFT = {
    "recommend_price": ("price", "launch_date"),
    "plan_promotion": ("price", "launch_date"),
    "plan_advertising": ("launch_date",),
    "plan_launch_calendar": ("price", "launch_date"),
}
COPY = tuple(f"copy_{channel}_{language}" for channel in CHANNELS for language in LANGUAGES)
POLICIES = tuple(f"policy_{key}" for key in QUESTIONS)


def arguments_of(call: Call, tool: Tool, plan: Plan) -> dict[str, Any]:
    """Arguments for a call. What is not known, or not an argument of this tool, is left out: its own default holds."""
    given = call.arguments(plan)
    return {name: value for name, value in given.items() if value is not None and name in tool.arguments.model_fields}
