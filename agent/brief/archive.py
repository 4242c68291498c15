"""Stored briefs: a row each, never changed; a new version is a new row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Integer, cast, func, insert, select

from agent.brief.memory import Steps
from agent.brief.types import Brief
from shop import Shop, audit
from shop import schema as t
from shop.brief_log import document_of, record
from shop.canonical import digest

_NUMBER = cast(func.substr(t.briefs.c.id, 3), Integer)  # B-10000 comes after B-9999, not before


def store_brief(shop: Shop, brief: Brief) -> Brief:
    """Store a brief under the next free id; returns it with that id.

    Who wrote it is recorded where somebody acts (`shop.acting_as`).
    """
    with shop.begin() as connection:
        audit.lock(connection)  # two who store at once take two numbers
        return _store(connection, shop, brief)


def store_compiled(shop: Shop, brief: Brief, steps: Steps) -> Brief:
    """Store a brief and drop the steps that led to it, in one transaction; returns it with its id.

    Where the draft's latest version is the same but for the seconds, that one is returned and nothing is stored: who
    asks again after a crash has the brief that was stored before it, not a second one.
    """
    b = t.briefs.c
    with shop.begin() as connection:
        audit.lock(connection)
        steps.drop(connection)
        query = select(b.document).where(b.draft_id == brief.subject.id).order_by(_NUMBER.desc()).limit(1)
        document = connection.execute(query).scalar()
        if document is not None and _content(document) == _content(brief.model_dump(mode="json")):
            return Brief.model_validate(document)
        return _store(connection, shop, brief)


def _store(connection: Connection, shop: Shop, brief: Brief) -> Brief:
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


def _content(document: dict[str, Any]) -> str:
    """A stored document without what is another one each time it is made: its number, and how long it took."""
    calls = [{name: value for name, value in call.items() if name != "seconds"} for call in document["calls"]]
    return digest({**document, "id": "", "seconds": 0, "calls": calls})


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
