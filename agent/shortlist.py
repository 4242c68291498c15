"""The few tools that a small model is shown for a turn: those whose example questions are nearest to the user's words.

Three views are fused: pieces of words, vectors, and a linear rule over the vectors that is fitted to the examples. The
embedded model reads English, so a Chinese question is also compared by the English of the words it holds. Tools that
the conversation has used stay, so that a follow-up finds its tool.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import BaseTool
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from retrieval import glossary
from retrieval.embed import Embedder

SIZE = MOST = 6
KEPT = 2  # of the tools that the conversation has used
NEAREST = 3
# How strongly the linear rule is held to zero, its weight beside the similarities, and the weight of vectors of single
# translated words, which are no sentence. Chosen by five-fold cross-validation over the written examples.
RIDGE, RULE_WEIGHT, GLOSS_WEIGHT = 1.0, 2.0, 0.5
# Ids and amounts say nothing about the tool, and an example that happens to hold the same one would win by it.
_NAMED = re.compile(r"\b[A-Za-z]+-\d+\b|\d[\d.,]*")
EXAMPLES = Path(__file__).with_suffix(".toml")
WORDS = Path(__file__).with_name("shortlist_words.toml")
SHOP_WORDS = Path(glossary.__file__).with_name("glossary.toml")
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Examples:
    """What a tool answers, as people ask it."""

    summary: str
    en: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()


class Shortlist:
    """Ranks tools for a question.

    Args:
        tools: Summary and example questions by name of the tool; a tool without examples is ranked by its summary.
        embedder: Vectors of English text; without one, words alone decide.
    """

    def __init__(self, tools: Mapping[str, Examples], embedder: Embedder | None = None) -> None:
        self.names = list(tools)
        texts, owners, english = [], [], []
        for number, each in enumerate(tools.values()):
            for text, is_english in [*((t, True) for t in (each.summary, *each.en)), *((t, False) for t in each.zh)]:
                texts.append(_NAMED.sub("it", text))
                owners.append(number)
                english.append(is_english)
        self._owners, self._english = np.array(owners), np.array(english)
        # Pieces of two to four characters hold stems in English and words in Chinese, without a dictionary of either.
        self._pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True)
        self._matrix = self._pieces.fit_transform(texts)
        self._embedder = embedder
        self._vectors = embedder.passages([t for t, e in zip(texts, english, strict=True) if e]) if embedder else None
        if self._vectors is not None:
            self._middle, self._rule = _linear_rule(self._vectors, self._owners[self._english], len(self.names))

    def rank(self, question: str) -> list[str]:
        """Names of all tools, the most fitting first."""
        question = _NAMED.sub("it", question)
        meant = question if mostly_latin(question) else in_english(question)
        order = self._by_pieces(question)
        if meant and meant != question:
            order = order + self._by_pieces(meant)
        if meant and self._embedder is not None and self._vectors is not None:
            vector = self._embedder.queries([meant])[0]
            nearest = self._by_vector(vector) + RULE_WEIGHT * ((vector - self._middle) @ self._rule)
            order = order + (nearest if meant == question else GLOSS_WEIGHT * nearest)
        return [self.names[i] for i in np.argsort(-order, kind="stable")]

    def scores(self, question: str) -> Scores:
        """How well each tool fits, shape (tools,): the mean similarity of its nearest examples.

        Where `rank` only orders, this says whether any fits: the linear rule and the English of Chinese words are left
        out, which raise one tool over the others however far all of them are.
        """
        question = _NAMED.sub("it", question)
        found = self._by_pieces(question)
        if self._embedder is not None and self.reads(question):
            found = found + self._by_vector(self._embedder.queries([question])[0])
        return found

    def reads(self, question: str) -> bool:
        """Whether vectors take part in the scores of this question."""
        return self._embedder is not None and mostly_latin(question)

    def _by_pieces(self, question: str) -> Scores:
        return self._by_tool(np.asarray((self._matrix @ self._pieces.transform([question]).T).todense()).ravel())

    def _by_vector(self, vector: NDArray[Any]) -> Scores:
        similarity = np.zeros(len(self._owners))
        similarity[self._english] = self._vectors @ vector
        return self._by_tool(similarity)

    def _by_tool(self, similarity: Scores) -> Scores:
        best = np.empty(len(self.names))
        for number in range(len(self.names)):
            own = np.sort(similarity[self._owners == number])[::-1]
            best[number] = own[:NEAREST].mean()
        return best

    def choose(self, question: str, used: Iterable[str] = (), size: int = SIZE, most: int = MOST) -> list[str]:
        """The best `size` tools and the latest two that were used, at most `most`, in the order of the registry.

        Args:
            question: The user's latest words.
            used: Tools that the conversation has called, oldest first.
            size: How many the question may bring.
            most: How many there may be altogether.
        """
        kept = [name for name in dict.fromkeys(reversed(list(used))) if name in self.names][:KEPT]
        ranked = [name for name in self.rank(question) if name not in kept]
        chosen = {*kept, *ranked[: min(size, most - len(kept))]}
        return [name for name in self.names if name in chosen]


def in_english(question: str) -> str:
    """The English of the words in a Chinese question that the two lists know, in their order; empty where none is."""
    english, known = _chinese_words()
    return " ".join(english[word] for word in known.findall(question))


@cache
def _chinese_words() -> tuple[dict[str, str], re.Pattern[str]]:
    """Chinese words with their English, and a pattern that finds them, longer ones first."""
    english: dict[str, str] = {}
    for path in (SHOP_WORDS, WORDS):
        english |= tomllib.loads(path.read_text(encoding="utf-8"))
    return english, re.compile("|".join(map(re.escape, sorted(english, key=len, reverse=True))))


def _linear_rule(vectors: NDArray[Any], owners: NDArray[Any], tools: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Ridge regression from vectors, shape (examples, width), to which tool they belong to.

    Returns:
        The mean vector, and weights of shape (width, tools): Hoerl & Kennard 1970 in closed form.
    """
    middle = vectors.mean(axis=0)
    centred = (vectors - middle).astype(np.float64)
    belongs = (owners[:, None] == np.arange(tools)).astype(np.float64)
    held = centred.T @ centred + RIDGE * np.eye(centred.shape[1])
    return middle, np.linalg.solve(held, centred.T @ (belongs - belongs.mean(axis=0)))


