"""The versions of a draft's brief, and what people do with one: set a figure by hand, sign, approve, take it back.

The acting person comes from the session (`shop.acting_as`), never from an argument. An approved brief is frozen: it is
what happens later is scored against, and what its product's buyers are told. A brief never changes: a figure set by
hand stands in the next version, and every version after it until it is lifted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args

from pydantic import ValidationError
from sqlalchemy import select

from agent.brief.archive import briefs_of, load_brief
from agent.brief.claims import require_supported
from agent.brief.overrides import INPUTS, set_input
from agent.brief.types import Brief, Verdict
from shop import Actor, Figure, Shop, ToolError, audit
from shop import schema as t
from shop.brief_log import Act, Approval, Kind, acts, approvals, document_of, frozen_document, overrides_of, record
from shop.canonical import digest
from shop.session import Session

Status = Literal["open", "approved", "replaced", "withdrawn"]
Office = Literal["merchandising", "supply", "finance", "marketing", "service", "legal"]
OFFICES: tuple[Office, ...] = get_args(Office)
MAY_DECIDE = ("manager", "approver")
_NOT_BY_HAND = ("decision.", "evidence.", "item.", "rule.", "note.", "override.")
_DECIDED = ("G0", "G1", "G2")  # gates that an approval passes; what later ones ask for comes with time
_COUNTED = ("units", "count", "days", "weeks")  # never below zero


@dataclass(frozen=True)
class Version:
    """One version of a draft's brief.

    Attributes:
        number: Counted from one, oldest first.
        author, at: Who wrote it and when; None where nobody acted, as in a benchmark.
        status: `approved` while it is the frozen plan, `replaced` once a later version was approved instead.
        acts: What was done with it since it was written, oldest first.
    """

    number: int
    brief_id: str
    plan_hash: str
    verdict: Verdict
    data_cutoff: date
    created_on: date
    author: Actor | None
    at: datetime | None
    status: Status
    acts: tuple[Act, ...]


def history(shop: Shop, draft: str) -> list[Version]:
    """The versions of a draft's brief that there were by `shop.today`, oldest first."""
    b, log = t.briefs, acts(shop, draft)
    approved = {approval.brief_id: approval for approval in approvals(shop, draft)}
    query = select(b.c.id, b.c.plan_hash, b.c.data_cutoff, b.c.created_on, b.c.document["verdict"].as_string())
    with shop.engine.connect() as connection:
        rows = {row[0]: row for row in connection.execute(query.where(b.c.draft_id == draft))}
    versions = []
    for number, brief_id in enumerate(briefs_of(shop, draft), start=1):
        own = [act for act in log if act.brief_id == brief_id]
        written = next((act for act in own if act.kind == "write"), None)
        _, hashed, cutoff, day, verdict = rows[brief_id]
        versions.append(
            Version(
                number=number,
                brief_id=brief_id,
                plan_hash=hashed,
                verdict=verdict,
                data_cutoff=cutoff,
                created_on=day,
                author=written.actor if written else None,
                at=written.at if written else None,
                status=_status(approved.get(brief_id), own),
                acts=tuple(act for act in own if act.kind != "write"),
            )
        )
    return versions


def frozen_plan(shop: Shop, draft: str) -> Brief | None:
    """The approved brief of a draft in force on `shop.today`, as it was approved; None if there is none.

    Raises:
        ToolError: Its row was changed in the database since.
    """
    held = [approval for approval in approvals(shop, draft) if approval.holds_on(shop.today)]
    return Brief.model_validate(frozen_document(shop, held[-1])) if held else None


