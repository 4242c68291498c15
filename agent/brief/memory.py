"""Tool calls that are made once: what they came to is kept, in memory for what-ifs, in the shop for a run to resume."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pydantic import ValidationError
from sqlalchemy import Connection

from shop import Draft, Shop, ToolError, ToolResult
from shop.brief_steps import drop_steps, keep_step, step_outcome
from shop.canonical import digest
from tools.registry import BoundTool, Tool

Outcome = ToolResult | ToolError


class Memory(Protocol):
    """Where outcomes of calls are kept."""

    def recall(self, tool: Tool, arguments: Mapping[str, Any]) -> Outcome | None:
        """What a call came to, or None if it has not been made."""

    def keep(self, tool: Tool, arguments: Mapping[str, Any], outcome: Outcome) -> None:
        """Keep what a call came to."""


class Remembering(BoundTool):
    """A bound tool that makes a call once; a refusal is remembered as well."""

    def __init__(self, bound: BoundTool, memory: Memory) -> None:
        super().__init__(bound.tool, bound.shop)
        object.__setattr__(self, "_memory", memory)  # the base is frozen

    def __call__(self, **arguments: Any) -> ToolResult:
        memory: Memory = self.__dict__["_memory"]
        outcome = memory.recall(self.tool, arguments)
        if outcome is None:
            try:
                outcome = self.call(arguments)
            except ToolError as error:
                outcome = error
            memory.keep(self.tool, arguments, outcome)
        if isinstance(outcome, ToolError):
            raise outcome
        return outcome


def remembering(tools: Mapping[str, BoundTool], memory: Memory) -> dict[str, BoundTool]:
    return {name: Remembering(bound, memory) for name, bound in tools.items()}


def call_key(tool: Tool, arguments: Mapping[str, Any]) -> str:
    """Names a call: tool, its version, and the arguments as a stamp has them, with defaults and without open ones."""
    try:
        checked = tool.arguments.model_validate(dict(arguments)).model_dump(mode="json", exclude_none=True)
    except ValidationError:  # the tool itself will say what is wrong
        checked = dict(arguments)
    return json.dumps([tool.name, tool.version, checked], sort_keys=True, ensure_ascii=False, default=str)


def at_once(_: str, write: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    """A model's words, kept nowhere."""
    return write()


class Steps:
    """The steps of one brief in the making, kept in the shop until the brief is stored.

    A run is known by the draft's fields and the state of the data: with the same ones, nothing is done twice.
    """

    def __init__(self, shop: Shop, draft: Draft) -> None:
        self._shop, self._draft = shop, draft.id
        self.run = digest([draft.model_dump(mode="json"), shop.fingerprint])
        with shop.begin() as connection:
            drop_steps(connection, self._draft, but=self.run)

    def recall(self, tool: Tool, arguments: Mapping[str, Any]) -> Outcome | None:
        found = step_outcome(self._shop, self.run, digest(call_key(tool, arguments)))
        if found is None:
            return None
        return ToolError(found["refusal"]) if "refusal" in found else ToolResult.model_validate(found["result"])

    def keep(self, tool: Tool, arguments: Mapping[str, Any], outcome: Outcome) -> None:
        if isinstance(outcome, ToolError):
            said: dict[str, Any] = {"refusal": str(outcome)}
        else:
            said = {"result": outcome.model_dump(mode="json")}
        keep_step(self._shop, self.run, digest(call_key(tool, arguments)), self._draft, said)

    def words(self, key: str, write: Callable[[], tuple[str, str]]) -> tuple[str, str]:
        """A model's words for a section and the model's name, asked for once."""
        found = step_outcome(self._shop, self.run, digest(key))
        if found is None:
            words, name = write()
            found = {"words": words, "name": name}
            keep_step(self._shop, self.run, digest(key), self._draft, found)
        return str(found["words"]), str(found["name"])

    def drop(self, connection: Connection) -> None:
        """Drop them, with the transaction that stores their brief."""
        drop_steps(connection, self._draft)
