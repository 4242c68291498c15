"""What has entered a conversation, as the gate wants to know it: read from its messages and its ledger, not kept.

Text is only trusted where the person typed it. Names in the catalogue, reviews and policies were all written by others,
and so may be what stands in an error; ids, days and numbers are our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage

from agent.ledger import Ledger
from agent.personal import Vault
from shop import Figure
from shop.authorize import Labels, Reach
from shop.text import FENCE
from tools.registry import BoundTool

LONGEST_ID = 40  # characters; a longer text without a blank is no id
_NUMBERS = ("units", "money", "share", "ratio", "count", "days", "weeks")


def labels_of(
    messages: Iterable[BaseMessage], ledger: Ledger, tools: Mapping[str, BoundTool], vault: Vault, owner: str
) -> Labels:
    """The labels of a conversation.

    Args:
        messages: What was said and answered so far, also where it was kept elsewhere since.
        ledger: The figures of the conversation.
        tools: The assistant's, by name; a result of any other is not for this conversation's person.
        vault: Turns what the person typed of herself back into her words.
        owner: The customer whose rows the conversation holds; empty where it holds nobody's.
    """
    said: list[str] = []
    is_tainted = False
    for message in messages:
        if isinstance(message, HumanMessage):
            said.append(vault.reveal(message.text))
        elif isinstance(message, ToolMessage):
            is_tainted = is_tainted or FENCE in message.text or _may_quote(message, tools)
    figures = [figure for result in ledger.results for figure in result.figures if figure.value is not None]
    seen: set[tuple[Reach, str]] = {("internal", "") for result in ledger.results if result.tool not in tools}
    if owner:
        seen.add(("own", owner))
    return Labels(
        said=(*said, *(text for figure in figures if (text := _given_out(figure)))),
        known=tuple(float(f.value) for f in figures if f.unit in _NUMBERS and isinstance(f.value, int | float)),
        is_tainted=is_tainted or any(_is_quoted(figure) for figure in figures),
        seen=frozenset(seen),
    )


def _may_quote(message: ToolMessage, tools: Mapping[str, BoundTool]) -> bool:
    """Whether it is an error that may name what others wrote; those about one's own orders name nothing but ids."""
    called = tools.get(message.name or "")
    return message.status == "error" and (called is None or called.tool.reach != "own")


def _given_out(figure: Figure) -> str:
    """An id or a day that our own code wrote; empty for every other value."""
    if isinstance(figure.value, date):
        return figure.value.isoformat()
    text = figure.value if isinstance(figure.value, str) and not figure.untrusted else ""
    return text if len(text) <= LONGEST_ID and not any(char.isspace() for char in text) else ""


def _is_quoted(figure: Figure) -> bool:
    """Whether it is text that others may have written and a model has read."""
    return isinstance(figure.value, str) and not figure.private and not _given_out(figure)
