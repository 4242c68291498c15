"""`python -m finetune decide`: how sure an adapter must be of a call to make it, from questions that call for none.

Most of what a model is taught are calls, so a small one calls too readily: it fills an argument that nobody gave with
the next best word. How likely it holds a call tells the two apart far better than which is likelier, and together with
what the chooser holds of it better still, in Chinese above all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.messages import SystemMessage
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from agent.models.adapters import REPLY
from agent.models.chat import LocalChatModel
from agent.models.template import render_prompt
from agent.shortlist import Shortlist, open_shortlist
from finetune.choice import ASK, CALLS, wanted_in
from finetune.examples import DEV, Catalogue, Example, messages_of, read, read_catalogue
from finetune.world import ROLES
from retrieval.embed import Embedder
from shop import BadInput

Flags = NDArray[np.bool_]
CERTAIN = 1e-6  # what a probability keeps from zero and one
MOST = 1000  # questions of a folder that are read: about three minutes


def main(
    data: Sequence[Path],
    adapter: Path,
    model: LocalChatModel,
    embedder: Embedder | None,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Fit the threshold on development questions and store it beside the adapter.

    Args:
        data: Folders that `finetune.data` has written; few questions of one lack something.
        adapter: Folder of the adapter.
        model: With that adapter.
        embedder: Vectors of English text, for the shortlist.
        say: Called with a line of progress.

    Returns:
        What `fitted` does.

    Raises:
        BadInput: The data has no calls, or no questions that lack something.
    """
    sure, said, wanted = [], [], []
    for folder in data:
        catalogue, questions = read_catalogue(folder), _questions(read(folder / DEV))
        lists = shortlists(catalogue, questions, embedder, model)
        for number, each in enumerate(questions):
            prompt, said_enough = _prompt(each, catalogue, lists[each.role])
            if prompt:
                sure.append(model.engine.call_probability(prompt))  # type: ignore[attr-defined]
                said.append(said_enough)
                wanted.append(bool(each.call))
            if number % 50 == 0:
                say(f"{number} of {len(questions)} questions of {folder}")
    found = fitted(np.array(sure), np.array(said), np.array(wanted))
    (adapter / REPLY).write_text(json.dumps(found, indent=1) + "\n")
    return found


def fitted(sure: NDArray[np.float64], said: NDArray[np.float64], wanted: Flags) -> dict[str, float]:
    """What `agent.models.adapters.Sureness` is made of, and how well it parts calls from questions.

    Args:
        sure: How likely the model holds a call, shape (questions,).
        said: The chooser's log odds that enough was said, shape (questions,).
        wanted: Whether a call is wanted, shape (questions,).

    Returns:
        The threshold, the weight of `said` beside the model's log odds, the areas under the ROC curve of both, of the
        model alone and of the chooser alone, and what the threshold tells right.

    Raises:
        BadInput: All questions are of one kind.
    """
    odds = logit(np.clip(sure, CERTAIN, 1 - CERTAIN))
    if wanted.all() or not wanted.any():
        raise BadInput("There are no questions of both kinds to tell apart; compile more examples.")
    parts = LogisticRegression(class_weight="balanced").fit(np.column_stack([odds, said]), wanted).coef_[0]
    # Where one of them says nothing, or the wrong thing, it has no say.
    weight = max(0.0, float(parts[1] / parts[0])) if parts[0] > 0 else 0.0
    both = expit(odds + weight * said)
    at, right = threshold(both, wanted)
    areas = {"auc": both, "auc_model": sure, "auc_chooser": said}
    return {
        "least_sure": round(at, 4),
        "said_weight": round(weight, 4),
        "questions": len(sure),
        **{name: round(float(roc_auc_score(wanted, values)), 4) for name, values in areas.items()},
        **right,
    }


def threshold(sure: NDArray[np.float64], wanted: Flags) -> tuple[float, dict[str, float]]:
    """The probability from which on a call is made, such that as many questions are asked back as lack something.

    Then a question back is as often needless as one that is needed is missing: precision and recall are alike.

    Args:
        sure: How likely a call is held, shape (questions,).
        wanted: Whether one is wanted, shape (questions,).

    Returns:
        The threshold, half way between the two questions it parts, and the shares of `calls` and of `others` that it
        tells right.

    Raises:
        BadInput: All questions are of one kind.
    """
    if wanted.all() or not wanted.any():
        raise BadInput("There are no questions of both kinds to tell apart; compile more examples.")
    others = int((~wanted).sum())
    at = float(np.sort(sure)[others - 1 : others + 1].mean())
    made = sure >= at
    return at, {"calls": round(float(made[wanted].mean()), 4), "others": round(float((~made)[~wanted].mean()), 4)}


def _questions(examples: Sequence[Example]) -> list[Example]:
    """First steps of a turn of our own tools, evenly taken: those that want a call and those that want a question."""
    able = [
        e
        for e in examples
        if e.messages[-1]["role"] == "user" and e.role in ROLES and (e.kind == ASK or (e.kind in CALLS and e.call))
    ]
    return able[:: max(1, len(able) // MOST)][:MOST]


def shortlists(
    catalogue: Catalogue, examples: Sequence[Example], embedder: Embedder | None, model: LocalChatModel | None
) -> dict[str, Shortlist]:
    """The shortlist of each role as the desk has it, over the tools that the role asks for in examples."""
    found = {}
    for role in ROLES:
        names = {each.tool for each in wanted_in(examples, role)}
        tools = {name: tool["function"]["description"] for name, tool in catalogue.tools.items() if name in names}
        found[role] = open_shortlist(role, tools, embedder, model)  # type: ignore[arg-type]
    return found


def _prompt(example: Example, catalogue: Catalogue, shortlist: Shortlist) -> tuple[str, float]:
    """What the assistant would have the model read, empty where it would not let it call; what the chooser holds."""
    messages = [SystemMessage(catalogue.prompts[example.role]), *messages_of(example.messages)]
    offer = shortlist.offer(messages)
    shown = [catalogue.tools[name] for name in offer.names]
    return render_prompt(messages, shown) if offer.may_call else "", offer.said_enough
