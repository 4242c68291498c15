"""The few tools that a small model is shown for a turn.

Where a taught chooser ships (`agent.choice`), it names those that the turn may want. Tools it was not taught, and all
of them without it, are compared by example questions: pieces of words, vectors, and a linear rule over the vectors that
is fitted to the examples. The embedded model reads English, so a Chinese question is also compared by the English of
the words it holds. Tools that the conversation has used stay, so that a follow-up finds its tool.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage
from langchain_core.tools import BaseTool
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from agent.choice import NOTHING, Asked, Chooser, EngineReader, asked_in, load
from agent.guard import plain_answer, tool_messages, turn_of
from agent.ledger import Ledger
from agent.models.select import ADAPTERS
from agent.words import in_english, mostly_latin, without_names
from retrieval.embed import Embedder
from shop.types import Role

SIZE = 6  # tools that a model is shown at most
KEPT = 2  # of them such that the conversation has used
NEAREST = 3  # examples of a tool that its similarity is the mean of
# How strongly the linear rule is held to zero, its weight beside the similarities, and the weight of vectors of single
# translated words, which are no sentence. Chosen by five-fold cross-validation over the written examples.
RIDGE, RULE_WEIGHT, GLOSS_WEIGHT = 1.0, 2.0, 0.5
# Least fit of a question that a tool answers, where vectors and words are added up, and where words stand alone.
# `tests/test_routing.py` holds both sides: questions for tools, and talk that no tool answers.
LEAST_FIT_VECTORS, LEAST_FIT_WORDS = 0.54, 0.13
SURE = 0.95  # of the probability is held by the tools a turn may want: on development questions three, 98 % of the time
ALSO = 0.25  # of the probability: what else a turn asks for, once a tool has answered
TRIES = 2  # of a tool that refuses, before its sentence is the answer
EXAMPLES = Path(__file__).with_suffix(".toml")
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Examples:
    """What a tool answers, as people ask it."""

    summary: str
    en: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()


@dataclass(frozen=True)
class Offer:
    """What the model is shown of the tools.

    Attributes:
        names: Of the tools.
        may_call: Whether it may call one of them.
        said_enough: The chooser's log odds that the turn says enough to call the tool; zero where it does not judge.
        names_subject: Those that it names what it is about.
    """

    names: tuple[str, ...]
    may_call: bool = True
    said_enough: float = 0.0
    names_subject: float = 0.0

    @property
    def settings(self) -> dict[str, float]:
        """For the call of a model that follows the chooser."""
        return {"said_enough": self.said_enough, "names_subject": self.names_subject}


class Shortlist:
    """Ranks tools for a question.

    Args:
        tools: Summary and example questions by name of the tool; a tool without examples is ranked by its summary.
        embedder: Vectors of English text; without one, words alone decide.
        chooser: What was taught about these tools; without one, or about others, the examples decide.
    """

    def __init__(
        self, tools: Mapping[str, Examples], embedder: Embedder | None = None, chooser: Chooser | None = None
    ) -> None:
        self.names = list(tools)
        self.chooser = chooser
        texts, owners, english = [], [], []
        for number, each in enumerate(tools.values()):
            for text, is_english in [*((t, True) for t in (each.summary, *each.en)), *((t, False) for t in each.zh)]:
                texts.append(without_names(text))
                owners.append(number)
                english.append(is_english)
        self._owners, self._english = np.array(owners), np.array(english)
        # Pieces of one to four characters hold stems in English and words in Chinese, without a dictionary of either.
        self._pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True)
        self._matrix = self._pieces.fit_transform(texts)
        self._embedder = embedder
        self._vectors = embedder.passages([t for t, e in zip(texts, english, strict=True) if e]) if embedder else None
        if self._vectors is not None:
            self._middle, self._rule = _linear_rule(self._vectors, self._owners[self._english], len(self.names))

    def rank(self, turn: Asked) -> list[str]:
        """Names of all tools, the most fitting first; those that the chooser was not taught after the others."""
        nearest = self.nearest(turn.question)
        if self.chooser is None:
            return nearest
        likely = self.chooser.probabilities(turn)
        return sorted(nearest, key=lambda name: -likely.get(name, 0.0))

    def nearest(self, question: str) -> list[str]:
        """Names of all tools, those with the most similar examples first."""
        question = without_names(question)
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

        Where `nearest` only orders, this says whether any fits: the linear rule and the English of Chinese words are
        left out, which raise one tool over the others however far all of them are.
        """
        question = without_names(question)
        found = self._by_pieces(question)
        if self._embedder is not None and self.reads(question):
            found = found + self._by_vector(self._embedder.queries([question])[0])
        return found

    def reads(self, question: str) -> bool:
        """Whether vectors take part in the scores of this question."""
        return self._embedder is not None and mostly_latin(question)

    def _by_pieces(self, question: str) -> Scores:
        """How like its examples a question is in spelling, shape (tools,)."""
        return self._by_tool(np.asarray((self._matrix @ self._pieces.transform([question]).T).todense()).ravel())

    def _by_vector(self, vector: NDArray[Any]) -> Scores:
        """How like its examples a question is in meaning, shape (tools,); only English ones have vectors."""
        similarity = np.zeros(len(self._owners))
        similarity[self._english] = self._vectors @ vector
        return self._by_tool(similarity)

    def _by_tool(self, similarity: Scores) -> Scores:
        """From similarities to every example, shape (examples,), to one for each tool, shape (tools,)."""
        best = np.empty(len(self.names))
        for number in range(len(self.names)):
            own = np.sort(similarity[self._owners == number])[::-1]
            best[number] = own[:NEAREST].mean()
        return best

    def choose(self, turn: Asked, size: int = SIZE) -> list[str]:
        """The latest two tools that were used and the best others, `size` altogether, in the order of the registry."""
        return self._with_used(turn, list(dict.fromkeys([*self.wanted(turn), *self.rank(turn)])), size)

    def offer(self, messages: Sequence[AnyMessage | BaseMessage]) -> Offer:
        """What a model that follows the chooser is shown of the tools, and whether it may call one.

        The chooser decides which tool a question is about, or that none is; with which arguments to call it is the
        model's part, and whether enough was said both judge. Once tools have answered, it is shown what else was asked
        for: a tool that refused, and others that the turn wants about as much; mostly that is nothing.
        """
        turn = asked_in(messages)
        likely = self.wanted(turn)
        if self.chooser is None:
            return Offer(tuple(self._with_used(turn, likely)))
        told = tool_messages(messages)
        if told:
            tried = {message.name for message in told}
            also = {name for name, share in self.chooser.probabilities(turn).items() if share >= ALSO} - tried
            again = {told[-1].name} if told[-1].status == "error" and len(told) < TRIES else set()
            return Offer(tuple(name for name in self.names if name in also | again))
        strange = [name for name in likely if name not in self.chooser.classes]
        best = self.best(turn)
        if best:
            odds = self.chooser.said_enough(turn), self.chooser.names_subject(turn)
            return Offer((best, *strange), True, *odds)
        return Offer(tuple(strange or self._with_used(turn, likely)), may_call=bool(strange))

    def _with_used(self, turn: Asked, ranked: Sequence[str], size: int = SIZE) -> list[str]:
        kept = [name for name in dict.fromkeys(reversed(turn.used)) if name in self.names][:KEPT]
        wanted = [name for name in ranked[:size] if name not in kept]
        chosen = {*kept, *wanted[: size - len(kept)]}
        return [name for name in self.names if name in chosen]

    def wanted(self, turn: Asked) -> list[str]:
        """The tools that a turn may want, the likeliest first.

        With a chooser these are the fewest that hold `SURE` of its probability, `NOTHING` left out, and those that it
        was not taught where the examples place them among the first.
        """
        if self.chooser is None:
            return self.nearest(turn.question)
        likely = self.chooser.probabilities(turn)
        tools = sorted((name for name in likely if name in self.names), key=likely.__getitem__, reverse=True)
        before = np.cumsum([0.0, *(likely[name] for name in tools)])[:-1] + likely.get(NOTHING, 0.0)
        enough = [name for name, held in zip(tools, before, strict=True) if held < SURE]
        strange = [name for name in self.nearest(turn.question)[:SIZE] if name not in likely]
        return [*(enough or tools[:1]), *strange]

    def best(self, turn: Asked) -> str:
        """The one tool that the turn wants, empty where none does."""
        if self.chooser is not None:
            likely = self.chooser.probabilities(turn)
            return max((name for name in likely if not name or name in self.names), key=likely.__getitem__)
        least = LEAST_FIT_VECTORS if self.reads(turn.question) else LEAST_FIT_WORDS
        return self.nearest(turn.question)[0] if self.scores(turn.question).max() >= least else NOTHING


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


