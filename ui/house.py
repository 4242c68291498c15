"""What a shop has set for itself on the settings page: the rules of its briefs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from babel.numbers import format_percent
from sqlalchemy import delete, insert

from agent.brief.types import BriefSettings
from shop import BadInput, Shop
from shop import schema as t
from shop.quantities import parse_number
from ui.strings import locale_of

_KEY = "brief_settings"


def brief_settings(shop: Shop, locale: str = "en") -> BriefSettings:
    """The shop's rules for a new brief in a language; the built-in ones where it has set none."""
    stored = shop.meta(_KEY)
    kept = BriefSettings.model_validate_json(stored) if stored else BriefSettings()
    return kept.model_copy(update={"locale": locale_of(locale)})


def set_brief_settings(shop: Shop, settings: BriefSettings) -> None:
    """Store the shop's rules; briefs that were written keep theirs."""
    with shop.begin() as connection:
        connection.execute(delete(t.meta).where(t.meta.c.key == _KEY))
        connection.execute(insert(t.meta).values(key=_KEY, value=settings.model_dump_json(exclude={"locale"})))


def channel_fees(text: str) -> dict[str, float]:
    """The share of the price that each sales channel keeps, from lines such as `marketplace: 15%`.

    Raises:
        BadInput: A line is no channel with its share.
    """
    found = {}
    for line in filter(None, (each.strip() for each in re.split("[\\n;；]", text))):
        name, _, share = (part.strip() for part in re.sub("[：=]", ":", line).rpartition(":"))
        fee = parse_number(share) if name else -1.0
        if not 0 <= fee < 1:
            raise BadInput(f"“{line}” is no sales channel with its share of the price; write it like marketplace: 15%.")
        found[name] = fee
    return found


def channel_lines(fees: Mapping[str, float]) -> str:
    """Channels and their shares as `channel_fees` reads them."""
    return "\n".join(f"{name}: {format_percent(fee, '0.##%', locale='en')}" for name, fee in fees.items())
