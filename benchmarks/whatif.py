"""`./debut bench whatif`: how long a brief takes to answer a changed input, without a model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np

from agent.brief import compile_brief
from agent.brief.whatif import Answer, Inputs, WhatIf
from benchmarks.result import Result, report
from shop import Actor, Shop
from tools import ALL
from tools.registry import bind

LIMIT = 0.3  # seconds that an answer may take


def main(shop: Shop, rounds: int = 5, drafts: int = 3) -> dict[str, Any]:
    """Change each input of the first drafts' briefs to values never asked before, and time the answers.

    Args:
        shop: With at least one draft; the briefs are stored in it.
        rounds: Values of each input and draft.
        drafts: How many drafts.
    """
    started = time.perf_counter()
    tools = bind(ALL, shop, Actor(role="manager", id="bench"))
    wall: dict[str, list[float]] = {}
    processor: dict[str, list[float]] = {}
    for draft in shop.drafts()[:drafts]:
        brief = compile_brief(tools, shop, draft)
        asked = WhatIf(tools, shop, brief)
        price = asked.ask(Inputs()).plan.number("price.planned")
        for name, inputs in _questions(price, draft.launch_date or shop.today + timedelta(weeks=8), rounds):
            begun = time.process_time()
            answer: Answer = asked.ask(inputs)
            processor.setdefault(name, []).append(time.process_time() - begun)
            wall.setdefault(name, []).append(answer.seconds)
    results = []
    wall["all"] = [each for seconds in wall.values() for each in seconds]
    processor["all"] = [each for seconds in processor.values() for each in seconds]
    for name, seconds in wall.items():
        for metric, values in (("seconds", seconds), ("processor_seconds", processor[name])):
            middle, worst = np.quantile(values, 0.5), max(values)
            extra = {"input": name, "within_limit": float(np.mean(np.array(values) <= LIMIT))}
            results.append(Result("debut", f"{metric}_p50", float(middle), n=len(values), extra=extra))
            results.append(Result("debut", f"{metric}_worst", float(worst), n=len(values), extra=extra))
    return report("whatif", shop.name, results, time.perf_counter() - started, limit=LIMIT)


def _questions(price: float | None, day: Any, rounds: int) -> Iterator[tuple[str, Inputs]]:
    for step in range(1, rounds + 1):
        if price is not None:
            yield "price", Inputs(price=round(price * (1 + 0.02 * step), 2))
        yield "launch_date", Inputs(launch_date=day + timedelta(weeks=step))
        yield "budget", Inputs(budget=250.0 * step)
        yield "lead_time_days", Inputs(lead_time_days=30 + 7 * step)
        yield "service_level", Inputs(service_level=0.8 + 0.03 * step)
        yield "first_buy", Inputs(first_buy=100 + 20 * step)
        yield "promotion_depth", Inputs(promotion_depth=0.1 + 0.02 * step)