def approve(shop: Shop, brief_id: str, reason: str = "") -> Approval:
    """Approve a brief as the acting person: it becomes the frozen plan of its draft, in the place of an earlier one.

    Approving what is approved already changes nothing. No reason helps copy with a claim that nothing backs.

    Raises:
        ToolError: Nobody may who acts, there is no such brief, its copy is unsupported, or something speaks against it
            and no reason is given.
    """
    session = _decider(shop)
    brief = load_brief(shop, brief_id)
    with shop.begin() as connection:
        audit.lock(connection)
        held = _in_force(shop, brief)
        if held is None:
            require_supported(brief)
            against = objections(shop, brief)
            if against and not reason.strip():
                raise ToolError(
                    f"Brief {brief.id} cannot be approved without a reason: {'; '.join(against)}. "
                    "Mend that and write it again, or say why it is approved all the same."
                )
            row = document_of(shop, brief.id)
            detail = {"seal": digest(row["document"]), "against": against}
            record(connection, session, "approve", row, shop.today, detail=detail, reason=reason.strip())
    held = _in_force(shop, brief)
    assert held is not None
    return held


def withdraw(shop: Shop, brief_id: str, reason: str) -> None:
    """Take an approval back, as the acting person; the draft has no frozen plan then.

    Raises:
        ToolError: It is not approved, or no reason is given.
    """
    session = _decider(shop)
    brief = load_brief(shop, brief_id)
    _explained(reason, "an approval is taken back")
    with shop.begin() as connection:
        audit.lock(connection)
        if _in_force(shop, brief) is None:
            raise ToolError(f"Brief {brief.id} is not approved, so there is nothing to take back.")
        record(connection, session, "withdraw", _named(brief), shop.today, reason=reason.strip())


def sign(shop: Shop, brief_id: str, office: str, agrees: bool = True, reason: str = "") -> None:
    """Sign a brief for an office, or refuse to, as the acting person; the latest word of an office counts.

    Raises:
        ToolError: There is no such office or brief, or a refusal gives no reason.
    """
    session = _decider(shop)
    if office not in OFFICES:
        raise ToolError(f"No office is called {office!r}; a brief is signed by {', '.join(OFFICES)}.")
    if not agrees:
        _explained(reason, "a signature is refused")
    brief = load_brief(shop, brief_id)
    kind: Kind = "sign" if agrees else "refuse"
    with shop.begin() as connection:
        audit.lock(connection)
        record(connection, session, kind, _named(brief), shop.today, office, reason=reason.strip())


def signatures(shop: Shop, brief_id: str) -> dict[Office, Act | None]:
    """The latest word of every office on a brief; None where it has not spoken."""
    said = {act.part: act for act in acts(shop, brief_id=brief_id) if act.kind in ("sign", "refuse")}
    return {office: said.get(office) for office in OFFICES}


def override(shop: Shop, brief_id: str, figure_id: str, value: float | int | date, reason: str) -> None:
    """Set a figure by hand, as the acting person: the next version of the draft's brief is made with it.

    Figures computed from it follow. A tool that is called does not know of it unless the figure is one of its
    arguments; what the tools say stays beside it, and both are scored once the product has launched.

    Raises:
        ToolError: There is no such figure, it cannot be set by hand, the value does not fit, or no reason is given.
    """
    session = _decider(shop)
    brief = load_brief(shop, brief_id)
    _explained(reason, "a figure is set by hand")
    figure = _settable(brief, figure_id)
    stored = _fitting(brief, figure, value)
    detail = {"label": figure.label, "unit": figure.unit, "value": stored, "was": tools_value(figure)}
    with shop.begin() as connection:
        audit.lock(connection)
        record(connection, session, "override", _named(brief), shop.today, figure_id, detail, reason.strip())


def lift(shop: Shop, brief_id: str, figure_id: str, reason: str = "") -> None:
    """Give a figure back to the tools, as the acting person, from the next version on.

    Raises:
        ToolError: It is not set by hand.
    """
    session = _decider(shop)
    brief = load_brief(shop, brief_id)
    with shop.begin() as connection:
        audit.lock(connection)
        if figure_id not in overrides_of(shop, brief.subject.id):
            raise ToolError(f"{figure_id} is not set by hand for {brief.subject.id}, so there is nothing to lift.")
        record(connection, session, "lift", _named(brief), shop.today, figure_id, reason=reason.strip())


