"""The shop that examples are about: its tools as the model is shown them, its names, and what its tools answer."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.utils.function_calling import convert_to_openai_tool

from agent.brief import brief_writer
from agent.ledger import Ledger
from agent.models.template import ToolSpec, properties
from agent.prompt import describe, langchain_tool, system_prompt
from agent.shortlist import Shortlist, examples_of
from finetune.examples import Catalogue
from retrieval.embed import Embedder
from shop import Actor, Shop, ToolError, ToolResult
from tools import ALL
from tools.registry import BoundTool, Tool, bind

ROLES = ("manager", "customer")


@dataclass(frozen=True)
class Answered:
    """What a tool answered, as the model reads it; `result` is None where it said why it could not."""

    text: str
    result: ToolResult | None


@dataclass
class World:
    """One shop and the tools of both roles.

    Args:
        shop: A shop that may be written to: drafts and briefs come from the calls.
        embedder: What the shortlist compares meanings with; without one, words decide.
    """

    shop: Shop
    embedder: Embedder | None = None
    bound: dict[str, dict[str, BoundTool]] = field(init=False)
    specs: dict[str, ToolSpec] = field(init=False)
    shortlists: dict[str, Shortlist] = field(init=False)
    _answers: dict[str, ToolResult | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shopper = next(iter(self.customers()), "")
        actors = {"manager": Actor(role="manager", id="manager"), "customer": Actor(role="customer", id=shopper)}
        self.bound = {role: bind(ALL, self.shop, actor) for role, actor in actors.items()}
        # As at the desk: the brief stands on the other tools, so it is not among those of the floor below.
        self.bound["manager"] |= bind([brief_writer(self.bound["manager"])], self.shop, actors["manager"])
        every = self.bound["manager"] | self.bound["customer"]
        self.specs = {name: specification(tool.tool) for name, tool in every.items()}
        self.shortlists = {
            role: Shortlist(examples_of({n: t.tool.summary for n, t in tools.items()}), self.embedder)
            for role, tools in self.bound.items()
            if tools
        }

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue({role: system_prompt(role) for role in ROLES}, self.specs)  # type: ignore[arg-type]

    def roles(self) -> list[str]:
        """Roles with enough tools to choose among."""
        return [role for role, tools in self.bound.items() if len(tools) > 3]

    def order(self, name: str) -> tuple[str, ...]:
        """Arguments of a tool in the order of its signature."""
        return tuple(properties(self.specs[name]))

    def texts(self, name: str) -> list[str]:
        """Arguments of a tool that are texts, whatever is said in them."""
        return texts(self.specs[name])

    def required(self, name: str) -> list[str]:
        """Arguments that a tool cannot do without."""
        return list(self.specs[name]["function"]["parameters"].get("required", ()))

    def customers(self) -> list[str]:
        """Names and ids of people who bought here."""
        with self.shop.engine.connect() as connection:
            from shop import schema as t

            return [str(row[0]) for row in connection.execute(t.customers.select().limit(200))]

    def names(self) -> dict[str, list[str]]:
        """What a person could call things of this shop, by kind."""
        products = self.shop.products().reset_index()
        categories = sorted({str(each) for each in products["category"] if each})
        return {
            "product": [*products["name"].astype(str), *products["sku"].astype(str)],
            "draft": [*(d.name for d in self.shop.drafts()), *(d.id for d in self.shop.drafts())],
            "category": [*categories, *(each.rsplit(" > ", 1)[-1] for each in categories)],
            "customer": self.customers(),
        }

    def leaves(self) -> list[str]:
        """Last parts of category names, as people say them."""
        return [name for name in self.names()["category"] if " > " not in name]

    def on_sale(self) -> list[str]:
        """Names of products with history."""
        return [str(name) for name in self.shop.products()["name"]]

    def drafts(self) -> list[str]:
        """Names of planned products."""
        return [draft.name for draft in self.shop.drafts()]

    def ask(self, role: str, name: str, arguments: Mapping[str, Any], ledger: Ledger, lang: str) -> Answered:
        """Make a call, once for every shop and arguments, and enter its figures into a conversation's ledger."""
        key = json.dumps([name, arguments], ensure_ascii=False, sort_keys=True)
        if key not in self._answers:
            try:
                self._answers[key] = self.bound[role][name](**arguments)
            except ToolError as error:
                self._answers[key] = str(error)
        found = self._answers[key]
        if isinstance(found, str):
            return Answered(found, None)
        entered = ledger.add(found)
        return Answered(describe(entered, lang, every=False), entered)


def specification(tool: Tool) -> ToolSpec:
    """A tool as LangChain hands it to a chat model in the assistant's loop."""
    found: ToolSpec = convert_to_openai_tool(langchain_tool(tool, lambda **_: ("", ToolResult(summary=""))))
    return found


def texts(spec: ToolSpec) -> list[str]:
    """Arguments of a tool that are texts."""
    return [name for name, schema in properties(spec).items() if schema.get("type") == "string"]


def masked(spec: ToolSpec, rng: random.Random) -> ToolSpec:
    """The tool under names that mean nothing: what it does is left to be read (Lin et al. 2024, function masking)."""
    used: set[str] = set()

    def name() -> str:
        while True:
            syllables = ["ba", "de", "ki", "lo", "mu", "na", "po", "ri", "se", "tu", "va", "ze", "xi", "jo"]
            made = "_".join("".join(rng.choices(syllables, k=rng.randint(2, 3))) for _ in range(rng.randint(1, 2)))
            if made not in used:
                used.add(made)
                return made

    function = spec["function"]
    parameters = function["parameters"]
    renamed = {old: name() for old in parameters.get("properties", {})}
    return {
        "type": "function",
        "function": {
            "name": name(),
            "description": function["description"],
            "parameters": {
                **parameters,
                "properties": {renamed[old]: schema for old, schema in parameters.get("properties", {}).items()},
                "required": [renamed[old] for old in parameters.get("required", ())],
            },
        },
    }
