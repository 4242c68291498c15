"""Figures as links: `[1,240](#fig-chat:launch.units_12w)`, which the page opens in the inspector."""

from __future__ import annotations

import re
from typing import Literal

from agent.render import Link
from shop import Figure

Scope = Literal["chat", "brief"]
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#!|~$&])")
_ASKED = re.compile(r"#?fig-(chat|brief):([a-z0-9_.]+)")


def figure_link(scope: Scope) -> Link:
    """What stands in a page for a figure; `scope` says in whose ledger it is looked up."""

    def link(figure: Figure, text: str) -> str:
        return f"[{escape(text)}](#fig-{scope}:{figure.id})"

    return link


def escape(text: str) -> str:
    """Text from the shop's data as Markdown that shows it and does nothing else."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def asked_turn(address: str) -> str | None:
    """`#turn-1f0c…` → the id of the turn that an arrow leads to; None for anything else."""
    match = re.match(r"#?turn-([0-9a-f]{32})", address)
    return match[1] if match else None


def asked_figure(address: str) -> tuple[Scope, str] | None:
    """`#fig-chat:launch.units_12w` → (`chat`, `launch.units_12w`); None for anything else."""
    match = _ASKED.match(address)
    if match is None:
        return None
    return ("chat" if match[1] == "chat" else "brief"), match[2]
