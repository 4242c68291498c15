"""Which pages there are, in which app, and who may open it: the one list that a new page is entered in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from shop.authorize import Capability
from ui import (
    approvals_page,
    brief_page,
    chat_page,
    launches_page,
    service_page,
    settings_page,
    shop_page,
    tickets_page,
    uploads,
)
from ui.accounts import AccountRole
from ui.place import Place
from ui.shell import PageSpec, build

DESK = (
    PageSpec("", "desk", chat_page.fill),
    PageSpec("brief", "brief", brief_page.fill),
    PageSpec("launches", "launches", launches_page.fill),
    PageSpec("shop", "shop", shop_page.fill),
    PageSpec("approvals", "approvals", approvals_page.fill),
    PageSpec("import", "import", uploads.fill),
    PageSpec("settings", "settings", settings_page.fill),
)


@dataclass(frozen=True)
class App:
    """Pages that the same roles may open. Gradio lets whoever opens one call the handlers of all, so roles part here.

    Args:
        path: Where it is mounted; the language comes after it.
        roles: Who may open it.
        build: Its pages in one language.
    """

    path: str
    roles: tuple[AccountRole, ...]
    build: Callable[[Place], gr.Blocks]


def _desk(place: Place) -> gr.Blocks:
    return build(place, DESK, (("tickets", "/tickets"), ("service", "/service")))


def _tickets(place: Place) -> gr.Blocks:
    return build(place, (PageSpec("", "tickets", tickets_page.fill),))


APPS = (
    App("", Capability("the desk", "read", "internal").roles, _desk),
    App("/tickets", Capability("the tickets", "read", "tickets").roles, _tickets),
    App("/service", Capability("the shoppers' page", "read", "public").roles, service_page.page),
)
