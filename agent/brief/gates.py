"""The gates of a launch, and what stands in the way of each: missing bold figures, and findings that must be mended."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

from agent.brief.declare import Text
from agent.brief.missing import missing_in
from agent.brief.plan import Plan
from agent.brief.types import Gate, GateId, GateStatus, Missing

GATES: dict[GateId, Text] = {
    "G0": Text("G0 idea", "G0 创意"),
    "G1": Text("G1 business case", "G1 商业方案"),
    "G2": Text("G2 buy committed", "G2 采购承诺"),
    "G3": Text("G3 launch readiness", "G3 上市准备"),
    "G4": Text("G4 live", "G4 上线"),
    "G5": Text("G5 week-4 review", "G5 第4周复盘"),
    "G6": Text("G6 week-12 review", "G6 第12周复盘"),
}
STATUS: dict[GateStatus, Text] = {
    "ready": Text("ready", "就绪"),
    "blocked": Text("blocked", "受阻"),
    "later": Text("later", "未到"),
}
_WEEKS_AFTER: dict[str, int] = {"G4": 0, "G5": 4, "G6": 12}  # from the launch on


def gates_of(plan: Plan) -> tuple[Gate, ...]:
    """The gates of a linted plan, each with what its own sections lack. One that waits for the launch is `later`."""
    places = {section.id: section.gate for section in plan.sections}
    found = []
    for gate in get_args(GateId):
        missing: dict[str, Missing] = {}
        for section in plan.sections:
            if section.gate == gate:
                for each in missing_in(plan, section):
                    missing.setdefault(each.needs, each)
        rules = tuple(f.rule for f in plan.findings if f.severity != "warning" and places.get(f.section) == gate)
        found.append(
            Gate(
                id=gate,
                status=_status(plan, gate, bool(missing or rules)),
                missing=tuple(missing.values()),
                rules=rules,
            )
        )
    return tuple(found)


def _status(plan: Plan, gate: GateId, is_blocked: bool) -> GateStatus:
    if gate in _WEEKS_AFTER:
        launch = plan.draft.launch_date
        if launch is None or plan.today < launch + timedelta(weeks=_WEEKS_AFTER[gate]):
            return "later"
    return "blocked" if is_blocked else "ready"
