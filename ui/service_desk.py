"""The service desk: one conversation per shopper, each with its own session, tools and vault; no model of its own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from babel.dates import format_date
from sqlalchemy import select

from agent.personal import Vault
from shop import PendingAction, Shop, actions
from shop import schema as t
from shop.service import rows
from shop.service.plans import CHANGES
from shop.session import Session
from shop.types import Actor
from ui.service_cards import order_card
from ui.strings import Locale, Words
from ui.wiring import Desk

if TYPE_CHECKING:
    from agent.assistant import Assistant, Event
    from agent.ledger import Ledger
    from agent.shortlist import Shortlist

MOST_TALKS = 500  # conversations kept; the one untouched for longest is forgotten first
MOST_CARDS = 6


@dataclass
class Talk:
    """What belongs to one shopper's conversation."""

    shop: Shop
    session: Session
    vault: Vault = field(default_factory=Vault)
    assistant: Assistant | None = None


class ServiceDesk:
    """Shoppers' conversations over a desk's shop and model.

    Args:
        desk: Whose shop and model serve; its manager's tools are not reachable from here.
        locale: The language of the cards.
    """

    def __init__(self, desk: Desk, locale: Locale = "en") -> None:
        self.desk = desk
        self._say = Words("service", locale)
        self._talks: OrderedDict[str, Talk] = OrderedDict()
        self._shortlist: Shortlist | None = None
        self._lock = Lock()

    def talk(self, thread_id: str) -> Talk:
        """The conversation of this id; the id comes from the page's own state, never from the browser."""
        with self._lock:
            talk = self._talks.pop(thread_id, None)
            if talk is None:
                session = Session("customer", id=thread_id)
                talk = Talk(self.desk.shop.acting_as(session), session)
            self._talks[thread_id] = talk
            while len(self._talks) > MOST_TALKS:
                self._talks.popitem(last=False)
            return talk

    def ask(self, text: str, thread_id: str) -> Iterator[Event]:
        """Answer one message of a conversation."""
        talk = self.talk(thread_id)
        return self._assistant(talk).ask(text, thread_id)

    def ledger(self, thread_id: str) -> Ledger:
        """The figures of a conversation."""
        from agent.ledger import Ledger

        assistant = self.talk(thread_id).assistant
        return assistant.ledger(thread_id) if assistant else Ledger()

    def waiting(self, thread_id: str) -> list[PendingAction]:
        """Proposals that wait for this shopper's confirmation."""
        talk = self.talk(thread_id)
        return actions.waiting(talk.shop, CHANGES) if talk.session.person else []

    def confirm(self, thread_id: str, action_id: str) -> PendingAction:
        """Carry out a proposal, as the shopper of this conversation."""
        return actions.approve(self.talk(thread_id).shop, CHANGES, action_id)

    def decline(self, thread_id: str, action_id: str) -> PendingAction:
        """Turn a proposal down, as the shopper of this conversation."""
        return actions.reject(self.talk(thread_id).shop, action_id)

    def person(self, thread_id: str) -> str:
        """The name of the shopper who was identified in a conversation; empty where nobody was."""
        talk = self.talk(thread_id)
        if not talk.session.person:
            return ""
        with talk.shop.engine.connect() as connection:
            return rows.read_account(connection, talk.session.person).name

    def order_cards(self, thread_id: str) -> list[str]:
        """The shopper's latest orders as cards; none before she is identified."""
        talk = self.talk(thread_id)
        if not talk.session.person:
            return []
        o = t.orders.c
        latest = select(o.id, o.placed_at).where(o.customer_id == talk.session.person)
        cards = []
        with talk.shop.engine.connect() as connection:
            for order_id, placed_at in connection.execute(latest.order_by(o.placed_at.desc(), o.id).limit(MOST_CARDS)):
                order = rows.read_order(connection, talk.session.person, order_id)
                if order is not None:
                    placed = str(format_date(placed_at, format="long", locale=self._say.locale))
                    cards.append(order_card(order, placed, talk.shop.currency, self._say))
        return cards

    def _assistant(self, talk: Talk) -> Assistant:
        model = self.desk.model()
        with self._lock:
            if talk.assistant is None:
                from agent.assistant import Assistant
                from agent.shortlist import open_shortlist
                from tools import ALL
                from tools.registry import bind

                tools = bind(ALL, talk.shop, Actor(role="customer"))
                if self._shortlist is None:
                    summaries = {name: bound.tool.summary for name, bound in tools.items()}
                    self._shortlist = open_shortlist("customer", summaries, self.desk.embedder(), model)
                talk.assistant = Assistant(model, tools, shortlist=self._shortlist, role="customer", vault=talk.vault)
            return talk.assistant
