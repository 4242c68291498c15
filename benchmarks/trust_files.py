"""Files that are wrong, hostile or too large: each must be refused in a sentence, in time, and within the memory."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile
from zlib import crc32

from shop import Shop, ToolError
from shop.importers import Mapping, import_file

MOST_SECONDS, MOST_MEGABYTES = 10.0, 300
HEADER, ROW = "date,sku,units,price", "2026-01-05,KET-1,2,12.50"
Maker = Callable[[Path], None]
_MAPPING = {"date": "date", "sku": "sku", "units": "units", "price": "price"}


def try_all(folder: Path) -> dict[str, Any]:
    """Import every bad file, each in a process of its own; what is refused leaves the shop as it was."""
    failures, refused, seconds, megabytes, runs = [], 0, [0.0], [0.0], 0
    context = multiprocessing.get_context("fork")  # the libraries are loaded once, and what a file adds is seen
    with context.Pool(1, maxtasksperchild=1) as pool:
        for name, make in cases():
            path = folder / name
            make(path)
            found = pool.apply_async(_import, (str(folder / f"{runs}.db"), str(path))).get(600)
            runs += 1
            refused += found["refused"]
            seconds.append(found["seconds"])
            megabytes.append(found["megabytes"])
            within = found["seconds"] <= MOST_SECONDS and found["megabytes"] <= MOST_MEGABYTES
            if not found["refused"] or found["rows"] or not within:
                failures.append({"file": name, **found})
            path.unlink()
    worst = {"seconds_most": round(max(seconds), 2), "megabytes_most": round(max(megabytes), 1)}
    return {"runs": runs, "refused": refused, **worst, "failures": failures[:20]}


def _import(database: str, path: str) -> dict[str, Any]:
    """One import as a user makes it; what it answered, how long it took, how much memory it added."""
    shop = Shop.open(f"sqlite:///{database}", create=True)
    mapping = Mapping(table="sales", columns=_MAPPING)
    before, started = _peak(), time.perf_counter()
    refused, said = False, ""
    try:
        import_file(shop, "generic", Path(path), mapping=mapping, refusals=Path(f"{path}.refused"))
    except ToolError as error:
        refused, said = True, str(error)
    except Exception as error:  # noqa: BLE001  (to be counted, of whatever kind: none may rise to the edge)
        said = f"{type(error).__name__}: {error}"
    taken = time.perf_counter() - started
    rows = len(shop.products())
    shop.close()
    Path(database).unlink(missing_ok=True)
    return {"refused": refused, "said": said[:200], "rows": rows, "seconds": taken, "megabytes": _peak() - before}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cases() -> Iterator[tuple[str, Maker]]:
    """Names of files and how each is written."""
    for name, text in _TEXTS.items():
        yield f"{name}.csv", _writer(text.encode("utf-8"))
    for name, content in _BYTES.items():
        yield name, _writer(content)
    yield "long-line.csv", _long_line
    yield "many-columns.csv", _writer(",".join(f"c{n}" for n in range(100_000)).encode() + b"\n1\n")
    yield "too-large.csv", _sparse
    yield "endless-rows.csv", _sparse
    yield "bomb.xlsx", _bomb
    yield "lying-bomb.xlsx", _lying_bomb
    yield "fitting-bomb.xlsx", _fitting_bomb
    yield "damaged-sheet.xlsx", lambda path: _workbook(path, '<c r="A2"><v>1</v></wrong>')
    yield "far-cell.xlsx", lambda path: _workbook(path, '<c r="XFD1048576"><v>1</v></c>')
    yield "many-far-cells.xlsx", lambda path: _workbook(path, '<c r="ZZ900000"><v>1</v></c>')
    yield "entities.xlsx", lambda path: _workbook(path, "", _ENTITIES)
    yield (
        "external-entity.xlsx",
        lambda path: _workbook(path, "", '<!DOCTYPE x [<!ENTITY e SYSTEM "/etc/passwd">]>'),
    )
    yield "many-parts.xlsx", _many_parts
    yield "nested.xlsx", _nested
    yield "cut.xlsx", _cut
    yield "no-sheet.xlsx", lambda path: _zip(path, {"xl/nothing.xml": b"<x/>"})


_ENTITIES = "<!DOCTYPE x [" + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(10)) + "]>"
# Rows that no sale can have: where all of a file's rows are refused, nothing is imported.
_VALUES = {
    "nan-units": "2026-01-05,KET-1,NaN,12.50",
    "inf-units": "2026-01-05,KET-1,inf,12.50",
    "huge-units": "2026-01-05,KET-1,1e308,12.50",
    "half-unit": "2026-01-05,KET-1,0.5,12.50",
    "no-units": "2026-01-05,KET-1,,12.50",
    "words-units": "2026-01-05,KET-1,many,12.50",
    "nan-price": "2026-01-05,KET-1,2,NaN",
    "inf-price": "2026-01-05,KET-1,2,-inf",
    "negative-price": "2026-01-05,KET-1,2,-12.50",
    "huge-price": "2026-01-05,KET-1,2,1e300",
    "words-price": "2026-01-05,KET-1,2,cheap",
    "formula-price": "2026-01-05,KET-1,2,=1+1",
    "hex-price": "2026-01-05,KET-1,2,0x10",
    "date-first": "0001-01-01,KET-1,2,12.50",
    "date-last": "9999-12-31,KET-1,2,12.50",
    "date-none": ",KET-1,2,12.50",
    "date-never": "2026-02-31,KET-1,2,12.50",
    "date-words": "yesterday,KET-1,2,12.50",
    "date-number": "20260105123,KET-1,2,12.50",
    "no-sku": "2026-01-05,,2,12.50",
}
_TEXTS = {name: f"{HEADER}\n{row}\n" for name, row in _VALUES.items()} | {
    "header-only": f"{HEADER}\n",
    "blank": "\n\n\n",
    "no-date-column": "sku,units,price\nKET-1,2,12.50\n",
    "no-sku-column": "date,units,price\n2026-01-05,2,12.50\n",
    "twice-a-column": f"{HEADER},price\n{ROW},3\n",
    "other-header": "a,b,c,d\n1,2,3,4\n",
    "short-rows": f"{HEADER}\n2026-01-05,KET-1\n",
    "long-rows": f"{HEADER}\n{ROW},1,2,3\n",
    "open-quote": f'{HEADER}\n2026-01-05,"KET-1,2,12.50\n',
    "huge-field": f'{HEADER}\n2026-01-05,"{"x" * 200_000}",2,12.50\n',
    "html": "<!DOCTYPE html><html><table><tr><td>date</td></tr></table></html>",
    "svg": "<svg onload=alert(1)>\n",
    "xml": '<?xml version="1.0"?><a/>\n',
    "json": '{"date": "2026-01-05", "sku": "KET-1"}\n[1, 2]\n',
    "sql": "DROP TABLE products;\nSELECT 1;\n",
    "script": "#!/bin/sh\nrm -rf /tmp/x\n",
}
_BYTES = {
    "empty.csv": b"",
    "nul.csv": f"{HEADER}\n2026-01-05,KET\0-1,2,12.50\n".encode(),
    "utf16.csv": f"{HEADER}\n{ROW}\n".encode("utf-16"),
    "utf16-bare.csv": f"{HEADER}\n{ROW}\n".encode("utf-16-le"),
    "utf32.csv": f"{HEADER}\n{ROW}\n".encode("utf-32"),
    "undefined.csv": HEADER.encode() + b"\n2026-01-05,KET\x81\x8d-1,2,12.50\n",
    "program.csv": b"MZ\x90\x00\x03" + bytes(200),
    "elf.csv": b"\x7fELF" + bytes(200),
    "pdf.csv": b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n",
    "zip.csv": b"PK\x03\x04" + bytes(100),
    "gzip.csv": b"\x1f\x8b\x08" + bytes(100),
    "seven.csv": b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "database.csv": b"SQLite format 3\0" + bytes(100),
    "old-excel.csv": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "parquet.csv": b"PAR1" + bytes(100),
    "text.xlsx": f"{HEADER}\n{ROW}\n".encode(),
    "text.xls": f"{HEADER}\n{ROW}\n".encode(),
    "text.ods": f"{HEADER}\n{ROW}\n".encode(),
    "text.parquet": f"{HEADER}\n{ROW}\n".encode(),
    "cut.parquet": b"PAR1" + bytes(500) + b"PAR1",
    "ole.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000),
    "zeros.xlsb": bytes(2_000),
}


def _writer(content: bytes) -> Maker:
    return lambda path: path.write_bytes(content) and None


def _long_line(path: Path) -> None:
    with path.open("wb") as file:
        for _ in range(500):
            file.write(b"x" * (1 << 20))


def _sparse(path: Path) -> None:
    """Looks like gigabytes and takes none of the disk."""
    with path.open("wb") as file:
        file.write(f"{HEADER}\n{ROW}\n".encode())
        file.truncate(30 << 30)


def _zip(path: Path, parts: dict[str, bytes]) -> None:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _sheet(cells: str, before: str = "") -> bytes:
    heads = "".join(
        f'<c r="{"ABCD"[n]}1" t="inlineStr"><is><t>{name}</t></is></c>' for n, name in enumerate(HEADER.split(","))
    )
    return (
        f'<?xml version="1.0"?>{before}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<sheetData><row r="1">{heads}</row><row r="2">{cells}</row></sheetData></worksheet>'
    ).encode()


def _workbook(path: Path, cells: str, before: str = "") -> None:
    home = "http://schemas.openxmlformats.org"
    main, kind = f"{home}/spreadsheetml/2006/main", f"{home}/officeDocument/2006/relationships"
    sheets = '<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets>'
    book = f'<workbook xmlns="{main}" xmlns:r="{kind}">{sheets}</workbook>'
    to = f'<Relationship Id="rId1" Type="{kind}/worksheet" Target="worksheets/sheet1.xml"/>'
    link = f'<Relationships xmlns="{home}/package/2006/relationships">{to}</Relationships>'
    begin = f'<Relationship Id="rId1" Type="{kind}/officeDocument" Target="xl/workbook.xml"/>'
    root = f'<Relationships xmlns="{home}/package/2006/relationships">{begin}</Relationships>'
    parts = {
        "_rels/.rels": root.encode(),
        "xl/workbook.xml": book.encode(),
        "xl/_rels/workbook.xml.rels": link.encode(),
    }
    _zip(path, {**parts, "xl/worksheets/sheet1.xml": _sheet(cells, before)})


def _bomb(path: Path) -> None:
    with (
        ZipFile(path, "w", ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as file,
    ):
        for _ in range(300):
            file.write(b" " * (1 << 20))


def _lying_bomb(path: Path) -> None:
    """The archive says that its part is small."""
    _bomb(path)
    content = bytearray(path.read_bytes())
    place = content.rfind(b"PK\x01\x02")
    content[place + 24 : place + 28] = (1_000).to_bytes(4, "little")
    path.write_bytes(bytes(content))


def _fitting_bomb(path: Path) -> None:
    """The archive says that its sheet is small, and the checksum is that of as much of it."""
    cells = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(3, 200_000))
    _workbook(path, "")
    with ZipFile(path) as archive:
        parts = {part.filename: archive.read(part) for part in archive.infolist()}
    name = "xl/worksheets/sheet1.xml"
    said = parts[name].removesuffix(b"</sheetData></worksheet>")
    _zip(path, {**parts, name: said + cells + b"</sheetData></worksheet>"})
    with ZipFile(path) as archive:
        begins, ends = archive.getinfo(name).header_offset, archive.start_dir
    content = bytearray(path.read_bytes())
    place = content.index(name.encode(), ends) - 46
    for start, checksum, size in ((begins, 14, 22), (place, 16, 24)):
        content[start + checksum : start + checksum + 4] = crc32(said).to_bytes(4, "little")
        content[start + size : start + size + 4] = len(said).to_bytes(4, "little")
    path.write_bytes(bytes(content))


def _many_parts(path: Path) -> None:
    _zip(path, {f"xl/part{n}.xml": b"<x/>" for n in range(6_000)})


def _nested(path: Path) -> None:
    inner = path.with_suffix(".inner")
    _bomb(inner)
    _zip(path, {"xl/worksheets/sheet1.xml": inner.read_bytes()})
    inner.unlink()


def _cut(path: Path) -> None:
    _workbook(path, "")
    path.write_bytes(path.read_bytes()[:-40])
