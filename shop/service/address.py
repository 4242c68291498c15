"""An address as a person writes it, taken apart; what cannot be taken apart is asked for, never guessed."""

from __future__ import annotations

import re

from shop.errors import ToolError
from shop.service.types import Address

_STATE = re.compile(r"[A-Z]{2,3}")
_UNIT = re.compile(r"(?:suite|ste|apt|apartment|flat|unit|floor|room|level|box|p\.?o\.?|no)\b|#", re.IGNORECASE)
_POSTCODE = re.compile(r"(?=.*\d)[A-Za-z0-9-]{2,10}")
HOW = "write it as street, flat or suite, city, state and postcode, country, with commas between"


def parse_address(text: str, country: str = "") -> Address:
    """An address from its lines, or from one line with commas.

    Args:
        text: Such as `986 Sunset Drive, Suite 259, Denver, CO 80279, USA`.
        country: Where the text names none.

    Raises:
        ToolError: Street, city or postcode cannot be told.
    """
    parts = [part.strip() for part in re.split(r"\n" if "\n" in text.strip() else r"[,，]", text) if part.strip()]
    for place in range(len(parts) - 1, 0, -1):
        town = _town(parts[place])
        if town is not None:
            return _address(parts[:place], town, ", ".join(parts[place + 1 :]) or country)
    raise ToolError(f"I cannot find the postcode in that address; {HOW}.")


def _town(part: str) -> tuple[str, str, str] | None:
    """What stands before the postcode, the postcode, and what stands after it; None where there is none."""
    words = part.split()
    first = next((i for i, word in enumerate(words) if _POSTCODE.fullmatch(word)), None)
    if first is None or _UNIT.match(part) or any(char.isdigit() for word in words[:first] for char in word):
        return None
    # A British or Canadian postcode has two halves, each with a digit.
    last = first + 1 + (first + 1 < len(words) and bool(_POSTCODE.fullmatch(words[first + 1])))
    return " ".join(words[:first]), " ".join(words[first:last]), " ".join(words[last:])


def _address(street: list[str], town: tuple[str, str, str], country: str) -> Address:
    before, postcode, city = town
    if not city and len(street) == 1 and not _STATE.fullmatch(before):
        before, city = "", before  # "Denver 80279"
    if not before and len(street) > 2 and _STATE.fullmatch(street[-1]):
        before = street[-1]
        street = street[:-1]
    if not city and len(street) > 1:
        city, street = street[-1], street[:-1]
    if not city:
        raise ToolError(f"I cannot tell street and city apart in that address; {HOW}.")
    return Address(street[0], ", ".join(street[1:]), city, before, country, postcode)
