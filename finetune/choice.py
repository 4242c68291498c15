"""`python -m finetune choice`: fit the model that chooses tools to the training examples, and store it as it ships."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression

from agent.choice import FILE, NOTHING, Asked, Chooser, Features, asked_in, vectorizer
from agent.models.select import ADAPTERS
from agent.shortlist import SURE, written_examples
from agent.words import without_names
from finetune.examples import DEV, TRAIN, Example, messages_of, read
from finetune.world import ROLES
from retrieval.embed import Embedder
from shop import BadInput

MOST_PIECES = 30_000  # of the vocabulary, the most frequent ones
INVERSE_RIDGE = 30.0  # of 3 and 30 the one under which development questions are likelier
CALLS = ("call", "follow_up", "plan", "injected")
TALK = ("decline", "chat")


@dataclass(frozen=True)
class Wanted:
    """A turn, and the tool that it wants: `NOTHING` where none serves it."""

    turn: Asked
    tool: str


def main(data: Sequence[Path], embedder: Embedder | None, to: Path | None = None) -> dict[str, Any]:
    """Fit both roles and write `FILE`.

    Args:
        data: Folders that `finetune.data` has written.
        embedder: Vectors of English text.
        to: Folder to write to; left out, the one that ships.

    Returns:
        By role, on the development questions, whose families and names no training question has: how often the
        likeliest class is the right one, how often the tools shown hold the right one, and how many are shown.

    Raises:
        BadInput: A role has no examples.
    """
    train, dev = ([each for folder in data for each in read(folder / part)] for part in (TRAIN, DEV))
    tensors: dict[str, Any] = {}
    about: dict[str, str] = {}
    report: dict[str, Any] = {}
    for role in ROLES:
        wanted = [*_written(role, train), *wanted_in(train, role)]
        held_out = wanted_in(dev, role)
        if len({each.tool for each in wanted}) < 2 or not held_out:
            raise BadInput(f"{data[0]} has no examples of the role {role}; make more with `finetune data`.")
        chooser, stored, described = fit(wanted, embedder)
        tensors |= {f"{role}.{name}": tensor for name, tensor in stored.items()}
        described["embedder"] = embedder.fingerprint if embedder else ""
        about[role] = json.dumps(described, ensure_ascii=False)
        report[role] = judge(chooser, held_out)
    folder = to or ADAPTERS
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / FILE, metadata=about)
    return report


def wanted_in(examples: Iterable[Example], role: str) -> list[Wanted]:
    """What can be learned of a role: turns that call one of its own tools, and turns that call none.

    A turn that lacks an argument is left out: which tool it was about is not on record.
    """
    found = []
    for each in examples:
        if each.role != role or each.messages[-1]["role"] != "user":
            continue
        if each.kind in TALK:
            found.append(Wanted(asked_in(messages_of(each.messages)), NOTHING))
        elif each.kind in CALLS and each.call:
            found.append(Wanted(asked_in(messages_of(each.messages)), each.call["name"]))
    return found


def _written(role: str, examples: Sequence[Example]) -> list[Wanted]:
    """The example questions of `agent/shortlist.toml`, for the tools that a role has in the data."""
    own = {each.call["name"] for each in examples if each.role == role and each.call and each.kind in CALLS}
    return [
        Wanted(Asked(text), name)
        for name, texts in written_examples().items()
        if name in own
        for text in [*texts["en"], *texts["zh"]]
    ]


def fit(wanted: Sequence[Wanted], embedder: Embedder | None) -> tuple[Chooser, dict[str, Any], dict[str, Any]]:
    """Multinomial logistic regression with classes weighted alike.

    Returns:
        The chooser as it will be loaded, its tensors, and what else loading needs.
    """
    pieces = vectorizer(most=MOST_PIECES)
    pieces.fit([without_names(each.turn.question).lower() for each in wanted])
    tools = sorted({each.tool for each in wanted} - {NOTHING})
    features = Features(pieces, tools, embedder)
    model = LogisticRegression(C=INVERSE_RIDGE, max_iter=200, class_weight="balanced")
    model.fit(features.of([each.turn for each in wanted]), [each.tool for each in wanted])
    classes = [str(name) for name in model.classes_]
    stored = {
        "weights": np.ascontiguousarray(model.coef_.T.astype(np.float16)),
        "offsets": model.intercept_.astype(np.float32),
        "idf": pieces.idf_.astype(np.float32),
    }
    vocabulary = sorted(pieces.vocabulary_, key=pieces.vocabulary_.__getitem__)
    chooser = Chooser(classes, stored["weights"].astype(np.float32), stored["offsets"], features)
    return chooser, stored, {"classes": classes, "pieces": vocabulary}


def judge(chooser: Chooser, wanted: Sequence[Wanted]) -> dict[str, float]:
    """How a chooser does on questions that it has not seen: the shares and the mean that `main` returns."""
    right, held, shown = [], [], []
    for each in wanted:
        likely = chooser.probabilities(each.turn)
        order = sorted(likely, key=likely.__getitem__, reverse=True)
        before = np.cumsum([0.0, *(likely[name] for name in order)])[:-1]
        enough = [name for name, sure in zip(order, before, strict=True) if sure < SURE]
        right.append(order[0] == each.tool)
        held.append(each.tool in enough)
        shown.append(len(enough))
    return {
        "questions": len(wanted),
        "right": round(float(np.mean(right)), 4),
        "held": round(float(np.mean(held)), 4),
        "shown": round(float(np.mean(shown)), 2),
    }
