"""Between the conversation on the page and the threads in the shop's database; and a thread as a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from agent.assistant import Answer
from agent.render import render, render_table
from agent.turns import pack, unpack
from shop import Figure, ToolResult
from shop.threads import StoredTurn, Threads
from ui.conversation import Conversation, Step, Turn
from ui.links import escape
from ui.strings import Locale, Words


def keep(threads: Threads, conversation: Conversation, turn: Turn, figures: Mapping[str, Figure], locale: str) -> None:
    """Store a turn as it stands; the thread is begun with its first turn, and called by its question.

    An import may have brought the desk another shop since the last turn: then the thread begins there with all it has.

    Raises:
        ToolError: The thread was deleted meanwhile.
    """
    turns = [turn]
    if conversation.kept_in != threads.place:
        turns = [*(each for each in conversation.turns if each is not turn), turn]
        threads.create(turns[0].question, conversation.thread_id)
        conversation.kept_in = threads.place
    for each in turns:
        said = each.failure or render(each.text, _known(figures), locale)
        stored = StoredTurn(each.id, each.parent, each.question, said, _document(each))
        threads.keep(conversation.thread_id, stored, figures.values())


def load(threads: Threads, thread_id: str, interrupted: str) -> Conversation:
    """A thread as it was left.

    Args:
        threads: The person's threads.
        thread_id: Which one.
        interrupted: What stands where an answer was being written when the page or the server went away.

    Raises:
        ToolError: There is no such thread of this person.
    """
    head = threads.thread(thread_id).head
    figures = {figure.id: figure for figure in threads.figures(thread_id)}
    turns = [_turn(stored, interrupted) for stored in threads.turns(thread_id)]
    for step in (step for turn in turns for step in turn.steps):
        if step.result is not None:
            step.result = step.result.model_copy(update={"figures": _of_call(figures, step.result.call)})
    return Conversation(thread_id, turns, head, figures, threads.place)


def results(conversation: Conversation) -> Iterable[ToolResult]:
    """What tools answered in a kept thread, with the figures, so that the same call is the same entry again.

    An answer with a personal figure is not among them: the figure was not kept, and must be asked for anew.
    """
    for turn in conversation.turns:
        for step in turn.steps:
            if step.result is not None:
                own = _of_call(conversation.kept, step.result.call)
                if not any(figure.private for figure in own):
                    yield step.result.model_copy(update={"figures": own})


def history(conversation: Conversation, parent: str) -> list[Any]:
    """What was said along the branch that ends with `parent`, as the assistant is told it."""
    by_id = {turn.id: turn for turn in conversation.turns}
    path: list[Turn] = []
    while parent in by_id:
        path.append(by_id[parent])
        parent = by_id[parent].parent
    return [message for turn in path[::-1] if turn.answer is not None for message in turn.answer.messages]


def as_markdown(conversation: Conversation, figures: Mapping[str, Figure], title: str, locale: Locale) -> str:
    """The branch that is shown as a document: questions, calls, tables, answers, figures in place."""
    words = Words("desk", locale)
    parts = [f"# {escape(title)}"]
    for turn in conversation.path():
        parts.append(f"## {escape(turn.question)}")
        for step in turn.steps:
            given = ", ".join(f"{name} {value}" for name, value in step.arguments.items())
            parts.append(f"*{words['called']} `{step.name}`* {escape(given)}")
            parts += [escape(step.error)] if step.error else []
            if step.result is not None:
                parts += [render_table(table, figures, locale) for table in step.result.tables]
        parts.append(escape(turn.failure) if turn.failure else render(turn.text, figures, locale))
    return "\n\n".join(part for part in parts if part) + "\n"


def _of_call(figures: Mapping[str, Figure], call: str) -> tuple[Figure, ...]:
    return tuple(figure for figure in figures.values() if figure.call == call)


def _known(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Figures whose values may be written down in words."""
    hidden = {"value": "…", "unit": "text", "low": None, "high": None}
    return {key: f.model_copy(update=hidden) if f.private else f for key, f in figures.items()}


def _document(turn: Turn) -> dict[str, Any]:
    return {
        "steps": [_step(step) for step in turn.steps if not step.running],
        "text": turn.text,
        "failure": turn.failure,
        "next": turn.next,
        "answer": _answer(turn.answer) if turn.answer is not None else None,
    }


def _answer(answer: Answer) -> dict[str, Any]:
    bare = {each.name: getattr(answer, each.name) for each in fields(answer)}
    return {**bare, "messages": pack(answer.messages)}


def _step(step: Step) -> dict[str, Any]:
    # The figures are kept once, with the thread.
    result = step.result.model_copy(update={"figures": ()}).model_dump(mode="json") if step.result else None
    return {
        "name": step.name,
        "arguments": step.arguments,
        "result": result,
        "error": step.error,
        "seconds": step.seconds,
    }


def _turn(stored: StoredTurn, interrupted: str) -> Turn:
    document = stored.document
    answer = document.get("answer")
    turn = Turn(stored.question, parent=stored.parent, id=stored.id)
    turn.steps = [
        Step(**{**row, "result": ToolResult.model_validate(row["result"]) if row["result"] else None}, running=False)
        for row in document.get("steps", [])
    ]
    turn.text, turn.next = document.get("text", ""), document.get("next", [])
    turn.answer = Answer(**{**answer, "messages": tuple(unpack(answer["messages"]))}) if answer else None
    turn.failure = document.get("failure", "") or ("" if turn.answer else interrupted)
    return turn
