"""What a brief lacks: the bold figures that are unknown, traced back to the one thing somebody has to supply."""

from __future__ import annotations

from collections.abc import Sequence

from agent.brief.declare import Fact, SectionPlan, Text
from agent.brief.plan import Plan
from agent.brief.types import GateId, Missing


def missing_in(plan: Plan, section: SectionPlan) -> tuple[Missing, ...]:
    """The bold figures of a section that are unknown and not waived, one entry per thing to be supplied."""
    waiting: dict[str, list[Fact]] = {}
    for fact in section.facts:
        if fact.bold and not plan.knows(fact.figure) and fact.figure not in plan.settings.waived:
            waiting.setdefault(plan.waits_for(fact.figure), []).append(fact)
    return tuple(
        Missing(figures=tuple(f.figure for f in facts), needs=source, text=_words(plan, source, facts))
        for source, facts in waiting.items()
    )


def missing_at_all(plan: Plan, gates: Sequence[GateId] | None = None) -> tuple[Missing, ...]:
    """What the sections of these gates, or of the whole brief, lack: each thing once, in the order of the sections."""
    found: dict[str, Missing] = {}
    for section in plan.sections:
        if gates is not None and section.gate not in gates:
            continue
        for each in missing_in(plan, section):
            found.setdefault(each.needs, each)
    return tuple(found.values())


def supply_line(plan: Plan, missing: Missing) -> Text:
    """A sentence that names what is missing and who can supply it."""
    fact = plan.fact(missing.needs)
    return Text(
        f"Missing: {fact.name.en}, from {fact.supplier.en}.",
        f"缺少{fact.name.zh}，由{fact.supplier.zh}提供。",
    )


def _words(plan: Plan, source: str, waiting: list[Fact]) -> str:
    supply = plan.fact(source)
    names = [fact.name for fact in waiting if fact.figure != source]
    if plan.locale == "zh":
        given = f"由{supply.supplier.zh}提供"
        if not names:
            return f"{supply.name.zh}（{given}）"
        return f"{'、'.join(name.zh for name in names)}（须先{given}{supply.name.zh}）"
    if not names:
        return f"{supply.name.en}, from {supply.supplier.en}"
    verb = "needs" if len(names) == 1 else "need"
    return f"{', '.join(name.en for name in names)}, which {verb} the {supply.name.en} from {supply.supplier.en}"
