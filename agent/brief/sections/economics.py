"""Unit economics: what a unit leaves, when the cash comes back, and what moves the result most."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from agent.brief.declare import BUYING, DATA, FINANCE, Fact, Grid, Line, SectionPlan, Text, numbered, same
from agent.brief.fees import DELIVERY, MAX_CHANNELS, NET, PAYMENT, enter_channels, known_fees, net_of
from agent.brief.pace import scaled
from agent.brief.payback import break_even_units, contribution_after, week_reached
from agent.brief.plan import HORIZON_WEEKS, Plan

STEP = 0.1  # the change every lever is tried with


def derive(plan: Plan) -> None:
    plan.derive(
        "economics.unit_contribution",
        "Contribution per unit",
        "money",
        (NET, "item.cost"),
        "planned price less payment and delivery, as far as they are set - unit cost",
        lambda net, cost: net - cost,
    )
    plan.derive(
        "economics.contribution_rate",
        "Contribution rate",
        "share",
        ("economics.unit_contribution", "price.planned"),
        "contribution per unit / planned price",
        lambda unit, price: unit / price if price else None,
        reason="the planned price is zero",
    )
    plan.derive(
        "economics.contribution_12w",
        "Contribution over the horizon",
        "money",
        ("launch.units_12w", "economics.unit_contribution"),
        "units over the horizon x contribution per unit; the interval is that of the units",
        lambda units, unit: units * unit,
    )
    enter_channels(plan)
    _derive_payback(plan)
    _derive_levers(plan)
    _derive_cash(plan)


def _derive_payback(plan: Plan) -> None:
    spend = plan.budget or 0.0
    plan.derive(
        "economics.break_even_units",
        "Break-even units",
        "units",
        ("buy.cash", NET, "item.cost", "buy.first_buy"),
        "units whose takings, less payment and delivery, cover the first buy"
        + (" and the launch spend" if spend else "")
        + "; a unit beyond the first buy counts with its contribution",
        lambda cash, price, cost, buy: break_even_units(cash, spend, price, cost, buy),
        reason="at this price the outlay is never covered",
    )
    target, weekly = plan.number("economics.break_even_units"), plan.numbers("launch.week_#")
    of = tuple(f"launch.week_{n:02d}" for n in range(1, len(weekly) + 1))
    of = tuple(name for name in ("economics.break_even_units", "launch.units_12w", *of) if name in plan.ledger)
    reached = {
        part: week_reached(scaled(weekly, plan.number(f"launch.units_12w{part}") or 0.0), target)
        for part in ("", ".low", ".high")
    }
    reason = "needs the break-even units" if target is None else "needs the weekly forecast"
    if target is not None and weekly:
        reason = "takings at P50 do not cover the outlay within the horizon"
    is_reached = reached[""] is not None
    plan.ledger.derive(
        "economics.payback_week",
        "Payback week (at P90 to at P10)",
        reached[""],
        "count",
        "first week by whose end the horizon's units, spread as the weekly P50 units, reach the break-even units",
        of,
        reason="" if is_reached else reason,
        low=reached[".high"] if is_reached else None,
        high=reached[".low"] if is_reached else None,
    )
    if target is not None and len(weekly) >= HORIZON_WEEKS:
        # The verdict asks about both ends even where the middle never gets there.
        formula = "one if that many units reach the break-even units within the horizon, else zero"
        for name, part in (("P10", "low"), ("P90", "high")):
            pays = int(reached[f".{part}"] is not None)
            plan.ledger.derive(f"economics.pays_back_{part}", f"Pays back at {name}", pays, "count", formula, of)


def _derive_levers(plan: Plan) -> None:
    plan.enter("economics.step", "Change tried", STEP, "share", "fixed step for comparing levers")
    base = ("launch.units_12w", NET, "item.cost")
    priced = ("launch.units_12w", "price.planned", "item.cost", "price.elasticity", *known_fees(plan))
    net = partial(net_of, plan)
    levers: dict[str, Callable[..., float]] = {
        "demand": lambda u, n, c: -STEP * u * (n - c),
        "cost": lambda u, _, c: -STEP * u * c,
        "price": lambda u, p, c, e, *_: contribution_after(u, p, c, e, -STEP, net) - u * (net(p) - c),
    }
    formulas = {
        "demand": "change in contribution if units are lower by the step",
        "cost": "change in contribution if unit cost is higher by the step",
        "price": "change in contribution if the price is lower by the step and units follow with the elasticity",
    }
    for lever, compute in levers.items():
        of = priced if lever == "price" else base
        plan.derive(f"economics.lever_{lever}", f"Contribution change: {lever}", "money", of, formulas[lever], compute)


def _derive_cash(plan: Plan) -> None:
    """What the decision box says of cash; derived here, since risks are weighed from it before the decision."""
    budget = plan.number("item.budget")
    plan.derive(
        "decision.cash_at_risk",
        "Cash at risk",
        "money",
        ("buy.cash",) if budget is None else ("buy.cash", "item.budget"),
        "cash for the first buy" + ("" if budget is None else " + launch spend"),
        lambda cash, spend=0.0: cash + spend,
    )
    low = plan.number("launch.units_12w.low")
    plan.derive(
        "decision.unsold_at_low",
        "Stock left at P10 demand, at cost",
        "money",
        ("buy.first_buy", "item.cost", "launch.units_12w"),
        "units of the first buy beyond P10 demand over the horizon x unit cost",
        lambda buy, cost, _: None if low is None else max(0.0, buy - low) * cost,
        reason="needs the P10 units",
    )


def moves_most(plan: Plan) -> str:
    """The lever whose step changes contribution most, up or down; empty while none is known."""
    changes = {lever: plan.number(f"economics.lever_{lever}") for lever in ("demand", "cost", "price")}
    known = {lever: change for lever, change in changes.items() if change is not None}
    return max(known, key=lambda lever: abs(known[lever])) if known else ""


_COST = ("item.cost", "price.recommended")
SECTION = SectionPlan(
    id="economics",
    title=Text("Unit economics", "单位经济"),
    after=("price", "demand", "buy"),
    derive=derive,
    prose=True,
    facts=(
        Fact("economics.unit_contribution", Text("contribution per unit", "单件贡献"), True, BUYING, _COST, said=True),
        Fact("economics.contribution_rate", Text("contribution rate", "贡献率"), False, BUYING, _COST, said=True),
        Fact(
            "economics.break_even_units",
            Text("break-even units", "保本销量"),
            True,
            BUYING,
            ("item.cost", "buy.first_buy"),
        ),
        Fact("economics.payback_week", Text("payback week", "回本周"), False, DATA),
        Fact(PAYMENT, Text("payment fee", "支付手续费"), False, FINANCE),
        Fact(DELIVERY, Text("delivery cost", "配送成本"), False, FINANCE),
    ),
    lines=(
        Line(
            Text(
                "At {{price.planned}} each unit leaves {{economics.unit_contribution}} after its cost of "
                "{{item.cost}}, a contribution rate of {{economics.contribution_rate}}.",
                "售价{{price.planned}}，扣除单位成本{{item.cost}}，单件贡献{{economics.unit_contribution}}，"
                "贡献率{{economics.contribution_rate}}。",
            ),
            when=lambda plan: not known_fees(plan),
        ),
        Line(
            Text(
                "At {{price.planned}} each unit brings in {{price.net}} after payment and delivery and leaves "
                "{{economics.unit_contribution}} after its cost of {{item.cost}}, a contribution rate of "
                "{{economics.contribution_rate}}.",
                "售价{{price.planned}}，扣除支付与配送后实收{{price.net}}，再扣除单位成本{{item.cost}}，"
                "单件贡献{{economics.unit_contribution}}，贡献率{{economics.contribution_rate}}。",
            ),
            when=lambda plan: bool(known_fees(plan)),
        ),
        Line(
            Text(
                "The outlay is covered after {{economics.break_even_units}} units, at P50 demand in week "
                "{{economics.payback_week}}.",
                "售出{{economics.break_even_units}}件即收回投入，按P50需求在第{{economics.payback_week}}周。",
            )
        ),
        Line(
            Text(
                "The outlay is covered after {{economics.break_even_units}} units, more than P50 demand brings "
                "within {{launch.horizon}}.",
                "须售出{{economics.break_even_units}}件才能收回投入，按P50需求{{launch.horizon}}内达不到。",
            ),
            when=lambda plan: not plan.knows("economics.payback_week"),
        ),
        Line(
            Text(
                "Demand moves the result most: {{economics.step}} less changes contribution by "
                "{{economics.lever_demand}}.",
                "影响最大的是需求：下降{{economics.step}}，贡献变动{{economics.lever_demand}}。",
            ),
            when=lambda plan: moves_most(plan) == "demand",
        ),
        Line(
            Text(
                "Unit cost moves the result most: {{economics.step}} more changes contribution by "
                "{{economics.lever_cost}}.",
                "影响最大的是单位成本：上升{{economics.step}}，贡献变动{{economics.lever_cost}}。",
            ),
            when=lambda plan: moves_most(plan) == "cost",
        ),
        Line(
            Text(
                "Price moves the result most: {{economics.step}} less changes contribution by "
                "{{economics.lever_price}}, the extra demand included.",
                "影响最大的是售价：下降{{economics.step}}，计入增量需求后贡献变动{{economics.lever_price}}。",
            ),
            when=lambda plan: moves_most(plan) == "price",
        ),
        Line(
            Text(
                "Payment and delivery costs are not set and return costs not on record, so contribution is price less "
                "unit cost.",
                "支付与配送成本未设置，退货成本未入库，此处贡献即售价减单位成本。",
            ),
            when=lambda plan: plan.knows("economics.unit_contribution") and not known_fees(plan),
        ),
        Line(
            Text(
                "What delivery costs is not set and not taken off; nor are returns, which are not on record.",
                "配送成本未设置，退货成本未入库，均未扣除。",
            ),
            when=lambda plan: known_fees(plan) == (PAYMENT,),
        ),
        Line(
            Text(
                "What payment costs is not set and not taken off; nor are returns, which are not on record.",
                "支付手续费未设置，退货成本未入库，均未扣除。",
            ),
            when=lambda plan: known_fees(plan) == (DELIVERY,),
        ),
        Line(
            Text("Return costs are not on record and not taken off.", "退货成本未入库，未予扣除。"),
            when=lambda plan: len(known_fees(plan)) == len((PAYMENT, DELIVERY)),
        ),
    ),
    tables=(
        Grid(
            Text("Waterfall per unit", "单件瀑布"),
            (Text("Step", "项目"), Text("Amount", "金额")),
            (
                (Text("Price", "售价"), same("{{price.planned}}")),
                (Text("Payment", "支付手续费"), same("{{price.payment}}")),
                (Text("Delivery", "配送"), same("{{price.delivery_cost}}")),
                (Text("Unit cost", "单位成本"), same("{{item.cost}}")),
                (Text("Contribution", "贡献"), same("{{economics.unit_contribution}}")),
            ),
        ),
        Grid(
            Text("Contribution by sales channel", "分渠道单件贡献"),
            (Text("Channel", "渠道"), Text("Channel fee", "渠道费率"), Text("Contribution", "贡献")),
            numbered(
                range(1, MAX_CHANNELS + 1),
                "{{economics.channel_#_name}}",
                "{{economics.channel_#_fee}}",
                "{{economics.channel_#_contribution}}",
            ),
        ),
        Grid(
            Text("What a change of {{economics.step}} does to contribution", "变动{{economics.step}}对贡献的影响"),
            (Text("Lever", "因素"), Text("Change", "贡献变动")),
            (
                (Text("Lower demand", "需求下降"), same("{{economics.lever_demand}}")),
                (Text("Higher unit cost", "单位成本上升"), same("{{economics.lever_cost}}")),
                (Text("Lower price", "售价下降"), same("{{economics.lever_price}}")),
            ),
        ),
    ),
)
