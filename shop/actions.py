"""Changes in two steps: a tool files a pending action, and only the entitled person's click carries it out.

A pending action holds the exact arguments, what stands in the rows and what will stand there. Carrying it out happens
in one transaction with the audit row and an idempotency row whose key is made from the content: sent twice, it happens
once. It is void when the rows have changed since, when the effect would be another one, or when its time is up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, String, and_, bindparam, func, insert, or_, select, update

from shop import audit
from shop import schema as t
from shop.canonical import digest
from shop.database import insert_new
from shop.errors import ToolError
from shop.types import Actor, PendingAction, Role
from shop.view import View

Arguments = Mapping[str, Any]
LASTS: dict[Role, timedelta] = {
    "customer": timedelta(minutes=15),
    "support": timedelta(minutes=15),
    "manager": timedelta(days=7),
    "approver": timedelta(days=7),
}
REPEATED_WITHIN = timedelta(hours=24)  # the same call within this time is a repetition, not a new wish
NOT_FOUND = "There is no such proposal waiting for you; ask for the change again."
VOID = "What this proposal was made for has changed since, so nothing was done; ask for the change again."
LATE = "This proposal has lapsed, so nothing was done; ask for the change again."
TURNED_DOWN = "This proposal was turned down, so nothing was done; ask for the change again if it is wanted after all."

# Asked on every call, so built once.
_P, _E = t.pending_actions, t.executions
_ROLE: BindParameter[str] = bindparam("role", type_=String)
_OWNED = and_(_P.c.actor_role == _ROLE, _P.c.actor_id == bindparam("person"))
# An approver decides for those who plan; everybody else for herself.
_DECIDED = or_(_OWNED, and_(_ROLE == "approver", _P.c.actor_role.in_(("manager", "approver"))))
_OWN = select(_P).where(_P.c.id == bindparam("action"), _DECIDED)
_WAITING = (
    select(_P)
    .where(_DECIDED, _P.c.status == "pending", _P.c.expires_at > bindparam("now"))
    .order_by(_P.c.created_at, _P.c.id)
)
_DONE = select(_P).where(
    _P.c.request_hash == bindparam("request"), _P.c.status == "done", _P.c.created_at > bindparam("since")
)
_CARRIED_OUT = select(func.count()).select_from(_P).where(_OWNED, _P.c.status == "done")
_LATEST = (
    select(_E.c.number, _E.c.action_id)
    .where(_E.c.subject == bindparam("subject"))
    .order_by(_E.c.number.desc())
    .limit(1)
)


@dataclass(frozen=True)
class Plan:
    """What a call would change, from the rows as they stand: `arguments` are exact, `apply` writes `after`."""

    subject: str
    arguments: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]
    apply: Callable[[Connection], None]


@dataclass(frozen=True)
class Change:
    """How one tool's calls are planned, and how the state of what they change is read back."""

    plan: Callable[[Connection, Actor, Arguments], Plan]
    state: Callable[[Connection, Actor, str], dict[str, Any] | None]


def file(shop: View, change: Change, tool: str, arguments: Arguments) -> PendingAction:
    """File what a call asks for, as the acting person.

    The same call sent again is answered with the same action, also after it was carried out, as long as nothing else
    has happened to its subject.

    Raises:
        ToolError: The rules do not allow it; the sentence says why.
    """
    session = shop.acting
    now, actor = session.now(), session.actor
    request = digest(actor.role, actor.id, tool, arguments)
    with shop.begin() as connection:
        audit.lock(connection)
        done = _repeated(connection, change, actor, request, now)
        if done is not None:
            return done
        plan = change.plan(connection, actor, arguments)
        version = _version(plan, _latest(connection, plan.subject)[0])
        action = _action_of(plan, tool, actor, version, now)
        if _store(connection, action, plan.subject, version, request):
            audit.append(connection, session, "propose", action, version, now)
        return action


def approve(shop: View, changes: Mapping[str, Change], action_id: str) -> PendingAction:
    """Carry out a pending action as the person it waits for; a second time changes nothing and answers the same.

    It waits for the person who asked for it; what a manager asked for, an approver may decide on too.

    Raises:
        ToolError: It is not this person's, has lapsed, was turned down, or what it was made for has changed.
    """
    session = shop.acting
    now = session.now()
    with shop.begin() as connection:
        audit.lock(connection)
        action, version = _own(connection, session.actor, action_id)
        actor = action.actor
        if action.status == "done":
            return action
        _still_open(action, now)
        plan = changes[action.tool].plan(connection, actor, action.arguments)
        earlier = _latest(connection, plan.subject)[0]
        same = _action_of(plan, action.tool, actor, _version(plan, earlier), now)
        if (same.id, same.content_hash) != (action.id, action.content_hash) or _hash(action) != action.content_hash:
            raise ToolError(VOID)
        plan.apply(connection)
        _settle(connection, action, "done")
        row = {"key": action.id, "action_id": action.id, "subject": plan.subject, "number": earlier + 1, "at": now}
        connection.execute(insert(t.executions), [row])
        audit.append(connection, session, "execute", action, version, now)
        return action.model_copy(update={"status": "done"})


