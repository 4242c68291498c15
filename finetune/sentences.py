"""A sentence in the making: its text, the values in it, and what the call that it asks for says of them.

Values stand in the text as single private characters until the sentence is finished, so that typos, changed case and
dictation can never touch what a call has to copy.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from finetune.phrasing import Lang

FIRST = 0xE000


@dataclass
class Sentence:
    """A sentence in the making.

    `arguments` holds, by argument, ("copy", slot), ("list", slots) or ("value", what). `_` is an argument of no call.
    `spoken` holds where a value stands in the sentence, for tools that take it as a text.
    """

    lang: Lang
    role: str
    text: str = ""
    slots: list[str] = field(default_factory=list)
    arguments: dict[str, tuple[str, Any]] = field(default_factory=dict)
    spoken: dict[str, int] = field(default_factory=dict)

    def put(self, surface: str) -> str:
        """Keep a surface aside; returns the character that stands for it."""
        self.slots.append(surface)
        return chr(FIRST + len(self.slots) - 1)

    def copied(self, argument: str, surface: str) -> str:
        """A value that the call copies."""
        mark = self.put(surface)
        if argument != "_":
            self.arguments[argument] = ("copy", ord(mark) - FIRST)
        return mark

    def meant(self, argument: str, surface: str, value: Any) -> str:
        """A value that the call says in another way."""
        mark = self.put(surface)
        if argument != "_":
            self.arguments[argument] = ("value", value)
            self.spoken[argument] = ord(mark) - FIRST
        return mark

    def listed(self, argument: str, surfaces: list[str]) -> str:
        """Several values that the call copies."""
        marks = [self.put(each) for each in surfaces]
        if argument != "_":
            self.arguments[argument] = ("list", [ord(mark) - FIRST for mark in marks])
        return joined(marks, self.lang)

    def shown(self, lowered: bool = False) -> str:
        """The sentence with its values in place."""
        return "".join(
            (self.slots[ord(c) - FIRST].lower() if lowered else self.slots[ord(c) - FIRST]) if is_mark(c) else c
            for c in self.text
        )

    def call(self, order: Sequence[str], lowered: bool = False, texts: Collection[str] = ()) -> dict[str, Any]:
        """The arguments of the call, in the order of the tool; those in `texts` as they were said."""
        said = [slot.lower() if lowered else slot for slot in self.slots]
        found: dict[str, Any] = {}
        for name in order:
            if name in texts and name in self.spoken:
                found[name] = said[self.spoken[name]]
            elif name in self.arguments:
                kind, what = self.arguments[name]
                found[name] = what if kind == "value" else said[what] if kind == "copy" else [said[n] for n in what]
        return found


def is_mark(char: str) -> bool:
    """Whether a character stands for a value."""
    return FIRST <= ord(char) < FIRST + 4000


def joined(parts: list[str], lang: Lang) -> str:
    """`a, b and c`."""
    if len(parts) == 1:
        return parts[0]
    before, last = parts[:-1], parts[-1]
    return f"{'、'.join(before)}和{last}" if lang == "zh" else f"{', '.join(before)} and {last}"


def tidy(text: str, lang: Lang) -> str:
    """Blanks, commas and articles as one would write them."""
    if lang == "zh":
        return re.sub(r"，+", "，", text).strip("， ")
    text = re.sub(r"\b(next|last|past|coming) (?=a )", r"\1 ", re.sub(r" +", " ", text))
    text = re.sub(r",\s*([.?!,])", r"\1", re.sub(r" ([,.?!;:])", r"\1", text))
    text = re.sub(r"\b(the|my|our|new|an?) (the|my|our|an?) ", r"\1 ", text)
    return text.strip(" ,;")
