"""What the desk does with conversations: list, search, open, rename, delete, export, and keep what people think."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from agent.spoken import spoken_plain
from shop import ToolError
from shop.threads import Verdict
from ui import threads as kept
from ui.conversation import Conversation
from ui.edge import edge
from ui.page_events import IDLE, Events, Shown

Opened = tuple[list[dict[str, Any]], Conversation | None, Shown | None, Any]


@dataclass(eq=False)
class Judged:
    """A thumb that waits for its reason."""

    turn_id: str
    verdict: Verdict


class ThreadEvents:
    """Handlers of the list of conversations; what belongs to a visitor comes in and goes out as an argument."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._say = events.say

    def loaded(self, request: gr.Request) -> Opened:
        """Open the conversation that the page's address names, so that a reload loses nothing."""
        return self._open(request.query_params.get("thread", ""), request)

    def opened(self, thread_id: str | None, conversation: Conversation | None, request: gr.Request) -> Opened:
        """Open a conversation of the list."""
        if not thread_id or (conversation is not None and conversation.thread_id == thread_id):
            return gr.skip(), gr.skip(), gr.skip(), gr.skip()
        return self._open(thread_id, request)

    def fresh(self, conversation: Conversation | None) -> Opened:
        """A new conversation, which knows nothing of the old one."""
        return [], None, None, IDLE

    def listed(self, conversation: Conversation | None, search: str, request: gr.Request) -> list[Any]:
        """The list of conversations as it now is, and the box of the open one."""
        found = self._events.threads(request).all(search)
        here = conversation.thread_id if conversation is not None and conversation.kept_in else ""
        title = next((thread.title for thread in found if thread.id == here), None)
        none = self._say["nothing_found" if search.strip() else "no_threads"]
        return [
            gr.Radio([(thread.title, thread.id) for thread in found], value=here if title is not None else None),
            gr.Markdown(none, visible=not found),
            gr.Accordion(visible=bool(here)),
            title if title is not None else gr.skip(),
            here,
        ]

    def rename(self, conversation: Conversation | None, title: str, request: gr.Request) -> None:
        """Give the open conversation another title."""
        if conversation is not None:
            with edge(self._events.place.log_file, lambda failure: gr.Warning(failure.sentence), self._events.locale):
                self._events.threads(request).rename(conversation.thread_id, title)

    def delete(self, conversation: Conversation | None, request: gr.Request) -> tuple[Any, ...]:
        """Delete the open conversation for good."""
        if conversation is not None:
            with edge(self._events.place.log_file, lambda failure: gr.Warning(failure.sentence), self._events.locale):
                self._events.threads(request).delete(conversation.thread_id)
        return *self.fresh(conversation), gr.Row(visible=False)

    def export(self, conversation: Conversation | None, request: gr.Request) -> Any:
        """A link to the open conversation as a document."""
        if conversation is None or not conversation.kept_in:
            return gr.skip()
        place, figures = self._events.place, self._events.figures(conversation, request)
        title = self._events.threads(request).thread(conversation.thread_id).title
        document = kept.as_markdown(conversation, figures, title, place.locale)
        address = place.downloads.offer(place.account(request).id, "conversation.md", document.encode())
        return gr.Markdown(f"[{self._say['export']} (Markdown)]({address})", visible=True)

    def judged(
        self, conversation: Conversation | None, pressed: gr.LikeData, request: gr.Request
    ) -> tuple[Any, Any, Judged | None]:
        """Keep a thumb at once, and ask for the reason."""
        turn = self._events.turn_at(conversation, pressed.index, request)
        if turn is None or pressed.liked == "":
            return gr.skip(), gr.skip(), None
        judged = Judged(turn.id, "good" if pressed.liked in (True, "Like") else "bad")
        with edge(self._events.place.log_file, lambda failure: gr.Warning(failure.sentence), self._events.locale):
            self._events.threads(request).judge(judged.turn_id, judged.verdict)
        label = self._say[f"feedback_{judged.verdict}"]
        return gr.Row(visible=True), gr.Textbox(value="", label=label), judged

    def reasoned(self, reason: str, judged: Judged | None, request: gr.Request) -> Any:
        """Keep the reason of a thumb."""
        if judged is not None:
            with edge(self._events.place.log_file, lambda failure: gr.Warning(failure.sentence), self._events.locale):
                self._events.threads(request).judge(judged.turn_id, judged.verdict, reason)
                gr.Info(self._say["feedback_kept"])
        return gr.Row(visible=False)

    def _open(self, thread_id: str, request: gr.Request) -> Opened:
        if not thread_id:
            return [], None, None, IDLE
        try:
            found = kept.load(self._events.threads(request), thread_id, self._say["interrupted"])
        except ToolError as error:  # deleted meanwhile, or somebody else's
            gr.Warning(spoken_plain(str(error), self._events.locale))
            return [], None, None, IDLE
        shown = self._events.brief(self._events.desk(request), found.path())
        return self._events.chat(found, request), found, shown, IDLE
