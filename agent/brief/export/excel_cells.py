"""Writing cells of a workbook: what others wrote as text, figures as typed values, formulas with their values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from agent.brief.declare import Text
from agent.brief.export.document import printable
from agent.brief.types import Brief
from agent.ledger import split_placeholder
from agent.render import UNKNOWN
from shop import Figure

SHEETS = {
    "plan": Text("Plan", "测算"),
    "demand": Text("Demand", "需求"),
    "brief": Text("Brief", "简报"),
    "charts": Text("Charts", "图表"),
    "evidence": Text("Evidence", "依据"),
}
PARTS = ("", "low", "high")
LONGEST = 32767  # characters of a cell
_EPOCH = date(1899, 12, 30)  # day zero of Excel's calendar
_NUMBERS = {"share": "0.0%", "ratio": "0.00", "date": "yyyy-mm-dd", "units": "#,##0.0", "count": "#,##0", "days": "0"}
_LOOKS: dict[str, dict[str, Any]] = {
    "head": {"bold": True, "bg_color": "#EAF2F1", "bottom": 1, "bottom_color": "#D5D9DE"},
    "title": {"bold": True, "font_size": 14, "font_color": "#0B6E66"},
    "bold": {"bold": True},
    "muted": {"font_color": "#66707C"},
    "wrapped": {"text_wrap": True, "valign": "top"},
    "input": {"bg_color": "#FFF6D6", "border": 1, "border_color": "#D5D9DE"},
}


class Cells:
    """The sheets of one workbook.

    Attributes:
        sheets: By their key in `SHEETS`.
        evidence: The cell of the sheet of evidence that holds a figure (`id`) or a bound (`id.low`, `id.high`).
        at: The cell to compute with, of figures, bounds and ranges: the one nearest to the inputs.
    """

    def __init__(self, workbook: Workbook, brief: Brief) -> None:
        self.workbook, self.brief, self.locale = workbook, brief, brief.locale
        self.names = {key: name.of(self.locale) for key, name in SHEETS.items()}
        self.sheets: dict[str, Worksheet] = {key: workbook.add_worksheet(name) for key, name in self.names.items()}
        for sheet in self.sheets.values():
            sheet.set_landscape()
            sheet.fit_to_pages(1, 0)
        self.evidence: dict[str, str] = {}
        self.at: dict[str, str] = {}
        self._currency = next((figure.currency for figure in brief.figures.values() if figure.currency), "")
        self._styles: dict[tuple[str, str], Any] = {}

    def address(self, sheet: str, row: int, column: int) -> str:
        """A cell as a formula of any sheet names it."""
        return f"'{self.names[sheet]}'!{xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)}"

    def text(self, sheet: str, row: int, column: int, text: str, look: str = "") -> None:
        """Text that stays text, whatever it begins with."""
        self.sheets[sheet].write_string(row, column, printable(text)[:LONGEST], self.style(look))

    def row(self, sheet: str, row: int, texts: Sequence[str], look: str = "head") -> None:
        for column, text in enumerate(texts):
            self.text(sheet, row, column, text, look)

    def value(self, sheet: str, row: int, column: int, figure: Figure, part: str = "") -> None:
        """A figure or a bound of it as a number or a date; one that is unknown says so."""
        value, target = value_of(figure, part), self.sheets[sheet]
        if isinstance(value, date):
            target.write_datetime(row, column, value, self.style("", "date"))
        elif isinstance(value, int | float):
            target.write_number(row, column, value, self.style("", figure.unit))
        else:
            self.text(sheet, row, column, value if isinstance(value, str) else UNKNOWN[self.locale])

    def refer(self, sheet: str, row: int, column: int, figure: Figure, part: str = "", look: str = "") -> None:
        """The figure as it stands in the evidence."""
        self.formula(sheet, row, column, f"={self.evidence[part_of(figure.id, part)]}", figure, part, look)

    def formula(
        self, sheet: str, row: int, column: int, formula: str, figure: Figure, part: str = "", look: str = ""
    ) -> None:
        """A formula, with the value that the brief has, for programs that show a workbook without computing it."""
        value = value_of(figure, part)
        shown = (value - _EPOCH).days if isinstance(value, date) else UNKNOWN[self.locale] if value is None else value
        self.compute(sheet, row, column, formula, figure.unit, shown, look)

    def compute(
        self, sheet: str, row: int, column: int, formula: str, unit: str, value: float | str, look: str = ""
    ) -> None:
        """A formula that is no figure of the brief, with its value."""
        self.sheets[sheet].write_formula(row, column, formula, self.style(look, unit), value)

    def style(self, look: str, unit: str = "") -> Any:
        if (look, unit) not in self._styles:
            number = f'#,##0.00 "{self._currency}"' if unit == "money" else _NUMBERS.get(unit, "")
            self._styles[look, unit] = self.workbook.add_format(
                {**_LOOKS.get(look, {}), **({"num_format": number} if number else {})}
            )
        return self._styles[look, unit]


def part_of(name: str, part: str) -> str:
    """`id`, `id.low` or `id.high`."""
    return f"{name}.{part}" if part else name


def value_of(figure: Figure, part: str = "") -> float | int | date | str | None:
    """A figure's value, or a bound."""
    value: float | int | date | str | None = getattr(figure, part) if part else figure.value
    return value


def named(brief: Brief, name: str) -> tuple[Figure | None, str]:
    """The figure that `id.low` names, and the part; None where the brief has none."""
    stem, part = split_placeholder(name) if name else ("", "")
    return brief.figures.get(stem), part
