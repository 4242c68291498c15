"""What a model reads: who it is, the tools it may call, and what they answered.

The assistant's loop and the training examples are both put together from here, so a model is taught what it will see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool

from agent.ledger import placeholders, split_placeholder
from agent.render import format_value
from shop import Figure, Passage, ToolResult
from shop.text import fenced
from shop.types import WORDS, Role
from tools.registry import Tool

PRIVATE = "(only the customer sees it)"

SYSTEM_PROMPT = (
    "You are Debut, the launch desk of an online shop. You help a category manager plan a new product. "
    "Call one tool at a time. Copy names and dates as the user wrote them. Leave out what the user did not say. "
    "Never write a number: write the figure's placeholder, such as {{launch.units}}."
)
SERVICE_PROMPT = (
    "You are Debut, the service desk of an online shop. You help a shopper with products, orders and policies. "
    "Call one tool at a time. Copy names, orders and addresses as the user wrote them. "
    "Leave out what the user did not say. Never write a number: write the figure's placeholder."
)


def system_prompt(role: Role) -> str:
    """What the model is told to be."""
    return SERVICE_PROMPT if role == "customer" else SYSTEM_PROMPT


def langchain_tool(
    tool: Tool, run: Callable[..., tuple[str, ToolResult]], words: Callable[[str], Sequence[str]] | None = None
) -> BaseTool:
    """A tool as the model is shown it, in every conversation and in every training example.

    Args:
        tool: Of the contract.
        run: What a call of it does.
        words: What texts of a kind are said with in this shop; the kind by the name that the schema has for it.
    """
    return StructuredTool.from_function(
        run,
        name=tool.name,
        description=tool.summary,
        args_schema=_worded(tool.schema, words) if words else tool.schema,
        response_format="content_and_artifact",
    )


def _worded(schema: Any, words: Callable[[str], Sequence[str]]) -> Any:
    """A schema with the words of a kind in the place of its name."""
    if isinstance(schema, list):
        return [_worded(each, words) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: list(words(value)) if key == WORDS else _worded(value, words) for key, value in schema.items()}


def describe(result: ToolResult, locale: str = "en", every: bool = True) -> str:
    """A result as the model reads it: its summary, figures by id with label and value, texts of others fenced.

    Args:
        result: What the tool answered.
        locale: Language of the values.
        every: All figures; False leaves out the numbers that the summary does not name: a small model has no use for
            them, while a name may be what the next question is about.
    """
    named = {split_placeholder(name)[0] for name in placeholders(result.summary)}
    shown = [f for f in result.figures if every or f.id in named or f.unit == "text"]
    lines = [f"{f.id}: {f.label} = {_read(f, locale)}" for f in shown if not _by_others(f)]
    quoted = [
        f"{f.id}:\n{fenced([Passage(id=f.id, source=f.label, text=str(f.value))])}" for f in shown if _by_others(f)
    ]
    return "\n".join([result.summary, *result.warnings, *lines, *quoted])


def _by_others(figure: Figure) -> bool:
    """Whether a known value is text of others: passages, and whatever a tool marked so."""
    return (figure.untrusted or figure.unit == "passage") and figure.value is not None and not figure.private


def _read(figure: Figure, locale: str) -> str:
    """A value as the model reads it; what is personal it only learns to be there."""
    return PRIVATE if figure.private else format_value(figure, locale=locale)
