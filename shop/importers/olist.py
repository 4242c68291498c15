"""Olist's published export (a Brazilian marketplace, 2016 to 2018): a folder of CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from shop import schema as t
from shop.database import insert_new
from shop.errors import BadInput
from shop.importers.finish import finish
from shop.importers.job import Job, declare, first_reason, records, value_rules
from shop.importers.reading import TableFile, open_table, require_columns
from shop.importers.values import as_number, as_text, as_time

KIND = "olist"
FILES = {
    "orders": ("olist_orders_dataset.csv", "order_id customer_id order_status order_purchase_timestamp"),
    "items": ("olist_order_items_dataset.csv", "order_id order_item_id product_id price"),
    "products": ("olist_products_dataset.csv", "product_id product_category_name"),
    "customers": (
        "olist_customers_dataset.csv",
        "customer_id customer_unique_id customer_zip_code_prefix customer_state",
    ),
    "words": ("product_category_name_translation.csv", "product_category_name product_category_name_english"),
    "reviews": (
        "olist_order_reviews_dataset.csv",
        "review_id order_id review_score review_comment_title review_comment_message review_creation_date",
    ),
}
OPTIONAL = ("words", "reviews")
STATUS = {"canceled": "cancelled", "unavailable": "unavailable"}


def load(job: Job, path: Path) -> str:
    """Read the folder into the job's transaction; returns the text encoding.

    Raises:
        BadInput: A file or a column is missing.
    """
    tables = _open(path)
    declare(job.connection, "BRL", "Olist")
    products = _products(job, tables)
    orders = _orders(job, tables)
    items = _items(job, tables["items"], orders, products)
    if "reviews" in tables:
        _reviews(job, tables["reviews"], items)
    finish(job)
    return tables["items"].encoding


def _open(path: Path) -> dict[str, TableFile]:
    if not path.is_dir():
        raise BadInput(
            f"{path.name} is not a folder; give the folder that holds {FILES['orders'][0]} and its siblings."
        )
    missing = [name for key, (name, _) in FILES.items() if key not in OPTIONAL and not (path / name).is_file()]
    if missing:
        found = ", ".join(sorted(file.name for file in path.glob("*.csv"))) or "no CSV file"
        raise BadInput(f"The folder {path.name} lacks {', '.join(missing)} and has {found}; unpack the whole export.")
    tables = {key: open_table(path / name) for key, (name, _) in FILES.items() if (path / name).is_file()}
    for key, table in tables.items():
        require_columns(table, FILES[key][1].split(), "use the files as Olist published them")
    return tables


def _whole(job: Job, table: TableFile) -> pd.DataFrame:
    """A side table that later rows are joined to: text cells, all of its rows kept."""
    parts = []
    for chunk in job.chunks(table, table.path.name):
        job.rows_kept += len(chunk.frame)
        parts.append(chunk.frame.apply(as_text))
    return pd.concat(parts, ignore_index=True)


def _products(job: Job, tables: dict[str, TableFile]) -> set[str]:
    """Olist publishes no product names: a product is called by its category and the start of its id."""
    english: dict[str, str] = {}
    if "words" in tables:
        words = _whole(job, tables["words"])
        english = dict(zip(words["product_category_name"], words["product_category_name_english"], strict=True))
    products = _whole(job, tables["products"]).drop_duplicates("product_id")
    rows = []
    for sku, portuguese in zip(products["product_id"], products["product_category_name"], strict=True):
        category = english.get(portuguese, portuguese).replace("_", " ").strip().capitalize()
        rows.append({"sku": sku, "name": f"{category or 'Product'} {sku[:8]}", "category": category})
    job.add_products(rows)
    return set(products["product_id"])


def _orders(job: Job, tables: dict[str, TableFile]) -> pd.DataFrame:
    """Orders by id with the person behind them: Olist gives every order its own customer id."""
    people = _whole(job, tables["customers"]).drop_duplicates("customer_id").set_index("customer_id")
    orders = _whole(job, tables["orders"]).drop_duplicates("order_id").set_index("order_id")
    person = people.reindex(orders["customer_id"])
    return pd.DataFrame(
        {
            "customer_id": person["customer_unique_id"].fillna("").to_numpy(),
            "region": person["customer_state"].fillna("").to_numpy(),
            "placed_at": as_time(orders["order_purchase_timestamp"], "ISO8601"),
            "status": orders["order_status"].map(lambda status: STATUS.get(status, status)),
        },
        index=orders.index,
    )


def _items(job: Job, table: TableFile, orders: pd.DataFrame, products: set[str]) -> dict[str, set[str]]:
    """Order lines, one unit each; returns the products of every order."""
    bought: dict[str, set[str]] = {}
    for chunk in job.chunks(table, table.path.name):
        ids, skus = as_text(chunk.frame["order_id"]), as_text(chunk.frame["product_id"])
        order = orders.reindex(ids).set_axis(ids.index)
        rows = pd.DataFrame({"order_id": ids, "sku": skus, "name": "", **order})
        rows["units"] = 1.0
        rows["price"] = as_number(chunk.frame["price"])
        rules = [
            (~ids.isin(orders.index), f"order is not in {FILES['orders'][0]}"),
            (~skus.isin(products), f"product is not in {FILES['products'][0]}"),
            (job.repeated(chunk.frame), "exact duplicate of an earlier row"),
            *value_rules(rows, job.today),
            (rows["price"] < 0, "negative price"),
            (rows["price"] < 0.005, "free of charge"),
        ]
        kept = rows[job.keep(chunk, first_reason(rows.index, rules), table.path.name)]
        cents = (kept["price"] * 100).round().astype("int64")
        lines = kept.assign(units=1, price_cents=cents, discount_cents=0).drop(columns="price")
        job.add_sales(lines)
        for order_id, sku in zip(kept["order_id"], kept["sku"], strict=True):
            bought.setdefault(order_id, set()).add(sku)
    return bought


def _reviews(job: Job, table: TableFile, bought: dict[str, set[str]]) -> None:
    """A review is of an order: it is kept where the order holds one product."""
    for chunk in job.chunks(table, table.path.name):
        frame = chunk.frame.apply(as_text)
        skus = frame["order_id"].map(lambda order: bought.get(order, set()))
        rating = as_number(frame["review_score"])
        day = as_time(frame["review_creation_date"], "ISO8601")
        rules: list[tuple[Any, str]] = [
            (skus.map(len) == 0, "review of an order without a kept item"),
            (skus.map(len) > 1, "review of an order with several products"),
            (~rating.isin([1, 2, 3, 4, 5]), "rating is not 1 to 5"),
            (day.isna(), "date cannot be read"),
        ]
        kept = job.keep(chunk, first_reason(frame.index, rules), table.path.name)
        rows = pd.DataFrame(
            {
                "id": frame["review_id"][kept] + "-" + frame["order_id"][kept],
                "sku": skus[kept].map(lambda only: next(iter(only))),
                "day": day[kept].dt.date,
                "rating": rating[kept].astype(int),
                "title": frame["review_comment_title"][kept],
                "text": frame["review_comment_message"][kept],
                "language": "pt",
            }
        )
        job.rows_new += insert_new(job.connection, t.reviews, records(rows))
