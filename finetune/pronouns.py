"""Pronouns in place of a subject, where a sentence bears one."""

from __future__ import annotations

import re


def points_well(family: str, argument: str, lang: str) -> bool:
    """Whether a pronoun can stand for the argument of a family."""
    found = re.findall(rf"\{{{argument}(?::\w+)?\}}", family)
    if argument == "order" and not found:
        found = re.findall("<ord2?>", family)
    if len(found) != 1 or "<np>" in family or (argument != "order" and "<ord" in family):
        return False
    if lang == "zh":
        return True
    before = re.search(rf"([A-Za-z]+) (?:\{{{argument}|<ord)", family)
    attributes = (
        "new our draft upcoming a an called product item the customer category units x existing more number for"
    )
    if before and before[1].lower() in attributes.split() and before[1] != "for":
        return False
    after = re.search(rf"(?:\{{{argument}(?::\w+)?\}}|<ord2?>) ([a-z]+)", family)
    verbs = "for on at in to is was with sell do will and by from should cost the against between compared over go be"
    if after and after[1] not in [*verbs.split(), "before", "yet", "now", "today", "goes", "costs", "takes"]:
        return False
    return not re.match(r"(\{!.*?\})?(\{|<ord)", family) and f": {{{argument}" not in family


def pointed(family: str, argument: str, word: str) -> str:
    """The family with a pronoun in place of the argument."""
    family = re.sub(rf"\{{{argument}(?::\w+)?\}}'s", {"it": "its"}.get(word, f"{word}'s"), family)
    family = re.sub(rf"\{{{argument}(?::\w+)?\}}", word, family)
    return re.sub("<ord2?>", word, family) if argument == "order" else family
