"""A brief as words, tables and charts in the order in which they are printed: what every file format starts from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.brief.declare import Text
from agent.brief.markdown import evidence_cells, heading_of, said, sources_of, traced
from agent.brief.types import Brief, Finding, Section
from agent.ledger import PLACEHOLDER, placeholders, split_placeholder
from agent.render import citations, render
from shop import Figure
from shop.brief_log import Act
from shop.types import Chart, Table

# What XML cannot hold; a product's name may come with anything.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
WORDS = {
    "id": Text("Brief", "简报编号"),
    "plan": Text("Plan hash", "方案编号"),
    "data": Text("Data up to", "数据截至"),
    "written": Text("Written on", "编制日期"),
    "signatures": Text("Signed so far", "当前会签"),
    "office": Text("Office", "部门"),
    "word": Text("Word", "意见"),
    "by": Text("By", "签署人"),
    "on": Text("On", "日期"),
    "why": Text("Reason", "原因"),
    "sign": Text("signed", "同意"),
    "refuse": Text("refused", "不同意"),
    "open": Text("open", "待签"),
    "evidence": Text("Where every figure comes from", "数值来源"),
    "calls": Text("Tool calls", "工具调用"),
}
_CALL_COLUMNS = (
    Text("Call", "调用"),
    Text("Tool", "工具"),
    Text("Version", "版本"),
    Text("Inputs", "输入"),
    Text("Data to", "数据截至"),
)
_EVIDENCE_COLUMNS = (
    Text("Id", "编号"),
    Text("Figure", "名称"),
    Text("Value", "数值"),
    Text("Made by", "来源"),
    Text("Formula", "算法"),
    Text("Rows", "数据行"),
)
_OFFICES = {
    "merchandising": Text("Merchandising", "商品"),
    "supply": Text("Supply", "供应"),
    "finance": Text("Finance", "财务"),
    "marketing": Text("Marketing", "市场"),
    "service": Text("Service", "客服"),
    "legal": Text("Legal", "法务"),
}


@dataclass(frozen=True)
class Run:
    """A piece of text; where it shows a figure, the figure's id."""

    text: str
    figure: str = ""


Runs = tuple[Run, ...]


@dataclass(frozen=True)
class PrintedTable:
    """A table with its values in place."""

    title: Runs
    columns: tuple[Runs, ...]
    rows: tuple[tuple[Runs, ...], ...]


@dataclass(frozen=True)
class Part:
    """A section as it is printed; `chart` ids are figures, as the brief has them."""

    id: str
    title: str
    paragraphs: tuple[Runs, ...]
    bullets: tuple[Runs, ...]
    tables: tuple[PrintedTable, ...]
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Document:
    """A brief ready to be printed.

    Attributes:
        title, stamp: The heading, and the line below it that says which plan this is.
        notes: How the brief was made, where that is worth saying.
        parts: The sections.
        signatures: Where signatures are asked for: office, word, by, on, reason; its first row are the headings.
        calls: One row for every tool call; its first row are the headings.
        evidence: One row for every figure shown or used, its id first; its first row are the headings.
    """

    title: str
    stamp: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    parts: tuple[Part, ...]
    signatures: tuple[tuple[str, ...], ...]
    calls: tuple[tuple[str, ...], ...]
    evidence: tuple[tuple[str, ...], ...]


def document_of(brief: Brief, signatures: Mapping[str, Act | None] | None = None) -> Document:
    """The brief in its own language, every value in place, with the signatures given since it was written."""
    locale = brief.locale
    stamp = {
        "id": brief.id,
        "plan": brief.plan_hash[:12],
        "data": brief.data_cutoff.isoformat(),
        "written": brief.created_on.isoformat(),
    }
    return Document(
        title=f"{said('brief', locale)}{printable(brief.subject.name)}",
        stamp=tuple((WORDS[key].of(locale), value) for key, value in stamp.items()),
        notes=brief.notes,
        parts=tuple(_part(brief, section) for section in brief.sections),
        signatures=tuple(_signatures(signatures or {}, locale)),
        calls=tuple(_calls(brief)),
        evidence=tuple(_evidence(brief)),
    )


