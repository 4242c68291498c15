"""Which tool a turn wants, whether it says enough to call it, and whether it names its subject: linear models.

A classifier that reads a question as a whole picks tools better than a model of 135 million weights, and knows when it
is in doubt. So it narrows the tools down to one or a few, and the language model chooses among these and fills in the
arguments. Whether enough was said both have a say in: a small model asks back too readily where a question is worded
unlike those it was taught, and what a tool needs is mostly seen from the question's cues. And it takes any words for a
product's name ("the first buy"), where a follow-up names none. `finetune.choice` fits the linear models to the training
examples; their weights ship beside the adapters. Where the language model runs here they also see what it makes of
the words: its states, by which it could not choose as well alone, and which the other features lack in Chinese above
all. That chooser is fitted to one adapter and lies in its folder.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage
from numpy.typing import NDArray
from safetensors import safe_open
from sklearn.feature_extraction.text import TfidfVectorizer

from agent.models.adapters import Adapter
from agent.models.engine import Engine
from agent.models.template import words_alone
from agent.words import in_english, mostly_latin, without_names
from retrieval.embed import Embedder
from shop.dates import DAY_WORDS
from shop.readings import readings_in
from shop.types import Role

NOTHING = ""  # the class of talk and of requests that no tool serves
FILE = "choice.safetensors"
WIDTH = 384  # of the embedded sentence model
# How long the vector of an English text is, and that of the English of single Chinese words, which are no sentence; a
# question's pieces have length one. Chosen on families of training questions that the fit had not seen, where full
# length is worse by one point in English and by four in Chinese (by a script; no command prints it).
SENTENCE, GLOSS = 0.5, 0.2
WORD = 0.35  # the same of English words beside their pieces: half a point more in English, chosen the same way
GIST = 0.45  # the same of what a language model makes of the words
CUES = 15
LATEST_CHARACTERS, EARLIER_CHARACTERS = 400, 200  # that are read alone, of long words the end, which asks
RECENT = 32  # turns whose features are kept
TERMS: Mapping[str, dict[str, Any]] = {
    "pieces": {"analyzer": "char", "ngram_range": (1, 4)},
    "words": {"token_pattern": r"[a-z][a-z'-]*"},
}
_ID = re.compile(r"[A-Za-z]+-\d+|[#@]")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'-]*")
_POINTER = re.compile(r"\b(?:it|its|that|this|them|those|these|they|one)\b|它|这|那|他", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+|[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Asked:
    """What the choice of a tool depends on.

    Attributes:
        question: The user's latest words.
        before: The words before those, empty in a first turn.
        used: Tools that were called so far, oldest first.
        answers: Whether the assistant's last words were a question, which these words may answer.
        refused: Whether the last tool that was called refused, so that these words may put its call right.
    """

    question: str
    before: str = ""
    used: tuple[str, ...] = ()
    answers: bool = False
    refused: bool = False


def asked_in(messages: Sequence[AnyMessage | BaseMessage]) -> Asked:
    """The turn that a conversation has come to; its latest user message is the question."""
    spoken = [n for n, message in enumerate(messages) if isinstance(message, HumanMessage)]
    if not spoken:
        return Asked("")
    earlier = messages[: spoken[-1]]
    words = [str(m.text).rstrip() for m in earlier if isinstance(m, AIMessage) and not m.tool_calls]
    told = [m for m in earlier if isinstance(m, ToolMessage)]
    return Asked(
        question=str(messages[spoken[-1]].text),
        before=str(messages[spoken[-2]].text) if len(spoken) > 1 else "",
        used=tuple(call["name"] for m in earlier if isinstance(m, AIMessage) for call in m.tool_calls),
        answers=bool(words) and words[-1].endswith(("?", "？")),
        refused=bool(told) and told[-1].status == "error",
    )


class Reader(Protocol):
    """A language model as a reader of turns; `digest` is of the adapter that is merged into it."""

    @property
    def digest(self) -> str: ...

    def gists(self, turns: Sequence[Asked]) -> NDArray[np.float32]:
        """What it makes of the latest words and, before them, those of the turn before, shape (turns, any)."""


@dataclass(frozen=True)
class EngineReader:
    """The model that also writes the replies."""

    engine: Engine
    adapter: Adapter

    @property
    def digest(self) -> str:
        return self.adapter.digest

    def gists(self, turns: Sequence[Asked]) -> NDArray[np.float32]:
        return np.stack([self.engine.gist(*read_alone(turn)) for turn in turns])


def read_alone(turn: Asked) -> tuple[str, str, str]:
    """The prompt of a turn by itself in three parts, the latest words in the middle."""
    return words_alone(turn.question[-LATEST_CHARACTERS:].strip(), turn.before[-EARLIER_CHARACTERS:].strip())


@dataclass(frozen=True)
class Reading:
    """How a reader's gists become features: the mean and the spread of the turns that were learned from."""

    reader: Reader
    middle: NDArray[Any]
    spread: NDArray[Any]

    @classmethod
    def of(cls, reader: Reader, turns: Sequence[Asked]) -> Reading:
        gists = reader.gists(turns)
        # As they are stored, so that what is loaded gives the same rows.
        middle, spread = gists.mean(axis=0).astype(np.float16), gists.std(axis=0).astype(np.float16)
        return cls(reader, middle, np.maximum(spread, np.float16(1e-3)))

    def rows(self, turns: Sequence[Asked]) -> Any:
        """Rows of length `GIST`, sparse; both halves, of the words and of what comes after, weigh alike."""
        found = (self.reader.gists(turns) - self.middle) / self.spread.astype(np.float32)
        halves = found.reshape(len(turns), 2, -1)
        halves /= np.maximum(np.linalg.norm(halves, axis=2, keepdims=True), 1e-6)
        return sp.csr_matrix(GIST * found)


