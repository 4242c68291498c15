"""A brief as PDF, set by Typst from `house.typ`: the texts go in as data, so none of them can be markup."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from importlib.resources import files
from typing import Any

import typst

from agent.brief.export.charts import CHINESE_FONTS, chart_image
from agent.brief.export.document import WORDS, PrintedTable, Runs, document_of
from agent.brief.types import Brief
from shop import ToolError
from shop.brief_log import Act
from shop.text import CHINESE

_ROOT = "agent.brief.export"
_LONG = re.compile(r"[^\s\u3400-\u9fff]{30}")
LATIN_FONTS = (
    "Noto Sans",
    "Liberation Sans",
    "Arial",
    "Helvetica",
    "DejaVu Sans",
    "Libertinus Serif",
)  # the last is Typst's


def to_pdf(brief: Brief, signatures: Mapping[str, Act | None], fonts: typst.Fonts | None = None) -> bytes:
    """The brief as a tagged PDF with bookmarks; the same brief gives the same bytes.

    Args:
        brief: A stored brief.
        signatures: The latest word of every office; empty prints none.
        fonts: What it may be set in; None takes what is installed here.

    Raises:
        ToolError: It holds Chinese and no font here has Chinese characters.
    """
    data = _data(brief, signatures)
    fonts = fonts or typst.Fonts()
    there = fonts.families()
    latin, chinese = ([name for name in wanted if name in there][:1] for wanted in (LATIN_FONTS, CHINESE_FONTS))
    text = json.dumps({**data, "fonts": [*latin, *chinese]}, ensure_ascii=False)
    if CHINESE.search(text) and not chinese:
        raise ToolError(
            "No font here has Chinese characters, so the PDF would be empty boxes; install one, such as Debian's "
            "fonts-noto-cjk, or export to Word, which takes the reader's own fonts."
        )
    made_on = datetime.combine(brief.created_on, time(), UTC)
    source = files(_ROOT).joinpath("house.typ").read_bytes()
    return bytes(typst.compile(source, format="pdf", font_paths=fonts, sys_inputs={"brief": text}, timestamp=made_on))


def _data(brief: Brief, signatures: Mapping[str, Act | None]) -> dict[str, Any]:
    printed = document_of(brief, signatures)
    return {
        "language": brief.locale,
        "title": printed.title,
        "stamp": printed.stamp,
        "notes": printed.notes,
        "parts": [
            {
                "title": part.title,
                "paragraphs": [_runs(each) for each in part.paragraphs],
                "bullets": [_runs(each) for each in part.bullets],
                "tables": [_table(each) for each in part.tables],
                "charts": [
                    {"title": chart.title, "svg": chart_image(chart, brief.figures, brief.locale, "svg").decode()}
                    for chart in part.charts
                ],
            }
            for part in printed.parts
        ],
        "signatures": {"title": WORDS["signatures"].of(brief.locale), "rows": printed.signatures},
        "calls": {"title": WORDS["calls"].of(brief.locale), "rows": _breakable(printed.calls)},
        "evidence": {"title": WORDS["evidence"].of(brief.locale), "rows": _breakable(printed.evidence)},
    }


def _breakable(rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """Rows whose long words may break; not the first cell, an id that a reader may search for."""
    return [[row[0], *(_LONG.sub("\\g<0>\u200b", cell) for cell in row[1:])] for row in rows]


def _runs(runs: Runs) -> list[tuple[str, str]]:
    return [(run.text, run.figure) for run in runs]


def _table(table: PrintedTable) -> dict[str, Any]:
    rows = [[_runs(cell) for cell in row] for row in (table.columns, *table.rows)]
    return {"title": _runs(table.title), "rows": rows}
