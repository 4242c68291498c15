"""What a file may hold at most, looked at before it is read: nothing is allocated for one that is too large."""

from __future__ import annotations

import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from shop.errors import BadInput

MOST_BYTES = 1 << 30
MOST_ROWS = 5_000_000
MOST_COLUMNS = 500
LONGEST_LINE = 1_000_000  # characters
MOST_UNPACKED = 1 << 30
MOST_RATIO = 100  # unpacked to packed; sheets reach about twenty
MOST_CELLS = 50_000_000  # of the rectangle that a sheet spans, whether they are filled or not
MOST_PARTS = 5_000
_BLOCK = 1 << 20
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_DECLARES = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
# What a spreadsheet program or a browser saves under any name.
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "an Excel file by its content, or another archive; rename it to .xlsx, or export it as CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel file by its content; rename it to .xls, or export it as CSV"),
    (b"PAR1", "a Parquet file by its content; rename it to .parquet"),
    (b"\x1f\x8b", "compressed; unpack it first"),
    (b"BZh", "compressed; unpack it first"),
    (b"7z\xbc\xaf", "compressed; unpack it first"),
    (b"\xfd7zXZ", "compressed; unpack it first"),
    (b"Rar!", "compressed; unpack it first"),
    (b"%PDF", "a PDF by its content; export the table as CSV"),
    (b"MZ", "a program by its content; export the table as CSV"),
    (b"\x7fELF", "a program by its content; export the table as CSV"),
    (b"SQLite format 3", "a database by its content; export the table as CSV"),
)
_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<table", b"<svg")
# Reads a workbook the way the importer does, in a process that may take no more than this.
_PROBE_BYTES, _PROBE_SECONDS = 1 << 30, 30
_PROBE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
from python_calamine import CalamineWorkbook
book = CalamineWorkbook.from_path(sys.argv[1])
for name in book.sheet_names:
    for _ in book.get_sheet_by_name(name).iter_rows():
        pass
"""


def check_size(path: Path) -> None:
    """Refuse a file that is too large to be looked at.

    Raises:
        BadInput: It is.
    """
    if path.stat().st_size > MOST_BYTES:
        raise BadInput(f"{path.name} is larger than {MOST_BYTES >> 20} MB; split it, and import the parts.")


def check_text(path: Path) -> None:
    """Refuse what is no table in text, and a first line without an end.

    Raises:
        BadInput: It is something else by its content, or its first line is too long.
    """
    with path.open("rb") as file:
        start = file.read(LONGEST_LINE + 1)
    kind = next((kind for begins, kind in _STARTS if start.startswith(begins)), "")
    if start[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES):
        kind = "a web page or XML by its content; export the table as CSV"
    if kind:
        raise BadInput(f"{path.name} is {kind}.")
    if len(start) > LONGEST_LINE and b"\n" not in start and b"\r" not in start:
        raise _too_long(path, 1)


def lines(file: IO[str], path: Path) -> Iterator[str]:
    """The lines of a text, none of which is read further than a line may be long.

    Raises:
        BadInput: A line is longer.
    """
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise _too_long(path, number)
        yield line


def check_columns(names: int, path: Path) -> None:
    """Refuse more columns than a table of a shop can have.

    Raises:
        BadInput: There are more.
    """
    if names > MOST_COLUMNS:
        raise BadInput(f"{path.name} has {names} columns and may have {MOST_COLUMNS}; leave out those not needed.")


def check_rows(rows: int, path: Path) -> None:
    """Refuse more rows than one import takes.

    Raises:
        BadInput: There are more.
    """
    if rows > MOST_ROWS:
        raise BadInput(f"{path.name} has more than {MOST_ROWS} rows; split it, and import the parts.")


def check_workbook(path: Path) -> None:
    """Refuse a workbook that unpacks to too much, spans too many cells, or declares entities.

    Raises:
        BadInput: It does, or is no workbook.
    """
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        _probe(path)
        return
    try:
        with ZipFile(path) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS:
                raise BadInput(f"{path.name} has {len(parts)} parts; save it anew as .xlsx, or export CSV.")
            unpacked = 0
            for part in parts:
                unpacked += _check_part(archive, part, path)
                if unpacked > MOST_UNPACKED:
                    raise _unpacks(path)
    except (BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise BadInput(
            f"{path.name} is not a readable Excel file; open it and save it as .xlsx, or export CSV."
        ) from error


def _check_part(archive: ZipFile, part: ZipInfo, path: Path) -> int:
    """Bytes that one part unpacks to: as many as the archive says, since nobody who reads it reads on from there.

    Where it says too little, what is read here fails its checksum; where that was made to fit, calamine refuses it.
    """
    most = min(MOST_UNPACKED, max(part.compress_size, _BLOCK // MOST_RATIO) * MOST_RATIO)
    if part.file_size > most:
        raise _unpacks(path)
    is_xml = part.filename.lower().endswith((".xml", ".rels", ".vml"))
    span = _Span(path) if "worksheets/" in part.filename and is_xml else None
    tail = b""
    with archive.open(part) as file:
        while block := file.read(_BLOCK):
            if is_xml and _DECLARES.search(tail + block):
                raise BadInput(f"{path.name} declares entities, as no spreadsheet program does; save it anew as .xlsx.")
            if span is not None:
                span(tail + block)
            tail = block[-200:]
    return part.file_size


class _Span:
    """The rectangle of a sheet, as its cells name their places."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows, self._columns = (1 << 30, 0), (1 << 30, 0)

    def __call__(self, block: bytes) -> None:
        found = _CELL.findall(block)
        if not found:
            return
        rows = [int(row) for _, row in found]
        columns = [_column(name) for name in {name for name, _ in found}]
        self._rows = min(*rows, self._rows[0]), max(*rows, self._rows[1])
        self._columns = min(*columns, self._columns[0]), max(*columns, self._columns[1])
        cells = (self._rows[1] - self._rows[0] + 1) * (self._columns[1] - self._columns[0] + 1)
        if cells > MOST_CELLS:
            raise BadInput(
                f"A sheet of {self._path.name} spans {cells} cells and may span {MOST_CELLS}; "
                "delete what stands far from the table, or export CSV."
            )


def _column(name: bytes) -> int:
    number = 0
    for letter in name:
        number = number * 26 + letter - 64
    return number


def _probe(path: Path) -> None:
    """Other workbooks do not say what they span: read one where it can do no harm."""
    code = _PROBE.format(limit=_PROBE_BYTES)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, str(path)], capture_output=True, timeout=_PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BadInput(f"{path.name} takes too long to read; save it as .xlsx, or export CSV.") from error
    if done.returncode:
        raise BadInput(
            f"{path.name} is not a readable Excel file, or spans too much; open it and save it as .xlsx, or export CSV."
        )


def _too_long(path: Path, number: int) -> BadInput:
    return BadInput(f"Line {number} of {path.name} is longer than {LONGEST_LINE} characters; check its line ends.")


def _unpacks(path: Path) -> BadInput:
    return BadInput(f"{path.name} unpacks to more than a table can hold; save it anew, or export CSV.")
