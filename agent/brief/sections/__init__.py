"""The sections of a brief, in the order in which they are printed. One module each; a new one is listed here."""

from __future__ import annotations

from agent.brief.declare import SectionPlan
from agent.brief.sections import analogues, buy, decision, demand, economics, evidence, item, price

SECTIONS: tuple[SectionPlan, ...] = (
    decision.SECTION,
    item.SECTION,
    analogues.SECTION,
    demand.SECTION,
    price.SECTION,
    economics.SECTION,
    buy.SECTION,
    evidence.SECTION,
)
