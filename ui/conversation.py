"""A conversation as the page keeps it: turns as a tree of templates, where an edit or a retry is a branch."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gradio.components.chatbot import ComponentMessage

from agent.assistant import Answer, Event, StepFinished, StepStarted, TextDelta
from agent.render import render, render_table
from agent.spoken import spoken, spoken_plain, spoken_table
from agent.turns import Waiting
from shop import Chart, Figure, ToolResult
from ui.charts import draw
from ui.links import escape, figure_link
from ui.strings import Words, locale_of


@dataclass
class Step:
    """A tool call of a turn; `result` and `error` are empty while it runs."""

    name: str
    arguments: dict[str, Any]
    running: bool = True
    result: ToolResult | None = None
    error: str = ""
    seconds: float = 0.0


@dataclass
class Turn:
    """One question and what came of it; `failure` is the sentence in place of an answer, `parent` the turn before."""

    question: str
    steps: list[Step] = field(default_factory=list)
    text: str = ""
    failure: str = ""
    answer: Answer | None = None
    waits_for_model: bool = False
    chats_before: int = 0
    parent: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    next: list[str] = field(default_factory=list)  # what may be asked next
    drawn: list[ComponentMessage] | None = None  # its charts, once they were drawn

    def take(self, event: Event) -> None:
        """Enter what the assistant just did."""
        self.waits_for_model, self.chats_before = False, 0
        match event:
            case Waiting(before):
                self.chats_before = before
            case StepStarted(name, arguments):
                self.steps.append(Step(name, arguments))
                self.text = ""
            case StepFinished(name, arguments, result, error, seconds):
                step = next((s for s in self.steps if s.running and s.name == name), None)
                if step is None:
                    step = Step(name, arguments)
                    self.steps.append(step)
                step.running, step.result, step.error, step.seconds = False, result, error, seconds
            case TextDelta(text):
                self.text += text
            case Answer():
                self.text, self.answer = event.template, event

    def charts(self) -> list[Chart]:
        """What its tools would have drawn."""
        return [step.result.chart for step in self.steps if step.result is not None and step.result.chart is not None]

    @property
    def is_over(self) -> bool:
        return self.answer is not None or bool(self.failure)

    def stop(self) -> None:
        """The reader pressed stop: nothing keeps spinning."""
        for step in self.steps:
            step.running = False


@dataclass
class Conversation:
    """The turns of one thread, every branch; `head` ends the branch that is shown.

    `kept` are figures that were stored with the thread, for as long as no assistant holds it.
    """

    thread_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    turns: list[Turn] = field(default_factory=list)
    head: str = ""
    kept: dict[str, Figure] = field(default_factory=dict)
    kept_in: str = ""  # the database that knows it; empty before its first turn

    def add(self, question: str, parent: str) -> Turn:
        """A new turn that follows `parent`, and is shown."""
        turn = Turn(question, parent=parent)
        self.turns.append(turn)
        self.head = turn.id
        return turn

    def path(self) -> list[Turn]:
        """The branch that is shown, first turn first."""
        by_id = {turn.id: turn for turn in self.turns}
        path: list[Turn] = []
        here = by_id.get(self.head, self.turns[-1] if self.turns else None)
        while here is not None:
            path.append(here)
            here = by_id.get(here.parent)
        return path[::-1]

    def siblings(self, turn: Turn) -> list[Turn]:
        """The branches at a turn, itself among them, in the order they were asked."""
        return [other for other in self.turns if other.parent == turn.parent]

    def show(self, turn_id: str) -> None:
        """Show the branch through a turn, to its latest end."""
        here = turn_id
        while after := [turn.id for turn in self.turns if turn.parent == here]:
            here = after[-1]
        self.head = here

    @property
    def is_busy(self) -> bool:
        """Whether an answer is being written."""
        path = self.path()
        return bool(path) and not path[-1].is_over


def messages(conversation: Conversation, figures: Mapping[str, Figure], locale: str = "en") -> list[dict[str, Any]]:
    """The conversation as Gradio's chat messages, every figure a link to its evidence."""
    return [message for _, message in located(conversation, figures, locale)]


def located(
    conversation: Conversation, figures: Mapping[str, Figure], locale: str = "en"
) -> list[tuple[Turn, dict[str, Any]]]:
    """The messages, each with the turn that it belongs to: the page says where a button was pressed by its place."""
    path = conversation.path()
    found = []
    for number, turn in enumerate(path):
        around = conversation.siblings(turn)
        told = _Told(figures, locale_of(locale), around, is_last=turn is path[-1])
        found += [(turn, message) for message in told.messages(turn, number)]
    return found


