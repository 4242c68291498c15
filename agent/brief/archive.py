"""Stored briefs: a row each, never changed; a new version is a new row."""

from __future__ import annotations

from sqlalchemy import Integer, cast, func, insert, select

from agent.brief.types import Brief
from shop import Shop, audit
from shop import schema as t
from shop.brief_log import document_of, record

_NUMBER = cast(func.substr(t.briefs.c.id, 3), Integer)  # B-10000 comes after B-9999, not before


def store_brief(shop: Shop, brief: Brief) -> Brief:
    """Store a compiled brief under the next free id; returns it with that id.

    Who wrote it is recorded where somebody acts (`shop.acting_as`).
    """
    with shop.begin() as connection:
        audit.lock(connection)  # two who store at once take two numbers
        last = connection.execute(select(func.max(_NUMBER))).scalar() or 0
        stored = brief.model_copy(update={"id": f"B-{last + 1:04d}"})
        row = {
            "id": stored.id,
            "plan_hash": stored.plan_hash,
            "draft_id": stored.subject.id,
            "data_cutoff": stored.data_cutoff,
            "created_on": stored.created_on,
            "document": stored.model_dump(mode="json"),
        }
        connection.execute(insert(t.briefs), [row])
        if shop.session is not None:
            record(connection, shop.session, "write", row, stored.created_on)
    return stored


def load_brief(shop: Shop, brief_id: str) -> Brief:
    """A stored brief, as it was written.

    Raises:
        ToolError: There is no brief with this id.
    """
    return Brief.model_validate(document_of(shop, brief_id)["document"])


def briefs_of(shop: Shop, draft_id: str) -> list[str]:
    """Ids of the briefs of a draft written by `shop.today`, oldest first."""
    b = t.briefs
    query = select(b.c.id).where(b.c.draft_id == draft_id, b.c.created_on <= shop.today).order_by(_NUMBER)
    with shop.begin() as connection:
        return list(connection.execute(query).scalars())
