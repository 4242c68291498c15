"""Plan, then execute: run the tools a brief needs, compute, decide, write the sentences, check, store."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping

from langchain_core.language_models import BaseChatModel

from agent.brief.archive import store_compiled
from agent.brief.assemble import assemble, plain_sentences, unbacked
from agent.brief.declare import SectionPlan, Text
from agent.brief.memory import Steps, at_once, remembering
from agent.brief.overrides import enter_overrides, entering, inputs_by_hand
from agent.brief.plan import Plan
from agent.brief.prose import Writer
from agent.brief.rules import enter_thresholds
from agent.brief.run import run, workers_for
from agent.brief.sections import SECTIONS
from agent.brief.sections.item import enter_item
from agent.brief.types import Brief, BriefSettings, Section
from agent.ledger import Ledger
from shop import Draft, Figure, Shop, ToolError
from shop.brief_log import overrides_of
from tools.registry import BoundTool

Progress = Callable[[str, int, int], None]
Finished = Callable[[Section, Mapping[str, Figure]], None]
PLAIN = Text("plain templates", "固定模板")
NO_MODEL = Text(
    "The language model could not be used, so every sentence is a plain template; the figures are the same.",
    "语言模型不可用，文字均取自固定模板，数值不受影响。",
)


class Cancelled(ToolError):
    """The brief was called off; nothing was stored."""


def compile_brief(
    tools: Mapping[str, BoundTool],
    shop: Shop,
    draft: Draft,
    model: BaseChatModel | None = None,
    settings: BriefSettings | None = None,
    *,
    budget: float | None = None,
    progress: Progress | None = None,
    finished: Finished | None = None,
    cancelled: Callable[[], bool] | None = None,
    store: bool = True,
) -> Brief:
    """Compile, check and store the launch brief of a draft.

    The figures, the verdict and the plan hash come from tools and rules alone; a model only words the sentences, and
    without one, or where its words do not hold, the plain sentences stand.

    Args:
        tools: Bound tools by name. Without the ones that decide there is no brief; another that is absent leaves its
            section without figures.
        shop: The shop the tools are bound to.
        draft: The product being planned; it must be stored, since tools look it up by id. Fields that differ from the
            stored ones hold for this brief.
        model: Words the sentences; None for plain templates.
        settings: Language, owner, thresholds, time for prose.
        budget: Launch spend on top of the first buy, in the shop's currency.
        progress: Told the section at hand, how many steps are done, and how many there are.
        finished: Given each section in plain sentences as soon as its figures are there, with all figures so far.
        cancelled: Asked before every step, and while a tool runs.
        store: Whether the brief, and its steps until then, are kept; a brief that is only looked at has no id.

    Raises:
        ToolError: The shop has no data, a tool is not available to this role, or the brief was cancelled.

    Every tool call and every section's words are kept until the brief is stored: a run that was killed, started again
    on the same draft and data, makes none of them twice. A run that comes to what the latest version says stores
    nothing, and returns that version.
    """
    started = time.perf_counter()
    overrides = overrides_of(shop, draft.id)
    draft, settings, budget = inputs_by_hand(draft, settings or BriefSettings(), budget, overrides)
    plan = Plan(shop, draft, settings, budget, SECTIONS, Ledger(entering(overrides)))
    steps = _Steps(2 * len(SECTIONS), progress, cancelled)
    enter_givens(plan)
    memory = Steps(shop, draft) if store else None
    planned = as_planned(tools, shop, draft)
    _fill(plan, planned if memory is None else remembering(planned, memory), steps, finished)
    hashed = plan_hash(plan)
    plan.enter("decision.plan_hash", "Plan hash", hashed[:12], "text", "SHA-256 of inputs, figures and verdict")
    enter_overrides(plan, overrides)
    writer = None if model is None else Writer(model, plan.settings.prose_seconds)
    words, notes = _write(plan, writer, memory, steps)
    sections = tuple(assemble(section, plan, words.get(section.id, "")) for section in SECTIONS)
    brief = _brief(plan, hashed, sections, notes, writer, time.perf_counter() - started)
    brief = brief.model_copy(update={"overrides": tuple(overrides.values())})
    return brief if memory is None else store_compiled(shop, brief, memory)


def _fill(plan: Plan, tools: Mapping[str, BoundTool], steps: _Steps, finished: Finished | None) -> None:
    """Make the calls and derive the figures, telling whoever listens."""

    def hand_over(section: SectionPlan) -> None:
        if finished is not None:
            finished(assemble(section, plan), plan.ledger)

    run(
        plan,
        tools,
        workers=workers_for(plan.shop),
        before=lambda section: steps.next(section.title.of(plan.locale)),
        after=hand_over,
        go_on=steps.check,
    )


def to_word(tools: Mapping[str, BoundTool], shop: Shop, draft: Draft, settings: BriefSettings) -> Plan:
    """The plan of a draft's sections that a model words, and of those they stand on, with all figures and no words."""
    wanted = {section.id for section in SECTIONS if section.prose}
    while more := {name for section in SECTIONS if section.id in wanted for name in section.after} - wanted:
        wanted |= more
    sections = tuple(section for section in SECTIONS if section.id in wanted)
    plan = Plan(shop, draft, settings, None, sections, Ledger())
    enter_givens(plan)
    run(plan, as_planned(tools, shop, draft), workers=workers_for(shop))
    return plan


