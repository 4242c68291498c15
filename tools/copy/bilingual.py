"""One fact in two languages: product words from a short list, numbers with their units by rule, nothing guessed."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path

from shop.text import CHINESE
from tools.copy.limits import Language

_MEASURED = re.compile(r"(\d[\d.,]*)\s*([A-Za-z]+|[\u3400-\u9fff]+)")
_LATIN = re.compile(r"[A-Za-z]")


def in_language(text: str, language: Language, kind: str = "values") -> str:
    """A name, value or aspect in a language; empty where no wording of it is known.

    Args:
        text: As the catalogue has it.
        language: Wanted.
        kind: `names` of attributes, `values`, or `aspects` of reviews.
    """
    text = text.strip()
    chinese = bool(CHINESE.search(text))
    if not chinese and not _LATIN.search(text):
        return text  # a bare number or code reads alike in both
    if chinese == (language == "zh"):
        return text
    listed = _words()[kind] if language == "zh" else _reversed(kind)
    if text.casefold() in listed:
        return listed[text.casefold()]
    if measured := _MEASURED.fullmatch(text):
        units = _words()["units"] if language == "zh" else _reversed("units")
        unit = units.get(measured[2].casefold(), "")
        return f"{measured[1]}{unit}" if unit and language == "zh" else f"{measured[1]} {unit}" if unit else ""
    return ""


@lru_cache(maxsize=1)
def _listed() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _words() -> dict[str, dict[str, str]]:
    return {kind: {key.casefold(): word for key, word in words.items()} for kind, words in _listed().items()}


@lru_cache(maxsize=4)
def _reversed(kind: str) -> dict[str, str]:
    """English by Chinese; of several English words for one, the first listed."""
    found: dict[str, str] = {}
    for english, chinese in _listed()[kind].items():
        found.setdefault(chinese.casefold(), english)
    return found
