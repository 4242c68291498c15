"""What turns a verdict: for each input on its own, the smallest change found that does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from agent.brief.plan import Plan
from agent.brief.types import Verdict

_STEPS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75)  # shares by which an amount is moved, up and down
_ROUNDS = 4  # halvings between the last value that keeps the verdict and the first that turns it
_LEADS = (7, 14, 21, 30, 45, 60, 90, 120, 180)
_SERVICES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
_DEPTHS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
_WEEKS = (2, 4, 8, 13, 20, 26)
_UNSAID_LEAD = 30  # what plan_inventory plans with where the brief sets none

Ask = Callable[[str, Any], Verdict | None]


@dataclass(frozen=True)
class Flip:
    """The smallest change found of one input that turns the verdict; `to` is None where none of those tried does."""

    input: str
    now: float | date | None
    to: float | date | None
    verdict: Verdict


def find_flips(plan: Plan, ask: Ask) -> tuple[Flip, ...]:
    """For each input on its own, the smallest change found that turns the verdict, the nearest first.

    Values are tried outward from the present one; between the last that keeps the verdict and the first that turns it,
    the interval is halved.

    Args:
        plan: The brief as it is.
        ask: The verdict with one input changed; None where the value makes no sense.
    """
    now = _now(plan)
    found = [_flip(ask, name, now[name], values, plan.verdict) for name, values in _tried(now, plan).items()]
    return tuple(sorted(found, key=lambda flip: _distance(flip, now)))


def _flip(ask: Ask, name: str, now: Any, sides: tuple[list[Any], ...], usual: Verdict) -> Flip:
    best = Flip(name, now, None, usual)
    for side in sides:
        last = now
        for value in side:
            verdict = ask(name, value)
            if verdict not in (None, usual):
                at, turned = _between(ask, name, last, value, usual, verdict or usual)
                candidate = Flip(name, now, at, turned)
                if best.to is None or _gap(now, at) < _gap(now, best.to):
                    best = candidate
                break
            last = value
    return best


def _between(ask: Ask, name: str, same: Any, other: Any, usual: Verdict, turned: Verdict) -> tuple[Any, Verdict]:
    for _ in range(_ROUNDS):
        middle = _halfway(same, other)
        if middle is None:
            break
        verdict = ask(name, middle)
        if verdict == usual:
            same = middle
        else:
            other, turned = middle, verdict or turned
    return other, turned


def _now(plan: Plan) -> dict[str, Any]:
    lead, buy = plan.number("buy.lead_time"), plan.number("buy.first_buy")
    return {
        "price": plan.number("price.planned"),
        "launch_date": plan.draft.launch_date,
        "budget": plan.budget,
        "lead_time_days": _UNSAID_LEAD if lead is None else int(lead),
        "service_level": plan.number("buy.service_level"),
        "first_buy": None if buy is None else round(buy),
        "promotion_depth": plan.number("promotion.depth"),
    }


def _tried(now: Mapping[str, Any], plan: Plan) -> dict[str, tuple[list[Any], ...]]:
    """Values to try for each input that is known, outward from the present one, on both sides."""
    tried: dict[str, tuple[list[Any], ...]] = {}
    price, day, budget = now["price"], now["launch_date"], now["budget"]
    if price:
        tried["price"] = ([round(price * (1 - s), 2) for s in _STEPS], [round(price * (1 + s), 2) for s in _STEPS])
    if day is not None:
        past = [day - timedelta(weeks=w) for w in _WEEKS]
        later = [day + timedelta(weeks=w) for w in _WEEKS]
        tried["launch_date"] = ([each for each in past if each >= plan.today], later)
    earns = plan.number("economics.contribution_12w.high") or plan.number("economics.contribution_12w")
    if earns is not None and earns > 0:
        base = budget or 0.0
        tried["budget"] = ([base * (1 - s) for s in _STEPS] if base else [], [base + earns * s for s in (*_STEPS, 1.1)])
    if now["first_buy"]:
        buy = now["first_buy"]
        tried["first_buy"] = ([round(buy * (1 - s)) for s in _STEPS], [round(buy * (1 + s)) for s in (*_STEPS, 1.5, 2)])
    steps = {"lead_time_days": _LEADS, "service_level": _SERVICES, "promotion_depth": _DEPTHS}
    for name, values in steps.items():
        if now[name] is not None:
            tried[name] = ([v for v in reversed(values) if v < now[name]], [v for v in values if v > now[name]])
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
