"""The shop's store: what tools ask about products, drafts and sales, answered by SQL as frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Date, Integer, Select, and_, case, cast, exists, func, literal, or_, select

from shop import schema as t
from shop.database import insert_new
from shop.records import Records
from shop.types import Draft, Product, Rows
from shop.view import in_category, narrowed, with_money

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
NAME_COLUMNS = ("id", "name", "name_zh")
CATEGORY_COLUMNS = ("category", "products", "launches")
DAILY_COLUMNS = ("sku", "day", "units", "revenue", "discount", "returned_units", "in_stock")
LAUNCH_COLUMNS = ("sku", "week", "units", "revenue", "out_of_stock_days")
WEEKLY_PRICE_COLUMNS = ("sku", "week", "units", "price")


class Shop(Records):
    """A shop's data as of a day: see `View` for what "as of" means.

    The methods here answer about products, drafts and sales; those of `Records` about everything else.
    """

    # -- products, drafts, categories ---------------------------------------------------------------------------------

    def product(self, sku: str) -> Product | None:
        """The product with exactly this SKU as known on `today`, or None (also where it launches later)."""
        row = self._row(self._products().where(t.products.c.sku == sku))
        return None if row is None else _product(row)

    def products(self, category: str | None = None) -> pd.DataFrame:
        """Products as known on `today`, one row each: `PRODUCT_COLUMNS`. A category includes the ones below it."""
        query = self._products()
        if category:
            query = query.where(in_category(category))
        frame = self._frame(query.order_by(t.products.c.sku))
        return with_money(frame, "cost", "list_price")[list(PRODUCT_COLUMNS)]

    def names(self) -> pd.DataFrame:
        """What products and drafts are called, to find them by: `NAME_COLUMNS`."""
        p, d = t.products, t.drafts
        products = select(p.c.sku.label("id"), p.c.name, p.c.name_zh).where(self._is_known())
        return self._frame(products.union_all(select(d.c.id, d.c.name, literal(""))))[list(NAME_COLUMNS)]

    def categories(self) -> pd.DataFrame:
        """Categories with their product and launch counts as of `today`: `CATEGORY_COLUMNS`."""
        query = (
            select(
                t.products.c.category,
                func.count().label("products"),
                func.count(t.products.c.launch_date).label("launches"),
            )
            .where(self._is_known(), t.products.c.category != "")
            .group_by(t.products.c.category)
            .order_by(t.products.c.category)
        )
        return self._frame(query)[list(CATEGORY_COLUMNS)]

    def draft(self, draft_id: str) -> Draft | None:
        """The draft with this id, with the fields it is planned with here, or None."""
        if self.planned is not None and self.planned.id == draft_id:
            return self.planned
        row = self._row(select(t.drafts).where(t.drafts.c.id == draft_id))
        return None if row is None else _draft(row)

    def drafts(self) -> list[Draft]:
        """All drafts: they are plans, not data, so a replay of the past may plan with any of them."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(t.drafts).order_by(t.drafts.c.id)).mappings().all()
        stored = [_draft(dict(row)) for row in rows]
        planned = self.planned
        return stored if planned is None else [planned if each.id == planned.id else each for each in stored]

    def add_draft(
        self,
        name: str,
        category: str = "",
        cost: float | None = None,
        price: float | None = None,
        launch_date: date | None = None,
        description: str = "",
        attributes: Mapping[str, str] | None = None,
    ) -> Draft:
        """Store a product being planned under the next free id (D-0001, D-0002 …); money in the shop's currency.

        Saying the same thing again is not a second product: a draft with equal fields is returned as it is.
        """
        values = {
            "name": name,
            "category": category,
            "cost_cents": cents(cost),
            "price_cents": cents(price),
            "launch_date": launch_date,
            "description": description,
            "attributes": dict(attributes or {}),
            "created_on": self.today,
        }
        wanted = _draft({"id": "", **values}).model_dump(exclude={"id"})
        for known in self.drafts():
            if known.model_dump(exclude={"id"}) == wanted:
                return known
        last = select(func.max(cast(func.substr(t.drafts.c.id, 3), Integer)))
        while True:
            # Another process may take the number between the look and the insert; then the insert adds nothing.
            draft_id = f"D-{(self._scalar(last) or 0) + 1:04d}"
            with self.begin() as connection:
                if insert_new(connection, t.drafts, [{"id": draft_id, **values}]):
                    return _draft({"id": draft_id, **values})

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
        ).where(d.c.day <= min(until or self.cutoff, self.cutoff), *narrowed(d, skus, category, since))
        frame = self._frame(query.order_by(d.c.sku, d.c.day))
        frame["day"] = pd.to_datetime(frame["day"])
        return with_money(frame, "revenue", "discount")[list(DAILY_COLUMNS)]

    def launch_weeks(self, weeks: int = 12, category: str | None = None, since: date | None = None) -> pd.DataFrame:
        """Sales of every launch by week since its launch date: `LAUNCH_COLUMNS`, `week` counting from 1.

        Only weeks that were whole by the cut-off are returned, none after delisting; a week without a sale has no row
        unless stock was recorded. `out_of_stock_days` counts days recorded as out of stock in the week.
        """
        d, p, cutoff = t.daily, t.products, self.cutoff
        age = t.days_between(d.c.day, p.c.launch_date)
        week = (age // 7 + 1).label("week")
        whole_weeks = t.days_between(literal(cutoff, Date), p.c.launch_date) + 1
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
                d.c.day <= cutoff,
                or_(p.c.delisted_date.is_(None), d.c.day <= p.c.delisted_date),
                age < 7 * weeks,
                age // 7 < whole_weeks // 7,
            )
            .group_by(d.c.sku, week)
            .order_by(d.c.sku, week)
        )
        if category:
            query = query.where(in_category(category))
        if since is not None:
            query = query.where(p.c.launch_date >= since)
        return with_money(self._frame(query), "revenue")[list(LAUNCH_COLUMNS)]

    def weekly_prices(self, category: str | None = None, since: date | None = None) -> pd.DataFrame:
        """Units and average price paid per product and seven-day bin: `WEEKLY_PRICE_COLUMNS`, `week` its first day.

        Only bins with a sale and a positive price; bins count back from the cut-off so that the last one is whole.
        """
        d, cutoff = t.daily, self.cutoff
        back = (t.days_between(literal(cutoff, Date), d.c.day) // 7).label("back")
        query = (
            select(
                d.c.sku, back, func.sum(d.c.units).label("units"), func.sum(d.c.revenue_cents).label("revenue_cents")
            )
            .where(d.c.day <= cutoff, d.c.units > 0, d.c.revenue_cents > 0, *narrowed(d, None, category, since))
            .group_by(d.c.sku, back)
            .order_by(d.c.sku, back.desc())
        )
        frame = with_money(self._frame(query), "revenue")
        days = frame.pop("back").astype(int) * 7 + 6
        frame["week"] = pd.Timestamp(cutoff) - pd.to_timedelta(days, unit="D")
        frame["price"] = frame["revenue"] / frame["units"].astype(float)
        return frame[list(WEEKLY_PRICE_COLUMNS)]

    # -- provenance ---------------------------------------------------------------------------------------------------

    def rows_behind(self, rows: Rows, limit: int = 50) -> pd.DataFrame:
        """The stored rows a figure names, at most `limit`, newest first where the table has days."""
        table = t.metadata.tables[rows.table]
        query = select(table)
        for column, values in rows.where.items():
            query = query.where(table.c[column].in_(list(values)))
        day = table.c.get("day")
        if day is not None:
            query = query.where(day <= min(rows.until or self.cutoff, self.cutoff)).order_by(day.desc())
            if rows.since is not None:
                query = query.where(day >= rows.since)
        return self._frame(query.limit(limit))

    # -- plumbing -----------------------------------------------------------------------------------------------------

    def _products(self) -> Select[Any]:
        """Product rows as known on `today`: a replay sees neither later prices nor a later delisting."""
        p, h = t.products, t.prices
        if self._today is None:
            return select(p).where(self._is_known())
        earlier = (
            select(h.c.price_cents)
            .where(h.c.sku == p.c.sku, h.c.valid_from < self._today)
            .order_by(h.c.valid_from.desc())
            .limit(1)
            .correlate(p)
            .scalar_subquery()
        )
        as_known = {
            "list_price_cents": func.coalesce(earlier, p.c.list_price_cents),
            "delisted_date": case((p.c.delisted_date <= self._today, p.c.delisted_date)),
        }
        columns = [as_known[c.name].label(c.name) if c.name in as_known else c for c in p.columns]
        return select(*columns).where(self._is_known())

    def _is_known(self) -> Any:
        """Launched by `today`; without a launch date, already sold by then (or never)."""
        if self._today is None:
            return True
        p, d = t.products, t.daily
        sold = exists().where(d.c.sku == p.c.sku).correlate(p)
        old = and_(p.c.launch_date.is_(None), or_(sold.where(d.c.day < self._today), ~sold))
        return or_(p.c.launch_date <= self._today, old)


def cents(amount: float | None) -> int | None:
    """Money as stored."""
    return None if amount is None else round(amount * 100)


def _dollars(stored: int | None) -> float | None:
    return None if stored is None else stored / 100


def _product(row: dict[str, Any]) -> Product:
    return Product(
        **{k: row[k] for k in Product.model_fields if k in row and k not in ("cost", "list_price")},
        cost=_dollars(row["cost_cents"]),
        list_price=_dollars(row["list_price_cents"]),
    )


def _draft(row: dict[str, Any]) -> Draft:
    return Draft(
        **{k: row[k] for k in Draft.model_fields if k in row and k not in ("cost", "price")},
        cost=_dollars(row["cost_cents"]),
        price=_dollars(row["price_cents"]),
    )
