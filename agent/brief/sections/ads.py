"""Advertising plan: the budget by channel and week, what a further unit of money brings, and when to stop."""

from __future__ import annotations

from agent.brief.declare import MARKETING, Fact, Grid, SectionPlan, Text, heads, line, numbered, row

CHANNELS = {
    "search": "Search|搜索",
    "social": "Social|社交",
    "display": "Display|展示",
    "email": "E-mail|邮件",
    "sms": "Text message|短信",
    "video": "Video|视频",
    "affiliate": "Affiliate|联盟",
}
MAX_WEEKS = 8


def _by_channel(*parts: str) -> tuple[tuple[Text, ...], ...]:
    return tuple(row(name, *(f"{{{{ads.{key}_{part}}}}}" for part in parts)) for key, name in CHANNELS.items())


SECTION = SectionPlan(
    id="ads",
    title=Text("Advertising plan", "广告计划"),
    gate="G2",
    calls=("plan_advertising",),
    late=True,
    facts=(
        Fact("item.budget", Text("launch budget", "上市预算"), False, MARKETING),
        Fact("ads.planned", Text("budget by channel and week", "分渠道分周预算"), True, MARKETING, ("item.budget",)),
    ),
    lines=(
        line(
            "{{ads.planned}} over {{ads.weeks}} from {{ads.start}} should bring {{ads.worth}} "
            "({{ads.worth.low}} to {{ads.worth.high}}).",
            "自{{ads.start}}起{{ads.weeks}}投放{{ads.planned}}，预计带来{{ads.worth}}"
            "（{{ads.worth.low}}至{{ads.worth.high}}）。",
        ),
        line(
            "Against an equal split of the same money that is {{ads.gain}} more "
            "({{ads.gain.low}} to {{ads.gain.high}}).",
            "与平均分配相比多{{ads.gain}}（{{ads.gain.low}}至{{ads.gain.high}}）。",
        ),
        line(
            "The last unit of money brings {{ads.marginal}}; beyond {{ads.worthwhile}} it no longer pays for itself.",
            "最后一元预算带来{{ads.marginal}}；超过{{ads.worthwhile}}便收不回自身。",
        ),
        line(
            "Beyond the evidence and left unspent: {{ads.unspent}}.",
            "缺乏依据、未分配：{{ads.unspent}}。",
            when=lambda plan: (plan.number("ads.unspent") or 0) > 0,
        ),
        line(
            "No budget is set, so there is no plan; marketing can give one.",
            "未设预算，暂无计划，由市场部提供。",
            when=lambda plan: not plan.knows("item.budget"),
        ),
    ),
    tables=(
        Grid(
            Text("Budget by channel", "分渠道预算"),
            heads(
                "Channel|渠道",
                "Budget|预算",
                "Click rate|点击率",
                "Order rate|转化率",
                "Orders|订单",
                "Last unit brings|边际回报",
            ),
            _by_channel("budget", "ctr", "cvr", "orders", "marginal"),
        ),
        Grid(
            Text("Budget by week", "分周预算"),
            heads("Week from|起始日", *CHANNELS.values()),
            numbered(
                range(1, MAX_WEEKS + 1), "{{ads.week_#_start}}", *(f"{{{{ads.week_#_{key}}}}}" for key in CHANNELS)
            ),
        ),
        Grid(
            Text("When to stop", "止损"),
            heads("Channel|渠道", "After spending|花费达到", "Stop under orders|订单低于则停"),
            _by_channel("stop_spend", "stop_orders"),
        ),
    ),
)
