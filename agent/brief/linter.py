"""Rules that cross sections. A rule is one small function that looks at a plan and says what is wrong, if anything.

A `stop` ends in no-go, an `error` keeps the verdict from being go, a `warning` is for the reader.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

from agent.brief.declare import Text
from agent.brief.plan import HORIZON_WEEKS, Plan
from agent.brief.types import Finding, Severity

Check = Callable[[Plan], Text | None]
LIKELY = 0.5
ROUNDING = 0.02  # products and sums of rounded figures may differ by this share


@dataclass(frozen=True)
class Rule:
    """A check, the section its finding belongs to, and how grave it is. Its id is the name of the function."""

    check: Check
    section: str
    severity: Severity

    @property
    def id(self) -> str:
        return self.check.__name__

    def __call__(self, plan: Plan) -> Finding | None:
        text = self.check(plan)
        if text is None:
            return None
        return Finding(rule=self.id, severity=self.severity, section=self.section, text=text.of(plan.locale))


def rule(section: str, severity: Severity) -> Callable[[Check], Rule]:
    """Declare a check a rule of a section."""
    return lambda check: Rule(check, section, severity)


def lint(plan: Plan) -> tuple[Finding, ...]:
    """Findings of all rules, the gravest first."""
    found = [finding for each in RULES if (finding := each(plan)) is not None]
    order = {severity: place for place, severity in enumerate(get_args(Severity))}
    return tuple(sorted(found, key=lambda finding: order[finding.severity]))


@rule("economics", "stop")
def price_under_cost(plan: Plan) -> Text | None:
    price, cost = plan.number("price.planned"), plan.number("item.cost")
    if price is None or cost is None or price > cost:
        return None
    return Text(
        "At {{price.planned}} the product does not earn its unit cost of {{item.cost}}.",
        "售价{{price.planned}}不足以覆盖单位成本{{item.cost}}。",
    )


@rule("economics", "stop")
def never_pays_back(plan: Plan) -> Text | None:
    if plan.number("economics.pays_back_high") != 0:
        return None
    return Text(
        "Even P90 demand does not cover the outlay within {{launch.horizon}}.",
        "即使按P90需求，{{launch.horizon}}内也收不回投入。",
    )


@rule("economics", "stop")
def spend_above_upside(plan: Plan) -> Text | None:
    spend, upside = plan.number("item.budget"), plan.number("economics.contribution_12w.high")
    if spend is None or upside is None or spend <= upside:
        return None
    return Text(
        "The launch spend of {{item.budget}} is more than the product contributes at P90 "
        "({{economics.contribution_12w.high}}).",
        "上市费用{{item.budget}}超过P90需求下的贡献（{{economics.contribution_12w.high}}）。",
    )


@rule("economics", "error")
def slow_payback(plan: Plan) -> Text | None:
    if not plan.knows("economics.break_even_units", "launch.week_01") or plan.knows("economics.payback_week"):
        return None
    return Text(
        "At P50 demand the outlay is not covered within {{launch.horizon}}.",
        "按P50需求，{{launch.horizon}}内收不回投入。",
    )


@rule("economics", "error")
def spend_above_middle(plan: Plan) -> Text | None:
    spend, middle = plan.number("item.budget"), plan.number("economics.contribution_12w")
    if spend is None or middle is None or spend <= middle:
        return None
    return Text(
        "The launch spend of {{item.budget}} is more than the P50 contribution of {{economics.contribution_12w}}.",
        "上市费用{{item.budget}}超过P50贡献{{economics.contribution_12w}}。",
    )


@rule("price", "error")
def price_under_floor(plan: Plan) -> Text | None:
    price, floor = plan.number("price.planned"), plan.number("price.floor")
    if price is None or floor is None or price >= floor:
        return None
    return Text(
        "The planned price of {{price.planned}} is under the floor of {{price.floor}}.",
        "计划售价{{price.planned}}低于底价{{price.floor}}。",
    )


@rule("demand", "error")
def forecast_at_other_price(plan: Plan) -> Text | None:
    price, planned = plan.number("launch.price"), plan.number("price.planned")
    if price is None or planned is None or _close(price, planned):
        return None
    return Text(
        "The forecast is made at {{launch.price}}, the brief plans at {{price.planned}}.",
        "预测按{{launch.price}}测算，与计划售价{{price.planned}}不一致。",
    )


@rule("demand", "error")
def few_analogues(plan: Plan) -> Text | None:
    count = plan.number("launch.analogues")
    if count is None or count >= plan.settings.min_analogues:
        return None
    return Text(
        "The forecast rests on {{launch.analogues}} analogues; at least {{rule.min_analogues}} are asked for.",
        "相似新品仅{{launch.analogues}}个，少于要求的{{rule.min_analogues}}个。",
    )


@rule("analogues", "error")
def weak_base_rate(plan: Plan) -> Text | None:
    rate = plan.number("decision.base_rate")
    if rate is None or rate >= plan.settings.min_base_rate:
        return None
    return Text(
        "Only {{launch.base_rate_hit}} of {{launch.base_rate_of}} comparable launches reached this plan.",
        "可比新品{{launch.base_rate_of}}个，达到本计划的仅{{launch.base_rate_hit}}个。",
    )


@rule("item", "error")
def date_in_the_past(plan: Plan) -> Text | None:
    day = plan.draft.launch_date
    if day is None or day >= plan.shop.today:
        return None
    return Text(
        "The launch date {{item.launch_date}} has passed; plan a later one.",
        "上市日期{{item.launch_date}}已过，请另定日期。",
    )


@rule("buy", "error")
def date_before_lead_time(plan: Plan) -> Text | None:
    days, day = plan.number("buy.lead_time"), plan.draft.launch_date
    lands = None if days is None else plan.shop.today + timedelta(days=days)
    if day is None or lands is None or not plan.shop.today <= day < lands:
        return None
    return Text(
        "Stock ordered today needs {{buy.lead_time}} and lands after the launch on {{item.launch_date}}.",
        "今日下单交期{{buy.lead_time}}，到货晚于上市日期{{item.launch_date}}。",
    )


@rule("buy", "error")
def first_buy_below_lead_time_demand(plan: Plan) -> Text | None:
    buy, days, weekly = plan.number("buy.first_buy"), plan.number("buy.lead_time"), plan.numbers("launch.week_#")
    if buy is None or days is None or not weekly:
        return None
    weeks = min(days / 7, len(weekly))
    whole = int(weeks)
    demand = sum(weekly[:whole]) + (weeks - whole) * (weekly[whole] if whole < len(weekly) else 0)
    if buy >= demand * (1 - ROUNDING):
        return None
    return Text(
        "The first buy of {{buy.first_buy}} units does not last the lead time of {{buy.lead_time}} at P50 demand.",
        "首单{{buy.first_buy}}件按P50需求撑不过交期{{buy.lead_time}}。",
    )


@rule("economics", "error")
def revenue_does_not_add_up(plan: Plan) -> Text | None:
    revenue, units, price = (plan.number(n) for n in ("launch.revenue_12w", "launch.units_12w", "launch.price"))
    if revenue is None or units is None or price is None or _close(revenue, units * price):
        return None
    return Text(
        "Revenue of {{launch.revenue_12w}} is not {{launch.units_12w}} units at {{launch.price}}.",
        "销售额{{launch.revenue_12w}}不等于{{launch.units_12w}}件乘以{{launch.price}}。",
    )


@rule("buy", "error")
def cash_does_not_add_up(plan: Plan) -> Text | None:
    cash, units, cost = (plan.number(n) for n in ("buy.cash", "buy.first_buy", "item.cost"))
    if cash is None or units is None or cost is None or _close(cash, units * cost):
        return None
    return Text(
        "Cash of {{buy.cash}} is not {{buy.first_buy}} units at {{item.cost}}.",
        "占用资金{{buy.cash}}不等于{{buy.first_buy}}件乘以{{item.cost}}。",
    )


@rule("evidence", "error")
def bounds_out_of_order(plan: Plan) -> Text | None:
    for name, figure in plan.ledger.items():
        value, low, high = figure.value, figure.low, figure.high
        if isinstance(value, int | float) and low is not None and high is not None and not low <= value <= high:
            at, bounds = f"{{{{{name}}}}}", (f"{{{{{name}.low}}}}", f"{{{{{name}.high}}}}")
            return Text(
                f"The bounds {bounds[0]} and {bounds[1]} do not hold their middle {at}.",
                f"区间{bounds[0]}至{bounds[1]}不含其中值{at}。",
            )
    return None


@rule("evidence", "error")
def figure_from_the_future(plan: Plan) -> Text | None:
    if not any(figure.as_of is not None and figure.as_of > plan.cutoff for figure in plan.ledger.values()):
        return None
    return Text(
        "A figure rests on data later than the cut-off {{decision.data_cutoff}}.",
        "有数据晚于截止日{{decision.data_cutoff}}。",
    )


@rule("economics", "warning")
def loss_at_low_demand(plan: Plan) -> Text | None:
    if plan.number("economics.pays_back_low") != 0:
        return None
    return Text(
        "At P10 demand the outlay is not covered within {{launch.horizon}}.",
        "若需求只有P10，{{launch.horizon}}内收不回投入。",
    )


@rule("price", "warning")
def price_outside_experience(plan: Plan) -> Text | None:
    price, low, high = (plan.number(n) for n in ("price.planned", "price.support_low", "price.support_high"))
    if price is None or low is None or high is None or low <= price <= high:
        return None
    return Text(
        "The planned price of {{price.planned}} is outside the prices ever tried here, "
        "{{price.support_low}} to {{price.support_high}}.",
        "计划售价{{price.planned}}超出本店试过的价格{{price.support_low}}至{{price.support_high}}。",
    )


@rule("buy", "warning")
def first_buy_above_upside(plan: Plan) -> Text | None:
    buy, high = plan.number("buy.first_buy"), plan.number("launch.units_12w.high")
    if buy is None or high is None or buy <= high:
        return None
    return Text(
        "The first buy of {{buy.first_buy}} units is more than P90 demand over {{launch.horizon}}.",
        "首单{{buy.first_buy}}件超过{{launch.horizon}}的P90需求。",
    )


@rule("buy", "warning")
def likely_overstock(plan: Plan) -> Text | None:
    chance = plan.number("buy.p_overstock")
    if chance is None or chance <= LIKELY:
        return None
    return Text(
        "The first buy is more likely than not to leave stock over ({{buy.p_overstock}}); a shorter lead time or a "
        "lower service level would need less.",
        "首单积压的可能性偏大（{{buy.p_overstock}}）；缩短交期或降低服务水平可减少首单。",
    )


@rule("buy", "warning")
def likely_stockout(plan: Plan) -> Text | None:
    chance = plan.number("buy.p_stockout")
    if chance is None or chance <= LIKELY:
        return None
    return Text(
        "Running out within {{launch.horizon}} is more likely than not ({{buy.p_stockout}}).",
        "{{launch.horizon}}内断货的可能性偏大（{{buy.p_stockout}}）。",
    )


@rule("analogues", "warning")
def weights_do_not_add_up(plan: Plan) -> Text | None:
    weights = plan.numbers("launch.analogue_#_weight", width=1)
    if not weights or abs(sum(weights) - 1) <= ROUNDING:
        return None
    return Text("The weights of the analogues do not add up to one.", "相似新品的权重之和不为一。")


@rule("item", "warning")
def no_cost(plan: Plan) -> Text | None:
    if plan.knows("item.cost"):
        return None
    return Text(
        "Without a unit cost there is no floor, no contribution and no payback.",
        "没有单位成本，就没有底价、贡献与回本测算。",
    )


@rule("demand", "warning")
def weeks_missing(plan: Plan) -> Text | None:
    weekly = plan.numbers("launch.week_#")
    if not weekly or len(weekly) >= HORIZON_WEEKS:
        return None
    return Text("The forecast does not reach the end of the plan.", "预测未覆盖整个计划期。")


RULES: tuple[Rule, ...] = (
    price_under_cost,
    never_pays_back,
    spend_above_upside,
    slow_payback,
    spend_above_middle,
    price_under_floor,
    forecast_at_other_price,
    few_analogues,
    weak_base_rate,
    date_in_the_past,
    date_before_lead_time,
    first_buy_below_lead_time_demand,
    revenue_does_not_add_up,
    cash_does_not_add_up,
    bounds_out_of_order,
    figure_from_the_future,
    loss_at_low_demand,
    price_outside_experience,
    first_buy_above_upside,
    likely_overstock,
    likely_stockout,
    weights_do_not_add_up,
    no_cost,
    weeks_missing,
)


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= ROUNDING * max(abs(one), abs(other), 1e-9)
