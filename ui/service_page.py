"""The shopper's page: the conversation, what waits for a confirmation, and the shopper's own orders as cards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from agent.render import render, render_table
from agent.spoken import spoken, spoken_table
from shop import Figure, PendingAction
from ui.conversation import Conversation, Turn
from ui.edge import Failure, edge
from ui.links import escape
from ui.message_row import message_row
from ui.page_events import IDLE, SECONDS_BETWEEN_UPDATES, emptied
from ui.place import Place
from ui.service_cards import proposal_card
from ui.service_desk import ServiceDesk
from ui.shell import BLOCKS, PRIVATE, switch_links
from ui.strings import Locale, Words

Decide = Callable[[str, str], PendingAction]
SHOWN_STEPS = ("list_orders", "get_order", "get_product", "search_products")


@dataclass(eq=False)
class Visit:
    """What the page holds for one visitor. Gradio sees a change by identity, so every update hands out a new one."""

    conversation: Conversation = field(default_factory=Conversation)

    @property
    def thread_id(self) -> str:
        return self.conversation.thread_id


class ServiceEvents:
    """What happens when the shopper does something; the visit comes in and goes out as an argument."""

    def __init__(self, desk: ServiceDesk, log_file: Path, locale: Locale = "en") -> None:
        self.desk = desk
        self.locale = locale
        self.say = Words("service", locale)
        self._log_file = log_file

    def send(self, text: str, visit: Visit | None) -> Iterator[tuple[list[dict[str, Any]], Visit, Any]]:
        """Answer one message."""
        visit = visit or Visit()
        conversation = visit.conversation
        busy = bool(conversation.turns) and not conversation.turns[-1].is_over
        if busy or not text.strip():
            yield self._chat(visit), visit, gr.skip()
            return
        turn = Turn(text.strip(), waits_for_model=not self.desk.desk.is_ready)
        conversation.turns.append(turn)
        yield self._chat(visit), visit, emptied()
        updated = time.monotonic()
        try:
            with edge(self._log_file, lambda failure: _fail(turn, failure), self.locale):
                for event in self.desk.ask(turn.question, visit.thread_id):
                    if turn.is_over:
                        return
                    turn.take(event)
                    if time.monotonic() - updated > SECONDS_BETWEEN_UPDATES:
                        yield self._chat(visit), visit, gr.skip()
                        updated = time.monotonic()
            yield self._chat(visit), Visit(conversation), IDLE
        finally:
            turn.stop()

    def picked(self, visit: Visit | None, example: gr.SelectData) -> Iterator[tuple[list[dict[str, Any]], Visit, Any]]:
        """Send an example of the empty page."""
        yield from self.send(example.value["text"], visit)

    def confirm(self, action_id: str, visit: Visit) -> tuple[list[dict[str, Any]], Visit]:
        """The shopper pressed the button: carry it out, once."""
        return self._decided(visit, action_id, self.desk.confirm, "confirmed")

    def decline(self, action_id: str, visit: Visit) -> tuple[list[dict[str, Any]], Visit]:
        """The shopper does not want it."""
        return self._decided(visit, action_id, self.desk.decline, "declined")

    def fresh(self) -> tuple[list[dict[str, Any]], None, Any]:
        """A new conversation, for another shopper."""
        return [], None, IDLE

    def _decided(
        self, visit: Visit, action_id: str, decide: Decide, outcome: str
    ) -> tuple[list[dict[str, Any]], Visit]:
        said: list[str] = []
        with edge(self._log_file, lambda failure: said.append(failure.sentence), self.locale):
            action = decide(visit.thread_id, action_id)
            said.append(self.say(outcome, what=self.say[action.tool], id=action.id))
        visit.conversation.turns.append(Turn("", failure=said[0]))
        return self._chat(visit), Visit(visit.conversation)

    def _chat(self, visit: Visit) -> list[dict[str, Any]]:
        figures = self.desk.ledger(visit.thread_id)
        return [message for turn in visit.conversation.turns for message in _messages(turn, figures, self.locale)]


def page(place: Place) -> gr.Blocks:
    """The shopper's page, an app of its own: whoever opens it can call no handler of the manager's."""
    say = place.words("service")
    with gr.Blocks(title=say["title"], **BLOCKS) as blocks:
        fill(place)
    return blocks


def fill(place: Place) -> None:
    """Put the shopper's page into the surrounding blocks."""
    events = ServiceEvents(ServiceDesk(place.desk, place.locale), place.log_file, place.locale)
    visit, say = gr.State(None), events.say
    with gr.Row(elem_id="bar"):
        gr.Markdown(f"# {escape(place.desk.shop.name)}", elem_id="mark")
        gr.Markdown(say["title"], elem_id="where")
        gr.HTML(switch_links(place, ""), elem_id="switch", padding=False)
    with gr.Row(elem_id="desk", equal_height=False):
        with gr.Column(scale=6, min_width=320, elem_id="talk"):
            chat, message, fresh = _conversation(say)
        with gr.Column(scale=5, min_width=320, elem_id="paper"):
            _cards(events, visit, chat)
    shown = [chat, visit, message]
    answering: dict[str, Any] = {**PRIVATE, "concurrency_limit": 8, "trigger_mode": "multiple"}
    sent = message.submit(events.send, [message, visit], shown, **answering)
    picked = chat.example_select(events.picked, [visit], shown, **answering)
    fresh.click(events.fresh, None, shown, cancels=[sent, picked], **PRIVATE)


