"""Decision rules: at which sales the launch is accelerated, held, fixed or ended, week by week."""

from __future__ import annotations

from agent.brief.declare import BUYING, DATA, Fact, Grid, SectionPlan, Text, heads, line, same
from agent.brief.pace import WEEKS
from agent.brief.plan import Plan


def derive(plan: Plan) -> None:
    settings = plan.settings
    plan.enter("rules.markdown_week", "Week of the first markdown look", settings.markdown_week, "count", "setting")
    plan.enter("rules.deeper_week", "Week of the second look", settings.deeper_week, "count", "setting")
    share = settings.markdown_sell_through
    plan.enter("rules.sell_through", "Sell-through under which to mark down", share, "share", "setting")
    for week in WEEKS:
        plan.derive(
            f"rules.week_{week}_high",
            "Accelerate from",
            "units",
            (f"targets.week_{week}_units", "targets.high_share"),
            "planned units by then x share of plan over which a launch is revised",
            lambda units, part: units * part,
        )
    plan.derive(
        "rules.exit_units",
        "End it under",
        "units",
        ("economics.break_even_units", "targets.red_share"),
        "break-even units x share of plan under which it is red",
        lambda units, part: units * part,
    )


SECTION = SectionPlan(
    id="rules",
    title=Text("Decision rules", "决策规则"),
    gate="G3",
    after=("targets", "economics"),
    derive=derive,
    late=True,
    facts=(
        Fact("rules.week_1_high", Text("decision rules by week", "逐周决策规则"), True, DATA, ("launch.units_12w",)),
        Fact("rules.exit_units", Text("exit rule", "退出规则"), False, BUYING, ("item.cost",)),
    ),
    lines=(
        line(
            "From {{targets.high_share}} of the plan on: bring the second order forward and raise the budget. Under "
            "{{targets.red_share}}: fix price, page or traffic before spending more. Between them: hold.",
            "达到计划的{{targets.high_share}}：提前第二单并加投；低于{{targets.red_share}}：先改价格、商品页或流量，"
            "暂不加投；其间保持。",
        ),
        line(
            "In week {{rules.markdown_week}} mark down if sell-through is under {{rules.sell_through}}; in week "
            "{{rules.deeper_week}} mark down deeper if it still is.",
            "第{{rules.markdown_week}}周售罄率低于{{rules.sell_through}}即降价；第{{rules.deeper_week}}周仍未达到则加深。",
        ),
        line(
            "End it when by the last look fewer than {{rules.exit_units}} units are sold, {{targets.red_share}} of "
            "what it takes to break even.",
            "最后一次复盘时累计销量低于{{rules.exit_units}}件（保本销量的{{targets.red_share}}）则退出。",
        ),
    ),
    tables=(
        Grid(
            Text("By week", "逐周规则"),
            heads(
                "Week|周",
                "Accelerate from, units|加速·销量达",
                "Plan, units|计划销量",
                "Fix under, units|整改·销量低于",
            ),
            tuple(
                tuple(
                    same(f"{{{{{name}}}}}")
                    for name in (
                        f"targets.week_{week}",
                        f"rules.week_{week}_high",
                        f"targets.week_{week}_units",
                        f"targets.week_{week}_red",
                    )
                )
                for week in WEEKS
            ),
        ),
    ),
)
