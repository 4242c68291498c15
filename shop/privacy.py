"""What is on record of one customer: all of it in one document, or taken out of the shop for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, select, update

from shop import audit
from shop import schema as t
from shop.canonical import digest
from shop.errors import ToolError
from shop.threads import judgements, thread_figures, threads, turns
from shop.tickets import ticket_log
from shop.view import View

GONE = "removed"
_HERS = (t.customer_addresses, t.payment_methods, t.coupons, t.events, t.reviews, t.tickets, t.returns, t.orders)
# What goes altogether; a row before those that it is told by.
_DELETED = (
    *(t.order_addresses, t.shipments, t.customer_addresses, t.payment_methods, t.coupons, t.events, t.reviews),
    *(ticket_log, t.tickets, judgements, turns, thread_figures, threads),
)
_OF_ORDERS = (t.order_lines, t.order_addresses, t.payments, t.shipments, t.requests)


@dataclass(frozen=True)
class Erased:
    """How many rows of each table were deleted or emptied."""

    rows: Mapping[str, int]


def export(shop: View, customer: str) -> dict[str, list[dict[str, Any]]]:
    """Every row about a customer, by table, as plain values.

    Raises:
        ToolError: There is no such customer.
    """
    with shop.engine.connect() as connection:
        _known(connection, customer)
        found = {
            table.name: [dict(row) for row in connection.execute(select(table).where(own)).mappings()]
            for table, own in _where(customer).items()
        }
    return {name: rows for name, rows in found.items() if rows}


def erase(shop: View, customer: str) -> Erased:
    """Delete a customer: who she is, where she lives, how she pays, what she wrote, looked at and asked for.

    Her orders stay as sales of nobody, since revenue and stock follow from them, and so does the audit, which holds
    her id and hashes but nothing that says who it was. The search index forgets her reviews when it is next updated.

    Raises:
        ToolError: There is no such customer.
    """
    session = shop.acting
    counts: dict[str, int] = {}
    with shop.begin() as connection:
        audit.lock(connection)
        _known(connection, customer)
        where = _where(customer)
        for table in _DELETED:
            counts[table.name] = connection.execute(delete(table).where(where[table])).rowcount
        emptied: dict[Table, dict[str, Any]] = {
            t.payments: {"method_id": GONE},
            t.requests: {"reason": "", "method_id": GONE},
            t.pending_actions: {"arguments": {}, "before": {}, "after": {}, "actor_id": GONE, "subject": GONE},
            t.executions: {"subject": GONE},
            t.returns: {"customer_id": None, "reason": ""},
            t.orders: {"customer_id": None},  # last: whose the others are is read from it
        }
        for table, values in emptied.items():
            counts[table.name] = connection.execute(update(table).where(where[table]).values(**values)).rowcount
        counts["customers"] = connection.execute(delete(t.customers).where(t.customers.c.id == customer)).rowcount
        about = {"action_id": "", "tool": "privacy", "content_hash": digest(customer), "version": digest(counts)}
        audit.note(connection, session, session.now(), decision="erase", **about)
    return Erased({name: count for name, count in counts.items() if count})


def _where(customer: str) -> dict[Table, ColumnElement[bool]]:
    """For each table the condition that a row is about this customer."""
    orders = select(t.orders.c.id).where(t.orders.c.customer_id == customer)
    tickets = select(t.tickets.c.id).where(t.tickets.c.customer_id == customer)
    talks = select(threads.c.id).where(threads.c.owner == customer)
    p = t.pending_actions.c
    actions = (p.actor_role == "customer") & (p.actor_id == customer)
    where: dict[Table, ColumnElement[bool]] = {t.customers: t.customers.c.id == customer}
    where |= {table: table.c.customer_id == customer for table in _HERS}
    where |= {table: table.c.order_id.in_(orders) for table in _OF_ORDERS}
    where |= {table: table.c.thread_id.in_(talks) for table in (turns, thread_figures)}
    where[threads] = threads.c.owner == customer
    where[judgements] = judgements.c.turn_id.in_(select(turns.c.id).where(turns.c.thread_id.in_(talks)))
    where[ticket_log] = ticket_log.c.ticket_id.in_(tickets)
    where[t.pending_actions] = actions
    # Named by the subject, since the proposals behind them are emptied first.
    where[t.executions] = t.executions.c.subject == f"customer {customer}"
    where[t.audit] = (t.audit.c.actor_role == "customer") & (t.audit.c.actor_id == customer)
    return where


def _known(connection: Connection, customer: str) -> None:
    if connection.execute(select(t.customers.c.id).where(t.customers.c.id == customer)).first() is None:
        raise ToolError(f"There is no customer {customer}; give the id as it stands in the orders.")
