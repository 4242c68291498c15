"""The approvals page: what waits for a decision, with the rows before and after, and what became of the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from shop import PendingAction, Shop, actions
from shop.changes import CHANGES
from ui.acting import DECIDE, acting
from ui.approvals import as_typed, audit_table, card, decided_table, instead
from ui.edge import edge
from ui.links import escape
from ui.place import Place
from ui.shell import PRIVATE


class Approvals:
    """What happens on the page; who acts comes from the request, never from what the page sent."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.say = place.words("approvals")

    def shop(self, request: gr.Request | None) -> Shop:
        """The shop in the hands of whoever is signed in."""
        return acting(self._place, request, DECIDE)

    def waiting(self, request: gr.Request | None) -> list[PendingAction]:
        """What this person may decide on."""
        return actions.waiting(self.shop(request), CHANGES)

    def tables(self, request: gr.Request) -> tuple[str, str]:
        """What was decided, and the audit."""
        shop = self.shop(request)
        return decided_table(shop, self.say) or self.say["no_history"], audit_table(shop, self.say)

    def approve(self, action_id: str, request: gr.Request) -> str:
        """Carry it out; the answer is a sentence."""
        return self._said("done", lambda shop: actions.approve(shop, CHANGES, action_id), request)

    def reject(self, action_id: str, request: gr.Request) -> str:
        """Turn it down; the answer is a sentence."""
        return self._said("rejected", lambda shop: actions.reject(shop, action_id), request)

    def replace(self, action_id: str, value: str, request: gr.Request) -> str:
        """File the same change with another value, and turn the first down; the answer is a sentence."""

        def other(shop: Shop) -> PendingAction:
            from tools.proposals import propose_change
            from tools.registry import bind

            old = actions.find(shop, action_id)
            bind([propose_change], shop, shop.acting.actor)["propose_change"](**instead(old, value.strip()))
            return actions.reject(shop, action_id) if value.strip() != as_typed(old) else old

        return self._said("replaced", other, request)

    def _said(self, key: str, decide: Callable[[Shop], PendingAction], request: gr.Request) -> str:
        said: list[str] = []
        with edge(self._place.log_file, lambda failure: said.append(escape(failure.sentence)), self._place.locale):
            said.append(self.say(key, id=decide(self.shop(request)).id))
        return said[0]


def fill(place: Place) -> None:
    """Put the page into the surrounding blocks."""
    page, say = Approvals(place), place.words("approvals")
    root = gr.context.Context.root_block
    assert root is not None
    round_, said = gr.State(0), gr.Markdown(elem_id="said", container=False)
    with gr.Row(elem_classes="page-head"):
        gr.Markdown(f"# {say['title']}")
        refresh = gr.Button(say["refresh"], size="sm", scale=0, min_width=96)
    gr.Markdown(f"## {say['waiting']}", elem_classes="section-title")
    _cards(page, round_, said)
    gr.Markdown(f"## {say['history']}", elem_classes="section-title")
    decided = gr.Markdown(elem_classes="wide-table", elem_id="decided")
    gr.Markdown(f"## {say['audit']}", elem_classes="section-title")
    audit = gr.Markdown(elem_classes="wide-table", elem_id="audit")
    gr.on([root.load, round_.change], page.tables, None, [decided, audit], **PRIVATE)
    gr.on([root.load, refresh.click], lambda now: now + 1, round_, round_, **PRIVATE)


def _cards(page: Approvals, round_: gr.State, said: gr.Markdown) -> None:
    @gr.render(inputs=round_, triggers=[round_.change], show_progress="hidden")
    def cards(now: int) -> None:
        waiting = page.waiting(gr.context.LocalContext.request.get(None))
        if not waiting:
            gr.Markdown(page.say["none"], elem_classes="empty")
        for action in waiting:
            _card(page, action, now, round_, said)


def _card(page: Approvals, action: PendingAction, now: int, round_: gr.State, said: gr.Markdown) -> None:
    say = page.say
    with gr.Column(elem_classes=["card", "waiting"]):
        gr.Markdown(card(action, page.shop(gr.context.LocalContext.request.get(None)).currency, say))
        with gr.Row(elem_classes="buttons"):
            yes = gr.Button(say["approve"], variant="primary", elem_classes="confirm", min_width=110, scale=0)
            no = gr.Button(say["reject"], elem_classes="decline", min_width=110, scale=0)
            other = gr.Button(say["edit"], elem_classes="edit", min_width=110, scale=0)
        with gr.Row(visible=False, elem_classes="instead") as form:
            value = gr.Textbox(
                as_typed(action), label=say["value"], info=say["edit_note"], max_length=300, interactive=True, scale=3
            )
            file = gr.Button(say["propose"], elem_classes="propose", scale=0, min_width=150)

    def again() -> int:
        return now + 1

    deciding: dict[str, Any] = {**PRIVATE, "trigger_mode": "once"}
    yes.click(_of(page.approve, action.id), None, said, **deciding).then(again, None, round_, **PRIVATE)
    no.click(_of(page.reject, action.id), None, said, **deciding).then(again, None, round_, **PRIVATE)
    other.click(lambda: gr.Row(visible=True), None, form, **PRIVATE)

    def replace(text: str, request: gr.Request) -> str:
        return page.replace(action.id, text, request)

    gr.on([file.click, value.submit], replace, value, said, **deciding).then(again, None, round_, **PRIVATE)


def _of(decide: Callable[[str, gr.Request], str], action_id: str) -> Callable[[gr.Request], str]:
    """The decision on one action, as Gradio calls it."""

    def handler(request: gr.Request) -> str:
        return decide(action_id, request)

    return handler
