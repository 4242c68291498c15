"""How a shop wants to sound and where it sells: tone, words to avoid or to prefer, markets whose rules hold."""

from __future__ import annotations

import re
from functools import partial
from typing import Literal, get_args

from pydantic import Field
from sqlalchemy import delete, insert

from shop import Shop
from shop import schema as t
from shop.text import CHINESE
from shop.types import Frozen

Tone = Literal["friendly", "formal", "playful"]
Market = Literal["cn", "eu", "uk", "us"]
MARKETS: tuple[Market, ...] = get_args(Market)
_KEY = "voice"


class Voice(Frozen):
    """The brand voice of a shop.

    Attributes:
        tone: Where nobody asks for another one.
        avoid: Words that copy may not hold.
        prefer: Word of the catalogue to the word that copy uses in its place.
        markets: Where the shop sells. Until it says so the rules of all of them hold.
    """

    tone: Tone = "friendly"
    avoid: tuple[str, ...] = ()
    prefer: dict[str, str] = Field(default_factory=dict)
    markets: tuple[Market, ...] = MARKETS

    def worded(self, text: str) -> str:
        """A text in the shop's own words: a preferred word stands where the catalogue has another."""
        for word, better in self.prefer.items():
            text = _pattern(word).sub(partial(_cased, better), text)
        return text

    def avoided(self, text: str) -> list[str]:
        """The words to avoid that a text holds, as they are written there."""
        return [match[0] for word in self.avoid for match in _pattern(word).finditer(text)]


def voice_of(shop: Shop) -> Voice:
    """The shop's voice, as it was set; the plain one where it never was."""
    stored = shop.meta(_KEY)
    return Voice.model_validate_json(stored) if stored else Voice()


def set_voice(shop: Shop, voice: Voice) -> None:
    """Store the shop's voice."""
    with shop.begin() as connection:
        connection.execute(delete(t.meta).where(t.meta.c.key == _KEY))
        connection.execute(insert(t.meta).values(key=_KEY, value=voice.model_dump_json()))


def _pattern(word: str) -> re.Pattern[str]:
    """Chinese has no word edges."""
    escaped = re.escape(word.strip())
    return re.compile(escaped if CHINESE.search(word) else rf"(?<![A-Za-z]){escaped}(?![A-Za-z])", re.I)


def _cased(better: str, found: re.Match[str]) -> str:
    return better[:1].upper() + better[1:] if found[0][:1].isupper() else better