def reject(shop: View, action_id: str) -> PendingAction:
    """Turn a pending action down, as the person it waits for.

    Raises:
        ToolError: It is not this person's, or was carried out already.
    """
    session = shop.acting
    with shop.begin() as connection:
        audit.lock(connection)
        action, version = _own(connection, session.actor, action_id)
        if action.status == "done":
            raise ToolError("This was carried out already and cannot be turned down; ask for what is wanted now.")
        if action.status == "pending":
            _settle(connection, action, "rejected")
            audit.append(connection, session, "reject", action, version, session.now())
        return action.model_copy(update={"status": "rejected"})


def waiting(shop: View, changes: Mapping[str, Change]) -> list[PendingAction]:
    """Open actions of these kinds that the acting person may decide on, oldest first, without void ones."""
    session = shop.acting
    given = {"role": session.actor.role, "person": session.actor.id, "now": session.now()}
    with shop.engine.connect() as connection:
        opened = [_from_row(dict(row)) for row in connection.execute(_WAITING, given).mappings().all()]
        return [
            action
            for action in opened
            if action.tool in changes
            and changes[action.tool].state(connection, action.actor, action.subject) == action.before
        ]


def find(shop: View, action_id: str) -> PendingAction:
    """One action that the acting person may decide on; `expired` where its time is up.

    Raises:
        ToolError: There is none such, or it is somebody else's.
    """
    session = shop.acting
    with shop.engine.connect() as connection:
        action = _own(connection, session.actor, action_id)[0]
    if action.status == "pending" and action.expires_at <= session.now():
        return action.model_copy(update={"status": "expired"})
    return action


def revision_of(shop: View) -> int:
    """How often the acting person has had something carried out; 0 where nobody acts or nothing was."""
    session = shop.session
    if session is None or not session.person:
        return 0
    given = {"role": session.role, "person": session.person}
    with shop.engine.connect() as connection:
        return int(connection.execute(_CARRIED_OUT, given).scalar_one())


def _action_of(plan: Plan, tool: str, actor: Actor, version: str, now: datetime) -> PendingAction:
    action = PendingAction(
        id="",
        tool=tool,
        subject=plan.subject,
        arguments=plan.arguments,
        before=plan.before,
        after=plan.after,
        content_hash="",
        actor=actor,
        created_at=now,
        expires_at=now + LASTS[actor.role],
    )
    content_hash = _hash(action)
    return action.model_copy(update={"id": f"A-{digest(content_hash, version)[:12]}", "content_hash": content_hash})


def _hash(action: PendingAction) -> str:
    actor = action.actor
    return digest(actor.role, actor.id, action.tool, action.subject, action.arguments, action.before, action.after)


def _version(plan: Plan, earlier: int) -> str:
    """Of the subject: what stands in its rows, and how often it was changed; so a state that returns is another one."""
    return digest(plan.before, earlier)


def _latest(connection: Connection, subject: str) -> tuple[int, str]:
    row = connection.execute(_LATEST, {"subject": subject}).first()
    return (0, "") if row is None else (row.number, row.action_id)


def _repeated(
    connection: Connection, change: Change, actor: Actor, request: str, now: datetime
) -> PendingAction | None:
    """The action that this very call led to, if it was the last thing that happened to its subject."""
    since = {"request": request, "since": now - REPEATED_WITHIN}
    for row in connection.execute(_DONE, since).mappings().all():
        is_last = _latest(connection, row["subject"])[1] == row["id"]
        if is_last and change.state(connection, actor, row["subject"]) == row["after"]:
            return _from_row(dict(row))
    return None


def _store(connection: Connection, action: PendingAction, subject: str, version: str, request: str) -> bool:
    """Write the action; one that was turned down or lapsed is opened again. Returns whether it is news."""
    values = {
        **action.model_dump(exclude={"actor", "id"}),
        "subject": subject,
        "version": version,
        "request_hash": request,
        "actor_role": action.actor.role,
        "actor_id": action.actor.id,
    }
    if insert_new(connection, t.pending_actions, [{"id": action.id, **values}]):
        return True
    closed = (_P.c.status != "pending") | (_P.c.expires_at <= action.created_at)
    return bool(connection.execute(update(_P).where(_P.c.id == action.id, closed).values(**values)).rowcount)


def _settle(connection: Connection, action: PendingAction, status: str) -> None:
    connection.execute(update(_P).where(_P.c.id == action.id).values(status=status))


def _own(connection: Connection, actor: Actor, action_id: str) -> tuple[PendingAction, str]:
    # One sentence for what is missing and for what is somebody else's.
    given = {"action": action_id, "role": actor.role, "person": actor.id}
    row = connection.execute(_OWN, given).mappings().first()
    if row is None:
        raise ToolError(NOT_FOUND)
    return _from_row(dict(row)), row["version"]


def _still_open(action: PendingAction, now: datetime) -> None:
    if action.status == "rejected":
        raise ToolError(TURNED_DOWN)
    if action.expires_at <= now:
        raise ToolError(LATE)


def _from_row(row: Mapping[str, Any]) -> PendingAction:
    names = [name for name in PendingAction.model_fields if name != "actor"]
    actor = Actor(role=row["actor_role"], id=row["actor_id"])
    return PendingAction(**{name: row[name] for name in names}, actor=actor)
