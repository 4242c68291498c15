"""Positioning and claims: one line of value, the claims with what backs each, and words that may not be used."""

from __future__ import annotations

from agent.brief.calls import COPY, LANGUAGES
from agent.brief.declare import MERCHANDISING, Fact, Grid, SectionPlan, Text, heads, line, numbered
from agent.brief.plan import Plan
from agent.brief.sections.content import written

MAX_CLAIMS = 5


def derive(plan: Plan) -> None:
    _derive_line(plan)
    _derive_claims(plan)
    removed = [n for n in plan.ledger if n.startswith("copy_") and ".removed_" in n and n.split("_")[-1].isdigit()]
    made = [key for key in COPY if plan.settled.get(key)]
    words = dict.fromkeys(str(plan.ledger[name].value) for name in removed)
    rule = "words of the draft on a list of forbidden words"
    reason = "no copy could be written, so no word was looked at"
    plan.enter(
        "positioning.forbidden", "Forbidden words found", len(words) if made else None, "count", rule, reason, removed
    )
    plan.enter("positioning.forbidden_words", "Forbidden words", ", ".join(words), "text", rule, "none", removed)


def _derive_line(plan: Plan) -> None:
    """The title of the copy is the line: name and the facts that tell most."""
    found = written(plan, f"copy_title_{plan.locale}") or written(plan, "copy_title_en")
    text, of = found[0][1:] if found else (None, ())
    reason = "the draft has no facts that can be told; add attributes or a description"
    plan.enter("positioning.line", "Line of value", text, "text", "title of the copy", reason, of, untrusted=True)


def _derive_claims(plan: Plan) -> None:
    key = next((f"copy_bullets_{lang}" for lang in (plan.locale, "en") if plan.settled.get(f"copy_bullets_{lang}")), "")
    claims = [n for n in plan.ledger if key and n.startswith(f"{key}.claim_") and f"{n}_source" in plan.ledger]
    for n, name in enumerate(claims[:MAX_CLAIMS], start=1):
        for part, source in (("claim", name), ("evidence", f"{name}_source")):
            figure = plan.ledger[source]
            plan.enter(
                f"positioning.{part}_{n}",
                figure.label,
                figure.value,
                "text",
                figure.formula,
                of=(source,),
                untrusted=figure.untrusted,
            )
    reason = "no claim can be backed yet; add attributes such as material, size or warranty to the draft"
    count = min(len(claims), MAX_CLAIMS) or None
    plan.enter("positioning.claims", "Claims with evidence", count, "count", "claims of the bullets", reason, claims)


SECTION = SectionPlan(
    id="positioning",
    title=Text("Positioning and claims", "定位与卖点"),
    gate="G2",
    calls=tuple(f"copy_{channel}_{language}" for channel in ("title", "bullets") for language in LANGUAGES),
    derive=derive,
    after=("content",),
    late=True,
    facts=(
        Fact("positioning.claims", Text("claims with evidence", "有据卖点"), True, MERCHANDISING),
        Fact("positioning.line", Text("line of value", "价值主张"), supplier=MERCHANDISING),
    ),
    lines=(
        line("In one line: {{positioning.line}}.", "一句话：{{positioning.line}}。"),
        line(
            "{{positioning.claims}} claims are backed by a fact of the product.",
            "有事实依据的卖点{{positioning.claims}}条。",
        ),
        line("No forbidden word was found.", "未发现禁用词。", when=lambda p: p.number("positioning.forbidden") == 0),
        line(
            "Forbidden words were found and taken out: {{positioning.forbidden_words}}.",
            "发现并删除禁用词：{{positioning.forbidden_words}}。",
        ),
    ),
    tables=(
        Grid(
            Text("Claims", "卖点"),
            heads("Claim|卖点", "Evidence|依据"),
            numbered(range(1, MAX_CLAIMS + 1), "{{positioning.claim_#}}", "{{positioning.evidence_#}}"),
        ),
    ),
)
