"""A brief as a Word document in the house's style: every figure links to its row in the table of evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import docx
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Inches, Pt, RGBColor

from agent.brief.export.charts import chart_image
from agent.brief.export.document import WORDS, Document, Part, PrintedTable, Run, Runs, document_of
from agent.brief.types import Brief
from shop.brief_log import Act
from shop.text import CHINESE

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.text.paragraph import Paragraph

INK, ACCENT, MUTED = RGBColor(0x1F, 0x29, 0x33), RGBColor(0x0B, 0x6E, 0x66), RGBColor(0x66, 0x70, 0x7C)
LINE, SHADE = "D5D9DE", "EAF2F1"
LATIN_FONT, CHINESE_FONT = "Calibri", "Microsoft YaHei"
_NARROWEST, _WIDEST, _EDGE = 9, 60, 4  # letters that a column is made for, and the room beside them
_SIZES = {"Title": 22, "Heading 1": 15, "Heading 2": 11, "Normal": 10, "List Bullet": 10}


def to_word(brief: Brief, signatures: Mapping[str, Act | None]) -> bytes:
    """The brief as .docx: sections, tables and charts, then the signatures and where every figure comes from."""
    printed = document_of(brief, signatures)
    word = docx.Document()
    writer = _Writer(word, {row[0]: f"figure_{n}" for n, row in enumerate(printed.evidence[1:], start=1)})
    _house_style(word, brief, printed)
    word.add_paragraph(printed.title, style="Title")
    stamp = word.add_paragraph()
    for name, value in printed.stamp:
        _coloured(stamp.add_run(f"{name} {value}   "), MUTED, 9)
    for note in printed.notes:
        word.add_paragraph().add_run(note).italic = True
    for part in printed.parts:
        writer.part(part, brief)
    if printed.signatures:
        word.add_heading(WORDS["signatures"].of(brief.locale), level=1)
        writer.rows(printed.signatures[0], printed.signatures[1:])
    _origins(word, writer, printed, brief.locale)
    content = BytesIO()
    word.save(content)
    return content.getvalue()


class _Writer:
    """Adds parts of a brief to a Word document; `anchors` are the bookmarks of the figures' rows of evidence."""

    def __init__(self, word: WordDocument, anchors: Mapping[str, str]) -> None:
        self._word, self._anchors = word, anchors

    def part(self, part: Part, brief: Brief) -> None:
        self._word.add_heading(part.title, level=1)
        for paragraph in part.paragraphs:
            self.runs(self._word.add_paragraph(), paragraph)
        for bullet in part.bullets:
            self.runs(self._word.add_paragraph(style="List Bullet"), bullet)
        for table in part.tables:
            self.table(table)
        for chart in part.charts:
            picture = chart_image(chart, brief.figures, brief.locale, "png")
            self._word.add_picture(BytesIO(picture), width=Inches(6.3))

    def runs(self, paragraph: Paragraph, runs: Runs, in_table: bool = False) -> None:
        for run in runs:
            anchor = self._anchors.get(run.figure)
            written = paragraph.add_run(run.text) if anchor is None else _linked(paragraph, run, anchor)
            if anchor is not None and not in_table:
                written.font.color.rgb = ACCENT

    def table(self, table: PrintedTable) -> None:
        title = self._word.add_paragraph(style="Heading 2")
        self.runs(title, table.title)
        self._fill(table.columns, table.rows, size=9)

    def rows(self, columns: Sequence[str], rows: Iterable[Sequence[str]], size: float = 9) -> Any:
        def cells(row: Sequence[str]) -> tuple[Runs, ...]:
            return tuple((Run(text),) for text in row)

        return self._fill(cells(columns), [cells(row) for row in rows], size)

    def _fill(self, columns: Sequence[Runs], rows: Sequence[Sequence[Runs]], size: float) -> Any:
        table = self._word.add_table(rows=1 + len(rows), cols=len(columns))
        _ruled(table)
        style = _cell_style(self._word, size)
        page = self._word.sections[-1]
        room = int(page.page_width or 0) - int(page.left_margin or 0) - int(page.right_margin or 0)
        widths = _widths([columns, *rows], room)
        table.autofit = False
        for column, width in zip(table.columns, widths, strict=True):
            column._gridCol.w = width  # `column.width` would go through every cell once more
        # Asked for once a row: python-docx works the grid out anew every time.
        for place, (row, cells) in enumerate(zip(table.rows, [columns, *rows], strict=True)):
            for cell, runs, width in zip(row.cells, cells, widths, strict=True):
                cell.width = width
                paragraph = cell.paragraphs[0]
                paragraph._p.get_or_add_pPr().style = style
                self.runs(paragraph, runs, in_table=True)
                if place == 0:
                    _shaded(cell)
        _repeated(table.rows[0])
        self._word.add_paragraph().paragraph_format.space_after = Pt(2)
        return table


