"""A model's own mistakes on training questions: what it writes where the assistant would ask it, and what is right."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, SystemMessage

from agent.models.template import END, Call, ToolSpec, properties, render_prompt, render_reply
from agent.models.values import FREE
from agent.shortlist import Shortlist
from finetune.choice import ASK, CALLS
from finetune.examples import Catalogue, Example, messages_of
from finetune.world import ROLES
from shop import BadInput

BLOCK = 50  # questions between two writings


@dataclass(frozen=True)
class Mistake:
    """A prompt, the reply that is right and the one that the model wrote, the ends of their turns included.

    `kind` is `asked` (where a call was right), `called` (where a question was), `tool` (another one), or what is
    wrong in the arguments: `dropped`, `added`, `value`. `row` is the kind of the row that it comes from.
    """

    kind: str
    row: str
    role: str
    lang: str
    family: str
    tool: str
    prompt: str
    chosen: str
    rejected: str


class _Question(NamedTuple):
    """What a model is asked: the prompt, the row and tools that it is made of, and whether enough was said."""

    prompt: str
    example: Example
    specs: list[ToolSpec]
    settings: dict[str, float]


@dataclass
class Collected:
    """Mistakes so far, how many questions were put, and how many rows were looked at for them."""

    mistakes: list[Mistake] = field(default_factory=list)
    questions: int = 0
    looked: int = 0


def collect(
    examples: Sequence[Example],
    catalogue: Catalogue,
    model: Any,
    lists: Mapping[str, Shortlist],
    so_far: Collected,
    most: int,
    seed: int,
) -> Iterator[Collected]:
    """Let a model answer training questions as the assistant has it do, and keep where it is wrong.

    Args:
        examples: Rows of the training part.
        catalogue: What they refer to.
        model: A `LocalChatModel`, with the adapter whose mistakes are wanted.
        lists: The shortlist of each role.
        so_far: What was collected before with the same seed; it is added to.
        most: How many questions are put to it altogether.
        seed: Decides which.

    Yields:
        What there is, after every block of questions.
    """
    able = [each for each in examples if each.role in ROLES and each.kind in (*CALLS, ASK)]
    order = _mixed(able, random.Random(seed))
    while so_far.questions < most and so_far.looked < len(order):
        asked: list[_Question] = []
        for each in order[so_far.looked :]:
            if len(asked) == min(BLOCK, most - so_far.questions):
                break
            so_far.looked += 1
            asked += _asked(each, catalogue, lists[each.role])
        so_far.questions += len(asked)
        # In the order of their prompts: what several begin with is read once.
        for prompt, example, specs, settings in sorted(asked, key=lambda each: each[0]):
            reply = model.bind_tools(specs, **settings).invoke(_messages(example, catalogue))
            kind = mistake(example, reply, catalogue.tools)
            if kind:
                right, written = (render_reply(*each) + END for each in (_right(example), _written(reply)))
                about = (example.kind, example.role, example.lang, example.family, example.call.get("name", ""))
                so_far.mistakes.append(Mistake(kind, *about, prompt, right, written))
        yield so_far


def _asked(example: Example, catalogue: Catalogue, shortlist: Shortlist) -> list[_Question]:
    """What the model is asked, with the tools shown; nothing where the assistant would not offer it the right one."""
    messages = _messages(example, catalogue)
    offer = shortlist.offer(messages)
    if not offer.may_call or not offer.names or (example.call and example.call["name"] not in offer.names):
        return []
    specs = [catalogue.tools[name] for name in offer.names]
    return [_Question(render_prompt(messages, specs), example, specs, offer.settings)]


def _mixed(examples: Sequence[Example], rng: random.Random) -> list[Example]:
    """Examples in a random order in which every kind comes as often as another while there are any of it.

    Most rows are calls of the first turn, and few of those go wrong.
    """
    kinds: dict[str, list[Example]] = {}
    for each in rng.sample(examples, len(examples)):
        kinds.setdefault(each.kind, []).append(each)
    return [each for turn in zip_longest(*kinds.values()) for each in turn if each]


def _messages(example: Example, catalogue: Catalogue) -> list[Any]:
    return [SystemMessage(catalogue.prompts[example.role]), *messages_of(example.messages)]


def _right(example: Example) -> tuple[str, list[Call]]:
    return example.text, [Call(example.call["name"], example.call["arguments"])] if example.call else []


def _written(reply: AIMessage) -> tuple[str, list[Call]]:
    return str(reply.text), [Call(each["name"], each["args"]) for each in reply.tool_calls]


def mistake(example: Example, reply: AIMessage, tools: Mapping[str, ToolSpec]) -> str:
    """What kind of mistake a reply is; empty where it is none, or no whole reply.

    Arguments that the model words itself may differ from the row's, and texts in case.
    """
    if reply.invalid_tool_calls:
        return ""
    if not example.call:
        return "called" if example.kind == ASK and reply.tool_calls else ""
    if not reply.tool_calls:
        return "asked"
    written, right = reply.tool_calls[0], example.call
    if written["name"] != right["name"]:
        return "tool"
    known, given, wanted = properties(tools[right["name"]]), written["args"], right["arguments"]
    if wanted.keys() - given.keys():
        return "dropped"
    if given.keys() - wanted.keys():
        return "added"
    own = {name for name, schema in known.items() if FREE in json.dumps(schema)}
    return "value" if any(not _same(given[name], wanted[name]) for name in wanted.keys() - own) else ""


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return sorted(str(each).casefold() for each in one) == sorted(str(each).casefold() for each in other)
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()
    return bool(one == other)


def even(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """Mistakes with as many needless calls as needless questions, the first of each.

    Pairs that move this decision one way alone make a model that asks, or calls, whatever it is told.
    """
    by_kind = {kind: [each for each in mistakes if each.kind == kind] for kind in ("called", "asked")}
    most = min(map(len, by_kind.values()))
    surplus = {id(each) for found in by_kind.values() for each in found[most:]}
    return [each for each in mistakes if id(each) not in surplus]


def describe(collected: Collected) -> dict[str, Any]:
    """A card: how many questions were put, and how many mistakes there are of what."""
    counts = {
        what: dict(Counter(getattr(each, what) or ASK for each in collected.mistakes).most_common())
        for what in ("kind", "row", "role", "lang", "tool")
    }
    done = {"questions": collected.questions, "looked": collected.looked}
    return {**done, "mistakes": len(collected.mistakes), **counts}


def write(mistakes: Sequence[Mistake], path: Path) -> None:
    """One mistake a line."""
    put("".join(json.dumps(asdict(each), ensure_ascii=False) + "\n" for each in mistakes), path)


def put(text: str, path: Path) -> None:
    """Write a file beside its place, then put it there: a stop in between harms nothing."""
    written = path.with_name(f"{path.name}.new")
    written.write_text(text, encoding="utf-8")
    written.replace(path)


def read(path: Path) -> list[Mistake]:
    """Inverse of `write`.

    Raises:
        BadInput: The file holds something else.
    """
    try:
        return [Mistake(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(f"{path} holds no mistakes; delete it, and they are collected anew.") from error
