"""The desk: conversations on the left, the one that is open in the middle, the brief it led to on the right."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui import brief_view
from ui.drawer import panel
from ui.message_row import message_row
from ui.page_events import Events, Shown
from ui.place import Place
from ui.shell import PRIVATE
from ui.strings import Words
from ui.thread_events import ThreadEvents
from ui.wiring import Desk

# Takes the address of the page from the conversation, so that a reload, or a language switch, comes back to it.
AT_THREAD = "(id) => { history.replaceState(null, '', id ? `?thread=${id}` : location.pathname); }"


def fill(place: Place) -> None:
    """Put the desk into the surrounding blocks."""
    say = place.words("desk")
    events = Events(place)
    conversation, brief = gr.State(None), gr.State(None)
    with gr.Row(elem_id="desk", equal_height=False):
        with gr.Column(scale=2, min_width=210, elem_id="threads"):
            threads = _Threads(say)
        with gr.Column(scale=6, min_width=320, elem_id="talk"):
            chat, judged, message, fresh = _conversation(place.desk, say)
        with gr.Column(scale=4, min_width=320, elem_id="paper", visible=False) as paper:
            _paper(brief, say)
    panel(place, events.inspect, [conversation, brief])
    brief.change(lambda shown: gr.Column(visible=shown is not None), brief, paper, **PRIVATE)
    running = _wire_talk(events, chat, message, conversation, brief, threads)
    _wire_threads(ThreadEvents(events), chat, message, fresh, conversation, brief, threads, running)
    _wire_judged(ThreadEvents(events), chat, conversation, judged)
    page = gr.context.Context.root_block
    assert page is not None
    page.load(lambda: gr.update(examples=_examples(place.desk, say)), None, chat, **PRIVATE)


class _Threads:
    """The list of conversations, and what may be done to the open one."""

    def __init__(self, say: Words) -> None:
        gr.Markdown(f"## {say['threads']}", elem_classes="list-title")
        self.search = gr.Textbox(
            label=say["search"], show_label=False, container=False, placeholder=say["search_hint"], elem_id="find"
        )
        self.list = gr.Radio([], label=say["threads"], show_label=False, container=False, elem_id="thread-list")
        self.none = gr.Markdown(say["no_threads"], elem_id="no-threads")
        with gr.Accordion(say["this_thread"], open=False, visible=False, elem_id="this-thread") as self.box:
            self.title = gr.Textbox(label=say["thread_title"], max_length=120, elem_id="thread-title")
            with gr.Row():
                self.rename = gr.Button(say["rename"], size="sm", min_width=70)
                self.export = gr.Button(say["export"], size="sm", min_width=70, elem_id="thread-export")
                self.delete = gr.Button(say["delete"], size="sm", min_width=70, elem_id="thread-delete")
            self.file = gr.Markdown(visible=False, elem_id="thread-file")
            with gr.Row(visible=False) as self.sure:
                self.yes = gr.Button(say["delete_yes"], size="sm", variant="stop", min_width=70, elem_id="delete-yes")
                self.no = gr.Button(say["cancel"], size="sm", min_width=70)
        gr.Markdown(f"[{say['import_link']}](./import)", elem_id="import-link")
        # Which thread is open, for the script that writes it into the page's address.
        self.open = gr.Textbox(elem_id="thread-open", label=say["this_thread"], show_label=False, container=False)
        self.turn = gr.Textbox(elem_id="turn-asked", label=say["later"], show_label=False, container=False)

    def updated(self) -> list[Any]:
        """What `ThreadEvents.listed` returns updates for."""
        return [self.list, self.none, self.box, self.title, self.open]


class _Judged:
    """The question for the reason of a thumb."""

    def __init__(self, say: Words) -> None:
        self.verdict = gr.State(None)
        with gr.Row(visible=False, elem_id="judged", equal_height=True) as self.row:
            self.reason = gr.Textbox(
                label=say["feedback_reason"], placeholder=say["feedback_hint"], max_length=2000, scale=8
            )
            self.save = gr.Button(say["save"], size="sm", scale=0, min_width=80, elem_id="judged-save")


def _conversation(desk: Desk, say: Words) -> tuple[gr.Chatbot, _Judged, gr.Textbox, gr.Button]:
    chat = gr.Chatbot(
        label=say["this_thread"],
        show_label=False,
        elem_id="chat",
        height="calc(100vh - 200px)",
        min_height=360,
        layout="bubble",
        sanitize_html=True,
        allow_tags=False,
        editable="user",
        feedback_options=("Like", "Dislike"),
        buttons=["copy"],
        placeholder=say["unread"],
        examples=_examples(desk, say),
        latex_delimiters=[],
    )
    judged = _Judged(say)
    return chat, judged, *message_row(say)


def _examples(desk: Desk, say: Words) -> list[dict[str, str]]:
    return [{"text": text} for text in desk.examples(say)]


def _paper(brief: gr.State, say: Words) -> None:
    """The brief that the conversation led to, in short; the whole of it has a page of its own."""

    @gr.render(inputs=brief, triggers=[brief.change], show_progress="hidden")
    def paper(shown: Shown | None) -> None:
        if shown is None:
            return
        current = shown.brief
        gr.Markdown(brief_view.heading(current), elem_classes="sheet-head")
        gr.Markdown(brief_view.verdict(current), elem_classes=["verdict", current.verdict])
        gr.Markdown(f"[{say['open_brief']} →](./brief?brief={current.id})", elem_id="open-brief")


def _wire_talk(
    events: Events,
    chat: gr.Chatbot,
    message: gr.Textbox,
    conversation: gr.State,
    brief: gr.State,
    threads: _Threads,
) -> list[Any]:
    """Wire what asks; returns the events that may be running."""
    given, shown = [conversation, brief], [chat, conversation, brief, message]
    # Gradio holds a stopped event for running until the model's call returns; the next message must not wait for that.
    answering: dict[str, Any] = {**PRIVATE, "concurrency_limit": 64, "trigger_mode": "multiple"}
    running = [
        message.submit(events.send, [message, *given], shown, **answering),
        chat.example_select(events.picked, given, shown, **answering),
        chat.option_select(events.picked, given, shown, **answering),
        chat.retry(events.retry, given, shown, **answering),
        chat.edit(events.edit, given, shown, **answering),
    ]
    listing = ThreadEvents(events).listed
    for each in running:
        each.then(listing, [conversation, threads.search], threads.updated(), **PRIVATE)
    message.stop(events.stopped, [conversation], [chat, message], cancels=running, **PRIVATE).then(
        listing, [conversation, threads.search], threads.updated(), **PRIVATE
    )
    threads.turn.change(events.branch, [threads.turn, conversation], [chat, conversation], **PRIVATE)
    return running


def _wire_threads(
    events: ThreadEvents,
    chat: gr.Chatbot,
    message: gr.Textbox,
    fresh: gr.Button,
    conversation: gr.State,
    brief: gr.State,
    threads: _Threads,
    running: list[Any],
) -> None:
    page = gr.context.Context.root_block
    assert page is not None
    opened, updated = [chat, conversation, brief, message], threads.updated()
    given = [conversation, threads.search]
    page.load(events.loaded, None, opened, **PRIVATE).then(events.listed, given, updated, **PRIVATE)
    # What still runs would write the old conversation over the new one; it is kept as far as it came.
    away: dict[str, Any] = {**PRIVATE, "cancels": running}
    threads.list.input(events.opened, [threads.list, conversation], opened, **away).then(
        events.listed, given, updated, **PRIVATE
    )
    fresh.click(events.fresh, conversation, opened, **away).then(events.listed, given, updated, **PRIVATE)
    threads.search.change(events.listed, given, updated, trigger_mode="always_last", **PRIVATE)
    threads.rename.click(events.rename, [conversation, threads.title], None, **PRIVATE).then(
        events.listed, given, updated, **PRIVATE
    )
    threads.export.click(events.export, conversation, threads.file, **PRIVATE)
    threads.delete.click(lambda: gr.Row(visible=True), None, threads.sure, **PRIVATE)
    threads.no.click(lambda: gr.Row(visible=False), None, threads.sure, **PRIVATE)
    threads.yes.click(events.delete, conversation, [*opened, threads.sure], **PRIVATE).then(
        events.listed, given, updated, **PRIVATE
    )
    threads.open.change(None, threads.open, None, js=AT_THREAD)


def _wire_judged(events: ThreadEvents, chat: gr.Chatbot, conversation: gr.State, judged: _Judged) -> None:
    chat.like(events.judged, conversation, [judged.row, judged.reason, judged.verdict], **PRIVATE)
    reasoned = [judged.reason, judged.verdict]
    judged.save.click(events.reasoned, reasoned, judged.row, **PRIVATE)
    judged.reason.submit(events.reasoned, reasoned, judged.row, **PRIVATE)
