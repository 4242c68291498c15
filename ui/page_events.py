"""What the page does when its reader does something; no layout here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from agent.brief.types import Brief
from agent.turns import Waiting
from shop import Figure
from shop.quantities import parse_number
from ui.briefs import Wanted
from ui.conversation import WORDS, Conversation, Turn, messages
from ui.edge import Failure, edge
from ui.inspector import explain, rows_table
from ui.links import Scope, asked_figure, escape
from ui.wiring import Desk

# Every update carries the whole conversation, so streamed text is sent a few times a second, not a word at a time.
SECONDS_BETWEEN_UPDATES = 0.08


BUSY: dict[str, Any] = {"value": "", "submit_btn": False, "stop_btn": True}
IDLE: dict[str, Any] = {"submit_btn": True, "stop_btn": False}


@dataclass(eq=False)
class Shown:
    """The brief on the page. Gradio tells states apart by their hash, and a brief, which holds dicts, has none."""

    brief: Brief


class Events:
    """Handlers of one page; what belongs to a visitor comes in and goes out as an argument."""

    def __init__(self, desk: Desk, log_file: Path) -> None:
        self._desk = desk
        self._log_file = log_file

    def send(
        self, text: str, conversation: Conversation | None, shown: Shown | None, locale: str
    ) -> Iterator[tuple[list[dict[str, Any]], Conversation, Shown | None, Any]]:
        """Answer one message, showing each step as it runs."""
        conversation = conversation or Conversation()
        busy = bool(conversation.turns) and not conversation.turns[-1].is_over
        if busy or not text.strip():
            yield self._chat(conversation, locale), conversation, shown, gr.skip()
            return
        turn = Turn(text.strip(), waits_for_model=not self._desk.is_ready)
        conversation.turns.append(turn)
        yield self._chat(conversation, locale), conversation, shown, gr.Textbox(**BUSY)
        updated = time.monotonic()
        try:
            with edge(self._log_file, lambda failure: _fail(turn, failure)):
                for event in self._desk.ask(turn.question, conversation.thread_id):
                    if turn.is_over:  # stopped while the model was at work
                        return
                    turn.take(event)
                    brief = self._desk.brief_of(event)
                    shown = Shown(brief) if brief else shown
                    waits = isinstance(event, Waiting)  # the next event may be long in coming
                    if turn.steps or waits or time.monotonic() - updated > SECONDS_BETWEEN_UPDATES:
                        yield self._chat(conversation, locale), conversation, shown, gr.skip()
                        updated = time.monotonic()
            yield self._chat(conversation, locale), conversation, shown, gr.Textbox(**IDLE)
        finally:
            turn.stop()

    def picked(
        self, conversation: Conversation | None, shown: Shown | None, locale: str, example: gr.SelectData
    ) -> Iterator[tuple[list[dict[str, Any]], Conversation, Shown | None, Any]]:
        """Send an example of the empty page."""
        yield from self.send(example.value["text"], conversation, shown, locale)

    def stopped(self, conversation: Conversation | None, locale: str) -> tuple[list[dict[str, Any]], Any]:
        """The reader pressed stop: what was written stands, and says so."""
        if conversation is None:
            return [], gr.Textbox(**IDLE)
        last = conversation.turns[-1]
        if not last.is_over:
            last.stop()
            last.failure = WORDS[locale]["stopped"]
        return self._chat(conversation, locale), gr.Textbox(**IDLE)

    def fresh(self) -> tuple[list[dict[str, Any]], None, Any]:
        """A new conversation, which knows nothing of the old one."""
        return [], None, gr.Textbox(**IDLE)

    def redraw(self, conversation: Conversation | None, locale: str) -> list[dict[str, Any]]:
        """The conversation with its figures written for another language."""
        return self._chat(conversation, locale) if conversation else []

    def write_brief(
        self,
        name: str,
        category: str | None,
        cost: str,
        price: str,
        launch_date: str,
        locale: str,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (how Gradio hands it in)
    ) -> tuple[str, Any]:
        """Write the brief of a new product from the form; what was wrong with it comes back as a sentence."""
        if not name.strip():
            return "A brief needs the product's name.", gr.skip()
        progress(0.0, desc=WORDS[locale]["loading"] if not self._desk.is_ready else "")
        failures: list[Failure] = []
        with edge(self._log_file, failures.append):
            wanted = Wanted(
                name=name,
                category=category or "",
                cost=_number(cost),
                price=_number(price),
                launch_date=launch_date,
            )
            brief = self._desk.write_brief(wanted, locale, lambda what, done, total: progress((done, total), desc=what))
            return "", Shown(brief)
        return escape(failures[0].sentence), gr.skip()

    def inspect(self, address: str, conversation: Conversation | None, shown: Shown | None, locale: str) -> list[Any]:
        """Where the figure at a link comes from: opens the inspector with its evidence and rows."""
        asked = asked_figure(address)
        figures = self._figures(asked[0], conversation, shown) if asked else {}
        figure = figures.get(asked[1]) if asked else None
        if asked is None or figure is None:
            return [gr.skip(), gr.skip(), gr.skip()]
        failures: list[Failure] = []
        rows = None
        with edge(self._log_file, failures.append):
            rows = rows_table(self._desk.shop, figure)
        text = explain(figure, figures, asked[0], locale)
        if failures:
            text += f"\n\n{failures[0].sentence}"
        return [gr.Column(visible=True), text, gr.Dataframe(rows, visible=rows is not None and not rows.empty)]

    def _figures(self, scope: Scope, conversation: Conversation | None, shown: Shown | None) -> Mapping[str, Figure]:
        if scope == "brief":
            return shown.brief.figures if shown else {}
        return self._desk.ledger(conversation.thread_id) if conversation else {}

    def _chat(self, conversation: Conversation, locale: str) -> list[dict[str, Any]]:
        return messages(conversation, self._desk.ledger(conversation.thread_id), locale)


def _number(text: str) -> float | None:
    return parse_number(text) if text.strip() else None


def _fail(turn: Turn, failure: Failure) -> None:
    turn.failure = failure.sentence
