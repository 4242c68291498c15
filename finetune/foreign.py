"""Scenes with tools that are not ours, or with ours under other names: what a tool does is read, not remembered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.models.template import ToolSpec, properties
from finetune.director import Director, Scene
from finetune.examples import Example, user
from finetune.noise import around
from finetune.phrasing import phrases
from finetune.sentences import Sentence
from finetune.world import masked, texts


def foreign_tools(director: Director, role: str) -> list[Example]:
    """Tools that are not ours, or ours under names that mean nothing."""
    lang, rng, world, writer = director.lang(), director.rng, director.world, director.writer
    others = phrases("replies")["foreign"]
    chosen = rng.sample(list(others), 2)
    ours = rng.sample(list(world.bound[role]), min(3, len(world.bound[role])))
    renamed = {name: masked(world.specs[name], rng) for name in ours}
    specs = {name: foreign_tool(name, others[name]) for name in chosen}
    if rng.random() < 0.5:
        specs = {name: masked(spec, rng) for name, spec in specs.items()}
    shown = [*specs.values(), *renamed.values()]
    rng.shuffle(shown)
    for spec in shown:
        director.foreign[spec["function"]["name"]] = spec
    scene = Scene(role, tuple(spec["function"]["name"] for spec in shown))

    def ask(sentence: Sentence, family: str, own: ToolSpec, shown: ToolSpec) -> None:
        lowered = around(writer, sentence, light=True)
        call = _renamed(sentence.call(tuple(properties(own)), lowered, texts(own)), own, shown)
        if call:
            scene.add("foreign", lang, family, [user(sentence.shown(lowered))], call=call)

    for name in chosen:
        family = writer.family(others[name][lang], f"foreign.{lang}.{name}")
        if family:
            ask(writer.write(family, lang, role), family, foreign_tool(name, others[name]), specs[name])
    for name in ours:
        found = director.opening(role, lang, name)
        if found:
            ask(*found, world.specs[name], renamed[name])
    return scene.made


def _renamed(given: Mapping[str, Any], own: ToolSpec, shown: ToolSpec) -> dict[str, Any] | None:
    """A call of a tool under the names by which it is shown; None where something that it needs is not given."""
    names = dict(zip(properties(own), properties(shown), strict=True))
    if any(each not in given for each in own["function"]["parameters"].get("required", ())):
        return None
    arguments = {names[each]: given[each] for each in names if each in given}
    return {"name": shown["function"]["name"], "arguments": arguments}


def foreign_tool(name: str, written: dict[str, Any]) -> ToolSpec:
    """A tool of another house, from its line in the phrase file."""
    kinds = {"int": "integer", "number": "number"}
    properties, required = {}, []
    for each in written["arguments"]:
        argument, _, kind = each.partition(":")
        properties[argument.rstrip("?")] = {"type": kinds.get(kind, "string")}
        if not argument.endswith("?"):
            required.append(argument)
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": written["about"], "parameters": parameters}}
