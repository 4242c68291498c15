"""The state of one brief while it is compiled: the draft, the ledger, and how figures are computed from figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from agent.brief.declare import Fact, Line, SectionPlan
from agent.brief.types import BriefSettings, Finding, Verdict
from agent.ledger import Ledger, placeholders, split_placeholder
from shop import Draft, Figure, Shop
from shop.types import Unit

HORIZON_WEEKS = 12


@dataclass
class Plan:
    """A brief in the making.

    Attributes:
        shop, draft, settings, budget: What the brief is compiled from; `budget` is launch spend on top of the buy.
        sections: The declarations being compiled.
        ledger: Every figure so far.
        refusals: Why a tool could not answer, as the id of a text figure, by tool name.
        findings, verdict, reasons: Set when the decision is derived.
    """

    shop: Shop
    draft: Draft
    settings: BriefSettings
    budget: float | None
    sections: tuple[SectionPlan, ...]
    ledger: Ledger = field(default_factory=Ledger)
    refusals: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    verdict: Verdict = "conditional"
    reasons: tuple[Line, ...] = ()

    @cached_property
    def cutoff(self) -> date:
        """Last day whose sales are visible, asked for once: the shop looks it up every time."""
        return self.shop.cutoff

    @cached_property
    def currency(self) -> str:
        return self.shop.currency

    @property
    def locale(self) -> str:
        return self.settings.locale

    def figure(self, name: str) -> Figure | None:
        """The figure, or None if it is not in the ledger or its value is unknown."""
        found = self.ledger.get(name)
        return found if found is not None and found.value is not None else None

    def knows(self, *names: str) -> bool:
        """Whether each of these figures is known; with `.low` or `.high`, whether that bound is."""
        for name in names:
            stem, part = split_placeholder(name)
            found = self.figure(stem)
            if found is None or (part and getattr(found, part) is None):
                return False
        return True

    def number(self, name: str) -> float | None:
        """The value, or with `.low` or `.high` the bound, of a figure that is a number; None if unknown."""
        stem, part = split_placeholder(name)
        found = self.figure(stem)
        value = None if found is None else getattr(found, part) if part else found.value
        return float(value) if isinstance(value, int | float) else None

    def numbers(self, pattern: str, width: int = 2) -> list[float]:
        """The values of a numbered run of figures, `#` counting from one, up to the first that is unknown."""
        return list(self._run(pattern, width))

    def says(self, line: Line) -> bool:
        """Whether a plain sentence is printed: its figures are known and its condition holds."""
        return self.knows(*placeholders(line.text.of(self.locale))) and line.when(self)

    def enter(
        self, figure_id: str, label: str, value: object, unit: Unit, formula: str, reason: str = "not given"
    ) -> None:
        """Enter a value that comes from the draft or the settings; an empty one is unknown, because `reason`."""
        known = None if value == "" else value
        self.ledger.derive(
            figure_id,
            label,
            known,  # type: ignore[arg-type]
            unit,
            formula,
            reason="" if known is not None else reason,
            currency=self.currency,
            as_of=self.cutoff,
        )

    def derive(
        self,
        figure_id: str,
        label: str,
        unit: Unit,
        of: Sequence[str],
        formula: str,
        compute: Callable[..., float | None],
        reason: str = "",
    ) -> None:
        """Enter a figure computed from others.

        The first source carries the interval: its bounds, if it has both, go through `compute` as well.

        Args:
            figure_id, label, unit: Of the new figure.
            of: Ids of the sources. If one is unknown, so is the new figure, and it says which one it waits for.
            formula: The computation in words.
            compute: Takes the sources' values in order; None means that there is no such value, because `reason`.
            reason: See `compute`.
        """
        present = tuple(name for name in of if name in self.ledger)
        absent = [name for name in of if self.number(name) is None]
        if absent:
            labels = ", ".join(self.ledger[name].label if name in self.ledger else name for name in absent)
            self.ledger.derive(figure_id, label, None, unit, formula, present, reason=f"needs {labels}")
            return
        first, *rest = (self._known(name) for name in of)
        value = compute(first, *rest)
        bounds = [
            None if bound is None else compute(bound, *rest)
            for bound in (self.number(f"{of[0]}.low"), self.number(f"{of[0]}.high"))
        ]
        low, high = sorted(b for b in bounds if b is not None) if None not in bounds else (None, None)
        self.ledger.derive(
            figure_id,
            label,
            value,
            unit,
            formula,
            present,
            reason=reason if value is None else "",
            low=low if value is not None else None,
            high=high if value is not None else None,
        )

    def fact(self, name: str) -> Fact:
        """The declaration of a figure by the first section that speaks of it; `KeyError` if none does."""
        for section in self.sections:
            for fact in section.facts:
                if fact.figure == name:
                    return fact
        raise KeyError(name)

    def waits_for(self, name: str) -> str:
        """The innermost unknown figure that an unknown figure waits for; itself if it waits for none."""
        unknown = [source for source in self.fact(name).needs if not self.knows(source)]
        return self.waits_for(unknown[0]) if unknown else name

    def _known(self, name: str) -> float:
        value = self.number(name)
        assert value is not None
        return value

    def _run(self, pattern: str, width: int) -> Iterator[float]:
        n = 1
        while (value := self.number(pattern.replace("#", f"{n:0{width}d}"))) is not None:
            yield value
            n += 1
