"""Outside series, such as an index, the weather or searches: a table of date, value and name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from shop import schema as t
from shop.database import insert_new
from shop.errors import BadInput
from shop.importers.job import Job, first_reason
from shop.importers.reading import CHUNK, open_table, require_columns
from shop.importers.values import as_number, as_text, as_time, guess_decimal, guess_time_formats

KIND = "series"


def load(job: Job, path: Path) -> str:
    """Read the file into the job's transaction; returns the text encoding.

    The file's name stands in where there is no column `name`. A day that is there already keeps its value.

    Raises:
        BadInput: A column is missing, or its dates can be read in two ways.
    """
    table = open_table(path)
    require_columns(table, ("date", "value"), "an outside series needs date, value and, for several, name")
    head = table.head(CHUNK)
    forms, decimal = guess_time_formats(head["date"]), guess_decimal(head["value"])
    if len(forms) != 1:
        raise BadInput(f"The dates in {path.name} cannot be read in one way; write them as 2027-03-04.")
    for chunk in job.chunks(table):
        frame = chunk.frame
        name = as_text(frame["name"]) if "name" in frame else pd.Series(path.stem, index=frame.index)
        rows = pd.DataFrame(
            {"name": name, "day": as_time(frame["date"], forms[0]), "value": as_number(frame["value"], decimal)}
        )
        kept = rows[job.keep(chunk, first_reason(rows.index, _rules(rows, job)))]
        job.rows_new += insert_new(job.connection, t.outside_series, _records(kept))
        days = kept["day"].dt.date
        if len(days):
            first, last = job.days or (days.min(), days.max())
            job.days = (min(first, days.min()), max(last, days.max()))
    return table.encoding


def _rules(rows: pd.DataFrame, job: Job) -> list[tuple[Any, str]]:
    return [
        (rows["name"] == "", "name is missing"),
        (rows["day"].isna(), "date cannot be read"),
        (rows["value"].isna(), "value is not a number"),
        (job.repeated(rows[["name", "day"]]), "a value for this day stands in an earlier row"),
    ]


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    days = rows["day"].dt.date
    return [
        {"name": name, "day": day, "value": float(value)}
        for name, day, value in zip(rows["name"], days, rows["value"], strict=True)
    ]
