"""Words of a product's text, for matching products by what is written about them (English and Chinese)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Chinese has no spaces: a run of characters is cut into overlapping pairs.
_PIECE = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]+")
_COMMON = frozenset((
    "a", "an", "and", "as", "at", "by", "for", "from", "in", "is", "it", "of", "on", "or", "our", "set", "the", "this",
    "to", "with", "your",
))  # fmt: skip

_NOT_SAID = ("image",)  # attributes that are no words: the path of a picture


def product_text(product: Mapping[Any, Any]) -> str:
    """Name, description and attribute values of a product as one text."""
    attributes = product.get("attributes") or {}
    told = [str(value) for name, value in attributes.items() if name.lower() not in _NOT_SAID]
    return " ".join([str(product["name"]), str(product.get("description") or ""), *told])


def tokens(text: str) -> list[str]:
    """Lower-case words without common ones and plural endings; Chinese runs as overlapping pairs of characters."""
    found: list[str] = []
    for piece in _PIECE.findall(text.lower()):
        if piece[0] >= "\u3400":
            found += [piece[i : i + 2] for i in range(len(piece) - 1)] or [piece]
        elif piece not in _COMMON:
            found.append(_singular(piece))
    return found


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
