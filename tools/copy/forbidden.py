"""Words that copy may not hold: found, cut out of a sentence where it still reads, or the sentence is left out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from shop.text import is_chinese
from tools.copy.voice import Market, Voice

PLAIN = Voice()
HOUSE = "house"  # the pack of the shop's own words
# Only an adjective before its noun can go without the sentence falling apart.
_BEFORE_NOUN = re.compile(
    r"\s+(?!of\b|in\b|for\b|at\b|to\b|on\b|and\b|or\b|but\b|when\b|if\b|than\b|you\b|we\b)[a-z]", re.I
)

# A sentence that ranks the product against all others says nothing true once the superlative is gone.
_COMPARED = re.compile(r"\b(?:in the world|on (?:the market|earth)|of all|ever|anywhere|around)\b", re.I)


@dataclass(frozen=True)
class BannedWord:
    """A forbidden word as it was written, its pack, and why it may not stand."""

    word: str
    pack: str
    why: str


@dataclass(frozen=True)
class Pack:
    """Words on one subject: why they may not stand, by which rules, in which markets, and what would support them."""

    name: str
    why: str
    source: str
    markets: frozenset[Market]
    unless: frozenset[str]
    pattern: re.Pattern[str]


def forbidden_words(text: str, attributes: Iterable[str] = (), voice: Voice = PLAIN) -> list[BannedWord]:
    """Forbidden words of a text in order of the packs, those supported by one of the attributes left out.

    The packs are those of the markets in which the shop sells; the words that the shop itself avoids come last.
    """
    known = {name.casefold() for name in attributes}
    hits = []
    for pack in packs():
        if not known & pack.unless and pack.markets & set(voice.markets):
            hits += [BannedWord(match[0], pack.name, pack.why) for match in pack.pattern.finditer(text)]
    return hits + [BannedWord(word, HOUSE, "a word that this shop avoids") for word in voice.avoided(text)]


def without_forbidden(text: str, attributes: Iterable[str] = (), voice: Voice = PLAIN) -> tuple[str, list[BannedWord]]:
    """The text without its forbidden words, and what they were; empty where it does not read without them.

    An absolute adjective before its noun is cut out ("the best kettle" becomes "the kettle"); a text with any other
    forbidden word is given up, since half a claim is still one.
    """
    names = tuple(attributes)
    hits = forbidden_words(text, names, voice)
    if not hits:
        return text, []
    if is_chinese(text) or any(hit.pack != "absolute" for hit in hits):
        return "", hits
    left = text
    for hit in hits:
        cut = None if _COMPARED.search(text) else _cut(left, hit.word)
        if cut is None:
            return "", hits
        left = cut
    return left, hits


def _cut(text: str, word: str) -> str | None:
    """The text without an adjective that stands before its noun, `a` and `an` set right; None if it does not."""
    at = re.search(rf"\b{re.escape(word)}\b", text)
    if at is None or not _BEFORE_NOUN.match(text, at.end()) or word.casefold().startswith(("the ", "never")):
        return None
    before, after = text[: at.start()], text[at.end() :].lstrip()
    article = re.search(r"\b(a)n?\s$", before, re.I)
    if article:
        before = before[: article.start()] + article[1] + ("n " if after[0].casefold() in "aeiou" else " ")
    return before + (after if before else after[0].upper() + after[1:])


@lru_cache(maxsize=1)
def packs() -> tuple[Pack, ...]:
    """All packs, in the order of the file."""
    listed = tomllib.loads(Path(__file__).with_name("forbidden.toml").read_text(encoding="utf-8"))
    found = []
    for name, pack in listed.items():
        english = "|".join(pack["en"])
        pattern = re.compile(rf"(?<![A-Za-z])(?:{english})(?![A-Za-z])|" + "|".join(pack["zh"]), re.I)
        unless = frozenset(entry.casefold() for entry in pack["unless"])
        found.append(Pack(name, pack["why"], pack["source"], frozenset(pack["markets"]), unless, pattern))
    return tuple(found)
