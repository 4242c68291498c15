"""What a tool is: a function whose signature and docstring are the only schema, bound to a shop and an actor.

Every call passes the gate (`shop.authorize`) with the acting person of the session, whoever makes it.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from docstring_parser import parse
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from shop import Actor, Shop, ToolError, ToolResult
from shop.actions import revision_of
from shop.authorize import CLEAN, MAY, Capability, Labels, Reach, require
from shop.session import Session
from shop.types import Effect, Role

ToolFunction = Callable[..., ToolResult]


@dataclass(frozen=True)
class Tool:
    """A tool of the contract: the function, what it does to the world, and whose data it is about.

    Args:
        function: What is called; its signature and docstring are the schema.
        effect: What it does to the world.
        reach: Whose data it is about; the roles that may call it follow from that.
        resolved: Arguments that it looks up among the actor's own rows before it does anything with them.
        noted: Arguments that it keeps for a person to read, and does nothing else with.
    """

    function: ToolFunction
    effect: Effect
    reach: Reach
    resolved: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.effect not in get_args(Effect) or self.reach not in MAY:
            raise TypeError(f"{self.name} declares ({self.effect}, {self.reach}), which is no capability class")

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that may call it."""
        return self.capability.roles

    @cached_property
    def capability(self) -> Capability:
        """What the gate decides by."""
        hints = get_type_hints(self.function)
        closed = frozenset(name for name, hint in hints.items() if name != "return" and _is_closed(hint))
        resolved, noted = (frozenset(names) & hints.keys() for names in (self.resolved, self.noted))
        return Capability(self.name, self.effect, self.reach, closed, resolved, noted)

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
    def schema(self) -> dict[str, Any]:
        """JSON schema of the arguments; made once, for every turn of every conversation wants it."""
        return self.arguments.model_json_schema()

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
        if shop.planned is not None:
            data.append(shop.planned.model_dump_json())
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
        currency = shop.currency
        figures = tuple(
            f.model_copy(update={**stamp, "currency": currency if f.unit == "money" else ""}) for f in result.figures
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


def tool(
    effect: Effect, reach: Reach, resolved: Collection[str] = (), noted: Collection[str] = ()
) -> Callable[[ToolFunction], ToolFunction]:
    """Declare a function a tool: what it does to the world, whose data it is about, and what its arguments are."""

    def declare(function: ToolFunction) -> ToolFunction:
        function.tool = Tool(function, effect, reach, tuple(resolved), tuple(noted))  # type: ignore[attr-defined]
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

    @property
    def customer(self) -> str:
        """Id of the customer whose own rows it answers from; empty where it answers from nobody's."""
        session = self.shop.acting
        return session.person if session.is_customer and self.tool.reach in ("own", "service") else ""

    def __call__(self, **arguments: Any) -> ToolResult:
        return self.call(arguments)

    def call(self, arguments: Mapping[str, Any], labels: Labels = CLEAN) -> ToolResult:
        """Pass the gate as the acting person, and run.

        Args:
            arguments: As the caller gave them.
            labels: What has entered the conversation; left out, the caller is our own code or the person herself.

        Raises:
            Denied: The acting person may not do this, or not with these arguments.
            ToolError: The arguments do not fit, or the tool says why it cannot answer.
        """
        require(self.shop.acting.standing, self.tool.capability, arguments, labels)
        return self.tool.run(self.shop, dict(arguments))


def bind(functions: Iterable[ToolFunction], shop: Shop, actor: Actor) -> dict[str, BoundTool]:
    """The tools of the acting person's role on this shop, by name.

    A shop that is in nobody's hands yet is put into this actor's; else who acts is whoever its session names.
    """
    if shop.session is None:
        shop = shop.acting_as(Session(actor.role, actor.id))
    role = shop.acting.role
    tools: list[Tool] = [function.tool for function in functions]  # type: ignore[attr-defined]
    return {each.name: BoundTool(each, shop) for each in tools if role in each.roles}


def _is_closed(hint: Any) -> bool:
    """Whether a type leaves nothing but a choice: literals, truth values, and either or nothing of these."""
    if hint in (bool, type(None)) or get_origin(hint) is Literal:
        return True
    return any(get_origin(hint) is union for union in (Union, UnionType)) and all(map(_is_closed, get_args(hint)))
