"""What a shop has set for itself on the settings page: the rules of its briefs."""

from __future__ import annotations

from sqlalchemy import delete, insert

from agent.brief.types import BriefSettings
from shop import Shop
from shop import schema as t
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
