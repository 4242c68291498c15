"""The brief's page: the paper, and beside it contents, what-if, checks, versions, the case against, and approval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from agent.brief.export import FORMATS
from agent.brief.types import Brief
from agent.brief.versions import OFFICES, history
from agent.spoken import spoken_plain
from ui import brief_view
from ui.brief_charts import section_charts
from ui.brief_desk import Preview
from ui.brief_events import BriefEvents, Opened
from ui.drawer import Figures, drawer
from ui.levers import Lever, levers
from ui.links import figure_link
from ui.place import Place
from ui.shell import PRIVATE

WRITING: dict[str, Any] = {**PRIVATE, "concurrency_limit": 2}
# The address names the brief, so that a reload or a colleague opens the same one.
_ADDRESS = """(id) => {
  const address = new URL(location.href);
  address.searchParams.delete("draft");
  id ? address.searchParams.set("brief", id) : address.searchParams.delete("brief");
  history.replaceState(null, "", address);
}"""


def fill(place: Place) -> None:
    """Put the page into the surrounding blocks."""
    events, say = BriefEvents(place), place.words("brief")
    current, shown = gr.State(None), gr.State(None)
    with gr.Row(elem_id="brief-bar", elem_classes="asking"):
        draft = gr.Dropdown([], label=say["choose"], elem_id="draft", interactive=True, scale=4, min_width=220)
        version = gr.Dropdown(
            [], label=say["version"], elem_id="version", interactive=True, visible=False, scale=3, min_width=200
        )
        write = gr.Button(say["write"], variant="primary", elem_id="write-brief", scale=0, min_width=150)
        stop = gr.Button(say["stop_writing"], elem_id="stop-brief", scale=0, min_width=80, visible=False)
    said = gr.Markdown(elem_id="progress")
    early = gr.Markdown(elem_id="early", elem_classes="section")
    nothing = gr.Markdown(say["opening"], elem_id="no-brief", elem_classes="empty")
    written = [said, early, version, current, shown]

    @gr.render(inputs=current, triggers=[current.change], show_progress="hidden")
    def page(now: Opened | None) -> None:
        if now is None:
            return
        request = gr.context.LocalContext.request.get(None)
        with gr.Row(elem_id="brief", equal_height=False):
            with gr.Column(scale=6, min_width=320, elem_id="panel"):
                sliders = _panel(events, now, written, request)
            with gr.Column(scale=7, min_width=320, elem_id="paper"):
                parts = _paper(events, now.brief)
        _wire_levers(events, now, sliders, parts, shown)

    _editor(events, current, written)
    drawer(place, shown)
    opened = [draft, version, current, shown, said]
    root = gr.context.Context.root_block
    assert root is not None
    arrived = root.load(events.arrive, None, opened, **PRIVATE)
    chosen = draft.input(events.choose, draft, opened, **PRIVATE)
    for after in (arrived.then, chosen.then, current.change):
        after(events.nothing, current, nothing, **PRIVATE)
    version.input(events.version, version, [current, shown, said], **PRIVATE)
    version.change(None, version, None, js=_ADDRESS, **PRIVATE)
    writing = write.click(events.write, [draft, current], written, **WRITING)
    write.click(lambda: gr.Button(visible=True), None, stop, **PRIVATE)
    writing.then(lambda: gr.Button(visible=False), None, stop, **PRIVATE)
    stop.click(lambda: ("", "", gr.Button(visible=False)), None, [said, early, stop], cancels=[writing], **PRIVATE)


class Parts:
    """The pieces of the paper that a what-if rewrites: a Markdown per stretch of text, and the charts by section."""

    def __init__(self) -> None:
        self.texts: list[tuple[gr.Markdown, Callable[[Brief, Any], str]]] = []
        self.charts: list[tuple[gr.Plot, str, int]] = []  # with the section and its place there

    def text(self, make: Callable[[Brief, Any], str], brief: Brief, **about: Any) -> None:
        """Put down a stretch of text, made from a brief and a way to show its figures."""
        self.texts.append((gr.Markdown(make(brief, figure_link("brief")), **about), make))


def _paper(events: BriefEvents, brief: Brief) -> Parts:
    parts = Parts()
    gr.Markdown(brief_view.heading(brief), elem_classes="sheet-head")
    if brief.notes:
        gr.Markdown(brief_view.notes(brief), elem_classes="sheet-note")
    parts.text(brief_view.verdict, brief, elem_id="part-decision", elem_classes=["verdict", brief.verdict])
    for section in brief.sections:
        if section.id == "decision":
            continue
        name = section.id
        title = brief_view.title(brief, section, editable=True)
        gr.Markdown(title, elem_id=f"part-{name}", elem_classes="section-title", container=False)
        parts.text(lambda b, link, name=name: brief_view.words(b, b.section(name), link), brief, elem_classes="section")
        for place, canvas in enumerate(section_charts(brief, name, events.say)):
            plot = gr.Plot(canvas, show_label=False, container=False, elem_classes="chart")
            parts.charts.append((plot, name, place))
        if section.tables:
            parts.text(lambda b, link, name=name: brief_view.tables(b, b.section(name), link), brief)
    return parts


def _panel(events: BriefEvents, now: Opened, written: Sequence[Any], request: gr.Request | None) -> dict[str, Any]:
    """The tabs beside the paper; returns what the what-if needs."""
    say, brief = events.say, now.brief
    with gr.Tabs(elem_id="brief-tabs"):
        with gr.Tab(say["contents"]):
            gr.Markdown(brief_view.contents(brief), elem_id="contents")
        with gr.Tab(say["what_if"], elem_id="tab-what-if"):
            sliders = _what_if(events, now, written)
        with gr.Tab(f"{say['checks']} ({len(brief.findings)})", elem_id="tab-checks"):
            gr.Markdown(brief_view.checks(brief), elem_id="checks")
        with gr.Tab(say["versions"], elem_id="tab-versions"):
            _versions(events, now, request)
        with gr.Tab(say["challenger"], elem_id="tab-challenger"):
            gr.Markdown(brief_view.challenger(brief), elem_id="challenger")
        with gr.Tab(say["hand_out"], elem_id="tab-share"):
            _share(events, now, written, request)
    return sliders


def _what_if(events: BriefEvents, now: Opened, written: Sequence[Any]) -> dict[str, Any]:
    say = events.say
    sliders = [(lever, _slider(lever, say[f"input_{lever.name}"])) for lever in levers(now.brief)]
    with gr.Row(elem_classes="buttons"):
        reset = gr.Button(say["reset"], size="sm", elem_id="reset", min_width=80)
        keep = gr.Button(say["keep"], size="sm", elem_id="keep", min_width=120)
    answer = gr.Markdown(say["nothing_changed"], elem_id="changes", elem_classes="wide-table")
    ask = gr.Button(say["flips"], size="sm", elem_id="ask-flips")
    found = gr.Markdown(elem_id="flips", elem_classes="wide-table")
    ask.click(_with(events.flips, now), None, found, **WRITING)

    def keeping(request: gr.Request, *values: float) -> Any:
        yield from events.keep(now, _moved(sliders, values), request)

    keep.click(keeping, [slider for _, slider in sliders], list(written), **WRITING)
    return {"sliders": sliders, "answer": answer, "reset": reset}


def _slider(lever: Lever, label: str) -> gr.Slider:
    return gr.Slider(
        lever.low,
        lever.high,
        value=lever.value,
        step=lever.step,
        label=label,
        elem_id=f"lever-{lever.name}",
        interactive=True,
        buttons=[],
    )


def _wire_levers(events: BriefEvents, now: Opened, levers_: dict[str, Any], parts: Parts, shown: gr.State) -> None:
    """A moved slider rewrites what changed: the figures at once, the charts behind them."""
    sliders, marked, seen = levers_["sliders"], gr.State(frozenset()), gr.State(None)
    components = [slider for _, slider in sliders]
    texts = [markdown for markdown, _ in parts.texts]
    plain = [make(now.brief, figure_link("brief")) for _, make in parts.texts]

    def moved(request: gr.Request, *values: Any) -> list[Any]:
        *places, before = values
        said, preview = events.what_if(now, _moved(sliders, places), request)
        if preview is None:
            return [said, *[gr.skip()] * (len(texts) + 3)]
        link = brief_view.marked(preview.changed, preview.brief.locale)
        made = [make(preview.brief, link) for _, make in parts.texts]
        changed = frozenset(n for n, (text, old) in enumerate(zip(made, plain, strict=True)) if text != old)
        updates = [text if n in changed | before else gr.skip() for n, text in enumerate(made)]
        return [said, *updates, changed, preview, Figures({**now.brief.figures, **preview.brief.figures})]

    def redrawn(preview: Preview | None) -> list[Any]:
        if preview is None:
            return [gr.skip()] * len(parts.charts)
        drawn = {name: section_charts(preview.brief, name, events.say) for _, name, _ in parts.charts}
        return [drawn[name][n] if n < len(drawn[name]) else gr.skip() for _, name, n in parts.charts]

    given, outputs = [*components, marked], [levers_["answer"], *texts, marked, seen, shown]
    at_once: dict[str, Any] = {**PRIVATE, "trigger_mode": "always_last", "concurrency_limit": 4}
    event = gr.on([slider.input for slider in components], moved, given, outputs, **at_once)
    plots = [plot for plot, _, _ in parts.charts]
    event.then(redrawn, seen, plots, **at_once)
    start = [lever.value for lever, _ in sliders]
    levers_["reset"].click(lambda: start, None, components, **PRIVATE).then(moved, given, outputs, **at_once).then(
        redrawn, seen, plots, **at_once
    )


def _versions(events: BriefEvents, now: Opened, request: gr.Request | None) -> None:
    say, brief = events.say, now.brief
    gr.Markdown(events.versions(now, request), elem_id="versions", elem_classes="wide-table")
    others = [each.brief_id for each in history(events.place.desk.shop, brief.subject.id) if each.brief_id != brief.id]
    other = gr.Dropdown(
        others[::-1], value=None, label=say["compare"], visible=bool(others), elem_id="compare", interactive=True
    )
    found = gr.Markdown(elem_id="differences", elem_classes="wide-table")

    def compare(brief_id: str | None, request: gr.Request) -> str:
        return events.compare(now, brief_id, request)

    other.input(compare, other, found, **PRIVATE)


def _share(events: BriefEvents, now: Opened, written: Sequence[Any], request: gr.Request | None) -> None:
    say = events.say
    _exports(events, now)
    standing = gr.Markdown(events.standing(now, request), elem_id="standing")
    said = gr.Markdown(elem_id="share-said")
    reason = gr.Textbox(
        label=say["reason"], placeholder=say["reason_hint"], max_length=500, elem_id="reason", interactive=True
    )
    with gr.Row(elem_classes="buttons"):
        yes = gr.Button(say["approve"], variant="primary", elem_id="approve", min_width=140)
        back = gr.Button(say["withdraw"], elem_id="withdraw", min_width=140)
    with gr.Row(elem_classes="asking"):
        offices = [(say[office], office) for office in OFFICES]
        office = gr.Dropdown(
            offices, value=OFFICES[0], label=say["office"], elem_id="office", min_width=140, interactive=True
        )
        signing = gr.Button(say["sign_now"], elem_id="sign", scale=0, min_width=80)
        refusing = gr.Button(say["refuse_now"], elem_id="refuse", scale=0, min_width=80)
    again = _with(events.standing, now)

    def sign(which: str, why: str, request: gr.Request) -> str:
        return events.sign(now, which, True, why, request)

    def refuse(which: str, why: str, request: gr.Request) -> str:
        return events.sign(now, which, False, why, request)

    def approve(why: str, request: gr.Request) -> str:
        return events.approve(now, why, request)

    def withdraw(why: str, request: gr.Request) -> str:
        return events.withdraw(now, why, request)

    for button, decide, given in (
        (yes, approve, [reason]),
        (back, withdraw, [reason]),
        (signing, sign, [office, reason]),
        (refusing, refuse, [office, reason]),
    ):
        button.click(decide, given, said, **PRIVATE).then(again, None, standing, **PRIVATE)
    _override(events, now, written)


def _exports(events: BriefEvents, now: Opened) -> None:
    say = events.say
    gr.Markdown(f"**{say['download']}**")
    with gr.Row(elem_classes="buttons", elem_id="exports"):
        kinds = [
            (kind, gr.Button(say.get(f"export_{kind}", kind), size="sm", elem_id=f"export-{kind}", min_width=90))
            for kind in FORMATS
        ]
    link = gr.Markdown(elem_id="file")

    def make(kind: str) -> Callable[[gr.Request], str]:
        def made(request: gr.Request) -> str:
            return events.export(now, kind, request)

        return made

    for kind, button in kinds:
        button.click(make(kind), None, link, **WRITING)


def _override(events: BriefEvents, now: Opened, written: Sequence[Any]) -> None:
    say = events.say
    with gr.Accordion(say["override"], open=False, elem_id="override"):
        gr.Markdown(say["override_note"])
        named = {name: spoken_plain(each.label, say.locale) for name, each in brief_view.settable(now.brief).items()}
        choices = [(f"{label} ({name})", name) for name, label in named.items()]
        figure = gr.Dropdown(choices, value=None, label=say["override_figure"], interactive=True, elem_id="by-hand")
        value = gr.Textbox(label=say["override_value"], max_length=40, interactive=True)
        why = gr.Textbox(label=say["override_why"], max_length=500, interactive=True)
        done = gr.Button(say["override_set"], elem_id="set-by-hand")

    def override(name: str | None, text: str, reason: str, request: gr.Request) -> Any:
        yield from events.override(now, name, text, reason, request)

    done.click(override, [figure, value, why], list(written), **WRITING)


def _editor(events: BriefEvents, current: gr.State, written: Sequence[Any]) -> None:
    """The drawer in which the words of one section are changed, or made again."""
    say, part = events.say, gr.State("")
    asked = gr.Textbox(elem_id="part-asked", interactive=True, show_label=False, label=say["edit"], container=False)
    with gr.Column(visible=False, elem_id="editor") as panel:
        close = gr.Button("×", elem_id="editor-close", size="sm", min_width=32)
        head = gr.Markdown(elem_id="editor-head")
        text = gr.Textbox(
            label=say["words"], info=say["edit_hint"], lines=8, max_lines=16, elem_id="editor-text", interactive=True
        )
        said = gr.Markdown(elem_id="editor-said")
        with gr.Row(elem_classes="buttons"):
            save = gr.Button(say["save"], variant="primary", elem_id="editor-save", min_width=150)
            redo = gr.Button(say["redo"], elem_id="editor-redo", min_width=150)
    asked.change(events.edit, [asked, current], [panel, head, text, said, part], **PRIVATE)
    close.click(lambda: gr.Column(visible=False), None, panel, **PRIVATE)
    hide = (lambda error: gr.Column(visible=bool(error)), said, panel)
    save.click(events.reword, [current, part, text], [said, *written], **PRIVATE).then(*hide, **PRIVATE)
    redo.click(lambda: gr.Column(visible=False), None, panel, **PRIVATE).then(
        events.redo, [current, part], list(written), **WRITING
    )


def _moved(sliders: Sequence[tuple[Lever, gr.Slider]], values: Sequence[float]) -> dict[str, float]:
    return {lever.name: value for (lever, _), value in zip(sliders, values, strict=True)}


def _with(handler: Callable[[Opened, gr.Request], str], now: Opened) -> Callable[[gr.Request], str]:
    def bound(request: gr.Request) -> str:
        return handler(now, request)

    return bound
