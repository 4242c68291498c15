"""Compliance: what must hold before the launch, whether it does, who answers for it, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass

from agent.brief.declare import LEGAL, MARKETING, MERCHANDISING, Fact, Grid, SectionPlan, Text, heads, line, same
from agent.brief.plan import Plan

MET, OPEN = Text("met", "已满足"), Text("open", "待处理")


@dataclass(frozen=True)
class Duty:
    """Something to be checked, who answers for it, and what is looked at."""

    key: str
    name: Text
    owner: Text
    evidence: Text


DUTIES = (
    Duty(
        "claims",
        Text("Claims", "宣传用语"),
        MERCHANDISING,
        Text("claims with their facts, forbidden words", "卖点依据与禁用词"),
    ),
    Duty(
        "price",
        Text("Price reductions", "降价规则"),
        MERCHANDISING,
        Text("intro price and its last day", "新品价及截止日"),
    ),
    Duty("disclosure", Text("Reviews", "评论披露"), MARKETING, Text("units given away for reviews", "评论赠品数")),
    Duty("privacy", Text("Privacy", "隐私"), LEGAL, Text("consent of the audience", "触达人群授权")),
    Duty("platform", Text("Platform", "平台规则"), LEGAL, Text("terms of each sales channel", "各渠道规则")),
)


def derive(plan: Plan) -> None:
    for duty in DUTIES:
        state, of = _state(plan, duty.key)
        name = f"compliance.{duty.key}"
        if state is None:
            reason = "nobody has checked it yet"
            plan.enter(name, duty.name.en, None, "text", "as checked by a person", reason, of)
        else:
            plan.say(name, duty.name.en, MET if state else OPEN, of, "rule on the figures it follows from, or checked")
    states = [_state(plan, duty.key)[0] for duty in DUTIES]
    plan.enter("compliance.met", "Duties met", sum(state is True for state in states), "count", "count of duties met")
    plan.enter("compliance.duties", "Duties", len(DUTIES), "count", "count of duties")


def _state(plan: Plan, key: str) -> tuple[bool | None, tuple[str, ...]]:
    """Whether a duty is met, None while nobody knows, and the figures that tell."""
    if key in plan.settings.checked:
        return True, ()
    if key == "claims" and plan.knows("positioning.forbidden"):
        of = ("positioning.claims", "positioning.forbidden")
        return plan.number("positioning.forbidden") == 0 and plan.knows("positioning.claims"), of
    if key == "price" and plan.knows("price.recommended"):
        # An introductory price is a reduction against nothing, as long as it ends and is not shown as a cut.
        return not plan.knows("price.intro") or plan.knows("price.intro_until"), ("price.recommended",)
    if key == "disclosure" and plan.number("review_plan.seeds") == 0:
        return True, ("review_plan.seeds",)
    return None, ()


SECTION = SectionPlan(
    id="compliance",
    title=Text("Compliance", "合规"),
    gate="G3",
    after=("positioning", "price", "reviews"),
    derive=derive,
    late=True,
    facts=(
        Fact("compliance.claims", Text("check of the claims", "宣传用语核查"), True, MERCHANDISING),
        Fact(
            "compliance.price",
            Text("check of price reductions", "降价规则核查"),
            True,
            MERCHANDISING,
            ("price.recommended",),
        ),
        Fact("compliance.disclosure", Text("check of review disclosure", "评论披露核查"), True, MARKETING),
        Fact("compliance.privacy", Text("privacy check", "隐私核查"), True, LEGAL),
        Fact("compliance.platform", Text("check of platform rules", "平台规则核查"), True, LEGAL),
    ),
    lines=(
        line(
            "{{compliance.met}} of {{compliance.duties}} duties are met; the others wait for whoever answers for them.",
            "{{compliance.duties}}项要求中{{compliance.met}}项已满足，其余待负责人处理。",
        ),
        line(
            "The introductory price ends on {{price.intro_until}}; advertise it as introductory, not as a cut.",
            "新品价{{price.intro_until}}截止，只可称新品价，不可称降价。",
        ),
    ),
    tables=(
        Grid(
            Text("Duties", "合规事项"),
            heads("Duty|事项", "Status|状态", "Answers for it|负责人", "Evidence|依据"),
            tuple((duty.name, same(f"{{{{compliance.{duty.key}}}}}"), duty.owner, duty.evidence) for duty in DUTIES),
            whole=True,
        ),
    ),
)
