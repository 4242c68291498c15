"""`write_copy`: the words of one channel, with the fact behind every claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shop import Draft, Product, Shop, Table, ToolError, ToolResult
from shop.resolve import find_product
from shop.text import is_chinese
from tools.copy.asked import language_asked, tone_asked
from tools.copy.check import Problem, check_copy
from tools.copy.claims import Claims, claims_of, named, points, prose, shorts, shown
from tools.copy.compose import Copy, Pen, Status, compose
from tools.copy.facts import Fact, Removed, name_facts, product_facts
from tools.copy.limits import Channel, Language, limit_of
from tools.copy.support import launch_fact, policy_facts, price_fact, review_facts
from tools.figures import Sheet
from tools.registry import tool

LEAST_POINTS: Mapping[Channel, int] = {"title": 0, "sms": 1, "ad": 2}
_USUAL = 2
_LANGUAGES = {"en": "English", "zh": "Chinese"}
_KINDS = {
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
_RULES = {
    "part": "a part is missing",
    "claim": "a claim is not in the ledger",
    "number": "a number is typed out",
    "limit": "it is too long for the channel",
    "forbidden": "it holds a forbidden word",
    "language": "it is not in the language asked for",
    "words": "a word is backed by nothing",
}


@tool("read")
def write_copy(
    shop: Shop, product: str, channel: Channel, language: str | None = None, tone: str | None = None
) -> ToolResult:
    """Write a title, bullets, description, e-mail, text message, social post or ad whose claims product facts back.

    Args:
        product: SKU, draft id or name.
        channel: Where the copy goes.
        language: Language of the copy, English or Chinese, as said.
        tone: Tone of voice, such as friendly, formal or playful, as said.
    """
    item = find_product(shop, product)
    written, (voice, understood) = language_asked(shop, language, product), tone_asked(tone)
    if isinstance(item, Product) and item.delisted_date is not None and item.delisted_date <= shop.today:
        raise ToolError(
            f"{item.name} ({item.sku}) is off sale since {item.delisted_date}, and copy for it would promise what "
            "nobody can buy; choose a product on sale or a draft."
        )
    facts, removed, excepted = _facts(shop, item, written)
    claims, said = claims_of(facts, written), points(facts, written)
    _enough(item, said, channel, written)
    pen = Pen(
        channel=channel,
        language=written,
        tone=voice,
        claims=claims,
        points=said,
        prose=prose(facts, written),
        shorts=shorts(facts, written),
        status=_status(shop, item),
    )
    copy = compose(pen)
    problems = check_copy(copy, claims, channel, written)
    sheet = Sheet()
    tables = (_parts(sheet, copy, claims, channel, written), _ledger(sheet, copy, claims))
    warnings = [
        *_objections(sheet, problems),
        *_left_out(sheet, removed, facts, item, written),
        *(
            ["Returns are not mentioned: a policy names products like this among what cannot go back."]
            if excepted
            else []
        ),
        *(
            []
            if understood
            else ["That tone is not known here; the copy is friendly. Formal and playful are known too."]
        ),
        "The words are put together by rules from the facts below: read them before they go out.",
    ]
    intro = f"Copy for {{{{copy.name}}}} in {_LANGUAGES[written]}, {voice}: {{{{copy.claims}}}} claims, each backed."
    lines = [f"- {text}" if channel == "bullets" else text for text in copy.values()]
    return ToolResult(
        summary="\n\n".join([intro, "\n".join(lines) if channel == "bullets" else "\n\n".join(lines)]),
        figures=sheet.figures,
        tables=tables,
        warnings=tuple(warnings),
    )


def _facts(shop: Shop, item: Product | Draft, language: Language) -> tuple[list[Fact], list[Removed], bool]:
    """All facts, the words taken out of them, and whether the policies keep returns out of the copy."""
    own, removed = product_facts(item)
    around = [*name_facts(item, shop.name, "the shop's name"), *price_fact(shop, item), *launch_fact(shop, item)]
    if isinstance(item, Product):
        around += review_facts(shop, item)
    policy, excepted = policy_facts(shop, item, language)
    return [*around, *own, *policy], removed, excepted


def _status(shop: Shop, item: Product | Draft) -> Status:
    if isinstance(item, Product) and (item.launch_date is None or item.launch_date <= shop.today):
        return "live"
    return "coming" if item.launch_date is not None and item.launch_date > shop.today else "soon"


def _enough(item: Product | Draft, said: Sequence[str], channel: Channel, language: Language) -> None:
    least = LEAST_POINTS.get(channel, _USUAL)
    if len(said) >= least:
        return
    key, where = (item.id, "to the draft") if isinstance(item, Draft) else (item.sku, "with the product list")
    raise ToolError(
        f"{item.name} ({key}) has {len(said)} facts that can be told in {_LANGUAGES[language]}, and copy for this "
        f"channel ({channel}) needs {least}; add {where} a description in that language, or attributes such as "
        "colour, material, size or warranty."
    )


def _parts(sheet: Sheet, copy: Copy, claims: Claims, channel: Channel, language: Language) -> Table:
    """The copy part by part with its length; enters the figures that it names."""
    used = dict.fromkeys(figure for template in copy.values() for figure in named(template))
    for figure in ["copy.name", *used]:
        claim = claims[figure]
        sheet.add(
            figure, _KINDS[claim.fact.kind].capitalize(), claim.shown, "text", claim.fact.source, rows=claim.fact.rows
        )
    sheet.add("copy.claims", "Claims", len(used), "count", "figures that the copy names")
    rows = []
    for part, template in copy.items():
        told, limit = shown(template, claims), limit_of(channel, language, part)
        length = sheet.add(f"copy.{part}_length", "Length", limit.length(told), "count", f"in {limit.measure}")
        most = sheet.add(f"copy.{part}_limit", "Limit", limit.room(told), "count", limit.source)
        rows.append((limit.part.capitalize(), template, length, most))
    return Table(title="The copy, part by part", columns=("Part", "Text", "Length", "Limit"), rows=tuple(rows))


def _ledger(sheet: Sheet, copy: Copy, claims: Claims) -> Table:
    """Each claim, what sort of fact it is, and where that stands."""
    used = dict.fromkeys(figure for template in copy.values() for figure in named(template))
    rows = []
    for figure in used:
        fact = claims[figure].fact
        source = sheet.add(f"{figure}_source", "Source", fact.source, "text", "where the fact stands", rows=fact.rows)
        if fact.passage is not None:
            source += " " + sheet.cite(f"{figure}_passage", fact.passage, fact.rows)
        rows.append(("{{" + figure + "}}", _KINDS[fact.kind], source))
    return Table(title="What backs each claim", columns=("Claim", "Fact", "Stands in"), rows=tuple(rows))


def _objections(sheet: Sheet, problems: Sequence[Problem]) -> list[str]:
    """What the check found, as warnings that keep the copy from going out."""
    found = []
    for number, problem in enumerate(problems, 1):
        about = sheet.add(f"copy.problem_{number}", "Problem", f"{problem.part}: {problem.about}", "text", "copy check")
        found.append(f"Do not send it as it is, {_RULES[problem.rule]}: {about}.")
    return found


def _left_out(
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
        found.append(f"No {_LANGUAGES[language]} wording is on record for {names}; add it to tell more.")
    name = next(fact.texts[language] for fact in facts if fact.kind == "name")
    if is_chinese(name) != (language == "zh"):
        found.append(f"No {_LANGUAGES[language]} name is on record, so the name stands as it is.")
    return found
