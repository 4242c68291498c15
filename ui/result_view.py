"""A tool asked by a page, and what it answered: summary, tables and chart, every figure a link to its origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
import plotly.graph_objects as go

from agent.ledger import Ledger
from agent.render import render, render_table
from agent.spoken import spoken, spoken_table
from shop import Figure, ToolError, ToolResult
from tools.registry import BoundTool
from ui.acting import acting
from ui.charts import draw
from ui.drawer import Figures
from ui.edge import edge
from ui.links import escape, figure_link
from ui.place import Place

# How a page declares the asking of a tool that takes seconds.
WAITING: dict[str, Any] = {"api_visibility": "private", "show_progress": "minimal", "concurrency_limit": 2}
Drawing = Callable[[Mapping[str, Figure]], go.Figure | None]


@dataclass(eq=False)
class Found:
    """What a tool answered, under the ids its figures have on the page, or the sentence in its place."""

    result: ToolResult | None
    ledger: Ledger
    failure: str = ""


def tools_for(place: Place, request: gr.Request | None) -> dict[str, BoundTool]:
    """The tools that whoever is signed in may call, in that person's hands."""
    return place.desk.acting_as(acting(place, request).acting).tools


def ask(
    place: Place, request: gr.Request | None, tool: str, given: Mapping[str, Any], shown: Figures | None
) -> tuple[Found, Figures]:
    """Ask a tool: what it found, and every figure that the page shows now."""
    ledger = ledger_of(shown)
    failures: list[str] = []
    with edge(place.log_file, lambda failure: failures.append(failure.sentence), place.locale):
        tools = tools_for(place, request)
        if tool not in tools:
            raise ToolError("Your role may not ask this; ask a manager.")
        return Found(ledger.add(tools[tool](**given)), ledger), Figures(ledger)
    return Found(None, ledger, failures[0]), Figures(ledger)


def ledger_of(shown: Figures | None) -> Ledger:
    """The ledger of a page that shows tools' results: one for all of them, so that no two figures share an id."""
    return shown.by_id if shown is not None and isinstance(shown.by_id, Ledger) else Ledger()


def results_of(found: gr.State, locale: str, drawings: Mapping[str, Drawing] | None = None) -> None:
    """Put what stands in a state into the surrounding blocks; `drawings` adds a chart of our own by tool."""

    @gr.render(inputs=found, triggers=[found.change], show_progress="hidden")
    def results(now: Found | None) -> None:
        if now is None:
            return
        if now.result is None:
            gr.Markdown(escape(now.failure), elem_classes="empty")
            return
        result, ledger = now.result, now.ledger
        drawing = (drawings or {}).get(result.tool)
        canvas = drawing(ledger) if drawing else None
        if canvas is not None:
            gr.Plot(canvas, show_label=False, container=False)
        gr.Markdown(result_text(result, ledger, locale), elem_classes=["section", "wide-table"])
        if result.chart is not None:
            gr.Plot(draw(result.chart, ledger, locale), show_label=False, container=False)


def result_text(result: ToolResult, ledger: Ledger, locale: str) -> str:
    """A result as Markdown."""
    link = figure_link("brief")
    parts = [render(spoken(result.summary, locale), ledger, locale, link)]
    parts += [render_table(spoken_table(table, locale), ledger, locale, link) for table in result.tables]
    parts += [f"*{render(spoken(warning, locale), ledger, locale, link)}*" for warning in result.warnings]
    return "\n\n".join(parts)
