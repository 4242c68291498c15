"""The shortlist: what it keeps, how it ranks, and that every tool of the contract has its examples."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import StructuredTool
from sklearn.linear_model import Ridge

from agent.choice import Asked
from agent.ledger import Ledger
from agent.models.template import Call
from agent.scripted import ScriptedChatModel
from agent.shortlist import (
    SIZE,
    Shortlist,
    ShortlistTools,
    _linear_rule,
    examples_of,
    written_examples,
)
from agent.words import in_english
from benchmarks.llm_prompts import questions, shortlist_recall
from retrieval.embed import Vectors

ALL_NAMES = list(written_examples())


class LengthEmbedder:
    """Stands in for the model: texts that start alike are alike."""

    fingerprint, languages = "letters", frozenset({"en"})

    def __init__(self) -> None:
        self.asked: list[str] = []

    def queries(self, texts: Any) -> Vectors:
        self.asked += texts
        return self.passages(texts)

    def passages(self, texts: Any, progress: Any = None) -> Vectors:
        rows = np.zeros((len(texts), 26), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[(ord(text.lower()[0]) - 97) % 26] = 1
        return rows


@pytest.fixture(scope="module")
def words() -> Shortlist:
    return Shortlist(examples_of(dict.fromkeys(ALL_NAMES, "")))


def test_every_tool_of_the_contract_has_examples_in_both_languages() -> None:
    contract = Path(__file__).parents[2] / "shared" / "TOOLS.md"
    written = written_examples()
    assert {(len(e["en"]), len(e["zh"])) for e in written.values()} == {(10, 5)}
    if not contract.is_file():
        pytest.skip("no tool contract beside the checkout")
    rows = [line.split("`")[1] for line in contract.read_text().splitlines() if line.startswith("| `")]
    assert set(rows) == set(written)


def test_an_example_finds_its_own_tool_first(words: Shortlist) -> None:
    first = [words.nearest(text)[0] == name for name, e in written_examples().items() for text in [*e["en"], *e["zh"]]]
    assert np.mean(first) > 0.95


def test_the_questions_that_measure_are_not_the_examples() -> None:
    examples = {text.lower() for e in written_examples().values() for text in [*e["en"], *e["zh"]]}
    asked = questions()
    assert min(Counter(each.tool for each in asked).values()) >= 8
    assert not examples & {each.text.lower() for each in asked}
    assert {each.tool for each in asked} == set(ALL_NAMES)


def test_words_alone_find_most_tools() -> None:
    recall = {(r.metric, r.extra["language"]): r.value for r in shortlist_recall(None)}
    assert recall["recall_5", "all"] > 0.85
    assert recall["recall_6", "zh"] > 0.9


@pytest.mark.slow
def test_with_vectors_the_tool_is_among_five_almost_always(tmp_path_factory: pytest.TempPathFactory) -> None:
    recall = {(r.metric, r.extra["language"]): r.value for r in shortlist_recall(tmp_path_factory.mktemp("home"))}
    assert recall["recall_5", "all"] > 0.97
    assert recall["recall_6", "en"] > 0.99


def test_the_list_is_short_in_order_and_keeps_what_was_used(words: Shortlist) -> None:
    question = "What should the new kettle cost?"
    chosen = words.choose(Asked(question))
    assert len(chosen) == SIZE
    assert "recommend_price" in chosen
    assert chosen == sorted(chosen, key=words.names.index)
    kept = words.choose(Asked(question, used=("hand_over", "list_orders", "predict_churn", "unknown", "predict_churn")))
    assert len(kept) == SIZE
    assert {"predict_churn", "list_orders", "recommend_price"} <= set(kept)
    assert "hand_over" not in kept


def test_vectors_are_asked_about_english_alone() -> None:
    embedder = LengthEmbedder()
    tools = {"a": "apples", "z": "zebras"}
    both = Shortlist(examples_of(tools), embedder)
    assert both.nearest("zzz")[0] == "z"
    both.nearest("啊啊啊")
    both.scores("给水壶定价")
    assert embedder.asked == ["zzz"]
    both.nearest("给水壶定价")
    assert embedder.asked == ["zzz", "price"]


def test_chinese_words_are_read_longest_first_and_strange_ones_left_out() -> None:
    assert in_english("这款水壶的零售价，广告语呢") == "retail price advertising slogan copy"
    assert in_english("啊啊啊") == ""


def test_the_linear_rule_is_ridge_regression() -> None:
    vectors = np.random.default_rng(0).normal(size=(12, 4))
    owners = np.arange(12) % 3
    middle, rule = _linear_rule(vectors, owners, 3)
    for tool in range(3):
        known = Ridge(alpha=1.0).fit(vectors, owners == tool)
        assert np.allclose(rule[:, tool], known.coef_)
    assert np.allclose(middle, vectors.mean(axis=0))


def agent_tools() -> list[StructuredTool]:
    return [
        StructuredTool.from_function(lambda product: "done", name=name, description=name, args_schema={
            "type": "object", "properties": {"product": {"type": "string"}}, "required": ["product"]})
        for name in ALL_NAMES
    ]  # fmt: skip


def test_the_model_is_shown_the_shortlist_and_a_used_tool_stays(words: Shortlist) -> None:
    model = ScriptedChatModel(replies=[Call("hand_over", {"product": "x"}), "Done.", "Again."])
    agent = create_agent(model, agent_tools(), middleware=[ShortlistTools(words, Ledger())])
    state = agent.invoke({"messages": [HumanMessage("I want to talk to a person")]})
    agent.invoke({"messages": [*state["messages"], HumanMessage("What should the kettle cost?")]})
    assert [len(asked.tools) for asked in model.asked] == [SIZE, SIZE, SIZE]
    assert all("hand_over" in asked.tools for asked in model.asked)
    assert "recommend_price" in model.asked[-1].tools


def test_few_tools_are_all_shown(words: Shortlist) -> None:
    model = ScriptedChatModel(replies=["Hi."])
    agent = create_agent(model, agent_tools()[:SIZE], middleware=[ShortlistTools(words, Ledger())])
    agent.invoke({"messages": [HumanMessage("hello")]})
    assert model.asked[0].tools == ALL_NAMES[:SIZE]
