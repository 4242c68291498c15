"""What each launch taught about its plan, week by week: how far it was off, by which factor; rows never change.

The row of a launch week rests on nothing later than the last day of that week, and is seen from the day after on, so a
replay of the past knows the lessons of its time and no others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import JSON, Column, Date, Float, ForeignKey, Integer, String, Table, Text, select

from shop.database import insert_new
from shop.schema import metadata
from shop.view import View

launch_lessons = Table(
    "launch_lessons",
    metadata,
    Column("sku", String, ForeignKey("products.sku"), primary_key=True),
    Column("week", Integer, primary_key=True),  # launch weeks scored, counted from one
    Column("day", Date, nullable=False, index=True),  # last day of that week
    Column("brief_id", String, nullable=False),
    Column("plan_hash", String, nullable=False),
    Column("units_plan", Float, nullable=False),  # P50 over the weeks
    Column("units", Float, nullable=False),  # sold over them
    Column("demand", Float),  # at the rate of the days in stock, over the weeks judged; null: none was
    Column("plan_judged", Float),  # P50 over the weeks judged
    Column("judged", Integer, nullable=False),  # weeks in stock long enough to judge
    Column("inside", Integer, nullable=False),  # of them inside P10 to P90
    Column("unit", String, nullable=False),  # of the gap and its parts: money (in the shop's currency) or units
    Column("gap", Float, nullable=False),  # actual less plan
    Column("effects", JSON, nullable=False),  # part of the gap by factor: traffic, conversion, demand, availability, …
    Column("factor", Text, nullable=False),  # that made most of it; `held` or `scatter` where none did
)
COLUMNS = tuple(column.name for column in launch_lessons.columns)


def store_lessons(shop: View, rows: Sequence[Mapping[str, Any]]) -> int:
    """Write lessons down; those that are there already stay as they are. Returns how many were new."""
    with shop.begin() as connection:
        return insert_new(connection, launch_lessons, rows)


def lessons(shop: View, skus: Sequence[str] | None = None) -> pd.DataFrame:
    """The lessons of weeks that were over by the cut-off, oldest first: `COLUMNS`."""
    query = select(launch_lessons).where(launch_lessons.c.day <= shop.cutoff)
    if skus is not None:
        query = query.where(launch_lessons.c.sku.in_(list(skus)))
    with shop.engine.connect() as connection:
        rows = connection.execute(query.order_by(launch_lessons.c.day, launch_lessons.c.sku)).fetchall()
    return pd.DataFrame(rows, columns=list(COLUMNS))
