"""Every launch of a shop: what is planned, what went on sale lately, and how it stands against its frozen plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from agent.brief.archive import load_brief
from agent.brief.types import Gate, Verdict
from agent.brief.versions import history
from shop import Draft, Shop, ToolError, ToolResult
from tools.registry import BoundTool

Status = Literal["planned", "undated", "late", "live"]
RECENT = timedelta(weeks=26)  # how long a launch stays on the list
PLANNED = timedelta(weeks=12)  # how long a plan reaches


@dataclass(frozen=True)
class Launch:
    """A draft, or a product that went on sale within `RECENT`.

    Attributes:
        key: Draft id or SKU.
        brief: Id of the latest brief of a draft; empty where there is none.
        gate: The first gate of that brief that is not ready.
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
    score: ToolResult | None = field(default=None, compare=False)

    @property
    def last(self) -> date | None:
        """Last day of its plan."""
        return self.day + PLANNED - timedelta(days=1) if self.day else None

    @property
    def alerts(self) -> tuple[str, ...]:
        """What its score warns of, as templates over the score's figures; the alarm bells only."""
        return tuple(text for text in self.score.warnings if _rings(text)) if self.score else ()


def launches(shop: Shop, score: BoundTool | None = None) -> list[Launch]:
    """Drafts that are not on sale yet and products launched lately, by launch day; undated ones last.

    Args:
        shop: The shop.
        score: The tool `score_launch`, bound; None leaves the scores out.
    """
    products = shop.products()
    since = shop.today - RECENT
    lately = products[[day is not None and day == day and day >= since for day in products["launch_date"]]]
    on_sale = {str(name).casefold() for name in products["name"]}
    found = [_planned(shop, draft) for draft in shop.drafts() if draft.name.casefold() not in on_sale]
    for row in lately.to_dict("records"):
        found.append(
            Launch(
                key=row["sku"],
                name=row["name"],
                category=row["category"],
                day=row["launch_date"],
                status="live",
                score=_scored(score, row["sku"]),
            )
        )
    return sorted(found, key=lambda each: (each.day is None, each.day or shop.today, each.name))


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


def _scored(score: BoundTool | None, sku: str) -> ToolResult | None:
    """The score, or None where the product has no plan from before its launch, or no whole week yet."""
    if score is None:
        return None
    try:
        return score(product=sku)
    except ToolError:
        return None


def _rings(warning: str) -> bool:
    return warning.startswith("Alert") or "revise the launch" in warning