def objections(shop: Shop, brief: Brief) -> list[str]:
    """What speaks against approving a brief, one short clause each; empty if nothing does."""
    newest = briefs_of(shop, brief.subject.id)[-1]
    refused = [name for name, act in signatures(shop, brief.id).items() if act is not None and act.kind == "refuse"]
    lacking = [section.title for section in brief.sections if section.missing and section.gate in _DECIDED]
    return [
        *(["its verdict is no-go"] if brief.verdict == "no-go" else []),
        *([f"{newest} is a later version"] if newest != brief.id else []),
        *([f"figures are missing in {', '.join(lacking)}"] if lacking else []),
        *([f"{', '.join(refused)} refused to sign"] if refused else []),
    ]


def tools_value(figure: Figure) -> Any:
    """What the tools said: the figure's value, or where it was set by hand, the one it took the place of."""
    value = figure.inputs["by_hand"]["was"] if "by_hand" in figure.inputs else figure.value
    return value.isoformat() if isinstance(value, date) else value


def _decider(shop: Shop) -> Session:
    session = shop.acting
    if session.role not in MAY_DECIDE:
        raise ToolError("Only a manager decides about briefs; ask one to do it.")
    return session


def _in_force(shop: Shop, brief: Brief) -> Approval | None:
    held = [each for each in approvals(shop, brief.subject.id) if each.holds_on(shop.today)]
    return next((approval for approval in held if approval.brief_id == brief.id), None)


def _status(approval: Approval | None, own: list[Act]) -> Status:
    if approval is None:
        return "open"
    if approval.until is None:
        return "approved"
    last = next(act for act in reversed(own) if act.kind in ("approve", "withdraw"))
    return "withdrawn" if last.kind == "withdraw" else "replaced"


def may_be_set(figure: Figure) -> bool:
    """Whether a figure can be set by hand: it follows from no other alone, and is a number or a date."""
    derived = figure.id.startswith(_NOT_BY_HAND) and figure.id not in INPUTS
    return not derived and figure.unit not in ("text", "passage")


def _settable(brief: Brief, figure_id: str) -> Figure:
    figure = brief.figures.get(figure_id)
    if figure is None:
        raise ToolError(f"Brief {brief.id} has no figure {figure_id}; take one from its evidence.")
    if not may_be_set(figure):
        raise ToolError(f"{figure_id} follows from others and cannot be set by hand; set one that it is computed from.")
    return figure


def _fitting(brief: Brief, figure: Figure, value: float | int | date) -> float | int | str:
    """The value as it is stored, checked against the figure's unit and what the brief can be made from."""
    if (figure.unit == "date") != isinstance(value, date):
        wanted = "a date" if figure.unit == "date" else "a number"
        raise ToolError(f"{figure.label} ({figure.id}) is {wanted}; {value} is not one.")
    if not isinstance(value, date):
        least = 0.0 if figure.unit in _COUNTED or figure.id in INPUTS else float("-inf")
        if not (abs(value) < float("inf") and value >= least):
            raise ToolError(f"{figure.label} ({figure.id}) cannot be {value:g}; give a number that it can have.")
    try:
        set_input(brief.subject, brief.settings, brief.budget, figure.id, value)
    except ValidationError as error:
        said = error.errors()[0]["msg"].lower()
        raise ToolError(f"{figure.label} ({figure.id}) cannot be {value}: {said}; give another value.") from error
    return value.isoformat() if isinstance(value, date) else value


def _explained(reason: str, what: str) -> None:
    if not reason.strip():
        raise ToolError(f"Say why {what}: the reason is kept with it.")


def _named(brief: Brief) -> Mapping[str, Any]:
    return {"id": brief.id, "draft_id": brief.subject.id, "plan_hash": brief.plan_hash}