def open_shortlist(role: Role, summaries: Mapping[str, str], embedder: Embedder | None, model: Any = None) -> Shortlist:
    """The shortlist of a role as the desk uses it, with the chooser that ships where there are vectors.

    Args:
        role: Whose tools they are; everyone who works at the shop has the manager's.
        summaries: Of the tools, by name.
        embedder: Vectors of English text; without one, words alone decide.
        model: The chat model; where a chooser was fitted to its adapter, that one is taken.
    """
    taught: Role = "customer" if role == "customer" else "manager"
    chooser, reader = None, reader_of(model)
    # It was taught with vectors: without them, examples compared by words find more.
    if embedder and reader:
        chooser = load(reader.adapter.folder, taught, embedder, reader)
    if embedder and chooser is None:
        chooser = load(ADAPTERS, taught, embedder)
    return Shortlist(examples_of(summaries), embedder, chooser)


def reader_of(model: Any) -> EngineReader | None:
    """A chat model as a reader of turns, where it runs here with an adapter."""
    adapter = getattr(model, "adapter", None)
    return EngineReader(model.engine, adapter) if adapter else None


def _is_again(message: AIMessage, messages: Sequence[AnyMessage]) -> bool:
    """Whether a reply makes a call that was made in the same turn, letter by letter."""
    earlier = [
        (call["name"], call["args"]) for m in turn_of(messages) if isinstance(m, AIMessage) for call in m.tool_calls
    ]
    return any((call["name"], call["args"]) in earlier for call in message.tool_calls)


