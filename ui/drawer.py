"""The drawer of a page that shows figures: a click on one opens where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from shop import Figure
from ui.edge import Failure, edge
from ui.inspector import explain, rows_table
from ui.links import asked_figure, escape
from ui.place import Place
from ui.shell import PRIVATE


@dataclass(eq=False)
class Figures:
    """The figures that a visitor's page shows. Gradio tells states apart by their hash, and a mapping has none."""

    by_id: Mapping[str, Figure] = field(default_factory=dict)


def drawer(place: Place, shown: gr.State) -> None:
    """Put the drawer into the surrounding blocks; `shown` holds the visitor's `Figures`."""
    panel(place, lambda address, figures: opened(place, address, figures), [shown])


def panel(place: Place, inspect: Callable[..., list[Any]], given: Sequence[gr.Component]) -> None:
    """The drawer's components; `inspect` is called with the address of the link and what `given` holds."""
    say = place.words("desk")
    asked = gr.Textbox(elem_id="figure-asked", label=say["figure"], show_label=False, container=False)
    with gr.Column(visible=False, elem_id="inspector") as column:
        close = gr.Button(say["close"], elem_id="inspector-close", size="sm", min_width=32)
        text = gr.Markdown(elem_id="inspector-text")
        rows = gr.Dataframe(visible=False, interactive=False, show_label=False, max_height=260, elem_id="rows")
    asked.change(inspect, [asked, *given], [column, text, rows], **PRIVATE)
    close.click(lambda: gr.Column(visible=False), None, column, **PRIVATE)


def opened(place: Place, address: str, shown: Figures | None) -> list[Any]:
    """Updates of the drawer for the figure at a link: nothing where this visitor's page shows no such figure."""
    asked = asked_figure(address)
    figures = shown.by_id if shown else {}
    figure = figures.get(asked[1]) if asked else None
    if asked is None or figure is None:
        return [gr.skip(), gr.skip(), gr.skip()]
    failures: list[Failure] = []
    rows = None
    with edge(place.log_file, failures.append, place.locale):
        rows = rows_table(place.desk.shop, figure)
    text = explain(figure, figures, asked[0], place.locale)
    text += "".join(f"\n\n{escape(failure.sentence)}" for failure in failures)
    return [gr.Column(visible=True), text, gr.Dataframe(rows, visible=rows is not None and not rows.empty)]
