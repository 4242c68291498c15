"""What a channel takes: its parts, how much each may hold, how that is counted, and who says so."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

Channel = Literal["title", "bullets", "description", "email", "sms", "social", "ad"]
Language = Literal["en", "zh"]
UCS2_MOST = 70
# 3GPP TS 23.038, 6.2.1: the GSM 7-bit alphabet, and its extension, whose characters take two septets.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
# Code points that X counts once; all others count twice (twitter-text, configuration 3).
_X_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))


@dataclass(frozen=True)
class Limit:
    """The most that one part of a channel's copy may hold."""

    part: str
    most: int
    measure: str
    source: str

    def length(self, text: str) -> int:
        return _MEASURES[self.measure](text)

    def room(self, text: str) -> int:
        """The most for this very text: a message outside the GSM alphabet holds less."""
        return UCS2_MOST if self.measure == "sms" and not is_gsm(text) else self.most

    def fits(self, text: str) -> bool:
        return self.length(text) <= self.room(text)


@lru_cache(maxsize=32)
def limits(channel: Channel, language: Language) -> dict[str, Limit]:
    """Limits of a channel by part; `bullet`, `headline` and `description` may stand several times, numbered."""
    listed = tomllib.loads(Path(__file__).with_name("channels.toml").read_text(encoding="utf-8"))
    return {part: Limit(part, **entry) for part, entry in listed[channel][language].items()}


def limit_of(channel: Channel, language: Language, part: str) -> Limit:
    """The limit of a part, numbered or not: `headline_2` has that of `headline`."""
    return limits(channel, language)[part.rstrip("0123456789").rstrip("_")]


def is_gsm(text: str) -> bool:
    """Whether a text message of this text is sent in the GSM 7-bit alphabet."""
    return all(char in _GSM or char in _GSM_EXTENSION for char in text)


def sms_units(text: str) -> int:
    """Septets of a text in the GSM alphabet, else UCS-2 code units."""
    if is_gsm(text):
        return sum(2 if char in _GSM_EXTENSION else 1 for char in text)
    return len(text.encode("utf-16-be")) // 2


def halfwidth(text: str) -> int:
    """Half-width columns: wide and full-width characters count two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def x_weight(text: str) -> int:
    """Weighted characters as X counts them, rounded up."""
    return sum(1 if any(low <= ord(char) <= high for low, high in _X_LIGHT) else 2 for char in text)


_MEASURES: dict[str, Callable[[str], int]] = {
    "characters": len,
    "halfwidth": halfwidth,
    "x": x_weight,
    "sms": sms_units,
}
