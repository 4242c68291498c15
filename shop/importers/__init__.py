"""Bring a shop's own data in: each source is one small module; the whole file or nothing is imported."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import func, insert, select

from shop import schema as t
from shop.errors import BadInput
from shop.importers import generic, olist, online_retail, series
from shop.importers.generic import Mapping, guess_mapping, read_mapping, write_mapping
from shop.importers.job import Job
from shop.importers.report import ImportReport, Progress, Refusals, no_progress
from shop.store import Shop

__all__ = [
    "KINDS",
    "ImportReport",
    "Mapping",
    "Progress",
    "guess_mapping",
    "import_file",
    "read_mapping",
    "write_mapping",
]

KINDS = (generic.KIND, online_retail.KIND, olist.KIND, series.KIND)


def import_file(
    shop: Shop,
    kind: str,
    path: Path,
    *,
    mapping: Mapping | None = None,
    refusals: Path | None = None,
    progress: Progress = no_progress,
    now: datetime | None = None,
) -> ImportReport:
    """Import one source in one transaction; a second time changes nothing.

    Args:
        shop: An open shop, empty or not.
        kind: One of `KINDS`.
        path: The file, or the folder of an `olist` export.
        mapping: Which column is what, for `generic`.
        refusals: Where the refused rows go; default `<name>.refused.csv` in the working directory.
        progress: Called with rows done and rows in all (None where the format does not say).
        now: The clock; rows dated later than tomorrow are refused.

    Raises:
        BadInput: The source cannot be used, or not one of its rows; nothing was imported.
    """
    now = now or datetime.now()
    path = Path(path)
    load = _loader(kind, mapping)
    with Refusals(refusals or Path(f"{path.stem}.refused.csv")) as refused:
        with shop.begin() as connection:
            job = Job(connection, kind, refused, progress, now.date())
            encoding = load(job, path)
            if job.rows_kept == 0:
                raise BadInput(_none_kept(path, refused))
            launches = _launches(job)
            if job.rows_new:
                _record(job, path, now)
        return ImportReport(
            kind=kind,
            file=path.name,
            rows_read=job.rows_read,
            rows_kept=job.rows_kept,
            rows_refused=refused.count,
            rows_by_reason=dict(refused.by_reason.most_common()),
            rows_new=job.rows_new,
            refusals_path=refused.path if refused.count else None,
            first_day=job.days[0] if job.days else None,
            last_day=job.days[1] if job.days else None,
            products=len(job.touched),
            launches=launches,
            customers=len(job.customers),
            orders=len(job.orders),
            returns=job.returns,
            encoding=encoding,
            notes=tuple(job.notes),
        )


def _loader(kind: str, mapping: Mapping | None) -> Callable[[Job, Path], str]:
    if kind == generic.KIND:
        if mapping is None:
            raise BadInput(
                "A generic import needs a mapping file that says which column is what; let it be guessed first."
            )
        return partial(generic.load, mapping=mapping)
    loaders: dict[str, Callable[[Job, Path], str]] = {
        online_retail.KIND: online_retail.load,
        olist.KIND: olist.load,
        series.KIND: series.load,
    }
    if kind not in loaders:
        raise BadInput(f"There is no importer {kind}; the importers are {', '.join(KINDS)}.")
    return loaders[kind]


def _none_kept(path: Path, refused: Refusals) -> str:
    if not refused.count:
        return f"{path.name} has no rows; nothing was imported."
    reason, count = refused.by_reason.most_common(1)[0]
    return (
        f"Not one row of {path.name} can be used, {count} because: {reason}; nothing was imported; "
        f"{refused.path} lists them."
    )


def _launches(job: Job) -> int:
    p = t.products
    skus = list(job.touched)
    count = 0
    for start in range(0, len(skus), 5_000):
        query = select(func.count()).where(p.c.sku.in_(skus[start : start + 5_000]), p.c.launch_date.is_not(None))
        count += job.connection.execute(query).scalar() or 0
    return count


def _record(job: Job, path: Path, now: datetime) -> None:
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    row = {
        "kind": job.source,
        "file": path.name,
        "sha256": digest.hexdigest(),
        "finished_at": now,
        "rows_read": job.rows_read,
        "rows_kept": job.rows_kept,
        "rows_refused": job.refusals.count,
    }
    job.connection.execute(insert(t.imports), [row])
