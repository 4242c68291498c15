"""Sentences from phrase families: choices are taken and slots are filled, and what the words mean is kept beside them.

How a family is written stands at the top of the phrase files.
"""

from __future__ import annotations

import random

from finetune.phrasing import Lang, Part, held_back, phrases
from finetune.sentences import Sentence, tidy
from finetune.slots import filled
from finetune.values import Values

_PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">"}
PERHAPS = 0.42  # share of the optional parts that are said


class Writer:
    """Fills openings.

    Args:
        values: Where values come from.
        part: Which families may be used.
    """

    def __init__(self, values: Values, part: Part) -> None:
        self.values = values
        self.rng: random.Random = values.rng
        self.part = part
        self._macros = phrases("shared")["macros"]

    def family(self, families: list[str], key: str) -> str | None:
        """One of the families of this part of the data, None where it has none."""
        own = [each for each in families if held_back(f"{key}:{each}") == (self.part == "dev")]
        return self.rng.choice(own) if own else None

    def write(self, family: str, lang: Lang, role: str) -> Sentence:
        """A sentence of a family."""
        sentence = Sentence(lang, role)
        sentence.text = tidy(self.expand(sentence, family), lang)
        return sentence

    def expand(self, sentence: Sentence, pattern: str) -> str:
        """The pattern with its choices taken and its slots filled."""
        out, place = "", 0
        while place < len(pattern):
            char = pattern[place]
            if char not in _PAIRS or pattern[place : place + 2] == "<-":
                out, place = out + char, place + 1
                continue
            end = _closing(pattern, place)
            out += self._part_of(sentence, char, pattern[place + 1 : end])
            place = end + 1
        return out

    def _part_of(self, sentence: Sentence, opened: str, body: str) -> str:
        if opened == "(":
            return self.expand(sentence, self.rng.choice(_split(body)))
        if opened == "[":
            return self.expand(sentence, body) if self.rng.random() < PERHAPS else ""
        if opened == "<":
            return self._some(sentence, body)
        if body.startswith("!"):
            name, value = body[1:].split("=", 1)
            sentence.arguments[name] = ("value", value)
            return ""
        name, _, kind = body.partition(":")
        return filled(self.values, sentence, name, kind or name)

    def _some(self, sentence: Sentence, body: str) -> str:
        """A shared phrase, or some of several, each after a comma."""
        if body[0] not in "?+":
            return self._macro(sentence, body)
        names = body[1:].split(",")
        chosen = self.rng.sample(names, self.rng.randint(0 if body[0] == "?" else 1, min(3, len(names))))
        comma = "，" if sentence.lang == "zh" else self.rng.choice((", ", ", ", "; "))
        parts = [self._macro(sentence, name) for name in chosen]
        return "".join(comma + part for part in parts) if body[0] == "?" else comma.join(parts)

    def _macro(self, sentence: Sentence, name: str) -> str:
        return self.expand(sentence, self.rng.choice(self._macros[sentence.lang][name]))


def _split(body: str) -> list[str]:
    """Alternatives of a choice."""
    parts, depth, current = [], 0, ""
    for char in body:
        depth += (char in "([{<") - (char in ")]}>")
        if char == "|" and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += char
    return [*parts, current]


def _closing(pattern: str, place: int) -> int:
    """Where the bracket that opens at a place is closed."""
    opened, closed, depth = pattern[place], _PAIRS[pattern[place]], 0
    for at in range(place, len(pattern)):
        if pattern[at] == opened:
            depth += 1
        elif pattern[at] == closed and pattern[at - 1] != "-":
            depth -= 1
            if depth == 0:
                return at
    raise ValueError(f"{opened} is not closed in {pattern!r}")
