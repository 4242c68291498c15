"""The claim ledger of one text: figure id to what it says in that text's language, and the fact behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.copy.facts import Fact, told_by
from tools.copy.limits import Language

PLACEHOLDER = re.compile(r"\{\{\s*([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)\s*\}\}")


@dataclass(frozen=True)
class Claim:
    """One thing that copy says: the text its placeholder shows, and the fact that backs it."""

    figure: str
    shown: str
    fact: Fact


Claims = Mapping[str, Claim]


def claims_of(facts: Sequence[Fact], language: Language) -> dict[str, Claim]:
    """Everything that can be said of the facts in a language, by figure id: `copy.claim_3`, `copy.claim_3_short`."""
    claims: dict[str, Claim] = {}
    for fact in facts:
        for suffix, texts in (("", fact.texts), ("_short", fact.short)):
            if text := texts.get(language):
                figure = f"copy.{fact.id}{suffix}"
                claims[figure] = Claim(figure, text, fact)
    return claims


def points(facts: Sequence[Fact], language: Language) -> list[str]:
    """Figure ids of what is worth saying, best first, no attribute twice: sentences that tell of one, then the rest."""
    told = told_by(facts, language)
    return [
        f"copy.{fact.id}"
        for fact in facts
        if language in fact.texts and (fact.kind == "sentence" or (fact.kind == "attribute" and not fact.covers & told))
    ]


def prose(facts: Sequence[Fact], language: Language) -> list[str]:
    """The same figure ids for running text: sentences as their description orders them, then attributes."""
    said = {f"copy.{fact.id}": fact for fact in facts}
    return sorted(points(facts, language), key=lambda figure: (said[figure].kind == "attribute", said[figure].place))


def shorts(facts: Sequence[Fact], language: Language) -> list[str]:
    """Figure ids of attributes in a word or two, for titles: words before measures, bare numbers not at all."""
    telling = [
        fact for fact in facts if fact.kind == "attribute" and any(c.isalpha() for c in fact.short.get(language, ""))
    ]
    telling.sort(key=lambda fact: fact.short[language][0].isdigit())
    return [f"copy.{fact.id}_short" for fact in telling]


def shown(template: str, claims: Claims) -> str:
    """A template as the shopper reads it; a placeholder without a claim stays as it is."""
    return PLACEHOLDER.sub(lambda match: claims[match[1]].shown if match[1] in claims else match[0], template)


def named(template: str) -> list[str]:
    """Figure ids that a template uses, in order."""
    return PLACEHOLDER.findall(template)
