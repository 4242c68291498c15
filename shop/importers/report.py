"""What an import did: the report, and the file of refused rows."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from shop.importers.reading import plain
from shop.types import Frozen

Progress = Callable[[int, int | None], None]  # rows done, rows in all where known


def no_progress(done: int, total: int | None) -> None:
    """Show nothing."""


class ImportReport(Frozen):
    """What was read, kept and refused. `rows_new` is what the shop did not hold before: none on a second import."""

    kind: str
    file: str
    rows_read: int
    rows_kept: int
    rows_refused: int
    rows_by_reason: dict[str, int]
    rows_new: int
    refusals_path: Path | None
    first_day: date | None
    last_day: date | None
    products: int
    launches: int
    customers: int
    orders: int
    returns: int
    encoding: str = ""
    notes: tuple[str, ...] = ()


class Refusals:
    """Writes every refused row with its number and its reason; the file appears with the first refusal."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.by_reason: Counter[str] = Counter()
        self._file: Any = None
        self._writer: Any = None

    def __enter__(self) -> Refusals:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def count(self) -> int:
        return self.by_reason.total()

    def add_frame(self, frame: pd.DataFrame, reasons: pd.Series[Any], where: str = "") -> None:
        """Refuse the rows that have a reason; the frame's index holds their numbers."""
        refused = reasons[reasons != ""]
        cells = frame.loc[refused.index].to_numpy(dtype=object).tolist()
        for row, reason, values in zip(refused.index, refused, cells, strict=True):
            self.add(row, reason, values, where)

    def add(self, row: int, reason: str, cells: Sequence[Any], where: str = "") -> None:
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8-sig", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(["sheet or file", "row", "reason", "content"])
        self.by_reason[reason] += 1
        self._writer.writerow([where, row, reason, " | ".join(plain(cell) for cell in cells)])
