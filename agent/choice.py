"""Which tool a turn wants, and whether it says enough to call it: linear models taught by the training examples.

A classifier that reads a question as a whole picks tools better than a model of 135 million weights, and knows when it
is in doubt. So it narrows the tools down to one or a few, and the language model chooses among these and fills in the
arguments. Whether enough was said both have a say in: a small model asks back too readily where a question is worded
unlike those it was taught, and what a tool needs is mostly seen from the question's cues. `finetune.choice` fits the
linear models; their weights ship beside the adapters.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage
from numpy.typing import NDArray
from safetensors import safe_open
from sklearn.feature_extraction.text import TfidfVectorizer

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
CUES = 15
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


class Features:
    """Turns as rows of numbers: pieces and words of the question, vectors of it and of what was before, the last tool.

    The last tool has two places, one of them for where it refused: it is then mostly wanted again.

    Args:
        pieces: Weights pieces of one to four characters: stems in English, words in Chinese.
        words: Weights whole English words.
        tools: Names that the last tool may have.
        embedder: Vectors of English text; without one they are zero, and words decide.
    """

    def __init__(
        self, pieces: TfidfVectorizer, words: TfidfVectorizer, tools: Sequence[str], embedder: Embedder | None
    ) -> None:
        self._pieces, self._words = pieces, words
        self._tools = {name: number for number, name in enumerate(tools)}
        self._embedder = embedder

    def of(self, turns: Sequence[Asked]) -> Any:
        """One row a turn, sparse, of shape (turns, pieces + words + 2 × WIDTH + 2 × tools + 2)."""
        asked = [without_names(turn.question) for turn in turns]
        before = [without_names(turn.before) for turn in turns]
        context = np.zeros((len(turns), 2 * len(self._tools) + 2))
        for row, turn in zip(context, turns, strict=True):
            if turn.used and turn.used[-1] in self._tools:
                row[self._tools[turn.used[-1]] + turn.refused * len(self._tools)] = 1
            row[-2:] = turn.answers, bool(turn.before)
        lower = [text.lower() for text in asked]
        return sp.hstack(
            [self._pieces.transform(lower), WORD * self._words.transform(lower), self._vectors(asked),
             self._vectors(before), sp.csr_matrix(context)], format="csr",
        )  # fmt: skip

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
    """

    def __init__(
        self,
        classes: Sequence[str],
        weights: NDArray[Any],
        offsets: NDArray[Any],
        features: Features,
        enough: NDArray[Any] | None = None,
    ) -> None:
        self.classes = tuple(classes)
        self._weights, self._offsets, self._features = weights, offsets, features
        self._enough = enough
        # A turn is looked at several times, and its vectors take most of the time.
        self._row = lru_cache(RECENT)(lambda turn: features.of([turn]))

    def probabilities(self, turn: Asked) -> dict[str, float]:
        """How likely each tool is to be wanted, and `NOTHING`; they add up to one."""
        return dict(zip(self.classes, self._likely(self._row(turn))[0].tolist(), strict=True))

    def said_enough(self, turn: Asked) -> float:
        """Log odds that a turn says enough to call the tool that it is likely about; zero where that was not fitted."""
        return 0.0 if self._enough is None else float((self._detailed([turn], self._row(turn)) @ self._enough)[0])

    def details(self, turns: Sequence[Asked]) -> Any:
        """What says whether enough was said, shape (turns, features + classes × CUES + 1).

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


def load(folder: Path, role: Role, embedder: Embedder | None) -> Chooser | None:
    """The chooser of a role from the folder that `finetune.choice` wrote.

    None where there is none, or where it was taught with another sentence model, whose vectors mean something else.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    with safe_open(file, "np") as stored:
        about = json.loads(stored.metadata()[role])
        if embedder is not None and about["embedder"] != embedder.fingerprint:
            return None
        read = {kind: vectorizer(kind, about[kind]) for kind in TERMS}
        for kind, terms in read.items():
            terms.idf_ = stored.get_tensor(f"{role}.{kind}.idf").astype(np.float64)
        weights = stored.get_tensor(f"{role}.weights").astype(np.float32)
        offsets = stored.get_tensor(f"{role}.offsets").astype(np.float64)
        enough = stored.get_tensor(f"{role}.enough").astype(np.float32)
    classes = about["classes"]
    features = Features(read["pieces"], read["words"], [name for name in classes if name], embedder)
    return Chooser(classes, weights, offsets, features, enough)


def vectorizer(
    kind: str, vocabulary: Mapping[str, int] | Sequence[str] | None = None, most: int | None = None
) -> TfidfVectorizer:
    """The weighting of one of `TERMS`, over a known vocabulary or one to be learned."""
    return TfidfVectorizer(
        **TERMS[kind], sublinear_tf=True, min_df=1 if vocabulary else 2, max_features=most, vocabulary=vocabulary
    )
