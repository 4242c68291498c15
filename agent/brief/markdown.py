"""A brief as Markdown, every figure linked to its row of evidence, or as plain text for a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from agent.brief.declare import Text
from agent.brief.types import Brief, Finding, Section
from agent.ledger import PARTS
from agent.render import Link, citations, format_value, render, render_table
from agent.spoken import spoken_plain
from shop import Figure
from shop.types import Table

_WORDS = {
    "brief": Text("Launch brief", "上市简报"),
    "incomplete": Text("incomplete", "待补充"),
    "unknown": Text("unknown", "未知"),
    "missing": Text("Missing", "缺少"),
    "stop": Text("Stop", "否决"),
    "error": Text("To mend", "须改"),
    "warning": Text("Note", "注意"),
    "figures": Text("Figures", "数值明细"),
    "from": Text("computed from", "由以下数值算得"),
    "to": Text("to", "至"),
    "rows": Text("rows of", "行，表"),
    "given": Text("this brief", "本简报"),
}
EVIDENCE_COLUMNS = (
    Text("Id", "编号"),
    Text("Figure", "名称"),
    Text("Value", "数值"),
    Text("Made by", "来源"),
    Text("Inputs", "输入"),
    Text("Formula", "算法"),
    Text("Rows", "数据行"),
    Text("Data to", "数据截至"),
)
_SPECIAL = re.compile(r"([\\`*_\[\]<>~]|:(?=//)|(?<=www)\.)")  # the last two: readers link bare addresses


def to_markdown(brief: Brief) -> str:
    """The brief as Markdown. Each figure is a link to its row in the evidence section, where its origin is written."""
    locale = brief.locale

    def link(figure: Figure, text: str) -> str:
        return f"[{escape(text)}](#{figure.id})"

    head = f"# {said('brief', locale)}{link(brief.figures['item.name'], brief.subject.name)}"
    parts = [head, *(f"*{note}*" for note in brief.notes)]
    for section in brief.sections:
        body = _body(brief, section, link, lambda table: render_table(table, brief.figures, locale, link))
        parts += [f"## {heading_of(section, locale)}", *body]
    return "\n\n".join([*parts, f"### {word('figures', locale)}", evidence_table(brief)]) + "\n"


def to_text(brief: Brief) -> str:
    """The brief as plain text for a terminal: the same words, no links, tables in columns."""
    locale = brief.locale
    title = f"{said('brief', locale)}{brief.subject.name}"
    parts = [title + "\n" + "=" * _width(title), *brief.notes]
    for section in brief.sections:
        heading = heading_of(section, locale)
        body = _body(brief, section, None, lambda table: _columns(table, brief))
        parts += [heading + "\n" + "-" * _width(heading), *body]
    return "\n\n".join(parts) + "\n"


def section_text(brief: Brief, section: Section) -> str:
    """One section's words and tables with the values in place, without its heading."""
    locale = brief.locale
    return "\n\n".join(_body(brief, section, None, lambda table: render_table(table, brief.figures, locale)))


def evidence_table(brief: Brief) -> str:
    """One row for every figure that the brief shows and for those they are computed from."""
    locale = brief.locale
    head = " | ".join(column.of(locale) for column in EVIDENCE_COLUMNS)
    cited = citations(brief.figures)
    rows = [" | ".join(_evidence(brief.figures[name], locale, cited.get(name, 0))) for name in traced(brief)]
    return "\n".join([f"| {head} |", "|" + " --- |" * len(EVIDENCE_COLUMNS), *(f"| {row} |" for row in rows)])


def traced(brief: Brief) -> list[str]:
    """Ids of the figures shown, and of the figures those are computed from, in the order of the ledger."""
    wanted, queue = set[str](), ["item.name", *(name for section in brief.sections for name in section.figures)]
    while queue:
        name = queue.pop()
        if name not in wanted:
            wanted.add(name)
            queue += sources_of(brief.figures[name])
    return [name for name in brief.figures if name in wanted]


