"""Audience and recommendation: whom to tell first and when, what they will do, what to show beside the product."""

from __future__ import annotations

from datetime import timedelta

from agent.brief.declare import DATA, MARKETING, Fact, Grid, SectionPlan, Text, heads, line, numbered
from agent.brief.plan import Plan

MAX_CUSTOMERS = 10
MAX_ATTACHED = 5
_SENDS = ((-7, "teaser"), (0, "launch"), (7, "reminder"))  # days from the launch
SEND_NAMES = {
    "teaser": Text("Teaser", "预告"),
    "launch": Text("Launch", "上市"),
    "reminder": Text("Reminder to who has not bought", "未购者提醒"),
}


def derive(plan: Plan) -> None:
    plan.derive(
        "audience.holdout_share",
        "Share left out at random",
        "share",
        ("audience.holdout", "audience.size"),
        "customers left out / customers to tell",
        lambda out, size: out / size if size else None,
        reason="nobody is to be told",
    )
    plan.derive(
        "audience.response",
        "Expected response",
        "share",
        ("audience.buyers", "audience.size"),
        "buyers expected in the audience / customers to tell",
        lambda buyers, size: buyers / size if size else None,
        reason="nobody is to be told",
    )
    launch = plan.draft.launch_date
    for days, name in _SENDS:
        day = None if launch is None else launch + timedelta(days=days)
        rule = "a week before, on, and a week after the launch day"
        plan.enter(
            f"audience.send_{name}", "Send on", day, "date", rule, "needs the launch date", ("item.launch_date",)
        )
    cap = plan.settings.frequency_cap
    plan.enter("audience.cap", "Messages a week, at most", cap, "count", "setting")


SECTION = SectionPlan(
    id="audience",
    title=Text("Audience and recommendation", "人群与推荐"),
    gate="G3",
    calls=("recommend_audience", "recommend_products"),
    derive=derive,
    late=True,
    facts=(
        Fact("audience.size", Text("seed audience", "种子人群"), False, DATA),
        Fact("audience.holdout_share", Text("holdout share", "对照组占比"), True, DATA, ("audience.size",)),
        Fact("audience.cap", Text("frequency cap", "触达上限"), supplier=MARKETING),
    ),
    lines=(
        line(
            "Tell {{audience.size}} of {{audience.reach}} reachable customers first; leave {{audience.holdout}} of "
            "them out at random ({{audience.holdout_share}}), or nobody can say what the message did.",
            "先触达{{audience.reach}}人中的{{audience.size}}人，并随机留出{{audience.holdout}}人作对照"
            "（{{audience.holdout_share}}），否则无法判断触达效果。",
        ),
        line(
            "{{audience.buyers}} of them are expected to buy ({{audience.buyers.low}} to {{audience.buyers.high}}), a "
            "response of {{audience.response}}.",
            "预计其中{{audience.buyers}}人购买（{{audience.buyers.low}}至{{audience.buyers.high}}），"
            "响应率{{audience.response}}。",
        ),
        line(
            "The message itself is expected to add {{audience.added}} buyers ({{audience.added.low}} to "
            "{{audience.added.high}}).",
            "触达本身预计带来增量购买{{audience.added}}人（{{audience.added.low}}至{{audience.added.high}}）。",
        ),
        line("Nobody gets more than {{audience.cap}} messages a week.", "每人每周最多{{audience.cap}}条。"),
        line(
            "No frequency cap is set; marketing can set one.",
            "未设触达上限，由市场部设定。",
            when=lambda plan: not plan.knows("audience.cap"),
        ),
    ),
    tables=(
        Grid(
            Text("First to tell", "首批触达"),
            heads(
                "Customer|客户",
                "Chance to buy|购买概率",
                "Added by a message|触达增量",
                "Orders in the category|品类订单",
            ),
            numbered(
                range(1, MAX_CUSTOMERS + 1),
                "{{audience.customer_#}}",
                "{{audience.chance_#}}",
                "{{audience.added_#}}",
                "{{audience.in_category_#}}",
            ),
        ),
        Grid(
            Text("When to send", "发送日期"),
            heads("Message|消息", "Day|日期"),
            tuple((SEND_NAMES[name], Text(*[f"{{{{audience.send_{name}}}}}"] * 2)) for _, name in _SENDS),
        ),
        Grid(
            Text("To show beside it", "搭配推荐"),
            heads("Product|商品", "Price|售价", "Margin a unit|单件毛利"),
            numbered(
                range(1, MAX_ATTACHED + 1), "{{recommend.name_#}}", "{{recommend.price_#}}", "{{recommend.margin_#}}"
            ),
        ),
    ),
)
