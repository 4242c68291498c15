"""Decision box: the verdict, why, what it earns, what it risks."""

from __future__ import annotations

from agent.brief.chance import chance_below
from agent.brief.declare import BUYING, DATA, MERCHANDISING, Fact, Grid, Line, SectionPlan, Text, same
from agent.brief.gates import gates_of
from agent.brief.plan import Plan
from agent.brief.rules import lint
from agent.brief.sections.analogues import MAX_ANALOGUES
from agent.brief.verdict import CONFIDENCE, VERDICT, confidence, decide

# Share of its analogues that a launch must outsell at P50 to be in a tier.
TIERS = (("A", 2 / 3), ("B", 1 / 3), ("C", 0.0))


def derive(plan: Plan) -> None:
    plan.derive(
        "decision.base_rate",
        "Base rate",
        "share",
        ("launch.base_rate_hit", "launch.base_rate_of"),
        "comparable launches that reached the plan / comparable launches",
        lambda hit, of: hit / of if of else None,
        reason="no earlier launch is comparable",
    )
    plan.derive(
        "decision.base_rate_missed",
        "Comparable launches that did not reach the plan",
        "count",
        ("launch.base_rate_of", "launch.base_rate_hit"),
        "comparable launches - those that reached the plan",
        lambda of, hit: of - hit,
    )
    _derive_chance(plan)
    _derive_tier(plan)
    plan.enter("decision.owner", "Owner", plan.settings.owner, "text", "as set for this brief")
    plan.findings = lint(plan)
    plan.gates = gates_of(plan)
    plan.verdict, plan.reasons = decide(plan)
    verdict, sure = VERDICT[plan.verdict].of(plan.locale), CONFIDENCE[confidence(plan)].of(plan.locale)
    plan.enter("decision.verdict", "Verdict", verdict, "text", "rules on findings and missing figures")
    plan.enter("decision.confidence", "Confidence", sure, "text", "rules on analogues, past error and coverage")


def _derive_chance(plan: Plan) -> None:
    low, high = plan.number("launch.units_12w.low"), plan.number("launch.units_12w.high")

    def below(units: float, middle: float) -> float | None:
        return None if low is None or high is None else chance_below(units, low, middle, high)

    plan.derive(
        "decision.p_uncovered",
        "Chance that the outlay is not covered",
        "share",
        ("economics.break_even_units", "launch.units_12w"),
        "chance of fewer units than break even over the horizon, from P10, P50 and P90",
        below,
        reason="needs the interval of the units",
    )


def _derive_tier(plan: Plan) -> None:
    names = [f"launch.analogue_{n}_units" for n in range(1, MAX_ANALOGUES + 1)]
    known = tuple(name for name in names if plan.knows(name))
    units = plan.number("launch.units_12w")
    sold = [plan.number(name) or 0.0 for name in known]
    rule = "A outsells two thirds of its analogues at P50, B one third, C fewer"
    if units is None or not sold:
        plan.enter("decision.tier", "Tier", None, "text", rule, reason="needs a forecast and its analogues")
        return
    outsold = sum(units >= other for other in sold) / len(sold)
    tier = next(name for name, share in TIERS if outsold >= share)
    plan.ledger.derive("decision.tier", "Tier", tier, "text", rule, ("launch.units_12w", *known))


