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
    "price.payment_fee",
    "price.delivery_cost",
    "item.cost",
    "item.budget",
    "buy.first_buy",
    "launch.units_12w",
    "price.elasticity",
    "economics.step",
)
_OUTLAY = "({buy.cash}+SUM({item.budget}))"
_FIRST = "{buy.first_buy}*{price.net}"
_WAS = "{units}*({price.net}-{item.cost})"
_FEES = ("price.payment_fee", "price.delivery_cost")
_NET = "*(1-SUM({price.payment_fee}))-SUM({price.delivery_cost})"  # one that is not set is nothing to add up
_CHEAPER = (
    "{units}*(1-{economics.step})^{price.elasticity}"
    f"*({{price.planned}}*(1-{{economics.step}}){_NET}-{{item.cost}})"
)


@dataclass(frozen=True)
class Live:
    """A figure that the workbook computes.

    Args:
        figure: Its id.
        formula: Over other figures; `{units}` is the demand at the price that stands in the inputs.
        of: The sources that the brief's figure must have; empty for a tool's, which must equal `check`.
        unless: Those of them that it may lack, since nothing was set.
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
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """Rows of the sheet under one heading."""

    title: Text
    rows: tuple[Live, ...]


_MARGIN = ("price.net", "item.cost")
_ALL = ("launch.units_12w", *_MARGIN)
BLOCKS = (
    Block(
        Text("Unit economics", "单位经济"),
        (
            Live(
                "launch.revenue_12w", "{units}*{price.planned}", (), ("launch.units_12w", "price.planned"), ("units",)
            ),
            Live(
                "price.net",
                f"{{price.planned}}{_NET}",
                ("price.planned", *_FEES),
                needs=("price.planned",),
                unless=_FEES,
            ),
            Live("economics.unit_contribution", "{price.net}-{item.cost}", _MARGIN),
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
            Live(
                "decision.cash_at_risk",
                _OUTLAY,
                ("buy.cash", "item.budget"),
                needs=("buy.cash",),
                unless=("item.budget",),
            ),
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
                f"IF({_OUTLAY}<={_FIRST},ROUNDUP({_OUTLAY}/{{price.net}},0),"
                f"IF({{price.net}}>{{item.cost}},"
                f"ROUNDUP({{buy.first_buy}}+({_OUTLAY}-{_FIRST})/({{price.net}}-{{item.cost}}),0),{{never}}))",
                ("buy.cash", "price.net", "item.cost", "buy.first_buy"),
                needs=("buy.cash", "price.net", "item.cost", "buy.first_buy"),
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
            Live("economics.lever_cost", "-{economics.step}*{units}*{item.cost}", _ALL, spread=("units",)),
            Live(
                "economics.lever_price",
                f"{_CHEAPER}-{_WAS}",
                ("launch.units_12w", "price.planned", "item.cost", "price.elasticity", *_FEES),
                spread=("units",),
                needs=("units", "price.net", "item.cost", "price.elasticity", "economics.step"),
                unless=_FEES,
            ),
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
    return of == tuple(name for name in row.of if name in of or name not in row.unless)