def _conversation(say: Words) -> tuple[gr.Chatbot, gr.Textbox, gr.Button]:
    chat = gr.Chatbot(
        label=say["title"],
        show_label=False,
        elem_id="chat",
        height="calc(100vh - 210px)",
        min_height=360,
        layout="bubble",
        sanitize_html=True,
        allow_tags=False,
        feedback_options=None,
        buttons=[],
        placeholder=say["unread"],
        examples=[{"text": say[f"example_{what}"]} for what in ("orders", "returns", "person")],
        latex_delimiters=[],
    )
    return chat, *message_row(say)


def _cards(events: ServiceEvents, visit: gr.State, chat: gr.Chatbot) -> None:
    root = gr.context.Context.root_block
    assert root is not None

    @gr.render(inputs=visit, triggers=[visit.change, root.load], show_progress="hidden")
    def cards(now: Visit | None) -> None:
        desk, say, currency = events.desk, events.say, events.desk.desk.shop.currency
        name = desk.person(now.thread_id) if now else ""
        gr.Markdown(say("who", name=escape(name)) if name else say["nobody"], elem_id="who")
        if now is None:
            return
        for action in desk.waiting(now.thread_id):
            with gr.Column(elem_classes=["card", "waiting"]):
                gr.Markdown(proposal_card(action, currency, say))
                with gr.Row():
                    yes = gr.Button(say["confirm"], variant="primary", elem_classes="confirm", min_width=120)
                    no = gr.Button(say["decline"], elem_classes="decline", min_width=120)
            yes.click(partial(events.confirm, action.id), [visit], [chat, visit], **PRIVATE)
            no.click(partial(events.decline, action.id), [visit], [chat, visit], **PRIVATE)
        found = desk.order_cards(now.thread_id)
        if found:
            gr.Markdown(f"## {say['your_orders']}", elem_classes="section-title")
        for text in found:
            gr.Markdown(text, elem_classes=["card", "order"])


def _messages(turn: Turn, figures: Any, locale: Locale) -> Iterator[dict[str, Any]]:
    if turn.question:
        yield {"role": "user", "content": turn.question}
    for step in turn.steps:
        if step.result is not None and step.name in SHOWN_STEPS:
            for table in step.result.tables:
                said = spoken_table(table, locale)
                yield {"role": "assistant", "content": render_table(said, figures, locale, _plain)}
    if turn.failure:
        yield {"role": "assistant", "content": escape(turn.failure)}
        return
    text = turn.text
    if turn.answer is None and text.rfind("{{") > text.rfind("}}"):
        text = text[: text.rfind("{{")]
    waiting = "" if turn.answer else Words("desk", locale)["loading" if turn.waits_for_model else "thinking"]
    shown = render(spoken(text, locale), figures, locale, _plain) or waiting
    if shown:
        yield {"role": "assistant", "content": shown}


def _plain(_figure: Figure, text: str) -> str:
    return escape(text)


def _fail(turn: Turn, failure: Failure) -> None:
    turn.failure = failure.sentence
