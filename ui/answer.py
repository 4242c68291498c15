"""One question, one answer, for the terminal."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from agent.assistant import Answer, StepFinished, StepStarted
from agent.ledger import placeholders, split_placeholder
from agent.render import citations, format_value, render
from ui.wiring import Desk


def answer(desk: Desk, question: str, locale: str, on_step: Callable[[str, dict[str, Any]], None]) -> dict[str, Any]:
    """The answer with its figures in place, the steps taken and the figures mentioned, as plain values.

    Raises:
        ToolError: The model cannot be had; the sentence says what to do.
    """
    thread_id = uuid.uuid4().hex
    steps: list[dict[str, Any]] = []
    template, about = "", {}
    for event in desk.ask(question, thread_id):
        match event:
            case StepStarted(name, arguments):
                on_step(name, arguments)
            case StepFinished(name, arguments, _, error, seconds):
                steps.append({"tool": name, "inputs": arguments, "error": error, "seconds": seconds})
            case Answer(said, seconds, read, written):
                template, about = said, {"seconds": seconds, "input_tokens": read, "output_tokens": written}
    ledger = desk.ledger(thread_id)
    mentioned = {split_placeholder(name)[0] for name in placeholders(template)}
    figures = {name: values for name, values in ledger.as_json().items() if name in mentioned}
    text = render(template, ledger, locale)
    cited = [
        {"number": number, "source": ledger[name].label, "text": format_value(ledger[name])}
        for name, number in citations(ledger).items()
        if name in mentioned
    ]
    return {"text": text, "steps": steps, "figures": figures, "sources": cited, **about}
