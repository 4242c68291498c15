"""A brief as a short deck: the sections a meeting decides on, native charts, and the origin of figures in the notes."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pptx
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
from pptx.enum.text import PP_ALIGN
from pptx.util import Inches, Pt

from agent.brief.export.document import Document, Part, PrintedTable, Runs, document_of, plain, printable
from agent.brief.types import Brief, Section
from agent.render import chart_points, format_value, render
from shop.text import is_chinese, sentences, shorten
from shop.types import Chart

if TYPE_CHECKING:
    from pptx.presentation import Presentation
    from pptx.slide import Slide

SECTIONS = (
    "decision",
    "demand",
    "price",
    "economics",
    "buy",
    "promotion",
    "scenarios",
    "risks",
    "calendar",
    "signoffs",
)
INK, ACCENT, MUTED = RGBColor(0x1F, 0x29, 0x33), RGBColor(0x0B, 0x6E, 0x66), RGBColor(0x66, 0x70, 0x7C)
SHADE, WHITE = RGBColor(0xEA, 0xF2, 0xF1), RGBColor(0xFF, 0xFF, 0xFF)
COLOURS = (ACCENT, RGBColor(0xC2, 0x62, 0x2D), RGBColor(0x5B, 0x5F, 0x97), RGBColor(0x8A, 0x8D, 0x91))
_WIDTH, _HEIGHT, _EDGE = 13.333, 7.5, 0.6
_TITLE_LAYOUT, _BODY_LAYOUT = 0, 5  # of python-pptx's own template: a title slide, a slide with a title alone
_MOST_ROWS, _MOST_LINES = 12, 6
_MOST_COLUMNS = 5  # of a table that stands beside the text
_ROW = 0.36  # inches
_LONGEST = 420  # characters of a paragraph that a slide carries
_CHARTS = {"fan": XL_CHART_TYPE.LINE, "line": XL_CHART_TYPE.LINE_MARKERS, "bar": XL_CHART_TYPE.COLUMN_CLUSTERED}


def to_powerpoint(brief: Brief) -> bytes:
    """The summary as .pptx; a section that knows nothing has no slide."""
    printed, deck = document_of(brief), pptx.Presentation()
    deck.slide_width, deck.slide_height = Inches(_WIDTH), Inches(_HEIGHT)
    deck.core_properties.title, deck.core_properties.subject = printed.title, brief.plan_hash
    _cover(deck, brief, printed)
    for part, section in zip(printed.parts, brief.sections, strict=True):
        if part.id in SECTIONS and section.status != "unknown":
            _slide(deck, brief, printed, part, section)
    content = BytesIO()
    deck.save(content)
    return content.getvalue()


def _cover(deck: Presentation, brief: Brief, printed: Document) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[_TITLE_LAYOUT])
    title, below = slide.shapes.title, slide.placeholders[1]
    for shape, top, height in ((title, 2.2, 1.4), (below, 3.8, 1.6)):
        shape.left, shape.top, shape.width, shape.height = map(Inches, (_EDGE, top, _WIDTH - 2 * _EDGE, height))
    _write(title.text_frame, printed.title, 40, ACCENT, bold=True)
    _write(below.text_frame, " · ".join(" ".join(pair) for pair in printed.stamp), 16, MUTED)
    first = next(part for part in printed.parts if part.id == "decision")
    slide.notes_slide.notes_text_frame.text = "\n".join(plain(paragraph) for paragraph in first.paragraphs)


def _slide(deck: Presentation, brief: Brief, printed: Document, part: Part, section: Section) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[_BODY_LAYOUT])
    title = slide.shapes.title
    title.left, title.top, title.width, title.height = map(Inches, (_EDGE, 0.35, _WIDTH - 2 * _EDGE, 0.8))
    _write(title.text_frame, part.title, 28, ACCENT, bold=True)
    below = not part.charts and any(len(table.columns) > _MOST_COLUMNS for table in part.tables[:1])
    beside = bool(part.charts or part.tables) and not below
    width = 5.6 if beside else _WIDTH - 2 * _EDGE
    box = slide.shapes.add_textbox(*map(Inches, (_EDGE, 1.3, width, 5.4)))
    _body(box.text_frame, part)
    if below:
        _tables(slide, part.tables, (_EDGE, 2.5, width))
    elif beside:
        place = (_EDGE + width + 0.3, 1.3, _WIDTH - 2 * _EDGE - width - 0.3)
        if part.charts:
            _chart(slide, part.charts[0], brief, place)
        else:
            _tables(slide, part.tables, place)
    foot = slide.shapes.add_textbox(*map(Inches, (_EDGE, 6.95, _WIDTH - 2 * _EDGE, 0.35)))
    stamp = " · ".join(" ".join(pair) for pair in printed.stamp[:3])
    _write(foot.text_frame, f"{stamp} · {len(deck.slides)}", 10, MUTED)
    slide.notes_slide.notes_text_frame.text = _origins(printed, section)


def _body(frame: Any, part: Part) -> None:
    frame.word_wrap = True
    lines = [plain(runs) for runs in (*part.paragraphs, *part.bullets)][:_MOST_LINES]
    for number, text in enumerate(lines):
        paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
        is_bullet = number >= len(part.paragraphs)
        run = paragraph.add_run()
        run.text = ("• " if is_bullet else "") + _shortened(text)
        run.font.size, run.font.color.rgb = Pt(13 if is_bullet else 15), INK
        paragraph.space_after = Pt(8)


def _shortened(text: str) -> str:
    """As many whole sentences as a slide carries."""
    kept, *others = sentences(text) or [text]
    for sentence in others:
        if len(kept) + len(sentence) >= _LONGEST:
            break
        kept += ("" if is_chinese(kept) else " ") + sentence
    return shorten(kept, _LONGEST)


def _tables(slide: Slide, tables: tuple[PrintedTable, ...], place: tuple[float, float, float]) -> None:
    """The first table, and those after it that find room below."""
    left, top, width = place
    used = 0
    for table in tables:
        rows: list[tuple[Runs, ...]] = [table.columns, *table.rows[:_MOST_ROWS]]
        if used and used + len(rows) > _MOST_ROWS:
            break
        _table(slide, rows, (left, top + _ROW * used, width))
        used += len(rows) + 1


def _table(slide: Slide, rows: list[tuple[Runs, ...]], place: tuple[float, float, float]) -> None:
    left, top, width = place
    frame = slide.shapes.add_table(len(rows), len(rows[0]), *map(Inches, (left, top, width, _ROW * len(rows))))
    for at, cells in enumerate(rows):
        for column, runs in enumerate(cells):
            cell = frame.table.cell(at, column)
            _write(cell.text_frame, plain(runs), 11 if len(rows[0]) < 6 else 9, INK, bold=at == 0)
            cell.fill.solid()
            cell.fill.fore_color.rgb = SHADE if at == 0 else WHITE
            cell.margin_top = cell.margin_bottom = Pt(2)


def _chart(slide: Slide, chart: Chart, brief: Brief, place: tuple[float, float, float]) -> None:
    points = chart_points(chart, brief.figures)
    points.pop("x")
    data = CategoryChartData()
    data.categories = [printable(format_value(brief.figures[name], "", brief.locale)) for name in chart.x]
    for name, values in points.items():
        data.add_series(printable(name), values)
    left, top, width = place
    shape = slide.shapes.add_chart(_CHARTS[chart.kind], *map(Inches, (left, top, width, 5.3)), data)
    drawn = shape.chart
    drawn.has_title = True
    _write(drawn.chart_title.text_frame, printable(render(chart.title, brief.figures, brief.locale)), 14, INK)
    drawn.has_legend = len(points) > 1
    if drawn.has_legend:
        drawn.legend.position, drawn.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    for colour, series in zip(COLOURS, drawn.plots[0].series, strict=False):
        shape_of = series.format.fill if chart.kind == "bar" else series.format.line.fill
        shape_of.solid()
        shape_of.fore_color.rgb = colour
    for axis in (drawn.category_axis, drawn.value_axis):
        axis.tick_labels.font.size = Pt(10)


def _origins(printed: Document, section: Section) -> str:
    """The figures of a slide as its notes name them: id, value, who made it."""
    rows = {row[0]: row for row in printed.evidence[1:]}
    return "\n".join(f"{name} = {rows[name][2]} ← {rows[name][3]}" for name in section.figures if name in rows)


def _write(frame: Any, text: str, size: float, colour: RGBColor, bold: bool = False) -> None:
    frame.word_wrap = True
    paragraph = frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.LEFT
    run = paragraph.add_run()
    run.text = text
    run.font.size, run.font.bold, run.font.color.rgb = Pt(size), bold, colour
