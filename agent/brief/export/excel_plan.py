"""The computing sheets of the workbook: inputs that a manager may change, what follows from them, demand by week."""

from __future__ import annotations

import re
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell

from agent.brief.declare import Text
from agent.brief.export.document import Document
from agent.brief.export.excel_cells import PARTS, Cells, part_of
from agent.brief.export.excel_model import BLOCKS, INPUTS, Live, is_live
from agent.render import UNKNOWN, render
from agent.spoken import spoken_plain

_SAID = {
    "inputs": Text("Inputs: change the yellow cells", "输入：可修改黄色单元格"),
    "yours": Text("Yours", "您的数值"),
    "low": Text("Low", "下限"),
    "high": Text("High", "上限"),
    "brief": Text("In the brief", "简报数值"),
    "change": Text("Change", "变动"),
    "figure": Text("Figure", "编号"),
    "units": Text("Units at your price", "按您的售价的销量"),
    "never": Text("not within the horizon", "期内达不到"),
    "week": Text("Week", "周"),
    "from": Text("From", "起始日"),
    "spread": Text("Yours", "您的数值"),
    "run": Text("Units so far", "累计销量"),
    "revenue": Text("Revenue", "销售额"),
    "covered": Text("Outlay covered", "已回本"),
    "total": Text("Total", "合计"),
    "note": Text(
        "P10, P50 and P90 are the forecast. Yours spreads the units of the plan as the P50 weeks are spread.",
        "P10、P50、P90为预测值；“您的数值”把测算表中的总销量按P50各周比例分摊。",
    ),
}
_REFERENCE = re.compile(r"\{([a-z_0-9.]+)\}")
_WEEK = re.compile(r"launch\.week_\d+")
_DECISION_HEIGHT = 66  # points
_UNITS = "launch.units_12w"
_TINY = "(1-1E-9)"  # as `payback.week_reached` allows for rounding


def write_plan(cells: Cells, printed: Document) -> None:
    """The plan and, since it stands on it, demand by week."""
    brief = cells.brief
    cells.text("plan", 0, 0, printed.title, "title")
    cells.text("plan", 1, 0, "   ".join(" ".join(pair) for pair in printed.stamp), "muted")
    cells.sheets["plan"].merge_range(2, 0, 2, 6, "", cells.style("wrapped"))
    cells.sheets["plan"].set_row(2, _DECISION_HEIGHT)
    cells.text("plan", 2, 0, render(brief.section("decision").text, brief.figures, cells.locale), "wrapped")
    row = _inputs(cells, 4)
    weeks = [name for name in brief.figures if _WEEK.fullmatch(name)]
    _demand(cells, weeks)
    for block in BLOCKS:
        known = [line for line in block.rows if line.figure in brief.figures]
        head = (
            block.title.of(cells.locale),
            *map(_saying(cells), ("yours", "low", "high", "brief", "change", "figure")),
        )
        cells.row("plan", row, head)
        for at, line in enumerate(known, start=row + 1):
            _live(cells, at, line)
        row += len(known) + 2
    _covered(cells, weeks)
    sheet = cells.sheets["plan"]
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, 5, 15)
    sheet.set_column(6, 6, 30)


def _saying(cells: Cells) -> Any:
    return lambda key: _SAID[key].of(cells.locale)


def _inputs(cells: Cells, row: int) -> int:
    """Yellow cells, which start from the evidence, and the units at the price among them; returns the next free row."""
    figures = cells.brief.figures
    cells.row(
        "plan", row, [*map(_saying(cells), ("inputs", "yours", "low", "high", "brief")), "", _saying(cells)("figure")]
    )
    for name in (each for each in INPUTS if each in figures):
        row += 1
        cells.text("plan", row, 0, spoken_plain(figures[name].label, cells.locale))
        cells.refer("plan", row, 4, figures[name])
        cells.text("plan", row, 6, name, "muted")
        for column, part in enumerate(PARTS, start=1):
            if part_of(name, part) in cells.evidence:
                cells.refer("plan", row, column, figures[name], part, "input")
                cells.at[part_of(name, part)] = cells.address("plan", row, column)
    return _units(cells, row + 1) + 1 if _UNITS in figures else row + 2


def _units(cells: Cells, row: int) -> int:
    """The forecast, moved along the elasticity to the price that stands in the inputs."""
    was, now, slope = (cells.at.get(name) for name in ("launch.price", "price.planned", "price.elasticity"))
    moved = f"*IF(COUNT({was},{now},{slope})=3,({now}/{was})^{slope},1)" if was and now and slope else ""
    cells.text("plan", row, 0, _SAID["units"].of(cells.locale))
    cells.text("plan", row, 6, _UNITS, "muted")
    for column, part in enumerate(PARTS, start=1):
        if part_of(_UNITS, part) in cells.evidence:
            formula = f"={cells.at[part_of(_UNITS, part)]}{moved}"
            cells.formula("plan", row, column, formula, cells.brief.figures[_UNITS], part)
            cells.at[part_of("units", part)] = cells.address("plan", row, column)
    return row + 1


def _live(cells: Cells, row: int, line: Live) -> None:
    """A figure computed from the inputs, beside what the brief says, and by how much they differ."""
    figure, live = cells.brief.figures[line.figure], is_live(cells.brief, line)
    cells.text("plan", row, 0, figure.label)
    cells.refer("plan", row, 4, figure)
    cells.text("plan", row, 6, line.figure, "muted")
    for column, part in enumerate(PARTS, start=1):
        key = part_of(line.figure, part)
        if key not in cells.evidence or (part and not line.spread):
            continue
        cells.formula(
            "plan", row, column, _formula(cells, line, part) if live else f"={cells.evidence[key]}", figure, part
        )
        cells.at[key] = cells.address("plan", row, column)
    yours, said = cells.at[line.figure], cells.evidence[line.figure]
    known = isinstance(figure.value, int | float)
    cells.compute("plan", row, 5, f'=IF(COUNT({yours},{said})=2,{yours}-{said},"")', figure.unit, 0 if known else "")


