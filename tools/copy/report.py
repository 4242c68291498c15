"""What `write_copy` shows beside the words: lengths, what backs each claim, duties, objections, what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shop import Draft, Product, Table
from shop.text import is_chinese
from tools.copy.check import Problem
from tools.copy.claims import Claims, named, shown
from tools.copy.compose import Copy
from tools.copy.duties import Duty
from tools.copy.facts import Fact, Kind, Removed
from tools.copy.limits import Channel, Language, limit_of
from tools.figures import Sheet

LANGUAGES: Mapping[Language, str] = {"en": "English", "zh": "Chinese"}
_KINDS: Mapping[Kind, str] = {
    "name": "name",
    "brand": "brand",
    "category": "category",
    "attribute": "attribute",
    "sentence": "description",
    "price": "price",
    "launch": "launch date",
    "shop": "shop",
    "reviews": "reviews",
    "policy": "policy",
}
_WRITTEN_ELSEWHERE = ("sentence", "policy")  # whole sentences that come with the data
_RULES = {
    "part": "a part is missing",
    "claim": "a claim is not in the ledger",
    "number": "a number is typed out",
    "limit": "it is too long for the channel",
    "forbidden": "it holds a forbidden word",
    "language": "it is not in the language asked for",
    "words": "a word is backed by nothing",
}


def parts_table(sheet: Sheet, copy: Copy, claims: Claims, channel: Channel, language: Language) -> Table:
    """The copy part by part with its length; enters the figures that it names."""
    used = dict.fromkeys(figure for template in copy.values() for figure in named(template))
    for figure in ["copy.name", *used]:
        claim = claims[figure]
        sheet.add(
            figure,
            _KINDS[claim.fact.kind].capitalize(),
            claim.shown,
            "text",
            claim.fact.source,
            rows=claim.fact.rows,
            untrusted=claim.fact.kind in _WRITTEN_ELSEWHERE,
        )
    sheet.add("copy.claims", "Claims", len(used), "count", "figures that the copy names")
    rows = []
    for part, template in copy.items():
        told, limit = shown(template, claims), limit_of(channel, language, part)
        length = sheet.add(f"copy.{part}_length", "Length", limit.length(told), "count", f"in {limit.measure}")
        most = sheet.add(f"copy.{part}_limit", "Limit", limit.room(told), "count", limit.source)
        rows.append((limit.part.capitalize(), template, length, most))
    return Table(title="The copy, part by part", columns=("Part", "Text", "Length", "Limit"), rows=tuple(rows))


def ledger_table(sheet: Sheet, copy: Copy, claims: Claims) -> Table:
    """Each claim and the name, which the answer tells in any case: what sort of fact it is, and where that stands."""
    used = dict.fromkeys(["copy.name", *(figure for template in copy.values() for figure in named(template))])
    rows = []
    for figure in used:
        fact = claims[figure].fact
        source = sheet.add(f"{figure}_source", "Source", fact.source, "text", "where the fact stands", rows=fact.rows)
        if fact.passage is not None:
            source += " " + sheet.cite(f"{figure}_passage", fact.passage, fact.rows)
        rows.append(("{{" + figure + "}}", _KINDS[fact.kind], source))
    return Table(title="What backs each claim", columns=("Claim", "Fact", "Stands in"), rows=tuple(rows))


def duties_table(sheet: Sheet, duties: Sequence[Duty], language: Language) -> tuple[Table, ...]:
    """What the markets ask for besides, each with the rules that say so; no table where they ask for nothing."""
    rows = []
    for number, duty in enumerate(duties, 1):
        stem, where = f"copy.duty_{number}", ", ".join(sorted(duty.markets)).upper()
        rows.append(
            (
                sheet.add(stem, "Duty", duty.of(language), "text", f"duties of the markets: {duty.id}"),
                sheet.add(f"{stem}_markets", "Markets", where, "text", "where the shop sells"),
                sheet.add(f"{stem}_rules", "Rules", duty.source, "text", "who says so"),
            )
        )
    table = Table(title="What the markets ask for besides", columns=("Duty", "Where", "Rules"), rows=tuple(rows))
    return (table,) if rows else ()


def disagreements(sheet: Sheet, found: Sequence[str]) -> list[str]:
    """Where English and Chinese name different figures, as warnings that keep the copy from going out."""
    warnings = []
    for number, pair in enumerate(found, 1):
        formula = "numbers of both wordings"
        told = sheet.add(f"copy.disparity_{number}", "Disparity", pair, "text", formula, untrusted=True)
        warnings.append(f"Do not send it as it is, English and Chinese name different figures: {told}.")
    return warnings


def objections(sheet: Sheet, problems: Sequence[Problem]) -> list[str]:
    """What the check found, as warnings that keep the copy from going out."""
    found = []
    for number, problem in enumerate(problems, 1):
        about = sheet.add(f"copy.problem_{number}", "Problem", f"{problem.part}: {problem.about}", "text", "copy check")
        found.append(f"Do not send it as it is, {_RULES[problem.rule]}: {about}.")
    return found


def left_out(
    sheet: Sheet, removed: Sequence[Removed], facts: Sequence[Fact], item: Product | Draft, language: Language
) -> list[str]:
    """What did not get into the copy, and why."""
    found = []
    for number, each in enumerate((each for each in removed if each.language in ("", language)), 1):
        word = sheet.add(f"copy.removed_{number}", "Word taken out", f"“{each.banned.word}”", "text", each.source)
        why = sheet.add(f"copy.removed_{number}_why", "Why", each.banned.why, "text", f"word list: {each.banned.pack}")
        where = sheet.add(f"copy.removed_{number}_source", "Source", each.source, "text", "where the word stands")
        found.append(f"Taken out before use: {word} in {where} ({why}).")
    untold = [f.source.split(", ")[-1] for f in facts if f.kind == "attribute" and language not in f.texts]
    if untold:
        names = sheet.add("copy.untold", "Facts not told", ", ".join(untold), "text", "no wording in this language")
        found.append(f"No {LANGUAGES[language]} wording is on record for {names}; add it to tell more.")
    name = next(fact.texts[language] for fact in facts if fact.kind == "name")
    if is_chinese(name) != (language == "zh"):
        found.append(f"No {LANGUAGES[language]} name is on record, so the name stands as it is.")
    return found
