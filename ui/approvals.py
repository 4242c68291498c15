"""`./debut actions`: the manager's proposals that wait, and the approval of one."""

from __future__ import annotations

from typing import Any

from shop import PendingAction, Shop, ToolError, actions, audit
from shop.changes import CHANGES


def decide(acting: Shop, what: str, action_id: str = "") -> dict[str, Any]:
    """List, approve or reject proposals as the acting person, or verify the audit: the answer as values and as lines.

    Raises:
        ToolError: There is no such proposal, it has lapsed or is void, or the audit is broken.
    """
    if what == "verify":
        return _verified(acting)
    if what == "list":
        waiting = actions.waiting(acting, CHANGES)
        lines = [line(action) for action in waiting] or ["Nothing waits for approval."]
        return {"waiting": [action.model_dump(mode="json") for action in waiting], "lines": lines}
    if not action_id:
        raise ToolError(f"Say which proposal to {what}; `./debut actions` lists those that wait.")
    decided = actions.approve(acting, CHANGES, action_id) if what == "approve" else actions.reject(acting, action_id)
    return {"action": decided.model_dump(mode="json"), "lines": [f"{decided.id} is {decided.status}: {line(decided)}"]}


def line(action: PendingAction) -> str:
    """A proposal in one line, from its exact arguments and the row as it stood."""
    exact, before = action.arguments, action.before
    value, was = exact["value"], before.get("price_cents")
    if exact["change"] == "price":
        value = f"{value / 100:.2f} (now {'unknown' if was is None else f'{was / 100:.2f}'})"
    if exact["change"] == "launch_date":
        value = f"{value} (now {before['launch_date'] or 'undecided'})"
    why = f", because {exact['reason']}" if exact["reason"] else ""
    return f"{action.id}  {exact['change']} of {before['name']} ({exact['product']}): {value}{why}"


def _verified(shop: Shop) -> dict[str, Any]:
    with shop.engine.connect() as connection:
        broken = audit.first_broken(connection)
    if broken is not None:
        raise ToolError(f"The audit is broken at row {broken}: it was changed after it was written; keep a copy of it.")
    return {"audit": "whole", "lines": ["The audit is whole."]}
