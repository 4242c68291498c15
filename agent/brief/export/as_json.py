"""A brief as JSON, in the shape that the command line and the benchmarks promise."""

from __future__ import annotations

from typing import Any

from agent.brief.markdown import section_text
from agent.brief.types import Brief
from agent.render import render

_FIGURE_FIELDS = {
    "label", "value", "unit", "low", "high", "tool", "inputs", "formula", "as_of",
    "currency", "reason", "rows", "call", "version", "input_hash",
}  # fmt: skip


def to_json(brief: Brief) -> dict[str, Any]:
    """The brief with its values in place: verdict, sections, every figure with its origin, unbacked digits, findings.

    Beyond the promised fields a figure carries its currency, the reason why it is unknown, the rows behind it, and the
    call with tool version and input hash.
    """
    return {
        "id": brief.id,
        "plan_hash": brief.plan_hash,
        "data_cutoff": brief.data_cutoff.isoformat(),
        "verdict": brief.verdict,
        "sections": [
            {
                "id": section.id,
                "title": section.title,
                "status": section.status,
                "text": section_text(brief, section),
                "figures": list(section.figures),
                "missing": [missing.text for missing in section.missing],
            }
            for section in brief.sections
        ],
        "figures": {
            name: figure.model_dump(mode="json", include=_FIGURE_FIELDS) for name, figure in brief.figures.items()
        },
        "unbacked": list(brief.unbacked),
        "findings": [
            {
                **found.model_dump(),
                "text": render(found.text, brief.figures, brief.locale),
                "mend": render(found.mend, brief.figures, brief.locale),
            }
            for found in brief.findings
        ],
        "seconds": brief.seconds,
    }
