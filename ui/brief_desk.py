"""What the brief's page asks for: a brief in the reader's language, what-if, another version, a file; no layout."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose
from threading import Lock

from agent.brief import load_brief
from agent.brief.assemble import assemble
from agent.brief.compile import Finished, Progress, compile_brief
from agent.brief.edit import redo
from agent.brief.flips import Flip
from agent.brief.sections import SECTIONS
from agent.brief.types import Brief
from agent.brief.whatif import Answer, Changed, Inputs, WhatIf, with_inputs
from shop import Draft, Shop
from tools.registry import BoundTool
from ui.house import brief_settings
from ui.levers import inputs_of
from ui.strings import Locale
from ui.wiring import Desk

KEPT = ("decision.plan_hash", "evidence.words")  # of the stored document: a what-if makes none
MOST_OPEN = 16  # briefs whose what-if is kept at hand; the one untouched for longest is forgotten first


@dataclass(frozen=True)
class Preview:
    """A brief with other inputs, as it would read; nothing of it is stored."""

    brief: Brief
    changed: Mapping[str, Changed]
    seconds: float


class BriefDesk:
    """Briefs as the page needs them. One serves all visitors: what it keeps belongs to briefs, not to persons.

    Args:
        desk: Whose tools and model write them.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._asked: OrderedDict[str, tuple[WhatIf, Lock]] = OrderedDict()
        self._lock = Lock()

    def open(self, shop: Shop, brief_id: str, locale: Locale) -> Brief:
        """A stored brief in the reader's language, where its plan can be put into it; else as it was written.

        Raises:
            ToolError: There is no such brief.
        """
        brief = load_brief(shop, brief_id)
        if brief.locale == locale:
            return brief
        spoken = brief.model_copy(update={"settings": brief.settings.model_copy(update={"locale": locale})})
        answer = WhatIf(self._tools(shop), shop, spoken).ask(Inputs())
        # Texts are said anew in the other language; a figure that differs would make it another plan.
        return brief if any(map(_differs, answer.changed)) else _read_as(spoken, answer)

    def what_if(self, shop: Shop, brief: Brief, moved: Mapping[str, float]) -> Preview:
        """The brief with some levers moved.

        Raises:
            ToolError: An input makes no sense.
        """
        asked, lock = self._what_if(shop, brief)
        with lock:
            answer = asked.ask(inputs_of(brief, moved))
        return Preview(_read_as(brief, answer), {each.figure: each for each in answer.changed}, answer.seconds)

    def flips(self, shop: Shop, brief: Brief) -> tuple[Flip, ...]:
        """What would turn the verdict, the nearest first."""
        asked, lock = self._what_if(shop, brief)
        with lock:
            return asked.flips()

    def write(
        self,
        shop: Shop,
        draft: Draft,
        locale: Locale,
        progress: Progress | None = None,
        finished: Finished | None = None,
        like: Brief | None = None,
    ) -> Brief:
        """Write and store a brief; with the settings and the budget of an earlier one, where there is one."""
        settings = (like.settings if like else brief_settings(shop)).model_copy(update={"locale": locale})
        budget = like.budget if like else None
        model = self._desk.model_or_none()
        return compile_brief(
            self._tools(shop), shop, draft, model, settings, budget=budget, progress=progress, finished=finished
        )

    def keep(self, shop: Shop, brief: Brief, moved: Mapping[str, float], progress: Progress | None = None) -> Brief:
        """Store what a what-if shows as the next version.

        Raises:
            ToolError: An input makes no sense.
        """
        inputs = inputs_of(brief, moved)
        draft, settings, budget = with_inputs(brief, inputs)
        return compile_brief(self._tools(shop), shop, draft, None, settings, budget=budget, progress=progress)

    def redo(self, shop: Shop, brief: Brief, section_id: str) -> Brief:
        """Store the brief with one section made anew.

        Raises:
            ToolError: The shop's data give other figures by now.
        """
        return redo(shop, self._tools(shop), brief, section_id, self._desk.model_or_none())

    def _tools(self, shop: Shop) -> dict[str, BoundTool]:
        """The tools a brief is made with, in the hands of whoever acts."""
        return self._desk.acting_as(shop.acting).tools

    def _what_if(self, shop: Shop, brief: Brief) -> tuple[WhatIf, Lock]:
        key = f"{brief.id}/{brief.locale}/{shop.fingerprint}"
        with self._lock:
            found = self._asked.pop(key, None) or (WhatIf(self._tools(shop), shop, brief), Lock())
            self._asked[key] = found
            while len(self._asked) > MOST_OPEN:
                self._asked.popitem(last=False)
            return found


def _differs(change: Changed) -> bool:
    """Whether a figure of the stored brief has another value by now; the last bits of a sum are none."""
    was, now = change.before, change.after
    if was is None or was.unit == "text":
        return False
    if now is None or not isinstance(was.value, int | float) or not isinstance(now.value, int | float):
        return now is None or was.value != now.value
    return not isclose(was.value, now.value, rel_tol=1e-9)


def _read_as(brief: Brief, answer: Answer) -> Brief:
    """The brief as it would read with a what-if's figures; a model's or a person's words stay where they hold."""
    plan = answer.plan
    written = {section.id: section for section in brief.sections if section.written_by != "template"}
    words = {name: section.text for name, section in written.items() if not plan.ledger.missing(section.text)}
    sections = []
    for declared in SECTIONS:
        section = assemble(declared, plan, words.get(declared.id, ""))
        by = written[declared.id].written_by if declared.id in words else "template"
        sections.append(section.model_copy(update={"written_by": by}))
    return brief.model_copy(
        update={
            "verdict": plan.verdict,
            "subject": plan.draft,
            "settings": plan.settings,
            "budget": plan.budget,
            "sections": tuple(sections),
            "figures": {**plan.ledger, **{name: brief.figures[name] for name in KEPT if name in brief.figures}},
            "findings": plan.findings,
            "gates": plan.gates,
        }
    )
