"""The check on what a model may say: no figure of its own, no figure that is not in the ledger.

Our local model cannot break the rule (its grammar has no digits); any other model is asked to rewrite once, and then
the tools' own sentences are the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage

from agent.ledger import Ledger, bare_numbers, placeholders
from shop import ToolResult

# A page would fetch or open it: no tool's sentence has one, so none of a model's may.
_LEADS_OUT = re.compile(r"//\S|\bwww\.|!?\[[^\]]*\]\(|<[a-z/!]|\b(?:javascript|data|mailto):", re.IGNORECASE)
Message = TypeVar("Message", bound=BaseMessage)
NO_ANSWER = "I could not put that into words without a number of my own. Ask for it another way, one thing at a time."


def faults(template: str, ledger: Ledger) -> list[str]:
    """What keeps a text from being shown: bare numbers, links and markup, placeholders that name no figure or break."""
    found = [f"the number {number!r} has no source" for number in bare_numbers(template)]
    found += [f"{{{{{name}}}}} names no figure" for name in ledger.missing(template)]
    if _LEADS_OUT.search(template):
        found.append("it holds a link or markup")
    rest = template
    for name in placeholders(template):
        rest = rest.replace("{{" + name + "}}", "", 1)
    if "{{" in rest or "}}" in rest:
        found.append("a placeholder is not closed or not well formed")
    return found


def plain_answer(messages: Sequence[AnyMessage], ledger: Ledger) -> str:
    """The tools' own sentences of the current turn, or why none could answer; what was said twice stands once.

    A tool's error may hold digits (ids of the closest products), so it enters the ledger as a text figure.
    """
    sentences: list[str] = []
    refused: set[str] = set()
    for message in tool_messages(messages):
        if isinstance(message.artifact, ToolResult):
            sentences.append("\n\n".join([message.artifact.summary, *message.artifact.warnings]))
        elif message.text not in refused:
            refused.add(message.text)
            figure_id = f"note.error_{len(ledger) + 1}"
            ledger.derive(figure_id, f"what {message.name} said", message.text, "text", "the sentence of the tool")
            sentences.append("{{" + figure_id + "}}")
    return "\n\n".join(dict.fromkeys(sentences)) or NO_ANSWER


def turn_of(messages: Sequence[Message]) -> list[Message]:
    """What was said since the user last spoke, in order, her own words first."""
    spoken = [place for place, message in enumerate(messages) if isinstance(message, HumanMessage)]
    return list(messages[spoken[-1] :] if spoken else messages)


def tool_messages(messages: Sequence[BaseMessage]) -> list[ToolMessage]:
    """What tools answered since the user last spoke, in order."""
    return [message for message in turn_of(messages) if isinstance(message, ToolMessage)]


class FigureGuard(AgentMiddleware[Any, Any, Any]):
    """Holds every answer to the ledger: rewrite once, then the tools' own sentences."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        response = handler(request)
        reply = _reply(response)
        wrong = self._wrong(reply, request.messages)
        if not wrong:
            return response
        ask = HumanMessage(f"Rewrite your answer: {'; '.join(wrong)}. Use only placeholders of figures you were given.")
        # Words are to be rewritten: a call now would be filled from ours.
        messages = [*request.messages, AIMessage(reply.text), ask]
        second = handler(request.override(messages=messages, tool_choice="none"))
        if not self._wrong(_reply(second), request.messages):
            return second
        plain = AIMessage(plain_answer(request.messages, self._ledger), usage_metadata=_reply(second).usage_metadata)
        return ModelResponse(result=[plain])

    def _wrong(self, reply: AIMessage, messages: Sequence[AnyMessage]) -> list[str]:
        if reply.tool_calls:
            return []
        wrong = faults(reply.text, self._ledger)
        if tool_messages(messages) and not placeholders(reply.text):
            wrong.append("it mentions none of the figures")
        if not reply.text.strip():
            wrong.append("it is empty")
        return wrong


def _reply(response: ModelResponse[Any]) -> AIMessage:
    last = response.result[-1]
    assert isinstance(last, AIMessage)
    return last