@cache
def written_examples() -> dict[str, dict[str, list[str]]]:
    """The example questions that were written by hand, by tool and language."""
    return tomllib.loads(EXAMPLES.read_text(encoding="utf-8"))


def examples_of(summaries: Mapping[str, str]) -> dict[str, Examples]:
    """Summaries joined with the written examples."""
    written = written_examples()
    return {
        name: Examples(summary, tuple(written.get(name, {}).get("en", ())), tuple(written.get(name, {}).get("zh", ())))
        for name, summary in summaries.items()
    }


class ShortlistTools(AgentMiddleware[Any, Any, Any]):
    """Shows the model the tools of the shortlist instead of all of them; where there are few, it changes nothing."""

    def __init__(self, shortlist: Shortlist) -> None:
        super().__init__()
        self._shortlist = shortlist

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        question = _last_question(request.messages)
        if len(request.tools) <= MOST or not question:
            return handler(request)
        chosen = self._shortlist.choose(question, _used(request.messages))
        shown = [tool for tool in request.tools if not isinstance(tool, BaseTool) or tool.name in chosen]
        return handler(request.override(tools=shown))


def _last_question(messages: Sequence[AnyMessage]) -> str:
    return next((str(m.text) for m in reversed(messages) if isinstance(m, HumanMessage)), "")


def _used(messages: Sequence[AnyMessage]) -> list[str]:
    return [call["name"] for m in messages if isinstance(m, AIMessage) for call in m.tool_calls]


def mostly_latin(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return sum(char.isascii() for char in letters) * 2 >= len(letters)
