"""What if: a stored brief with other inputs, recomputed without a model, and what it takes to turn its verdict.

Only the tool calls whose arguments change are made again; the others' figures are taken from the brief, as long as the
tool and the data are the ones it was made with.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from agent.brief.calls import READ_FROM_DRAFT
from agent.brief.compile import as_planned, enter_givens
from agent.brief.flips import Flip, find_flips
from agent.brief.memory import Outcome, call_key, remembering
from agent.brief.overrides import enter_overrides, entering
from agent.brief.plan import Plan
from agent.brief.run import run, workers_for
from agent.brief.sections import SECTIONS
from agent.brief.types import Brief, BriefSettings, Verdict
from agent.ledger import Ledger
from shop import Draft, Figure, Shop, ToolError, ToolResult
from shop.canonical import canonical
from tools.registry import BoundTool, Tool

_OWN = ("decision.plan_hash", "decision.data_cutoff", "evidence.words")  # of the document, not of the plan
_DRAFT = ("price", "launch_date")  # inputs that are fields of the draft; the others are settings, but for the budget


@dataclass(frozen=True)
class Inputs:
    """What may be changed about a brief. None keeps what the brief has."""

    price: float | None = None
    launch_date: date | None = None
    budget: float | None = None
    lead_time_days: int | None = None
    service_level: float | None = None
    first_buy: int | None = None
    promotion_depth: float | None = None


@dataclass(frozen=True)
class Changed:
    """A figure before and after; None where it was, or is, not there."""

    figure: str
    before: Figure | None
    after: Figure | None


@dataclass(frozen=True)
class Answer:
    """A brief with other inputs.

    Attributes:
        inputs: What was changed.
        verdict, was: The verdict now and before.
        changed: Figures whose value or bounds changed.
        plan: The recomputed plan, with its ledger and findings.
        called: Tools that had to be called again.
        seconds: How long it took.
    """

    inputs: Inputs
    verdict: Verdict
    was: Verdict
    changed: tuple[Changed, ...]
    plan: Plan
    called: tuple[str, ...]
    seconds: float

    @property
    def break_even(self) -> dict[str, Figure]:
        """Where it just breaks even, by input: price, cost, spend, first buy, demand; the rest held."""
        ledger = self.plan.ledger
        return {name: ledger[f"scenarios.flip_{name}"] for name in ("price", "cost", "spend", "buy", "demand")}


class WhatIf:
    """A stored brief to ask about. Results of tool calls are kept between questions.

    Args:
        tools: Bound tools by name, as the brief was compiled with.
        shop: The shop they are bound to.
        brief: The stored brief.
    """

    def __init__(self, tools: Mapping[str, BoundTool], shop: Shop, brief: Brief) -> None:
        self._shop, self._brief = shop, brief
        self._kept, self._tools = _Kept(tools, shop, brief), tools
        self._read: dict[str, Any] = {}  # what sections read from the shop

    def ask(self, inputs: Inputs) -> Answer:
        """Recompute the brief's figures and verdict.

        Raises:
            ToolError: An input makes no sense; the sentence says which.
        """
        started = time.perf_counter()
        _check(inputs)
        brief, kept = self._brief, self._kept
        draft, settings, budget = with_inputs(brief, inputs)
        by_hand = {each.figure: each for each in brief.overrides}
        plan = Plan(self._shop, draft, settings, budget, SECTIONS, Ledger(entering(by_hand)), kept=self._read)
        enter_givens(plan)
        kept.draft = draft
        kept.called.clear()
        # Always as planned: the stored draft may have changed since the brief was written.
        run(plan, remembering(as_planned(self._tools, self._shop, draft), kept), workers=workers_for(self._shop))
        enter_overrides(plan, by_hand)
        changed = tuple(differences(brief.figures, plan.ledger))
        called = tuple(dict.fromkeys(kept.called))
        seconds = time.perf_counter() - started
        return Answer(inputs, plan.verdict, brief.verdict, changed, plan, called, seconds)

    def flips(self) -> tuple[Flip, ...]:
        """For each input on its own, the smallest change found that turns the verdict, the nearest first."""

        def verdict(name: str, value: Any) -> Verdict | None:
            try:
                return self.ask(replace(Inputs(), **{name: value})).verdict
            except ToolError:
                return None

        return find_flips(self.ask(Inputs()).plan, verdict)


def with_inputs(brief: Brief, inputs: Inputs) -> tuple[Draft, BriefSettings, float | None]:
    """What the brief would be made from with these inputs: draft, settings and launch spend."""
    given = {each.name: value for each in fields(inputs) if (value := getattr(inputs, each.name)) is not None}
    budget = given.pop("budget", brief.budget)
    draft = brief.subject.model_copy(update={name: given.pop(name) for name in _DRAFT if name in given})
    return draft, brief.settings.model_copy(update=given), budget


def differences(before: Mapping[str, Figure], after: Mapping[str, Figure]) -> Iterator[Changed]:
    """Figures whose value or bounds differ, in the order of the new ledger, then those that are gone."""
    for name, figure in after.items():
        old = before.get(name)
        if name not in _OWN and (old is None or _values(old) != _values(figure)):
            yield Changed(name, old, figure)
    for name, old in before.items():
        if name not in after and name not in _OWN:
            yield Changed(name, old, None)


class _Kept:
    """Outcomes by call and by the fields of the draft that its tool reads, and which tools had to be called."""

    def __init__(self, tools: Mapping[str, BoundTool], shop: Shop, brief: Brief) -> None:
        self.draft = brief.subject
        self.called: list[str] = []
        self._outcomes: dict[str, Outcome] = {}
        if brief.data_cutoff == shop.cutoff:
            for tool, inputs, outcome in stored_outcomes(tools, brief):
                self._outcomes[self._key(tool, inputs)] = outcome

    def recall(self, tool: Tool, arguments: Mapping[str, Any]) -> Outcome | None:
        return self._outcomes.get(self._key(tool, arguments))

    def keep(self, tool: Tool, arguments: Mapping[str, Any], outcome: Outcome) -> None:
        self.called.append(tool.name)
        self._outcomes[self._key(tool, arguments)] = outcome

    def _key(self, tool: Tool, arguments: Mapping[str, Any]) -> str:
        read = {name: getattr(self.draft, name) for name in READ_FROM_DRAFT.get(tool.name, ())}
        return call_key(tool, arguments) + canonical(read)


def stored_outcomes(tools: Mapping[str, BoundTool], brief: Brief) -> Iterator[tuple[Tool, Mapping[str, Any], Outcome]]:
    """What a brief's tool calls came to, rebuilt from the document, where the tool is still the same."""
    made: dict[str, list[Figure]] = {}
    for figure in brief.figures.values():
        made.setdefault(figure.call, []).append(figure)
    for call in (*brief.calls, *brief.refused):
        name, inputs = str(call["tool"]), call["inputs"]
        if name not in tools or call.get("version") != tools[name].tool.version:
            continue
        if "why" in call:
            yield tools[name].tool, inputs, ToolError(call["why"])
            continue
        shown = {part: call[part] for part in ("call", "tool", "inputs", "tables", "warnings")}
        figures = tuple(made.get(call["call"], ()))
        yield tools[name].tool, inputs, ToolResult.model_validate({"summary": "", "figures": figures, **shown})


def _values(figure: Figure) -> tuple[Any, ...]:
    return figure.value, figure.low, figure.high


def _check(inputs: Inputs) -> None:
    if inputs.price is not None and inputs.price <= 0:
        raise ToolError(f"A price of {inputs.price:g} cannot be planned; give a price above zero.")
    if inputs.budget is not None and inputs.budget < 0:
        raise ToolError(f"A budget of {inputs.budget:g} cannot be spent; give zero or more.")
    if inputs.lead_time_days is not None and not 1 <= inputs.lead_time_days <= 365:
        raise ToolError(f"A lead time of {inputs.lead_time_days} days cannot be planned; give 1 to 365 days.")
    if inputs.service_level is not None and not 0.5 <= inputs.service_level <= 0.999:
        raise ToolError(
            f"A service level of {inputs.service_level:g} cannot be planned; give a share between 0.5 and 0.999."
        )
    if inputs.first_buy is not None and inputs.first_buy < 0:
        raise ToolError(f"A first buy of {inputs.first_buy} units cannot be ordered; give zero or more.")
    if inputs.promotion_depth is not None and not 0 < inputs.promotion_depth < 1:
        raise ToolError(f"A depth of {inputs.promotion_depth:g} is no reduction; give a share between 0 and 1.")
