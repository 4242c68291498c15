"""Demand forecast: units week by week, and how far such forecasts were off in the past."""

from __future__ import annotations

from agent.brief.declare import DATA, Fact, Graph, Grid, Line, SectionPlan, Text, numbered, same
from agent.brief.plan import HORIZON_WEEKS, Plan


def derive(plan: Plan) -> None:
    units = plan.numbers("launch.week_#")
    for n in range(1, len(units) + 1):
        plan.enter(f"demand.week_{n:02d}", "Week since launch", n, "count", "weeks counted from the launch")
    if units:
        names = tuple(f"launch.week_{n:02d}" for n in range(1, len(units) + 1))
        peak, best = units.index(max(units)) + 1, "highest weekly P50 units"
        plan.ledger.derive("demand.peak_week", "Strongest week", peak, "count", f"week with the {best}", names)
        plan.ledger.derive("demand.peak_units", "Units in the strongest week", max(units), "units", best, names)


_NEEDS, _TOTAL = ("item.category",), ("launch.units_12w",)
SECTION = SectionPlan(
    id="demand",
    title=Text("Demand forecast", "需求预测"),
    calls=("forecast_launch",),
    after=("price",),
    derive=derive,
    prose=True,
    facts=(
        Fact("launch.units_12w", Text("units", "销量"), True, DATA, _NEEDS, said=True, spread=True),
        Fact("launch.horizon", Text("first", "上市"), supplier=DATA),
        Fact("demand.peak_week", Text("strongest week", "高峰周"), supplier=DATA),
        Fact("launch.wape", Text("error on past launches", "历史误差"), True, DATA, _TOTAL),
        Fact("launch.bias", Text("bias", "偏差"), True, DATA, _TOTAL),
        Fact("launch.coverage", Text("interval coverage", "区间覆盖率"), True, DATA, _TOTAL),
    ),
    lines=(
        Line(
            Text(
                "In its first {{launch.horizon}} the product should sell {{launch.units_12w}} units at P50, "
                "{{launch.units_12w.low}} at P10 and {{launch.units_12w.high}} at P90.",
                "上市{{launch.horizon}}内预计销量{{launch.units_12w}}件（P50），P10为{{launch.units_12w.low}}件，"
                "P90为{{launch.units_12w.high}}件。",
            )
        ),
        Line(
            Text(
                "Week {{demand.peak_week}} is the strongest, at {{demand.peak_units}} units.",
                "高峰在第{{demand.peak_week}}周，约{{demand.peak_units}}件。",
            )
        ),
        Line(
            Text(
                "Replayed on {{launch.backtests}} past launches, the method was off by {{launch.wape}} of sales (WAPE) "
                "with a bias of {{launch.bias}}.",
                "用{{launch.backtests}}个历史新品回测，误差（WAPE）{{launch.wape}}，偏差{{launch.bias}}。",
            )
        ),
        Line(
            Text(
                "Of those outcomes {{launch.coverage}} fell between P10 and P90.",
                "实际值落在P10至P90之间的占{{launch.coverage}}。",
            )
        ),
    ),
    tables=(
        Grid(
            Text("Units by week", "逐周销量"),
            (Text("Week", "周"), Text("From", "起始日"), same("P10"), same("P50"), same("P90")),
            numbered(
                range(1, HORIZON_WEEKS + 1),
                "{{demand.week_#}}",
                "{{launch.week_#_start}}",
                "{{launch.week_#.low}}",
                "{{launch.week_#}}",
                "{{launch.week_#.high}}",
                width=2,
            ),
        ),
    ),
    charts=(
        Graph(
            "fan",
            Text("Units by week", "逐周销量"),
            Text("Week from", "起始日"),
            Text("Units", "件"),
            "launch.week_#_start",
            ((same("P10"), "launch.week_#.low"), (same("P50"), "launch.week_#"), (same("P90"), "launch.week_#.high")),
            width=2,
        ),
    ),
)