class ShortlistTools(AgentMiddleware[Any, Any, Any]):
    """Shows the model the tools of the shortlist instead of all of them; where there are few, it changes nothing.

    Args:
        shortlist: Of the role's tools.
        ledger: Of the conversation.
        follows: Whether the model leaves it to the chooser which tool a question is about. When nothing is left to
            call, or the model calls nothing, the tools' own sentences are then the answer: its own are worse.
    """

    def __init__(self, shortlist: Shortlist, ledger: Ledger, follows: bool = False) -> None:
        super().__init__()
        self._shortlist = shortlist
        self._ledger = ledger
        self._follows = follows and shortlist.chooser is not None

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        if not self._follows:
            if len(request.tools) <= SIZE:
                return handler(request)
            return self._shown(request, handler, Offer(tuple(self._shortlist.choose(asked_in(request.messages)))))
        offer, told = self._shortlist.offer(request.messages), tool_messages(request.messages)
        response = self._shown(request, handler, offer) if offer.names or not told else None
        last = response.result[-1] if response else None
        calls = isinstance(last, AIMessage) and bool(last.tool_calls)
        again = isinstance(last, AIMessage) and _is_again(last, request.messages)
        if told and (again or (not calls and (response is None or told[-1].status != "error"))):
            # A call that was answered or refused in this turn would be so again.
            usage = last.usage_metadata if isinstance(last, AIMessage) else None
            plain = AIMessage(plain_answer(request.messages, self._ledger), usage_metadata=usage)
            return ModelResponse(result=[plain])
        assert response is not None
        return response

    def _shown(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]], offer: Offer
    ) -> ModelResponse[Any]:
        shown = [tool for tool in request.tools if not isinstance(tool, BaseTool) or tool.name in offer.names]
        settings = request.model_settings | (offer.settings if self._follows else {})
        choice = request.tool_choice if offer.may_call else "none"
        return handler(request.override(tools=shown, tool_choice=choice, model_settings=settings))
