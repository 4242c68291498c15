"""A conversation as the page keeps it: turns as templates, so that a change of language rewrites every figure."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.assistant import Answer, Event, StepFinished, StepStarted, TextDelta
from agent.render import render, render_table
from agent.turns import Waiting
from shop import Figure, ToolResult
from ui.links import escape, figure_link

WORDS = {
    "en": {
        "stopped": "Stopped.",
        "seconds": "s",
        "tokens": "tokens",
        "thinking": "Thinking …",
        "loading": "The language model is still loading …",
        "ahead": "{count:,} chats ahead of you",
        "one_ahead": "{count} chat ahead of you",
    },
    "zh": {
        "stopped": "已停止。",
        "seconds": "秒",
        "tokens": "个词元",
        "thinking": "思考中……",
        "loading": "语言模型仍在加载……",
        "ahead": "前面还有 {count:,} 个对话",
        "one_ahead": "前面还有 {count} 个对话",
    },
}


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
    """One question and what came of it; `failure` is the sentence in place of an answer."""

    question: str
    steps: list[Step] = field(default_factory=list)
    text: str = ""
    failure: str = ""
    answer: Answer | None = None
    waits_for_model: bool = False
    chats_before: int = 0

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

    @property
    def is_over(self) -> bool:
        return self.answer is not None or bool(self.failure)

    def stop(self) -> None:
        """The reader pressed stop: nothing keeps spinning."""
        for step in self.steps:
            step.running = False


@dataclass
class Conversation:
    """The turns of one page's visitor."""

    thread_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    turns: list[Turn] = field(default_factory=list)


def messages(conversation: Conversation, figures: Mapping[str, Figure], locale: str = "en") -> list[dict[str, Any]]:
    """The conversation as Gradio's chat messages, every figure a link to its evidence."""
    return [
        message
        for number, turn in enumerate(conversation.turns)
        for message in _turn_messages(turn, number, figures, locale)
    ]


def _turn_messages(turn: Turn, number: int, figures: Mapping[str, Figure], locale: str) -> Iterator[dict[str, Any]]:
    words = WORDS[locale]
    yield {"role": "user", "content": turn.question}
    for place, step in enumerate(turn.steps):
        yield _step_message(step, f"{number}-{place}", figures, locale)
    if turn.failure:
        yield {"role": "assistant", "content": escape(turn.failure)}
    elif turn.answer is not None:
        text = render(turn.text, figures, locale, figure_link("chat"))
        yield {"role": "assistant", "content": f"{text}\n\n{_footer(turn.answer, words)}"}
    else:
        # A figure that streams in is whole or not there: what stands after the last open brace waits.
        text = turn.text[: turn.text.rfind("{{")] if turn.text.rfind("{{") > turn.text.rfind("}}") else turn.text
        shown = render(text, figures, locale, figure_link("chat")) or _waiting(turn, words)
        if shown:
            yield {"role": "assistant", "content": shown}


def _waiting(turn: Turn, words: Mapping[str, str]) -> str:
    """What stands where the answer will; nothing while a tool runs, which says so itself."""
    if turn.chats_before:
        said = words["one_ahead" if turn.chats_before == 1 else "ahead"].format(count=turn.chats_before)
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
        return escape(step.error)
    if step.result is None:
        return ""
    link = figure_link("chat")
    parts = [render(step.result.summary, figures, locale, link)]
    parts += [render_table(table, figures, locale, link) for table in step.result.tables]
    parts += [f"*{render(warning, figures, locale, link)}*" for warning in step.result.warnings]
    return "\n\n".join(parts)


def _footer(answer: Answer, words: Mapping[str, str]) -> str:
    tokens = answer.input_tokens + answer.output_tokens
    counted = f" · {tokens:,} {words['tokens']}" if tokens else ""
    return f"<small>{answer.seconds:.1f} {words['seconds']}{counted}</small>"
