"""What a launch brief is once it is compiled: sections of templates, the figures they name, a verdict, findings."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field

from shop import Draft, Figure
from shop.types import Chart, Frozen, Table

Verdict = Literal["go", "conditional", "no-go"]
Status = Literal["complete", "incomplete", "unknown"]
Author = Literal["model", "template"]
Severity = Literal["stop", "error", "warning"]


class BriefSettings(Frozen):
    """What a shop may set about its briefs. Shares are fractions; None leaves a tool's own default in force."""

    locale: Literal["en", "zh"] = "en"
    owner: str = ""
    strategy: Literal["cost", "market", "competition", "value", "profit"] | None = None
    min_margin: float | None = Field(None, ge=0, lt=1)
    lead_time_days: int | None = Field(None, ge=1)
    service_level: float | None = Field(None, ge=0.5, le=0.999)
    min_analogues: int = Field(5, ge=1)
    min_base_rate: float = Field(0.25, ge=0, le=1)
    prose_seconds: float = Field(4.0, ge=0)  # time for a model's words per section; then the plain sentences stand


class Missing(Frozen):
    """Bold figures that are not known, what they wait for, and who can supply that."""

    figures: tuple[str, ...]
    needs: str
    text: str


class Finding(Frozen):
    """What the linter found across sections; `text` is a template."""

    rule: str
    severity: Severity
    section: str
    text: str


class Section(Frozen):
    """One section as templates. `complete` means every bold figure is known; `unknown` means none of them is."""

    id: str
    title: str
    status: Status
    text: str
    bullets: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    figures: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    written_by: Author = "template"

    @property
    def template(self) -> str:
        """The sentences and the bullets below them, as one template."""
        return "\n\n".join(part for part in (self.text, "\n".join(f"- {b}" for b in self.bullets)) if part)


class Brief(Frozen):
    """A launch brief: what was decided, from which figures, on data up to which day. It never changes once stored."""

    id: str
    plan_hash: str
    data_cutoff: date
    created_on: date
    verdict: Verdict
    subject: Draft
    budget: float | None = None
    settings: BriefSettings
    sections: tuple[Section, ...]
    figures: dict[str, Figure]
    unbacked: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    calls: tuple[dict[str, Any], ...] = ()
    model: str = ""  # that wrote any of the sentences
    seconds: float = 0.0

    @property
    def locale(self) -> str:
        return self.settings.locale

    def section(self, section_id: str) -> Section:
        """The section with this id; `KeyError` if the brief has none."""
        for section in self.sections:
            if section.id == section_id:
                return section
        raise KeyError(section_id)
