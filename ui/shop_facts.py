"""How fresh and how whole a shop's data are, as figures with the rows they were counted in."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Column, Table, func, select

from agent.ledger import Ledger
from shop import Shop
from shop import schema as t
from ui.strings import Words

# What has a last day: the table and the column that says it.
DATED: dict[str, tuple[Table, Column[Any]]] = {
    "daily": (t.daily, t.daily.c.day),
    "orders": (t.orders, t.orders.c.placed_at),
    "stock": (t.stock, t.stock.c.day),
    "prices": (t.prices, t.prices.c.valid_from),
    "competitor_prices": (t.competitor_prices, t.competitor_prices.c.day),
    "campaigns": (t.campaigns, t.campaigns.c.day),
    "reviews": (t.reviews, t.reviews.c.day),
    "events": (t.events, t.events.c.at),
}
GAPS = ("cost", "category", "launch", "price", "stock", "reviews")
MOST_REFUSED = 50


def facts(shop: Shop, say: Words) -> Ledger:
    """`fresh.*` and `gap.*`: the last day and the rows of each kind of data, and how many products lack what."""
    ledger, cutoff = Ledger(), shop.cutoff
    with shop.engine.connect() as connection:
        first = connection.execute(select(func.min(t.daily.c.day))).scalar()
        ledger.derive("fresh.first", say["daily"], first, "date", "first day of the table daily", as_of=cutoff)
        for name, (table, column) in DATED.items():
            seen = column < datetime.combine(cutoff + timedelta(days=1), datetime.min.time())
            last, rows = connection.execute(select(func.max(column), func.count()).where(seen)).one()
            _fresh(ledger, name, table.name, _day(last), int(rows), cutoff, say)
        days = connection.execute(select(t.daily.c.day).where(t.daily.c.units > 0).distinct()).scalars()
        sold = {day for day in days if day <= cutoff}
    empty = (cutoff - first).days + 1 - len(sold) if first else 0
    how = "days from the first to the last with no unit sold of any product"
    ledger.derive("gap.days", say["gap_days"], empty, "count", how, as_of=cutoff)
    _gaps(ledger, shop, cutoff, say)
    return ledger


def fresh_table(ledger: Ledger, say: Words) -> str:
    """The Markdown template of what was imported up to when."""
    head = [say["what"], say["last"], say["behind"], say["rows"]]
    rows = [[say[name], *(f"{{{{fresh.{name}{part}}}}}" for part in ("", "_behind", "_rows"))] for name in DATED]
    return _table(head, rows)


def gap_table(ledger: Ledger, say: Words) -> str:
    """The Markdown template of what products lack."""
    head = [say["missing"], say["count"], say["share"]]
    rows = [[say[f"gap_{name}"], f"{{{{gap.{name}}}}}", f"{{{{gap.{name}_share}}}}"] for name in GAPS]
    return _table(head, [*rows, [say["gap_days"], "{{gap.days}}", ""]])


def imports(shop: Shop) -> list[dict[str, Any]]:
    """Every import, latest first, as stored."""
    query = select(t.imports).order_by(t.imports.c.finished_at.desc(), t.imports.c.id.desc())
    with shop.engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def refused_rows(folder: Path, file: str) -> pd.DataFrame | None:
    """The first rows that an import refused, each with its reason; None where the list is not here."""
    path = folder / f"{Path(file).stem}.csv"
    if not path.is_file() or path.parent != folder:
        return None
    with path.open(encoding="utf-8", newline="") as lines:
        head, *rows = [*islice(csv.reader(lines), MOST_REFUSED + 1)] or [[]]
    width = max((len(row) for row in rows), default=len(head))
    names = [*head, *(f"+{n}" for n in range(1, width - len(head) + 1))]
    return pd.DataFrame([[*row, *[""] * (len(names) - len(row))] for row in rows], columns=names)


def _fresh(ledger: Ledger, name: str, table: str, last: date | None, rows: int, cutoff: date, say: Words) -> None:
    label, reason = say[name], say["never"]
    how = f"last day of the table {table} up to the cut-off"
    ledger.derive(f"fresh.{name}", label, last, "date", how, reason="" if last else reason, as_of=cutoff)
    behind = (cutoff - last).days if last else None
    how = "days from it to the last day with sales"
    ledger.derive(f"fresh.{name}_behind", label, behind, "days", how, reason="" if last else reason, as_of=cutoff)
    ledger.derive(f"fresh.{name}_rows", label, rows, "count", f"rows of the table {table}", as_of=cutoff)


def _gaps(ledger: Ledger, shop: Shop, cutoff: date, say: Words) -> None:
    products = shop.products()
    known = _skus_with(shop, cutoff)
    lacks: Mapping[str, pd.Series] = {
        "cost": products["cost"].isna(),
        "category": products["category"] == "",
        "launch": products["launch_date"].isna(),
        "price": products["list_price"].isna(),
        "stock": ~products["sku"].isin(known["stock"]),
        "reviews": ~products["sku"].isin(known["reviews"]),
    }
    total = len(products)
    ledger.derive("gap.products", say["products"], total, "count", "rows of the table products", as_of=cutoff)
    for name, lacking in lacks.items():
        english = Words("shop", "en")[f"gap_{name}"]
        count, how = int(lacking.sum()), f"products {english}"
        ledger.derive(f"gap.{name}", say[f"gap_{name}"], count, "count", how, as_of=cutoff)
        share = count / total if total else None
        ledger.derive(
            f"gap.{name}_share",
            say[f"gap_{name}"],
            share,
            "share",
            f"{how} / products",
            (f"gap.{name}", "gap.products"),
            reason="" if total else say["never"],
        )


def _skus_with(shop: Shop, cutoff: date) -> dict[str, set[str]]:
    """SKUs that have a stock record, and those that have a review."""
    with shop.engine.connect() as connection:
        return {
            name: set(connection.execute(select(table.c.sku).where(table.c.day <= cutoff).distinct()).scalars())
            for name, table in (("stock", t.stock), ("reviews", t.reviews))
        }


def _day(moment: date | datetime | None) -> date | None:
    return moment.date() if isinstance(moment, datetime) else moment


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])
