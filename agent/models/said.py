"""What an argument may take from a conversation: stretches of its words, days, and numbers that it may mean."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from agent.models.template import compact
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
# What may stand beside the words for days in a stretch that names a day and nothing else.
_AROUND_DAY = re.compile(
    r"\b(?:in|on|by|from|until|the|of|next|this|last|early|mid|late|end|start|beginning)\b|[\s\d\-/.]"
    r"|[〇零一二三四五六七八九十上中下旬初底末个明后今本]",
    re.IGNORECASE,
)
MAX_NUMBERS = 200
# Words, or characters of scripts without blanks, that may stand before and after what a day is said with.
_BEFORE_DAY, _AFTER_DAY, MAX_DAYS = 5, 5, 400


class Said:
    """A conversation as arguments are filled from it.

    Args:
        texts: What users and tools have said, oldest first.

    Attributes:
        chunks: What a stretch of words is made of, blanks and line breaks too; empty where nothing else was said.
        pieces: The chunks that are no blanks.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.chunks = _chunks(texts)
        self.pieces = [chunk for chunk in self.chunks if chunk not in (" ", "\n")]
        self._readings = [reading for text in texts for reading in readings_in(text)]

    def numbers(self, kind: str, schema: Schema) -> list[float]:
        """The numbers that may stand for an argument, the latest first, within the bounds of its schema."""
        measure = schema.get(MEASURE)
        said = numbers_for(measure, self._readings) if measure else [reading.value for reading in self._readings]
        fitting = [n for n in dict.fromkeys(reversed(said)) if _within(n, kind, schema)]
        return [int(n) if n.is_integer() else n for n in fitting[:MAX_NUMBERS]]


def day_spans(said: Sequence[str]) -> list[str]:
    """Stretches of a conversation that may name a day, the latest first: a few words around what days are said with."""
    found = dict.fromkeys(span for text in reversed(said) for span in islice(_day_spans(text), MAX_DAYS))
    return list(found)[:MAX_DAYS]


def bare_days(said: Sequence[str]) -> list[str]:
    """The stretches of a conversation that name a day or a season and say nothing else: "in March", "三月初"."""
    return [span for span in day_spans(said) if not _AROUND_DAY.sub("", DAY_WORDS.sub("", span))]


def _day_spans(text: str) -> Iterator[str]:
    chunks = [match.span() for match in _CHUNK.finditer(text) if not match[0].isspace()]
    starts = [start for start, _ in chunks]
    for said_with in DAY_WORDS.finditer(text):
        first, last = bisect_right(starts, said_with.start()) - 1, bisect_left(starts, said_with.end()) - 1
        for start in range(max(first - _BEFORE_DAY, 0), first + 1):
            for end in range(last, min(last + _AFTER_DAY + 1, len(chunks))):
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
