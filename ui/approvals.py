"""The manager's proposals: what waits, what a decision would change, what became of the others, and the audit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from sqlalchemy import func, select

from shop import PendingAction, Shop, ToolError, actions, audit
from shop import schema as t
from shop.changes import CHANGES
from ui.links import escape
from ui.service_cards import money
from ui.strings import Words

MOST_DECIDED, MOST_AUDITED = 30, 30


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


def card(action: PendingAction, currency: str, say: Words) -> str:
    """A proposal as Markdown, from its exact arguments and the rows before and after; no model has a word in it."""
    exact, before = action.arguments, action.before
    name = escape(f"{before['name']} ({exact['product']})")
    cells = [
        say[_field(exact["change"])],
        *(escape(_state(action, side, currency, say)) for side in ("before", "after")),
    ]
    head = [say["field"], say["now"], say["after"]]
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), cells)]
    stamp = say(
        "proposed",
        id=action.id,
        who=escape(action.actor.id or action.actor.role),
        day=_moment(action.created_at, say),
        until=_moment(action.expires_at, say),
    )
    why = [say("reason", reason=escape(str(exact["reason"])))] if exact["reason"] else []
    title = say(exact["change"], name=name)
    return "\n\n".join([f"### {title}", "\n".join(lines), *why, f"<small>{stamp}</small>"])


def instead(action: PendingAction, said: str) -> dict[str, str]:
    """Arguments of the call that proposes another value than this action does."""
    exact = action.arguments
    reason = {"reason": str(exact["reason"])} if exact["reason"] else {}
    return {"change": exact["change"], "product": exact["product"], "value": said, **reason}


def as_typed(action: PendingAction) -> str:
    """The proposed value as a person would type it."""
    value = action.arguments["value"]
    return f"{value / 100:.2f}" if action.arguments["change"] == "price" else str(value)


def decided_table(shop: Shop, say: Words) -> str:
    """The latest proposals that no longer wait, as Markdown; empty where there are none."""
    p, now = t.pending_actions, shop.acting.now()
    closed = (p.c.status != "pending") | (p.c.expires_at <= now)
    mine = p.c.tool.in_(list(CHANGES))
    query = select(p).where(closed, mine).order_by(p.c.created_at.desc(), p.c.id).limit(MOST_DECIDED)
    with shop.engine.connect() as connection:
        found = [dict(row) for row in connection.execute(query).mappings()]
    rows = [_decided_row(row, shop.currency, say) for row in found]
    return _table([say["proposal"], say["change"], say["now"], say["after"], say["status"], say["when"]], rows)


def audit_table(shop: Shop, say: Words) -> str:
    """Whether the audit is as it was written, and its latest rows, as Markdown."""
    a = t.audit
    with shop.engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(a)).scalar_one()
        broken = audit.first_broken(connection)
        query = select(a).order_by(a.c.number.desc()).limit(MOST_AUDITED)
        found = [dict(row) for row in connection.execute(query).mappings()]
    if not count:
        return say["no_audit"]
    whole = say("audit_broken", row=broken) if broken is not None else say("audit_whole", count=_number(count, say))
    rows = [_audit_row(row, say) for row in found]
    head = [say["at"], say["who"], say["what"], say["proposal"], say["seal"]]
    return f"{whole}\n\n{_table(head, rows)}"


def _field(change: str) -> str:
    return {"price": "price_cents", "launch_date": "launch", "reorder": "units", "campaign": "words"}[change]


def _state(action: PendingAction, side: str, currency: str, say: Words) -> str:
    """What stands there before, or will stand there after, from the rows themselves."""
    change, rows = action.arguments["change"], getattr(action, side)
    if change == "price":
        cents = rows["price_cents"]
        return say["unknown"] if cents is None else money(cents, currency, say.locale)
    if change == "launch_date":
        day = rows["launch_date"]
        return _day(date.fromisoformat(day), say) if day else say["undecided"]
    if side == "before":
        return say["nothing"]
    value = action.arguments["value"]
    return _number(value, say) if change == "reorder" else str(value)


def _decided_row(row: Mapping[str, Any], currency: str, say: Words) -> list[str]:
    names = [name for name in PendingAction.model_fields if name != "actor"]
    actor = {"role": row["actor_role"], "id": row["actor_id"]}
    action = PendingAction.model_validate({**{name: row[name] for name in names}, "actor": actor})
    status = "expired" if action.status == "pending" else action.status
    return [
        action.id,
        say(action.arguments["change"], name=escape(str(action.before["name"]))),
        escape(_state(action, "before", currency, say)),
        escape(_state(action, "after", currency, say)),
        say[f"status_{status}"],
        _moment(action.created_at, say),
    ]


def _audit_row(row: Mapping[str, Any], say: Words) -> list[str]:
    decision = say.get(f"decision_{row['decision']}", row["decision"])
    who = escape(f"{row['actor_id'] or '–'} ({row['actor_role']})")
    return [
        _moment(row["at"], say),
        who,
        f"{decision} · {escape(row['tool'])}",
        escape(row["action_id"]),
        row["hash"][:10],
    ]


def _table(head: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def _number(value: int, say: Words) -> str:
    return str(format_decimal(value, locale=say.locale))


def _day(day: date, say: Words) -> str:
    return str(format_date(day, format="long", locale=say.locale))


def _moment(moment: datetime, say: Words) -> str:
    return str(format_datetime(moment, format="medium", locale=say.locale))


def _verified(shop: Shop) -> dict[str, Any]:
    with shop.engine.connect() as connection:
        broken = audit.first_broken(connection)
    if broken is not None:
        raise ToolError(f"The audit is broken at row {broken}: it was changed after it was written; keep a copy of it.")
    return {"audit": "whole", "lines": ["The audit is whole."]}