def escape(text: str) -> str:
    """Text from outside made harmless in Markdown; the pipe is left to whoever builds a table."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _body(brief: Brief, section: Section, link: Link | None, show: Callable[[Table], str]) -> list[str]:
    locale = brief.locale
    bullets = [f"- {render(bullet, brief.figures, locale, link)}" for bullet in section.bullets]
    bullets += [_finding(found, brief, link) for found in brief.findings if found.section == section.id]
    lacking = [f"- {said('missing', locale)}{missing.text}" for missing in section.missing]
    parts = [render(section.text, brief.figures, locale, link), "\n".join([*bullets, *lacking])]
    return [part for part in (*parts, *(show(table) for table in section.tables)) if part]


def _finding(found: Finding, brief: Brief, link: Link | None) -> str:
    words = ("" if brief.locale == "zh" else " ").join(part for part in (found.text, found.mend) if part)
    return f"- {said(found.severity, brief.locale)}{render(words, brief.figures, brief.locale, link)}"


def heading_of(section: Section, locale: str) -> str:
    """A section's heading, with its status unless that is complete."""
    if section.status == "complete":
        return section.title
    status = word(section.status, locale)
    return f"{section.title}（{status}）" if locale == "zh" else f"{section.title} ({status})"


def evidence_cells(figure: Figure, locale: str, number: int = 0) -> tuple[str, ...]:
    """What is to be said of a figure's origin, one cell for each of `EVIDENCE_COLUMNS`; `number` is a citation's."""
    shown = format_value(figure, "", locale)
    if figure.low is not None and figure.high is not None:
        low, high = (format_value(figure, part, locale) for part in PARTS)
        shown += f" ({low} {word('to', locale)} {high})"
    if figure.value is None:
        shown += f" ({spoken_plain(figure.reason, locale)})"
    rows = f"{figure.rows.count} {word('rows', locale)} {figure.rows.table}" if figure.rows else ""
    sources = sources_of(figure)
    made = figure.call if figure.tool != "ledger" or sources else word("given", locale)
    given = ", ".join(f"{name}={value}" for name, value in figure.inputs.items() if name != "of")
    inputs = f"{word('from', locale)} {', '.join(sources)}" if sources else given
    label = spoken_plain(figure.label, locale)
    name = f"[{number}] {label}" if number else label
    as_of = figure.as_of.isoformat() if figure.as_of else ""
    return (figure.id, name, shown, made, inputs, spoken_plain(figure.formula, locale), rows, as_of)


def _evidence(figure: Figure, locale: str, number: int) -> list[str]:
    figure_id, name, shown, made, inputs, formula, rows, as_of = evidence_cells(figure, locale, number)
    sources = sources_of(figure)
    linked = f"{word('from', locale)} " + ", ".join(f"[{source}](#{source})" for source in sources)
    cells = [*map(escape, (name, shown, made)), linked if sources else escape(inputs), *map(escape, (formula, rows))]
    return [f'<a id="{figure_id}"></a>`{figure_id}`', *(cell.replace("|", "\\|") for cell in cells), as_of]


def sources_of(figure: Figure) -> list[str]:
    return list(figure.inputs.get("of", ())) if figure.tool == "ledger" else []


def _columns(table: Table, brief: Brief) -> str:
    rows = [table.columns, *([render(cell, brief.figures, brief.locale) for cell in row] for row in table.rows)]
    widths = [max(_width(row[at]) for row in rows) for at in range(len(table.columns))]
    lines = ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([render(table.title, brief.figures, brief.locale), lines[0], rule, *lines[1:]])


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    # Chinese characters take two columns of a terminal.
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def said(key: str, locale: str) -> str:
    """A word of the brief with a colon after it."""
    return word(key, locale) + ("：" if locale == "zh" else ": ")


def word(key: str, locale: str) -> str:
    """A word that the brief's renderers share."""
    return _WORDS[key].of(locale)
