"""English and Chinese copy come from one ledger: the same fact names the same figures in both languages."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from tools.copy.facts import Fact

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_MEASURE = re.compile(r"(\d+(?:[.,]\d+)*)[\s-]*([A-Za-z]+|[\u3400-\u9fff]+)")


def disparities(facts: Sequence[Fact]) -> list[str]:
    """Where the two languages of the facts name different figures, each as the two wordings side by side; none is good.

    A fact worded in both languages must name the same numbers. The descriptions are sentences of their own in each
    language, so those are compared by unit: litres in one and other litres in the other contradict each other, while
    a measure that only one of them tells does not.
    """
    found = []
    for fact in facts:
        if fact.kind in ("launch", "price"):
            continue  # one date and one amount, formatted for each language
        english, chinese = fact.texts.get("en", ""), fact.texts.get("zh", "")
        if english and chinese and numbers_in(english) != numbers_in(chinese):
            found.append(f"{english} / {chinese}")
    told = {
        language: measures_in(
            fact.texts[language] for fact in facts if fact.kind == "sentence" and language in fact.texts
        )
        for language in ("en", "zh")
    }
    for unit in sorted(told["en"].keys() & told["zh"].keys()):
        one, other = told["en"][unit], told["zh"][unit]
        if not (one <= other or other <= one):
            found.append(f"{', '.join(sorted(one - other))} / {', '.join(sorted(other - one))} {unit}")
    return found


def numbers_in(text: str) -> set[str]:
    """The numbers that a text names, in one spelling: `1,200.50` is `1200.5`."""
    return {_plain(number) for number in _NUMBER.findall(text)}


def measures_in(texts: Iterable[str]) -> Mapping[str, set[str]]:
    """Numbers by unit over texts of either language; a unit is named as Chinese names it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for text in texts:
        for number, word in _MEASURE.findall(text):
            if unit := _unit(word):
                found[unit].add(_plain(number))
    return found


def _unit(word: str) -> str:
    """The Chinese name of a unit at the start of a word; empty where it is none that both languages are known for."""
    units = _units()
    if word[0].isascii():
        return units.get(word.casefold(), "")
    return next((unit for unit in sorted(set(units.values()), key=len, reverse=True) if word.startswith(unit)), "")


@lru_cache(maxsize=1)
def _units() -> dict[str, str]:
    listed = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
    return {english.casefold(): chinese for english, chinese in listed["units"].items()}


def _plain(number: str) -> str:
    whole = number.replace(",", "")
    return whole.rstrip("0").rstrip(".") if "." in whole else whole
