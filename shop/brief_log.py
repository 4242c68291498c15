"""What people did with briefs: wrote one, set a figure by hand, signed, approved, took it back; rows never change.

Every act is sealed into the audit as well. The rows stand here and not with the brief, because a stored brief never
changes, and because tools and retrieval, which know no briefs, ask what was approved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import JSON, Column, Connection, Date, DateTime, Integer, String, Table, Text, insert, select

from shop import audit
from shop import schema as t
from shop.canonical import digest
from shop.errors import ToolError
from shop.schema import metadata
from shop.session import Session
from shop.types import Actor, Frozen, Unit
from shop.view import View

Kind = Literal["write", "override", "lift", "sign", "refuse", "approve", "withdraw"]

brief_log = Table(
    "brief_log",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("brief_id", String, nullable=False, index=True),
    Column("draft_id", String, nullable=False, index=True),
    Column("plan_hash", String, nullable=False),
    Column("kind", String, nullable=False),  # see `Kind`
    Column("part", String, nullable=False, default=""),  # the figure set by hand, the office that signed
    Column("detail", JSON, nullable=False, default=dict),  # an override's values; a seal: the document's hash
    Column("reason", Text, nullable=False, default=""),
    Column("actor_role", String, nullable=False),
    Column("actor_id", String, nullable=False),
    Column("at", DateTime, nullable=False),  # the session's clock
    Column("day", Date, nullable=False),  # the shop's own today: replays of the past see nothing later
)


class Act(Frozen):
    """One thing that somebody did with a brief; `part` and `detail` depend on the kind."""

    number: int
    brief_id: str
    draft_id: str
    plan_hash: str
    kind: Kind
    part: str = ""
    detail: dict[str, Any]
    reason: str = ""
    actor: Actor
    at: datetime
    day: date


class Approval(Frozen):
    """A brief that was approved, and with that frozen: in force from `since` to the day before `until`.

    `until` is the day on which a later version was approved instead or the approval was withdrawn; `seal` is the hash
    of the document as it was approved.
    """

    brief_id: str
    draft_id: str
    plan_hash: str
    seal: str
    since: date
    until: date | None
    reason: str
    actor: Actor
    at: datetime

    def holds_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


class Override(Frozen):
    """A figure set by hand: what it is now, what the tools had said (`was`), who set it, when and why."""

    figure: str
    label: str
    unit: Unit
    value: float | int | date
    was: float | int | date | str | None
    reason: str
    actor: Actor
    at: datetime
    day: date
    brief_id: str


def record(
    connection: Connection,
    session: Session,
    kind: Kind,
    brief: Mapping[str, Any],
    day: date,
    part: str = "",
    detail: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Write down one act and seal it into the audit, in the caller's transaction; call `audit.lock` before reading.

    Args:
        connection: Of the transaction.
        session: Who acts.
        kind: What is done.
        brief: Its `id`, `draft_id` and `plan_hash`.
        day: The shop's today.
        part, detail, reason: See the table.
    """
    at, actor = session.now(), session.actor
    row = {
        "brief_id": brief["id"],
        "draft_id": brief["draft_id"],
        "plan_hash": brief["plan_hash"],
        "kind": kind,
        "part": part,
        "detail": dict(detail or {}),
        "reason": reason,
        "actor_role": actor.role,
        "actor_id": actor.id,
        "at": at,
        "day": day,
    }
    connection.execute(insert(brief_log), [row])
    what = {"action_id": str(brief["id"]), "tool": f"brief_{kind}", "version": str(brief["plan_hash"])}
    audit.note(connection, session, at, decision="decide", content_hash=digest(row), **what)


def acts(shop: View, draft_id: str = "", brief_id: str = "") -> list[Act]:
    """What was done by `shop.today` with the briefs of a draft, with one brief, or with all; oldest first."""
    query = select(brief_log).where(brief_log.c.day <= shop.today)
    if draft_id:
        query = query.where(brief_log.c.draft_id == draft_id)
    if brief_id:
        query = query.where(brief_log.c.brief_id == brief_id)
    with shop.engine.connect() as connection:
        rows = connection.execute(query.order_by(brief_log.c.number)).mappings().all()
    return [_act(dict(row)) for row in rows]


