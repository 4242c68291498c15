"""Go, conditional or no-go, why, and how sure: rules, not a model.

- *No-go* if a rule of severity `stop` fires: the price does not earn the cost, the outlay never comes back, or the
  launch spend exceeds even the upside.
- *Conditional* if a bold figure of the business case is missing (no go without a cost) or a rule of severity `error`
  fires up to the gate that commits the buy. What later gates lack is told there.
- *Go* otherwise.

Three reasons are given: first what stops it, then what is missing, then what is wrong, then what speaks for it, then
the warnings. A go names what speaks for it first.
"""

from __future__ import annotations

from agent.brief.declare import Line, Text, same
from agent.brief.missing import missing_at_all, supply_line
from agent.brief.plan import Plan
from agent.brief.types import GateId, Verdict

REASONS = 3
DECIDING: tuple[GateId, ...] = ("G0", "G1")  # whose missing figures keep a launch from being a go
BINDING: tuple[GateId, ...] = (*DECIDING, "G2")  # whose errors do: a go commits the buy
CONFIDENCE = {"high": Text("high", "高"), "medium": Text("medium", "中"), "low": Text("low", "低")}
VERDICT = {
    "go": Text("go", "通过"),
    "conditional": Text("conditional", "有条件通过"),
    "no-go": Text("no-go", "不通过"),
}

SUPPORTS = (
    Line(
        Text(
            "Each unit leaves {{economics.unit_contribution}}, {{economics.contribution_rate}} of its price.",
            "单件贡献{{economics.unit_contribution}}，占售价的{{economics.contribution_rate}}。",
        ),
        when=lambda plan: (plan.number("economics.unit_contribution") or 0) > 0,
    ),
    Line(
        Text(
            "The outlay is covered by week {{economics.payback_week}} at P50 demand, and within {{launch.horizon}} "
            "even at P10.",
            "按P50需求第{{economics.payback_week}}周收回投入，即使需求只有P10也能在{{launch.horizon}}内收回。",
        ),
        when=lambda plan: plan.number("economics.pays_back_low") == 1,
    ),
    Line(
        Text(
            "The outlay is covered by week {{economics.payback_week}} at P50 demand.",
            "按P50需求第{{economics.payback_week}}周收回投入。",
        ),
        when=lambda plan: plan.number("economics.pays_back_low") == 0,
    ),
    Line(
        Text(
            "{{launch.base_rate_hit}} of {{launch.base_rate_of}} comparable launches reached this plan.",
            "可比新品{{launch.base_rate_of}}个，{{launch.base_rate_hit}}个达到本计划。",
        ),
        when=lambda plan: (plan.number("decision.base_rate") or 0) >= plan.settings.min_base_rate,
    ),
    Line(
        Text(
            "The planned price of {{price.planned}} stands above the floor of {{price.floor}}.",
            "计划售价{{price.planned}}高于底价{{price.floor}}。",
        ),
        when=lambda plan: (plan.number("price.planned") or 0) >= (plan.number("price.floor") or 0),
    ),
    Line(
        Text(
            "{{launch.analogues}} earlier launches of this shop resemble it.",
            "本店有{{launch.analogues}}个相似的历史新品。",
        ),
        when=lambda plan: (plan.number("launch.analogues") or 0) >= plan.settings.min_analogues,
    ),
)


def decide(plan: Plan) -> tuple[Verdict, tuple[Line, ...]]:
    """The verdict on a linted plan, and its reasons, the weightiest first."""
    missing = missing_at_all(plan, DECIDING)
    gates = {section.id: section.gate for section in plan.sections}
    severities = {f.severity for f in plan.findings if f.severity == "stop" or gates.get(f.section) in BINDING}
    verdict: Verdict = "go"
    if "stop" in severities:
        verdict = "no-go"
    elif missing or "error" in severities:
        verdict = "conditional"

    def found(severity: str) -> list[Line]:
        return [Line(same(finding.text)) for finding in plan.findings if finding.severity == severity]

    lacking = [Line(supply_line(plan, each)) for each in missing]
    against, speaking_for = [*found("stop"), *lacking, *found("error")], list(SUPPORTS)
    candidates = [*against, *speaking_for, *found("warning")]
    return verdict, tuple(line for line in candidates if plan.says(line))[:REASONS]


def confidence(plan: Plan) -> str:
    """How far the figures carry.

    *Low* if a bold figure is missing, the analogues are too few, or the method's past error (WAPE) exceeds its
    forecasts. *High* if nothing is missing, the error is at most a half, and the P10-P90 interval held between
    seven and nine tenths of past outcomes. *Medium* otherwise.
    """
    analogues, wape = plan.number("launch.analogues"), plan.number("launch.wape")
    coverage = plan.number("launch.coverage")
    if missing_at_all(plan, DECIDING) or analogues is None or analogues < plan.settings.min_analogues:
        return "low"
    if wape is None or coverage is None or wape > 1:
        return "low"
    return "high" if wape <= 0.5 and 0.7 <= coverage <= 0.9 else "medium"
