"""Reads a labelled folder in the BEIR layout, checked line by line, and labelled reviews beside or instead of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.layout import find_file, need_columns, read_table
from benchmarks.retrieval_sets import Collection, Question
from retrieval.collect import passages
from shop.errors import BadInput
from shop.text import clean, language_of, shorten

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels.tsv"
Labelled = list[tuple[str, str, bool]]  # text, language, whether it is praise


def read_collection(folder: Path) -> Collection | None:
    """The collection in `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`, or None where none of them is there.

    Raises:
        BadInput: A file is missing, a line cannot be read, or a column is missing or refers to nothing.
    """
    present = [name for name in (CORPUS, QUERIES, QRELS) if (folder / name).is_file()]
    if not present:
        return None
    for name in (CORPUS, QUERIES, QRELS):
        if name not in present:
            raise BadInput(f"{folder.name} has {present[0]} but no {name}; the three belong together.")
    corpus = list(_lines(folder / CORPUS, ("_id", "text")))
    queries = list(_lines(folder / QUERIES, ("_id", "text")))
    answers = _read_qrels(folder / QRELS, {r["_id"] for r in corpus}, {q["_id"] for q in queries})
    rows = [_passage(row) for row in corpus]
    frame = passages([row for row in rows if row["text"]])
    questions = [
        Question(q["_id"], q["text"], q.get("language") or language_of(q["text"]), answers[q["_id"]])
        for q in queries
        if q["_id"] in answers
    ]
    return Collection(folder.name, frame, questions, f"{QRELS}, as given")


def read_labelled(folder: Path) -> Labelled | None:
    """Reviews with what they feel: `text`, and `rating` (1 to 5, 3 left out) or `label` (0 or 1); None without a file.

    Raises:
        BadInput: A column is missing, or holds something else.
    """
    file = find_file(folder, "reviews")
    if file is None:
        return None
    frame = read_table(file)
    need_columns(frame, ("text",), file.name)
    column = next((name for name in ("rating", "label") if name in frame.columns), None)
    if column is None:
        raise BadInput(f"{file.name} needs a column rating (1 to 5) or a column label (0 or 1).")
    values = pd.to_numeric(frame[column], errors="coerce")
    allowed = range(1, 6) if column == "rating" else range(2)
    wrong = ~values.isin(list(allowed))
    if wrong.any():
        line = int(wrong.to_numpy().argmax())
        raise BadInput(
            f"{file.name}, line {line + 2}: column {column} has {frame[column].iloc[line]!r}; "
            f"a whole number from {allowed[0]} to {allowed[-1]} is expected."
        )
    middle = 3 if column == "rating" else 0.5
    texts = frame["text"].fillna("").astype(str)
    languages = frame["language"] if "language" in frame.columns else texts.map(language_of)
    kept = (values != middle) & (texts.str.strip() != "")
    return list(zip(texts[kept], languages[kept], values[kept] > middle, strict=True))


def _passage(row: dict[str, Any]) -> dict[str, Any]:
    text = clean(f"{row.get('title') or ''}\n{row['text']}")
    return {
        "id": row["_id"],
        "ref": row["_id"],
        "source": row["_id"],
        "language": row.get("language") or language_of(text),
        "text": text,
    }


def _lines(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(_decoded(stream, path), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise BadInput(f"{path.name}, line {number}: one JSON object a line is expected.") from error
            for column in columns:
                if not isinstance(row, dict) or not isinstance(row.get(column), str):
                    raise BadInput(f"{path.name}, line {number}: column {column} is missing; text is expected.")
            if row["_id"] in seen or not row["_id"]:
                raise BadInput(f"{path.name}, line {number}: column _id has {row['_id']!r} again; ids must be unique.")
            seen.add(row["_id"])
            yield row
    if not seen:
        raise BadInput(f"{path.name} is empty; one JSON object a line is expected.")


def _decoded(stream: Any, path: Path) -> Iterator[str]:
    try:
        yield from stream
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name} is not UTF-8 text; save it as UTF-8.") from error


def _read_qrels(path: Path, corpus: set[str], queries: set[str]) -> dict[str, dict[str, int]]:
    """Grades above zero by query and passage; with or without a head line, and with TREC's unused second column."""
    answers: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for number, row in enumerate(csv.reader(stream, delimiter="\t"), 1):
            if not row or (number == 1 and not row[-1].strip().lstrip("-").isdigit()):
                continue
            if len(row) not in (3, 4):
                raise BadInput(
                    f"{path.name}, line {number}: query-id, corpus-id, score with tabs between are expected."
                )
            query, passage, grade = row[0], row[-2], row[-1].strip()
            for column, value, known in (("query-id", query, queries), ("corpus-id", passage, corpus)):
                if value not in known:
                    where = QUERIES if column == "query-id" else CORPUS
                    raise BadInput(f"{path.name}, line {number}: {column} {shorten(value, 40)!r} is not in {where}.")
            if not grade.lstrip("-").isdigit():
                raise BadInput(f"{path.name}, line {number}: score {grade!r} is not a whole number.")
            if int(grade) > 0:
                answers.setdefault(query, {})[passage] = int(grade)
    if not answers:
        raise BadInput(f"{path.name} has no score above 0; without one there is nothing to find.")
    return answers
