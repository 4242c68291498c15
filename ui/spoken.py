"""What tools say, in the language of the page: their templates are English, and a phrase book holds the others."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from agent.ledger import PLACEHOLDER
from shop.types import Chart, Table

BOOK = Path(__file__).with_name("spoken.toml")
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z{])")
_MARK = re.compile(r"\s*(?:[-*] )?")  # of a list, before a sentence
_PART = "; "  # between the reasons of a cell


def spoken(template: str, locale: str) -> str:
    """A template of a tool in a language, sentence by sentence; one that the book does not have stays as it is.

    The figures keep their names, so what is said of them cannot change on the way.
    """
    if locale != "zh":
        return template
    return "\n".join(_line(line) for line in template.split("\n"))


def spoken_table(table: Table, locale: str) -> Table:
    """A table in a language."""
    if locale != "zh":
        return table
    return Table(
        title=spoken(table.title, locale),
        columns=tuple(spoken(each, locale) for each in table.columns),
        rows=tuple(tuple(spoken(cell, locale) for cell in row) for row in table.rows),
    )


def spoken_chart(chart: Chart, locale: str) -> Chart:
    """A chart in a language."""
    if locale != "zh":
        return chart
    words = {name: spoken(getattr(chart, name), locale) for name in ("title", "x_label", "y_label")}
    return chart.model_copy(update={**words, "series": {spoken(n, locale): ids for n, ids in chart.series.items()}})


@cache
def book() -> dict[str, str]:
    """Every phrase: the English template with `{}` for each figure, and the Chinese with `{1}`, `{2}`, …"""
    parts = tomllib.loads(BOOK.read_text(encoding="utf-8"))
    return {english: chinese for part in parts.values() for english, chinese in part.items()}


def _line(line: str) -> str:
    mark = _MARK.match(line)
    start = mark.end() if mark else 0
    said = [_phrase(each) for each in _SENTENCES.split(line[start:])]
    text = said[0]
    for each in said[1:]:
        text += each if text.endswith("。") else f" {each}"
    return line[:start] + text


def _phrase(text: str) -> str:
    figures = [match[0] for match in PLACEHOLDER.finditer(text)]
    found = book().get(PLACEHOLDER.sub("{}", text))
    if found is None:
        parts = text.split(_PART)
        return "；".join(map(_phrase, parts)) if len(parts) > 1 and all(each in book() for each in parts) else text
    return re.sub(r"\{(\d)\}", lambda place: figures[int(place[1]) - 1], found)
