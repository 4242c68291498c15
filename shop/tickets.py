"""Tickets that shoppers were handed over with, and what the people of the shop did with them; rows never change."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import Column, Connection, DateTime, Integer, String, Table, Text, func, insert, select

from shop import schema as t
from shop.authorize import Capability, require
from shop.errors import ToolError
from shop.schema import metadata
from shop.session import Session
from shop.types import Frozen
from shop.view import View

Kind = Literal["take", "note", "close", "reopen"]
Status = Literal["new", "taken", "closed"]
MOST_NOTE = 2_000  # characters
TICKETS = Capability("the tickets", "write", "tickets")

ticket_log = Table(
    "ticket_log",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("ticket_id", String, nullable=False, index=True),
    Column("kind", String, nullable=False),  # see `Kind`
    Column("note", Text, nullable=False, default=""),
    Column("actor_role", String, nullable=False),
    Column("actor_id", String, nullable=False),
    Column("at", DateTime, nullable=False),
)


class Entry(Frozen):
    """One thing that a person of the shop did with a ticket."""

    kind: Kind
    note: str
    by: str
    at: datetime


class Ticket(Frozen):
    """A shopper's case; `customer` is empty where nobody was identified.

    The summary is a model's: it may repeat what others wrote, so it is for people to read and for nothing to act on.
    """

    id: str
    customer: str
    session: str
    summary: str
    created_at: datetime
    log: tuple[Entry, ...] = ()

    @property
    def status(self) -> Status:
        last = next((entry.kind for entry in reversed(self.log) if entry.kind != "note"), None)
        return "new" if last is None else "closed" if last == "close" else "taken"

    @property
    def by(self) -> str:
        """Who took it last."""
        return next((entry.by for entry in reversed(self.log) if entry.kind == "take"), "")


def tickets(shop: View, status: Status | None = None) -> list[Ticket]:
    """The tickets, newest first, or those of one status.

    Raises:
        Denied: Whoever acts is not of the shop's staff.
    """
    _staff(shop)
    log: dict[str, list[Entry]] = {}
    with shop.engine.connect() as connection:
        for row in connection.execute(select(ticket_log).order_by(ticket_log.c.number)).mappings():
            entry = Entry(kind=row["kind"], note=row["note"], by=row["actor_id"] or row["actor_role"], at=row["at"])
            log.setdefault(row["ticket_id"], []).append(entry)
        query = select(t.tickets).order_by(t.tickets.c.created_at.desc(), t.tickets.c.id.desc())
        rows = connection.execute(query).mappings().all()
    found = [
        Ticket(
            id=row["id"],
            customer=row["customer_id"] or "",
            session=row["session"],
            summary=row["summary"],
            created_at=row["created_at"],
            log=tuple(log.get(row["id"], ())),
        )
        for row in rows
    ]
    return [ticket for ticket in found if status in (None, ticket.status)]


def act(shop: View, ticket_id: str, kind: Kind, note: str = "") -> None:
    """Take a ticket, write a note, close it or open it again, as the acting person.

    Raises:
        ToolError: There is no such ticket, whoever acts is not of the staff, or a note says nothing.
    """
    session = _staff(shop)
    text = note.strip()[:MOST_NOTE]
    if kind == "note" and not text:
        raise ToolError("A note needs a word or two; write what was done for the customer.")
    with shop.begin() as connection:
        if not _exists(connection, ticket_id):
            raise ToolError(f"There is no ticket {ticket_id}; open the list again.")
        row = {
            "ticket_id": ticket_id,
            "kind": kind,
            "note": text,
            "actor_role": session.actor.role,
            "actor_id": session.actor.id,
            "at": session.now(),
        }
        connection.execute(insert(ticket_log), [row])


def _exists(connection: Connection, ticket_id: str) -> bool:
    query = select(func.count()).select_from(t.tickets).where(t.tickets.c.id == ticket_id)
    return bool(connection.execute(query).scalar_one())


def _staff(shop: View) -> Session:
    session = shop.acting
    require(session.standing, TICKETS)
    return session
