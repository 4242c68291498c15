"""`write_copy`: the words of one channel, with the fact behind every claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shop import Draft, Product, Shop, ToolError, ToolResult
from shop.resolve import find_product
from tools.copy.asked import language_asked, tone_asked
from tools.copy.check import check_copy
from tools.copy.claims import claims_of, named, points, prose, shorts
from tools.copy.compose import Pen, Status, compose
from tools.copy.duties import duties_of
from tools.copy.facts import Fact, Removed, name_facts, product_facts
from tools.copy.limits import Channel, Language
from tools.copy.parity import disparities
from tools.copy.report import (
    LANGUAGES,
    disagreements,
    duties_table,
    ledger_table,
    left_out,
    objections,
    parts_table,
)
from tools.copy.support import launch_fact, policy_facts, price_fact, review_facts
from tools.copy.voice import Voice, voice_of
from tools.figures import Sheet
from tools.registry import tool

LEAST_POINTS: Mapping[Channel, int] = {"title": 0, "sms": 1, "ad": 2}
_USUAL = 2
_EXCEPTED = "Returns are not mentioned: a policy names products like this among what cannot go back."
_TONES = "Friendly, formal and playful are known."


@tool("read", "internal")
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
    if isinstance(item, Product) and item.delisted_date is not None and item.delisted_date <= shop.today:
        raise ToolError(
            f"{item.name} ({item.sku}) is off sale since {item.delisted_date}, and copy for it would promise what "
            "nobody can buy; choose a product on sale or a draft."
        )
    house, written = voice_of(shop), language_asked(shop, language, product)
    used, understood = tone_asked(tone, house.tone)
    known = _known(shop, item, written, house)
    claims = claims_of(known.facts, written)
    pen = Pen(
        channel=channel,
        language=written,
        tone=used,
        claims=claims,
        points=points(known.facts, written),
        prose=prose(known.facts, written),
        shorts=shorts(known.facts, written),
        status=_status(shop, item),
    )
    _enough(item, pen.points, channel, written)
    copy = compose(pen)
    problems = check_copy(copy, claims, channel, written, house)
    told = {claims[figure].fact.kind for template in copy.values() for figure in named(template)}
    sheet = Sheet()
    tables = (
        parts_table(sheet, copy, claims, channel, written),
        ledger_table(sheet, copy, claims),
        *duties_table(sheet, duties_of(channel, told, house, "rules"), written),
    )
    warnings = [
        *objections(sheet, problems),
        *disagreements(sheet, known.disparities),
        *left_out(sheet, known.removed, known.facts, item, written),
        *([_EXCEPTED] if known.excepted else []),
        *([] if understood else [f"That tone is not known here; the copy is {used}. {_TONES}"]),
        "The words are put together by rules from the facts below: read them before they go out.",
    ]
    intro = f"Copy for {{{{copy.name}}}} in {LANGUAGES[written]}, {used}: {{{{copy.claims}}}} claims, each backed."
    lines = [f"- {text}" if channel == "bullets" else text for text in copy.values()]
    return ToolResult(
        summary="\n\n".join([intro, "\n".join(lines) if channel == "bullets" else "\n\n".join(lines)]),
        figures=sheet.figures,
        tables=tables,
        warnings=tuple(warnings),
    )


@dataclass(frozen=True)
class _Known:
    """What may be told of a product, what was taken out of it, and where its languages disagree.

    `excepted` says that the policies keep returns out of the copy.
    """

    facts: list[Fact]
    removed: list[Removed]
    disparities: list[str]
    excepted: bool


def _known(shop: Shop, item: Product | Draft, language: Language, voice: Voice) -> _Known:
    own, removed = product_facts(item, voice)
    around = [*name_facts(item, shop.name, "the shop's name"), *price_fact(shop, item), *launch_fact(shop, item)]
    if isinstance(item, Product):
        around += review_facts(shop, item)
    policies = {each: policy_facts(shop, item, each) for each in LANGUAGES}
    policy, excepted = policies[language]
    facts = [*around, *own]
    return _Known(
        facts=[*facts, *policy],
        removed=removed,
        disparities=disparities([*facts, *_in_both([found for found, _ in policies.values()])]),
        excepted=excepted,
    )


def _in_both(policies: Sequence[list[Fact]]) -> list[Fact]:
    """The same policy as each language writes it, as one fact; none where only one language has it."""
    found = [fact for facts in policies for fact in facts]
    return [replace(found[0], texts={**found[0].texts, **found[1].texts})] if len(found) == len(LANGUAGES) else []


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
        f"{item.name} ({key}) has {len(said)} facts that can be told in {LANGUAGES[language]}, and copy for this "
        f"channel ({channel}) needs {least}; add {where} a description in that language, or attributes such as "
        "colour, material, size or warranty."
    )
