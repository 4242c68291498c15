"""The shop's store: one engine, one `today`, and the questions that tools ask, answered by SQL as frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, Select, and_, create_engine, event, func, inspect, or_, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from shop import schema as t
from shop.errors import BadInput, ToolError
from shop.types import Draft, Product, Rows

PRODUCT_COLUMNS = (
    "sku",
    "name",
    "category",
    "brand",
    "description",
    "attributes",
    "cost",
    "list_price",
    "launch_date",
    "delisted_date",
)
DAILY_COLUMNS = ("sku", "day", "units", "revenue", "discount", "returned_units", "in_stock")
LAUNCH_COLUMNS = ("sku", "week", "units", "revenue", "out_of_stock_days")
CATEGORY_COLUMNS = ("category", "products", "launches")


class Shop:
    """A shop's data as of a day.

    Args:
        engine: SQLAlchemy engine of a database that holds the tables of `shop.schema`.
        today: The day to plan from; nothing later is seen. Default: the last day with data.
    """

    def __init__(self, engine: Engine, today: date | None = None) -> None:
        self.engine = engine
        self._today = today

    @classmethod
    def open(cls, url: str, today: date | None = None, create: bool = False) -> Shop:
        """Open the shop at a SQLAlchemy URL.

        Raises:
            BadInput: The URL is malformed, the database cannot be reached, or it holds no shop and `create` is false.
        """
        try:
            engine = create_engine(url)
            is_empty = not inspect(engine).has_table("products")
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise BadInput(
                f"The shop address cannot be used ({error}); set DEBUT_SHOP to an SQLAlchemy URL such as sqlite:///shop.db."
            ) from error
        except DBAPIError as error:
            where = make_url(url).render_as_string(hide_password=True)
            raise BadInput(f"The shop database {where} cannot be opened; check the address or that it runs.") from error
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _tune_sqlite)
            engine.dispose()
        if is_empty and not create:
            raise BadInput(
                "There is no shop here yet; run `./debut demo` for the demo shop or `./debut import` for your own data."
            )
        if is_empty:
            t.metadata.create_all(engine)
        return cls(engine, today)

    def as_of(self, today: date) -> Shop:
        """The same shop seen from another day: nothing later is visible."""
        return Shop(self.engine, today)

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

    # -- products, drafts, categories ---------------------------------------------------------------------------------

    def product(self, sku: str) -> Product | None:
        """The product with exactly this SKU, or None (also when it launches after `today`)."""
        row = self._row(select(t.products).where(t.products.c.sku == sku, self._is_launched()))
        return None if row is None else _product(row)

    def draft(self, draft_id: str) -> Draft | None:
        row = self._row(select(t.drafts).where(t.drafts.c.id == draft_id))
        return None if row is None else _draft(row)

    def drafts(self) -> list[Draft]:
        with self.engine.connect() as connection:
            return [_draft(row) for row in connection.execute(select(t.drafts).order_by(t.drafts.c.id)).mappings()]

    def products(self, category: str | None = None) -> pd.DataFrame:
        """Products on record as of `today`, one row each: `PRODUCT_COLUMNS`. A category includes the ones below it."""
        query = select(t.products).where(self._is_launched())
        if category:
            query = query.where(_in_category(category))
        frame = self._frame(query.order_by(t.products.c.sku))
        frame["cost"] = _money(frame.pop("cost_cents"))
        frame["list_price"] = _money(frame.pop("list_price_cents"))
        return frame[list(PRODUCT_COLUMNS)]

    def categories(self) -> pd.DataFrame:
        """Categories with their product and launch counts as of `today`: `CATEGORY_COLUMNS`."""
        query = (
            select(
                t.products.c.category,
                func.count().label("products"),
                func.count(t.products.c.launch_date).label("launches"),
            )
            .where(self._is_launched(), t.products.c.category != "")
            .group_by(t.products.c.category)
            .order_by(t.products.c.category)
        )
        return self._frame(query)[list(CATEGORY_COLUMNS)]

    # -- sales --------------------------------------------------------------------------------------------------------

    def daily(
        self,
        skus: Sequence[str] | None = None,
        category: str | None = None,
        since: date | None = None,
        until: date | None = None,
    ) -> pd.DataFrame:
        """Sales per product and day with a row in the roll-up: `DAILY_COLUMNS`; money in the shop's currency.

        A day without a row had no sale and no stock record; it is a zero only between launch and delisting.
        """
        d = t.daily
        query = select(
            d.c.sku, d.c.day, d.c.units, d.c.revenue_cents, d.c.discount_cents, d.c.returned_units, d.c.in_stock
        ).where(d.c.day <= min(until or self.cutoff, self.cutoff))
        if since is not None:
            query = query.where(d.c.day >= since)
        if skus is not None:
            query = query.where(d.c.sku.in_(list(skus)))
        if category:
            query = query.join(t.products, t.products.c.sku == d.c.sku).where(_in_category(category))
        frame = self._frame(query.order_by(d.c.sku, d.c.day))
        frame["day"] = pd.to_datetime(frame["day"])
        frame["revenue"] = _money(frame.pop("revenue_cents"))
        frame["discount"] = _money(frame.pop("discount_cents"))
        return frame[list(DAILY_COLUMNS)]

    def launch_weeks(self, weeks: int = 12, category: str | None = None, since: date | None = None) -> pd.DataFrame:
        """Sales of every launch by week since its launch date: `LAUNCH_COLUMNS`, `week` counting from 1.

        Only weeks that were whole by the cut-off are returned; a week without a sale has no row.
        `out_of_stock_days` counts days recorded as out of stock in the week.
        """
        d, p = t.daily, t.products
        week = (t.days_between(d.c.day, p.c.launch_date) / 7 + 1).label("week")
        query = (
            select(
                d.c.sku,
                week,
                func.sum(d.c.units).label("units"),
                func.sum(d.c.revenue_cents).label("revenue_cents"),
                func.count().filter(d.c.in_stock.is_(False)).label("out_of_stock_days"),
            )
            .join(p, p.c.sku == d.c.sku)
            .where(
                d.c.day >= p.c.launch_date,
                d.c.day <= self.cutoff,
                t.days_between(d.c.day, p.c.launch_date) < 7 * weeks,
            )
            .group_by(d.c.sku, week)
            .order_by(d.c.sku, week)
        )
        if category:
            query = query.where(_in_category(category))
        if since is not None:
            query = query.where(p.c.launch_date >= since)
        frame = self._frame(query)
        frame["week"] = frame["week"].astype(int)
        frame["revenue"] = _money(frame.pop("revenue_cents"))
        launch = self._frame(select(p.c.sku, p.c.launch_date).where(p.c.launch_date.is_not(None)))
        age = (pd.Timestamp(self.cutoff) - pd.to_datetime(launch["launch_date"])).dt.days + 1
        observed = frame["sku"].map(dict(zip(launch["sku"], age // 7, strict=True)))
        return frame.loc[frame["week"] <= observed, list(LAUNCH_COLUMNS)].reset_index(drop=True)

    def weekly_prices(self, category: str | None = None, since: date | None = None) -> pd.DataFrame:
        """Units and average price paid per product and seven-day bin: `sku, week (first day), units, price`.

        Only bins with a sale and a positive price; bins count back from the cut-off so that the last one is whole.
        """
        frame = self.daily(category=category, since=since)
        frame = frame[(frame["units"] > 0) & (frame["revenue"] > 0)]
        last = pd.Timestamp(self.cutoff)
        bins = (last - frame["day"]).dt.days // 7
        frame = frame.assign(week=last - pd.to_timedelta(bins * 7 + 6, unit="D"))
        grouped = frame.groupby(["sku", "week"], as_index=False)[["units", "revenue"]].sum()
        grouped["price"] = grouped["revenue"] / grouped["units"]
        return grouped[["sku", "week", "units", "price"]]

    # -- provenance ---------------------------------------------------------------------------------------------------

    def rows_behind(self, rows: Rows, limit: int = 50) -> pd.DataFrame:
        """The stored rows a figure names, at most `limit`, newest first where the table has days."""
        table = t.metadata.tables[rows.table]
        query = select(table)
        for column, values in rows.where.items():
            query = query.where(table.c[column].in_(list(values)))
        day = table.c.get("day")
        if day is not None:
            bounds = [day >= rows.since if rows.since else None, day <= rows.until if rows.until else None]
            query = query.where(and_(True, *[bound for bound in bounds if bound is not None])).order_by(day.desc())
        return self._frame(query.limit(limit))

    # -- plumbing -----------------------------------------------------------------------------------------------------

    def _is_launched(self) -> Any:
        launch = t.products.c.launch_date
        return or_(launch.is_(None), launch <= self.today) if self._today else True

    def _scalar(self, query: Select[Any]) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(query).scalar()

    def _row(self, query: Select[Any]) -> dict[str, Any] | None:
        with self.engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else dict(row)

    def _frame(self, query: Select[Any]) -> pd.DataFrame:
        with self.engine.connect() as connection:
            result = connection.execute(query)
            return pd.DataFrame(result.fetchall(), columns=list(result.keys()))


def _in_category(path: str) -> Any:
    return or_(t.products.c.category == path, t.products.c.category.startswith(path + " > ", autoescape=True))


def _money(cents: pd.Series[Any]) -> pd.Series[Any]:
    return pd.to_numeric(cents, errors="coerce").astype(float) / 100


def _dollars(cents: int | None) -> float | None:
    return None if cents is None else cents / 100


def _product(row: dict[str, Any]) -> Product:
    return Product(
        **{k: row[k] for k in Product.model_fields if k in row and k not in ("cost", "list_price")},
        cost=_dollars(row["cost_cents"]),
        list_price=_dollars(row["list_price_cents"]),
    )


def _draft(row: Any) -> Draft:
    return Draft(
        **{k: row[k] for k in Draft.model_fields if k in row and k not in ("cost", "price")},
        cost=_dollars(row["cost_cents"]),
        price=_dollars(row["price_cents"]),
    )


def _tune_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
