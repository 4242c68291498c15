"""A brief as a file: every format is made from the one document, and each figure keeps its id and its origin."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.brief.claims import withheld
from agent.brief.export.as_json import to_json
from agent.brief.markdown import to_markdown
from agent.brief.types import Brief
from shop import ToolError
from shop.brief_log import Act

Signatures = Mapping[str, Act | None]
_OFFICE = "application/vnd.openxmlformats-officedocument"


@dataclass(frozen=True)
class Format:
    """A kind of file: its extension, its media type, and who writes it."""

    extension: str
    media_type: str
    write: Callable[[Brief, Signatures], bytes]


def export(brief: Brief, kind: str, signatures: Signatures | None = None) -> tuple[str, bytes]:
    """The brief as a file; a piece of copy with an unsupported claim is withheld, and says why.

    Args:
        brief: A stored brief.
        kind: One of `FORMATS`.
        signatures: Signatures given since it was written (`versions.signatures`); Word and PDF print them.

    Returns:
        The file's name and its content.

    Raises:
        ToolError: There is no such kind, or this machine lacks what it takes to write it.
    """
    if kind not in FORMATS:
        raise ToolError(f"A brief cannot be exported as {kind!r}; choose one of {', '.join(FORMATS)}.")
    return f"{brief.id}.{FORMATS[kind].extension}", FORMATS[kind].write(withheld(brief), signatures or {})


def _markdown(brief: Brief, _: Signatures) -> bytes:
    return to_markdown(brief).encode()


def _json(brief: Brief, _: Signatures) -> bytes:
    return json.dumps(to_json(brief), ensure_ascii=False, indent=2).encode()


def _word(brief: Brief, signatures: Signatures) -> bytes:
    from agent.brief.export.word import to_word

    return to_word(brief, signatures)


def _excel(brief: Brief, _: Signatures) -> bytes:
    from agent.brief.export.excel import to_excel

    return to_excel(brief)


def _pdf(brief: Brief, signatures: Signatures) -> bytes:
    from agent.brief.export.pdf import to_pdf

    return to_pdf(brief, signatures)


def _powerpoint(brief: Brief, _: Signatures) -> bytes:
    from agent.brief.export.powerpoint import to_powerpoint

    return to_powerpoint(brief)


def _calendar(brief: Brief, _: Signatures) -> bytes:
    from agent.brief.export.calendar import to_calendar

    return to_calendar(brief)


FORMATS: dict[str, Format] = {
    "markdown": Format("md", "text/markdown", _markdown),
    "word": Format("docx", f"{_OFFICE}.wordprocessingml.document", _word),
    "excel": Format("xlsx", f"{_OFFICE}.spreadsheetml.sheet", _excel),
    "pdf": Format("pdf", "application/pdf", _pdf),
    "powerpoint": Format("pptx", f"{_OFFICE}.presentationml.presentation", _powerpoint),
    "calendar": Format("ics", "text/calendar", _calendar),
    "json": Format("json", "application/json", _json),
}

__all__ = ["FORMATS", "Format", "Signatures", "export", "to_json"]
