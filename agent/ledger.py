"""The figure ledger: every value a reader sees, the placeholder syntax that names it, and the check for bare digits."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from shop import Figure, Rows, ToolResult
from shop.types import Chart, Table, Unit

PLACEHOLDER = re.compile(r"\{\{\s*([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)\s*\}\}")
PARTS = ("low", "high")
# P10, P50 and P90 name quantiles; they are words of the trade, not figures.
_TERMS = re.compile(r"(?<![A-Za-z0-9])P(?:10|50|90)(?![A-Za-z0-9])")  # \b sees no edge beside a Chinese character
# A number written out is a figure too. Below twelve, words such as "one" and "first" are ordinary prose.
_NUMBER_WORDS = re.compile(
    r"\b(?:(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|twelve|"
    r"hundreds?|thousands?|millions?|billions?|dozens?)\b"
    r"|百分之|[〇零一二三四五六七八九十两]*[十百千万亿][〇零一二三四五六七八九十百千万亿两]*(?=[个件元块天周月年%％台套支瓶盒箱])"
    r"|[一二三四五六七八九两][十百千亿][〇零一二三四五六七八九十百千万亿两]*|十[一二三四五六七八九]",
    re.IGNORECASE,
)


class UnknownFigure(KeyError):
    """A placeholder names a figure that is not in the ledger."""


def split_placeholder(name: str) -> tuple[str, str]:
    """`launch.units_12w.low` → (`launch.units_12w`, `low`); without a part the second is empty."""
    stem, _, part = name.rpartition(".")
    return (stem, part) if part in PARTS and "." in stem else (name, "")


def placeholders(template: str) -> list[str]:
    """Names of the figures a template uses, in order, parts kept."""
    return PLACEHOLDER.findall(template)


def bare_numbers(template: str) -> list[str]:
    """Runs of digits, in any script, and spelled-out numbers that stand outside placeholders."""
    text = _TERMS.sub(" ", PLACEHOLDER.sub(" ", template))
    found, run = [], ""
    for char in text + " ":
        if unicodedata.category(char) in ("Nd", "No", "Nl"):
            run += char
        elif run:
            found.append(run)
            run = ""
    return found + _NUMBER_WORDS.findall(text)


class Ledger(Mapping[str, Figure]):
    """Figures by id. An id is given once; the same call made twice is one entry.

    Args:
        entering: What becomes of a figure on its way in, such as one that a person has set by hand.
    """

    def __init__(self, entering: Callable[[Figure], Figure] = lambda figure: figure) -> None:
        self._entering = entering
        self._figures: dict[str, Figure] = {}
        self._results: dict[str, ToolResult] = {}

    def __getitem__(self, figure_id: str) -> Figure:
        found = self._figures.get(figure_id) or self._figures.get(split_placeholder(figure_id)[0])
        if found is None:
            raise UnknownFigure(figure_id)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    @property
    def results(self) -> tuple[ToolResult, ...]:
        """Results added so far, in order, with the ids under which their figures stand here."""
        return tuple(self._results.values())

    def add(self, result: ToolResult, prefix: str = "") -> ToolResult:
        """Enter a result's figures; return it with the ids under which they stand.

        A second call of the same tool with other inputs would reuse ids, so its first id part is numbered:
        `launch.units_12w` becomes `launch2.units_12w`, in the figures and in every text of the result. Where the order
        of calls must not show, `prefix` says what the first id part becomes.
        """
        if result.call in self._results:
            return self._results[result.call]
        number = 1
        renamed = {f.id: f"{prefix}.{f.id.partition('.')[2]}" if prefix else f.id for f in result.figures}
        while any(new in self._figures for new in renamed.values()):
            number += 1
            renamed = {f.id: re.sub(r"^([a-z_]+)\d*\.", rf"\g<1>{number}.", f.id) for f in result.figures}
        if any(old != new for old, new in renamed.items()):
            result = _rename(result, renamed)
        result = result.model_copy(update={"figures": tuple(self._entering(f) for f in result.figures)})
        self._figures.update({f.id: f for f in result.figures})
        self._results[result.call] = result
        return result

    def derive(
        self,
        figure_id: str,
        label: str,
        value: float | int | date | str | None,
        unit: Unit,
        formula: str,
        of: tuple[str, ...] = (),
        reason: str = "",
        low: float | None = None,
        high: float | None = None,
        currency: str = "",
        as_of: date | None = None,
        rows: Rows | None = None,
        untrusted: bool = False,
    ) -> Figure:
        """Enter a figure computed from others (a sum, a share, a count): its inputs are the ids it was made of.

        Currency and data date are those of the sources; give them where there is no source to take them from. What
        is read from stored rows names them; what is computed from figures of one set of rows rests on that set.
        """
        sources = [self[source] for source in of]
        inputs = {"of": list(of)}
        material = json.dumps([figure_id, inputs, [s.input_hash for s in sources]], sort_keys=True)
        figure = Figure(
            id=figure_id,
            label=label,
            value=value,
            unit=unit,
            low=low,
            high=high,
            formula=formula,
            rows=rows or _shared_rows(sources),
            reason=reason,
            untrusted=untrusted,
            call=f"ledger-{hashlib.sha256(material.encode()).hexdigest()[:12]}",
            tool="ledger",
            inputs=inputs,
            input_hash=hashlib.sha256(material.encode()).hexdigest()[:12],
            currency=next((s.currency for s in sources if s.currency), currency) if unit == "money" else "",
            as_of=max((s.as_of for s in sources if s.as_of), default=as_of),
        )
        if figure_id in self._figures:
            raise ValueError(f"figure {figure_id} is already in the ledger")
        figure = self._entering(figure)
        self._figures[figure_id] = figure
        return figure

    def restore(self, results: Iterable[ToolResult], figures: Iterable[Figure]) -> None:
        """Enter what stood in a ledger before, under the ids it had."""
        self._figures.update({figure.id: figure for figure in figures})
        self._results.update({result.call: result for result in results})

    def missing(self, template: str) -> list[str]:
        """Placeholders of a template that name no figure here, or a bound that the figure does not have."""
        absent = []
        for name in placeholders(template):
            stem, part = split_placeholder(name)
            if stem not in self._figures or (part and getattr(self._figures[stem], part) is None):
                absent.append(name)
        return absent

    def as_json(self) -> dict[str, dict[str, Any]]:
        """Figures by id with label, value, unit, interval, tool, inputs, formula, rows and data date."""
        return {key: figure.model_dump(mode="json", exclude={"id"}) for key, figure in self._figures.items()}


def _shared_rows(sources: Sequence[Figure]) -> Rows | None:
    """The rows behind figures, where all that have any have the same."""
    known = [source.rows for source in sources if source.rows is not None]
    return known[0] if known and all(rows == known[0] for rows in known) else None


def _rename(result: ToolResult, renamed: Mapping[str, str]) -> ToolResult:
    def fix(text: str) -> str:
        def one(match: re.Match[str]) -> str:
            stem, part = split_placeholder(match[1])
            return "{{" + renamed.get(stem, stem) + (f".{part}" if part else "") + "}}"

        return PLACEHOLDER.sub(one, text)

    def fix_id(name: str) -> str:
        return fix("{{" + name + "}}")[2:-2]

    def fix_table(table: Table) -> Table:
        rows = tuple(tuple(fix(cell) for cell in row) for row in table.rows)
        return Table(title=fix(table.title), columns=tuple(fix(c) for c in table.columns), rows=rows)

    def fix_chart(chart: Chart) -> Chart:
        series = {name: tuple(fix_id(i) for i in ids) for name, ids in chart.series.items()}
        return chart.model_copy(
            update={"title": fix(chart.title), "x": tuple(fix_id(i) for i in chart.x), "series": series}
        )

    return result.model_copy(
        update={
            "summary": fix(result.summary),
            "figures": tuple(f.model_copy(update={"id": renamed[f.id]}) for f in result.figures),
            "tables": tuple(fix_table(table) for table in result.tables),
            "chart": fix_chart(result.chart) if result.chart else None,
            "warnings": tuple(fix(w) for w in result.warnings),
        }
    )
