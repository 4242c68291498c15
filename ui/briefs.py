"""From what a person typed to a stored brief."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from langchain_core.language_models import BaseChatModel

from agent.brief.compile import Progress, compile_brief
from agent.brief.export import to_json
from agent.brief.markdown import to_markdown
from agent.brief.types import Brief
from shop import BadInput, Draft, Shop, ToolError
from shop.resolve import find_product
from tools.registry import BoundTool
from ui.house import brief_settings


@dataclass(frozen=True)
class Wanted:
    """What to write a brief about: a draft there is, by id or name, or the fields of a new one."""

    draft: str = ""
    name: str = ""
    category: str = ""
    cost: float | None = None
    price: float | None = None
    launch_date: str = ""
    description: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    budget: float | None = None  # launch spend on top of the first buy


def write(
    shop: Shop,
    tools: Mapping[str, BoundTool],
    wanted: Wanted,
    model: BaseChatModel | None,
    locale: str = "en",
    progress: Progress | None = None,
) -> Brief:
    """Compile and store a brief; without a model its sentences are plain ones.

    Raises:
        ToolError: A field cannot be used, or the shop cannot carry a brief; the sentence says what to do.
    """
    settings = brief_settings(shop, locale)
    draft = draft_for(shop, tools, wanted)
    return compile_brief(tools, shop, draft, model, settings, budget=wanted.budget, progress=progress)


def draft_for(shop: Shop, tools: Mapping[str, BoundTool], wanted: Wanted) -> Draft:
    """The draft to write about. A new one is made by the tool that the conversation uses too.

    Raises:
        ToolError: There is no such draft, or a field of a new one cannot be used.
    """
    if wanted.draft:
        found = find_product(shop, wanted.draft)
        if not isinstance(found, Draft):
            raise ToolError(f"{found.name} ({found.sku}) is on sale already; a brief is for a new product.")
        return found
    given = {
        "name": wanted.name,
        "category": wanted.category,
        "cost": wanted.cost,
        "price": wanted.price,
        "launch_date": wanted.launch_date,
        "description": wanted.description,
        "attributes": dict(wanted.attributes),
    }
    result = tools["draft_product"](**{name: value for name, value in given.items() if value not in (None, "", {})})
    draft = shop.draft(str(next(figure.value for figure in result.figures if figure.id == "item.draft_id")))
    assert draft is not None
    return draft


def save(brief: Brief, folder: Path) -> tuple[Path, Path]:
    """Write a brief to a folder, made if missing, as Markdown and JSON; returns the two files.

    Raises:
        BadInput: The folder cannot be written to.
    """
    document, data = folder / f"{brief.id}.md", folder / f"{brief.id}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        document.write_text(to_markdown(brief), encoding="utf-8")
        data.write_text(json.dumps(to_json(brief), ensure_ascii=False, indent=2), encoding="utf-8")
    except OSError as error:
        raise BadInput(
            f"The folder {folder} cannot be written to ({error.strerror}); give another with --out."
        ) from error
    return document, data
