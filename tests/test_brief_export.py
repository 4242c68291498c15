"""A brief as a file: what stands in each format, formulas that give the brief's figures, and foreign text as text."""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
import zipfile
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import icalendar
import openpyxl
import pptx
import pypdf
import pytest
import typst
from brief_tools import small_tools
from sqlalchemy import insert

from agent.brief import Brief, BriefSettings, compile_brief
from agent.brief.export import FORMATS, export
from agent.brief.export.charts import chart_image
from agent.brief.export.document import document_of, plain, single
from agent.brief.export.excel_model import BLOCKS, is_live
from agent.brief.export.pdf import to_pdf
from agent.brief.versions import override, sign, signatures
from shop import Shop, ToolError
from shop import schema as t
from shop.session import Session

EVIL = '=HYPERLINK("http://evil.example","Aurora") 1.7 <b>|#set page\x0b'
SHOWN = EVIL.replace("\x0b", "")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose today is 2026-06-01, in the hands of the manager m-1."""
    shop = Shop.open(f"sqlite:///{tmp_path_factory.mktemp('export') / 'shop.db'}", create=True)
    with shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-1", name="Old kettle", category="Kettles"))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 5, 31), units=1, revenue_cents=100))
    return shop.acting_as(Session("manager", "m-1", now=lambda: datetime(2026, 6, 1, 9)))


def brief_of(shop: Shop, name: str = EVIL, locale: str = "en", **changes: Any) -> Brief:
    given = {"category": "Kettles", "cost": 10.0, "price": 25.0, "launch_date": date(2026, 9, 1), **changes}
    draft = shop.add_draft(name, **given)  # type: ignore[arg-type]
    settings = BriefSettings(locale="zh" if locale == "zh" else "en")
    return compile_brief(small_tools(shop, {}), shop, draft, settings=settings, budget=400.0)


@pytest.fixture(scope="module")
def brief(shop: Shop) -> Brief:
    return brief_of(shop)


@pytest.fixture(scope="module")
def chinese(shop: Shop) -> Brief:
    return brief_of(shop, "极光电热水壶", "zh")


@pytest.fixture(scope="module")
def made(brief: Brief) -> dict[str, bytes]:
    """The brief in every format."""
    return {kind: export(brief, kind)[1] for kind in FORMATS}


@pytest.fixture(scope="module")
def pdf_words(made: dict[str, bytes]) -> str:
    return words_of_pdf(made["pdf"])


def words_of_pdf(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(content)).pages)


def words_of_word(content: bytes) -> str:
    document = docx.Document(BytesIO(content))
    # Links are no runs of their own in python-docx's eyes: take what is written anywhere.
    return "\n".join(element.text or "" for element in document.element.body.iter() if element.tag.endswith("}t"))


# -- every format -----------------------------------------------------------------------------------------------------


def test_every_format_has_a_name_and_a_type(brief: Brief, made: dict[str, bytes]) -> None:
    assert all(made.values())
    assert all("/" in about.media_type for about in FORMATS.values())
    assert export(brief, "calendar")[0] == f"{brief.id}.ics"
    with pytest.raises(ToolError, match="choose one of markdown, word"):
        export(brief, "wordstar")


def test_json_is_the_promised_one(brief: Brief, made: dict[str, bytes]) -> None:
    document = json.loads(made["json"])
    assert document["id"] == brief.id
    assert set(document["figures"]) == set(brief.figures)


def test_the_printed_document_has_every_value_in_place(brief: Brief) -> None:
    printed = document_of(brief)
    assert [part.id for part in printed.parts] == [section.id for section in brief.sections]
    shown = {run.figure for part in printed.parts for text in (*part.paragraphs, *part.bullets) for run in text}
    assert shown - {""} <= {row[0] for row in printed.evidence}
    assert "{{" not in "".join(plain(text) for part in printed.parts for text in part.paragraphs)
    assert printed.signatures == ()
    assert single("{{price.planned.low}}") == "price.planned.low"
    assert single("from {{price.planned}}") == single("–") == ""


# -- text that others wrote -------------------------------------------------------------------------------------------


def test_a_name_that_looks_like_a_formula_stays_text_in_excel(made: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(BytesIO(made["excel"]))
    found = [cell for sheet in book for row in sheet.iter_rows() for cell in row if "HYPERLINK" in str(cell.value)]
    assert found
    # openpyxl takes a text that begins with = for a formula; the file itself says what it is.
    with zipfile.ZipFile(BytesIO(made["excel"])) as content:
        sheets = [content.read(name).decode() for name in content.namelist() if "worksheets/sheet" in name]
        relations = [name for name in content.namelist() if "worksheets/_rels" in name]
        links = "".join(content.read(name).decode() for name in relations)
    assert not any("HYPERLINK" in sheet for sheet in sheets)  # it stands among the shared strings, as text
    assert "hyperlink" not in links


def test_a_name_stays_text_in_word_powerpoint_pdf_and_calendar(made: dict[str, bytes], pdf_words: str) -> None:
    assert SHOWN in words_of_word(made["word"])
    deck = pptx.Presentation(BytesIO(made["powerpoint"]))
    assert SHOWN in deck.slides[0].shapes.title.text_frame.text
    assert "".join(SHOWN.split()) in "".join(pdf_words.split())
    calendar = icalendar.Calendar.from_ical(made["calendar"])
    assert str(calendar["x-wr-calname"]) == SHOWN


# -- Chinese ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_chinese_can_be_taken_out_of_the_pdf_again(chinese: Brief) -> None:
    if not any("CJK" in name for name in typst.Fonts().families()):
        warnings.warn("CHINESE PDF IS NOT TESTED: install Debian's package `fonts-noto-cjk`", stacklevel=1)
        pytest.skip("no font with Chinese characters is installed")
    words = "".join(words_of_pdf(export(chinese, "pdf")[1]).split())
    for said in ("上市简报：极光电热水壶", "需求预测", "数值来源", "决策"):
        assert said in words


def test_a_machine_without_chinese_fonts_says_so(chinese: Brief) -> None:
    with pytest.raises(ToolError, match="No font here has Chinese characters"):
        to_pdf(chinese, {}, typst.Fonts(include_system_fonts=False))


def test_chinese_in_word_powerpoint_and_excel(chinese: Brief) -> None:
    assert "极光电热水壶" in words_of_word(export(chinese, "word")[1])
    book = openpyxl.load_workbook(BytesIO(export(chinese, "excel")[1]))
    assert book.sheetnames == ["测算", "需求", "简报", "图表", "依据"]
    deck = pptx.Presentation(BytesIO(export(chinese, "powerpoint")[1]))
    assert "极光电热水壶" in deck.slides[0].shapes.title.text_frame.text


# -- origin -----------------------------------------------------------------------------------------------------------


def test_word_leads_from_each_value_to_its_row_of_evidence(brief: Brief, made: dict[str, bytes]) -> None:
    body = docx.Document(BytesIO(made["word"])).element.body
    space = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    links = {link.get(f"{space}anchor") for link in body.iter(f"{space}hyperlink")}
    marks = [mark.get(f"{space}name") for mark in body.iter(f"{space}bookmarkStart")]
    assert links
    assert links <= set(marks)
    assert len(marks) == len(set(marks)) == len(document_of(brief).evidence) - 1


def test_word_has_the_house_template(brief: Brief, made: dict[str, bytes]) -> None:
    word = docx.Document(BytesIO(made["word"]))
    assert SHOWN in word.sections[0].header.paragraphs[0].text
    foot = word.sections[0].footer
    assert brief.plan_hash[:12] in foot.paragraphs[0].text
    codes = [element.text for element in foot._element.iter() if element.tag.endswith("}instrText")]
    assert codes == ["PAGE", "NUMPAGES"]
    headings = [each.text for each in word.paragraphs if each.style is not None and each.style.name == "Heading 1"]
    assert len(headings) == len(brief.sections) + 2
    assert len(word.inline_shapes) == sum(len(section.charts) for section in brief.sections) > 0


def test_the_signatures_given_since_are_printed(shop: Shop, brief: Brief) -> None:
    sign(shop, brief.id, "finance", agrees=False, reason="The margin is thin.")
    given = signatures(shop, brief.id)
    words = words_of_word(export(brief, "word", given)[1])
    assert "The margin is thin." in words
    assert "Marketing" in words
    assert ("Finance", "refused", "m-1", "2026-06-01", "The margin is thin.") in document_of(brief, given).signatures


def test_the_pdf_is_tagged_has_bookmarks_and_comes_out_the_same_twice(
    brief: Brief, made: dict[str, bytes], pdf_words: str
) -> None:
    assert export(brief, "pdf")[1] == made["pdf"]
    reader = pypdf.PdfReader(BytesIO(made["pdf"]))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]  # type: ignore[index]
    assert len(reader.outline) >= len(brief.sections)
    assert "launch.units_12w" in pdf_words


def test_slides_name_the_origin_of_their_figures_in_their_notes(made: dict[str, bytes]) -> None:
    deck = pptx.Presentation(BytesIO(made["powerpoint"]))
    assert len(deck.slides) > 4
    demand = next(slide for slide in deck.slides if "Demand" in slide.shapes.title.text_frame.text)
    assert "launch.units_12w = 600 (400 to 900) ← forecast_launch" in demand.notes_slide.notes_text_frame.text
    charts = [shape.chart for shape in demand.shapes if shape.has_chart]
    assert [list(series.values) for series in charts[0].plots[0].series][1] == [50.0] * 12


def test_the_calendar_moves_its_events_with_the_next_version(shop: Shop, brief: Brief) -> None:
    def events(of: Brief) -> dict[str, Any]:
        calendar = icalendar.Calendar.from_ical(export(of, "calendar")[1])
        return {str(event["uid"]): event for event in calendar.walk("VEVENT")}

    before = events(brief)
    assert before
    launch = next(event for uid, event in before.items() if uid.endswith("task.launch@debut"))
    assert launch.decoded("dtstart") == date(2026, 9, 1)
    assert launch.decoded("dtend") == date(2026, 9, 2)
    draft = brief.subject.model_copy(update={"launch_date": date(2026, 9, 15)})
    after = events(compile_brief(small_tools(shop, {}), shop, draft, budget=400.0))
    assert set(after) == set(before)
    moved = after[f"{draft.id}-task.launch@debut"]
    assert moved.decoded("dtstart") == date(2026, 9, 15)
    assert int(moved["sequence"]) > int(launch["sequence"])


# -- formulas ---------------------------------------------------------------------------------------------------------


def without_results(content: bytes, to: Path) -> Path:
    """The workbook without the values that its formulas had, so that whoever reads it has to compute."""
    openpyxl.load_workbook(BytesIO(content)).save(to)
    return to


def agree(computed: dict[tuple[int, int], Any], brief: Brief) -> int:
    """Compare the rows of the plan with the brief's figures; returns how many numbers were compared."""
    compared = 0
    for (row, column), name in computed.items():
        figure = brief.figures.get(str(name)) if column == 7 else None
        if figure is None:
            continue
        for at, expected in ((2, figure.value), (3, figure.low), (4, figure.high)):
            got = computed.get((row, at))
            if isinstance(got, int | float) and expected is not None:
                assert got == pytest.approx(expected), (name, at)
                compared += 1
    return compared


