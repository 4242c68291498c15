"""Where a figure comes from: the call, its inputs, the formula, the rows behind it and the day of the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rapidfuzz import process

from agent.brief.archive import load_brief
from agent.render import format_value
from agent.spoken import spoken_plain
from shop import Figure, Shop, ToolError
from ui.links import Scope, escape, figure_link
from ui.strings import Words, locale_of


def explain(figure: Figure, figures: Mapping[str, Figure], scope: Scope, locale: str = "en") -> str:
    """A figure's evidence as Markdown; figures it was made of are links to their own."""
    words = Words("inspector", locale_of(locale))
    shown = escape(format_value(figure, locale=locale))
    lines = [
        f"#### {escape(spoken_plain(figure.label, locale))}",
        f"> {shown}" if figure.unit == "passage" else f"### {shown}",
    ]
    if figure.low is not None and figure.high is not None:
        low, high = format_value(figure, "low", locale), format_value(figure, "high", locale)
        lines.append(f"{words['range']} {escape(low)} – {escape(high)}")
    facts = [(words["reason"], escape(spoken_plain(figure.reason, locale)))] if figure.reason else []
    facts.append((words["formula"], escape(spoken_plain(figure.formula, locale))))
    facts.append((words["tool"], f"`{figure.tool}` {figure.version}"))
    facts += _inputs(figure, figures, scope, locale)
    facts.append((words["as_of"], str(figure.as_of or "")))
    facts.append((words["rows"], _rows(figure, words)))
    facts.append((words["call"], f"`{figure.call}`"))
    table = ["| | |", "| --- | --- |", *(f"| {name} | {text} |" for name, text in facts if text.strip(" `"))]
    return "\n\n".join([*lines, "\n".join(table)])


def rows_table(shop: Shop, figure: Figure, limit: int = 50) -> pd.DataFrame | None:
    """The stored rows a figure names, money in the shop's currency; None when it names none."""
    if figure.rows is None:
        return None
    frame = shop.rows_behind(figure.rows, limit)
    for column in [name for name in frame.columns if name.endswith("_cents")]:
        position = frame.columns.get_loc(column)
        frame.insert(position, column.removesuffix("_cents"), frame.pop(column).astype(float) / 100)
    return frame.map(lambda cell: str(cell) if isinstance(cell, dict | list) else cell)


@dataclass(frozen=True)
class Trace:
    """A figure of a stored brief and the rows behind it."""

    figure: Figure
    rows: pd.DataFrame | None

    def as_json(self) -> dict[str, Any]:
        rows = [] if self.rows is None else json.loads(self.rows.to_json(orient="records", date_format="iso"))
        return {**self.figure.model_dump(mode="json"), "rows_behind": rows}

    def as_text(self) -> str:
        figure, words = self.figure, Words("inspector", "en")
        value = format_value(figure) + (f" ({figure.low:g} – {figure.high:g})" if figure.low and figure.high else "")
        facts = {
            words["reason"]: figure.reason,
            words["formula"]: figure.formula,
            words["tool"]: f"{figure.tool} {figure.version}",
            words["inputs"]: ", ".join(f"{name}: {_text(given)}" for name, given in figure.inputs.items()),
            words["as_of"]: str(figure.as_of or ""),
            words["rows"]: _rows(figure, words),
            words["call"]: figure.call,
        }
        lines = [f"{figure.label}: {value}", *(f"  {name:<16} {fact}" for name, fact in facts.items() if fact.strip())]
        return "\n".join(lines if self.rows is None else [*lines, "", self.rows.to_string(index=False)])


def trace(shop: Shop, brief_id: str, figure_id: str) -> Trace:
    """A figure of a stored brief with the rows behind it.

    Raises:
        ToolError: There is no such brief, or no such figure in it; the closest are listed.
    """
    figures = load_brief(shop, brief_id).figures
    if figure_id not in figures:
        close = ", ".join(key for key, _, _ in process.extract(figure_id, list(figures), limit=3))
        raise ToolError(f"Brief {brief_id} has no figure {figure_id}; close to it are {close}.")
    return Trace(figures[figure_id], rows_table(shop, figures[figure_id]))


def _inputs(figure: Figure, figures: Mapping[str, Figure], scope: Scope, locale: str) -> list[tuple[str, str]]:
    words = Words("inspector", locale_of(locale))
    sources = figure.inputs.get("of")
    if figure.tool == "ledger" and isinstance(sources, list):
        link = figure_link(scope)
        named = [figures[source] for source in sources if source in figures]
        made_of = "<br>".join(
            f"{escape(spoken_plain(f.label, locale))}: {link(f, format_value(f, locale=locale))}" for f in named
        )
        return [(words["made_of"], made_of)]
    return [(words["inputs"], "<br>".join(f"{name}: {escape(_text(value))}" for name, value in figure.inputs.items()))]


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _rows(figure: Figure, words: Mapping[str, str]) -> str:
    rows = figure.rows
    if rows is None:
        return words["none"]
    filters = [
        f"{column} = {', '.join(values[:4])}{' …' if len(values) > 4 else ''}" for column, values in rows.where.items()
    ]
    span = f"{rows.since or ''} – {rows.until or ''}" if rows.since or rows.until else ""
    counted = f"{rows.count:,}" if rows.count else ""
    return " · ".join(escape(part) for part in [rows.table, *filters, span, counted] if part)