class Features:
    """Turns as rows of numbers: pieces and words of the question, vectors of it and of what was before, the last tool.

    The last tool has two places, one of them for where it refused: it is then mostly wanted again.

    Args:
        pieces: Weights pieces of one to four characters: stems in English, words in Chinese.
        words: Weights whole English words.
        tools: Names that the last tool may have.
        embedder: Vectors of English text; without one they are zero, and words decide.
        reading: What a language model makes of the turn; without one the row is shorter.
    """

    def __init__(
        self,
        pieces: TfidfVectorizer,
        words: TfidfVectorizer,
        tools: Sequence[str],
        embedder: Embedder | None,
        reading: Reading | None = None,
    ) -> None:
        self._pieces, self._words = pieces, words
        self._tools = {name: number for number, name in enumerate(tools)}
        self._embedder = embedder
        self._reading = reading

    def of(self, turns: Sequence[Asked]) -> Any:
        """One row a turn, sparse, of shape (turns, pieces + words + 2 × WIDTH + 2 × tools + 2 + reading)."""
        asked = [without_names(turn.question) for turn in turns]
        before = [without_names(turn.before) for turn in turns]
        context = np.zeros((len(turns), 2 * len(self._tools) + 2))
        for row, turn in zip(context, turns, strict=True):
            if turn.used and turn.used[-1] in self._tools:
                row[self._tools[turn.used[-1]] + turn.refused * len(self._tools)] = 1
            row[-2:] = turn.answers, bool(turn.before)
        lower = [text.lower() for text in asked]
        parts = [
            self._pieces.transform(lower),
            WORD * self._words.transform(lower),
            self._vectors(asked),
            self._vectors(before),
            sp.csr_matrix(context),
        ]
        return sp.hstack([*parts, *([self._reading.rows(turns)] if self._reading else [])], format="csr")

    def _vectors(self, texts: Sequence[str]) -> Any:
        found = np.zeros((len(texts), WIDTH))
        english = np.array([mostly_latin(text) for text in texts])
        meant = [text if is_english else in_english(text) for text, is_english in zip(texts, english, strict=True)]
        places = [n for n, text in enumerate(meant) if text]
        if places and self._embedder is not None:
            lengths = np.where(english[places], SENTENCE, GLOSS)
            found[places] = lengths[:, None] * self._embedder.queries([meant[n] for n in places])
        return sp.csr_matrix(found)


def cues(turn: Asked) -> list[float]:
    """What a question holds that a tool may need, `CUES` numbers: amounts, days, ids, names, words that point back."""
    asked = turn.question
    measures = {reading.measure for reading in readings_in(asked)}
    return [
        1.0,
        bool(measures),
        bool(measures & {"money", ""}),
        "share" in measures,
        bool(measures & {"days", "weeks"}),
        bool(measures & {"count", ""}),
        bool(DAY_WORDS.search(asked)),
        bool(_ID.search(asked)),
        bool(_NAME.search(asked)),
        math.log1p(len(_WORD.findall(asked))) / 3,
        bool(turn.before),
        turn.answers,
        bool(_POINTER.search(asked)),
        bool(turn.used),
        turn.refused,
    ]


