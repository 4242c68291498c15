"""The check of copy, whoever wrote it: only claims of the ledger, within limits, no forbidden word, right language."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shop.text import CHINESE, is_chinese
from tools.copy.claims import PLACEHOLDER, Claims, named, shown
from tools.copy.compose import LEAST_HEADLINES, phrases
from tools.copy.forbidden import PLAIN, forbidden_words
from tools.copy.limits import Channel, Language, limit_of, limits
from tools.copy.voice import Voice
from tools.text import tokens

Rule = Literal["part", "claim", "number", "limit", "forbidden", "language", "words"]
_LEAST = {"bullet": 2, "headline": LEAST_HEADLINES, "description": 2}  # of parts that stand several times


@dataclass(frozen=True)
class Problem:
    """What is wrong with a part of the copy. `about` names the figure, word or lengths; it may hold digits."""

    rule: Rule
    part: str
    about: str


def check_copy(
    text: Mapping[str, str], claims: Claims, channel: Channel, language: Language, voice: Voice = PLAIN
) -> list[Problem]:
    """Problems of a text; none means that it may go out.

    Args:
        text: Part of the channel to template; parts that stand several times are numbered, such as `bullet_2`.
        claims: The ledger: a placeholder outside it, a figure typed out, or a word that neither the phrases of the
            language nor any claim holds is not backed.
        channel, language: Which limits and which language hold.
        voice: Whose words are avoided, and whose markets' rules hold.
    """
    found = _parts(text, channel, language)
    attributes = {key for claim in claims.values() for key in claim.fact.covers}
    for part, template in text.items():
        if part.rstrip("0123456789").rstrip("_") not in limits(channel, language):
            continue
        told, limit = shown(template, claims), limit_of(channel, language, part)
        found += [Problem("claim", part, figure) for figure in named(template) if figure not in claims]
        found += [Problem("number", part, digits) for digits in _digits(PLACEHOLDER.sub(" ", template))]
        if not limit.fits(told):
            found.append(Problem("limit", part, f"{limit.length(told)} of at most {limit.room(told)}"))
        own = shown(template, _but(claims, "price", "policy"))
        found += [Problem("forbidden", part, word.word) for word in forbidden_words(own, attributes, voice)]
        if language == "en" and CHINESE.search(PLACEHOLDER.sub("", template)):
            found.append(Problem("language", part, "Chinese words in English copy"))
        found += [Problem("words", part, word) for word in _unbacked(template, claims, language)]
    names = _but(claims, "name", "brand", "shop", "category", "price")
    whole = PLACEHOLDER.sub(" ", " ".join(shown(template, names) for template in text.values()))
    if any(char.isalpha() for char in whole) and is_chinese(whole) != (language == "zh"):
        found.append(Problem("language", "copy", "another language than asked for"))
    return found


def _but(claims: Claims, *kinds: str) -> Claims:
    """The claims but those of some kinds: what the shop binds itself to, or what reads alike in every language."""
    return {figure: claim for figure, claim in claims.items() if claim.fact.kind not in kinds}


def _parts(text: Mapping[str, str], channel: Channel, language: Language) -> list[Problem]:
    """Parts that are missing, empty, or unknown to the channel."""
    stems = [part.rstrip("0123456789").rstrip("_") for part in text]
    wanted = limits(channel, language)
    found = [Problem("part", part, "not a part of this channel") for part in stems if part not in wanted]
    found += [Problem("part", part, "empty") for part, template in text.items() if not template.strip()]
    several = channel in ("bullets", "ad")
    for part in wanted:
        least = _LEAST.get(part, 1) if several else 1
        if stems.count(part) < least:
            found.append(Problem("part", part, f"{stems.count(part)} of at least {least}"))
    return found


def _digits(text: str) -> list[str]:
    return [char for char in text if unicodedata.category(char) in ("Nd", "No", "Nl")]


def _unbacked(template: str, claims: Claims, language: Language) -> list[str]:
    """Words outside placeholders that neither the phrases nor any claim holds; Chinese as pairs of characters."""
    known = {word for tone in phrases(language).values() for phrase in tone.values() for word in _words(phrase)}
    known |= {word for claim in claims.values() for word in tokens(claim.shown)}
    return [word for word in dict.fromkeys(_words(template)) if word not in known]


def _words(template: str) -> list[str]:
    return tokens(PLACEHOLDER.sub(" ", template))
