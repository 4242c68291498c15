"""Tables from CSV, Excel and Parquet files, in chunks, with the number each row has in its file."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal
from zipfile import BadZipFile

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook

from shop.errors import BadInput
from shop.importers.limits import check_columns, check_rows, check_size, check_text, check_workbook, lines

CHUNK = 100_000
_DELIMITERS = ",;\t|"
_EXCEL = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_PARQUET = (".parquet", ".pq")
Format = Literal["csv", "excel", "parquet"]


@dataclass(frozen=True)
class Chunk:
    """Some rows of a table, values as the file holds them, indexed by row number (the header of a sheet is row 1)."""

    frame: pd.DataFrame
    malformed: tuple[tuple[int, list[str]], ...] = ()  # rows with more or fewer fields than the header
    sheet: str = ""


@dataclass(frozen=True)
class TableFile:
    """A file known to be readable: its format, its columns, and for text how it is written."""

    path: Path
    format: Format
    columns: tuple[str, ...]
    encoding: str = ""
    delimiter: str = ","
    rows: int | None = None  # known before reading only where the format says it

    def chunks(self, size: int = CHUNK) -> Iterator[Chunk]:
        """All rows, `size` at a time."""
        read = {"csv": _csv_chunks, "excel": _excel_chunks, "parquet": _parquet_chunks}[self.format]
        yield from read(self, size)

    def head(self, size: int = 5_000) -> pd.DataFrame:
        """The first rows, to guess from."""
        return next(self.chunks(size)).frame


def open_table(path: Path) -> TableFile:
    """Look at a file and say how it is to be read.

    Raises:
        BadInput: The file is missing, empty, in no known encoding, or not what its name says.
    """
    if not path.is_file():
        raise BadInput(f"There is no file {path}; check the path.")
    if path.stat().st_size == 0:
        raise BadInput(f"{path.name} is empty; export it again.")
    check_size(path)
    suffix = path.suffix.lower()
    if suffix in _EXCEL:
        return _open_excel(path)
    if suffix in _PARQUET:
        return _open_parquet(path)
    return _open_csv(path)


def require_columns(table: TableFile, needed: Iterable[str], next_step: str) -> None:
    """Check that the columns are there.

    Raises:
        BadInput: Names the missing columns and those that were found.
    """
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise BadInput(
            f"{table.path.name} has no column {', '.join(missing)}; it has {', '.join(table.columns)}; {next_step}."
        )


# -- CSV --------------------------------------------------------------------------------------------------------------


def _open_csv(path: Path) -> TableFile:
    check_text(path)
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        first = next(lines(file, path), "")
        delimiter = max(_DELIMITERS, key=first.count)
        file.seek(0)
        rows = _csv_rows(file, delimiter, path)
        header = [name.strip() for name in next(rows, [])]
        if not any(header):
            raise BadInput(f"{path.name} has no header row; its first row must name the columns.")
        if next(rows, None) is None:
            raise BadInput(f"{path.name} has a header but no rows; export it again.")
    return TableFile(path, "csv", _distinct(header, path), encoding, delimiter)


def _encoding(path: Path) -> str:
    """`utf-8`, `utf-8-sig` or `cp1252`, whichever the whole file can be read in."""
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise BadInput(f"{path.name} is encoded as UTF-16; save it as CSV UTF-8.")
        candidates = ("utf-8-sig",) if start.startswith(codecs.BOM_UTF8) else ("utf-8", "cp1252")
        for encoding in candidates:
            file.seek(0)
            decoder = codecs.getincrementaldecoder(encoding)()
            try:
                has_null = any("\0" in decoder.decode(block) for block in iter(lambda: file.read(1 << 22), b""))
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            if not has_null:
                return encoding
            break
    raise BadInput(f"{path.name} is not text in UTF-8 or Windows-1252; save it as CSV UTF-8 and import it again.")


def _csv_rows(file: IO[str], delimiter: str, path: Path) -> Iterator[list[str]]:
    reader = csv.reader(lines(file, path), delimiter=delimiter)
    number = 0  # the header is none of the rows
    while True:
        check_rows(number, path)
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadInput(
                f"{path.name} cannot be read at line {reader.line_num} ({error}); correct it there."
            ) from error
        yield row


def _csv_chunks(table: TableFile, size: int) -> Iterator[Chunk]:
    width = len(table.columns)
    with table.path.open(encoding=table.encoding, newline="") as file:
        numbered = enumerate(_csv_rows(file, table.delimiter, table.path), start=1)
        next(numbered)
        while block := list(islice(numbered, size)):
            good = [(number, row) for number, row in block if len(row) == width]
            bad = tuple((number, row) for number, row in block if len(row) != width and any(row))
            frame = pd.DataFrame([row for _, row in good], columns=list(table.columns), dtype=object)
            frame.index = pd.Index([number for number, _ in good], dtype="int64")
            yield Chunk(frame, bad)


# -- Excel ------------------------------------------------------------------------------------------------------------


def _open_excel(path: Path) -> TableFile:
    check_workbook(path)
    columns: tuple[str, ...] = ()
    rows = 0
    with _workbook(path) as book:
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            header = next(iter(sheet.iter_rows()), [])
            names = tuple(str(cell).strip() for cell in header)
            if not any(names):
                continue
            if columns and names != columns:
                raise BadInput(
                    f"The sheets of {path.name} differ: {name} has the columns {', '.join(names)} and not "
                    f"{', '.join(columns)}; keep one kind of sheet in the file."
                )
            columns = _distinct(names, path)
            rows += sheet.height - 1
    if not columns:
        raise BadInput(f"{path.name} has no header row; its first row must name the columns.")
    if rows < 1:
        raise BadInput(f"{path.name} has a header but no rows; export it again.")
    return TableFile(path, "excel", columns, rows=rows)


@contextmanager
def _workbook(path: Path) -> Iterator[CalamineWorkbook]:
    # A sheet that is damaged is told of when it is reached.
    try:
        yield CalamineWorkbook.from_path(path)
    except (CalamineError, BadZipFile) as error:
        raise BadInput(
            f"{path.name} is not a readable Excel file; open it and save it as .xlsx, or export CSV."
        ) from error


def _excel_chunks(table: TableFile, size: int) -> Iterator[Chunk]:
    with _workbook(table.path) as book:
        for name in book.sheet_names:
            numbered = enumerate(book.get_sheet_by_name(name).iter_rows(), start=1)
            if not any(str(cell).strip() for cell in next(numbered, (1, []))[1]):
                continue
            while block := list(islice(numbered, size)):
                filled = [(number, row) for number, row in block if any(cell != "" for cell in row)]
                frame = pd.DataFrame([row for _, row in filled], columns=list(table.columns), dtype=object)
                frame.index = pd.Index([number for number, _ in filled], dtype="int64")
                yield Chunk(frame, sheet=name)


# -- Parquet ----------------------------------------------------------------------------------------------------------


def _open_parquet(path: Path) -> TableFile:
    with _parquet(path) as file:
        if file.metadata.num_rows == 0:
            raise BadInput(f"{path.name} has columns but no rows; export it again.")
        check_rows(file.metadata.num_rows, path)
        check_columns(file.metadata.num_columns, path)
        return TableFile(path, "parquet", tuple(file.schema_arrow.names), rows=file.metadata.num_rows)


@contextmanager
def _parquet(path: Path) -> Iterator[pq.ParquetFile]:
    # Arrow tells of damage with its own errors, and with OSError where a footer or a page ends too early.
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path.name} is not a readable Parquet file; export it again.") from error


def _parquet_chunks(table: TableFile, size: int) -> Iterator[Chunk]:
    number = 1
    with _parquet(table.path) as file:
        for batch in file.iter_batches(batch_size=size):
            frame = batch.to_pandas()
            frame.index = pd.RangeIndex(number, number + len(frame))
            number += len(frame)
            yield Chunk(frame)


def _distinct(names: Sequence[str], path: Path) -> tuple[str, ...]:
    check_columns(len(names), path)
    twice = sorted({name for name in names if name and list(names).count(name) > 1})
    if twice:
        raise BadInput(f"{path.name} has two columns named {', '.join(twice)}; rename one.")
    return tuple(names)


def plain(value: Any) -> str:
    """A cell as text: whole numbers without a decimal point, nothing as ''."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return " ".join(str(value).split())