@dataclass(frozen=True)
class _Told:
    """How turns are put into messages."""

    figures: Mapping[str, Figure]
    locale: str
    branches: list[Turn]
    is_last: bool

    @property
    def words(self) -> Words:
        return Words("desk", locale_of(self.locale))

    def messages(self, turn: Turn, number: int) -> Iterator[dict[str, Any]]:
        yield {"role": "user", "content": turn.question}
        for place, step in enumerate(turn.steps):
            yield _step_message(step, f"{number}-{place}", self.figures, self.locale)
        if turn.is_over:
            if turn.drawn is None:
                turn.drawn = [_chart(chart, self.figures, self.locale) for chart in turn.charts()]
            for drawn in turn.drawn:
                yield {"role": "assistant", "content": drawn}
            yield self._end(turn)
            return
        # A figure that streams in is whole or not there: what stands after the last open brace waits.
        text = turn.text[: turn.text.rfind("{{")] if turn.text.rfind("{{") > turn.text.rfind("}}") else turn.text
        shown = self._said(text) or _waiting(turn, self.words)
        if shown:
            yield {"role": "assistant", "content": shown}

    def _end(self, turn: Turn) -> dict[str, Any]:
        text = escape(turn.failure) if turn.failure else self._said(turn.text)
        message: dict[str, Any] = {"role": "assistant", "content": text}
        footer = " · ".join(part for part in (_spent(turn, self.words), self._stepper(turn)) if part)
        if footer:
            message["content"] += f"\n\n<small>{footer}</small>"
        if self.is_last and turn.next:
            message["options"] = [{"value": each, "label": each} for each in turn.next]
        return message

    def _said(self, template: str) -> str:
        return render(spoken(template, self.locale), self.figures, self.locale, figure_link("chat"))

    def _stepper(self, turn: Turn) -> str:
        """`‹ 2/3 ›` where the question was asked more than once; the arrows lead to the branches beside."""
        if len(self.branches) < 2:
            return ""
        place = self.branches.index(turn)
        before, after = self.branches[place - 1], self.branches[(place + 1) % len(self.branches)]
        ends = [("‹", "earlier", before), ("›", "later", after)]
        back, on = (f'[{sign}](#turn-{to.id} "{self.words[title]}")' for sign, title, to in ends)
        return f"{back} {place + 1}/{len(self.branches)} {on}"


def _waiting(turn: Turn, words: Words) -> str:
    """What stands where the answer will; nothing while a tool runs, which says so itself."""
    if turn.chats_before:
        said = words("one_ahead" if turn.chats_before == 1 else "ahead", count=turn.chats_before)
        return f"<small>{said}</small>"  # about the desk, as the footer is, and no figure of the shop's
    if turn.steps and turn.steps[-1].running:
        return ""
    return words["loading" if turn.waits_for_model else "thinking"]


def _step_message(step: Step, step_id: str, figures: Mapping[str, Figure], locale: str) -> dict[str, Any]:
    given = ", ".join(f"{name} {value}" for name, value in step.arguments.items())
    title = f"⚠ {step.name}" if step.error else step.name
    metadata: dict[str, Any] = {
        "title": title,
        "log": given,
        "id": step_id,
        "status": "pending" if step.running else "done",
    }
    if not step.running:
        metadata["duration"] = step.seconds
    return {"role": "assistant", "content": _step_text(step, figures, locale), "metadata": metadata}


def _step_text(step: Step, figures: Mapping[str, Figure], locale: str) -> str:
    if step.error:
        return escape(spoken_plain(step.error, locale))
    if step.result is None:
        return ""
    link = figure_link("chat")
    parts = [render(spoken(step.result.summary, locale), figures, locale, link)]
    parts += [render_table(spoken_table(table, locale), figures, locale, link) for table in step.result.tables]
    parts += [f"*{render(spoken(warning, locale), figures, locale, link)}*" for warning in step.result.warnings]
    rows = sum(len(table.rows) for table in step.result.tables)
    if rows:
        words = Words("desk", locale_of(locale))
        parts.append(f"<small>{words('rows', count=rows)}</small>")
    return "\n\n".join(parts)


def _chart(chart: Chart, figures: Mapping[str, Figure], locale: str) -> ComponentMessage:
    """A chart as a message holds it, made once: of a `gr.Plot` Gradio would make the JSON anew for every update."""
    value = {"type": "plotly", "plot": draw(chart, figures, locale).to_json()}
    given = {"show_label": False, "container": False}
    return ComponentMessage(component="plot", value=value, constructor_args=given, props={**given, "value": value})


def _spent(turn: Turn, words: Words) -> str:
    if turn.answer is None:
        return ""
    tokens = turn.answer.input_tokens + turn.answer.output_tokens
    counted = f" · {tokens:,} {words['tokens']}" if tokens else ""
    return f"{turn.answer.seconds:.1f} {words['seconds']}{counted}"
