"""How tools are handed to a chat model: the same keywords for every model of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

ToolLike = dict[str, Any] | type | Callable[..., Any] | BaseTool
ToolChoice = str | dict[str, Any] | bool | None


def bound(tools: Iterable[ToolLike], tool_choice: ToolChoice) -> dict[str, Any]:
    """Keywords for a model call: OpenAI-style tools, and the choice as `auto`, `any`, `none` or a tool's name."""
    if isinstance(tool_choice, dict):
        tool_choice = str(tool_choice.get("function", tool_choice)["name"])
    choice = {None: "auto", False: "auto", True: "any", "required": "any"}.get(tool_choice, tool_choice)
    return {"tools": [convert_to_openai_tool(tool) for tool in tools], "tool_choice": choice}
