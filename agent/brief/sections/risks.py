"""Risk register: what can go wrong, how likely, what it costs, what shows it first, and who acts at which value."""

from __future__ import annotations

from dataclasses import dataclass

from agent.brief.declare import BUYING, DATA, MERCHANDISING, SUPPLY, Fact, Grid, SectionPlan, Text, heads, line, same
from agent.brief.plan import Plan

TAIL = 0.1  # chance that a figure falls under its P10


@dataclass(frozen=True)
class Risk:
    """A risk: what it is, what shows it, who acts and how. Its figures: `risks.KEY_chance`, `_impact`, `_trigger`."""

    key: str
    name: Text
    indicator: Text
    owner: Text
    action: Text


RISKS = (
    Risk(
        "demand",
        Text("Demand as weak as P10", "需求弱至P10"),
        Text("Units by the second look", "第二次复盘的累计销量"),
        MERCHANDISING,
        Text("Fix the offer, then mark down", "先改善商品页与价格，再降价"),
    ),
    Risk(
        "stockout",
        Text("Out of stock", "断货"),
        Text("Stock on hand and on order", "在库加在途库存"),
        SUPPLY,
        Text("Order at the reorder point", "到补货点即补货"),
    ),
    Risk(
        "overstock",
        Text("Stock left over", "库存积压"),
        Text("Sell-through at the first markdown look", "首次降价评估时的售罄率"),
        MERCHANDISING,
        Text("Mark down, cancel the second order", "降价，取消第二单"),
    ),
    Risk(
        "rival",
        Text("The nearest rival answers in price", "最近竞品降价应对"),
        Text("The rival's price", "竞品售价"),
        MERCHANDISING,
        Text("Hold the price, raise the value", "稳价，强化价值"),
    ),
    Risk(
        "delay",
        Text("The first delivery is a week late", "首批到货延误一周"),
        Text("Days to spare", "余量天数"),
        SUPPLY,
        Text("Move the launch before ads start", "广告启动前改期"),
    ),
    Risk(
        "neighbours",
        Text("It takes more from neighbours than expected", "蚕食超出预期"),
        Text("Units of the products beside it", "相邻商品销量"),
        MERCHANDISING,
        Text("Delist the weakest neighbour", "下架最弱的相邻商品"),
    ),
)


def derive(plan: Plan) -> None:
    plan.enter("risks.tail", "Chance of less than P10", TAIL, "share", "by the meaning of P10")
    _derive_demand(plan)
    _derive_stock(plan)
    _derive_outside(plan)
    known = {risk.key: value for risk in RISKS if (value := plan.number(f"risks.{risk.key}_impact")) is not None}
    worst = max(known, key=lambda key: abs(known[key])) if known else None
    name = next((risk.name.of(plan.locale) for risk in RISKS if risk.key == worst), None)
    of = [f"risks.{key}_impact" for key in known]
    plan.enter("risks.worst", "Costliest risk", name, "text", "largest money impact", "no impact is known", of)


def _derive_demand(plan: Plan) -> None:
    low = plan.number("economics.contribution_12w.low")
    plan.derive("risks.demand_chance", "Chance", "share", ("risks.tail",), "by the meaning of P10", float)
    plan.derive(
        "risks.demand_impact",
        "Contribution lost",
        "money",
        ("economics.contribution_12w",),
        "P10 contribution - P50 contribution",
        lambda middle: None if low is None else low - (plan.number("economics.contribution_12w") or middle),
        reason="needs the P10 contribution",
    )
    plan.derive(
        "risks.demand_trigger", "Units under which to act", "units", ("targets.week_2_red",), "red target", float
    )


