"""The launch brief, plan-then-execute: `compile_brief` runs tools, decides, words and stores; the rest shows it."""

from agent.brief.archive import briefs_of, load_brief
from agent.brief.compile import Cancelled, compile_brief
from agent.brief.export import to_json
from agent.brief.markdown import to_markdown, to_text
from agent.brief.types import Brief, BriefSettings, Finding, Missing, Section
from agent.brief.write import brief_writer

__all__ = [
    "Brief",
    "BriefSettings",
    "Cancelled",
    "Finding",
    "Missing",
    "Section",
    "brief_writer",
    "briefs_of",
    "compile_brief",
    "load_brief",
    "to_json",
    "to_markdown",
    "to_text",
]
