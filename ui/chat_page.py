"""The page: the conversation on the left, the brief on the right, and an inspector for where a figure comes from."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import gradio as gr
from babel.dates import format_date
from starlette.middleware import Middleware

from shop import BadInput
from ui import brief_view, service_page
from ui.charts import draw
from ui.edge import edge
from ui.headers import SecurityHeaders
from ui.page_events import Events, Shown
from ui.terminal import say
from ui.wiring import Desk

HERE = Path(__file__).parent
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
UNREAD_PLACEHOLDER = (
    "## What do you want to launch?\n"
    "Describe the product: what it is, its category, what it costs you, when it should go on sale. "
    "Every figure in an answer is a link to where it comes from."
)
NO_BRIEF = (
    "### No brief yet\n"
    "Fill in *New brief*, or ask for one in the conversation. It will stand here: the verdict first, then demand, "
    "price, economics and the first buy, each figure with its source."
)


def build(desk: Desk, log_file: Path) -> gr.Blocks:
    """The page for one desk."""
    events = Events(desk, log_file)
    with gr.Blocks(title="Debut", analytics_enabled=False, delete_cache=(3600, 86400), fill_width=True) as page:
        conversation, brief = gr.State(None), gr.State(None)
        locale = _header(desk, page)
        with gr.Row(elem_id="desk", equal_height=False):
            with gr.Column(scale=5, min_width=320, elem_id="talk"):
                chat, message, fresh = _conversation(desk)
            with gr.Column(scale=6, min_width=320, elem_id="paper"):
                _brief_form(events, desk, brief, locale)
                _brief_paper(brief)
        _inspector(events, conversation, brief, locale)
        _wire(events, chat, message, fresh, conversation, brief, locale)
    with page.route("Customer service", "service"):
        service_page.fill(desk, log_file)
    return page


def serve(desk: Desk, log_file: Path, port: int, open_browser: bool, for_customers: bool = False) -> None:
    """Serve the page on this machine alone, until interrupted; the customers' page reaches no other one.

    Raises:
        BadInput: The port is taken.
    """
    page = service_page.build(desk, log_file) if for_customers else build(desk, log_file)
    launch(page, port, open_browser)
    print(f"Debut is at http://127.0.0.1:{port} (Ctrl-C stops it).", flush=True)
    desk.load()  # not before: it would compete with the page for the processor
    if not for_customers:
        threading.Thread(target=_learn, args=(desk, log_file), name="learning", daemon=True).start()
    page.block_thread()


def _learn(desk: Desk, log_file: Path) -> None:
    with edge(log_file, lambda failure: say(failure.sentence)):
        desk.learn()


def launch(page: gr.Blocks, port: int, open_browser: bool) -> None:
    """Start serving a page, hardened: local address, no share link, no recording of calls, no analytics."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise BadInput(f"Port {port} is in use; choose another: `./debut chat --port {port + 1}`.") from error
    page.queue(default_concurrency_limit=4, api_open=False)
    page.launch(
        server_name="127.0.0.1",
        server_port=port,
        inbrowser=open_browser,
        share=False,
        quiet=True,
        show_error=False,
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        max_file_size="1mb",
        footer_links=[],
        app_kwargs={"middleware": [Middleware(SecurityHeaders)], "docs_url": None, "redoc_url": None},
        prevent_thread_lock=True,
        **appearance(),
    )


def appearance() -> dict[str, Any]:
    """Theme, style sheet and script, as `launch` takes them. Fonts are the ones Gradio carries: nothing is fetched."""
    theme = gr.themes.Base(
        primary_hue="teal",
        neutral_hue="stone",
        radius_size="md",
        font=[
            gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)),
            "system-ui",
            "sans-serif",
        ],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono"), "monospace"],
    )
    # In the head and not as `css`, which Gradio would rewrite to reach no further than its own container.
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("desk.css", "desk.js"))
    return {"theme": theme, "head": f"<style>{style}</style><script>{script}</script>"}


def _header(desk: Desk, page: gr.Blocks) -> gr.Radio:
    cutoff = format_date(desk.shop.cutoff, format="long", locale="en")
    with gr.Row(elem_id="bar"):
        gr.Markdown("# Debut", elem_id="mark")
        gr.Markdown(f"{desk.shop.name} · data up to {cutoff}", elem_id="where")
        model = gr.Markdown(elem_id="model")
        locale = gr.Radio(
            [("English", "en"), ("中文", "zh")],
            value="en",
            show_label=False,
            container=False,
            elem_id="locale",
            label="Language of figures",
        )

    def say_model() -> Any:
        if not desk.is_ready:
            yield f"{desk.model_name} · loading …"
        state = f"{desk.model_name} · {'ready' if desk.model_or_none() else 'not available'}"
        if desk.learning:
            yield f"{state} · {desk.learning}"
            desk.wait_until_learned()
        yield state

    page.load(say_model, None, model, **PRIVATE, concurrency_limit=20)
    return locale


