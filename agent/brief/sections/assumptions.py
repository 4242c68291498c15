"""Assumptions and open questions: what the plan hangs on, and what it is worth to know it first, in money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from agent.brief.declare import (
    DATA,
    MARKETING,
    MERCHANDISING,
    SUPPLY,
    Fact,
    Grid,
    SectionPlan,
    Text,
    heads,
    line,
    numbered,
)
from agent.brief.fees import known_fees, net_of
from agent.brief.missing import missing_at_all
from agent.brief.plan import Plan
from agent.brief.types import GateId
from agent.brief.worth import expected, worth_of_elasticity, worth_of_go
from shop.types import Unit

MAX_QUESTIONS = 10
BEFORE_LAUNCH: tuple[GateId, ...] = ("G0", "G1", "G2", "G3")
_PARTS = (".low", "", ".high")


@dataclass(frozen=True)
class Question:
    """Something not known: what, how to learn it, who would, and the figure that says what it is worth."""

    key: str
    name: Text
    test: Text
    owner: Text


QUESTIONS = (
    Question(
        "demand",
        Text("How many will sell", "能卖多少"),
        Text("Pre-orders or a waiting list before ordering", "下单前预售或候补登记"),
        MERCHANDISING,
    ),
    Question(
        "first_weeks",
        Text("How the first weeks go", "首几周的销量"),
        Text("Order less now, and again once they are seen", "先少订，看到销量后再补"),
        SUPPLY,
    ),
    Question(
        "go",
        Text("Whether it earns its outlay at all", "能否收回投入"),
        Text("A small run in one channel", "单渠道小批试销"),
        MERCHANDISING,
    ),
    Question(
        "elasticity",
        Text("How demand answers to its price", "需求对价格的反应"),
        Text("Two prices side by side for some weeks", "并行测试两个价格数周"),
        MERCHANDISING,
    ),
    Question(
        "neighbours",
        Text("What it takes from its neighbours", "对相邻商品的影响"),
        Text("Launch in some regions first", "先在部分地区上市"),
        MERCHANDISING,
    ),
    Question(
        "promotion",
        Text("Whether the promotion pays", "促销是否划算"),
        Text("Leave a random part of the customers out", "随机留出对照组"),
        MARKETING,
    ),
)


def derive(plan: Plan) -> None:
    _derive_worth(plan)
    named = {question.key: question for question in QUESTIONS}
    worth = {key: plan.number(f"worth.{key}") for key in named}
    ranked = sorted((key for key in named if worth[key] is not None), key=lambda key: -(worth[key] or 0.0))
    due = None if plan.draft.launch_date is None else plan.figure("allocation.order_by")
    for n, key in enumerate(ranked[:MAX_QUESTIONS], start=1):
        stem, question, of = f"assumptions.question_{n}", named[key], (f"worth.{key}",)
        plan.say(f"{stem}_name", "Not known", question.name, of, "question ranked by its worth")
        plan.say(f"{stem}_test", "How to learn it", question.test, of, "question ranked by its worth")
        plan.say(f"{stem}_owner", "Owner", question.owner, of, "question ranked by its worth")
        plan.derive(f"{stem}_worth", "Worth at most", "money", of, "worth of knowing it", float)
        day = due.value if due is not None else plan.today + timedelta(weeks=1)
        rule = "last day to order" if due is not None else "a week from today, since no day is planned"
        plan.enter(f"{stem}_due", "Due", day, "date", rule, of=("allocation.order_by",))
    plan.enter("assumptions.ranked", "Questions that could be valued", len(ranked), "count", "count of questions")
    for n, each in enumerate(missing_at_all(plan, BEFORE_LAUNCH)[:MAX_QUESTIONS], start=1):
        fact = plan.fact(each.needs)
        plan.say(f"assumptions.open_{n}_name", "Missing", fact.name, formula="bold figure that is not known")
        plan.say(f"assumptions.open_{n}_owner", "Who can supply it", fact.supplier, formula="as declared")


def _derive_worth(plan: Plan) -> None:
    tried = [f"buy.regret_{n}_cost" for n in range(1, 13) if plan.knows(f"buy.regret_{n}_cost")]
    least = min((plan.number(name) or 0.0 for name in tried), default=None)
    rule = "least expected regret over the buys tried: what perfect knowledge of demand would save (newsvendor)"
    plan.enter("worth.demand", "Worth of knowing demand", least, "money", rule, "needs cost and price", tried)
    plan.derive(
        "worth.first_weeks",
        "Worth of seeing the first weeks before the second order",
        "money",
        ("buy.option_value",),
        "expected worth of a second order placed once the first weeks are seen",
        lambda value: max(value, 0.0),
    )
    results = [plan.number(f"scenarios.{name}_result") for name in ("down", "base", "up")]
    known = [result for result in results if result is not None]
    rule = "three results weighed: what is earned if only good launches are made, less the better of launching or not"
    of = tuple(f"scenarios.{name}_result" for name in ("down", "base", "up"))
    value = worth_of_go(known) if len(known) == len(of) else None
    plan.enter("worth.go", "Worth of knowing whether it pays", value, "money", rule, "needs cost, price and demand", of)
    _derive_neighbours(plan, known)
    plan.enter("worth.elasticity", "Worth of knowing the elasticity", *_elasticity(plan))
    bounds = [plan.number(f"promotion.contribution{part}") for part in _PARTS]
    rule = "three results of the promotion weighed: run it only where it pays, less the better of running it or not"
    value = worth_of_go([b for b in bounds if b is not None]) if None not in bounds else None
    of = ("promotion.contribution",)
    plan.enter("worth.promotion", "Worth of knowing whether it pays", value, "money", rule, "needs its interval", of)


def _derive_neighbours(plan: Plan, results: list[float]) -> None:
    changes = [plan.number(f"cannibalisation.units{part}") for part in _PARTS]
    margin = plan.number("cannibalisation.unit_margin")
    value = None
    if len(results) == len(_PARTS) and margin is not None and None not in changes:
        usual = expected(results)
        value = worth_of_go([usual + change * margin for change in changes if change is not None])
    rule = "expected result with the neighbours' change at its P10, P50 and P90: launch only where it stays above zero"
    of = ("cannibalisation.units", "cannibalisation.unit_margin", "scenarios.base_result")
    reason = "needs the neighbours' change and its margin"
    plan.enter("worth.neighbours", "Worth of knowing the cannibalisation", value, "money", rule, reason, of)


def _elasticity(plan: Plan) -> tuple[float | None, Unit, str, str, tuple[str, ...]]:
    rule = "profit at the best price for each of P10, P50 and P90 of the elasticity, less that at the best single price"
    of = (
        "price.elasticity",
        "launch.units_12w",
        "price.planned",
        "item.cost",
        "price.evidence_low",
        "price.evidence_high",
    )
    found = [plan.number(f"price.elasticity{part}") for part in _PARTS]
    rest = [plan.number(name) for name in of[1:]]
    if None in found or None in rest:
        return None, "money", rule, "needs an elasticity with its interval, cost, price and demand", of
    units, price, cost, low, high = (value for value in rest if value is not None)
    slopes = [slope for slope in found if slope is not None]
    worth = worth_of_elasticity(units, price, cost, slopes, low, high, partial(net_of, plan))
    return worth, "money", rule, "", (*of, *known_fees(plan))


SECTION = SectionPlan(
    id="assumptions",
    title=Text("Assumptions and open questions", "假设与待解问题"),
    after=("scenarios", "promotion", "cannibalisation", "allocation"),
    derive=derive,
    late=True,
    facts=(Fact("worth.demand", Text("worth of knowing demand", "需求信息价值"), False, DATA, ("item.cost",)),),
    lines=(
        line(
            "Worth most to know: {{assumptions.question_1_name}}, up to {{assumptions.question_1_worth}}. No test of "
            "it should cost more.",
            "最值得先弄清的是{{assumptions.question_1_name}}，价值至多{{assumptions.question_1_worth}}，测试花费不应超过此数。",
        ),
        line(
            "Nothing that is not known could be valued in money yet.",
            "尚无可折算成金额的未知项。",
            when=lambda plan: plan.number("assumptions.ranked") == 0,
        ),
    ),
    tables=(
        Grid(
            Text("What it is worth to know", "信息价值"),
            heads("Not known|未知项", "How to learn it|如何获知", "Worth at most|价值上限", "Owner|负责人", "Due|截止"),
            numbered(
                range(1, MAX_QUESTIONS + 1),
                "{{assumptions.question_#_name}}",
                "{{assumptions.question_#_test}}",
                "{{assumptions.question_#_worth}}",
                "{{assumptions.question_#_owner}}",
                "{{assumptions.question_#_due}}",
            ),
        ),
        Grid(
            Text("Missing, and who can supply it", "缺少的数据"),
            heads("Missing|缺少", "Who|提供者"),
            numbered(range(1, MAX_QUESTIONS + 1), "{{assumptions.open_#_name}}", "{{assumptions.open_#_owner}}"),
        ),
    ),
)
