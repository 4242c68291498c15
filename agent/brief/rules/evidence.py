"""Rules on the figures themselves: how old they are, whether they belong together, whether they can be true."""

from __future__ import annotations

from agent.brief.declare import Text
from agent.brief.plan import Plan
from agent.brief.rules.rule import rule

ROUNDING_ERROR = 1e-9  # of sums and roots in binary: a lower bound of zero may come out a little above it
AGAIN = ("Compile the brief again on today's data.", "请用最新数据重新生成简报。")
REPORT = ("Report it: a tool made a figure that cannot be.", "请反馈：工具给出了不可能的数值。")


@rule("evidence", "error", *REPORT)
def bounds_out_of_order(plan: Plan) -> Text | None:
    for name, figure in plan.ledger.items():
        value, low, high = figure.value, figure.low, figure.high
        if not isinstance(value, int | float) or low is None or high is None:
            continue
        room = ROUNDING_ERROR * max(1.0, abs(low), abs(high))
        if not low - room <= value <= high + room:
            at, bounds = f"{{{{{name}}}}}", (f"{{{{{name}.low}}}}", f"{{{{{name}.high}}}}")
            return Text(
                f"The bounds {bounds[0]} and {bounds[1]} do not hold their middle {at}.",
                f"区间{bounds[0]}至{bounds[1]}不含其中值{at}。",
            )
    return None


@rule("evidence", "error", *AGAIN)
def figure_from_the_future(plan: Plan) -> Text | None:
    if not any(figure.as_of is not None and figure.as_of > plan.cutoff for figure in plan.ledger.values()):
        return None
    return Text(
        "A figure rests on data later than the cut-off {{decision.data_cutoff}}.",
        "有数据晚于截止日{{decision.data_cutoff}}。",
    )


@rule("evidence", "error", *AGAIN)
def figure_older_than_the_cutoff(plan: Plan) -> Text | None:
    old = [name for name, figure in plan.ledger.items() if figure.as_of is not None and figure.as_of < plan.cutoff]
    if not old:
        return None
    at = f"{{{{{old[0]}}}}}"
    return Text(
        f"{at} and others of its call rest on data older than the cut-off {{{{decision.data_cutoff}}}}.",
        f"{at}等数值所用数据早于截止日{{{{decision.data_cutoff}}}}。",
    )


@rule("evidence", "warning", "Import the sales since then and compile again.", "请导入此后的销售数据并重新生成。")
def data_are_old(plan: Plan) -> Text | None:
    age = (plan.today - plan.cutoff).days
    if age <= plan.settings.max_data_age_days or not plan.knows("decision.data_cutoff"):
        return None
    return Text(
        "The data end on {{decision.data_cutoff}}, more than {{rule.max_data_age}} ago.",
        "数据止于{{decision.data_cutoff}}，距今已超过{{rule.max_data_age}}。",
    )


@rule("evidence", "error", *REPORT)
def more_than_one_currency(plan: Plan) -> Text | None:
    seen = {figure.currency for figure in plan.ledger.values() if figure.currency}
    if len(seen) <= 1:
        return None
    return Text("Amounts of this brief stand in several currencies.", "本简报金额涉及多种货币。")


@rule("evidence", "error", *REPORT)
def chance_out_of_range(plan: Plan) -> Text | None:
    for name, figure in plan.ledger.items():
        is_chance = figure.unit == "share" and name.rpartition(".")[2].startswith("p_")
        if is_chance and isinstance(figure.value, int | float) and not 0 <= figure.value <= 1:
            return Text(f"{{{{{name}}}}} is given as a chance.", f"{{{{{name}}}}}被当作概率。")
    return None


@rule("evidence", "error", *REPORT)
def count_below_zero(plan: Plan) -> Text | None:
    for name, figure in plan.ledger.items():
        if figure.unit == "count" and isinstance(figure.value, int | float) and figure.value < 0:
            return Text(f"{{{{{name}}}}} is given as a count.", f"{{{{{name}}}}}被当作计数。")
    return None


RULES = (
    bounds_out_of_order,
    figure_from_the_future,
    figure_older_than_the_cutoff,
    data_are_old,
    more_than_one_currency,
    chance_out_of_range,
    count_below_zero,
)
