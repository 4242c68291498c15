"""A brief as the page shows it: Markdown parts whose figures open their evidence."""

from __future__ import annotations

from agent.brief.types import Brief, Section
from agent.render import render, render_table
from ui.links import escape, figure_link

WORDS = {
    "en": {
        "go": "Go",
        "conditional": "Go, on conditions",
        "no-go": "No go",
        "missing": "Missing:",
        "error": "To mend:",
        "warning": "Note:",
        "complete": "complete",
        "incomplete": "incomplete",
        "unknown": "unknown",
        "plan": "plan",
        "data": "data up to",
    },
    "zh": {
        "go": "可以上市",
        "conditional": "有条件上市",
        "no-go": "不建议上市",
        "missing": "缺少：",
        "error": "须改：",
        "warning": "注意：",
        "complete": "完整",
        "incomplete": "不完整",
        "unknown": "未知",
        "plan": "方案",
        "data": "数据截至",
    },
}
MARKS = {"complete": "●", "incomplete": "◐", "unknown": "○"}


def heading(brief: Brief) -> str:
    """Whose brief it is, and on what it stands."""
    words = WORDS[brief.locale]
    stamp = f"{brief.id} · {words['plan']} {brief.plan_hash[:12]} · {words['data']} {brief.data_cutoff}"
    return f"# {escape(brief.subject.name)}\n\n{escape(brief.subject.category)} · <small>{stamp}</small>"


def verdict(brief: Brief) -> str:
    """The decision box."""
    decision = brief.section("decision")
    return f"## {WORDS[brief.locale][brief.verdict]}\n\n{body(brief, decision)}"


def body(brief: Brief, section: Section) -> str:
    """A section's sentences and tables, what is missing, and what the checks found."""
    link = figure_link("brief")
    parts = [render(section.template, brief.figures, brief.locale, link)]
    parts += [render_table(table, brief.figures, brief.locale, link) for table in section.tables]
    lines = [f"- **{WORDS[brief.locale]['missing']}** {escape(missing.text)}" for missing in section.missing]
    lines += [
        f"- **{WORDS[brief.locale][found.severity]}** {render(found.text, brief.figures, brief.locale, link)}"
        for found in brief.findings
        if found.section == section.id
    ]
    parts.append("\n".join(lines))
    return "\n\n".join(part for part in parts if part)


def title(brief: Brief, section: Section) -> str:
    """A section's heading with the mark of its status."""
    return f"## {section.title} <small>{MARKS[section.status]} {WORDS[brief.locale][section.status]}</small>"


def notes(brief: Brief) -> str:
    """How the brief was made, where that is worth saying."""
    return "\n\n".join(f"*{note}*" for note in brief.notes)
