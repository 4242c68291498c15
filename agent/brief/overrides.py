"""Figures set by hand: they take the place of what the tools say in the next version, and what the tools say stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from agent.brief.declare import Grid, Text, numbered
from agent.brief.plan import Plan
from agent.brief.types import BriefSettings
from shop import Draft, Figure
from shop.brief_log import Override

BY_HAND = "by_hand"  # the entry of a figure's inputs that says who set it, when, why, and what the tools had said
MAX_OVERRIDES = 12  # shown in the sign-offs; all of them hold

GRID = Grid(
    Text("Figures set by hand", "人工设定的数值"),
    (
        Text("Figure", "名称"),
        Text("Set to", "设为"),
        Text("The tools said", "工具给出"),
        Text("By", "设定人"),
        Text("On", "日期"),
        Text("Because", "原因"),
    ),
    numbered(
        range(1, MAX_OVERRIDES + 1),
        "{{override.figure_#_name}}",
        "{{override.figure_#_now}}",
        "{{override.figure_#_was}}",
        "{{override.figure_#_by}}",
        "{{override.figure_#_on}}",
        "{{override.figure_#_why}}",
    ),
)


# Figures that are an input of the brief: one set by hand is handed to the tools, so that everything follows from it.
_SETTINGS = {"buy.first_buy": "first_buy", "buy.lead_time": "lead_time_days", "buy.service_level": "service_level"}
_FIELDS = {"item.cost": "cost", "item.price": "price", "item.launch_date": "launch_date"}
INPUTS = {*_SETTINGS, *_FIELDS, "item.budget"}


def inputs_by_hand(
    draft: Draft, settings: BriefSettings, budget: float | None, overrides: Mapping[str, Override]
) -> tuple[Draft, BriefSettings, float | None]:
    """What a brief is made from, with the inputs that are set by hand in place."""
    for name, found in overrides.items():
        draft, settings, budget = set_input(draft, settings, budget, name, found.value)
    return draft, settings, budget


def set_input(
    draft: Draft, settings: BriefSettings, budget: float | None, figure: str, value: float | int | date
) -> tuple[Draft, BriefSettings, float | None]:
    """The same with one figure set; one that is no input changes nothing.

    Raises:
        ValidationError: The input cannot have this value.
    """
    if figure in _FIELDS:
        draft = Draft.model_validate({**draft.model_dump(), _FIELDS[figure]: value})
    if figure in _SETTINGS:
        settings = BriefSettings.model_validate({**settings.model_dump(), _SETTINGS[figure]: value})
    if figure == "item.budget" and not isinstance(value, date):
        budget = float(value)
    return draft, settings, budget


def entering(overrides: Mapping[str, Override]) -> Callable[[Figure], Figure]:
    """What becomes of a figure on its way into the ledger: one that is set by hand gets its value and its reason.

    Its interval stays the method's where the value lies inside it. Outside, the method has nothing to say about it.
    """

    def entered(figure: Figure) -> Figure:
        found = overrides.get(figure.id)
        if found is None or BY_HAND in figure.inputs:
            return figure
        if figure.id in INPUTS and figure.value != found.value:
            return figure  # a what-if asks about another value
        keeps = figure.low is not None and figure.high is not None and _between(figure.low, found.value, figure.high)
        said = found.was if figure.id in INPUTS else figure.value
        was = said.isoformat() if isinstance(said, date) else said
        about = {
            "was": was,
            "by": found.actor.id or found.actor.role,
            "on": found.day.isoformat(),
            "because": found.reason,
        }
        changes: dict[str, Any] = {
            "value": found.value,
            "reason": "",
            "formula": f"set by hand; the tools have: {figure.formula}",
            "inputs": {**figure.inputs, BY_HAND: about},
            **({} if keeps else {"low": None, "high": None}),
        }
        return figure.model_copy(update=changes)

    return entered


def enter_overrides(plan: Plan, overrides: Mapping[str, Override]) -> None:
    """Enter who set which figure to what, for `GRID`, once every figure is there; one that was not made has no row."""
    held = [plan.ledger[name] for name in overrides if name in plan.ledger and BY_HAND in plan.ledger[name].inputs]
    for n, figure in enumerate(held[:MAX_OVERRIDES], start=1):
        about, name, said = figure.inputs[BY_HAND], f"override.figure_{n}", "as recorded when it was set"
        was = date.fromisoformat(about["was"]) if figure.unit == "date" and about["was"] else about["was"]
        plan.enter(f"{name}_name", "Figure set by hand", figure.label, "text", said)
        plan.enter(f"{name}_now", figure.label, figure.value, figure.unit, "as set by hand")
        plan.enter(f"{name}_was", f"{figure.label}, by the tools", was, figure.unit, figure.formula, "unknown to them")
        plan.enter(f"{name}_by", "Set by", about["by"], "text", said)
        plan.enter(f"{name}_on", "Set on", date.fromisoformat(about["on"]), "date", said)
        plan.enter(f"{name}_why", "Reason", about["because"], "text", said)


def _between(low: float, value: float | int | date, high: float) -> bool:
    return not isinstance(value, date) and low <= value <= high
