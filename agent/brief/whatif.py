"""What if: a stored brief with other inputs, recomputed without a model, and what it takes to turn its verdict.

Only the tool calls whose arguments change are made again; the others' figures are taken from the brief, as long as the
tool and the data are the ones it was made with.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from agent.brief.compile import call_tool, enter_givens, in_order
from agent.brief.plan import Plan
from agent.brief.sections import SECTIONS
from agent.brief.types import Brief, Verdict
from shop import Figure, Shop, ToolError, ToolResult
from tools.registry import BoundTool, Tool

_OWN = ("decision.plan_hash", "decision.data_cutoff", "evidence.words")  # of the document, not of the plan
_STEPS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75)  # shares by which an amount is moved, up and down
_ROUNDS = 4  # halvings between the last value that keeps the verdict and the first that turns it
_LEADS = (7, 14, 21, 30, 45, 60, 90, 120, 180)
_SERVICES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
_WEEKS = (2, 4, 8, 13, 20, 26)
_UNSAID_LEAD = 30  # what plan_inventory plans with where the brief sets none


@dataclass(frozen=True)
class Inputs:
    """What may be changed about a brief. None keeps what the brief has."""

    price: float | None = None
    launch_date: date | None = None
    budget: float | None = None
    lead_time_days: int | None = None
    service_level: float | None = None


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


@dataclass(frozen=True)
class Flip:
    """The smallest change found of one input that turns the verdict; `to` is None where none of those tried does."""

    input: str
    now: float | date | None
    to: float | date | None
    verdict: Verdict


class WhatIf:
    """A stored brief to ask about. Results of tool calls are kept between questions.

    Args:
        tools: Bound tools by name, as the brief was compiled with.
        shop: The shop they are bound to.
        brief: The stored brief.
    """

    def __init__(self, tools: Mapping[str, BoundTool], shop: Shop, brief: Brief) -> None:
        self._shop, self._brief = shop, brief
        self._memory = _Memory(stored_results(tools, shop, brief))
        self._tools = {name: _Remembering(bound, self._memory) for name, bound in tools.items()}

    def ask(self, inputs: Inputs) -> Answer:
        """Recompute the brief's figures and verdict.

        Raises:
            ToolError: An input makes no sense; the sentence says which.
        """
        started = time.perf_counter()
        _check(inputs)
        self._memory.called.clear()
        brief = self._brief
        given = {"price": inputs.price, "launch_date": inputs.launch_date}
        draft = brief.subject.model_copy(update={name: value for name, value in given.items() if value is not None})
        supply = {"lead_time_days": inputs.lead_time_days, "service_level": inputs.service_level}
        settings = brief.settings.model_copy(update={n: value for n, value in supply.items() if value is not None})
        budget = brief.budget if inputs.budget is None else inputs.budget
        plan = Plan(self._shop, draft, settings, budget, SECTIONS)
        enter_givens(plan)
        for section in in_order(SECTIONS):
            for tool in section.tools:
                call_tool(self._tools, tool, plan)
            section.derive(plan)
        changed = tuple(differences(brief.figures, plan.ledger))
        called = tuple(dict.fromkeys(self._memory.called))
        seconds = time.perf_counter() - started
        return Answer(inputs, plan.verdict, brief.verdict, changed, plan, called, seconds)

    def flips(self) -> tuple[Flip, ...]:
        """For each input on its own, the smallest change found that turns the verdict, the nearest first.

        Values are tried outward from the present one; between the last that keeps the verdict and the first that
        turns it, the interval is halved.
        """
        usual = self.ask(Inputs())
        now = self._now(usual.plan)
        found = []
        for name, values in _tried(now, usual.plan).items():
            found.append(self._flip(name, now[name], values, usual.verdict))
        return tuple(sorted(found, key=lambda flip: _distance(flip, now)))

    def _flip(self, name: str, now: Any, sides: tuple[list[Any], ...], usual: Verdict) -> Flip:
        best = Flip(name, now, None, usual)
        for side in sides:
            last = now
            for value in side:
                verdict = self._verdict(name, value)
                if verdict not in (None, usual):
                    at, turned = self._between(name, last, value, usual, verdict or usual)
                    candidate = Flip(name, now, at, turned)
                    if best.to is None or _gap(now, at) < _gap(now, best.to):
                        best = candidate
                    break
                last = value
        return best

    def _between(self, name: str, same: Any, other: Any, usual: Verdict, turned: Verdict) -> tuple[Any, Verdict]:
        for _ in range(_ROUNDS):
            middle = _halfway(same, other)
            if middle is None:
                break
            verdict = self._verdict(name, middle)
            if verdict == usual:
                same = middle
            else:
                other, turned = middle, verdict or turned
        return other, turned

    def _verdict(self, name: str, value: Any) -> Verdict | None:
        """The verdict with one input changed; None where the value makes no sense."""
        try:
            return self.ask(replace(Inputs(), **{name: value})).verdict
        except ToolError:
            return None

    def _now(self, plan: Plan) -> dict[str, Any]:
        lead, service = plan.number("buy.lead_time"), plan.number("buy.service_level")
        return {
            "price": plan.number("price.planned"),
            "launch_date": plan.draft.launch_date,
            "budget": plan.budget,
            "lead_time_days": _UNSAID_LEAD if lead is None else int(lead),
            "service_level": service,
        }


def differences(before: Mapping[str, Figure], after: Mapping[str, Figure]) -> Iterator[Changed]:
    """Figures whose value or bounds differ, in the order of the new ledger, then those that are gone."""
    for name, figure in after.items():
        old = before.get(name)
        if name not in _OWN and (old is None or _values(old) != _values(figure)):
            yield Changed(name, old, figure)
    for name, old in before.items():
        if name not in after and name not in _OWN:
            yield Changed(name, old, None)


def stored_results(tools: Mapping[str, BoundTool], shop: Shop, brief: Brief) -> dict[str, ToolResult]:
    """The brief's tool results by call, rebuilt from its figures where tool and data are still the same."""
    found: dict[str, ToolResult] = {}
    if brief.data_cutoff != shop.cutoff:
        return found
    for call in brief.calls:
        figures = tuple(figure for figure in brief.figures.values() if figure.call == call["call"])
        name = str(call["tool"])
        if figures and name in tools and figures[0].version == tools[name].tool.version:
            key = _key(name, call["inputs"])
            found[key] = ToolResult(summary="", figures=figures, call=call["call"], tool=name, inputs=call["inputs"])
    return found


