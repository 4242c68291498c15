"""Collections to search: questions with what answers them, from labelled folders, public data and the demo shop."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from retrieval.collect import passages
from shop.passages import Scope
from shop.text import clean

QUERIES = 300


@dataclass(frozen=True)
class Question:
    """A query, what answers it (row id → grade), and what a person would have narrowed the search to."""

    id: str
    text: str
    language: str
    answers: dict[str, int]
    narrowed: Scope = field(default_factory=Scope)


@dataclass(frozen=True)
class Collection:
    """Passages and questions over them; `labels` says where relevance comes from."""

    name: str
    passages: pd.DataFrame
    questions: list[Question]
    labels: str


def sampled(items: Iterable[Any], key: str, count: int, half: str = "test") -> list[Any]:
    """`count` items in an order that only their ids decide; settings may be chosen on the `dev` half alone."""

    def place(item: Any) -> str:
        return hashlib.sha256(f"debut:{item[key]}".encode()).hexdigest()

    return [item for item in sorted(items, key=place) if (place(item)[-1] in "02468ace") == (half == "dev")][:count]


def public(folder: Path, half: str = "test") -> Iterator[Collection]:
    """The collections that the shared public data allow; a data set that is not there is left out."""
    for name, build in (
        ("retail_demo_store/products.jsonl.gz", _retail_products),
        ("womens_reviews/reviews_a.parquet", _womens_reviews),
        ("zh_reviews/zh_reviews.parquet", _chinese_reviews),
        ("bitext_27k/part_a.parquet", _service),
    ):
        if (folder / name).is_file():
            yield build(folder / name, half)


def public_labelled(folder: Path) -> Iterator[tuple[str, list[tuple[str, str, bool]]]]:
    """Reviews with their language and whether they praise: stars above or below three, or the label they came with."""
    english, chinese = folder / "womens_reviews/reviews_a.parquet", folder / "zh_reviews/zh_reviews.parquet"
    if english.is_file():
        frame = pd.read_parquet(english).dropna(subset=["Review Text"])
        frame = frame[frame["Rating"] != 3]
        yield "reviews_en", [(t, "en", r > 3) for t, r in zip(frame["Review Text"], frame["Rating"], strict=True)]
    if chinese.is_file():
        frame = pd.read_parquet(chinese)
        yield "reviews_zh", [(t, "zh", label == 1) for t, label in zip(frame["review"], frame["label"], strict=True)]


def _retail_products(path: Path, half: str) -> Collection:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    corpus = [
        {"id": r["id"], "ref": r["id"], "category": r["category"], "text": clean(r["description"])}
        for r in rows
        if r["description"]
    ]
    named: dict[str, dict[str, int]] = {}
    for row in rows:
        if row["description"]:
            named.setdefault(row["name"], {})[row["id"]] = 1
    questions = [
        Question(r["id"], r["name"], "en", named[r["name"]], Scope(category=r["category"]))
        for r in sampled(rows, "id", QUERIES, half)
        if r["name"] in named
    ]
    labels = "a product's name is the query, its description (without the name) the passage that answers it"
    return Collection("products_en", passages(corpus), questions, labels)


def _womens_reviews(path: Path, half: str) -> Collection:
    frame = pd.read_parquet(path).dropna(subset=["Review Text"]).reset_index(names="row")
    frame = frame.iloc[:: -(-len(frame) // 4000)].assign(key=lambda f: "w" + f["row"].astype(str))
    corpus = [
        {
            "id": r["key"],
            "ref": r["key"],
            "kind": "review",
            "category": r["Class Name"] or "",
            "text": clean(r["Review Text"]),
        }
        for r in frame.to_dict("records")
    ]
    titled = [r for r in frame.dropna(subset=["Title"]).to_dict("records") if len(r["Title"].split()) >= 4]
    questions = [
        Question(r["key"], r["Title"], "en", {r["key"]: 1}, Scope(category=r["Class Name"] or ""))
        for r in sampled(titled, "key", QUERIES, half)
    ]
    labels = "a review's title of at least four words is the query, the text below it the passage that answers it"
    return Collection("reviews_en", passages(corpus), questions, labels)


def _chinese_reviews(path: Path, half: str) -> Collection:
    frame = pd.read_parquet(path)
    rows = [
        {"key": f"z{row}", "category": category, "opening": opening, "rest": rest}
        for row, category, (opening, rest) in zip(
            frame.index, frame["category"], map(_opening, frame["review"]), strict=True
        )
        if 5 <= len(opening) <= 25 and len(rest) >= 15
    ]
    rows = rows[:: -(-len(rows) // 4000)]
    corpus = [
        {
            "id": r["key"],
            "ref": r["key"],
            "kind": "review",
            "category": r["category"],
            "language": "zh",
            "text": r["rest"],
        }
        for r in rows
    ]
    questions = [
        Question(r["key"], r["opening"], "zh", {r["key"]: 1}, Scope(category=r["category"]))
        for r in sampled(rows, "key", QUERIES, half)
    ]
    labels = "a review's opening clause is the query, the rest of the review (without it) the passage that answers it"
    return Collection("reviews_zh", passages(corpus), questions, labels)


def _opening(review: str) -> tuple[str, str]:
    first, _, rest = re.sub(r"\s+", " ", clean(review)).partition("，")
    return first, rest.strip()


def _service(path: Path, half: str) -> Collection:
    frame = pd.read_parquet(path).reset_index(names="row").assign(key=lambda f: "b" + f["row"].astype(str))
    rows = frame.to_dict("records")
    # Answers come from the half of the rows that asks no question, a dozen for each of the intents.
    answers: dict[str, list[dict[str, Any]]] = {}
    for row in sampled(rows, "key", len(rows), "dev" if half == "test" else "test"):
        if len(answers.setdefault(row["intent"], [])) < 12:
            answers[row["intent"]].append(row)
    corpus = [
        {
            "id": r["key"],
            "ref": r["key"],
            "kind": "policy",
            "category": r["category"],
            "text": clean(r["response"])[:1500],
        }
        for listed in answers.values()
        for r in listed
    ]
    questions = [
        Question(
            r["key"], r["instruction"], "en", {a["key"]: 1 for a in answers[r["intent"]]}, Scope(category=r["category"])
        )
        for r in sampled(rows, "key", QUERIES, half)
    ]
    labels = "a customer's question is the query, a dozen service answers to other questions of its intent answer it"
    return Collection("service_en", passages(corpus), questions, labels)
