"""What an argument may take from a conversation: stretches of its words, days, and numbers that it may mean."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from agent.models.template import Call, compact
from shop.dates import DAY_WORDS
from shop.readings import numbers_for, readings_in
from shop.types import MEASURE

MAX_NUMBER = 999_999_999
Schema = dict[str, Any]
# What a span is cut at: words, which keep their hyphens, points and apostrophes inside, but not the 's of a name ("the
# kettle's price"); single characters of scripts without blanks; anything else by itself.
_NO_BLANKS = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_W = rf"[^\W{_NO_BLANKS}]"
_WITHIN = rf"(?:{_W}|@|[-.](?={_W})|['’](?!s(?!{_W}))(?={_W}))"
_CHUNK = re.compile(rf"\s+|[{_NO_BLANKS}]|{_W}{_WITHIN}*?(?!{_WITHIN})|.")
MAX_NUMBERS = 200
TYPED = ("days", "weeks", "share")  # measures whose numbers say what they are of
# Words, or characters of scripts without blanks, that may stand before and after what a day is said with.
_BEFORE_DAY, _AFTER_DAY, MAX_SPANS = 5, 5, 400
_BESIDE = 3  # a word that a text must hold


@dataclass(frozen=True)
class Talk:
    """A conversation as arguments are filled from it.

    Attributes:
        texts: What users and tools have said, oldest first.
        asked: The user's latest words.
        counted: The texts whose numbers may be meant: after an answer a user's number is one that the user said.
        before: The call that the latest words may go on from.
        is_named: Whether the latest words name what they are about, a product or a category; None where that is not
            clear.
    """

    texts: Sequence[str]
    asked: str
    counted: Sequence[str]
    before: Call | None = None
    is_named: bool | None = None

    @classmethod
    def of(cls, said: Sequence[str]) -> Talk:
        """All texts as the user's."""
        return cls(said, said[-1] if said else "", said)


class Said:
    """What a conversation offers an argument.

    Attributes:
        chunks: What a stretch of words is made of, blanks and line breaks too; empty where nothing else was said.
    """

    def __init__(self, talk: Talk) -> None:
        self.texts = talk.texts
        self.chunks = _chunks(talk.texts)
        self._readings = [reading for text in talk.counted for reading in readings_in(text)]
        self._asked = readings_in(talk.asked)

    def numbers(self, kind: str, schema: Schema) -> list[float]:
        """The numbers that may stand for an argument, the latest first, within the bounds of its schema.

        What the user's latest words call days, weeks or a share is meant before any number said earlier: "my supplier
        needs six weeks" after an answer with 114 units.
        """
        measure = schema.get(MEASURE)
        typed = [reading for reading in self._asked if reading.measure == measure] if measure in TYPED else []
        readings = typed or self._readings
        said = numbers_for(measure, readings) if measure else [reading.value for reading in readings]
        fitting = [n for n in dict.fromkeys(reversed(said)) if _within(n, kind, schema)]
        return [int(n) if n.is_integer() else n for n in fitting[:MAX_NUMBERS]]

    def due(self, measure: str) -> float | None:
        """The only number that the user's latest words say of a measure: it may not be left out. None where it may.

        Of costs and prices that is what the words call so, of money and shares what their signs say. A number of days
        or weeks may as well say when ("in six weeks"), and a count anything.
        """
        if measure in ("cost", "price"):
            said = {r.value for r in self._asked if r.called == measure and r.measure in ("money", "")} - {0.0}
        else:
            said = {r.value for r in self._asked if r.measure == measure and measure in ("money", "share")}
        return said.pop() if len(said) == 1 else None


def day_spans(said: Sequence[str]) -> list[str]:
    """Stretches of a conversation that may name a day, the latest first: a few words around what days are said with."""
    return _around(said, DAY_WORDS, _BEFORE_DAY, _AFTER_DAY)


def spans_with(words: Sequence[str], said: Sequence[str]) -> list[str]:
    """Stretches of a conversation that hold one of the words, latest first; English words whole or in the plural."""
    latin, other = ("|".join(re.escape(w) for w in words if w.isascii() is kind) for kind in (True, False))
    forms = [rf"(?<![A-Za-z])(?:{latin})e?s?(?![A-Za-z])"] if latin else []
    return _around(said, re.compile("|".join([*forms, *([other] if other else [])]), re.IGNORECASE), _BESIDE, _BESIDE)


def _around(said: Sequence[str], words: re.Pattern[str], before: int, after: int) -> list[str]:
    """Stretches of up to so many words before and after what a pattern finds, each once."""
    found = dict.fromkeys(s for text in reversed(said) for s in islice(_spans(text, words, before, after), MAX_SPANS))
    return list(found)[:MAX_SPANS]


def _spans(text: str, words: re.Pattern[str], before: int, after: int) -> Iterator[str]:
    chunks = [match.span() for match in _CHUNK.finditer(text) if not match[0].isspace()]
    starts = [start for start, _ in chunks]
    for said_with in words.finditer(text):
        first, last = bisect_right(starts, said_with.start()) - 1, bisect_left(starts, said_with.end()) - 1
        for start in range(max(first - before, 0), first + 1):
            for end in range(last, min(last + after + 1, len(chunks))):
                span = text[chunks[start][0] : chunks[end][1]]
                if "\n" not in span:
                    yield " ".join(span.split())


def _chunks(said: Sequence[str]) -> list[str]:
    """What spans are made of, as it stands inside a JSON string; a line break, which no span holds, ends a message."""
    found: list[str] = []
    for text in said:
        found += [" " if chunk.isspace() else compact(chunk)[1:-1] for chunk in _CHUNK.findall(text)]
        found.append("\n")
    return found if any(chunk not in (" ", "\n") for chunk in found) else []


def _within(number: float, kind: str, schema: Schema) -> bool:
    low, high = schema.get("minimum", -MAX_NUMBER), schema.get("maximum", MAX_NUMBER)
    return (
        low <= number <= high
        and schema.get("exclusiveMinimum", low - 1) < number < schema.get("exclusiveMaximum", high + 1)
        and (kind == "number" or number.is_integer())
    )
