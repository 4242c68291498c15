"""The demo shop as a collection: parallel questions in both languages over its products and policies."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.retrieval_sets import Collection, Question, sampled
from retrieval.collect import collect
from shop import Shop
from shop.demo import words
from shop.passages import Scope

LABELS = (
    "parallel questions: a kind of product with a use (products of that kind 2, of its category 1), what a buyer says "
    "of a fact (products of the category that have it), and hand-written questions to the policies"
)


def demo_collection(shop: Shop) -> Collection:
    """Everything a shopper can search in the demo shop, with the same questions in English and Chinese."""
    frame = collect(shop.engine)
    frame = frame[frame["kind"] != "review"].reset_index(drop=True)
    # A policy and its translation are one answer.
    frame["ref"] = frame["ref"].str.removesuffix("-ZH")
    products = shop.products()
    questions = [*_kinds(products), *_facts(products), *_policies(shop)]
    return Collection("demo", frame, questions, LABELS)


def unseen(collection: Collection) -> Collection:
    """The half of the demo's questions on which nothing was chosen; both languages of a question are in one half."""
    keys = [{"id": question.id.rsplit("-", 1)[0]} for question in collection.questions]
    kept = {item["id"] for item in sampled(keys, "id", len(keys))}
    questions = [question for question in collection.questions if question.id.rsplit("-", 1)[0] in kept]
    return replace(collection, name="demo_unseen", questions=questions)


def unanswerable(shop: Shop) -> list[Question]:
    """Questions that no policy answers."""
    return list(_policies(shop, answered=False))


def said_of_facts() -> list[tuple[str, str, bool]]:
    """What reviewers say of a product's facts: sentence, language, and whether it is praise."""
    facts = [fact for sub in words.load().subs for listed in sub.facts.values() for fact in listed if fact.sign]
    english = {(sentence, "en", fact.sign > 0) for fact in facts for sentence in fact.said}
    chinese = {(fact.said_zh, "zh", fact.sign > 0) for fact in facts if fact.said_zh}
    return sorted(english | chinese)


def _kinds(products: pd.DataFrame) -> Iterator[Question]:
    for sub in words.load().subs:
        own = products[products["category"].str.endswith(f"> {sub.name}")]
        narrowed = Scope(kinds=("product",), category=own["category"].iloc[0] if len(own) else "")
        for number, (kind, kind_zh) in enumerate(sub.types):
            use, use_zh = sub.uses[number % len(sub.uses)]
            exact = own[own["name"].str.lower().str.contains(kind.lower(), regex=False)]["sku"]
            if exact.empty:
                continue
            answers = {**dict.fromkeys(own["sku"], 1), **dict.fromkeys(exact, 2)}
            key = f"kind-{sub.prefix}-{number}"
            yield Question(f"{key}-en", f"{kind} for {use}", "en", answers, narrowed)
            yield Question(f"{key}-zh", f"适合{use_zh}的{kind_zh}", "zh", answers, narrowed)


def _facts(products: pd.DataFrame) -> Iterator[Question]:
    for sub in words.load().subs:
        own = products[products["category"].str.endswith(f"> {sub.name}")]
        narrowed = Scope(kinds=("product",), category=own["category"].iloc[0] if len(own) else "")
        for attribute, listed in sub.facts.items():
            for number, fact in enumerate(listed):
                rows = zip(own["sku"], own["attributes"], strict=True)
                answers = {sku: 1 for sku, attributes in rows if attributes.get(attribute) == fact.value}
                if not fact.said or not fact.said_zh or not answers:
                    continue
                key = f"fact-{sub.prefix}-{attribute}-{number}"
                yield Question(f"{key}-en", fact.said[0], "en", answers, narrowed)
                yield Question(f"{key}-zh", fact.said_zh, "zh", answers, narrowed)


def _policies(shop: Shop, answered: bool = True) -> Iterator[Question]:
    path = Path(__file__).with_name("retrieval_questions.toml")
    listed: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["question"]
    for number, question in enumerate(listed):
        if bool(question["answers"]) == answered:
            narrowed = Scope(kinds=("policy",), in_force=shop.today)
            for language in ("en", "zh"):
                answers = dict.fromkeys(question["answers"], 1)
                yield Question(f"policy-{number}-{language}", question[language], language, answers, narrowed)
