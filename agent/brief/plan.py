"""The state of one brief while it is compiled: the draft, the ledger, and how figures are computed from figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

from agent.brief.declare import Fact, Line, SectionPlan, Text
from agent.brief.types import BriefSettings, Finding, Gate, Verdict
from agent.ledger import Ledger, placeholders, split_placeholder
from shop import Draft, Figure, Rows, Shop
from shop.types import Unit

HORIZON_WEEKS = 12
T = TypeVar("T")


@dataclass
class Plan:
    """A brief in the making.

    Attributes:
        shop, draft, settings, budget: What the brief is compiled from; `budget` is launch spend on top of the buy.
        sections: The declarations being compiled.
        ledger: Every figure so far.
        settled: Ids of the calls made so far, by key; empty where the tool refused.
        refused: Calls that had no answer: tool, version, inputs, and why.
        refusals: Why a tool could not answer, as the id of a text figure, by key of the call.
        derived: Ids of the sections whose figures are there.
        kept: What sections have read from the shop, by name; what-ifs about one brief share it.
        findings, gates, verdict, reasons: Set when the decision is derived.
    """

    shop: Shop
    draft: Draft
    settings: BriefSettings
    budget: float | None
    sections: tuple[SectionPlan, ...]
    ledger: Ledger = field(default_factory=Ledger)
    settled: dict[str, str] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    derived: set[str] = field(default_factory=set)
    kept: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    gates: tuple[Gate, ...] = ()
    verdict: Verdict = "conditional"
    reasons: tuple[Line, ...] = ()

    @cached_property
    def cutoff(self) -> date:
        """Last day whose sales are visible, asked for once: the shop looks it up every time."""
        return self.shop.cutoff

    @cached_property
    def today(self) -> date:
        return self.shop.today

    @cached_property
    def currency(self) -> str:
        return self.shop.currency

    @property
    def locale(self) -> str:
        return self.settings.locale

    def once(self, name: str, read: Callable[[], T]) -> T:
        """What a section reads from the shop under a name, read when it is first asked for."""
        if name not in self.kept:
            self.kept[name] = read()
        found: T = self.kept[name]
        return found

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
        self,
        figure_id: str,
        label: str,
        value: object,
        unit: Unit,
        formula: str,
        reason: str = "not given",
        of: Sequence[str] = (),
        rows: Rows | None = None,
        untrusted: bool = False,
    ) -> None:
        """Enter a value that comes from the draft, the settings or stored rows; an empty one is unknown.

        Args:
            figure_id, label, value, unit, formula: Of the figure.
            reason: Why there is no value, where there is none.
            of: Ids of figures it follows from; those that are not in the ledger are left out.
            rows: The stored rows it was read from.
            untrusted: Whether others wrote it.
        """
        known = None if value == "" else value
        self.ledger.derive(
            figure_id,
            label,
            known,  # type: ignore[arg-type]
            unit,
            formula,
            tuple(name for name in of if name in self.ledger),
            reason="" if known is not None else reason,
            currency=self.currency,
            as_of=self.cutoff,
            rows=rows,
            untrusted=untrusted,
        )

    def say(self, figure_id: str, label: str, words: Text, of: Sequence[str] = (), formula: str = "rule") -> None:
        """Enter words in the brief's language as a text figure."""
        self.enter(figure_id, label, words.of(self.locale), "text", formula, of=of)

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