def _derive_stock(plan: Plan) -> None:
    high = plan.number("buy.demand_over_cover.high")
    plan.derive("risks.stockout_chance", "Chance", "share", ("buy.p_stockout",), "as planned by the stock tool", float)
    plan.derive(
        "risks.stockout_impact",
        "Contribution lost",
        "money",
        ("buy.first_buy", "economics.unit_contribution", "buy.demand_over_cover"),
        "P90 demand over the cover beyond the first buy x contribution per unit",
        lambda buy, unit, _: None if high is None else -max(high - buy, 0.0) * unit,
        reason="needs the P90 demand over the cover",
    )
    plan.derive(
        "risks.stockout_trigger", "Stock at which to act", "units", ("buy.reorder_point",), "reorder point", float
    )
    plan.derive(
        "risks.overstock_chance", "Chance", "share", ("buy.p_overstock",), "as planned by the stock tool", float
    )
    plan.derive(
        "risks.overstock_impact",
        "Stock left, at cost",
        "money",
        ("decision.unsold_at_low",),
        "stock left at P10 demand, at cost",
        lambda left: -left,
    )
    share = plan.settings.markdown_sell_through
    plan.enter("risks.overstock_trigger", "Sell-through under which to act", share, "share", "setting")


def _derive_outside(plan: Plan) -> None:
    reason = "nothing on record tells how often it happens"
    for key in ("rival", "delay", "neighbours"):
        plan.enter(f"risks.{key}_chance", "Chance", None, "share", "share of past launches", reason)
    plan.derive(
        "risks.rival_impact",
        "Contribution lost",
        "money",
        ("economics.contribution_12w", "price.rival_units_change"),
        "contribution x change of units by the rival's best answer",
        lambda earned, change: earned * change,
    )
    plan.derive(
        "risks.rival_trigger", "Price at which to act", "money", ("price.rival_response",), "its best answer", float
    )
    plan.derive(
        "risks.delay_impact",
        "Contribution lost",
        "money",
        ("launch.week_01", "economics.unit_contribution"),
        "units of the first week x contribution per unit",
        lambda units, unit: -units * unit,
    )
    plan.derive("risks.delay_trigger", "Days to spare", "days", ("allocation.slack",), "days to spare", float)
    worst = plan.number("cannibalisation.units.low")
    plan.derive(
        "risks.neighbours_impact",
        "Margin lost",
        "money",
        ("cannibalisation.units", "cannibalisation.unit_margin"),
        "P10 of the change of the neighbours' units, if below zero, x margin a unit",
        lambda _, margin: None if worst is None else min(worst, 0.0) * margin,
        reason="needs the P10 of the change",
    )
    plan.derive(
        "risks.neighbours_trigger",
        "Units lost at which to act",
        "units",
        ("cannibalisation.units",),
        "P10 of the change",
        lambda _: worst,
        reason="needs the P10 of the change",
    )


SECTION = SectionPlan(
    id="risks",
    title=Text("Risk register", "风险登记"),
    gate="G2",
    after=("targets", "cannibalisation", "economics", "buy", "allocation", "price"),
    derive=derive,
    late=True,
    facts=(
        Fact(
            "risks.demand_impact",
            Text("cost of weak demand", "需求不足的代价"),
            True,
            BUYING,
            ("economics.contribution_12w",),
        ),
        Fact(
            "risks.demand_trigger",
            Text("trigger of weak demand", "需求不足的触发值"),
            True,
            DATA,
            ("launch.units_12w",),
        ),
    ),
    lines=(line("The costliest risk: {{risks.worst}}.", "代价最大的风险：{{risks.worst}}。"),),
    tables=(
        Grid(
            Text("Risks", "风险"),
            heads(
                "Risk|风险",
                "Chance|概率",
                "Money|金额影响",
                "Shows first in|先行指标",
                "Act at|触发值",
                "Owner|负责人",
                "Action|措施",
            ),
            tuple(
                (
                    risk.name,
                    *(same(f"{{{{risks.{risk.key}_{part}}}}}") for part in ("chance", "impact")),
                    risk.indicator,
                    same(f"{{{{risks.{risk.key}_trigger}}}}"),
                    risk.owner,
                    risk.action,
                )
                for risk in RISKS
            ),
        ),
    ),
)
