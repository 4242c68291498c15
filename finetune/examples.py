"""One training example: a conversation up to a point, the tools shown there, and what the model is to write next.

Rendering is the assistant's own (`agent.models.template`), so what is trained on is what is read later.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from agent.models.chat import talk
from agent.models.said import Said, day_spans
from agent.models.template import END, Call, ToolSpec, properties, render_prompt, render_reply
from agent.models.values import FREE
from finetune.packing import Row
from shop import BadInput
from shop.types import MEASURE

# The files of a data set.
TOOLS, CARD, TRAIN, DEV, CASES = "tools.json", "card.json", "train.jsonl", "dev.jsonl", "dev_cases.jsonl"


@dataclass(frozen=True)
class Example:
    """`messages` as plain values (`role`, `content`, `calls`, `error`); `reply` is a text, or a call.

    `family` is what the data is split by: the opening that the latest question was made from.
    """

    kind: str
    role: str
    lang: str
    family: str
    messages: tuple[dict[str, Any], ...]
    tools: tuple[str, ...]
    text: str = ""
    call: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What makes two examples the same."""
        return json.dumps([self.role, self.messages, self.tools and self.call, self.text], ensure_ascii=False).lower()


@dataclass(frozen=True)
class Catalogue:
    """What rows refer to: the system prompt of a role, and tools by name."""

    prompts: Mapping[str, str]
    tools: Mapping[str, ToolSpec]


def user(text: str) -> dict[str, Any]:
    """A user's turn."""
    return {"role": "user", "content": text}


