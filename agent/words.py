"""The words of a question as the tools are chosen by: without names and amounts, in English where it is Chinese."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from retrieval import glossary

# Ids and amounts say nothing about the tool, and an example that happens to hold the same one would win by it.
_NAMED = re.compile(r"\b[A-Za-z]+-\d+\b|\d[\d.,]*")
WORDS = Path(__file__).with_name("shortlist_words.toml")
SHOP_WORDS = Path(glossary.__file__).with_name("glossary.toml")


def without_names(text: str) -> str:
    """The text with "it" for every id and number."""
    return _NAMED.sub("it", text)


def in_english(question: str) -> str:
    """The English of the words in a Chinese question that the two lists know, in their order; empty where none is."""
    english, known = _chinese_words()
    return " ".join(english[word] for word in known.findall(question))


def mostly_latin(text: str) -> bool:
    """Whether at least half of the letters are ASCII."""
    letters = [char for char in text if char.isalpha()]
    return sum(char.isascii() for char in letters) * 2 >= len(letters)


@cache
def _chinese_words() -> tuple[dict[str, str], re.Pattern[str]]:
    """Chinese words with their English, and a pattern that finds them, longer ones first."""
    english: dict[str, str] = {}
    for path in (SHOP_WORDS, WORDS):
        english |= tomllib.loads(path.read_text(encoding="utf-8"))
    return english, re.compile("|".join(map(re.escape, sorted(english, key=len, reverse=True))))