class Chooser:
    """The fitted models of one role.

    Args:
        classes: Names of tools, and `NOTHING`.
        weights: Shape (features, classes).
        offsets: Shape (classes,).
        features: How a turn becomes a row.
        enough: Weights of whether enough was said, shape (features + classes × CUES + 1,), the last one its offset.
        named: The same of whether the words name the product or category that they are about.
    """

    def __init__(
        self,
        classes: Sequence[str],
        weights: NDArray[Any],
        offsets: NDArray[Any],
        features: Features,
        enough: NDArray[Any] | None = None,
        named: NDArray[Any] | None = None,
    ) -> None:
        self.classes = tuple(classes)
        self._weights, self._offsets, self._features = weights, offsets, features
        self._enough, self._named = enough, named
        # A turn is looked at several times, and its vectors take most of the time.
        self._row = lru_cache(RECENT)(lambda turn: features.of([turn]))

    def probabilities(self, turn: Asked) -> dict[str, float]:
        """How likely each tool is to be wanted, and `NOTHING`; they add up to one."""
        return dict(zip(self.classes, self._likely(self._row(turn))[0].tolist(), strict=True))

    def said_enough(self, turn: Asked) -> float:
        """Log odds that a turn says enough to call the tool that it is likely about; zero where that was not fitted."""
        return self._odds(turn, self._enough)

    def names_subject(self, turn: Asked) -> float:
        """Log odds that words after a call name what they are about, and do not leave it to be the same."""
        return self._odds(turn, self._named)

    def _odds(self, turn: Asked, weights: NDArray[Any] | None) -> float:
        return 0.0 if weights is None else float((self._detailed([turn], self._row(turn)) @ weights)[0])

    def details(self, turns: Sequence[Asked]) -> Any:
        """What says whether enough was said and a product was named, shape (turns, features + classes × CUES + 1).

        Beside the chooser's own features every cue stands once for each tool, weighed by how likely that is meant: a
        price says much where a price is to be tried, and nothing where one is to be recommended.
        """
        return self._detailed(turns, self._features.of(turns))

    def _detailed(self, turns: Sequence[Asked], rows: Any) -> Any:
        held = np.array([cues(turn) for turn in turns], dtype=np.float64)
        crossed = (self._likely(rows)[:, :, None] * held[:, None, :]).reshape(len(turns), -1)
        return sp.hstack([rows, sp.csr_matrix(crossed), sp.csr_matrix(np.ones((len(turns), 1)))], format="csr")

    def _likely(self, rows: Any) -> NDArray[np.float64]:
        """Probabilities of the classes, shape (turns, classes)."""
        scores = np.asarray(rows @ self._weights) + self._offsets
        found = np.exp(scores - scores.max(axis=1, keepdims=True))
        likely: NDArray[np.float64] = found / found.sum(axis=1, keepdims=True)
        return likely


def load(folder: Path, role: Role, embedder: Embedder | None, reader: Reader | None = None) -> Chooser | None:
    """The chooser of a role from the folder that `finetune.choice` wrote.

    None where there is none, or where it was taught with another sentence model, whose vectors mean something else, or
    with another reader or none.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    with safe_open(file, "np") as stored:
        about = json.loads(stored.metadata()[role])
        if embedder is not None and about["embedder"] != embedder.fingerprint:
            return None
        if about.get("adapter") != (reader.digest if reader else None):
            return None
        read = {kind: vectorizer(kind, about[kind]) for kind in TERMS}
        for kind, terms in read.items():
            terms.idf_ = stored.get_tensor(f"{role}.{kind}.idf").astype(np.float64)
        weights = stored.get_tensor(f"{role}.weights").astype(np.float32)
        offsets = stored.get_tensor(f"{role}.offsets").astype(np.float64)
        held = {"enough", "named"} & {name.removeprefix(f"{role}.") for name in stored.keys()}  # noqa: SIM118
        odds = {name: stored.get_tensor(f"{role}.{name}").astype(np.float32) for name in held}
        spread = [stored.get_tensor(f"{role}.{name}") for name in ("middle", "spread")] if reader else []
    classes = about["classes"]
    reading = Reading(reader, *spread) if reader else None
    features = Features(read["pieces"], read["words"], [name for name in classes if name], embedder, reading)
    return Chooser(classes, weights, offsets, features, **odds)


def vectorizer(
    kind: str, vocabulary: Mapping[str, int] | Sequence[str] | None = None, most: int | None = None
) -> TfidfVectorizer:
    """The weighting of one of `TERMS`, over a known vocabulary or one to be learned."""
    return TfidfVectorizer(
        **TERMS[kind], sublinear_tf=True, min_df=1 if vocabulary else 2, max_features=most, vocabulary=vocabulary
    )
