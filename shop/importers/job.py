"""One import: the open transaction, what was read and refused so far, and the bulk inserts every importer shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, bindparam, select, update

from shop import schema as t
from shop.database import insert_new
from shop.errors import BadInput
from shop.importers.reading import Chunk, TableFile
from shop.importers.report import Progress, Refusals

SALE_COLUMNS = (
    "order_id",
    "sku",
    "name",
    "customer_id",
    "region",
    "placed_at",
    "units",
    "price_cents",
    "discount_cents",
)
LARGEST = 1_000_000_000  # units or cents; more than that in one row is a slip of the keyboard


@dataclass
class Job:
    """The state of one import. Rows are kept or refused; nothing is visible to others until the transaction ends."""

    connection: Connection
    source: str
    refusals: Refusals
    progress: Progress
    today: date
    rows_read: int = 0
    rows_kept: int = 0
    rows_new: int = 0
    touched: set[str] = field(default_factory=set)  # SKUs whose sales, returns or stock changed
    new_skus: set[str] = field(default_factory=set)
    names: Counter[tuple[str, str]] = field(default_factory=Counter)
    customers: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    returns: int = 0
    days: tuple[date, date] | None = None
    notes: list[str] = field(default_factory=list)
    own_orders: Counter[str] = field(default_factory=Counter)  # contents numbered by us
    _skus: set[str] = field(default_factory=set)
    _lines: Counter[str] = field(default_factory=Counter)
    _seen: set[int] = field(default_factory=set)

    def chunks(self, table: TableFile, where: str = "") -> Iterator[Chunk]:
        """The chunks of a file; malformed rows are refused, rows counted, progress reported."""
        done = 0
        for chunk in table.chunks():
            for number, cells in chunk.malformed:
                reason = f"has {len(cells)} fields where the header has {len(table.columns)}"
                self.refusals.add(number, reason, cells, where or chunk.sheet)
            done += len(chunk.frame) + len(chunk.malformed)
            self.rows_read += len(chunk.frame) + len(chunk.malformed)
            yield chunk
            self.progress(done, table.rows)

    def keep(self, chunk: Chunk, reasons: pd.Series[Any], where: str = "") -> pd.Series[Any]:
        """Write down the refused rows of a chunk; returns which rows are kept."""
        self.refusals.add_frame(chunk.frame, reasons, where or chunk.sheet)
        kept = reasons == ""
        self.rows_kept += int(kept.sum())
        return kept

    def repeated(self, frame: pd.DataFrame) -> pd.Series[Any]:
        """Which rows are exactly equal to an earlier row of this import."""
        hashes = pd.util.hash_pandas_object(frame, index=False).tolist()
        again = np.zeros(len(hashes), dtype=bool)
        for place, value in enumerate(hashes):
            again[place] = value in self._seen
            self._seen.add(value)
        return pd.Series(again, index=frame.index)

    def add_products(self, rows: Iterable[dict[str, Any]]) -> None:
        """Products by `sku`, `name` and more; those already in the shop stay as they are."""
        unknown = {row["sku"]: {"source": self.source, **row} for row in rows if row["sku"] not in self._skus}
        known = self._known(unknown)
        fresh = [row for sku, row in unknown.items() if sku not in known]
        insert_new(self.connection, t.products, fresh)
        self.new_skus.update(row["sku"] for row in fresh)
        self._skus.update(unknown)

    def update_products(self, rows: list[dict[str, Any]]) -> None:
        """A product list: new products are added, known ones take the values of the list."""
        known = self._known([row["sku"] for row in rows])
        self.add_products(rows)
        self.touched.update(row["sku"] for row in rows)
        self.rows_new += sum(row["sku"] not in known for row in rows)
        old = [{"of": row["sku"], **row} for row in rows if row["sku"] in known]
        if old:
            columns: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "sku"}
            self.connection.execute(update(t.products).where(t.products.c.sku == bindparam("of")).values(columns), old)

    def _known(self, skus: Iterable[str]) -> set[str]:
        wanted, known = list(skus), set[str]()
        for start in range(0, len(wanted), 5_000):
            query = select(t.products.c.sku).where(t.products.c.sku.in_(wanted[start : start + 5_000]))
            known.update(self.connection.execute(query).scalars())
        return known

    def add_customers(self, customers: pd.DataFrame) -> None:
        """Customers by `customer_id`, `region` and `joined_on`; '' is nobody."""
        rows = customers[customers["customer_id"] != ""].drop_duplicates("customer_id")
        rows = rows[~rows["customer_id"].isin(self.customers)]
        self.customers.update(rows["customer_id"])
        insert_new(self.connection, t.customers, records(rows.rename(columns={"customer_id": "id"})))

    def add_sales(self, sales: pd.DataFrame) -> None:
        """Order lines (`SALE_COLUMNS`) with the products, customers and orders they name."""
        self._note(sales)
        first = sales.drop_duplicates("order_id")
        self.add_customers(first[["customer_id", "region"]].assign(joined_on=first["placed_at"].dt.date))
        orders = first[~first["order_id"].isin(self.orders)]
        self.orders.update(orders["order_id"])
        optional = ["status", "channel"]
        columns = ["order_id", "customer_id", "placed_at", "region", *[c for c in optional if c in orders]]
        orders = orders[columns].rename(columns={"order_id": "id"}).assign(source=self.source)
        orders["customer_id"] = orders["customer_id"].replace("", None)
        insert_new(self.connection, t.orders, records(orders))
        lines = sales[["order_id", "sku", "units", "price_cents", "discount_cents"]]
        self.rows_new += insert_new(self.connection, t.order_lines, records(lines.assign(line=self._number(sales))))

    def add_returns(self, returns: pd.DataFrame, reason: str) -> None:
        """Returned lines (`SALE_COLUMNS`, units and price positive) under the number of the credit note."""
        self._note(returns)
        self.returns += len(returns)
        rows = pd.DataFrame(
            {
                "id": returns["order_id"] + "-" + self._number(returns).astype(str),
                "sku": returns["sku"],
                "customer_id": returns["customer_id"].replace("", None),
                "day": returns["placed_at"].dt.date,
                "units": returns["units"],
                "refund_cents": returns["units"] * returns["price_cents"],
                "reason": reason,
            }
        )
        self.rows_new += insert_new(self.connection, t.returns, records(rows))

    def _note(self, lines: pd.DataFrame) -> None:
        if lines.empty:
            return
        named = lines[lines["name"] != ""].groupby(["sku", "name"], sort=False).size().reset_index(name="lines")
        pairs = zip(named["sku"], named["name"], strict=True)
        self.names.update(dict(zip(pairs, named["lines"].tolist(), strict=True)))
        skus = lines["sku"].unique().tolist()
        self.touched.update(skus)
        self.add_products([{"sku": sku, "name": sku} for sku in skus])
        first, last = lines["placed_at"].min().date(), lines["placed_at"].max().date()
        self.days = (first, last) if self.days is None else (min(first, self.days[0]), max(last, self.days[1]))

    def _number(self, lines: pd.DataFrame) -> pd.Series[Any]:
        """Line numbers within the order, counting on from earlier chunks."""
        codes, orders = pd.factorize(lines["order_id"])
        before = np.array([self._lines[order] for order in orders], dtype=np.int64)
        self._lines.update(dict(zip(orders, np.bincount(codes, minlength=len(orders)).tolist(), strict=True)))
        return pd.Series(before[codes], index=lines.index) + lines.groupby(codes).cumcount() + 1


def first_reason(index: pd.Index[Any], rules: Iterable[tuple[Any, str]]) -> pd.Series[Any]:
    """For every row the reason of the first rule that it breaks, '' for none. A rule is a mask and a reason."""
    reasons = np.full(len(index), "", dtype=object)
    for mask, reason in rules:
        reasons[(reasons == "") & np.asarray(mask, dtype=bool)] = reason
    return pd.Series(reasons, index=index)


def value_rules(rows: pd.DataFrame, today: date) -> list[tuple[Any, str]]:
    """The rules for `units`, `price` and `placed_at` of any sale."""
    units, price, placed_at = rows["units"], rows["price"], rows["placed_at"]
    return [
        (units.isna(), "units are not a number"),
        (units % 1 != 0, "units are not a whole number"),
        (units.abs() > LARGEST, "units are out of range"),
        (price.isna(), "price is not a number"),
        (price.abs() > LARGEST / 100, "price is out of range"),
        (placed_at.isna(), "date cannot be read"),
        (placed_at >= pd.Timestamp(today + timedelta(days=2)), "date is in the future"),
    ]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain Python values for the database driver."""
    columns = [
        frame[name].to_numpy("datetime64[us]").tolist() if frame[name].dtype.kind == "M" else frame[name].tolist()
        for name in frame
    ]
    names = list(frame.columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def declare(connection: Connection, currency: str, name: str) -> None:
    """Say what the shop is called and counts in, once.

    Raises:
        BadInput: The shop already counts in another currency.
    """
    held = connection.execute(select(t.meta.c.value).where(t.meta.c.key == "currency")).scalar()
    if held is not None and held != currency:
        raise BadInput(
            f"This shop counts in {held} and the file in {currency}; import it into a shop of its own: "
            "set DEBUT_SHOP to a new address such as sqlite:///other.db."
        )
    insert_new(connection, t.meta, [{"key": "currency", "value": currency}, {"key": "name", "value": name}])
