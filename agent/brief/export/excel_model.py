"""The arithmetic of a brief as Excel formulas over cells that a manager may change.

Every formula is that of `agent.brief.sections`, and stands only where the brief's figure was made from the same
sources; a figure that was made otherwise, or set by hand, stands as a value.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.brief.declare import Text
from agent.brief.overrides import BY_HAND
from agent.brief.types import Brief

# What a manager may change, in the order of the sheet.
INPUTS = (
    "price.planned",
    "item.cost",
    "item.budget",
    "buy.first_buy",
    "launch.units_12w",
    "price.elasticity",
    "economics.step",
)
_OUTLAY = "({buy.cash}+SUM({item.budget}))"
_FIRST = "{buy.first_buy}*{price.planned}"
_WAS = "{units}*({price.planned}-{item.cost})"
_CHEAPER = "{units}*(1-{economics.step})^{price.elasticity}*({price.planned}*(1-{economics.step})-{item.cost})"


@dataclass(frozen=True)
class Live:
    """A figure that the workbook computes.

    Args:
        figure: Its id.
        formula: Over other figures; `{units}` is the demand at the price that stands in the inputs.
        of: The sources that the brief's figure must have; empty for a tool's, which must equal `check`.
        check: Two figures whose product a tool's figure must be.
        spread: Figures in the formula that carry the interval.
        needs: Figures that must be numbers; without them the cell says that it is unknown.
    """

    figure: str
    formula: str
    of: tuple[str, ...] = ()
    check: tuple[str, str] | None = None
    spread: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """Rows of the sheet under one heading."""

    title: Text
    rows: tuple[Live, ...]


_MARGIN = ("price.planned", "item.cost")
_ALL = ("launch.units_12w", *_MARGIN)
BLOCKS = (
    Block(
        Text("Unit economics", "单位经济"),
        (
            Live(
                "launch.revenue_12w", "{units}*{price.planned}", (), ("launch.units_12w", "price.planned"), ("units",)
            ),
            Live("economics.unit_contribution", "{price.planned}-{item.cost}", _MARGIN),
            Live(
                "economics.contribution_rate",
                "{economics.unit_contribution}/{price.planned}",
                ("economics.unit_contribution", "price.planned"),
            ),
            Live(
                "economics.contribution_12w",
                "{units}*{economics.unit_contribution}",
                ("launch.units_12w", "economics.unit_contribution"),
                spread=("units",),
            ),
        ),
    ),
    Block(
        Text("First buy and cash", "首单与资金"),
        (
            Live("buy.cash", "{buy.first_buy}*{item.cost}", (), ("buy.first_buy", "item.cost")),
            Live("decision.cash_at_risk", _OUTLAY, ("buy.cash", "item.budget"), needs=("buy.cash",)),
            Live(
                "decision.unsold_at_low",
                "MAX(0,{buy.first_buy}-{units.low})*{item.cost}",
                ("buy.first_buy", "item.cost", "launch.units_12w"),
            ),
        ),
    ),
    Block(
        Text("Break-even", "保本"),
        (
            Live(
                "economics.break_even_units",
                f"IF({_OUTLAY}<={_FIRST},ROUNDUP({_OUTLAY}/{{price.planned}},0),"
                f"IF({{price.planned}}>{{item.cost}},"
                f"ROUNDUP({{buy.first_buy}}+({_OUTLAY}-{_FIRST})/({{price.planned}}-{{item.cost}}),0),{{never}}))",
                ("buy.cash", "price.planned", "item.cost", "buy.first_buy"),
                needs=("buy.cash", "price.planned", "item.cost", "buy.first_buy"),
            ),
            Live(
                "economics.payback_week",
                "IF(SUM({covered})>0,COUNT({weeks})-SUM({covered})+1,{never})",
                needs=("economics.break_even_units",),
            ),
        ),
    ),
    Block(
        Text("What moves contribution", "影响贡献的因素"),
        (
            Live("economics.lever_demand", f"-{{economics.step}}*{_WAS}", _ALL, spread=("units",)),
            Live(
                "economics.lever_cost",
                f"{{units}}*({{price.planned}}-{{item.cost}}*(1+{{economics.step}}))-{_WAS}",
                _ALL,
                spread=("units",),
            ),
            Live("economics.lever_price", f"{_CHEAPER}-{_WAS}", (*_ALL, "price.elasticity"), spread=("units",)),
        ),
    ),
    Block(
        Text("Base rate", "基准比率"),
        (
            Live(
                "decision.base_rate",
                "{launch.base_rate_hit}/{launch.base_rate_of}",
                ("launch.base_rate_hit", "launch.base_rate_of"),
            ),
        ),
    ),
)


def is_live(brief: Brief, row: Live) -> bool:
    """Whether the workbook computes this figure as the brief did."""
    figure = brief.figures.get(row.figure)
    if figure is None or BY_HAND in figure.inputs:
        return False
    if row.check is not None:
        one, other = (brief.figures[name].value if name in brief.figures else None for name in row.check)
        parts = (figure.value, one, other)
        if not all(isinstance(part, int | float) for part in parts):
            return figure.value is None
        whole, left, right = (float(part) for part in parts)  # type: ignore[arg-type]
        return abs(whole - left * right) <= 1e-6 * max(1.0, abs(whole))
    if row.figure == "economics.payback_week":
        return {"economics.break_even_units", "launch.units_12w"} <= set(figure.inputs.get("of", ()))
    of = tuple(figure.inputs.get("of", ()))
    return of == row.of or (of == row.of[:1] and row.figure == "decision.cash_at_risk")
