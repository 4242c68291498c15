"""Review plan: how many reviews to expect by week, what rating to hold, and what first reviews cost."""

from __future__ import annotations

from datetime import timedelta

from agent.brief.declare import DATA, LEGAL, MARKETING, Fact, Grid, SectionPlan, Text, heads, line, numbered
from agent.brief.pace import WEEKS, units_by
from agent.brief.plan import Plan
from tools.figures import evidence

_YEAR = timedelta(days=365)


def derive(plan: Plan) -> None:
    category = plan.draft.category or None
    since = plan.cutoff - _YEAR
    skus = tuple(plan.once("peers", lambda: plan.shop.products(category))["sku"])
    sold = float(plan.once("year", lambda: plan.shop.daily(category=category, since=since))["units"].sum())
    written = plan.once("written", lambda: plan.shop.reviews(category=category, since=since))
    rows = plan.once("review rows", lambda: evidence(plan.shop, "reviews", {"sku": skus}, since)) if skus else None
    rate = len(written) / sold if sold and len(written) else None
    plan.enter(
        "review_plan.rate",
        "Reviews a unit sold",
        rate,
        "share",
        "reviews of the category in a year / its units in that year",
        "no review of the category is on record",
        rows=rows,
    )
    plan.enter("review_plan.seeds", "Units given away for first reviews", plan.settings.seed_units, "count", "setting")
    plan.derive(
        "review_plan.seed_cost",
        "Cost of first reviews",
        "money",
        ("review_plan.seeds", "item.cost"),
        "units given away x unit cost",
        lambda units, cost: units * cost,
    )
    seeds = ("review_plan.seeds",) if plan.knows("review_plan.seeds") else ()
    for week in WEEKS:
        plan.enter(f"review_plan.week_{week}", "Week since launch", week, "count", "weeks counted from the launch")
        units = units_by(plan, week)
        plan.derive(
            f"review_plan.week_{week}_count",
            "Reviews to have",
            "count",
            ("review_plan.rate", "launch.units_12w", *seeds),
            "reviews a unit x units expected by the end of the week + units given away",
            lambda rate, _, given=0.0, units=units: None if units is None else rate * units + given,
            reason="needs the weekly forecast",
        )


SECTION = SectionPlan(
    id="reviews",
    title=Text("Review plan", "评论计划"),
    gate="G3",
    calls=("review_insights",),
    after=("demand", "need"),
    derive=derive,
    late=True,
    facts=(
        Fact("review_plan.rate", Text("reviews a unit sold", "每件评论数"), True, DATA, ("item.category",)),
        Fact("review_plan.seeds", Text("units for first reviews", "首批评论赠品数"), False, MARKETING),
        Fact("compliance.disclosure", Text("disclosure check", "赠品披露核查"), False, LEGAL),
    ),
    lines=(
        line(
            "In this category {{review_plan.rate}} of the units sold are reviewed, with {{reviews.rating}} stars on "
            "average: that rating is the least to hold.",
            "本品类每售出一件带来{{review_plan.rate}}条评论，平均{{reviews.rating}}星，以此为最低目标。",
        ),
        line(
            "{{review_plan.seeds}} units are given away for first reviews, at a cost of {{review_plan.seed_cost}}; "
            "each such review must say so.",
            "赠出{{review_plan.seeds}}件换取首批评论，成本{{review_plan.seed_cost}}；此类评论须注明赠品。",
        ),
        line(
            "No unit is set aside for first reviews; marketing can decide on that.",
            "未预留首批评论赠品，由市场部决定。",
            when=lambda plan: not plan.knows("review_plan.seeds"),
        ),
    ),
    tables=(
        Grid(
            Text("Reviews to have by week", "逐周评论目标"),
            heads("Week|周", "Reviews|评论数", "Rating|评分"),
            tuple(
                numbered(
                    range(week, week + 1),
                    "{{review_plan.week_#}}",
                    "{{review_plan.week_#_count}}",
                    "{{reviews.rating}}",
                )[0]
                for week in WEEKS
            ),
        ),
    ),
)
