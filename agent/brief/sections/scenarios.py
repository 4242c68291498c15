"""Scenarios: down, base and up, what turns the verdict, and the case against it from the same figures."""

from __future__ import annotations

from agent.brief.challenge import challenge
from agent.brief.declare import BUYING, DATA, Fact, Grid, SectionPlan, Text, heads, line, row
from agent.brief.fees import NET, gross_of, known_fees
from agent.brief.payback import result_of
from agent.brief.plan import Plan

_PARTS = (("down", ".low"), ("base", ""), ("up", ".high"))


def derive(plan: Plan) -> None:
    spend = plan.budget or 0.0
    for name, part in _PARTS:
        units = plan.number(f"launch.units_12w{part}")
        plan.derive(
            f"scenarios.{name}_result",
            "Left after all that is bought",
            "money",
            (NET, "item.cost", "buy.first_buy", "launch.units_12w"),
            "units x what is left of the price - units bought x cost - launch spend; at least the first buy is bought",
            lambda price, cost, buy, _, units=units: (
                None if units is None else result_of(units, price, cost, buy, spend)
            ),
            reason="needs the interval of the units",
        )
    _derive_flips(plan, spend)


def _derive_flips(plan: Plan, spend: float) -> None:
    """Where the base case just covers its outlay, one input moved and the others held."""
    of = ("launch.units_12w", NET, "item.cost", "buy.first_buy")
    fees = known_fees(plan)
    formulas = {
        "price": (
            "(units bought x cost + launch spend) / units" + (", before payment and delivery" if fees else ""),
            lambda u, p, c, b: gross_of(plan, (max(u, b) * c + spend) / u),
        ),
        "cost": ("(units x net price - launch spend) / units bought", lambda u, p, c, b: (u * p - spend) / max(u, b)),
        "spend": ("units x net price - units bought x cost", lambda u, p, c, b: u * p - max(u, b) * c),
        "buy": (
            "(units x net price - launch spend) / cost, as long as it is not all sold",
            lambda u, p, c, b: (u * p - spend) / c if u * p - spend >= u * c else None,
        ),
    }
    for name, (formula, compute) in formulas.items():
        middle = plan.number("launch.units_12w")

        def at_middle(_: float, *rest: float, compute=compute, middle=middle) -> float | None:  # type: ignore[no-untyped-def]
            return compute(middle, *rest[: len(of) - 1]) if middle else None

        unit = "units" if name == "buy" else "money"
        reason = "no value of it covers the outlay"
        sources = (*of, *fees) if name == "price" else of
        plan.derive(f"scenarios.flip_{name}", f"Break-even {name}", unit, sources, formula, at_middle, reason)  # type: ignore[arg-type]
    plan.derive(
        "scenarios.flip_demand",
        "Change of demand at which it breaks even",
        "share",
        ("economics.break_even_units", "launch.units_12w"),
        "break-even units / P50 units - one",
        lambda units, middle: units / middle - 1 if middle else None,
        reason="no unit is expected to sell",
    )


SECTION = SectionPlan(
    id="scenarios",
    title=Text("Scenarios", "情景"),
    after=("economics", "buy"),
    derive=derive,
    late=True,
    facts=(
        Fact("launch.units_12w", Text("sales forecast", "销量预测"), True, DATA, ("item.category",)),
        Fact(
            "scenarios.flip_demand",
            Text("demand that turns the verdict", "扭转结论的需求"),
            False,
            BUYING,
            ("item.cost", "launch.units_12w"),
        ),
    ),
    lines=(
        line(
            "Units sold, less what is bought and spent, leave {{scenarios.down_result}} at P10, "
            "{{scenarios.base_result}} at P50 and {{scenarios.up_result}} at P90 demand.",
            "销售收入扣除采购与投放后，P10需求下余{{scenarios.down_result}}，P50余{{scenarios.base_result}}，"
            "P90余{{scenarios.up_result}}。",
        ),
        line(
            "It breaks even at a price of {{scenarios.flip_price}}, a unit cost of {{scenarios.flip_cost}}, or demand "
            "changed by {{scenarios.flip_demand}}, the rest held.",
            "其余不变时，保本点为售价{{scenarios.flip_price}}、单位成本{{scenarios.flip_cost}}，"
            "或需求变动{{scenarios.flip_demand}}。",
        ),
        line("The case against this verdict:", "反方意见：", when=lambda plan: bool(challenge(plan))),
    ),
    bullets=challenge,
    tables=(
        Grid(
            Text("Scenarios", "情景"),
            heads("Measure|指标", "Down (P10)|悲观（P10）", "Base (P50)|基准（P50）", "Up (P90)|乐观（P90）"),
            (
                row("Units|销量", "{{launch.units_12w.low}}", "{{launch.units_12w}}", "{{launch.units_12w.high}}"),
                row(
                    "Revenue|销售额",
                    "{{launch.revenue_12w.low}}",
                    "{{launch.revenue_12w}}",
                    "{{launch.revenue_12w.high}}",
                ),
                row(
                    "Contribution|贡献",
                    "{{economics.contribution_12w.low}}",
                    "{{economics.contribution_12w}}",
                    "{{economics.contribution_12w.high}}",
                ),
                row(
                    "Left after all that is bought|扣除全部采购后",
                    "{{scenarios.down_result}}",
                    "{{scenarios.base_result}}",
                    "{{scenarios.up_result}}",
                ),
            ),
        ),
        Grid(
            Text("Where it just breaks even", "保本点"),
            heads("Input|因素", "Now|现值", "Breaks even at|保本值"),
            (
                row("Price|售价", "{{price.planned}}", "{{scenarios.flip_price}}"),
                row("Unit cost|单位成本", "{{item.cost}}", "{{scenarios.flip_cost}}"),
                row("Launch spend|上市费用", "{{item.budget}}", "{{scenarios.flip_spend}}"),
                row("First buy, units|首单件数", "{{buy.first_buy}}", "{{scenarios.flip_buy}}"),
                row("Units|销量", "{{launch.units_12w}}", "{{economics.break_even_units}}"),
            ),
        ),
    ),
)
