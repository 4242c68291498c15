"""The support view: tickets that shoppers were handed over with, their orders, and what was done for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
from babel.dates import format_date, format_datetime
from sqlalchemy import select

from shop import PendingAction, Shop
from shop import schema as t
from shop.service import rows
from shop.tickets import TICKETS, Kind, Ticket, act, tickets
from ui.acting import acting
from ui.edge import edge
from ui.links import escape
from ui.place import Place
from ui.service_cards import order_card, proposal_lines
from ui.shell import PRIVATE
from ui.strings import Words

MOST_ORDERS, MOST_TICKETS = 4, 50


class TicketEvents:
    """What happens on the page; who acts comes from the request."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.say = place.words("tickets")

    def shop(self, request: gr.Request | None) -> Shop:
        return acting(self.place, request, TICKETS)

    def listed(self, which: str, request: gr.Request | None) -> list[Ticket]:
        """The tickets to show, at most `MOST_TICKETS`."""
        found = tickets(self.shop(request))
        return [ticket for ticket in found if which == "all" or ticket.status != "closed"][:MOST_TICKETS]

    def act(self, ticket: str, kind: Kind, note: str, request: gr.Request) -> str:
        """Do something with a ticket; the answer is a sentence where it cannot be done."""
        said: list[str] = []
        with edge(self.place.log_file, lambda failure: said.append(escape(failure.sentence)), self.place.locale):
            act(self.shop(request), ticket, kind, note)
        return said[0] if said else ""


def fill(place: Place) -> None:
    """Put the page into the surrounding blocks."""
    events, say = TicketEvents(place), place.words("tickets")
    root = gr.context.Context.root_block
    assert root is not None
    round_ = gr.State(0)
    gr.Markdown(f"# {say['title']}\n\n{say['lead']}", elem_classes=["page-head", "lead"])
    with gr.Row(elem_classes="asking"):
        choices = [(say["show_open"], "open"), (say["show_all"], "all")]
        which = gr.Radio(choices, value="open", label=say["show"], elem_id="which-tickets", min_width=200)
        refresh = gr.Button(say["refresh"], size="sm", scale=0, min_width=96)
    said = gr.Markdown(elem_id="said")

    @gr.render(inputs=[which, round_], triggers=[round_.change, which.change], show_progress="hidden")
    def shown(which_: str, now: int) -> None:
        request = gr.context.LocalContext.request.get(None)
        found = events.listed(which_, request)
        if not found:
            gr.Markdown(say["none"], elem_classes="empty")
        for ticket in found:
            _card(events, ticket, events.shop(request), now, round_, said)

    gr.on([root.load, refresh.click], lambda now: now + 1, round_, round_, **PRIVATE)


def case(ticket: Ticket, shop: Shop, say: Words, cards: Words) -> str:
    """A ticket as Markdown: what the assistant passed on is shown as its words, and does nothing else."""
    made = str(format_datetime(ticket.created_at, format="medium", locale=say.locale))
    status = say(f"status_{ticket.status}", who=escape(ticket.by))
    parts = [f"### {ticket.id} · {status}", f"<small>{made}</small>"]
    parts += [f"<small>{say['in_its_words']}</small>", f"> {escape(ticket.summary)}"]
    if not ticket.customer:
        parts.append(f"**{say['customer']}:** {say['unidentified']}")
    else:
        parts += _of_customer(shop, ticket.customer, say, cards)
    if ticket.log:
        lines = [
            f"- {format_datetime(entry.at, format='short', locale=say.locale)} · {escape(entry.by)} · "
            f"{say[f'kind_{entry.kind}']}{': ' + escape(entry.note) if entry.note else ''}"
            for entry in ticket.log
        ]
        parts += [f"**{say['log']}**", "\n".join(lines)]
    return "\n\n".join(parts)


def _of_customer(shop: Shop, customer: str, say: Words, cards: Words) -> list[str]:
    o = t.orders.c
    query = select(o.id, o.placed_at).where(o.customer_id == customer).order_by(o.placed_at.desc(), o.id)
    with shop.engine.connect() as connection:
        name = rows.read_account(connection, customer).name
        found = [
            (rows.read_order(connection, customer, order_id), placed)
            for order_id, placed in connection.execute(query.limit(MOST_ORDERS)).all()
        ]
    parts = [f"**{say['customer']}:** {escape(name)} ({escape(customer)})"]
    shown = [
        order_card(order, str(format_date(placed, format="medium", locale=say.locale)), shop.currency, cards)
        for order, placed in found
        if order is not None
    ]
    parts += [f"**{say['orders']}**", *shown] if shown else []
    waiting = [_proposal(action, shop.currency, cards) for action in _waiting(shop, customer)]
    return [*parts, *([f"**{say['waiting']}**", *waiting] if waiting else [])]


def _waiting(shop: Shop, customer: str) -> list[PendingAction]:
    """What was proposed to a customer and not decided; read here alone, since support may not decide for her."""
    p, now = t.pending_actions, shop.acting.now()
    own = (p.c.actor_role == "customer", p.c.actor_id == customer, p.c.status == "pending", p.c.expires_at > now)
    names = [name for name in PendingAction.model_fields if name != "actor"]
    with shop.engine.connect() as connection:
        found = connection.execute(select(p).where(*own).order_by(p.c.created_at)).mappings().all()
    actor = {"role": "customer", "id": customer}
    return [PendingAction.model_validate({**{name: row[name] for name in names}, "actor": actor}) for row in found]


def _proposal(action: PendingAction, currency: str, cards: Words) -> str:
    lines = [f"- {label}: {escape(text)}" for label, text in proposal_lines(action, currency, cards)]
    return "\n".join([f"{cards[action.tool]} ({action.id})", "", *lines])


def _card(events: TicketEvents, ticket: Ticket, shop: Shop, now: int, round_: gr.State, said: gr.Markdown) -> None:
    say = events.say
    with gr.Column(elem_classes=["card", "ticket"]):
        gr.Markdown(case(ticket, shop, say, events.place.words("service")))
        with gr.Row(elem_classes="buttons"):
            if ticket.status == "closed":
                _button(events, ticket, "reopen", now, round_, said)
            else:
                _button(events, ticket, "take", now, round_, said)
                _button(events, ticket, "close", now, round_, said)
        with gr.Row(elem_classes="asking"):
            note = gr.Textbox(
                label=say["note"], placeholder=say["note_hint"], max_length=2000, interactive=True, scale=4
            )
            add = gr.Button(say["add"], elem_classes="note", scale=0, min_width=120)

    def write(text: str, request: gr.Request) -> str:
        return events.act(ticket.id, "note", text, request)

    gr.on([add.click, note.submit], write, note, said, **PRIVATE).then(_next(now), None, round_, **PRIVATE)


def _button(events: TicketEvents, ticket: Ticket, kind: Kind, now: int, round_: gr.State, said: gr.Markdown) -> None:
    about: dict[str, Any] = {"variant": "primary"} if kind == "take" else {}
    button = gr.Button(events.say[kind], elem_classes=kind, scale=0, min_width=110, **about)

    def pressed(request: gr.Request) -> str:
        return events.act(ticket.id, kind, "", request)

    button.click(pressed, None, said, **PRIVATE).then(_next(now), None, round_, **PRIVATE)


def _next(now: int) -> Callable[[], int]:
    return lambda: now + 1
