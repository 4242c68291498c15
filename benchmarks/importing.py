"""How fast, and in how much memory, order lines are imported: Online Retail II, doubled with other invoice numbers."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from benchmarks.result import Result, report
from shop import Shop
from shop.importers import import_file


def doubled(source: Path, folder: Path, copies: int, suffix: str) -> Path:
    """The published Parquet file `copies` times over, each copy with invoice numbers of its own, as Parquet or CSV."""
    once = pq.read_table(source)
    invoices = once["InvoiceNo"].cast(pa.string())
    tables = []
    for copy in range(copies):
        # The first letter says what an invoice is (C: cancellation), so the copy's number goes behind.
        renamed = invoices if copy == 0 else pc.binary_join_element_wise(invoices, f"-{copy}", "")
        tables.append(once.set_column(once.schema.get_field_index("InvoiceNo"), "InvoiceNo", renamed))
    path = folder / f"doubled{suffix}"
    whole = pa.concat_tables(tables)
    if suffix == ".csv":
        pa_csv.write_csv(whole, path)
    else:
        pq.write_table(whole, path)
    return path


def measure(path: Path, url: str) -> list[Result]:
    """Import a file into a fresh shop twice; seconds and rows a second of both, and the process's peak memory."""
    shop = Shop.open(url, create=True)
    refusals = path.with_suffix(".refused.csv")
    seconds, processor, done = [], [], None
    for _ in range(2):
        started, used = time.perf_counter(), time.process_time()
        done = import_file(shop, "online-retail-ii", path, refusals=refusals)
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    assert done is not None
    figures = {
        "rows": done.rows_read,
        "rows_kept": done.rows_kept,
        "seconds": round(seconds[0], 1),
        "processor_seconds": round(processor[0], 1),  # the same where nothing else runs on the machine
        "rows_per_second": round(done.rows_read / seconds[0]),
        "seconds_again": round(seconds[1], 1),
        "rows_new_again": done.rows_new,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    return [Result("debut", metric, value) for metric, value in figures.items()]


def main(data: Path, copies: int = 2, suffix: str = ".csv", shop: str = "") -> dict[str, Any]:
    """Measure the import and return the report.

    Args:
        data: Online Retail II as the published columns in a Parquet file.
        copies: How many times over the file is imported, each with invoice numbers of its own.
        suffix: `.csv` or `.parquet`, what is imported.
        shop: SQLAlchemy URL of an empty database; a SQLite file that is thrown away without it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = doubled(data, Path(folder), copies, suffix)
        rows = measure(path, shop or f"sqlite:///{folder}/shop.db")
    return report("import", data.name, rows, next(r.value for r in rows if r.metric == "seconds") or 0.0)