def _conversation(desk: Desk) -> tuple[gr.Chatbot, gr.Textbox, gr.Button]:
    chat = gr.Chatbot(
        show_label=False,
        elem_id="chat",
        height="calc(100vh - 210px)",
        min_height=360,
        layout="bubble",
        sanitize_html=True,
        allow_tags=False,
        feedback_options=None,
        buttons=[],
        placeholder=UNREAD_PLACEHOLDER,
        examples=[{"text": text} for text in desk.examples()],
        latex_delimiters=[],
    )
    with gr.Row(elem_id="say", equal_height=True):
        message = gr.Textbox(
            placeholder="I want to launch …",
            show_label=False,
            label="Message",
            container=False,
            autofocus=True,
            max_length=4000,
            max_lines=6,
            submit_btn=True,
            stop_btn=False,
            elem_id="message",
            scale=8,
        )
        fresh = gr.Button("New", size="sm", elem_id="fresh", scale=0, min_width=64)
    return chat, message, fresh


def _brief_form(events: Events, desk: Desk, brief: gr.State, locale: gr.Radio) -> None:
    categories = list(desk.shop.categories()["category"])
    with gr.Accordion("New brief", open=True, elem_id="new-brief") as form:
        with gr.Row():
            name = gr.Textbox(label="Product", placeholder="Aurora gooseneck kettle", scale=3, max_length=200)
            category = gr.Dropdown(categories, label="Category", value=None, allow_custom_value=True, scale=2)
        with gr.Row():
            cost = gr.Textbox(label="Cost per unit", placeholder="21.50", max_length=20, min_width=120)
            price = gr.Textbox(label="Price, if you have one", placeholder="49.90", max_length=20, min_width=120)
            launch = gr.Textbox(label="Launch date", placeholder="early March", max_length=40, min_width=140)
        write = gr.Button("Write the brief", variant="primary", elem_id="write-brief")
        progress = gr.Markdown(elem_id="progress", min_height=8)
    brief.change(lambda: gr.Accordion(open=False), None, form, **PRIVATE)
    write.click(
        events.write_brief,
        [name, category, cost, price, launch, locale],
        [progress, brief],
        api_visibility="private",
        show_progress="minimal",
        show_progress_on=progress,
        concurrency_limit=2,
    )


def _brief_paper(brief: gr.State) -> None:
    @gr.render(inputs=brief, triggers=[brief.change], show_progress="hidden")
    def paper(shown: Shown | None) -> None:
        if shown is None:
            return
        current = shown.brief
        gr.Markdown(brief_view.heading(current), elem_classes="sheet-head")
        if current.notes:
            gr.Markdown(brief_view.notes(current), elem_classes="sheet-note")
        gr.Markdown(brief_view.verdict(current), elem_classes=["verdict", current.verdict])
        for section in current.sections:
            if section.id == "decision":
                continue
            gr.Markdown(brief_view.title(current, section), elem_classes="section-title")
            for chart in section.charts:
                gr.Plot(draw(chart, current.figures, current.locale), show_label=False, container=False)
            gr.Markdown(brief_view.body(current, section), elem_classes="section")

    empty = gr.Markdown(NO_BRIEF, elem_id="no-brief")
    brief.change(lambda current: gr.Markdown(visible=current is None), brief, empty, api_visibility="private")


def _inspector(events: Events, conversation: gr.State, brief: gr.State, locale: gr.Radio) -> None:
    asked = gr.Textbox(elem_id="figure-asked", label="Figure", show_label=False, container=False)
    with gr.Column(visible=False, elem_id="inspector") as drawer:
        close = gr.Button("×", elem_id="inspector-close", size="sm", min_width=32)
        text = gr.Markdown(elem_id="inspector-text")
        rows = gr.Dataframe(visible=False, interactive=False, show_label=False, max_height=260, elem_id="rows")
    asked.change(
        events.inspect,
        [asked, conversation, brief, locale],
        [drawer, text, rows],
        **PRIVATE,
    )
    close.click(lambda: gr.Column(visible=False), None, drawer, **PRIVATE)


def _wire(
    events: Events,
    chat: gr.Chatbot,
    message: gr.Textbox,
    fresh: gr.Button,
    conversation: gr.State,
    brief: gr.State,
    locale: gr.Radio,
) -> None:
    given, shown = [message, conversation, brief, locale], [chat, conversation, brief, message]
    # Gradio holds a stopped event for running until the model's call returns; the next message must not wait for that.
    answering: dict[str, Any] = {**PRIVATE, "concurrency_limit": 8, "trigger_mode": "multiple"}
    sent = message.submit(events.send, given, shown, **answering)
    picked = chat.example_select(events.picked, given[1:], shown, **answering)
    message.stop(events.stopped, [conversation, locale], [chat, message], cancels=[sent, picked], **PRIVATE)
    fresh.click(events.fresh, None, [chat, conversation, message], cancels=[sent, picked], **PRIVATE)
    locale.change(events.redraw, [conversation, locale], chat, **PRIVATE)
