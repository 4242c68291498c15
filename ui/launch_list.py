"""Every launch of a shop: what is planned, what went on sale lately, and how it stands against its frozen plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from agent.brief.archive import load_brief
from agent.brief.types import Gate, Verdict
from agent.brief.versions import history
from shop import Draft, Shop, ToolResult
from tools.registry import BoundTool
from tools.scoring import LaunchStatus, launch_statuses

Status = Literal["planned", "undated", "late", "live"]
RECENT = 26  # weeks that a launch stays on the list
PLANNED = timedelta(weeks=12)  # how long a plan reaches


@dataclass(frozen=True)
class Launch:
    """A draft, or a product that went on sale within `RECENT`.

    Attributes:
        key: Draft id or SKU.
        brief: Id of the latest brief of a draft, or of the plan of a product; empty where there is none.
        gate: The first gate of that brief that is not ready.
        standing: How a product on sale stands; None for a draft.
        score: What `score_launch` says of a product that has a frozen plan; None for others.
    """

    key: str
    name: str
    category: str
    day: date | None
    status: Status
    brief: str = ""
    verdict: Verdict | None = None
    approved: bool = False
    gate: Gate | None = None
    standing: LaunchStatus | None = None
    score: ToolResult | None = field(default=None, compare=False)

    @property
    def last(self) -> date | None:
        """Last day of its plan."""
        return self.day + PLANNED - timedelta(days=1) if self.day else None

    @property
    def alerts(self) -> tuple[str, ...]:
        """The triggers that fired, as templates over the score's figures."""
        return tuple(alert.text for alert in self.standing.alerts) if self.standing else ()


def launches(shop: Shop, score: BoundTool | None = None) -> list[Launch]:
    """Drafts that are not on sale yet and products launched lately, by launch day; undated ones last.

    Args:
        shop: The shop.
        score: The tool `score_launch`, bound; None leaves the scores out.
    """
    on_sale = {str(name).casefold() for name in shop.products()["name"]}
    found = [_planned(shop, draft) for draft in shop.drafts() if draft.name.casefold() not in on_sale]
    found += [_live(each, score) for each in launch_statuses(shop, RECENT)]
    return sorted(found, key=lambda each: (each.day is None, each.day or shop.today, each.name))


def _live(standing: LaunchStatus, score: BoundTool | None) -> Launch:
    return Launch(
        key=standing.sku,
        name=standing.name,
        category=standing.category,
        day=standing.launched,
        status="live",
        brief=standing.brief,
        approved=standing.approved,
        standing=standing,
        score=score(product=standing.sku) if score is not None and standing.brief else None,
    )


def _planned(shop: Shop, draft: Draft) -> Launch:
    versions = history(shop, draft.id)
    status: Status = "undated"
    if draft.launch_date is not None:
        status = "planned" if draft.launch_date >= shop.today else "late"
    launch = Launch(draft.id, draft.name, draft.category, draft.launch_date, status)
    if not versions:
        return launch
    latest = load_brief(shop, versions[-1].brief_id)
    return Launch(
        key=draft.id,
        name=draft.name,
        category=draft.category,
        day=draft.launch_date,
        status=status,
        brief=latest.id,
        verdict=latest.verdict,
        approved=any(version.status == "approved" for version in versions),
        gate=next((gate for gate in latest.gates if gate.status != "ready"), None),
    )
