"""A text about figures as a grammar: what must be said is said, each figure once, beside the name it is called by."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_SENTENCES = 4
# What may stand between two figures: ordinary words. No digit, no end of a sentence, and in Chinese no numeral.
_WORDS = {
    "en": r"([ (,:)'\-]|[ (]P(10|50|90)|[A-Za-z])*",
    "zh": r"(P(10|50|90)|[\u3400-\u9fff，、：（）--两二三四五六七八九十百千万亿半])*",
}
_ENDS = {"en": (r"[.!?]", r"[.!?;] "), "zh": (r"[。！？]", r"[。！？；]")}  # of the text, of a sentence before another
# How the numbers that `agent.ledger` and `agent.brief.prose` find in English words begin.
_NUMBERS = (
    "two|three|thir|four|fort|five|fif|six|seven|eigh|nine|ten|eleven|twel|twen|hundred|thousand|million|billion|dozen"
    "|half|halv|quarter|double|twice|triple|percent|per cent"
)
# By what a name is known: one that is not meant is not begun, or the model has to end it as another word.
_BEGINNING = {"en": re.compile(r"[A-Za-z]+"), "zh": re.compile(r"..?")}


@dataclass(frozen=True)
class Mention:
    """A figure that a text may speak of.

    Attributes:
        name: What it is called.
        figures: Names of the placeholders that stand for it, in order: its value, then its bounds where both are said.
        required: Whether the text must speak of it.
    """

    name: str
    figures: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True)
class Outline:
    """What a text speaks of: required mentions in any order, others in theirs, none twice.

    Attributes:
        mentions: In the order in which they are best said; one that is not required waits for the required before it.
        locale: `en` or `zh`.
    """

    mentions: tuple[Mention, ...]
    locale: str = "en"


def text_rules(outline: Outline) -> str:
    """Rules of llguidance's Lark dialect for `text`: a few sentences, each of which names at least one figure.

    A placeholder follows the name of its figure, with no other name between them; the first of a sentence may also
    stand right before it ("Expect {{launch.units}} units"). A state is what is still to be said, where among the
    others the text has come, and how many sentences it has.
    """
    rules = _Rules(outline)
    start = rules.after("FIRST", frozenset(rules.required), 0, 1)
    return "\n".join([f"text: {start}", *rules.lines])


class _Rules:
    def __init__(self, outline: Outline) -> None:
        self._mentions, self._locale = outline.mentions, outline.locale
        self.required = [place for place, each in enumerate(outline.mentions) if each.required]
        self._others = [place for place, each in enumerate(outline.mentions) if not each.required]
        self._named: set[str] = set()
        self.lines = list(self._terminals())

    def _terminals(self) -> Sequence[str]:
        """The stretches of text that end in a figure, and those that end a sentence or the text."""
        is_chinese = self._locale == "zh"
        whole = "|".join(sorted(re.escape(each.name) for each in self._mentions))
        begun = "|".join(
            sorted(
                {
                    re.escape(beginning[0])
                    for each in self._mentions
                    if (beginning := _BEGINNING[self._locale].match(each.name))
                }
            )
        )
        names = f"(?s:.*)({begun})"
        if not is_chinese:
            names = f"((?s:.*)[^A-Za-z])?(?i:{begun}|{_NUMBERS})|(?s:.*)(?i:{whole})"
        lines = [f"WORDS: /{_WORDS[self._locale]}/ & ~/({names})(?s:.*)/"]
        # In English a name and a figure are words of their own.
        lines.append("BEFORE: WORDS" if is_chinese else r"BEFORE: WORDS & /((?s:.*)[ (])?/")
        lines.append("AFTER: WORDS" if is_chinese else r"AFTER: WORDS & /([^A-Za-z](?s:.*))?/")
        for place, each in enumerate(self._mentions):
            name = _capitalised(each.name)
            first, *bounds = [json.dumps(f"{{{{{figure}}}}}") for figure in each.figures]
            rest = "".join(f" AFTER {bound}" for bound in bounds)
            ahead = f"{first} {json.dumps(each.name if is_chinese else ' ' + each.name, ensure_ascii=False)}"
            lines.append(f"LATER{place}: (AFTER & BEFORE) {name} AFTER {first}{rest}")
            lines.append(f"FIRST{place}: BEFORE ({name} AFTER {first} | {ahead}){rest}")
        last, between = _ENDS[self._locale]
        return [*lines, f"END: AFTER /{last}/", f"NEXT: AFTER /{between}/"]

    def after(self, terminal: str, left: frozenset[int], other: int, sentence: int) -> str:
        """Name of the rule for what may follow.

        Args:
            terminal: `FIRST` where a sentence begins, `LATER` after a figure.
            left: Places of the required mentions that have not been made.
            other: How many of the others were made or passed over.
            sentence: Number of the sentence, from 1.
        """
        name = f"{terminal.lower()}{sentence}_{other}_{'_'.join(map(str, sorted(left)))}"
        if name not in self._named:
            self._named.add(name)
            options = [f"{terminal}{place} {self.after('LATER', left - {place}, other, sentence)}" for place in left]
            for step, place in enumerate(self._others[other:], other):
                if place < min(left, default=len(self._mentions)):
                    options.append(f"{terminal}{place} {self.after('LATER', left, step + 1, sentence)}")
            if terminal == "LATER":
                options += self._endings(left, other, sentence)
            self.lines.append(f"{name}: {' | '.join(options)}")
        return name

    def _endings(self, left: frozenset[int], other: int, sentence: int) -> list[str]:
        found = [] if left else ["END"]
        if sentence < MAX_SENTENCES and (left or other < len(self._others)):
            found.append(f"NEXT {self.after('FIRST', left, other, sentence + 1)}")
        return found


def _capitalised(name: str) -> str:
    """A name as it stands within a sentence or at its beginning."""
    return f"({json.dumps(name, ensure_ascii=False)} | {json.dumps(name[0].upper() + name[1:], ensure_ascii=False)})"