def approvals(shop: View, draft_id: str = "") -> list[Approval]:
    """Every approval up to `shop.today`, oldest first, with the day on which it ended."""
    return _approvals(acts(shop, draft_id))


def approved_briefs(shop: View, as_of: date | None = None) -> list[Approval]:
    """The approvals in force on a day (default `shop.today`), at most one for each draft."""
    day = as_of or shop.today
    return [approval for approval in approvals(shop) if approval.holds_on(day)]


def overrides_of(shop: View, draft_id: str) -> dict[str, Override]:
    """The figures of a draft that are set by hand as of `shop.today`, by id; the next version is made with them."""
    return overrides_in(acts(shop, draft_id))


def overrides_in(log: Iterable[Act]) -> dict[str, Override]:
    """The overrides that a log of one draft leaves in force."""
    found: dict[str, Override] = {}
    for act in log:
        if act.kind == "lift":
            found.pop(act.part, None)
        if act.kind == "override":
            found[act.part] = _override(act)
    return found


def document_of(shop: View, brief_id: str) -> dict[str, Any]:
    """The stored row of a brief, with its document, if it was written by `shop.today`.

    Raises:
        ToolError: There is none.
    """
    b = t.briefs
    with shop.engine.connect() as connection:
        row = connection.execute(select(b).where(b.c.id == brief_id, b.c.created_on <= shop.today)).mappings().first()
        latest = connection.execute(select(b.c.id).order_by(b.c.created_on.desc(), b.c.id.desc()).limit(1)).scalar()
    if row is None:
        known = f"the latest is {latest}" if latest else "none has been written yet"
        raise ToolError(f"There is no brief {brief_id}; {known}.")
    return dict(row)


def frozen_document(shop: View, approval: Approval) -> dict[str, Any]:
    """The document of an approved brief, as it was approved.

    Raises:
        ToolError: It is not what was approved any more: somebody changed the row in the database.
    """
    document: dict[str, Any] = document_of(shop, approval.brief_id)["document"]
    if digest(document) != approval.seal:
        raise ToolError(
            f"Brief {approval.brief_id} is not the document that was approved on {approval.since}: its row was changed "
            "in the database; restore it from a backup, or approve a new version."
        )
    return document


def _approvals(log: Iterable[Act]) -> list[Approval]:
    found: list[Approval] = []
    for act in log:
        if act.kind not in ("approve", "withdraw"):
            continue
        found = [_ended(each, act) for each in found]
        if act.kind == "approve":
            found.append(
                Approval(
                    brief_id=act.brief_id,
                    draft_id=act.draft_id,
                    plan_hash=act.plan_hash,
                    seal=act.detail["seal"],
                    since=act.day,
                    until=None,
                    reason=act.reason,
                    actor=act.actor,
                    at=act.at,
                )
            )
    return found


def _ended(approval: Approval, act: Act) -> Approval:
    """The approval after an act: another version of its draft takes its place, or it is withdrawn."""
    same = act.draft_id == approval.draft_id if act.kind == "approve" else act.brief_id == approval.brief_id
    return approval.model_copy(update={"until": act.day}) if same and approval.until is None else approval


def _override(act: Act) -> Override:
    given = {name: act.detail[name] for name in ("label", "unit", "value", "was")}
    if given["unit"] == "date":
        given["value"] = date.fromisoformat(given["value"])
    return Override(
        figure=act.part,
        reason=act.reason,
        actor=act.actor,
        at=act.at,
        day=act.day,
        brief_id=act.brief_id,
        **given,
    )


def _act(row: Mapping[str, Any]) -> Act:
    own = {name: row[name] for name in Act.model_fields if name != "actor"}
    return Act(**own, actor=Actor(role=row["actor_role"], id=row["actor_id"]))
