"""A brief as an Excel workbook: formulas over inputs, demand by week, the sections, charts, and the evidence."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from xlsxwriter import Workbook

from agent.brief.export.document import Document, document_of, plain, printable, single
from agent.brief.export.excel_cells import PARTS, Cells, named, part_of, value_of
from agent.brief.export.excel_plan import write_plan
from agent.brief.markdown import EVIDENCE_COLUMNS
from agent.brief.types import Brief
from agent.ledger import split_placeholder
from agent.render import format_value, render
from agent.spoken import spoken_plain
from shop import Figure
from shop.types import Chart

_CHART_ROWS = 16  # that a chart covers
_TYPES = {"bar": "column", "line": "line", "fan": "line"}


def to_excel(brief: Brief) -> bytes:
    """The brief as .xlsx. What others wrote stands in text cells: none of it can become a formula or a link."""
    content = BytesIO()
    as_text = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(content, {"in_memory": True, **as_text}) as workbook:
        workbook.set_properties({"title": f"{brief.id} {printable(brief.subject.name)}", "subject": brief.plan_hash})
        cells, printed = Cells(workbook, brief), document_of(brief)
        _evidence(cells)
        write_plan(cells, printed)
        _sections(cells, printed)
        _charts(cells)
    return content.getvalue()


def _evidence(cells: Cells) -> None:
    """Every figure of the brief with its origin; every other sheet takes its values from here."""
    name, label, value, made, inputs, formula, rows, as_of = (each.of(cells.locale) for each in EVIDENCE_COLUMNS)
    head = (name, label, value, "P10", "P90", "", made, "", inputs, formula, rows, as_of)
    cells.row("evidence", 0, head)
    for row, figure in enumerate(cells.brief.figures.values(), start=1):
        cells.text("evidence", row, 0, figure.id)
        cells.text("evidence", row, 1, spoken_plain(figure.label, cells.locale))
        for column, part in enumerate(PARTS, start=2):
            if not part or value_of(figure, part) is not None:
                cells.value("evidence", row, column, figure, part)
                cells.evidence[part_of(figure.id, part)] = cells.address("evidence", row, column)
        for column, text in enumerate(_origin(figure, cells.locale), start=5):
            cells.text("evidence", row, column, text)
    cells.at.update(cells.evidence)
    sheet = cells.sheets["evidence"]
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(cells.brief.figures), len(head) - 1)
    for column, width in enumerate((34, 30, 14, 12, 12, 9, 26, 30, 40, 60, 24, 12)):
        sheet.set_column(column, column, width)


def _origin(figure: Figure, locale: str) -> tuple[str, ...]:
    tool = f"{figure.tool} {figure.version}".strip()
    inputs = ", ".join(f"{key}={value}" for key, value in figure.inputs.items())
    rows = f"{figure.rows.count} × {figure.rows.table}" if figure.rows else ""
    as_of = figure.as_of.isoformat() if figure.as_of else ""
    return (figure.unit, figure.call, tool, inputs, spoken_plain(figure.formula, locale), rows, as_of)


def _sections(cells: Cells, printed: Document) -> None:
    """The sections as text and values, for reading and for filtering."""
    row = 0
    for part, section in zip(printed.parts, cells.brief.sections, strict=True):
        cells.text("brief", row, 0, part.title, "title")
        row += 1
        for runs in (*part.paragraphs, *part.bullets):
            cells.text("brief", row, 0, plain(runs))
            row += 1
        for table, source in zip(part.tables, section.tables, strict=True):
            cells.text("brief", row, 0, plain(table.title), "bold")
            cells.row("brief", row + 1, [plain(column) for column in table.columns])
            row += 2
            for shown, written in zip(table.rows, source.rows, strict=True):
                for column, (runs, cell) in enumerate(zip(shown, written, strict=True)):
                    _cell(cells, row, column, plain(runs), single(cell))
                row += 1
            row += 1
        row += 1
    cells.sheets["brief"].set_column(0, 0, 40)
    cells.sheets["brief"].set_column(1, 12, 18)


def _cell(cells: Cells, row: int, column: int, text: str, name: str) -> None:
    figure, part = named(cells.brief, name)
    if figure is None or figure.unit in ("text", "passage") or value_of(figure, part) is None:
        cells.text("brief", row, column, text)
    else:
        cells.value("brief", row, column, figure, part)


def _charts(cells: Cells) -> None:
    """Every chart of the brief as a native one, its points beside it."""
    row = 0
    for section in cells.brief.sections:
        for chart in section.charts:
            row = _chart(cells, row, chart)


def _chart(cells: Cells, row: int, chart: Chart) -> int:
    figures, name = cells.brief.figures, cells.names["charts"]
    title, last = printable(render(chart.title, figures, cells.locale)), row + len(chart.x)
    cells.row("charts", row, (title, *chart.series))
    drawn: Any = cells.workbook.add_chart({"type": _TYPES[chart.kind]})
    for at, point in enumerate(chart.x, start=row + 1):
        stem, part = split_placeholder(point)
        cells.text("charts", at, 0, format_value(figures[stem], part, cells.locale))
    for column, (series, points) in enumerate(chart.series.items(), start=1):
        for at, point in enumerate(points, start=row + 1):
            stem, part = split_placeholder(point)
            cells.value("charts", at, column, figures[stem], part)
        where = {"categories": [name, row + 1, 0, last, 0], "values": [name, row + 1, column, last, column]}
        drawn.add_series({"name": printable(series), **where})
    drawn.set_title({"name": title, "name_font": {"size": 12}})
    drawn.set_x_axis({"name": printable(chart.x_label)})
    drawn.set_y_axis({"name": printable(chart.y_label)})
    drawn.set_size({"width": 640, "height": 300})
    cells.sheets["charts"].insert_chart(row, len(chart.series) + 2, drawn)
    return max(last, row + _CHART_ROWS) + 2
