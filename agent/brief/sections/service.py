"""Service readiness: the questions that will come, their cited answers, and how many to expect."""

from __future__ import annotations

from datetime import timedelta

from agent.brief.calls import POLICIES, QUESTIONS
from agent.brief.declare import DATA, SERVICE, Fact, Grid, SectionPlan, Text, heads, line, row
from agent.brief.plan import Plan
from tools.figures import evidence

_YEAR = timedelta(days=365)
QUESTION_NAMES = {
    "returns": "How long may it be returned?|多久之内可以退货？",
    "warranty": "What does the warranty cover?|质保保障哪些内容？",
    "delivery": "How long does delivery take?|多久送达？",
}


def derive(plan: Plan) -> None:
    category = plan.draft.category or None
    since = plan.cutoff - _YEAR
    sales = plan.once("year", lambda: plan.shop.daily(category=category, since=since))
    sold, back = float(sales["units"].sum()), float(sales["returned_units"].sum())
    skus = tuple(plan.once("peers", lambda: plan.shop.products(category))["sku"])
    rows = plan.once("year rows", lambda: evidence(plan.shop, "daily", {"sku": skus}, since)) if skus else None
    rule = "units of the category returned in a year / units sold in it"
    rate = back / sold if sold else None
    plan.enter("service.returns", "Return rate", rate, "share", rule, "the category sold nothing in a year", rows=rows)
    contacts = plan.settings.contacts_per_order
    plan.enter("service.contacts", "Service contacts an order", contacts, "ratio", "setting", "not on record")
    plan.derive(
        "service.contacts_12w",
        "Service contacts over the horizon",
        "count",
        ("launch.units_12w", "service.contacts"),
        "units over the horizon x contacts an order, one unit an order",
        lambda units, each: units * each,
    )
    answered = [key for key in QUESTIONS if plan.knows(f"policy_{key}.item_1_text")]
    of = [f"policy_{key}.item_1_text" for key in answered]
    plan.enter("service.answered", "Questions with a cited answer", len(answered), "count", "count of answers", of=of)
    plan.enter("service.asked", "Questions asked", len(QUESTIONS), "count", "questions that every launch gets")


SECTION = SectionPlan(
    id="service",
    title=Text("Service readiness", "客服准备"),
    gate="G3",
    calls=POLICIES,
    after=("demand",),
    derive=derive,
    late=True,
    facts=(
        Fact("service.contacts", Text("contacts an order", "每单咨询量"), True, SERVICE),
        Fact("service.returns", Text("return rate", "退货率"), supplier=DATA),
    ),
    lines=(
        line(
            "{{service.answered}} of {{service.asked}} questions that will come have an answer in the shop's terms.",
            "{{service.asked}}个常见问题中{{service.answered}}个有条款可依。",
        ),
        line(
            "An order brings {{service.contacts}} contacts, so {{service.contacts_12w}} are to be expected in "
            "{{launch.horizon}}.",
            "每单带来{{service.contacts}}次咨询，{{launch.horizon}}内预计{{service.contacts_12w}}次。",
        ),
        line(
            "How often buyers will write is not on record; customer service can say.",
            "咨询频次未入库，由客服提供。",
            when=lambda plan: not plan.knows("service.contacts"),
        ),
        line(
            "In this category {{service.returns}} of the units come back.",
            "本品类退货率{{service.returns}}。",
        ),
        line(
            "What no answer here covers goes to a person.",
            "条款未覆盖的问题转人工。",
        ),
    ),
    tables=(
        Grid(
            Text("Questions and answers", "问答"),
            heads("Question|问题", "Answer|答复", "In force since|生效日", "Source|出处"),
            tuple(
                row(
                    QUESTION_NAMES[key],
                    f"{{{{policy_{key}.item_1_text}}}}",
                    f"{{{{policy_{key}.item_1_from}}}}",
                    f"{{{{policy_{key}.item_1_source}}}}",
                )
                for key in QUESTIONS
            ),
        ),
    ),
)
