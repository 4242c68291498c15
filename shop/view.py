"""A database seen from a day: what every question to the shop needs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import date, timedelta
from typing import Any, Self, TypeVar
from typing import cast as cast_type

import pandas as pd
from sqlalchemy import CompoundSelect, Connection, Engine, Select, Text, cast, func, or_, select

from shop import schema as t
from shop.database import open_engine
from shop.errors import ToolError
from shop.learned import Codec, Learned
from shop.own_rows import Door, OwnRows
from shop.passages import Searcher
from shop.session import Session
from shop.types import Draft

T = TypeVar("T")


class View:
    """A shop's data as of a day.

    No rows are cached: an import, here or in another process, is seen by the next call. What tools learn from all of
    them is kept by `learned` until they change.

    Args:
        engine: SQLAlchemy engine of a database that holds the tables of `shop.schema`.
        today: The day to plan from; nothing later is seen. Default: the day after the last day with data.
        searcher: Finds passages in the shop's texts; wired in by `ui`.
        memory: Keeps what tools learn; left out, in memory only.
    """

    session: Session | None = None  # who acts; nobody, until a person comes
    planned: Draft | None = None  # a draft with other fields than the stored ones
    _door: Door | None = None

    def __init__(
        self,
        engine: Engine,
        today: date | None = None,
        searcher: Searcher | None = None,
        memory: Learned | None = None,
    ) -> None:
        self.engine = engine
        self._writer = engine
        self._door = Door(engine) if isinstance(engine, Engine) else None  # a benchmark may bring a stand-in
        self.searcher = searcher  # finds passages in the shop's texts; None where nobody wired one
        self.memory = memory or Learned()
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
        return self._but(_today=today)

    def searched_by(self, searcher: Searcher) -> Self:
        """The same shop with its texts searchable."""
        return self._but(searcher=searcher)

    def remembering(self, memory: Learned) -> Self:
        """The same shop, with what tools learn kept in `memory`."""
        return self._but(memory=memory)

    def planning(self, draft: Draft) -> Self:
        """The same shop in which a draft has these fields, whatever is stored: what if it cost or came otherwise."""
        return self._but(planned=draft)

    def acting_as(self, session: Session) -> Self:
        """The same shop in a person's hands: tools read from `acting` who that is.

        In a customer's hands every question is answered from her own rows and the shelf (`shop.own_rows`); what is
        written, and who she is, goes through `begin`.
        """
        if not session.is_customer or self._door is None:
            return self._but(session=session)
        own = OwnRows(self._door, lambda: session.person)
        return self._but(session=session, engine=cast_type(Engine, own))

    def close(self) -> None:
        """Give the database's connections back."""
        self._writer.dispose()
        if self._door is not None:
            self._door.close()

    @property
    def acting(self) -> Session:
        """The session of who acts.

        Raises:
            ToolError: Nobody does.
        """
        if self.session is None:
            raise ToolError("Nobody is signed in here; open the desk, or a customer's chat, and ask there.")
        return self.session

    def learned(self, name: str, make: Callable[[], T], codec: Codec[T] | None = None) -> T:
        """What a tool learned from the data as they stand; made now if it was not yet. See `Learned.recall`.

        A replay of another day is kept in memory only: its file would push out that of the shop as it stands.
        """
        filed = codec if self._today is None else None
        return self.memory.recall(str(self.engine.url), self.fingerprint, name, make, filed)

    @property
    def fingerprint(self) -> str:
        """Changes with the data that tools learn from and with the day they are seen from; cheap to ask for.

        Changes made through this engine, here or in another process, are counted by `shop.version`; the size of what
        is written about products tells of most that other programs make.
        """
        p = t.products
        written = func.length(p.c.name) + func.length(p.c.description) + func.length(cast(p.c.attributes, Text))
        written += func.length(p.c.category) + func.coalesce(p.c.cost_cents, 0) + func.coalesce(p.c.list_price_cents, 0)
        with self.engine.connect() as connection:
            seen = [tuple(row) for row in connection.execute(select(t.meta).order_by(t.meta.c.key))]
            seen.append(tuple(connection.execute(select(func.count(), func.sum(written)).select_from(p)).one()))
        return hashlib.sha256(repr((self.today, self.cutoff, seen)).encode()).hexdigest()[:16]

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: all of it happens or nothing. It sees every row, whoever acts."""
        with self._writer.begin() as connection:
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

    def _but(self, **changes: Any) -> Self:
        twin = copy(self)
        vars(twin).update(changes)
        return twin

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
