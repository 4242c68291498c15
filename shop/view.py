"""A database seen from a day: what every question to the shop needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, Self

import pandas as pd
from sqlalchemy import CompoundSelect, Connection, Engine, Select, func, or_, select

from shop import schema as t
from shop.database import open_engine
from shop.errors import ToolError
from shop.passages import Searcher


class View:
    """A shop's data as of a day.

    Nothing is cached: an import, here or in another process, is seen by the next call.

    Args:
        engine: SQLAlchemy engine of a database that holds the tables of `shop.schema`.
        today: The day to plan from; nothing later is seen. Default: the day after the last day with data.
        searcher: Finds passages in the shop's texts; wired in by `ui`.
    """

    def __init__(self, engine: Engine, today: date | None = None, searcher: Searcher | None = None) -> None:
        self.engine = engine
        self.searcher = searcher  # finds passages in the shop's texts; None where nobody wired one
        self._today = today

    @classmethod
    def open(cls, url: str, today: date | None = None, create: bool = False) -> Self:
        """Open the shop at a SQLAlchemy URL.

        Raises:
            BadInput: The URL is malformed, the database cannot be reached, or it holds no shop and `create` is false.
        """
        return cls(open_engine(url, create), today)

    def as_of(self, today: date) -> Self:
        """The same shop seen from another day: nothing later is visible."""
        return type(self)(self.engine, today, self.searcher)

    def searched_by(self, searcher: Searcher) -> Self:
        """The same shop with its texts searchable."""
        return type(self)(self.engine, self._today, searcher)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: all of it happens or nothing."""
        with self.engine.begin() as connection:
            yield connection

    # -- what the shop is ---------------------------------------------------------------------------------------------

    @property
    def cutoff(self) -> date:
        """The last day whose sales are visible: the data's last day, or the day before `today` if earlier."""
        last = self._scalar(select(func.max(t.daily.c.day)))
        if last is None:
            raise ToolError(
                "The shop has no sales yet; run `./debut import` for your own data or `./debut demo` for the demo shop."
            )
        assert isinstance(last, date)
        return last if self._today is None else min(last, self._today - timedelta(days=1))

    @property
    def today(self) -> date:
        """The day to plan from: as set, else the day after the last day with data."""
        return self._today or self.cutoff + timedelta(days=1)

    @property
    def currency(self) -> str:
        """ISO 4217 code of the shop's currency."""
        return self.meta("currency", "USD")

    @property
    def name(self) -> str:
        return self.meta("name", "Shop")

    def meta(self, key: str, default: str = "") -> str:
        value = self._scalar(select(t.meta.c.value).where(t.meta.c.key == key))
        return default if value is None else str(value)

    # -- plumbing -----------------------------------------------------------------------------------------------------

    def _scalar(self, query: Select[Any]) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(query).scalar()

    def _row(self, query: Select[Any]) -> dict[str, Any] | None:
        with self.engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else dict(row)

    def _frame(self, query: Select[Any] | CompoundSelect[Any]) -> pd.DataFrame:
        with self.engine.connect() as connection:
            result = connection.execute(query)
            return pd.DataFrame(result.fetchall(), columns=list(result.keys()))


def below(column: Any, path: str) -> Any:
    return or_(column == path, column.startswith(path + " > ", autoescape=True))


def in_category(path: str) -> Any:
    return below(t.products.c.category, path)


def narrowed(table: Any, skus: Sequence[str] | None, category: str | None, since: date | None = None) -> list[Any]:
    """Conditions on a table with a SKU and a day; an empty list of SKUs matches nothing."""
    conditions: list[Any] = []
    if skus is not None:
        conditions.append(table.c.sku.in_(list(skus)))
    if category:
        conditions.append(table.c.sku.in_(select(t.products.c.sku).where(in_category(category))))
    if since is not None:
        conditions.append(table.c.day >= since)
    return conditions


def with_money(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    for name in names:
        frame[name] = pd.to_numeric(frame.pop(f"{name}_cents"), errors="coerce").astype(float) / 100
    return frame
