"""`python -m finetune choice`: fit what chooses tools and judges what a turn says, and store it as it ships."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from agent.choice import FILE, NOTHING, TERMS, Asked, Chooser, Features, Reader, Reading, asked_in, vectorizer
from agent.models.chat import call_before
from agent.models.grammar import SUBJECTS
from agent.models.select import ADAPTERS
from agent.shortlist import SURE, written_examples
from agent.words import without_names
from finetune.examples import DEV, TRAIN, Example, messages_of, read
from finetune.phrasing import phrases
from finetune.world import ROLES
from retrieval.embed import Embedder
from shop import BadInput

MOST_TERMS = 30_000  # of a vocabulary, the most frequent ones
INVERSE_RIDGE = 30.0  # of 3 and 30 the one under which development questions are likelier
ODDS_INVERSE_RIDGE = 10.0  # of 1, 3 and 10, by four-fold cross-validation over families of training questions
RECOVERY = "recovery"
CALLS = ("call", "follow_up", "plan", "injected", RECOVERY)
TALK = ("decline", "chat")
ASK = "ask"


@dataclass(frozen=True)
class Wanted:
    """A turn, and the tool that it wants: `NOTHING` where none serves it."""

    turn: Asked
    tool: str


def main(
    data: Sequence[Path], embedder: Embedder | None, to: Path | None = None, reader: Reader | None = None
) -> dict[str, Any]:
    """Fit both roles and write `FILE`.

    Args:
        data: Folders that `finetune.data` has written.
        embedder: Vectors of English text.
        to: Folder to write to, that of the reader's adapter where there is one; left out, the one that ships.
        reader: What a language model makes of the turns is then learned from too.

    Returns:
        By role, on the development questions, whose families and names no training question has: how often the
        likeliest class is the right one, how often the tools shown hold the right one, how many are shown, and how well
        questions that say enough and those that do not are parted (area under the ROC curve), and those that name
        what they are about and those that leave it to be the same.

    Raises:
        BadInput: A role has no examples.
    """
    train, dev = ([each for folder in data for each in read(folder / part)] for part in (TRAIN, DEV))
    tensors: dict[str, Any] = {}
    about: dict[str, str] = {}
    report: dict[str, Any] = {}
    for role in ROLES:
        wanted = [*_written(role, train), *_elsewhere(wanted_in(train, role))]
        held_out = _elsewhere(wanted_in(dev, role))
        if len({each.tool for each in wanted}) < 2 or not held_out:
            raise BadInput(f"{data[0]} has no examples of the role {role}; make more with `finetune data`.")
        chooser, stored, described = fit(wanted, enough_in(train, role), named_in(train, role), embedder, reader)
        tensors |= {f"{role}.{name}": tensor for name, tensor in stored.items()}
        described["embedder"] = embedder.fingerprint if embedder else ""
        if reader:
            described["adapter"] = reader.digest
        about[role] = json.dumps(described, ensure_ascii=False)
        report[role] = judge(chooser, held_out) | {
            "enough_auc": auc(chooser.said_enough, enough_in(dev, role)),
            "named_auc": auc(chooser.names_subject, named_in(dev, role)),
        }
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


def enough_in(examples: Iterable[Example], role: str) -> list[tuple[Asked, bool]]:
    """The turns of a role that are about one of its tools, and whether they say enough to call it."""
    return [
        (asked_in(messages_of(each.messages)), each.kind != ASK)
        for each in examples
        if each.role == role
        and each.messages[-1]["role"] == "user"
        and (each.kind == ASK or (each.kind in CALLS and each.call))
    ]


def named_in(examples: Iterable[Example], role: str) -> list[tuple[Asked, bool]]:
    """Turns of a role that go on from a call about a product or category, and whether they name what they are about.

    To each a question that does is added as if it had been asked there, and one that elsewhere lacks it ("how many
    should I order?"): after a draft nobody in the examples asks of anything else, and most say "it" of the same.
    """
    going_on, naming, lacking = [], [], []
    questions = phrases("shared")["questions"].values()
    asked_back = {text for of in questions for name in ("product", "category") for text in of[name]}
    for each in examples:
        if each.role != role or each.messages[-1]["role"] != "user":
            continue
        messages = messages_of(each.messages)
        turn, before = asked_in(messages), call_before(messages)
        subject = _subject(each.call.get("arguments", {})) if each.call else ""
        names = bool(subject) and subject.lower() in turn.question.lower()
        if subject and before and _subject(before.arguments):
            going_on.append((turn, names))
        elif names and not turn.before:
            naming.append(turn)
        elif each.kind == ASK and each.text in asked_back and not turn.before:
            lacking.append(turn)
    rng = random.Random(0)
    return [
        *going_on,
        *(
            (replace(turn, question=rng.choice(other).question), is_named)
            for other, is_named in ((naming, True), (lacking, False))
            for turn, _ in (going_on if other else ())
        ),
    ]


def _subject(arguments: Mapping[str, Any]) -> str:
    return next((str(arguments[name]) for name in SUBJECTS if arguments.get(name)), "")


def _elsewhere(wanted: Sequence[Wanted]) -> list[Wanted]:
    """The turns, and as many more that ask for something else after a refusal as there are that put its call right.

    In the examples every refused call is put right in the next turn. People also give up and ask for another thing.
    """
    refused = [each.turn for each in wanted if each.turn.refused]
    first = [each for each in wanted if not each.turn.before]
    asked = random.Random(0).choices(first, k=len(refused)) if first else []
    found = [
        Wanted(replace(turn, question=each.turn.question), each.tool)
        for turn, each in zip(refused, asked, strict=False)
    ]
    return [*wanted, *found]


def _written(role: str, examples: Sequence[Example]) -> list[Wanted]:
    """The example questions of `agent/shortlist.toml`, for the tools that a role has in the data."""
    own = {each.call["name"] for each in examples if each.role == role and each.call and each.kind in CALLS}
    return [
        Wanted(Asked(text), name)
        for name, texts in written_examples().items()
        if name in own
        for text in [*texts["en"], *texts["zh"]]
    ]


def fit(
    wanted: Sequence[Wanted],
    enough: Sequence[tuple[Asked, bool]],
    named: Sequence[tuple[Asked, bool]],
    embedder: Embedder | None,
    reader: Reader | None = None,
) -> tuple[Chooser, dict[str, Any], dict[str, Any]]:
    """Logistic regression with classes weighted alike: multinomial of the tools, binary of the rest.

    Args:
        wanted: Turns and the tools that they want.
        enough: Turns about some tool, and whether they say enough to call it; without both kinds that is not fitted.
        named: Turns after a call, and whether they name what they are about; the same.
        embedder: Vectors of English text.
        reader: A language model, where what it makes of the turns is to be learned from.

    Returns:
        The chooser as it will be loaded, its tensors, and what else loading needs.
    """
    read = {kind: vectorizer(kind, most=MOST_TERMS) for kind in TERMS}
    for terms in read.values():
        terms.fit([without_names(each.turn.question).lower() for each in wanted])
    tools = sorted({each.tool for each in wanted} - {NOTHING})
    reading = Reading.of(reader, [each.turn for each in wanted]) if reader else None
    features = Features(read["pieces"], read["words"], tools, embedder, reading)
    model = LogisticRegression(C=INVERSE_RIDGE, max_iter=200, class_weight="balanced")
    model.fit(features.of([each.turn for each in wanted]), [each.tool for each in wanted])
    classes = [str(name) for name in model.classes_]
    stored = {
        "weights": np.ascontiguousarray(model.coef_.T.astype(np.float16)),
        "offsets": model.intercept_.astype(np.float32),
        **{f"{kind}.idf": terms.idf_.astype(np.float32) for kind, terms in read.items()},
        **({"middle": reading.middle, "spread": reading.spread} if reading else {}),
    }
    known = {kind: sorted(terms.vocabulary_, key=terms.vocabulary_.__getitem__) for kind, terms in read.items()}
    weights = stored["weights"].astype(np.float32)
    bare = Chooser(classes, weights, stored["offsets"], features)
    stored |= {"enough": _fit_odds(bare, enough), "named": _fit_odds(bare, named)}
    odds = (stored[name].astype(np.float32) for name in ("enough", "named"))
    chooser = Chooser(classes, weights, stored["offsets"], features, *odds)
    return chooser, stored, {"classes": classes, **known}


def _fit_odds(chooser: Chooser, told: Sequence[tuple[Asked, bool]]) -> NDArray[np.float16]:
    """Weights over `Chooser.details` of a judgement, zero where there are not both kinds."""
    rows = chooser.details([turn for turn, _ in told] or [Asked("")])
    is_so = [each for _, each in told]
    if len(set(is_so)) < 2:
        return np.zeros(rows.shape[1], dtype=np.float16)
    # Its offset is the last column, so that one row of numbers is all there is to store.
    model = LogisticRegression(C=ODDS_INVERSE_RIDGE, max_iter=300, class_weight="balanced", fit_intercept=False)
    model.fit(rows, is_so)
    found: NDArray[np.float16] = np.ascontiguousarray(model.coef_[0].astype(np.float16))
    return found


def auc(odds: Callable[[Asked], float], told: Sequence[tuple[Asked, bool]]) -> float | None:
    """How well log odds part turns of which something is so from the others; None without both kinds."""
    is_so = [each for _, each in told]
    if len(set(is_so)) < 2:
        return None
    return round(float(roc_auc_score(is_so, [odds(turn) for turn, _ in told])), 4)


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
