"""What tools say, in the language of the reader: their sentences are English, and phrase books hold the others."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from agent.ledger import PLACEHOLDER
from shop.types import Chart, Table

TEMPLATES, FILLED = "spoken.toml", ("spoken_figures.toml", "spoken_refusals.toml")
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z{])")
_MARK = re.compile(r"\s*(?:[-*] )?")  # of a list, before a sentence
_PART = "; "  # between the reasons of a cell
_BETWEEN = {_PART: "；", ", ": "、"}  # of a list
_PLACE = re.compile(r"\{(\d)(~?)\}")


def spoken(template: str, locale: str) -> str:
    """A template of a tool in a language, sentence by sentence; one that the book does not have stays as it is.

    The figures keep their names, so what is said of them cannot change on the way.
    """
    if locale != "zh":
        return template
    return "\n".join(_line(line) for line in template.split("\n"))


def spoken_plain(text: str, locale: str) -> str:
    """Words whose values stand in them already, in a language: a refusal, the name of a figure, its formula or reason.

    The phrase with the most words of its own is taken; words that no phrase fits stay as they are.
    """
    return _filled(text) if locale == "zh" and text else text


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
    """Every phrase: the English with `{}` for each value, and the Chinese with `{1}`, `{2}`, …

    `{1~}` is a value that consists of phrases itself.
    """
    return {english: chinese for name in (TEMPLATES, *FILLED) for english, chinese in _read(name)}


def _read(name: str) -> list[tuple[str, str]]:
    parts = tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return [phrase for part in parts.values() for phrase in part.items()]


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """What fills the places of a phrase is found by the words around them; the longest phrase first."""
    phrases = [phrase for name in FILLED for phrase in _read(name) if "{}" in phrase[0]]
    phrases.sort(key=lambda phrase: len(phrase[0]), reverse=True)
    return [(re.compile(re.escape(en).replace(r"\{\}", "(.*?)"), re.DOTALL), zh) for en, zh in phrases]


def _filled(text: str) -> str:
    if text in book() and "{}" not in text:
        return book()[text]
    for pattern, chinese in _patterns():
        found = pattern.fullmatch(text)
        if found:
            return _put(chinese, found.groups())
    return _listed(text) or text


def _put(chinese: str, values: tuple[str, ...]) -> str:
    return _PLACE.sub(lambda at: (_value if at[2] else str)(values[int(at[1]) - 1]), chinese)


def _value(text: str) -> str:
    return _listed(text) or _filled(text)


def _listed(text: str) -> str:
    """A list of phrases, each in Chinese; empty where it is none, or one of them is not in the book."""
    for between, said_between in _BETWEEN.items():
        parts = text.split(between)
        said = [_value(part) for part in parts] if len(parts) > 1 else parts
        if all(one != other for one, other in zip(parts, said, strict=True)):
            return said_between.join(said)
    return ""


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
    return _PLACE.sub(lambda place: figures[int(place[1]) - 1], found)
