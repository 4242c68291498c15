"""Stored briefs: a row each, never changed; a new version is a new row."""

from __future__ import annotations

from sqlalchemy import func, insert, select

from agent.brief.types import Brief
from shop import Shop, ToolError
from shop import schema as t


def store_brief(shop: Shop, brief: Brief) -> Brief:
    """Store a compiled brief under the next free id; returns it with that id."""
    with shop.begin() as connection:
        count = connection.execute(select(func.count()).select_from(t.briefs)).scalar_one()
        stored = brief.model_copy(update={"id": f"B-{count + 1:04d}"})
        connection.execute(
            insert(t.briefs).values(
                id=stored.id,
                plan_hash=stored.plan_hash,
                draft_id=stored.subject.id,
                data_cutoff=stored.data_cutoff,
                created_on=stored.created_on,
                document=stored.model_dump(mode="json"),
            )
        )
    return stored


def load_brief(shop: Shop, brief_id: str) -> Brief:
    """A stored brief, as it was written.

    Raises:
        ToolError: There is no brief with this id.
    """
    with shop.begin() as connection:
        document = connection.execute(select(t.briefs.c.document).where(t.briefs.c.id == brief_id)).scalar()
        latest = connection.execute(select(func.max(t.briefs.c.id))).scalar()
    if document is None:
        known = f"the latest is {latest}" if latest else "none has been written yet"
        raise ToolError(f"There is no brief {brief_id}; {known}.")
    return Brief.model_validate(document)


def briefs_of(shop: Shop, draft_id: str) -> list[str]:
    """Ids of the briefs of a draft, oldest first."""
    query = select(t.briefs.c.id).where(t.briefs.c.draft_id == draft_id).order_by(t.briefs.c.id)
    with shop.begin() as connection:
        return list(connection.execute(query).scalars())