def _house_style(word: WordDocument, brief: Brief, printed: Document) -> None:
    for name, size in _SIZES.items():
        style = word.styles[name]
        style.font.name, style.font.size = LATIN_FONT, Pt(size)
        style.font.color.rgb = ACCENT if name.startswith("Heading") else INK
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        fonts.set(qn("w:eastAsia"), CHINESE_FONT)
    word.core_properties.title = printed.title
    word.core_properties.subject = brief.plan_hash
    word.core_properties.language = "zh-CN" if brief.locale == "zh" else "en-US"
    section = word.sections[0]
    section.left_margin = section.right_margin = Inches(1)
    section.top_margin = section.bottom_margin = Inches(0.9)
    _coloured(section.header.paragraphs[0].add_run(printed.title), MUTED, 8)
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    stamp = " · ".join(f"{name} {value}" for name, value in printed.stamp[:3])
    _coloured(foot.add_run(f"{stamp} · "), MUTED, 8)
    for field in ("PAGE", "NUMPAGES"):
        if field == "NUMPAGES":
            _coloured(foot.add_run(" / "), MUTED, 8)
        _field(foot, field)


def _origins(word: WordDocument, writer: _Writer, printed: Document, locale: str) -> None:
    section = word.add_section()
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width
    section.left_margin = section.right_margin = Inches(0.5)
    word.add_heading(WORDS["calls"].of(locale), level=1)
    writer.rows(printed.calls[0], printed.calls[1:], size=7)
    word.add_heading(WORDS["evidence"].of(locale), level=1)
    table = writer.rows(printed.evidence[0], printed.evidence[1:], size=6.5)
    for number, row in enumerate(table.rows[1:], start=1):
        _bookmarked(row.cells[0].paragraphs[0], f"figure_{number}", number)


def _cell_style(word: WordDocument, size: float) -> str:
    """Id of the paragraph style of a table's cells; it also keeps an empty line from being taller than the text."""
    name = f"Cell {size:g}"
    if name not in word.styles:
        style: Any = word.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style, style.font.size = word.styles["Normal"], Pt(size)
        style.paragraph_format.space_after, style.paragraph_format.line_spacing = Pt(1), 1.0
    return str(word.styles[name].style_id)


def _widths(rows: Sequence[Sequence[Runs]], room: int) -> list[Emu]:
    """Columns as wide as their longest cell asks for, within bounds, that together fill the room."""
    longest = [max(_length(row[at]) for row in rows) for at in range(len(rows[0]))]
    asked = [min(max(length + _EDGE, _NARROWEST), _WIDEST) for length in longest]
    return [Emu(room * each // sum(asked)) for each in asked]


def _length(runs: Runs) -> int:
    return sum(2 if CHINESE.match(char) else 1 for run in runs for char in run.text)


def _coloured(run: Any, colour: RGBColor, size: float) -> None:
    run.font.color.rgb, run.font.size = colour, Pt(size)


def _linked(paragraph: Paragraph, run: Run, anchor: str) -> Any:
    """A run that leads to a bookmark of the same document."""
    link = OxmlElement("w:hyperlink")
    link.set(qn("w:anchor"), anchor)
    written = paragraph.add_run(run.text)
    link.append(written._r)
    paragraph._p.append(link)
    return written


def _bookmarked(paragraph: Paragraph, name: str, number: int) -> None:
    for kind, place in (("w:bookmarkStart", 0), ("w:bookmarkEnd", len(paragraph._p))):
        mark = OxmlElement(kind)
        mark.set(qn("w:id"), str(number))
        if kind == "w:bookmarkStart":
            mark.set(qn("w:name"), name)
        paragraph._p.insert(place + (kind == "w:bookmarkEnd"), mark)


def _field(paragraph: Paragraph, code: str) -> None:
    """A field that Word computes, such as the page's number."""
    for kind in ("begin", "", "end"):
        run = paragraph.add_run()
        _coloured(run, MUTED, 8)
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.text = code
        run._r.append(mark)


def _ruled(table: Any) -> None:
    """Thin lines between rows, none between columns."""
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "bottom", "insideH"):
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", LINE)):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    table._tbl.tblPr.append(borders)


def _shaded(cell: Any) -> None:
    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", SHADE)):
        shade.set(qn(f"w:{name}"), value)
    cell._tc.get_or_add_tcPr().append(shade)


def _repeated(row: Any) -> None:
    """The heading of a table that goes over a page stands on every page."""
    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
