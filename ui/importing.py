"""`./debut import`: agree on the mapping, import the whole file or nothing, say what came of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import typer

from shop import BadInput, Shop
from shop.importers import KINDS, ImportReport, Mapping, guess_mapping, import_file, read_mapping, write_mapping
from ui.settings import Settings
from ui.terminal import say
from ui.wiring import import_url, shown_url


def agreed_mapping(kind: str, path: Path, mapping_file: Path | None, yes: bool) -> Mapping | None:
    """Which column is what: from the file given, or guessed and agreed to; None for kinds that know their columns.

    Raises:
        BadInput: The kind does not exist, a file cannot be read, or nobody is there to agree.
    """
    if kind not in KINDS:
        raise BadInput(f"There is no importer {kind}; the importers are {', '.join(KINDS)}.")
    if kind != "generic":
        return None
    if mapping_file is not None:
        return read_mapping(mapping_file)
    guessed = guess_mapping(path)
    say(f"The columns of {path.name} look like {guessed.table}:")
    for field, column in guessed.columns.items():
        say(f"  {field:<12} {column}")
    if yes:
        return guessed
    draft = Path(f"{path.stem}.mapping.toml")
    if sys.stdin.isatty() and typer.confirm("Import with this mapping?", err=True):
        return guessed
    write_mapping(guessed, draft)
    raise BadInput(
        f"Nothing was imported; correct the mapping in {draft} and run again with --mapping {draft}, "
        "or accept the guess with --yes."
    )


def run(
    settings: Settings,
    kind: str,
    path: Path,
    mapping: Mapping | None,
    progress: Callable[[int, int | None], None],
) -> tuple[ImportReport, str]:
    """Import into the user's own shop; returns the report and the shop's address.

    Raises:
        BadInput: The source cannot be used, or the shop is the demo; nothing was imported.
    """
    url = import_url(settings)
    shop = Shop.open(url, create=True)
    refusals = settings.home / "refused" / f"{path.stem}.csv"
    return import_file(shop, kind, path, mapping=mapping, refusals=refusals, progress=progress), shown_url(url)


def summary(report: ImportReport, url: str) -> str:
    """A report for a reader."""
    lines = [f"Imported {report.file} ({report.kind}) into {url}"]
    if report.first_day and report.last_day:
        lines.append(f"  sales     {report.first_day} to {report.last_day}")
    lines += [
        f"  rows      {report.rows_read:,} read, {report.rows_kept:,} kept, {report.rows_refused:,} refused",
        f"  found     {report.products:,} products, {report.launches:,} launches, {report.customers:,} customers, "
        f"{report.orders:,} orders, {report.returns:,} returns",
    ]
    if report.rows_new == 0:
        lines.append("  Nothing was new: this had been imported before.")
    lines += [f"  refused   {count:,} because: {reason}" for reason, count in report.rows_by_reason.items()]
    if report.refusals_path:
        lines.append(f"  Every refused row with its reason: {report.refusals_path}")
    return "\n".join([*lines, *(f"  {note}" for note in report.notes)])
