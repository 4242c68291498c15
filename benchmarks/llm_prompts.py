"""What the engines are asked: questions, each with the tools of its shortlist; and how good that list is."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.utils.function_calling import convert_to_openai_tool

from agent.choice import Asked
from agent.models.grammar import reply_grammar
from agent.models.template import ToolSpec, render_prompt
from agent.prompt import SYSTEM_PROMPT
from agent.shortlist import Shortlist, examples_of, open_shortlist, written_examples
from benchmarks.result import Result, bootstrap
from retrieval.embed import open_embedder
from tools import ALL

FEW = 10  # a few hundred tokens of prompt
QUESTIONS = Path(__file__).with_name("shortlist_questions.toml")


@dataclass(frozen=True)
class Prompt:
    """One request: what the model reads, and the grammar of what it may write (empty for free text)."""

    text: str
    grammar: str


@dataclass(frozen=True)
class Question:
    """A question, and the tool of a role that answers it."""

    text: str
    tool: str
    role: str


def questions() -> list[Question]:
    """The questions written for measuring, in a fixed shuffled order."""
    written = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))
    asked = [Question(q, tool, role) for role, tools in written.items() for tool, qs in tools.items() for q in qs]
    random.Random(0).shuffle(asked)
    return asked


def call_prompts(count: int, known: bool = False) -> list[Prompt]:
    """Questions that are to be answered with a call of one of the tools on the shortlist.

    Args:
        count: How many.
        known: The call is of the tool that answers the question, as where the chooser has named it.
    """
    specs = _specs()
    shortlist = Shortlist(examples_of({name: spec["function"]["description"] for name, spec in specs.items()}))
    found = []
    # `write_brief` stands on the other tools of a desk and is not among these.
    able = [asked for asked in questions() if not known or asked.tool in specs]
    for asked in able[:count]:
        names = [asked.tool] if known else shortlist.choose(Asked(asked.text))
        tools = [specs[name] for name in names]
        messages = [SystemMessage(SYSTEM_PROMPT), HumanMessage(asked.text)]
        choice = asked.tool if known else "any"
        found.append(Prompt(render_prompt(messages, tools), reply_grammar(tools, choice, (), [asked.text])))
    return found


def free_prompts(count: int) -> list[Prompt]:
    """Long prompts without a grammar, each beginning differently so that nothing of it has been read before."""
    tools = list(_specs().values())[:FEW]
    found = []
    for number, asked in enumerate(questions()[:count]):
        messages = [SystemMessage(f"Chat {number}. {SYSTEM_PROMPT}"), HumanMessage(f"Write about: {asked.text}")]
        found.append(Prompt(render_prompt(messages, tools), ""))
    return found


def shortlist_recall(home: Path | None, model: Any = None) -> list[Result]:
    """Share of the questions whose tool is among the first five and six.

    Args:
        home: Of the sentence model; without one, words alone decide.
        model: The chat model whose shortlist it is; without one, that of a model behind a server.
    """
    embedder = open_embedder(home) if home else None
    hits: dict[tuple[str, int], list[float]] = {}
    lists = {
        role: open_shortlist(role, dict.fromkeys(names, ""), embedder, model)
        for role, names in _tools_by_role().items()
    }
    for asked in questions():
        ranked = lists[asked.role].rank(Asked(asked.text))
        language = "en" if asked.text.isascii() else "zh"
        for size in (5, 6):
            for subset in (language, "all"):
                hits.setdefault((subset, size), []).append(float(asked.tool in ranked[:size]))
    method = "shortlist-embedded" if model else "shortlist" if embedder else "shortlist-words"
    return [
        Result(method, f"recall_{size}", float(np.mean(hit)), *bootstrap(hit), len(hit), extra={"language": subset})
        for (subset, size), hit in hits.items()
    ]


def _tools_by_role() -> dict[str, list[str]]:
    """Names of the tools that each role sees, from the written questions; both search products and policies."""
    written = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))
    both = ("search_products", "search_policies")
    return {role: [n for n in written_examples() if n in tools or n in both] for role, tools in written.items()}


def _specs() -> dict[str, ToolSpec]:
    found = {}
    for function in ALL:
        schema = function.tool.arguments.model_json_schema()  # type: ignore[attr-defined]
        found[schema["title"]] = convert_to_openai_tool(schema)
    return found
