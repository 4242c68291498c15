"""What a tool is: a function whose signature and docstring are the only schema, bound to a shop and an actor."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_type_hints

from docstring_parser import parse
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from shop import Actor, Shop, ToolError, ToolResult
from shop.actions import revision_of
from shop.session import Session
from shop.types import Effect, Role

ToolFunction = Callable[..., ToolResult]


@dataclass(frozen=True)
class Tool:
    """A tool of the contract: the function, what it may do, and who may call it."""

    function: ToolFunction
    effect: Effect
    roles: tuple[Role, ...]

    @property
    def name(self) -> str:
        return self.function.__name__

    @cached_property
    def summary(self) -> str:
        """First sentence of the docstring."""
        return parse(self.function.__doc__ or "").short_description or ""

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """Pydantic model of the arguments, `shop` left out; unknown arguments and non-finite numbers are errors."""
        documented = {p.arg_name: p.description or "" for p in parse(self.function.__doc__ or "").params}
        hints = get_type_hints(self.function, include_extras=True)
        fields: dict[str, Any] = {}
        for name, parameter in list(inspect.signature(self.function).parameters.items())[1:]:
            if name not in documented:
                raise TypeError(f"{self.name}: argument {name} is not documented")
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[name] = (hints[name], Field(default, description=" ".join(documented[name].split())))
        config = ConfigDict(extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)
        return create_model(self.name, __config__=config, __doc__=self.summary, **fields)

    @cached_property
    def version(self) -> str:
        """Short hash of every source file of the package that holds the tool: its areas share their kernels."""
        package = sys.modules[self.function.__module__.split(".")[0]]
        folders = [Path(folder) for folder in getattr(package, "__path__", [])]
        files = sorted(file for folder in folders for file in folder.rglob("*.py")) or [Path(str(package.__file__))]
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]

    def signature(self) -> str:
        """One line for a prompt: `name(required, optional=)`."""
        parts = [n if f.is_required() else f"{n}=" for n, f in self.arguments.model_fields.items()]
        return f"{self.name}({', '.join(parts)})"

    def run(self, shop: Shop, arguments: dict[str, Any]) -> ToolResult:
        """Check the arguments, call the function, and stamp every figure with the call that made it.

        Raises:
            ToolError: The arguments do not fit, or the tool says why it cannot answer.
        """
        try:
            checked = self.arguments.model_validate(arguments)
        except ValidationError as error:
            raise ToolError(self._explain(error)) from error
        inputs = checked.model_dump(mode="json", exclude_none=True)
        started = time.perf_counter()
        result = self.function(shop, **{name: getattr(checked, name) for name in type(checked).model_fields})
        return self._stamped(shop, result, inputs, time.perf_counter() - started)

    def _stamped(self, shop: Shop, result: ToolResult, inputs: dict[str, Any], seconds: float) -> ToolResult:
        as_of = shop.cutoff
        # The acting person's own changes are new data: the same question after one of them is another call.
        data = [as_of.isoformat(), *([revision] if (revision := revision_of(shop)) else [])]
        material = json.dumps([self.name, self.version, inputs, *data], sort_keys=True, ensure_ascii=False)
        input_hash = hashlib.sha256(material.encode()).hexdigest()[:12]
        call = f"{self.name}-{input_hash}"
        stamp = {
            "call": call,
            "tool": self.name,
            "version": self.version,
            "inputs": inputs,
            "input_hash": input_hash,
            "as_of": as_of,
        }
        figures = tuple(
            f.model_copy(update={**stamp, "currency": shop.currency if f.unit == "money" else ""})
            for f in result.figures
        )
        return result.model_copy(
            update={"figures": figures, "call": call, "tool": self.name, "inputs": inputs, "seconds": round(seconds, 3)}
        )

    def _explain(self, error: ValidationError) -> str:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "arguments"
        if first["type"] == "missing":
            return f"{self.name} needs {name}; ask for it."
        if first["type"] == "extra_forbidden":
            known = ", ".join(self.arguments.model_fields)
            return f"{self.name} has no argument {name}; it takes {known}."
        return f"{self.name} cannot use {name} = {first['input']!r}: {first['msg'].lower()}; give another value."


def tool(effect: Effect, roles: Sequence[Role] = ("manager",)) -> Callable[[ToolFunction], ToolFunction]:
    """Declare a function a tool: what it does to the world and who may call it."""

    def declare(function: ToolFunction) -> ToolFunction:
        function.tool = Tool(function, effect, tuple(roles))  # type: ignore[attr-defined]
        return function

    return declare


@dataclass(frozen=True)
class BoundTool:
    """A tool that knows its shop: what the agent calls."""

    tool: Tool
    shop: Shop

    @property
    def name(self) -> str:
        return self.tool.name

    def __call__(self, **arguments: Any) -> ToolResult:
        return self.tool.run(self.shop, arguments)


def bind(functions: Iterable[ToolFunction], shop: Shop, actor: Actor) -> dict[str, BoundTool]:
    """The tools that this actor may call on this shop, by name. The actor comes from the session.

    A shop that is in nobody's hands yet is put into this actor's, so that a tool can tell who acts.
    """
    if shop.session is None:
        shop = shop.acting_as(Session(actor.role, actor.id))
    tools: list[Tool] = [function.tool for function in functions]  # type: ignore[attr-defined]
    return {each.name: BoundTool(each, shop) for each in tools if actor.role in each.roles}
