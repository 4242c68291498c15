"""Words that copy may not hold: found, cut out of a sentence where it still reads, or the sentence is left out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from shop.text import is_chinese

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


def forbidden_words(text: str, attributes: Iterable[str] = ()) -> list[BannedWord]:
    """Forbidden words of a text in order of the packs, those supported by one of the attributes left out."""
    known = {name.casefold() for name in attributes}
    hits = []
    for pack, why, unless, pattern in _packs():
        if not known & unless:
            hits += [BannedWord(match[0], pack, why) for match in pattern.finditer(text)]
    return hits


def without_forbidden(text: str, attributes: Iterable[str] = ()) -> tuple[str, list[BannedWord]]:
    """The text without its forbidden words, and what they were; empty where it does not read without them.

    An absolute adjective before its noun is cut out ("the best kettle" becomes "the kettle"); a text with any other
    forbidden word is given up, since half a claim is still one.
    """
    names = tuple(attributes)
    hits = forbidden_words(text, names)
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
def _packs() -> tuple[tuple[str, str, frozenset[str], re.Pattern[str]], ...]:
    listed = tomllib.loads(Path(__file__).with_name("forbidden.toml").read_text(encoding="utf-8"))
    packs = []
    for name, pack in listed.items():
        english = "|".join(pack["en"])
        pattern = re.compile(rf"(?<![A-Za-z])(?:{english})(?![A-Za-z])|" + "|".join(pack["zh"]), re.I)
        packs.append((name, pack["why"], frozenset(entry.casefold() for entry in pack["unless"]), pattern))
    return tuple(packs)
