"""Plan, then execute: run the tools a brief needs, compute, decide, write the sentences, check, store."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from graphlib import TopologicalSorter

from langchain_core.language_models import BaseChatModel

from agent.brief.archive import store_brief
from agent.brief.assemble import assemble, plain_sentences, unbacked
from agent.brief.calls import arguments_of
from agent.brief.declare import SectionPlan, Text
from agent.brief.plan import Plan
from agent.brief.prose import Writer
from agent.brief.sections import SECTIONS
from agent.brief.sections.item import enter_item
from agent.brief.types import Brief, BriefSettings, Section
from shop import Draft, Shop, ToolError
from tools.registry import BoundTool

Progress = Callable[[str, int, int], None]
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
    cancelled: Callable[[], bool] | None = None,
) -> Brief:
    """Compile, check and store the launch brief of a draft.

    The figures, the verdict and the plan hash come from tools and rules alone; a model only words the sentences, and
    without one, or where its words do not hold, the plain sentences stand.

    Args:
        tools: Bound tools by name, at least those of `CALLS`.
        shop: The shop the tools are bound to.
        draft: The product being planned; it must be stored, since tools look it up by id.
        model: Words the sentences; None for plain templates.
        settings: Language, owner, thresholds, time for prose.
        budget: Launch spend on top of the first buy, in the shop's currency.
        progress: Told the section at hand, how many steps are done, and how many there are.
        cancelled: Asked before every step.

    Raises:
        ToolError: The shop has no data, a tool is not available to this role, or the brief was cancelled.
    """
    started = time.perf_counter()
    plan = Plan(shop, draft, settings or BriefSettings(), budget, SECTIONS)
    steps = _Steps(2 * len(SECTIONS), progress, cancelled)
    enter_givens(plan)
    for section in in_order(SECTIONS):
        steps.next(section.title.of(plan.locale))
        for tool in section.tools:
            call_tool(tools, tool, plan)
        section.derive(plan)
    hashed = plan_hash(plan)
    plan.enter("decision.plan_hash", "Plan hash", hashed[:12], "text", "SHA-256 of inputs, figures and verdict")
    writer = None if model is None else Writer(model, plan.settings.prose_seconds)
    words, notes = _write(plan, writer, steps)
    sections = tuple(assemble(section, plan, words.get(section.id, "")) for section in SECTIONS)
    return store_brief(shop, _brief(plan, hashed, sections, notes, writer, time.perf_counter() - started))


def in_order(sections: tuple[SectionPlan, ...]) -> list[SectionPlan]:
    """Sections such that each comes after those whose figures it uses."""
    by_id = {section.id: section for section in sections}
    order = TopologicalSorter({section.id: section.after for section in sections}).static_order()
    return [by_id[section_id] for section_id in order]


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

    def next(self, name: str) -> None:
        if self._cancelled is not None and self._cancelled():
            raise Cancelled("The brief was cancelled and nothing was stored; start it again when you are ready.")
        if self._progress is not None:
            self._progress(name, self._done, self._total)
        self._done += 1


def enter_givens(plan: Plan) -> None:
    """Enter what no tool computes: the draft, the cut-off, the settings."""
    enter_item(plan)
    plan.enter("decision.data_cutoff", "Data up to", plan.cutoff, "date", "last day whose sales are visible")
    plan.enter("rule.min_analogues", "Analogues asked for", plan.settings.min_analogues, "count", "setting")


def call_tool(tools: Mapping[str, BoundTool], tool: str, plan: Plan) -> None:
    """Run a tool once; if it cannot answer, its sentence becomes a text figure, since it may hold digits."""
    if tool not in tools:
        raise ToolError(f"A brief needs {tool}, which this role may not call; ask a manager to write it.")
    if tool in plan.refusals or any(result.tool == tool for result in plan.ledger.results):
        return
    try:
        plan.ledger.add(tools[tool](**arguments_of(tools[tool].tool, plan)))
    except ToolError as error:
        plan.refusals[tool] = f"note.{tool}"
        plan.enter(f"note.{tool}", f"Why {tool} has no answer", str(error), "text", "the tool's own sentence")


def _write(plan: Plan, writer: Writer | None, steps: _Steps) -> tuple[dict[str, str], tuple[str, ...]]:
    """The model's sentences by section, where they hold, and notes for the reader; a model that fails is let go."""
    words: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    for section in plan.sections:
        steps.next(section.title.of(plan.locale))
        if writer is not None and section.prose and not notes:
            try:
                words[section.id] = writer.write(section, plan, plain_sentences(section, plan))
            except ToolError:
                notes = (NO_MODEL.of(plan.locale),)
                words.clear()
    plain = PLAIN.of(plan.locale)
    authors = f"{writer.name}, {plain}" if writer is not None and any(words.values()) else plain
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
        figures=dict(plan.ledger),
        unbacked=tuple(unbacked(sections, [finding.text for finding in plan.findings], notes)),
        findings=plan.findings,
        notes=notes,
        calls=tuple(
            {"tool": r.tool, "call": r.call, "inputs": r.inputs, "seconds": r.seconds} for r in plan.ledger.results
        ),
        model=writer.name if writer is not None and any(s.written_by == "model" for s in sections) else "",
        seconds=round(seconds, 2),
    )
