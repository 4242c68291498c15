"""A desk over the small demo shop whose model follows a script keyed by what the visitor says."""

from __future__ import annotations

import time
from datetime import timedelta

from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage

from agent.models.template import Call
from agent.scripted import Line, ScriptedChatModel
from shop import Shop
from ui.wiring import Desk

NAME = "Aurora [gooseneck] kettle"
LIE = "It sells 4711 units, about ninety-nine a day."
SENTENCES = {
    "draft": "Draft {{item.draft_id}} is ready: {{item.name}} at {{item.price}}, on sale from {{item.launch_date}}.",
    "forecast": "It sells {{launch.units_12w}} units, between {{launch.units_12w.low}} and {{launch.units_12w.high}}.",
    "brief": "Brief {{brief.id}} is written; the verdict is {{brief.verdict}}.",
    "lie": LIE,
    "nonsense": "I could not find it.",
}


def scripted_desk(shop: Shop) -> Desk:
    """A desk on this shop with a draft called `NAME`, and a model that calls a tool on a known word."""
    draft = shop.add_draft(NAME, "", 21.5, 49.9, shop.today + timedelta(days=90)).id
    calls = {
        "draft": Call("draft_product", {"name": "Second kettle", "price": 30, "launch_date": "early March"}),
        "forecast": Call("forecast_launch", {"product": draft}),
        "brief": Call("write_brief", {"product": draft}),
        "lie": Call("forecast_launch", {"product": draft}),
        "nonsense": Call("forecast_launch", {"product": "no such thing"}),
    }

    def reply(messages: list[BaseMessage]) -> Line:
        said = next(message.text for message in reversed(messages) if isinstance(message, HumanMessage))
        word = next((word for word in calls if word in said), "")
        if said.startswith("Rewrite"):
            return LIE
        if said.startswith("wait"):
            time.sleep(4)
        if not word:
            return "I can draft, forecast and write briefs."
        return SENTENCES[word] if isinstance(messages[-1], ToolMessage) else calls[word]

    return Desk(shop, lambda: ScriptedChatModel(replies=[reply] * 1000), "scripted")
