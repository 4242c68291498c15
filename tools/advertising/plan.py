"""A budget laid out over channels, categories and weeks, and what it brings against an equal split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from shop import ToolError
from tools.advertising.allocate import allocate, climb, equal_split, gain, marginal
from tools.advertising.read import Learned, weekly_value
from tools.advertising.response import Response

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """An advertising plan.

    Attributes:
        channels: Those with evidence, (C,).
        by_week: Money by week and channel, (W, C).
        marginal: Worth of one further unit of money by channel, (C,).
        worth: Draws of what the plan brings against no advertising, (draws,).
        gain: Draws of what it brings beyond an equal split of the same money, (draws,).
        unspent: Money beyond what was ever spent in these weeks.
        worthwhile: Budget up to which the last unit of money brings at least itself; None where the first does not.
        open_ended: Whether that holds for all the money the evidence covers.
    """

    channels: tuple[str, ...]
    by_week: Array
    marginal: Array
    worth: Array
    gain: Array
    unspent: float
    worthwhile: float | None
    open_ended: bool


def chosen(learned: Learned, asked: tuple[str, ...]) -> tuple[Response, tuple[str, ...]]:
    """The curves of the channels asked for, and which of those have none: nothing was ever spent on them.

    Raises:
        ToolError: None of them has one.
    """
    response = learned.response
    known = [c for c, name in enumerate(response.channels) if (not asked or name in asked) and response.usual[c] > 0]
    missing = tuple(name for name in asked if name not in {response.channels[c] for c in known})
    if not known:
        used = ", ".join(name for c, name in enumerate(response.channels) if response.usual[c] > 0)
        raise ToolError(
            f"This shop never spent on {', '.join(missing)}, so nothing tells what it brings; "
            f"plan with {used}, or start with a small test."
        )
    parts = {name: getattr(response, name)[:, known] for name in ("carry", "half", "shape", "strength")}
    kept = replace(
        response,
        channels=tuple(response.channels[c] for c in known),
        **parts,
        usual=response.usual[known],
        most=response.most[known],
    )
    return kept, missing


def make_plan(learned: Learned, response: Response, groups: list[int], budget: float, start: date, weeks: int) -> Plan:
    """Split a budget: first over categories and channels at a steady pace, then each category's over the weeks.

    Args:
        learned: Campaigns and sales.
        response: Curves of the channels to use.
        groups: Campaign categories to spend in.
        budget: Money for all weeks.
        start: First day of the plan.
        weeks: How many.
    """
    values = np.array([weekly_value(learned.media, response, g, start, weeks) for g in groups])
    total, caps = values.sum(axis=1), response.most
    if len(groups) == 1:
        plans = [allocate(response, budget, values[0], caps, logs=True)]
    else:
        steady = allocate(response, budget / weeks, total, caps, logs=True)
        plans = [_along(pace, value, caps) for pace, value in zip(steady, values, strict=True)]
    even = np.tile(equal_split(budget / weeks / len(groups), 1, caps), (weeks, 1))
    pairs = list(zip(plans, values, strict=True))
    worth = np.sum([gain(response, plan, value, logs=True) for plan, value in pairs], axis=0)
    apart = np.sum([gain(response, plan, value, logs=True, base=even) for plan, value in pairs], axis=0)
    money = np.stack(plans)
    slopes = np.stack([marginal(response, plan, value, logs=True) for plan, value in pairs])
    last = (slopes * (money + 1e-9)).sum(axis=(0, 1)) / (money + 1e-9).sum(axis=(0, 1))
    unspent = max(0.0, budget - float(caps.sum()) * weeks * len(groups))
    top, open_ended = _worthwhile(response, total, caps, weeks)
    return Plan(response.channels, money.sum(axis=0), last, worth, apart, unspent, top, open_ended)


def _along(pace: Array, value: Array, caps: Array) -> Array:
    """A steady weekly spend (C,) moved along the weeks' worth (W,), (W, C); what a cap cuts off goes to other weeks."""
    plan = np.minimum(pace[None, :] * (value / value.mean())[:, None], caps)
    room = caps - plan
    left = pace * len(value) - plan.sum(axis=0)
    return np.asarray(plan + room * (left / np.maximum(room.sum(axis=0), 1e-12)))


def returns(learned: Learned, response: Response, groups: list[int], start: date, weeks: int) -> tuple[Array, Array]:
    """Rising budgets for all weeks (n,), and what the last unit of money brings at each (n,)."""
    total = np.array([weekly_value(learned.media, response, g, start, weeks).sum() for g in groups])
    return _returns(response, total, response.most, weeks)


def _returns(response: Response, total: Array, caps: Array, weeks: int) -> tuple[Array, Array]:
    _, spent, brought = climb(response, float(caps.sum()) * len(total), total, caps, logs=True)
    return spent * weeks, brought / weeks


def _worthwhile(response: Response, total: Array, caps: Array, weeks: int) -> tuple[float | None, bool]:
    """The budget from which the next step brings less than itself, and whether that lies beyond the evidence."""
    spent, brought = _returns(response, total, caps, weeks)
    less = np.flatnonzero(brought < 1)
    if not len(less):
        return float(spent[-1]), True
    return (None, False) if less[0] == 0 else (float(spent[less[0] - 1]), False)