def by_formulas(file: Path, sheet: str = "PLAN") -> dict[tuple[int, int], Any]:
    """The plan as the library `formulas` computes it."""
    import formulas

    found: dict[tuple[int, int], Any] = {}
    for name, cell in formulas.ExcelModel().loads(str(file)).finish().calculate().items():
        book, _, place = str(name).rpartition("!")
        if f"]{sheet}'" in book and ":" not in place:
            at = openpyxl.utils.cell.coordinate_from_string(place)
            value = cell.value[0, 0]
            found[at[1], openpyxl.utils.column_index_from_string(at[0])] = getattr(value, "item", lambda v=value: v)()
    return found


def test_formulas_give_the_figures_of_the_brief(brief: Brief, tmp_path: Path, made: dict[str, bytes]) -> None:
    file = without_results(made["excel"], tmp_path / "plan.xlsx")
    live = [line.figure for block in BLOCKS for line in block.rows if line.figure in brief.figures]
    assert all(is_live(brief, line) for block in BLOCKS for line in block.rows if line.figure in brief.figures)
    assert len(live) >= 11
    assert agree(by_formulas(file), brief) > len(live)


def test_another_price_and_cost_give_what_the_brief_would(shop: Shop, tmp_path: Path, made: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(BytesIO(made["excel"]))
    plan = book["Plan"]
    rows = {plan.cell(row, 7).value: row for row in range(plan.max_row, 0, -1)}
    plan.cell(rows["item.cost"], 2).value = 12
    plan.cell(rows["price.planned"], 2).value = 20
    book.save(tmp_path / "changed.xlsx")
    computed = by_formulas(tmp_path / "changed.xlsx")
    units = 600 * (20 / 25) ** -2.0  # along the elasticity
    expected = {
        "economics.unit_contribution": 8.0,
        "launch.revenue_12w": units * 20,
        "economics.contribution_12w": units * 8,
        "buy.cash": 500 * 12.0,
        "decision.cash_at_risk": 500 * 12.0 + 400,
        "economics.break_even_units": 320,  # 6,400 at 20 a unit
        "economics.payback_week": 5,  # 78.1 units a week
    }
    found = {name: computed[row, 2] for name, row in rows.items() if name in expected}
    assert found == pytest.approx(expected)


@pytest.mark.slow
def test_fees_are_cells_that_the_formulas_take_off(shop: Shop, tmp_path: Path) -> None:
    draft = shop.add_draft("Jug", "Kettles", cost=10.0, price=25.0, launch_date=date(2026, 9, 1))
    settings = BriefSettings(payment_fee=0.02, delivery_cost=1.5)
    brief = compile_brief(small_tools(shop, {}), shop, draft, settings=settings, budget=400.0)
    assert all(is_live(brief, line) for block in BLOCKS for line in block.rows if line.figure in brief.figures)
    content = export(brief, "excel")[1]
    assert agree(by_formulas(without_results(content, tmp_path / "fees.xlsx")), brief) > 0
    book = openpyxl.load_workbook(BytesIO(content))
    plan = book["Plan"]
    rows = {plan.cell(row, 7).value: row for row in range(plan.max_row, 0, -1)}
    plan.cell(rows["price.delivery_cost"], 2).value = 3
    book.save(tmp_path / "dearer.xlsx")
    computed = by_formulas(tmp_path / "dearer.xlsx")
    assert computed[rows["economics.unit_contribution"], 2] == pytest.approx(25 * 0.98 - 3 - 10)
    assert computed[rows["economics.break_even_units"], 2] == 252  # 5,400 at 21.5 a unit


@pytest.mark.slow
def test_what_is_unknown_can_be_filled_in(shop: Shop, tmp_path: Path) -> None:
    brief = brief_of(shop, "Cup", cost=None)
    book = openpyxl.load_workbook(BytesIO(export(brief, "excel")[1]))
    plan = book["Plan"]
    rows = {plan.cell(row, 7).value: row for row in range(plan.max_row, 0, -1)}
    file = without_results(export(brief, "excel")[1], tmp_path / "unknown.xlsx")
    assert by_formulas(file)[rows["economics.unit_contribution"], 2] == "unknown"
    plan.cell(rows["item.cost"], 2).value = 10
    book.save(tmp_path / "filled.xlsx")
    assert by_formulas(tmp_path / "filled.xlsx")[rows["economics.unit_contribution"], 2] == pytest.approx(15.0)


@pytest.mark.slow
def test_a_figure_set_by_hand_is_a_value_not_a_formula(shop: Shop, tmp_path: Path) -> None:
    first = brief_of(shop, "Mug")
    override(shop, first.id, "economics.contribution_12w", 5000, "As agreed with finance.")
    brief = brief_of(shop, "Mug")
    line = next(line for block in BLOCKS for line in block.rows if line.figure == "economics.contribution_12w")
    assert not is_live(brief, line)
    computed = by_formulas(without_results(export(brief, "excel")[1], tmp_path / "hand.xlsx"))
    row = next(row for (row, column), name in computed.items() if column == 7 and name == line.figure)
    assert computed[row, 2] == 5000


@pytest.mark.slow
def test_libreoffice_gets_the_figures_of_the_brief_too(brief: Brief, tmp_path: Path, made: dict[str, bytes]) -> None:
    program = shutil.which("soffice") or shutil.which("localc")
    if program is None:
        warnings.warn("LIBREOFFICE IS NOT TESTED: install Debian's `libreoffice-calc-nogui`", stacklevel=1)
        pytest.skip("LibreOffice is not installed: the formulas were computed by the library alone")
    file = without_results(made["excel"], tmp_path / "plan.xlsx")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    convert = [program, "--headless", profile, "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir"]
    subprocess.run([*convert, str(tmp_path / "out"), str(file)], check=True, capture_output=True, timeout=200)
    book = openpyxl.load_workbook(tmp_path / "out" / "plan.xlsx", data_only=True)
    cells = {(c.row, c.column): c.value for row in book["Plan"].iter_rows() for c in row if c.value is not None}
    assert agree(cells, brief) > 20
    wrong = [c.coordinate for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "e"]
    assert wrong == []


# -- charts -----------------------------------------------------------------------------------------------------------


def test_charts_are_drawn_as_vectors_and_as_pixels(brief: Brief, chinese: Brief) -> None:
    for each in (brief, chinese):
        chart = each.section("demand").charts[0]
        assert chart_image(chart, each.figures, each.locale, "svg").lstrip().startswith(b"<?xml")
        assert chart_image(chart, each.figures, each.locale, "png").startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_brief_that_knows_next_to_nothing_can_be_exported_too(shop: Shop) -> None:
    brief = brief_of(shop, "Thing", category="", cost=None, price=None, launch_date=None)
    assert all(export(brief, kind)[1] for kind in FORMATS)
