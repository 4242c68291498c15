"""How fast, and in how much memory, order lines are imported: Online Retail II, doubled with other invoice numbers."""

from __future__ import annotations

import argparse
import json
import platform
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from benchmarks.result import versions
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


def measure(path: Path, url: str) -> dict[str, Any]:
    """Import a file into a fresh shop twice; seconds and rows a second of both, and the process's peak memory."""
    shop = Shop.open(url, create=True)
    refusals = path.with_suffix(".refused.csv")
    seconds, processor, report = [], [], None
    for _ in range(2):
        started, used = time.perf_counter(), time.process_time()
        report = import_file(shop, "online-retail-ii", path, refusals=refusals)
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    assert report is not None
    return {
        "rows": report.rows_read,
        "rows_kept": report.rows_kept,
        "seconds": round(seconds[0], 1),
        "processor_seconds": round(processor[0], 1),  # the same where nothing else runs on the machine
        "rows_per_second": round(report.rows_read / seconds[0]),
        "seconds_again": round(seconds[1], 1),
        "rows_new_again": report.rows_new,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the published file as Parquet")
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--suffix", choices=[".parquet", ".csv"], default=".csv")
    parser.add_argument("--shop", help="SQLAlchemy URL of an empty database; default a SQLite file that is thrown away")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = doubled(args.data, Path(folder), args.copies, args.suffix)
        url = args.shop or f"sqlite:///{folder}/shop.db"
        result = {"bench": "importing", "data": path.name, "machine": platform.processor(), "versions": versions()}
        print(json.dumps(result | {"database": url.split(":")[0]} | measure(path, url), indent=2))


if __name__ == "__main__":
    main()
