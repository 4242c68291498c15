"""From the shop's rows to passages: one frame with stable ids, the text to index, and what can be filtered by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Engine, Select, select

from retrieval.briefs import brief_passages
from shop import schema as t
from shop.text import clean, language_of, parts, sentences

# One row a passage. `day` and `until` are ordinals of the first and last day on which it may be seen, `price` is in the
# shop's currency and -1 where unknown, `rating` is 0 where there is none; Chroma has no null.
PASSAGE_COLUMNS = (
    "id",
    "kind",
    "ref",
    "sku",
    "category",
    "language",
    "day",
    "until",
    "rating",
    "price",
    "source",
    "text",
)
ALWAYS, NEVER = 0, date.max.toordinal()
Row = dict[str, Any]


def passages(rows: list[Row]) -> pd.DataFrame:
    """Rows with at least `id` and `text` as a frame with `PASSAGE_COLUMNS`, the rest filled with its neutral value."""
    neutral: Row = {
        "kind": "product",
        "ref": "",
        "sku": "",
        "category": "",
        "day": ALWAYS,
        "until": NEVER,
        "rating": 0,
        "price": -1.0,
        "source": "",
    }
    filled = [{**neutral, "language": language_of(row["text"]), **row} for row in rows]
    frame = pd.DataFrame(filled, columns=list(PASSAGE_COLUMNS))
    return frame.astype({"day": "int64", "until": "int64", "rating": "int64", "price": "float64"})


def collect(engine: Engine) -> pd.DataFrame:
    """Every passage of a shop: products, reviews by sentence, policies by section, what approved briefs tell."""
    return passages([*_products(engine), *_reviews(engine), *_policies(engine), *brief_passages(engine)])


def fingerprint(row: Row) -> str:
    """Hash of everything a passage is indexed by: equal means that nothing needs to be done again."""
    return hashlib.sha256("\x1f".join(str(row[name]) for name in PASSAGE_COLUMNS).encode()).hexdigest()[:16]


def _products(engine: Engine) -> Iterator[Row]:
    for row in _rows(engine, select(t.products).order_by(t.products.c.sku)):
        cents, launch = row["list_price_cents"], row["launch_date"]
        shared = {
            "kind": "product",
            "ref": row["sku"],
            "sku": row["sku"],
            "category": row["category"],
            "day": launch.toordinal() if launch else ALWAYS,
            "price": -1.0 if cents is None else cents / 100,
        }
        facts = "; ".join(f"{name}: {value}" for name, value in sorted(row["attributes"].items()))
        kinds = row["category"].replace(" > ", ", ")
        english = ". ".join(filter(None, (row["name"], row["brand"], kinds, facts))) + "\n" + row["description"]
        chinese = row["name_zh"] + "\n" + row["description_zh"]
        for language, text in (("en", english), ("zh", chinese)):
            for number, part in enumerate(parts(clean(text))):
                written = {"language": language, "text": part, "source": f"product {row['sku']}"}
                yield {**shared, **written, "id": f"product:{row['sku']}:{language}:{number}"}


def _reviews(engine: Engine) -> Iterator[Row]:
    r, p = t.reviews, t.products
    query = select(r, p.c.category).join(p, p.c.sku == r.c.sku).order_by(r.c.id)
    for row in _rows(engine, query):
        text = clean(f"{row['title']}\n{row['text']}" if row["title"] else row["text"])
        for number, sentence in enumerate(sentences(text)):
            yield {
                "id": f"review:{row['id']}:{number}",
                "kind": "review",
                "ref": row["id"],
                "sku": row["sku"],
                "category": row["category"],
                "language": row["language"],
                "day": row["day"].toordinal(),
                "rating": row["rating"],
                "source": f"review {row['id']}",
                "text": sentence[:900],
            }


def _policies(engine: Engine) -> Iterator[Row]:
    for row in _rows(engine, select(t.policies).order_by(t.policies.c.id)):
        last = row["effective_to"]
        for number, part in enumerate(parts(clean(row["text"]))):
            yield {
                "id": f"policy:{row['id']}:{number}",
                "kind": "policy",
                "ref": row["id"],
                "language": row["language"],
                "day": row["effective_from"].toordinal(),
                "until": last.toordinal() if last else NEVER,
                "source": f"policy {row['id']}: {clean(row['title'])}, {clean(row['section'])}",
                "text": f"{clean(row['title'])}, {clean(row['section'])}: {part}",
            }


def _rows(engine: Engine, query: Select[Any]) -> Iterator[Row]:
    with engine.connect() as connection:
        for row in connection.execution_options(yield_per=1000).execute(query).mappings():
            yield dict(row)