def as_planned(tools: Mapping[str, BoundTool], shop: Shop, draft: Draft) -> dict[str, BoundTool]:
    """The tools on a shop in which the draft has the fields it is planned with."""
    if shop.draft(draft.id) == draft:
        return dict(tools)
    return {name: BoundTool(bound.tool, bound.shop.planning(draft)) for name, bound in tools.items()}


def plan_hash(plan: Plan) -> str:
    """SHA-256 over what the plan is: the draft's content, the settings and every figure with its bounds.

    The draft's id and texts that depend on the language are left out: the same plan has the same hash.
    """
    figures = {
        name: [figure.model_dump(mode="json")[part] for part in ("value", "low", "high", "unit", "as_of")]
        for name, figure in sorted(plan.ledger.items())
        if figure.tool != "ledger" or figure.unit != "text"
    }
    material = {
        "draft": plan.draft.model_dump(mode="json", exclude={"id"}),
        "settings": plan.settings.model_dump(mode="json", exclude={"locale", "prose_seconds"}),
        "budget": plan.budget,
        "verdict": plan.verdict,
        "figures": figures,
    }
    return hashlib.sha256(json.dumps(material, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class _Steps:
    """Tells who listens how far the brief is, and stops it when asked to."""

    def __init__(self, total: int, progress: Progress | None, cancelled: Callable[[], bool] | None) -> None:
        self._total, self._progress, self._cancelled, self._done = total, progress, cancelled, 0

    def check(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise Cancelled("The brief was cancelled and nothing was stored; start it again when you are ready.")

    def next(self, name: str) -> None:
        self.check()
        if self._progress is not None:
            self._progress(name, self._done, self._total)
        self._done += 1


def enter_givens(plan: Plan) -> None:
    """Enter what no tool computes: the draft, the cut-off, the settings."""
    enter_item(plan)
    plan.enter("decision.data_cutoff", "Data up to", plan.cutoff, "date", "last day whose sales are visible")
    enter_thresholds(plan)


def _write(
    plan: Plan, writer: Writer | None, memory: Steps | None, steps: _Steps
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The model's sentences by section, where they hold, and notes for the reader; a model that fails is let go."""
    words: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    for section in plan.sections:
        steps.next(section.title.of(plan.locale))
        if writer is not None and section.prose and not notes:
            plain = plain_sentences(section, plan)
            try:
                words[section.id] = writer.write_once(section, plan, plain, at_once if memory is None else memory.words)
            except ToolError:
                notes = (NO_MODEL.of(plan.locale),)
                words.clear()
    nobody = PLAIN.of(plan.locale)
    authors = f"{writer.name}, {nobody}" if writer is not None and any(words.values()) else nobody
    plan.enter("evidence.words", "Words by", authors, "text", "who wrote the sentences")
    return words, notes


def _brief(
    plan: Plan,
    hashed: str,
    sections: tuple[Section, ...],
    notes: tuple[str, ...],
    writer: Writer | None,
    seconds: float,
) -> Brief:
    return Brief(
        id="",
        plan_hash=hashed,
        data_cutoff=plan.cutoff,
        created_on=plan.shop.today,
        verdict=plan.verdict,
        subject=plan.draft,
        budget=plan.budget,
        settings=plan.settings,
        sections=sections,
        gates=plan.gates,
        figures=dict(plan.ledger),
        unbacked=tuple(unbacked(sections, [finding.text for finding in plan.findings], notes)),
        findings=plan.findings,
        notes=notes,
        calls=tuple(
            {
                "tool": r.tool,
                "call": r.call,
                "version": r.figures[0].version if r.figures else "",
                "inputs": r.inputs,
                "seconds": r.seconds,
                "tables": [table.model_dump(mode="json") for table in r.tables],
                "warnings": list(r.warnings),
            }
            for r in plan.ledger.results
        ),
        refused=tuple(plan.refused),
        model=writer.name if writer is not None and any(s.written_by == "model" for s in sections) else "",
        versions={"data": plan.shop.fingerprint, **{f.tool: f.version for f in plan.ledger.values() if f.version}},
        seconds=round(seconds, 2),
    )
