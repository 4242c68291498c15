"""What a supplier delivers: the minimum order and the pack, where the product's attributes name them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_MINIMUM = ("moq", "minimum order", "minimum order quantity", "min order", "起订量", "最小起订量")
_PACK = ("pack size", "case pack", "units per case", "units per carton", "order multiple", "箱规", "装箱数")


def terms_of(attributes: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Minimum order and pack in units; None where the attributes do not say, or say zero."""
    plain = {" ".join(re.split(r"[\s_-]+", name.casefold().strip())): value for name, value in attributes.items()}
    return _first(plain, _MINIMUM), _first(plain, _PACK)


def _first(attributes: Mapping[str, str], names: tuple[str, ...]) -> float | None:
    for name in names:
        found = re.search(r"\d+(?:\.\d+)?", attributes.get(name, "").replace(",", ""))
        if found and float(found[0]) > 0:
            return float(found[0])
    return None
