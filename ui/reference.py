"""The reference of the tools, derived from their signatures and docstrings."""

from __future__ import annotations

from typing import Any

from tools.registry import Tool, ToolFunction


def describe(functions: list[ToolFunction]) -> list[dict[str, Any]]:
    """Every tool as plain values: name, effect, roles, what it does, and its arguments with their JSON schema."""
    return [_entry(function.tool) for function in functions]  # type: ignore[attr-defined]


def as_markdown(entries: list[dict[str, Any]]) -> str:
    """The reference as Markdown."""
    parts = ["# Tools"]
    for entry in entries:
        facts = f"Effect: {entry['effect']}. Roles: {', '.join(entry['roles'])}."
        parts.append(f"## {entry['name']}\n\n{entry['summary']}\n\n{facts}")
        parts.append("\n".join(f"- `{a['name']}` {_kind(a)}: {a['description']}" for a in entry["arguments"]))
    return "\n\n".join(parts) + "\n"


def _entry(tool: Tool) -> dict[str, Any]:
    schema = tool.arguments.model_json_schema()
    required = schema.get("required", [])
    arguments = [
        {
            "name": name,
            "type": _type(field),
            "required": name in required,
            "default": field.get("default"),
            "description": field.get("description", ""),
        }
        for name, field in schema["properties"].items()
    ]
    return {
        "name": tool.name,
        "effect": tool.effect,
        "roles": list(tool.roles),
        "summary": tool.summary,
        "arguments": arguments,
    }


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    if "anyOf" in field:
        return " | ".join(_type(option) for option in field["anyOf"] if option.get("type") != "null")
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return str(field.get("type", "any"))


def _kind(argument: dict[str, Any]) -> str:
    if argument["required"]:
        return f"({argument['type']}, required)"
    default = "" if argument["default"] is None else f", default {argument['default']}"
    return f"({argument['type']}{default})"
