"""The shop's page: how fresh and whole the data are, what was imported, and what the tools say of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import plotly.graph_objects as go
from babel.dates import format_datetime
from babel.numbers import format_decimal

from agent.render import render
from ui.acting import acting
from ui.charts import grouped
from ui.drawer import Figures, drawer
from ui.links import escape, figure_link
from ui.place import Place
from ui.result_view import WAITING, Drawing, Found, ask, results_of
from ui.shell import PRIVATE
from ui.shop_facts import facts, fresh_table, gap_table, imports, refused_rows
from ui.strings import Words

STAGES = ("introduction", "growth", "maturity", "decline")


class ShopEvents:
    """What happens on the page."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.say = place.words("shop")

    def facts(self, request: gr.Request) -> tuple[str, str, str, Any, Figures]:
        """The first tab: freshness, gaps, import history, files with refused rows; and the figures shown."""
        shop = acting(self.place, request)
        ledger = facts(shop, self.say)
        said = (
            f"{self.say('fresh_lead')}\n\n{fresh_table(ledger, self.say)}",
            f"{self.say['gaps_lead']}\n\n{gap_table(ledger, self.say)}",
        )
        fresh, gaps = (render(text, ledger, self.place.locale, figure_link("brief")) for text in said)
        history = imports(shop)
        files = list(dict.fromkeys(row["file"] for row in history if row["rows_refused"]))
        return fresh, gaps, self._history(history), gr.Dropdown(files, visible=bool(files)), Figures(ledger)

    def look(
        self, tool: str, given: Mapping[str, Any], shown: Figures | None, request: gr.Request
    ) -> tuple[Found, Figures]:
        """Ask a tool, as whoever is signed in: what it found, and every figure that the page shows."""
        return ask(self.place, request, tool, given, shown)

    def refused(self, file: str | None, request: gr.Request) -> tuple[Any, str]:
        """The rows that an import refused."""
        known = {row["file"] for row in imports(acting(self.place, request))}
        rows = refused_rows(self._folder, file) if file in known and file else None
        said = "" if rows is not None or not file else self.say["no_refused"]
        return gr.Dataframe(rows, visible=rows is not None), said

    @property
    def _folder(self) -> Path:
        settings = self.place.settings
        return (settings.home if settings else self.place.log_file.parent) / "refused"

    def _history(self, rows: Sequence[Mapping[str, Any]]) -> str:
        say = self.say
        if not rows:
            return say["no_imports"]
        head = [say[name] for name in ("file", "kind", "at", "read", "kept", "refused")]
        lines = [head, ["---"] * len(head), *(_import_row(row, say) for row in rows)]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def fill(place: Place) -> None:
    """Put the page into the surrounding blocks."""
    events, say = ShopEvents(place), place.words("shop")
    shown = gr.State(None)
    gr.Markdown(f"# {say['title']}", elem_classes="page-head")
    with gr.Tabs(elem_id="shop-tabs"):
        with gr.Tab(say["tab_data"]):
            _data(events, shown)
        with gr.Tab(say["tab_trends"]):
            _trends(events, shown)
        for name, tool in (("segments", "segment_customers"), ("life", "lifecycle_stage"), ("anomalies", None)):
            with gr.Tab(say[f"tab_{name}"]):
                _analysis(events, shown, name, tool or "find_anomalies")
    drawer(place, shown)


def life_map(figures: Mapping[str, Any], say: Words) -> go.Figure | None:
    """How many products, and how much of the revenue, stand in each stage."""
    counts = [_value(figures, f"life.n_{stage}") for stage in STAGES]
    money = [_value(figures, f"life.revenue_{stage}") for stage in STAGES]
    if not sum(counts):
        return None
    names = [say[stage] for stage in STAGES]
    shares = [count / sum(counts) for count in counts]
    return grouped(say["map_stage"], names, {say["share_products"]: shares, say["share_revenue"]: money})


