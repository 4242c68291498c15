"""Files that are no table of a shop: each refused in a sentence by the look before anything is read."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest

from benchmarks import trust_files
from shop import BadInput, Shop
from shop.importers import import_file, limits, reading
from shop.importers.limits import check_workbook
from shop.importers.reading import open_table

Write = Callable[[Path], object]
HOME = "http://schemas.openxmlformats.org"
MAIN, KIND = f"{HOME}/spreadsheetml/2006/main", f"{HOME}/officeDocument/2006/relationships"
PACKAGE = f"{HOME}/package/2006/relationships"


def book(path: Path, *sheets: list[list[str]], before: str = "") -> Path:
    """A workbook with these sheets, cells as text, `before` in front of each sheet."""
    names = [f"S{n}" for n in range(1, len(sheets) + 1)]
    listed = "".join(f'<sheet name="{name}" sheetId="{name[1:]}" r:id="r{name[1:]}"/>' for name in names)
    parts = {
        "_rels/.rels": _relations(("b", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{KIND}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(
            *((f"r{name[1:]}", "worksheet", f"worksheets/{name}.xml") for name in names)
        ),
    }
    for name, rows in zip(names, sheets, strict=True):
        lines = "".join(
            f'<row r="{n}">'
            + "".join(
                f'<c r="{chr(65 + column)}{n}" t="inlineStr"><is><t>{cell}</t></is></c>'
                for column, cell in enumerate(row)
                if cell
            )
            + "</row>"
            for n, row in enumerate(rows, 1)
        )
        parts[f"xl/worksheets/{name}.xml"] = (
            f'{before}<worksheet xmlns="{MAIN}"><sheetData>{lines}</sheetData></worksheet>'
        )
    with ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def _relations(*rows: tuple[str, str, str]) -> str:
    listed = "".join(f'<Relationship Id="{id_}" Type="{KIND}/{kind}" Target="{to}"/>' for id_, kind, to in rows)
    return f'<Relationships xmlns="{PACKAGE}">{listed}</Relationships>'


HEAD, ROW = ["date", "sku", "units"], ["2026-01-05", "KET-1", "2"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"\n\n", "no header row"),
        ("a.csv", b"<!DOCTYPE html><table>", "a web page or XML"),
        ("a.csv", b" \xef\xbb\xbf<svg onload=x>", "a web page or XML"),
        ("a.csv", b"PK\x03\x04rest", "an Excel file by its content"),
        ("a.csv", b"a,b\n1,\xff\xfe\x81\n", "not text in UTF-8 or Windows-1252"),
        ("a.csv", b"a,b\n1,\0\n", "not text in UTF-8 or Windows-1252"),
        ("a.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        ("a.csv", b"x" * (limits.LONGEST_LINE + 1), "Line 1 of a.csv is longer"),
        ("a.csv", b'a,b\n"' + b"x" * 140_000 + b'",2\n', "cannot be read at line 2"),
        ("a.parquet", b"PAR1nothing", "not a readable Parquet file"),
        ("a.xlsx", b"nothing", "not a readable Excel file"),
        ("a.ods", b"nothing", "not a readable Excel file, or spans too much"),
    ],
)
def test_what_is_no_table_is_refused_by_its_content(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput, match=says):
        open_table(path)


@pytest.mark.parametrize(
    ("limit", "most", "says"),
    [
        ("MOST_PARTS", 3, "has 4 parts"),
        ("MOST_UNPACKED", 900, "unpacks to more"),
        ("MOST_CELLS", 5, "spans 6 cells and may span 5"),
    ],
)
def test_a_workbook_is_counted_as_it_unpacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int, says: str
) -> None:
    path = book(tmp_path / "a.xlsx", [HEAD, ROW])
    check_workbook(path)
    monkeypatch.setattr(limits, limit, most)
    with pytest.raises(BadInput, match=says):
        check_workbook(path)


@pytest.mark.parametrize("name", ["lying-bomb.xlsx", "fitting-bomb.xlsx", "damaged-sheet.xlsx", "bomb.xlsx"])
def test_a_part_that_is_not_what_the_archive_says_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    dict(trust_files.cases())[name](path)
    with pytest.raises(BadInput):
        list(open_table(path).chunks())


def test_rows_and_columns_are_counted_from_where_the_table_stands(tmp_path: Path) -> None:
    blank = [""] * 3
    path = book(tmp_path / "a.xlsx", [HEAD, blank, ROW], [HEAD, ROW])
    table = open_table(path)
    assert (table.columns, table.rows) == (tuple(HEAD), 3)
    chunks = [(chunk.sheet, list(chunk.frame.index), chunk.frame["sku"].tolist()) for chunk in table.chunks()]
    assert chunks == [("S1", [3], ["KET-1"]), ("S2", [2], ["KET-1"])]
    assert [limits._column(name) for name in (b"A", b"Z", b"AA", b"XFD")] == [1, 26, 27, 16_384]


def test_entities_are_refused_wherever_a_block_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_BLOCK", 7)  # the declaration stands across two blocks
    path = book(tmp_path / "a.xlsx", [HEAD, ROW], before='<!DOCTYPE x [<!ENTITY e "ha">]>')
    with pytest.raises(BadInput, match="declares entities"):
        check_workbook(path)


@pytest.mark.parametrize(
    ("sheets", "says"),
    [
        (([HEAD],), "a header but no rows"),
        (([["", ""]],), "no header row"),
        (([HEAD, ROW], [["date", "sku", "price"], ROW]), "sheets of a.xlsx differ: S2 has"),
        (([["date", "date"], ROW],), "two columns named date"),
    ],
)
def test_a_workbook_without_one_table_is_refused(
    tmp_path: Path, sheets: tuple[list[list[str]], ...], says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        open_table(book(tmp_path / "a.xlsx", *sheets))


def test_an_empty_sheet_beside_the_table_is_passed_over(tmp_path: Path) -> None:
    table = open_table(book(tmp_path / "a.xlsx", [["", ""]], [HEAD, ROW]))
    assert [chunk.sheet for chunk in table.chunks()] == ["S2"]


def test_a_workbook_that_breaks_the_library_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with ZipFile(path, "w") as archive:
        archive.writestr("xl/nothing.xml", "<x/>")
    with pytest.raises(BadInput, match="not a readable Excel file"):
        open_table(path)


def test_other_workbooks_are_read_where_they_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(tmp_path / "a.xlsx", [HEAD, ROW]).rename(tmp_path / "a.xlsb")
    with pytest.raises(BadInput, match="not a readable Excel file, or spans too much"):
        check_workbook(path)  # its content is not what its name says
    monkeypatch.setattr(limits, "_PROBE", "pass # {limit}")
    check_workbook(path)
    monkeypatch.setattr(limits, "_PROBE", "import time; time.sleep(60) # {limit}")
    monkeypatch.setattr(limits, "_PROBE_SECONDS", 0.2)
    with pytest.raises(BadInput, match="takes too long to read") as error:
        check_workbook(path)
    assert isinstance(error.value.__cause__, subprocess.TimeoutExpired)


@pytest.mark.parametrize(
    ("limit", "value", "says"),
    [
        ("MOST_BYTES", 10, "larger than"),
        ("LONGEST_LINE", 7, "longer than"),
        ("MOST_ROWS", 2, "more than"),
        ("MOST_COLUMNS", 3, "may have"),
    ],
)
def test_limits_are_kept_while_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, says: str
) -> None:
    monkeypatch.setattr(limits, limit, value)
    path = tmp_path / "sales.csv"
    path.write_text("a,b,c,d\n" + "1,2,3,4\n" * 5)
    with pytest.raises(BadInput, match=says):
        list(open_table(path).chunks())


def test_rows_without_end_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_ROWS", 10_000)

    class Endless:
        """A file that goes on for ever."""

        def readline(self, _most: int) -> str:
            return "a,b\n"

    with pytest.raises(BadInput, match="more than"):
        for _ in reading._csv_rows(Endless(), ",", Path("endless.csv")):  # type: ignore[arg-type]
            pass


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"date": [], "sku": []}).to_parquet(path)
    with pytest.raises(BadInput, match="columns but no rows"):
        open_table(path)


def test_a_row_that_is_blank_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n\n,\n3\n4,5\n")
    [chunk] = open_table(path).chunks()
    assert chunk.frame["a"].tolist() == ["1", "", "4"]
    assert chunk.malformed == ((5, ["3"]),)


def test_a_kind_that_is_none_is_refused_with_those_there_are(empty_shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no importer nothing; the importers are"):
        import_file(empty_shop, "nothing", tmp_path / "a.csv", refusals=tmp_path / "refused.csv")


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (float("nan"), ""), (pd.NaT, ""), (2.0, "2"), (2.5, "2.5"), ("  a  b ", "a b")]
)
def test_a_cell_as_text(value: object, text: str) -> None:
    assert reading.plain(value) == text