def _formula(cells: Cells, line: Live, part: str) -> str:
    """A live formula over cells; where one of the numbers it needs is unknown, it says so."""

    def at(end: str) -> str:
        def cell(match: re.Match[str]) -> str:
            if match[1] == "never":
                return f'"{_SAID["never"].of(cells.locale)}"'
            return cells.at.get(part_of(match[1], end if match[1] in line.spread else ""), '"?"')

        return _REFERENCE.sub(cell, line.formula)

    # The lower bound of a loss stands where demand is high.
    text = at("") if not part else f"{'MIN' if part == 'low' else 'MAX'}({at('low')},{at('high')})"
    needed = line.needs or dict.fromkeys(_REFERENCE.findall(line.formula))
    places = ",".join(cells.at.get(name, '"?"') for name in needed)
    return f'=IF(COUNT({places})={len(needed)},{text},"{UNKNOWN[cells.locale]}")'


def _demand(cells: Cells, weeks: list[str]) -> None:
    """Week by week: the forecast as it is, and the plan's units spread as its P50 weeks are."""
    says, figures, last = _saying(cells), cells.brief.figures, len(weeks)
    spread = [f"{says('spread')}, {name}" for name in ("P10", "P50", "P90")]
    head = (says("week"), says("from"), "P10", "P50", "P90", *spread, says("run"), says("revenue"), says("covered"))
    cells.row("demand", 0, head)
    for row, name in enumerate(weeks, start=1):
        cells.sheets["demand"].write_number(row, 0, row)
        if f"{name}_start" in figures:
            cells.refer("demand", row, 1, figures[f"{name}_start"])
        for column, part in ((2, "low"), (3, ""), (4, "high")):
            if part_of(name, part) in cells.evidence:
                cells.refer("demand", row, column, figures[name], part)
    cells.text("demand", last + 3, 0, _SAID["note"].of(cells.locale), "muted")
    cells.sheets["demand"].set_column(0, 10, 14)
    if weeks:
        _spread(cells, weeks)
        _fan(cells, last)


def _spread(cells: Cells, weeks: list[str]) -> None:
    figures, last = cells.brief.figures, len(weeks)
    weekly = [_number(figures[name].value) for name in weeks]
    whole, price = sum(weekly), _number(figures["price.planned"].value if "price.planned" in figures else None)
    shares = [units / whole if whole else 0.0 for units in weekly]
    total = f"SUM($D$2:$D${last + 1})"
    units = {part: _number(getattr(figures[_UNITS], part or "value")) if _UNITS in figures else 0.0 for part in PARTS}
    for row, share in enumerate(shares, start=1):
        for column, part in ((5, "low"), (6, ""), (7, "high")):
            if part_of("units", part) in cells.at:
                formula = f"=IF({total}=0,0,{cells.at[part_of('units', part)]}*$D{row + 1}/{total})"
                cells.compute("demand", row, column, formula, "units", units[part] * share)
        cells.compute("demand", row, 8, f"=SUM($G$2:$G{row + 1})", "units", units[""] * sum(shares[:row]))
        if "price.planned" in cells.at:
            formula = f"=$G{row + 1}*{cells.at['price.planned']}"
            cells.compute("demand", row, 9, formula, "money", units[""] * share * price)
    cells.text("demand", last + 1, 0, _SAID["total"].of(cells.locale), "bold")
    for column, part in ((5, "low"), (6, ""), (7, "high")):
        column_cells = f"{xl_rowcol_to_cell(1, column)}:{xl_rowcol_to_cell(last, column)}"
        cells.compute("demand", last + 1, column, f"=SUM({column_cells})", "units", units[part])
    cells.compute("demand", last + 1, 9, f"=SUM(J2:J{last + 1})", "money", units[""] * price)
    for name, column in (("weeks", 0), ("covered", 10)):
        first, end = (cells.address("demand", at, column) for at in (1, last))
        cells.at[name] = f"{first}:{end.split('!')[1]}"


def _covered(cells: Cells, weeks: list[str]) -> None:
    """By week, whether the units so far cover the outlay; the payback week counts those that do not."""
    target = cells.at.get("economics.break_even_units", "")
    payback = cells.brief.figures.get("economics.payback_week")
    reached = _number(payback.value) if payback is not None else 0.0
    for row in range(1, len(weeks) + 1 if target else 1):
        formula = f"=IF(COUNT({target})=1,IF($I{row + 1}>={target}*{_TINY},1,0),0)"
        cells.compute("demand", row, 10, formula, "count", int(0 < reached <= row))


def _fan(cells: Cells, last: int) -> None:
    chart: Any = cells.workbook.add_chart({"type": "line"})
    name = cells.names["demand"]
    for column, title in ((2, "P10"), (3, "P50"), (4, "P90")):
        middle = title == "P50"
        line = {"color": "#0b6e66", "width": 2.25 if middle else 1, "dash_type": "solid" if middle else "dash"}
        where = {"categories": [name, 1, 1, last, 1], "values": [name, 1, column, last, column]}
        chart.add_series({"name": title, "line": line, **where})
    chart.set_title({"name": name, "name_font": {"size": 12}})
    chart.set_size({"width": 720, "height": 300})
    cells.sheets["demand"].insert_chart(last + 5, 0, chart)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