_DEMAND, _COST = ("launch.units_12w", "item.category"), ("item.cost",)
SECTION = SectionPlan(
    id="decision",
    title=Text("Decision box", "决策"),
    after=(
        *("item", "need", "market", "assortment", "positioning", "analogues", "demand", "cannibalisation", "price"),
        *("economics", "buy", "allocation", "promotion", "ads", "reviews", "content", "audience", "service"),
        *("compliance", "readiness", "calendar", "targets", "risks", "rules", "scenarios", "assumptions", "score"),
    ),
    late=True,
    derive=derive,
    facts=(
        Fact("launch.units_12w", Text("sales forecast", "销量预测"), True, DATA, _DEMAND[1:]),
        Fact("launch.revenue_12w", Text("revenue", "销售额"), True, DATA, _DEMAND),
        Fact(
            "economics.contribution_12w",
            Text("contribution", "贡献"),
            True,
            BUYING,
            (*_COST, *_DEMAND, "price.recommended"),
        ),
        Fact("decision.cash_at_risk", Text("cash at risk", "占用资金"), False, BUYING, ("buy.first_buy", *_COST)),
        Fact("decision.owner", Text("owner", "负责人"), False, MERCHANDISING),
    ),
    lines=(
        Line(
            Text(
                "Verdict: {{decision.verdict}}, with {{decision.confidence}} confidence.",
                "结论：{{decision.verdict}}；把握程度：{{decision.confidence}}。",
            )
        ),
        Line(
            Text(
                "The plan for the first {{launch.horizon}} is {{launch.units_12w}} units "
                "and {{launch.revenue_12w}} of revenue.",
                "上市{{launch.horizon}}计划销量{{launch.units_12w}}件，销售额{{launch.revenue_12w}}。",
            )
        ),
        Line(
            Text(
                "It contributes {{economics.contribution_12w}} after unit cost.",
                "扣除单位成本后贡献{{economics.contribution_12w}}。",
            )
        ),
        Line(Text("Cash at risk is {{decision.cash_at_risk}}.", "占用资金{{decision.cash_at_risk}}。")),
        Line(
            Text(
                "The chance that takings do not cover it within {{launch.horizon}} is {{decision.p_uncovered}}.",
                "{{launch.horizon}}内销售收入不足以收回投入的可能性为{{decision.p_uncovered}}。",
            )
        ),
        Line(
            Text(
                "If demand is only P10, {{decision.unsold_at_low}} of stock at cost is left after {{launch.horizon}}.",
                "若需求只有P10，{{launch.horizon}}后将余下成本{{decision.unsold_at_low}}的库存。",
            ),
            when=lambda plan: (plan.number("decision.unsold_at_low") or 0) > 0,
        ),
        Line(Text("Tier {{decision.tier}} among its analogues.", "在相似新品中属{{decision.tier}}级。")),
        Line(Text("Owner: {{decision.owner}}.", "负责人：{{decision.owner}}。")),
        Line(
            Text("No owner is named yet.", "尚未指定负责人。"),
            when=lambda plan: not plan.knows("decision.owner"),
        ),
        Line(
            Text(
                "Data up to {{decision.data_cutoff}}, plan {{decision.plan_hash}}.",
                "数据截至{{decision.data_cutoff}}，方案编号{{decision.plan_hash}}。",
            )
        ),
    ),
    bullets=lambda plan: plan.reasons,
    tables=(
        Grid(
            Text("The first {{launch.horizon}}", "上市{{launch.horizon}}"),
            (Text("Measure", "指标"), same("P10"), same("P50"), same("P90")),
            tuple(
                (name, *(same(f"{{{{{figure}{part}}}}}") for part in (".low", "", ".high")))
                for name, figure in (
                    (Text("Units", "销量"), "launch.units_12w"),
                    (Text("Revenue", "销售额"), "launch.revenue_12w"),
                    (Text("Contribution", "贡献"), "economics.contribution_12w"),
                )
            ),
        ),
        Grid(
            Text("At a glance", "要点"),
            (Text("Measure", "指标"), Text("Figure", "数值")),
            (
                (Text("Planned price", "计划售价"), same("{{price.planned}}")),
                (Text("First buy, units", "首单件数"), same("{{buy.first_buy}}")),
                (Text("Cash at risk", "占用资金"), same("{{decision.cash_at_risk}}")),
                (Text("Payback week at P50", "P50回本周"), same("{{economics.payback_week}}")),
                (
                    Text("Comparable launches that reached this plan", "达到本计划的可比新品"),
                    Text(
                        "{{launch.base_rate_hit}} of {{launch.base_rate_of}}",
                        "{{launch.base_rate_of}}个中的{{launch.base_rate_hit}}个",
                    ),
                ),
            ),
        ),
    ),
)