def segment_map(figures: Mapping[str, Any], say: Words) -> go.Figure | None:
    """How many of the people, and how much of the money, each segment holds."""
    names, people, money, n = [], [], [], 1
    while (figure := figures.get(f"segments.name_{n}")) is not None:
        names.append(str(figure.value))
        people.append(_value(figures, f"segments.share_{n}"))
        money.append(_value(figures, f"segments.money_{n}"))
        n += 1
    if not names:
        return None
    return grouped(say["map_segments"], names, {say["share_people"]: people, say["share_money"]: money})


def _data(events: ShopEvents, shown: gr.State) -> None:
    say = events.say
    gr.Markdown(f"## {say['freshness']}", elem_classes="section-title")
    fresh = gr.Markdown(elem_classes="wide-table", elem_id="freshness")
    gr.Markdown(f"## {say['gaps']}", elem_classes="section-title")
    gaps = gr.Markdown(elem_classes="wide-table", elem_id="gaps")
    gr.Markdown(f"## {say['imports']}", elem_classes="section-title")
    history = gr.Markdown(elem_classes="wide-table", elem_id="imports")
    which = gr.Dropdown(
        [], value=None, label=say["refused_rows"], visible=False, elem_id="refused-of", interactive=True
    )
    said = gr.Markdown()
    rows = gr.Dataframe(visible=False, interactive=False, show_label=False, max_height=320, elem_id="refused")
    which.change(events.refused, which, [rows, said], **PRIVATE)
    root = gr.context.Context.root_block
    assert root is not None
    root.load(events.facts, None, [fresh, gaps, history, which, shown], **PRIVATE)


def _trends(events: ShopEvents, shown: gr.State) -> None:
    say, found = events.say, gr.State(None)
    gr.Markdown(say["trends_lead"], elem_classes="lead")
    with gr.Row(elem_classes="asking"):
        category = gr.Dropdown([], label=say["category"], scale=3)
        weeks = gr.Slider(4, 104, value=52, step=4, label=say["weeks"], scale=2, interactive=True)
        look = gr.Button(say["look"], variant="primary", elem_id="look-trends", scale=0, min_width=110)
    results_of(found, events.place.locale, _drawings(say))

    def ask(path: str | None, back: float, now: Figures | None, request: gr.Request) -> tuple[Found, Figures]:
        return events.look("market_trend", {"category": path or "", "weeks": int(back)}, now, request)

    def categories() -> Any:
        known = list(events.place.desk.shop.categories()["category"])
        return gr.Dropdown(known, value=next(iter(known), None))

    look.click(ask, [category, weeks, shown], [found, shown], **WAITING)
    root = gr.context.Context.root_block
    assert root is not None
    root.load(categories, None, category, **PRIVATE)


def _analysis(events: ShopEvents, shown: gr.State, name: str, tool: str) -> None:
    """A tab whose answer takes a while: it is asked for, never computed on opening."""
    say, found = events.say, gr.State(None)
    gr.Markdown(say[f"{name}_lead"], elem_classes="lead")
    look = gr.Button(say["look"], variant="primary", elem_id=f"look-{name}", min_width=110)
    results_of(found, events.place.locale, _drawings(say))

    def ask(now: Figures | None, request: gr.Request) -> tuple[Found, Figures]:
        return events.look(tool, {}, now, request)

    look.click(ask, shown, [found, shown], **WAITING)


def _drawings(say: Words) -> dict[str, Drawing]:
    return {
        "lifecycle_stage": lambda figures: life_map(figures, say),
        "segment_customers": lambda figures: segment_map(figures, say),
    }


def _import_row(row: Mapping[str, Any], say: Words) -> list[str]:
    counts = [str(format_decimal(row[name], locale=say.locale)) for name in ("rows_read", "rows_kept", "rows_refused")]
    at = str(format_datetime(row["finished_at"], format="medium", locale=say.locale))
    return [escape(row["file"]), escape(row["kind"]), at, *counts]


def _value(figures: Mapping[str, Any], name: str) -> float:
    figure = figures.get(name)
    return float(figure.value) if figure is not None and isinstance(figure.value, int | float) else 0.0
