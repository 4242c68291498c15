"""The launches page: a calendar of all launches, how each stands, what rings, and the score of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import gradio as gr
import plotly.graph_objects as go
from babel.dates import format_date

from agent.ledger import Ledger
from agent.render import render
from agent.spoken import spoken
from shop import ToolResult
from ui.acting import acting
from ui.charts import gantt
from ui.drawer import Figures, drawer
from ui.edge import edge
from ui.launch_list import Launch, launches
from ui.links import escape, figure_link
from ui.place import Place
from ui.result_view import WAITING, Found, ask, results_of, tools_for
from ui.shell import PRIVATE
from ui.strings import Words

MOST_DRAWN = 30


class LaunchEvents:
    """What happens on the page."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.say = place.words("launches")

    def overview(self, request: gr.Request) -> tuple[Any, str, str, Any, Any, Any, Figures]:
        """The calendar, the table, what rings, the launches that can be scored, what to do for one, the figures."""
        failures: list[str] = []
        with edge(self.place.log_file, lambda failure: failures.append(escape(failure.sentence)), self.place.locale):
            found = launches(acting(self.place, request), tools_for(self.place, request).get("score_launch"))
            ledger = Ledger()
            scores = {each.key: ledger.add(each.score) for each in found if each.score}
            canvas = calendar(found, self.place, self.say)
            scored = [(each.name, each.key) for each in found if each.score]
            return (
                gr.Plot(canvas, visible=canvas is not None),
                table(found, scores, ledger, self.say),
                alarms(found, scores, ledger, self.say),
                gr.Dropdown(scored, value=scored[0][1] if scored else None),
                gr.Row(visible=bool(scored)),
                gr.Markdown(visible=not scored),
                Figures(ledger),
            )
        return gr.Plot(visible=False), failures[0], "", *[gr.skip()] * 3, Figures()

    def score(
        self, product: str | None, week: float, shown: Figures | None, request: gr.Request
    ) -> tuple[Found, Figures]:
        """The score of one launch, up to a week."""
        given = {"product": product or "", **({"week": int(week)} if week else {})}
        return ask(self.place, request, "score_launch", given, shown)

    def best_weeks(self, shown: Figures | None, request: gr.Request) -> tuple[Found, Figures]:
        """The calendar that the planned products should have."""
        return ask(self.place, request, "plan_launch_calendar", {}, shown)


def fill(place: Place) -> None:
    """Put the page into the surrounding blocks."""
    events, say = LaunchEvents(place), place.words("launches")
    shown = gr.State(None)
    gr.Markdown(f"# {say['title']}", elem_classes="page-head")
    chart = gr.Plot(show_label=False, container=False, visible=False, elem_id="calendar")
    rows = gr.Markdown(elem_classes="wide-table", elem_id="launches")
    gr.Markdown(f"## {say['alerts']}", elem_classes="section-title")
    alerts = gr.Markdown(elem_id="alerts", elem_classes="section")
    gr.Markdown(f"## {say['score']}", elem_classes="section-title")
    which, asking, nothing = _score(events, shown)
    gr.Markdown(f"## {say['best']}", elem_classes="section-title")
    _best(events, shown)
    drawer(place, shown)
    root = gr.context.Context.root_block
    assert root is not None
    root.load(events.overview, None, [chart, rows, alerts, which, asking, nothing, shown], **PRIVATE)


def calendar(found: Sequence[Launch], place: Place, say: Words) -> go.Figure | None:
    """Launches as spans from their day to the end of their plan; None where none has a day."""
    spans = [(each.name, each.day, each.last, say[each.status]) for each in found if each.day and each.last]
    if not spans:
        return None
    return gantt(say["calendar_title"], spans[:MOST_DRAWN], place.desk.shop.today)


def table(found: Sequence[Launch], scores: dict[str, ToolResult], ledger: Ledger, say: Words) -> str:
    """A row a launch, as Markdown; a draft's name opens its brief."""
    if not found:
        return say["none"]
    head = [say[name] for name in ("product", "category", "day", "status", "brief", "gate", "attained")]
    rows = [_row(each, scores.get(each.key), ledger, say) for each in found]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def alarms(found: Sequence[Launch], scores: dict[str, ToolResult], ledger: Ledger, say: Words) -> str:
    """What rings, a line each."""
    lines = [
        f"- **{escape(each.name)}** {render(spoken(text, say.locale), ledger, say.locale, figure_link('brief'))}"
        for each in found
        if each.key in scores
        for text in _renamed(each, scores[each.key])
    ]
    return "\n".join(lines) or say["no_alerts"]


def _renamed(launch: Launch, entered: ToolResult) -> tuple[str, ...]:
    """The alerts of a launch over the ids that its figures have in the page's ledger."""
    assert launch.score is not None
    rings = set(launch.alerts)
    return tuple(new for old, new in zip(launch.score.warnings, entered.warnings, strict=True) if old in rings)


def _row(launch: Launch, score: ToolResult | None, ledger: Ledger, say: Words) -> list[str]:
    day = str(format_date(launch.day, format="medium", locale=say.locale)) if launch.day else say["undecided"]
    name = escape(launch.name)
    if launch.status != "live":
        name = f"[{name}](./brief?draft={quote(launch.key)})"
    attained = say["no_plan"]
    if score is not None:
        figure = next(f for f in score.figures if f.id.endswith(".attained"))
        attained = render(f"{{{{{figure.id}}}}}", ledger, say.locale, figure_link("brief"))
        attained += f" · {say[launch.standing.light]}" if launch.standing else ""
    elif launch.status != "live":
        attained = "–"
    brief = say["no_brief"] if launch.status != "live" else "–"
    if launch.brief:
        about = [say[launch.verdict]] if launch.verdict else []
        about += [say["approved"]] if launch.approved else []
        brief = " · ".join([f"[{launch.brief}](./brief?brief={quote(launch.brief)})", *about])
    gate = f"{launch.gate.id} {say[launch.gate.status]}" if launch.gate else "–"
    return [name, escape(launch.category), day, say[launch.status], brief, gate, attained]


def _score(events: LaunchEvents, shown: gr.State) -> tuple[gr.Dropdown, gr.Row, gr.Markdown]:
    say, found = events.say, gr.State(None)
    gr.Markdown(say["score_lead"], elem_classes="lead")
    nothing = gr.Markdown(say["no_score"], elem_classes="empty", visible=False)
    with gr.Row(elem_classes="asking", visible=False) as asking:
        which = gr.Dropdown([], label=say["which"], elem_id="scored", scale=3, interactive=True)
        week = gr.Slider(0, 12, value=0, step=1, label=say["week"], scale=2, interactive=True)
        look = gr.Button(say["look"], variant="primary", elem_id="score", scale=0, min_width=110)
    results_of(found, events.place.locale)
    look.click(events.score, [which, week, shown], [found, shown], **WAITING)
    return which, asking, nothing


def _best(events: LaunchEvents, shown: gr.State) -> None:
    found = gr.State(None)
    gr.Markdown(events.say["best_lead"], elem_classes="lead")
    look = gr.Button(events.say["plan"], elem_id="plan-calendar", min_width=110)
    results_of(found, events.place.locale)
    look.click(events.best_weeks, shown, [found, shown], **WAITING)
