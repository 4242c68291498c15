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
        line("Nobody has signed this version yet.", "本版本尚无人签核。"),
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