def printable(text: str) -> str:
    """Text without characters that no document can hold."""
    return _UNPRINTABLE.sub("", text)


def plain(runs: Runs) -> str:
    """Runs as text."""
    return "".join(run.text for run in runs)


def filled(template: str, figures: Mapping[str, Figure], locale: str) -> Runs:
    """A template as runs, so that a renderer can link each value to its evidence."""
    found, at = [], 0
    for match in PLACEHOLDER.finditer(template):
        found.append(Run(printable(template[at : match.start()])))
        stem, _ = split_placeholder(match[1])
        found.append(Run(printable(render(match[0], figures, locale)), stem))
        at = match.end()
    found.append(Run(printable(template[at:])))
    return tuple(run for run in found if run.text)


def single(cell: str) -> str:
    """The one figure that a cell of a table consists of, as `id`, `id.low` or `id.high`; empty if it is more."""
    named = placeholders(cell)
    return named[0] if len(named) == 1 and not PLACEHOLDER.sub("", cell).strip() else ""


def _part(brief: Brief, section: Section) -> Part:
    figures, locale = brief.figures, brief.locale
    findings = [found for found in brief.findings if found.section == section.id]
    bullets = [
        *(filled(bullet, figures, locale) for bullet in section.bullets),
        *(_finding(brief, found) for found in findings),
        *((Run(printable(said("missing", locale) + missing.text)),) for missing in section.missing),
    ]
    return Part(
        id=section.id,
        title=printable(heading_of(section, locale)),
        paragraphs=tuple(filled(text, figures, locale) for text in section.text.split("\n\n") if text),
        bullets=tuple(bullets),
        tables=tuple(_table(table, figures, locale) for table in section.tables),
        charts=section.charts,
    )


def _finding(brief: Brief, found: Finding) -> Runs:
    text = " ".join(part for part in (found.text, found.mend) if part)
    return (Run(said(found.severity, brief.locale)), *filled(text, brief.figures, brief.locale))


def _table(table: Table, figures: Mapping[str, Figure], locale: str) -> PrintedTable:
    def row(cells: Sequence[str]) -> tuple[Runs, ...]:
        return tuple(filled(cell, figures, locale) for cell in cells)

    return PrintedTable(filled(table.title, figures, locale), row(table.columns), tuple(map(row, table.rows)))


def _calls(brief: Brief) -> Iterator[tuple[str, ...]]:
    yield tuple(column.of(brief.locale) for column in _CALL_COLUMNS)
    for call in brief.calls:
        made = next((figure for figure in brief.figures.values() if figure.call == call["call"]), None)
        inputs = ", ".join(f"{name}={value}" for name, value in call["inputs"].items())
        version, as_of = (made.version, made.as_of) if made else ("", None)
        day = as_of.isoformat() if as_of else ""
        yield tuple(map(printable, (str(call["call"]), str(call["tool"]), version, inputs, day)))


def _evidence(brief: Brief) -> Iterator[tuple[str, ...]]:
    """A row for each figure; the inputs of a call are said once, with the call."""
    locale, numbers = brief.locale, citations(brief.figures)
    yield tuple(column.of(locale) for column in _EVIDENCE_COLUMNS)
    for name in traced(brief):
        figure = brief.figures[name]
        _, label, shown, made, inputs, formula, rows, _ = evidence_cells(figure, locale, numbers.get(name, 0))
        formula = "; ".join(part for part in (formula, inputs if sources_of(figure) else "") if part)
        yield tuple(map(printable, (name, label, shown, made, formula, rows)))


def _signatures(given: Mapping[str, Act | None], locale: str) -> Iterator[tuple[str, ...]]:
    if not given:
        return
    yield tuple(WORDS[key].of(locale) for key in ("office", "word", "by", "on", "why"))
    for office, act in given.items():
        name = _OFFICES[office].of(locale)
        if act is None:
            yield (name, WORDS["open"].of(locale), "", "", "")
        else:
            by = act.actor.id or act.actor.role
            yield (name, WORDS[act.kind].of(locale), by, act.day.isoformat(), printable(act.reason))
