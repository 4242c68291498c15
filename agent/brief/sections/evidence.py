"""Evidence: which calls the figures come from. The renderers add one row per figure below it."""

from __future__ import annotations

from agent.brief.declare import Grid, Line, SectionPlan, Text, numbered
from agent.brief.plan import Plan

MAX_CALLS = 40


def derive(plan: Plan) -> None:
    results = plan.ledger.results
    made = sum(figure.tool != "ledger" for figure in plan.ledger.values())
    plan.enter("evidence.calls", "Tool calls", len(results), "count", "count of tool calls of this brief")
    plan.enter("evidence.made", "Figures from tools", made, "count", "count of figures that a tool returned")
    for n, result in enumerate(results, start=1):
        said = ", ".join(f"{name}={value}" for name, value in result.inputs.items())
        version = result.figures[0].version if result.figures else ""
        plan.enter(f"evidence.call_{n}_tool", "Tool", f"{result.tool}({said})", "text", "the call as it was made")
        plan.enter(f"evidence.call_{n}_version", "Tool version", version, "text", "hash of the tool's source")


SECTION = SectionPlan(
    id="evidence",
    title=Text("Evidence", "依据"),
    after=("decision",),
    derive=derive,
    lines=(
        Line(
            Text(
                "{{evidence.made}} figures come from {{evidence.calls}} tool calls on data up to "
                "{{decision.data_cutoff}}; the others are the draft's own fields, settings, or computed from these.",
                "{{evidence.made}}个数值来自{{evidence.calls}}次工具调用，数据截至{{decision.data_cutoff}}；"
                "其余为草案自带、设置项或由以上数值计算得出。",
            )
        ),
        Line(Text("Sentences: {{evidence.words}}.", "文字：{{evidence.words}}。")),
    ),
    tables=(
        Grid(
            Text("Tool calls", "工具调用"),
            (Text("Call", "调用"), Text("Version", "版本")),
            numbered(range(1, MAX_CALLS + 1), "{{evidence.call_#_tool}}", "{{evidence.call_#_version}}"),
        ),
    ),
)