class _Memory:
    """Results by call, refusals too, and the names of the tools that had to be called."""

    def __init__(self, results: dict[str, ToolResult]) -> None:
        self._results: dict[str, ToolResult | ToolError] = dict(results)
        self.called: list[str] = []

    def recall(self, key: str, name: str, make: Callable[[], ToolResult]) -> ToolResult:
        if key not in self._results:
            self.called.append(name)
            try:
                self._results[key] = make()
            except ToolError as error:
                self._results[key] = error
        found = self._results[key]
        if isinstance(found, ToolError):
            raise found
        return found


class _Remembering(BoundTool):
    """A bound tool that makes a call once."""

    def __init__(self, bound: BoundTool, memory: _Memory) -> None:
        super().__init__(bound.tool, bound.shop)
        object.__setattr__(self, "_memory", memory)  # the base is frozen

    def __call__(self, **arguments: Any) -> ToolResult:
        memory: _Memory = self.__dict__["_memory"]
        key = _key(self.name, _inputs(self.tool, arguments))
        return memory.recall(key, self.name, lambda: self.tool.run(self.shop, arguments))


def _inputs(tool: Tool, arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments as a call's stamp has them: checked, with defaults, without those left open."""
    return tool.arguments.model_validate(arguments).model_dump(mode="json", exclude_none=True)


def _key(name: str, inputs: Mapping[str, Any]) -> str:
    return json.dumps([name, inputs], sort_keys=True, ensure_ascii=False)


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


def _tried(now: Mapping[str, Any], plan: Plan) -> dict[str, tuple[list[Any], ...]]:
    """Values to try for each input that is known, outward from the present one, on both sides."""
    tried: dict[str, tuple[list[Any], ...]] = {}
    price, day, budget = now["price"], now["launch_date"], now["budget"]
    if price:
        tried["price"] = ([round(price * (1 - s), 2) for s in _STEPS], [round(price * (1 + s), 2) for s in _STEPS])
    if day is not None:
        past = [day - timedelta(weeks=w) for w in _WEEKS]
        later = [day + timedelta(weeks=w) for w in _WEEKS]
        tried["launch_date"] = ([each for each in past if each >= plan.shop.today], later)
    earns = plan.number("economics.contribution_12w.high") or plan.number("economics.contribution_12w")
    if earns is not None and earns > 0:
        base = budget or 0.0
        tried["budget"] = ([base * (1 - s) for s in _STEPS] if base else [], [base + earns * s for s in (*_STEPS, 1.1)])
    lead, service = now["lead_time_days"], now["service_level"]
    tried["lead_time_days"] = ([d for d in reversed(_LEADS) if d < lead], [d for d in _LEADS if d > lead])
    if service is not None:
        tried["service_level"] = (
            [s for s in reversed(_SERVICES) if s < service],
            [s for s in _SERVICES if s > service],
        )
    return tried


def _halfway(one: Any, other: Any) -> Any:
    """The value between two of a kind; None where there is none."""
    if one is None:
        return None
    if isinstance(one, date):
        days = (other - one).days // 2
        return one + timedelta(days=days) if days else None
    if isinstance(one, int) and isinstance(other, int):
        return (one + other) // 2 if abs(one - other) > 1 else None
    return (one + other) / 2


def _gap(now: Any, to: Any) -> float:
    """How far a change goes, as a share of what is there; days count against a quarter."""
    if isinstance(to, date):
        return float(abs((to - now).days)) / 91
    return float(abs(to - now) / abs(now)) if now else 1.0


def _distance(flip: Flip, now: Mapping[str, Any]) -> float:
    return float("inf") if flip.to is None else _gap(now[flip.input], flip.to)
