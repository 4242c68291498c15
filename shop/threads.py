"""Conversations as they are kept: threads that belong to a person, their turns as a tree, figures and judgements.

A turn names the turn it follows; two turns that follow the same one are branches, of which the thread's `head` ends the
one that is shown. Every question is answered for one owner: a thread of somebody else does not exist.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Engine

from shop.database import insert_new
from shop.errors import ToolError
from shop.schema import metadata
from shop.session import utc_now
from shop.types import Figure

Verdict = Literal["good", "bad"]
NO_THREAD = "There is no such conversation here; it may have been deleted. Start a new one."
NOT_KEPT = "personal; it was shown once and is not kept"
LONGEST_TITLE = 120

threads = Table(
    "threads",
    metadata,
    Column("id", String, primary_key=True),
    Column("owner", String, nullable=False, index=True),  # id of the account
    Column("title", Text, nullable=False),
    Column("head", String, nullable=False, default=""),  # the turn that ends the branch shown
    Column("created_at", DateTime, nullable=False),
    Column("updated_at", DateTime, nullable=False, index=True),
)
turns = Table(
    "turns",
    metadata,
    Column("id", String, primary_key=True),
    Column("thread_id", String, ForeignKey("threads.id"), nullable=False, index=True),
    Column("parent", String, nullable=False, default=""),  # the turn before it; empty for the first
    Column("number", Integer, nullable=False),  # order of asking, from 1
    Column("question", Text, nullable=False),
    Column("said", Text, nullable=False, default=""),  # the answer in plain words, to be searched
    Column("document", JSON, nullable=False, default=dict),  # the page's own: steps, template, messages
    Column("asked_at", DateTime, nullable=False),
)
thread_figures = Table(
    "thread_figures",
    metadata,
    Column("thread_id", String, ForeignKey("threads.id"), primary_key=True),
    Column("id", String, primary_key=True),
    Column("place", Integer, nullable=False),  # order of entry
    Column("document", JSON, nullable=False),
)
judgements = Table(
    "judgements",
    metadata,
    Column("turn_id", String, ForeignKey("turns.id"), primary_key=True),
    Column("verdict", String, nullable=False),  # good, bad
    Column("reason", Text, nullable=False, default=""),
    Column("at", DateTime, nullable=False),
)


@dataclass(frozen=True)
class StoredTurn:
    """A turn as it is kept; `document` is whatever the page needs to show it again."""

    id: str
    parent: str
    question: str
    said: str = ""
    document: dict[str, Any] = field(default_factory=dict)
    number: int = 0


@dataclass(frozen=True)
class StoredThread:
    """A thread in a list."""

    id: str
    title: str
    head: str
    updated_at: datetime


@dataclass(frozen=True)
class Case:
    """A judged turn, as a later evaluation reads it: what was asked, called and said, and the verdict."""

    question: str
    calls: list[dict[str, Any]]
    said: str
    verdict: str
    reason: str


class Threads:
    """The conversations of one person in one shop.

    Args:
        engine: The shop's database.
        owner: Id of the account.
        now: The clock, UTC without a zone.
    """

    def __init__(self, engine: Engine, owner: str, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._owner = owner
        self._now = now

    @property
    def place(self) -> str:
        """Which database they are kept in, without a password."""
        return self._engine.url.render_as_string(hide_password=True)

    def all(self, search: str = "", limit: int = 100) -> list[StoredThread]:
        """Threads, the last used first; with words to search, those whose title, questions or answers hold each."""
        query = select(threads).where(threads.c.owner == self._owner)
        for word in search.split():
            in_turn = select(turns.c.thread_id).where(or_(_holds(turns.c.question, word), _holds(turns.c.said, word)))
            query = query.where(or_(_holds(threads.c.title, word), threads.c.id.in_(in_turn)))
        query = query.order_by(threads.c.updated_at.desc(), threads.c.id).limit(limit)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [StoredThread(row["id"], row["title"], row["head"], row["updated_at"]) for row in rows]

    def thread(self, thread_id: str) -> StoredThread:
        """One thread.

        Raises:
            ToolError: There is none with this id that is this person's.
        """
        with self._engine.connect() as connection:
            return self._own(connection, thread_id)

    def create(self, title: str, thread_id: str = "") -> str:
        """Begin a thread; returns its id."""
        thread_id, now = thread_id or secrets.token_hex(16), self._now()
        row = {"id": thread_id, "owner": self._owner, "title": _title(title), "created_at": now, "updated_at": now}
        with self._engine.begin() as connection:
            connection.execute(insert(threads).values(head="", **row))
        return thread_id

    def rename(self, thread_id: str, title: str) -> None:
        """Give a thread another title.

        Raises:
            ToolError: There is no such thread, or the title is empty.
        """
        if not title.strip():
            raise ToolError("A conversation needs a title; write a few words.")
        self._change(thread_id, {"title": _title(title)})

    def delete(self, thread_id: str) -> None:
        """Delete a thread whole: turns, figures and judgements too.

        Raises:
            ToolError: There is no such thread.
        """
        with self._engine.begin() as connection:
            self._own(connection, thread_id)
            of_it = select(turns.c.id).where(turns.c.thread_id == thread_id)
            connection.execute(delete(judgements).where(judgements.c.turn_id.in_(of_it)))
            for table in (turns, thread_figures):
                connection.execute(delete(table).where(table.c.thread_id == thread_id))
            connection.execute(delete(threads).where(threads.c.id == thread_id))

    def turns(self, thread_id: str) -> list[StoredTurn]:
        """All turns of a thread in the order they were asked, every branch.

        Raises:
            ToolError: There is no such thread.
        """
        with self._engine.connect() as connection:
            self._own(connection, thread_id)
            query = select(turns).where(turns.c.thread_id == thread_id).order_by(turns.c.number)
            rows = connection.execute(query).mappings().all()
        return [StoredTurn(**{name: row[name] for name in StoredTurn.__dataclass_fields__}) for row in rows]

    def keep(self, thread_id: str, turn: StoredTurn, figures: Iterable[Figure] = ()) -> None:
        """Store a turn, new or as it now is, with the thread's figures so far; the turn becomes the head.

        Raises:
            ToolError: There is no such thread.
        """
        values = {"question": turn.question, "said": turn.said, "document": turn.document}
        with self._engine.begin() as connection:
            self._own(connection, thread_id)
            changed = connection.execute(
                update(turns).where(turns.c.id == turn.id, turns.c.thread_id == thread_id).values(values)
            )
            if not changed.rowcount:
                last = select(func.coalesce(func.max(turns.c.number), 0)).where(turns.c.thread_id == thread_id)
                row = {"id": turn.id, "thread_id": thread_id, "parent": turn.parent, "asked_at": self._now(), **values}
                connection.execute(insert(turns).values(number=connection.execute(last).scalar_one() + 1, **row))
            rows = [
                {"thread_id": thread_id, "id": f.id, "place": place, "document": _kept(f).model_dump(mode="json")}
                for place, f in enumerate(figures)
            ]
            insert_new(connection, thread_figures, rows)
            self._touch(connection, thread_id, {"head": turn.id, "updated_at": self._now()})

    def show(self, thread_id: str, turn_id: str) -> None:
        """Make a turn the end of the branch that is shown.

        Raises:
            ToolError: There is no such thread.
        """
        self._change(thread_id, {"head": turn_id})

    def figures(self, thread_id: str) -> list[Figure]:
        """The figures of a thread in the order of their entry; of personal ones only that they were there.

        Raises:
            ToolError: There is no such thread.
        """
        with self._engine.connect() as connection:
            self._own(connection, thread_id)
            query = select(thread_figures.c.document).where(thread_figures.c.thread_id == thread_id)
            documents = connection.execute(query.order_by(thread_figures.c.place)).scalars().all()
        return [Figure.model_validate(document) for document in documents]

    def judge(self, turn_id: str, verdict: Verdict, reason: str = "") -> None:
        """Keep what the person thinks of an answer; a second judgement replaces the first.

        Raises:
            ToolError: There is no such turn in a thread of this person.
        """
        own = select(turns.c.id).join(threads, threads.c.id == turns.c.thread_id)
        with self._engine.begin() as connection:
            if not connection.execute(own.where(turns.c.id == turn_id, threads.c.owner == self._owner)).first():
                raise ToolError(NO_THREAD)
            connection.execute(delete(judgements).where(judgements.c.turn_id == turn_id))
            row = {"turn_id": turn_id, "verdict": verdict, "reason": reason.strip()[:2000], "at": self._now()}
            connection.execute(insert(judgements).values(row))

    def _own(self, connection: Connection, thread_id: str) -> StoredThread:
        query = select(threads).where(threads.c.id == thread_id, threads.c.owner == self._owner)
        row = connection.execute(query).mappings().first()
        if row is None:
            raise ToolError(NO_THREAD)
        return StoredThread(row["id"], row["title"], row["head"], row["updated_at"])

    def _change(self, thread_id: str, values: dict[str, Any]) -> None:
        with self._engine.begin() as connection:
            self._own(connection, thread_id)
            self._touch(connection, thread_id, values)

    def _touch(self, connection: Connection, thread_id: str, values: dict[str, Any]) -> None:
        connection.execute(update(threads).where(threads.c.id == thread_id).values(values))


def judged(engine: Engine) -> list[Case]:
    """Every judged turn of a shop, oldest judgement first: the cases that its people gave."""
    query = select(turns.c.question, turns.c.said, turns.c.document, judgements.c.verdict, judgements.c.reason)
    query = query.join(judgements, judgements.c.turn_id == turns.c.id).order_by(judgements.c.at, turns.c.id)
    with engine.connect() as connection:
        rows = connection.execute(query).mappings().all()
    return [
        Case(
            question=row["question"],
            calls=[{"name": s["name"], "arguments": s["arguments"]} for s in row["document"].get("steps", [])],
            said=row["said"],
            verdict=row["verdict"],
            reason=row["reason"],
        )
        for row in rows
    ]


def _holds(column: Column[str], word: str) -> ColumnElement[bool]:
    return func.lower(column).contains(word.lower(), autoescape=True)


def _title(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST_TITLE else plain[: LONGEST_TITLE - 1] + "…"


def _kept(figure: Figure) -> Figure:
    """A figure as it is written down: what is personal stays out of the file."""
    if not figure.private:
        return figure
    return figure.model_copy(update={"value": None, "low": None, "high": None, "reason": NOT_KEPT, "inputs": {}})
