"""Routing by example questions, for a model that was not taught the tools: it only fills in the arguments.

An untuned small model picks tools at random and talks in circles. Until an adapter is trained, the shortlist picks the
tool, the grammar holds the model to a call of it, and the tool's own sentences are the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from agent.choice import asked_in
from agent.guard import plain_answer, tool_messages
from agent.ledger import Ledger
from agent.shortlist import Shortlist

NOTHING_FITS = (
    "I do not see which of my tools answers that. Ask me to draft a product, forecast a launch, recommend a price, "
    "plan a first buy, look into the market or the reviews, or write a launch brief."
)
NO_SERVICE_FITS = (
    "I do not see which of my tools does that. Ask me about your orders, to cancel, change, return or exchange one, "
    "about a product or a policy, or to be passed on to a person."
)


class RouteByExamples(AgentMiddleware[Any, Any, Any]):
    """Picks the tool, lets the model fill its arguments, and answers with the tool's own sentences."""

    def __init__(self, shortlist: Shortlist, ledger: Ledger, nothing_fits: str = NOTHING_FITS) -> None:
        super().__init__()
        self._shortlist = shortlist
        self._ledger = ledger
        self._nothing_fits = nothing_fits

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        if tool_messages(request.messages):
            return ModelResponse(result=[AIMessage(plain_answer(request.messages, self._ledger))])
        name = self._shortlist.best(asked_in(request.messages))
        chosen = [tool for tool in request.tools if isinstance(tool, BaseTool) and tool.name == name]
        if not chosen:
            return ModelResponse(result=[AIMessage(self._nothing_fits)])
        return handler(request.override(tools=[required_only(chosen[0])], tool_choice=name))


def required_only(tool: BaseTool) -> dict[str, Any]:
    """The tool with its required arguments alone: an untaught model fills in optional ones that nobody mentioned.

    A tool that writes a draft keeps all of them, since there they are what the user came to say.
    """
    described: dict[str, Any] = convert_to_openai_tool(tool)
    parameters = described["function"]["parameters"]
    if tool.name != "draft_product":
        required = parameters.get("required", [])
        parameters["properties"] = {name: parameters["properties"][name] for name in required}
    return described
