"""What may be asked next: tools that can go on from the product or category of an answer and were not asked yet."""

from __future__ import annotations

from collections.abc import Collection

from shop import Draft, Shop, ToolError
from shop.resolve import find_product
from ui.conversation import Turn
from ui.strings import Locale, Words

MOST = 3
# A draft has no sales yet, a product on sale no launch before it.
FOR_DRAFTS = frozenset({"forecast_launch", "write_brief"})
FOR_PRODUCTS = frozenset({"forecast_demand", "lifecycle_stage", "find_anomalies", "review_insights"})


def follow_ups(path: Collection[Turn], tools: Collection[str], shop: Shop, locale: Locale) -> list[str]:
    """Questions that go on from a conversation, at most `MOST`.

    Args:
        path: Its turns; the last one is the answer.
        tools: Names of the tools that there are.
        shop: Where a product is looked up.
        locale: Language of the questions.
    """
    steps = [step for turn in path for step in turn.steps if step.result is not None]
    product, category = "", ""
    for step in reversed(steps):
        result = step.result
        assert result is not None
        draft = next((str(f.value) for f in result.figures if f.id.endswith(".draft_id")), "")
        product = product or draft or str(step.arguments.get("product") or "")
        category = category or str(step.arguments.get("category") or "")
    fits, product = _fitting(shop, product)
    # The same product may have been called by its id, its name, or only the first part of it.
    ids = {said: _fitting(shop, said)[1] for said in {_product_of(step.arguments) for step in steps}}
    asked = {step.name for step in steps if not product or ids[_product_of(step.arguments)] in (product, "")}
    found = []
    for name, phrase in Words("followups", locale).items():
        about = product if "{product}" in phrase else category
        if about and name in tools and name not in asked and (name in fits or "{product}" not in phrase):
            found.append(phrase.format(product=product, category=category))
    return found[:MOST]


def _product_of(arguments: dict[str, object]) -> str:
    return str(arguments.get("product") or "")


def _fitting(shop: Shop, said: str) -> tuple[frozenset[str], str]:
    """Which tools have anything to say of a product, and its id; nothing where it is none that the shop knows."""
    if not said:
        return frozenset(), ""
    try:
        found = find_product(shop, said)
    except ToolError:
        return frozenset(), ""
    every = frozenset(Words("followups", "en"))
    if isinstance(found, Draft):
        return every - FOR_PRODUCTS, found.id
    return every - FOR_DRAFTS, found.sku
