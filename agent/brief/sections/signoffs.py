"""Sign-offs: which gates are open, which are blocked and by what, and who has to sign."""

from __future__ import annotations

from agent.brief.declare import (
    FINANCE,
    LEGAL,
    MARKETING,
    MERCHANDISING,
    SERVICE,
    SUPPLY,
    Grid,
    SectionPlan,
    Text,
    heads,
    line,
    same,
)
from agent.brief.gates import GATES, STATUS
from agent.brief.overrides import BY_HAND
from agent.brief.overrides import GRID as OVERRIDES
from agent.brief.plan import Plan

ROLES = {
    "merchandising": MERCHANDISING,
    "supply": SUPPLY,
    "finance": FINANCE,
    "marketing": MARKETING,
    "service": SERVICE,
    "legal": LEGAL,
}


def derive(plan: Plan) -> None:
    for gate in plan.gates:
        stem = f"gate.{gate.id.lower()}"
        plan.say(f"{stem}_name", "Gate", GATES[gate.id], formula="gates of a launch")
        plan.say(stem, "Status", STATUS[gate.status], formula="missing bold figures and findings of its sections")
        names = [plan.fact(each.needs).name.of(plan.locale) for each in gate.missing]
        said = ("、" if plan.locale == "zh" else ", ").join(dict.fromkeys(names))
        plan.enter(f"{stem}_missing", "Waits for", said, "text", "what is missing", "nothing is missing")
        plan.enter(f"{stem}_findings", "Findings that block it", len(gate.rules), "count", "count of findings")
    for role in ROLES:
        person = plan.settings.owners.get(role, "")
        plan.enter(f"signoff.{role}_person", "Person", person, "text", "as set for this brief", "nobody is named")
        reason = "this version has not been signed"
        plan.enter(f"signoff.{role}", "Signed", None, "date", "day of the signature", reason)
    _derive_standing(plan)


def _derive_standing(plan: Plan) -> None:
    """How far the way to the signatures is cleared: gates in the way, who is to sign, what was set by hand."""
    between = "、" if plan.locale == "zh" else ", "
    blocked = [GATES[gate.id].of(plan.locale) for gate in plan.gates if gate.status == "blocked"]
    said = between.join(blocked)
    plan.enter("signoff.blocked", "Blocked gates", said, "text", "gates that are blocked", "no gate is blocked")
    open_ones = [name.of(plan.locale) for role, name in ROLES.items() if not plan.settings.owners.get(role)]
    named = len(ROLES) - len(open_ones)
    plan.enter("signoff.offices", "Offices that sign", len(ROLES), "count", "count of offices")
    plan.enter("signoff.named", "Offices with a person named", named, "count", "as set for this brief")
    said = between.join(open_ones)
    plan.enter("signoff.unnamed", "Offices without a person", said, "text", "as set for this brief", "each has one")
    by_hand = sum(BY_HAND in figure.inputs for figure in plan.ledger.values())
    plan.enter("signoff.by_hand", "Figures set by hand", by_hand, "count", "count of figures set by hand")


SECTION = SectionPlan(
    id="signoffs",
    title=Text("Sign-offs", "签核"),
    gate="G2",
    after=("decision", "evidence"),
    derive=derive,
    late=True,
    lines=(
        line(
            "{{gate.g1_name}}: {{gate.g1}}. {{gate.g2_name}}: {{gate.g2}}. {{gate.g3_name}}: {{gate.g3}}.",
            "{{gate.g1_name}}：{{gate.g1}}；{{gate.g2_name}}：{{gate.g2}}；{{gate.g3_name}}：{{gate.g3}}。",
        ),
        line(
            "In the way of the signatures: {{signoff.blocked}}; what each waits for stands below.",
            "签核前尚受阻：{{signoff.blocked}}；所缺事项见下表。",
        ),
        line(
            "No gate is blocked, so it can be signed.",
            "各关口均未受阻，可以签核。",
            when=lambda plan: not plan.knows("signoff.blocked"),
        ),
        line(
            "{{signoff.named}} of {{signoff.offices}} offices have a person named to sign; nobody is named for "
            "{{signoff.unnamed}}.",
            "{{signoff.offices}}个签核方中{{signoff.named}}个已指定签核人，未指定：{{signoff.unnamed}}。",
        ),
        line(
            "All {{signoff.offices}} offices have a person named to sign.",
            "{{signoff.offices}}个签核方均已指定签核人。",
            when=lambda plan: not plan.knows("signoff.unnamed"),
        ),
        line(
            "{{signoff.by_hand}} of its figures are set by hand; whoever signs, signs for those as well.",
            "其中{{signoff.by_hand}}项数值为人工设定，签核时一并确认。",
            when=lambda plan: (plan.number("signoff.by_hand") or 0) > 0,
        ),
    ),
    tables=(
        Grid(
            Text("Gates", "关口"),
            heads("Gate|关口", "Status|状态", "Waits for|等待", "Findings|待改"),
            tuple(
                tuple(same(f"{{{{gate.{gate.lower()}{part}}}}}") for part in ("_name", "", "_missing", "_findings"))
                for gate in GATES
            ),
        ),
        Grid(
            Text("Signatures", "签名"),
            heads("Role|角色", "Person|姓名", "Signed|签核日"),
            tuple(
                (name, same(f"{{{{signoff.{role}_person}}}}"), same(f"{{{{signoff.{role}}}}}"))
                for role, name in ROLES.items()
            ),
        ),
        OVERRIDES,
    ),
)
