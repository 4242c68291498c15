"""Charts that a brief's page adds to those of its sections, from whatever figures there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

import plotly.graph_objects as go

from agent.brief.sections.calendar import TASKS
from agent.brief.types import Brief
from shop import Figure
from ui.charts import draw, gantt, ladder, tornado, waterfall
from ui.strings import Words

Drawing = Callable[[Brief, Words], go.Figure | None]


def section_charts(brief: Brief, section_id: str, say: Words) -> list[go.Figure]:
    """Every chart of a section, its own first."""
    own = [draw(chart, brief.figures, brief.locale) for chart in brief.section(section_id).charts]
    added = (drawing(brief, say) for drawing in DRAWINGS.get(section_id, ()))
    return [*own, *(canvas for canvas in added if canvas is not None)]


def price_ladder(brief: Brief, say: Words) -> go.Figure | None:
    """Our products' prices from low to high, with the planned one among them."""
    rungs = [
        (str(name.value), price)
        for name, price in _numbered(brief.figures, "price.ladder_#_name", "price.ladder_#_price")
    ]
    planned = _number(brief.figures, "price.planned")
    if not rungs or planned is None:
        return None
    ours = f"{brief.subject.name} ({say['this_product']})"
    return ladder(say["ladder"], say["input_price"], [*rungs, (ours, planned)], [ours])


def price_waterfall(brief: Brief, say: Words) -> go.Figure | None:
    """From the price of one unit to what it contributes, and on to what is left in the dearest sales channel."""
    price, left = _number(brief.figures, "price.planned"), _number(brief.figures, "economics.unit_contribution")
    if price is None or left is None:
        return None
    steps = [(say["step_price"], price)]
    for word, name in (("payment", "price.payment"), ("delivery", "price.delivery_cost"), ("cost", "item.cost")):
        taken = _number(brief.figures, name)
        steps += [(say[f"step_{word}"], -taken)] if taken else []
    return waterfall(say["waterfall"], say["amount"], steps, (say["step_left"], left), _dearest(brief, left, say))


def _dearest(brief: Brief, left: float, say: Words) -> list[tuple[str, float]]:
    """What the channel that keeps most takes of a unit, and what it leaves; nothing where none is set."""
    channels = [
        (str(name.value), kept)
        for name, kept in _numbered(brief.figures, "economics.channel_#_name", "economics.channel_#_contribution")
    ]
    if not channels:
        return []
    channel, kept = min(channels, key=lambda each: each[1])
    return [(say("step_channel", channel=channel), kept - left), (say("step_left_in", channel=channel), kept)]


def scenario_tornado(brief: Brief, say: Words) -> go.Figure | None:
    """What demand at its bounds, and a step of each input, do to what is left."""
    base = _number(brief.figures, "scenarios.base_result")
    ends = {"demand_low": "scenarios.down_result", "demand_high": "scenarios.up_result"}
    bars = [
        (say[word], end - base)
        for word, name in ends.items()
        if base is not None and (end := _number(brief.figures, name)) is not None
    ]
    for word in ("lever_demand", "lever_cost", "lever_price"):
        change = _number(brief.figures, f"economics.{word}")
        bars += [(say[word], change)] if change is not None else []
    return tornado(say["tornado"], say["amount"], bars) if bars else None


def task_gantt(brief: Brief, say: Words) -> go.Figure | None:
    """The tasks of the calendar, each from the day of the one it waits for to its own."""
    days = {task.key: _day(_figure(brief.figures, f"task.{task.key}")) for task in TASKS}
    spans = []
    for task in TASKS:
        last = days[task.key]
        if last is None:
            continue
        first = days.get(task.after) or last - timedelta(weeks=1)
        owner = _figure(brief.figures, f"task.{task.key}_owner")
        spans.append((task.name.of(brief.locale), min(first, last), last, str(owner.value) if owner else ""))
    return gantt(say["calendar"], spans) if spans else None


DRAWINGS: Mapping[str, tuple[Drawing, ...]] = {
    "price": (price_ladder,),
    "economics": (price_waterfall,),
    "scenarios": (scenario_tornado,),
    "calendar": (task_gantt,),
}


def _numbered(figures: Mapping[str, Figure], name: str, value: str) -> Iterator[tuple[Figure, float]]:
    n = 1
    while (named := figures.get(name.replace("#", str(n)))) is not None:
        number = _number(figures, value.replace("#", str(n)))
        if number is not None:
            yield named, number
        n += 1


def _figure(figures: Mapping[str, Figure], name: str) -> Figure | None:
    found = figures.get(name)
    return found if found is not None and found.value is not None else None


def _number(figures: Mapping[str, Figure], name: str) -> float | None:
    found = _figure(figures, name)
    return float(found.value) if found is not None and isinstance(found.value, int | float) else None


def _day(figure: Figure | None) -> date | None:
    return figure.value if figure is not None and isinstance(figure.value, date) else None
