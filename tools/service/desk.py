"""The start and the end of a conversation with a shopper: who she is, and the person she is handed over to."""

from __future__ import annotations

from sqlalchemy import func, select

from shop import Shop, ToolError, ToolResult
from shop import schema as t
from shop.database import insert_new
from shop.service import rows
from shop.text import clean
from tools.figures import Sheet
from tools.registry import tool

MOST_SUMMARY = 2_000  # characters
MOST_TICKETS = 5  # of one conversation: they are written without a click, and people have to read them


@tool("read", "service")
def identify_customer(
    shop: Shop, email: str | None = None, name: str | None = None, zip: str | None = None
) -> ToolResult:
    """Find out who the customer is, by e-mail address, or by name and postcode.

    Args:
        email: E-mail address of the account.
        name: First and last name.
        zip: Postcode of the account's address.
    """
    session = shop.acting
    if not email and not (name and zip):
        raise ToolError(
            "To know who you are I need the e-mail address of your account, or your name together with your postcode."
        )
    session.may_try()
    with shop.begin() as everybody:  # who she is cannot be asked of her own rows
        session.identify(rows.find_customer(everybody, email or "", name or "", zip or ""))
    with shop.engine.connect() as connection:
        called = rows.read_account(connection, session.actor.id).name
        orders = connection.execute(select(func.count()).where(t.orders.c.customer_id == session.actor.id)).scalar_one()
    sheet = Sheet()
    sheet.add("customer.name", "Name", called, "text", "of the account", private=True)
    count = sheet.add("customer.orders", "Orders", orders, "count", "orders of the account")
    return ToolResult(
        summary=f"Welcome, {{{{customer.name}}}}. Your account holds {count} orders; what can I do for you?",
        figures=sheet.figures,
    )


# A model puts a case into its own words, also after it has read what others wrote: the page says so above them.
@tool("write", "service", noted=("summary",))
def hand_over(shop: Shop, summary: str) -> ToolResult:
    """Hand the conversation over to a person of the shop, where no tool can do what is asked.

    Args:
        summary: What the customer wants, and what was done so far.
    """
    text = " ".join(clean(summary).split())[:MOST_SUMMARY]
    if not text:
        raise ToolError("A person needs to know what it is about; say it in a sentence or two.")
    session = shop.acting
    known = t.tickets.c.session == session.id
    with shop.begin() as connection:
        query = select(t.tickets.c.id).where(known, t.tickets.c.summary == text)
        ticket = connection.execute(query).scalar()
        filed = connection.execute(select(func.count()).select_from(t.tickets).where(known)).scalar_one()
        if ticket is None and filed >= MOST_TICKETS:
            raise ToolError("A person of the shop has this case already; please hold on, or write again later.")
        number = connection.execute(select(func.count()).select_from(t.tickets)).scalar_one()
        while ticket is None:
            # Another conversation may take the number between the count and the insert; then nothing is added.
            number += 1
            row = {
                "id": f"T-{number:04d}",
                "customer_id": session.person or None,
                "session": session.id,
                "summary": text,
                "created_at": session.now(),
            }
            if insert_new(connection, t.tickets, [row]):
                ticket = row["id"]
    sheet = Sheet()
    name = sheet.add("ticket.id", "Ticket", ticket, "text", "next free number")
    return ToolResult(
        summary=f"I have passed this on to a person of the shop as ticket {name}; please hold on.",
        figures=sheet.figures,
    )
