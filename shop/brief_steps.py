"""What a brief that is being written has found so far, so that a run that was killed goes on where it stopped."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column, Connection, String, Table, delete, select

from shop.database import insert_new
from shop.schema import metadata
from shop.view import View

brief_steps = Table(
    "brief_steps",
    metadata,
    Column("run", String, primary_key=True),  # digest of the draft's fields and the state of the data
    Column("step", String, primary_key=True),  # digest of a tool call with its arguments, or of a section to be worded
    Column("draft_id", String, nullable=False, index=True),
    Column("outcome", JSON, nullable=False),  # a result, a refusal, or words
)


def step_outcome(shop: View, run: str, step: str) -> dict[str, Any] | None:
    """What a step of a run came to, or None if it has not been made."""
    s = brief_steps.c
    with shop.engine.connect() as connection:
        found = connection.execute(select(s.outcome).where(s.run == run, s.step == step)).scalar()
    return None if found is None else dict(found)


def keep_step(shop: View, run: str, step: str, draft_id: str, outcome: dict[str, Any]) -> None:
    """Keep what a step came to; one that is there already stays."""
    with shop.begin() as connection:
        row = {"run": run, "step": step, "draft_id": draft_id, "outcome": outcome}
        insert_new(connection, brief_steps, [row])


def drop_steps(connection: Connection, draft_id: str, but: str = "") -> None:
    """Drop the steps of a draft's runs: the brief is stored, or the data, or the draft, are not what they were.

    Args:
        connection: Of a transaction; the steps are gone with what else it does, or not at all.
        draft_id: The draft.
        but: A run whose steps stay.
    """
    s = brief_steps.c
    connection.execute(delete(brief_steps).where(s.draft_id == draft_id, s.run != but))
