"""The shop in the hands of whoever pressed a button: every handler of a page asks here before it answers."""

from __future__ import annotations

import gradio as gr

from shop import Shop
from shop.authorize import Capability, require
from ui.place import Place, session_of

READ = Capability("this page", "read", "internal")
DECIDE = Capability("this page", "write", "internal")


def acting(place: Place, request: gr.Request | None, capability: Capability = READ) -> Shop:
    """The shop, acting for who is signed in.

    Raises:
        Denied: The page is not for this role.
    """
    session = session_of(place.account(request))
    require(session.standing, capability)
    return place.desk.shop.acting_as(session)
