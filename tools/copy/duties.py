"""What a market asks for beside the copy: marks, consent, where reviews come from, the label of what a model wrote."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from tools.copy.facts import Kind
from tools.copy.limits import Channel, Language
from tools.copy.voice import Market, Voice

Author = Literal["rules", "model"]


@dataclass(frozen=True)
class Duty:
    """One duty: where it holds, for which channels, when it is due, in which words, and who says so."""

    id: str
    markets: frozenset[Market]
    channels: frozenset[Channel]
    when: Literal["always", "reviews", "price", "model"]
    en: str
    zh: str
    source: str

    def of(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


def duties_of(channel: Channel, said: Iterable[Kind], voice: Voice, author: Author) -> list[Duty]:
    """Duties that are due for a piece of copy, in the order of the file.

    Args:
        channel: Where it goes.
        said: The kinds of fact that it tells.
        voice: Whose markets' duties hold.
        author: Who put the words together; a model's are labelled where a market asks for it.
    """
    kinds = set(said)
    due = {
        "always": True,
        "reviews": "reviews" in kinds,
        "price": "price" in kinds,
        "model": author == "model",
    }
    return [
        duty for duty in _listed() if due[duty.when] and channel in duty.channels and duty.markets & set(voice.markets)
    ]


@lru_cache(maxsize=1)
def _listed() -> tuple[Duty, ...]:
    listed = tomllib.loads(Path(__file__).with_name("duties.toml").read_text(encoding="utf-8"))
    return tuple(
        Duty(
            id=name,
            markets=frozenset(entry["markets"]),
            channels=frozenset(entry["channels"]),
            when=entry["when"],
            en=entry["en"],
            zh=entry["zh"],
            source=entry["source"],
        )
        for name, entry in listed.items()
    )
