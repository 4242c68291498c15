"""Policies: the passages that were in force on the order's day, conflicts shown, and nothing made up."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from shop import Passage, Rows, Shop, Table, ToolError, ToolResult
from shop.dates import parse_day
from shop.passages import Hit, Scope, Searcher
from shop.text import clean, language_of, shorten
from shop.types import Day
from tools.figures import Sheet
from tools.registry import tool

SURE = 0.4  # a passage below this match does not answer the question
NEAR_BEST = 0.6  # further passages must come this close to the best one
MOST_SHOWN = 4
MOST_LAUNCHED = 2


@tool("read", "public")
def search_policies(shop: Shop, question: str, order_date: Day | None = None) -> ToolResult:
    """Find what the shop's policies say about a question, as of the day of the order.

    Args:
        question: The question, in English or Chinese.
        order_date: Day the order was placed, as said; today if left out.
    """
    if shop.searcher is None:
        raise ToolError("The shop's policies cannot be searched here; run `./debut index` and start the desk again.")
    day = parse_day(order_date, shop.today) if order_date else shop.today
    if day > shop.today:
        raise ToolError(f"An order of {day} lies after {shop.today}; give the day the order was placed.")
    found = shop.searcher.search(question, Scope(kinds=("policy",), in_force=day), limit=20)
    hits = answering(found.hits, language_of(question))
    sheet = Sheet()
    asked = "the day that was said" if order_date else "today: no day was said"
    sheet.add("policies.day", "In force on", day, "date", asked)
    warnings = [found.degraded[0].upper() + found.degraded[1:] + "."] if found.degraded else []
    written = shop.policies(as_of=day).set_index("id", drop=False)
    shown = written.loc[[hit.ref for hit in hits if hit.ref in written.index]]
    launched = _launched(shop.searcher, sheet, question, day, set(shown.index))
    if shown.empty:
        return _without_policy(sheet, launched, warnings)
    found_in = {hit.ref: hit.passage for hit in hits}
    rows = tuple(
        _row(sheet, number, policy, found_in[policy["id"]]) for number, (_, policy) in enumerate(shown.iterrows(), 1)
    )
    warnings += _conflicts(sheet, shown, written)
    if not order_date:
        warnings += _earlier(shop, shown)
    return ToolResult(
        summary="{{policies.item_1_name}}, in force since {{policies.item_1_from}}: {{policies.item_1_text}} "
        "{{policies.item_1_source}}",
        figures=sheet.figures,
        tables=(
            Table(title="What the policies say", columns=("Policy", "In force since", "Text", "Source"), rows=rows),
            *launched,
        ),
        warnings=tuple(warnings),
    )


def answering(hits: tuple[Hit, ...], language: str) -> list[Hit]:
    """The hits sure enough to answer, one per policy, in the question's language where that has any; best first."""
    sure = [hit for hit in hits if hit.match >= SURE]
    sure = [hit for hit in sure if hit.language == language] or sure
    best = max((hit.score for hit in sure), default=0.0)
    kept: dict[str, Hit] = {}
    for hit in sure:
        if hit.score >= NEAR_BEST * best:
            kept.setdefault(hit.ref, hit)
    return list(kept.values())[:MOST_SHOWN]


def _launched(searcher: Searcher, sheet: Sheet, question: str, day: date, shown: set[str]) -> tuple[Table, ...]:
    """What approved launches say about it, as far as no policy shown already does; no table where they say nothing."""
    found = searcher.search(question, Scope(kinds=("faq", "claim"), in_force=day), limit=20)
    sure = [hit for hit in found.hits if hit.match >= SURE and hit.language == language_of(question)]
    new = [
        hit
        for hit in sure
        if hit.kind == "claim" or not any(f"(policy {policy})" in hit.passage.source for policy in shown)
    ]
    rows = []
    for number, hit in enumerate(new[:MOST_LAUNCHED], 1):
        stem = f"policies.launch_{number}"
        own = Rows(table="briefs", where={"id": (hit.ref,)}, count=1)
        text = shorten(clean(hit.passage.text), 600)
        rows.append(
            (
                sheet.add(f"{stem}_text", "Text", text, "text", "approved brief", rows=own, untrusted=True),
                sheet.add(f"{stem}_from", "Holds since", hit.day, "date", "first day", rows=own, reason="not said"),
                sheet.cite(f"{stem}_source", hit.passage, own),
            )
        )
    table = Table(title="What approved launches say", columns=("Text", "Holds since", "Source"), rows=tuple(rows))
    return (table,) if rows else ()


def _without_policy(sheet: Sheet, launched: tuple[Table, ...], warnings: list[str]) -> ToolResult:
    """The answer where no policy is about the question: what a launch says, or that nobody does."""
    summary = "This is not in the policies in force on {{policies.day}}; hand the question over to a person."
    if launched:
        summary = "{{policies.launch_1_text}} {{policies.launch_1_source}} The policies say nothing about it."
    return ToolResult(summary=summary, figures=sheet.figures, tables=launched, warnings=tuple(warnings))


def _row(sheet: Sheet, number: int, policy: pd.Series, passage: Passage) -> tuple[str, ...]:
    stem = f"policies.item_{number}"
    rows = Rows(table="policies", where={"id": (policy["id"],)}, count=1)
    name = f"{policy['title']}: {policy['section']} ({policy['id']})"
    text = shorten(clean(policy["text"]), 600)
    return (
        sheet.add(f"{stem}_name", "Policy", name, "text", "title and section", rows=rows, untrusted=True),
        sheet.add(f"{stem}_from", "In force since", policy["effective_from"], "date", "first day", rows=rows),
        sheet.add(f"{stem}_text", "Text", text, "text", "as written", rows=rows, untrusted=True),
        sheet.cite(f"{stem}_source", passage, rows),
    )


def _conflicts(sheet: Sheet, shown: pd.DataFrame, written: pd.DataFrame) -> list[str]:
    """Sections in force on the same day, of the same name and language, that say different things."""
    warnings = []
    for number, (_, policy) in enumerate(shown.iterrows(), 1):
        same = (written[["title", "section", "language"]] == policy[["title", "section", "language"]]).all(axis=1)
        others = written[same & (written["text"] != policy["text"])]
        for which, (_, other) in enumerate(others.iterrows(), 1):
            key = f"policies.item_{number}_conflict_{which}"
            text = f"{other['id']}: {shorten(clean(other['text']), 300)}"
            rows = Rows(table="policies", where={"id": (other["id"],)}, count=1)
            formula = "same section, same day"
            told = sheet.add(key, "Says otherwise", text, "text", formula, rows=rows, untrusted=True)
            warnings.append(
                f"{{{{policies.item_{number}_name}}}} conflicts with another version in force on "
                f"{{{{policies.day}}}}, {told}; ask the owner of the policies which one holds."
            )
    return warnings


def _earlier(shop: Shop, shown: pd.DataFrame) -> list[str]:
    """Where an earlier version of the first answer exists, orders placed under it need it."""
    first = shown.iloc[0]
    start: date = first["effective_from"]
    before = shop.policies(as_of=start - timedelta(days=1))
    same = (before[["title", "section", "language"]] == first[["title", "section", "language"]]).all(axis=1)
    if not same.any():
        return []
    return ["Another version applied before {{policies.item_1_from}}: for an older order, say when it was placed."]
