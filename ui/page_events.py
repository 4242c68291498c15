"""What the desk does when its reader asks, asks again, stops, or follows a figure; no layout here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from agent.brief.types import Brief
from agent.turns import Waiting
from shop import Figure
from shop.threads import Threads
from ui import threads as kept
from ui.conversation import Conversation, Turn, located, messages
from ui.drawer import Figures, opened
from ui.edge import Failure, edge
from ui.followups import follow_ups
from ui.links import Scope, asked_figure, asked_turn
from ui.place import Place, session_of
from ui.wiring import Desk

# Every update carries the whole conversation, so streamed text is sent a few times a second, not a word at a time.
SECONDS_BETWEEN_UPDATES = 0.08
Update = tuple[list[dict[str, Any]], Conversation, "Shown | None", Any]

# The box for the message after an answer; a component made for it takes milliseconds.
IDLE: dict[str, Any] = gr.update(submit_btn=True, stop_btn=False)


def emptied() -> dict[str, Any]:
    """The box while an answer is written; made anew each time, since Gradio takes the value out of what it is given."""
    return dict(gr.update(value="", submit_btn=False, stop_btn=True))


@dataclass(eq=False)
class Shown:
    """The brief on the page. Gradio tells states apart by their hash, and a brief, which holds dicts, has none."""

    brief: Brief


class Events:
    """Handlers of one page; what belongs to a visitor comes in and goes out as an argument."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.locale = place.locale
        self.say = place.words("desk")

    def desk(self, request: gr.Request | None) -> Desk:
        """The desk in the hands of whoever asks."""
        return self.place.desk.acting_as(session_of(self.place.account(request)), self.locale)

    def threads(self, request: gr.Request | None) -> Threads:
        """The conversations of whoever asks."""
        return Threads(self.place.desk.shop.engine, self.place.account(request).id)

    def send(
        self, text: str, conversation: Conversation | None, shown: Shown | None, request: gr.Request
    ) -> Iterator[Update]:
        """Answer one message, showing each step as it runs."""
        conversation = conversation or Conversation()
        if conversation.is_busy or not text.strip():
            yield self.chat(conversation, request), conversation, shown, gr.skip()
            return
        path = conversation.path()
        turn = conversation.add(text.strip(), path[-1].id if path else "")
        yield from self._answer(turn, conversation, shown, request)

    def picked(
        self, conversation: Conversation | None, shown: Shown | None, example: gr.SelectData, request: gr.Request
    ) -> Iterator[Update]:
        """Send an example of the empty page, or what the page suggests to ask next."""
        text = example.value["text"] if isinstance(example.value, dict) else example.value
        yield from self.send(str(text), conversation, shown, request)

    def retry(
        self, conversation: Conversation | None, shown: Shown | None, pressed: gr.RetryData, request: gr.Request
    ) -> Iterator[Update]:
        """Ask the same again, as a branch beside the first answer."""
        turn = self.turn_at(conversation, pressed.index, request)
        yield from self._again(turn, turn.question if turn else "", conversation, shown, request)

    def edit(
        self, conversation: Conversation | None, shown: Shown | None, pressed: gr.EditData, request: gr.Request
    ) -> Iterator[Update]:
        """Ask with other words, as a branch beside the first question."""
        turn = self.turn_at(conversation, pressed.index, request)
        yield from self._again(turn, str(pressed.value), conversation, shown, request)

    def branch(
        self, address: str, conversation: Conversation | None, request: gr.Request
    ) -> tuple[list[dict[str, Any]], Conversation | None]:
        """Show the branch that an arrow leads to, and remember that it is the one shown."""
        turn_id = asked_turn(address)
        if conversation is None or conversation.is_busy or turn_id not in {turn.id for turn in conversation.turns}:
            return gr.skip(), conversation
        assert turn_id is not None
        conversation.show(turn_id)
        with edge(self.place.log_file, lambda failure: gr.Warning(failure.sentence), self.locale):
            self.threads(request).show(conversation.thread_id, conversation.head)
        return self.chat(conversation, request), conversation

    def stopped(self, conversation: Conversation | None, request: gr.Request) -> tuple[list[dict[str, Any]], Any]:
        """The reader pressed stop: what was written stands, and says so."""
        path = conversation.path() if conversation else []
        if conversation is None or not path:
            return [], IDLE
        if not path[-1].is_over:
            path[-1].stop()
            path[-1].failure = self.say["stopped"]
        return self.chat(conversation, request), IDLE

    def inspect(
        self, address: str, conversation: Conversation | None, shown: Shown | None, request: gr.Request
    ) -> list[Any]:
        """Where the figure at a link comes from: opens the inspector with its evidence and rows."""
        asked = asked_figure(address)
        figures = self._figures(asked[0], conversation, shown, request) if asked else {}
        return opened(self.place, address, Figures(figures))

    def chat(self, conversation: Conversation, request: gr.Request | None) -> list[dict[str, Any]]:
        """The conversation as the chat shows it."""
        return self._chat(conversation, self.desk(request))

    def _chat(self, conversation: Conversation, desk: Desk) -> list[dict[str, Any]]:
        return messages(conversation, _figures(conversation, desk), self.locale)

    def figures(self, conversation: Conversation, request: gr.Request | None) -> Mapping[str, Figure]:
        """The figures of a conversation: those the assistant holds, else those that were kept."""
        return _figures(conversation, self.desk(request))

    def _again(
        self,
        turn: Turn | None,
        question: str,
        conversation: Conversation | None,
        shown: Shown | None,
        request: gr.Request,
    ) -> Iterator[Update]:
        if conversation is None or turn is None or conversation.is_busy or not question.strip():
            now = conversation or Conversation()
            yield self.chat(now, request), now, shown, gr.skip()
            return
        yield from self._answer(conversation.add(question.strip(), turn.parent), conversation, shown, request)

    def turn_at(self, conversation: Conversation | None, index: Any, request: gr.Request) -> Turn | None:
        """The turn of the message at which a button was pressed."""
        if conversation is None:
            return None
        place = index[0] if isinstance(index, list | tuple) else index
        found = located(conversation, self.figures(conversation, request), self.locale)
        return found[place][0] if 0 <= place < len(found) else None

    def _answer(
        self, turn: Turn, conversation: Conversation, shown: Shown | None, request: gr.Request
    ) -> Iterator[Update]:
        desk, threads = self.desk(request), self.threads(request)  # asked once: each is a look into a database
        turn.waits_for_model = not desk.is_ready
        yield self._chat(conversation, desk), conversation, shown, emptied()
        try:
            with edge(self.place.log_file, lambda failure: _fail(turn, failure), self.locale):
                self._keep(turn, conversation, desk, threads)
                yield from self._stream(desk, turn, conversation, shown)
                with edge(self.place.log_file, lambda failure: None):  # without a suggestion the answer still stands
                    turn.next = follow_ups(conversation.path(), (*desk.tools, "write_brief"), desk.shop, self.locale)
            shown = self.brief(desk, [turn]) or shown
            yield self._chat(conversation, desk), conversation, shown, IDLE
        finally:
            # Also where the page was closed in the middle: whoever comes back finds what there was.
            turn.stop()
            with edge(self.place.log_file, lambda failure: None):
                self._keep(turn, conversation, desk, threads)

    def _stream(self, desk: Desk, turn: Turn, conversation: Conversation, shown: Shown | None) -> Iterator[Update]:
        if conversation.kept:
            desk.restore(conversation.thread_id, kept.results(conversation), conversation.kept.values())
        updated = time.monotonic()
        for event in desk.ask(turn.question, conversation.thread_id, kept.history(conversation, turn.parent)):
            if turn.is_over:  # stopped while the model was at work
                return
            turn.take(event)
            waits = isinstance(event, Waiting)  # the next event may be long in coming
            if turn.steps or waits or time.monotonic() - updated > SECONDS_BETWEEN_UPDATES:
                yield self._chat(conversation, desk), conversation, shown, gr.skip()
                updated = time.monotonic()
        conversation.kept = dict(desk.ledger(conversation.thread_id))  # the assistant may be let go of

    def brief(self, desk: Desk, turns: Sequence[Turn]) -> Shown | None:
        """The last brief that these turns led to."""
        results = [step.result for turn in turns for step in turn.steps if step.result is not None]
        briefs = (desk.brief_in(result) for result in reversed(results))
        return next((Shown(brief) for brief in briefs if brief is not None), None)

    def _keep(self, turn: Turn, conversation: Conversation, desk: Desk, threads: Threads) -> None:
        kept.keep(threads, conversation, turn, _figures(conversation, desk), self.locale)

    def _figures(
        self, scope: Scope, conversation: Conversation | None, shown: Shown | None, request: gr.Request
    ) -> Mapping[str, Figure]:
        if scope == "brief":
            return shown.brief.figures if shown else {}
        return self.figures(conversation, request) if conversation else {}


def _fail(turn: Turn, failure: Failure) -> None:
    if not turn.is_over:
        turn.failure = failure.sentence


def _figures(conversation: Conversation, desk: Desk) -> Mapping[str, Figure]:
    """The figures of a conversation: those the assistant holds, else those that were kept."""
    return desk.ledger(conversation.thread_id) or conversation.kept