def assistant(text: str, calls: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """The assistant's turn: words, or calls."""
    return {"role": "assistant", "content": text, **({"calls": list(calls)} if calls else {})}


def tool(name: str, text: str, error: bool = False) -> dict[str, Any]:
    """What a tool answered."""
    return {"role": "tool", "name": name, "content": text, **({"error": True} if error else {})}


def messages_of(turns: Iterable[Mapping[str, Any]]) -> list[BaseMessage]:
    """LangChain's messages, as the loop would hold them."""
    found: list[BaseMessage] = []
    for number, turn in enumerate(turns):
        content = turn["content"]
        if turn["role"] == "user":
            found.append(HumanMessage(content))
        elif turn["role"] == "tool":
            status = "error" if turn.get("error") else "success"
            found.append(ToolMessage(content, name=turn["name"], tool_call_id=f"call_{number - 1}", status=status))
        else:
            calls = [{"name": c["name"], "args": c["arguments"], "id": f"call_{number}"} for c in turn.get("calls", ())]
            found.append(AIMessage(content, tool_calls=calls))
    return found


def render(example: Example, catalogue: Catalogue) -> tuple[str, str]:
    """What the model reads and what it is to write, the end of its turn included."""
    messages = [SystemMessage(catalogue.prompts[example.role]), *messages_of(example.messages)]
    prompt = render_prompt(messages, [catalogue.tools[name] for name in example.tools])
    calls = [Call(example.call["name"], example.call["arguments"])] if example.call else []
    return prompt, render_reply(example.text, calls) + END


def row(example: Example, catalogue: Catalogue, tokenizer: Any, own_template: bool = False) -> Row:
    """An example in tokens: completion only, the end of the turn supervised.

    Args:
        example: The example.
        catalogue: What it refers to.
        tokenizer: A fast tokenizer.
        own_template: Render with the tokenizer's chat template instead of ours.
    """
    prompt, reply = _own(example, catalogue, tokenizer) if own_template else render(example, catalogue)
    read = tokenizer.encode(prompt, add_special_tokens=False)
    written = tokenizer.encode(reply, add_special_tokens=False)
    if not written or (not own_template and written[-1] != tokenizer.convert_tokens_to_ids(END)):
        raise ValueError("a row must end with the end of a turn, or the model never learns to stop")
    return Row((*read, *written), len(read))


def _own(example: Example, catalogue: Catalogue, tokenizer: Any) -> tuple[str, str]:
    """The same through a model's own chat template, which must only add to what it has said."""
    turns: list[dict[str, Any]] = [{"role": "system", "content": catalogue.prompts[example.role]}]
    for turn in example.messages:
        turns.append(_openai(turn))
    reply = _openai(assistant(example.text, [example.call] if example.call else []))
    tools = [catalogue.tools[name] for name in example.tools] or None
    prompt = tokenizer.apply_chat_template(turns, tools=tools, tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template([*turns, reply], tools=tools, tokenize=False)
    if not whole.startswith(prompt):
        raise BadInput("The base's chat template rewrites earlier turns, so it cannot be trained with; use another.")
    return prompt, whole[len(prompt) :]


def _openai(turn: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {"role": turn["role"], "content": turn["content"]}
    if turn.get("calls"):
        plain["tool_calls"] = [
            {"type": "function", "function": {"name": c["name"], "arguments": c["arguments"]}} for c in turn["calls"]
        ]
    return plain


def fault(example: Example, catalogue: Catalogue) -> str:
    """Why the decoding grammar could not write an example's call; empty where it could."""
    if not example.call:
        return ""
    name, arguments = example.call["name"], example.call["arguments"]
    if name not in example.tools:
        return f"{name} is not shown"
    spec = catalogue.tools[name]
    known, required = properties(spec), spec["function"]["parameters"].get("required", ())
    missing = [each for each in required if each not in arguments]
    if missing:
        return f"{missing[0]} is missing"
    spoken = Said(talk(messages_of(example.messages)))
    for argument, value in arguments.items():
        if argument not in known:
            return f"{name} has no {argument}"
        for each in value if isinstance(value, list) else [value]:
            wrong = _unreachable(each, known[argument], spoken)
            if wrong:
                return f"{argument}: {wrong}"
    return ""


def _unreachable(value: Any, schema: Mapping[str, Any], spoken: Said) -> str:
    options = [schema, *schema.get("anyOf", ())]
    if isinstance(value, int | float):
        kinds = [option for option in options if option.get("type") in ("integer", "number")]
        reached = any(value in spoken.numbers(option["type"], option) for option in kinds)
        return "" if reached else f"{value} was not said"
    if any(option.get(MEASURE) == "day" for option in options) and value not in day_spans(spoken.texts):
        return f"{value!r} is no day"
    text = json.dumps(schema)
    if '"enum"' in text:
        return "" if json.dumps(value) in text else f"{value} is no choice"
    if FREE in text:
        return ""
    if "\n" in value or value != value.strip() or "  " in value:
        return f"{value!r} is no span"
    edge = re.compile(rf"(?<![A-Za-z0-9_]){re.escape(value)}(?![A-Za-z0-9_])")
    return "" if any(edge.search(said_text) for said_text in spoken.texts) else f"{value!r} was not said"


def write(examples: Iterable[Example], path: Path) -> None:
    """One example a line."""
    with path.open("w", encoding="utf-8") as file:
        for example in examples:
            plain = {key: value for key, value in asdict(example).items() if value}
            file.write(json.dumps(plain, ensure_ascii=False) + "\n")


def read(path: Path) -> list[Example]:
    """Examples of a file.

    Raises:
        BadInput: The file is missing or holds something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        plain = [json.loads(line) for line in lines]
        return [Example(**{**p, "messages": tuple(p["messages"]), "tools": tuple(p.get("tools", ()))}) for p in plain]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} holds no training examples; make them with `./debut finetune data`.") from error


def write_catalogue(catalogue: Catalogue, folder: Path) -> None:
    """Prompts and tools beside the rows that refer to them."""
    text = json.dumps(
        {"prompts": dict(catalogue.prompts), "tools": dict(catalogue.tools)}, ensure_ascii=False, indent=1
    )
    (folder / TOOLS).write_text(text, encoding="utf-8")


def read_catalogue(folder: Path) -> Catalogue:
    """Inverse of `write_catalogue`.

    Raises:
        BadInput: The folder has none.
    """
    try:
        plain = json.loads((folder / TOOLS).read_text(encoding="utf-8"))
        return Catalogue(plain["prompts"], plain["tools"])
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(f"{folder} holds no training data; make it with `./debut finetune data`.") from error
