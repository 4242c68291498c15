"""One section of a stored brief in other words: the next version, with every figure as it is."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_core.language_models import BaseChatModel

from agent.brief.archive import store_brief
from agent.brief.assemble import assemble, figures_in, plain_sentences, unbacked
from agent.brief.prose import Writer
from agent.brief.sections import SECTIONS
from agent.brief.types import Brief, Section
from agent.brief.whatif import Inputs, WhatIf
from agent.ledger import bare_numbers, placeholders, split_placeholder
from shop import Shop, ToolError
from tools.registry import BoundTool

MOST_WORDS = 4_000  # characters


def reword(shop: Shop, brief: Brief, section_id: str, text: str) -> Brief:
    """Store the brief with one section's sentences written by the acting person, as the next version.

    Args:
        shop: In the hands of who writes.
        brief: The stored brief.
        section_id: Which section.
        text: A template: figures as `{{name}}`, no number typed by hand.

    Raises:
        ToolError: The text is empty or too long, holds a number of its own, or names a figure that is not there.
    """
    said = text.strip()
    if not said:
        raise ToolError("A section needs at least one sentence; write one, or leave it as it was.")
    if len(said) > MOST_WORDS:
        raise ToolError(f"A section holds up to {MOST_WORDS} characters; shorten it.")
    typed = bare_numbers(said)
    if typed:
        raise ToolError(
            f"“{typed[0]}” is typed by hand; name a figure of the brief instead, as in {{{{launch.point}}}}."
        )
    for name in placeholders(said):
        stem, part = split_placeholder(name)
        if stem not in brief.figures or (part and getattr(brief.figures[stem], part) is None):
            raise ToolError(f"The brief has no figure {name}; take one from the section's own words or the evidence.")
    section = brief.section(section_id).model_copy(update={"text": said, "written_by": "person"})
    return _stored(shop, brief, section)


def redo(
    shop: Shop, tools: Mapping[str, BoundTool], brief: Brief, section_id: str, model: BaseChatModel | None = None
) -> Brief:
    """Store the brief with one section made anew, as the next version: a model's words where it writes there.

    Args:
        shop: In the hands of who asks.
        tools: Bound tools by name, as the brief was compiled with.
        brief: The stored brief.
        section_id: Which section.
        model: Words the sentences; None for plain ones.

    Raises:
        ToolError: The shop's data give other figures by now: one section alone would not agree with the others.
    """
    answer = WhatIf(tools, shop, brief).ask(Inputs())
    if any((each.after or each.before).unit != "text" for each in answer.changed):  # type: ignore[union-attr]
        raise ToolError(
            f"The shop's data have changed since {brief.id}, and one section alone would not agree with the others; "
            "write the brief again on today's data."
        )
    declared = next(section for section in SECTIONS if section.id == section_id)
    words = ""
    if model is not None and declared.prose:
        plain = plain_sentences(declared, answer.plan)
        words = Writer(model, brief.settings.prose_seconds).write(declared, answer.plan, plain)
    return _stored(shop, brief, assemble(declared, answer.plan, words))


def _stored(shop: Shop, brief: Brief, new: Section) -> Brief:
    new = new.model_copy(update={"figures": figures_in(new)})
    sections = tuple(new if section.id == new.id else section for section in brief.sections)
    found = tuple(unbacked(sections, [finding.text for finding in brief.findings], brief.notes))
    return store_brief(shop, brief.model_copy(update={"sections": sections, "unbacked": found}))
