"""`python -m finetune decide`: how sure an adapter must be of a call to make it, from questions that call for none.

Most of what a model is taught are calls, so a small one calls too readily: it fills an argument that nobody gave with
the next best word. How likely it holds a call tells the two apart far better than which is likelier.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.messages import SystemMessage
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from agent.models.adapters import REPLY
from agent.models.decoding import Decoder
from agent.models.template import render_prompt
from agent.shortlist import Shortlist, open_shortlist
from finetune.choice import CALLS, wanted_in
from finetune.examples import DEV, Catalogue, Example, messages_of, read, read_catalogue
from finetune.world import ROLES
from retrieval.embed import Embedder
from shop import BadInput

Flags = NDArray[np.bool_]
MOST = 1000  # questions of a folder that are read: about three minutes
WEIGHT = 3  # needless questions that are no worse than one call with an argument that nobody gave


def main(
    data: Sequence[Path], adapter: Path, engine: Decoder, embedder: Embedder | None, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Fit the threshold on development questions and store it beside the adapter.

    Args:
        data: Folders that `finetune.data` has written; few questions of one lack something.
        adapter: Folder of the adapter.
        engine: The model with that adapter.
        embedder: Vectors of English text, for the shortlist.
        say: Called with a line of progress.

    Returns:
        The threshold, how well the probability parts the two kinds (area under the ROC curve), and what share of the
        calls and of the questions that lack something the threshold tells right.

    Raises:
        BadInput: The data has no calls, or no questions that lack something.
    """
    sure, wanted = [], []
    for folder in data:
        catalogue, questions = read_catalogue(folder), _questions(read(folder / DEV))
        lists = shortlists(catalogue, questions, embedder)
        for number, each in enumerate(questions):
            prompt = _prompt(each, catalogue, lists[each.role])
            if prompt:
                sure.append(engine.call_probability(prompt))
                wanted.append(bool(each.call))
            if number % 50 == 0:
                say(f"{number} of {len(questions)} questions of {folder}")
    at, right = threshold(np.array(sure), np.array(wanted))
    found = {"least_sure": round(at, 4), "questions": len(sure), "auc": round(roc_auc_score(wanted, sure), 4), **right}
    (adapter / REPLY).write_text(json.dumps(found, indent=1) + "\n")
    return found


def threshold(sure: NDArray[np.float64], wanted: Flags) -> tuple[float, dict[str, float]]:
    """The probability from which on a call is made, such that the mistakes weigh least.

    Args:
        sure: How likely the model holds a call, shape (questions,).
        wanted: Whether one is wanted, shape (questions,).

    Returns:
        The threshold, half way between the two questions it parts, and the shares of `calls` and of `others` that it
        tells right.

    Raises:
        BadInput: All questions are of one kind.
    """
    if wanted.all() or not wanted.any():
        raise BadInput("There are no questions of both kinds to tell apart; compile more examples.")
    order = np.argsort(sure)
    # With the threshold at the n-th place nothing is called before it and everything from there on.
    kept_back = np.concatenate([[0], np.cumsum(~wanted[order])])
    called = np.concatenate([np.cumsum(wanted[order][::-1])[::-1], [0]])
    right = WEIGHT * kept_back + called
    best = int(right.argmax())
    edges = np.concatenate([[0.0], sure[order], [1.0]])
    at = float((edges[best] + edges[best + 1]) / 2)
    made = sure >= at
    return at, {"calls": round(float(made[wanted].mean()), 4), "others": round(float((~made)[~wanted].mean()), 4)}


def _questions(examples: Sequence[Example]) -> list[Example]:
    """First steps of a turn of our own tools, evenly taken: those that want a call and those that want a question."""
    able = [e for e in examples if e.messages[-1]["role"] == "user" and e.kind in (*CALLS, "ask") and e.role in ROLES]
    return able[:: max(1, len(able) // MOST)][:MOST]


def shortlists(catalogue: Catalogue, examples: Sequence[Example], embedder: Embedder | None) -> dict[str, Shortlist]:
    """The shortlist of each role as the desk has it, over the tools that the role asks for in examples."""
    found = {}
    for role in ROLES:
        names = {each.tool for each in wanted_in(examples, role)}
        tools = {name: tool["function"]["description"] for name, tool in catalogue.tools.items() if name in names}
        found[role] = open_shortlist(role, tools, embedder)  # type: ignore[arg-type]
    return found


def _prompt(example: Example, catalogue: Catalogue, shortlist: Shortlist) -> str:
    """What the assistant would have the model read; empty where it would not let it call."""
    messages = [SystemMessage(catalogue.prompts[example.role]), *messages_of(example.messages)]
    offer = shortlist.offer(messages)
    return render_prompt(messages, [catalogue.tools[name] for name in offer.names]) if offer.may_call else ""
