"""Which tool a turn wants: a linear model over words, meaning and what went before, taught by the training examples.

A classifier that reads a question as a whole picks tools better than a model of 135 million weights, and knows when it
is in doubt. So it narrows the tools down to one or a few, and the language model chooses among these, asks for what is
missing, and fills in the arguments. `finetune.choice` fits it; its weights ship beside the adapters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from numpy.typing import NDArray
from safetensors import safe_open
from sklearn.feature_extraction.text import TfidfVectorizer

from agent.words import in_english, mostly_latin, without_names
from retrieval.embed import Embedder
from shop.types import Role

NOTHING = ""  # the class of talk and of requests that no tool serves
FILE = "choice.safetensors"
WIDTH = 384  # of the embedded sentence model
# How long the vector of an English text is, and that of the English of single Chinese words, which are no sentence; a
# question's pieces have length one. Chosen on families of training questions that the fit had not seen, where full
# length is worse by one point in English and by four in Chinese (by a script; no command prints it).
SENTENCE, GLOSS = 0.5, 0.2


@dataclass(frozen=True)
class Asked:
    """What the choice of a tool depends on.

    Attributes:
        question: The user's latest words.
        before: The words before those, empty in a first turn.
        used: Tools that were called so far, oldest first.
        answers: Whether the assistant's last words were a question, which these words may answer.
    """

    question: str
    before: str = ""
    used: tuple[str, ...] = ()
    answers: bool = False


def asked_in(messages: Sequence[AnyMessage | BaseMessage]) -> Asked:
    """The turn that a conversation has come to; its latest user message is the question."""
    spoken = [n for n, message in enumerate(messages) if isinstance(message, HumanMessage)]
    if not spoken:
        return Asked("")
    earlier = messages[: spoken[-1]]
    words = [str(m.text).rstrip() for m in earlier if isinstance(m, AIMessage) and not m.tool_calls]
    return Asked(
        question=str(messages[spoken[-1]].text),
        before=str(messages[spoken[-2]].text) if len(spoken) > 1 else "",
        used=tuple(call["name"] for m in earlier if isinstance(m, AIMessage) for call in m.tool_calls),
        answers=bool(words) and words[-1].endswith(("?", "？")),
    )


class Features:
    """Turns as rows of numbers: pieces of the question, its vector and the vector before, the last tool, two flags.

    Args:
        pieces: Weights pieces of one to four characters: stems in English, words in Chinese.
        tools: Names that the last tool may have.
        embedder: Vectors of English text; without one they are zero, and words decide.
    """

    def __init__(self, pieces: TfidfVectorizer, tools: Sequence[str], embedder: Embedder | None) -> None:
        self._pieces = pieces
        self._tools = {name: number for number, name in enumerate(tools)}
        self._embedder = embedder

    def of(self, turns: Sequence[Asked]) -> Any:
        """One row a turn, sparse, of shape (turns, pieces + 2 × WIDTH + tools + 2)."""
        asked = [without_names(turn.question) for turn in turns]
        before = [without_names(turn.before) for turn in turns]
        context = np.zeros((len(turns), len(self._tools) + 2))
        for row, turn in zip(context, turns, strict=True):
            if turn.used and turn.used[-1] in self._tools:
                row[self._tools[turn.used[-1]]] = 1
            row[-2:] = turn.answers, bool(turn.before)
        return sp.hstack(
            [self._pieces.transform([text.lower() for text in asked]), self._vectors(asked), self._vectors(before),
             sp.csr_matrix(context)], format="csr",
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


class Chooser:
    """The fitted model of one role.

    Args:
        classes: Names of tools, and `NOTHING`.
        weights: Shape (features, classes).
        offsets: Shape (classes,).
        features: How a turn becomes a row.
        tools: What it was taught.
    """

    def __init__(
        self, classes: Sequence[str], weights: NDArray[Any], offsets: NDArray[Any], features: Features
    ) -> None:
        self.classes = tuple(classes)
        self._weights, self._offsets, self._features = weights, offsets, features

    def probabilities(self, turn: Asked) -> dict[str, float]:
        """How likely each tool is to be wanted, and `NOTHING`; they add up to one."""
        scores = np.asarray(self._features.of([turn]) @ self._weights).ravel() + self._offsets
        found = np.exp(scores - scores.max())
        return dict(zip(self.classes, (found / found.sum()).tolist(), strict=True))


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
        pieces = vectorizer(about["pieces"])
        pieces.idf_ = stored.get_tensor(f"{role}.idf").astype(np.float64)
        weights = stored.get_tensor(f"{role}.weights").astype(np.float32)
        offsets = stored.get_tensor(f"{role}.offsets").astype(np.float64)
    classes = about["classes"]
    return Chooser(classes, weights, offsets, Features(pieces, [name for name in classes if name], embedder))


def vectorizer(vocabulary: Mapping[str, int] | Sequence[str] | None = None, most: int | None = None) -> TfidfVectorizer:
    """The weighting of pieces, over a known vocabulary or one to be learned."""
    return TfidfVectorizer(
        analyzer="char",
        ngram_range=(1, 4),
        sublinear_tf=True,
        min_df=1 if vocabulary else 2,
        max_features=most,
        vocabulary=vocabulary,
    )
