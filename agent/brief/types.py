"""What a launch brief is once it is compiled: sections of templates, the figures they name, a verdict, findings."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field

from shop import Draft, Figure
from shop.brief_log import Override
from shop.types import Chart, Frozen, Table

Verdict = Literal["go", "conditional", "no-go"]
Status = Literal["complete", "incomplete", "unknown"]
Author = Literal["model", "template", "person"]
Severity = Literal["stop", "error", "warning"]
GateId = Literal["G0", "G1", "G2", "G3", "G4", "G5", "G6"]
GateStatus = Literal["ready", "blocked", "later"]


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
    waived: tuple[str, ...] = ()  # bold figures that this shop does without: they block no gate

    # what no tool can know: left open, it is unknown and the brief says who can supply it
    promotion_depth: float | None = Field(None, gt=0, lt=1)  # share off the price; None takes the tool's best cut
    first_buy: int | None = Field(None, ge=0)  # units; None takes the tool's first buy
    payment_fee: float | None = Field(None, ge=0, lt=1)  # share of the price that payment costs
    delivery_cost: float | None = Field(None, ge=0)  # money per unit
    channel_fees: dict[str, float] = Field(default_factory=dict)  # share of the price, by sales channel
    seed_units: int | None = Field(None, ge=0)  # units given away for first reviews
    contacts_per_order: float | None = Field(None, ge=0)  # service contacts an order brings
    frequency_cap: int | None = Field(None, ge=1)  # messages a customer gets in a week, at most
    checked: tuple[str, ...] = ()  # what a person has checked: privacy, platform, disclosure
    owners: dict[str, str] = Field(default_factory=dict)  # person by role: supply, finance, marketing, service, legal

    # starting points where the shop has none of its own
    plan_low: float = Field(0.75, gt=0, lt=1)  # share of plan under which a launch is revised
    plan_high: float = Field(1.25, gt=1)  # share of plan over which it is
    markdown_week: int = Field(6, ge=1)  # first look at sell-through
    markdown_sell_through: float = Field(0.4, gt=0, lt=1)  # under which the first markdown is due then
    deeper_week: int = Field(10, ge=1)  # second look

    # thresholds of the rules that cross sections
    max_data_age_days: int = Field(28, ge=1)  # between the cut-off and the day of the brief
    min_completeness: float = Field(0.8, ge=0, le=1)  # share of the master-data fields that are filled
    max_interval_ratio: float = Field(6.0, gt=1)  # P90 units over P10 units
    max_promotion_depth: float = Field(0.5, gt=0, lt=1)  # share off the price
    min_readiness: int = Field(70, ge=0, le=100)  # score of the retail readiness
    min_holdout: float = Field(0.05, ge=0, le=1)  # share of an audience left out at random
    max_cannibalised: float = Field(0.5, ge=0)  # units taken from own products for each unit of the launch
    cash_limit: float | None = Field(None, gt=0)  # money that the launch may put at risk; None sets no limit


class Missing(Frozen):
    """Bold figures that are not known, what they wait for, and who can supply that."""

    figures: tuple[str, ...]
    needs: str
    text: str


class Finding(Frozen):
    """What the linter found across sections: what is wrong (a template), where, and what to do about it."""

    rule: str
    severity: Severity
    section: str
    text: str
    mend: str = ""


class Gate(Frozen):
    """A gate of the launch: what stands in its way. `later` ones are judged once the product is on sale."""

    id: GateId
    status: GateStatus
    missing: tuple[Missing, ...] = ()
    rules: tuple[str, ...] = ()  # of findings that block it


class Section(Frozen):
    """One section as templates. `complete` means every bold figure is known; `unknown` means none of them is."""

    id: str
    title: str
    gate: GateId = "G1"
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
    gates: tuple[Gate, ...] = ()
    figures: dict[str, Figure]
    overrides: tuple[Override, ...] = ()  # figures set by hand, whether or not this version has them
    unbacked: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    calls: tuple[dict[str, Any], ...] = ()
    refused: tuple[dict[str, Any], ...] = ()  # calls that had no answer, and why
    model: str = ""  # that wrote any of the sentences
    versions: dict[str, str] = Field(default_factory=dict)  # of the tools by name, and of the data under `data`
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
