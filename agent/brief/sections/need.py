"""Customer and need: who buys here, what buyers of such products praise and complain about, who can be reached."""

from __future__ import annotations

from agent.brief.declare import DATA, MARKETING, Fact, Grid, SectionPlan, Text, heads, line, numbered

MAX_SEGMENTS = 8
MAX_THEMES = 5

_SEGMENT_HEADS = heads(
    "Segment|客群", "Customers|人数", "Share|占比", "Share of money|金额占比", "Spent each|人均消费", "Favourite|偏好"
)
_THEME_HEADS = heads(
    "Theme|主题", "Reviews that say so|提及评论数", "Share|占比", "From|下限", "To|上限", "Example|例句"
)


def _segments(stem: str) -> tuple[tuple[Text, ...], ...]:
    parts = ("name", "size", "share", "money", "spent", "likes")
    return numbered(range(1, MAX_SEGMENTS + 1), *(f"{{{{{stem}.{part}_#}}}}" for part in parts))


def _themes(kind: str) -> tuple[tuple[Text, ...], ...]:
    stem = f"reviews.{kind}_#"
    shown = (f"{stem}_share", f"{stem}_share.low", f"{stem}_share.high", f"{stem}_quote")
    cells = (f"{{{{{stem}_name}}}}", f"{{{{{stem}_count}}}} / {{{{reviews.count}}}}", *(f"{{{{{n}}}}}" for n in shown))
    return numbered(range(1, MAX_THEMES + 1), *cells)


SECTION = SectionPlan(
    id="need",
    title=Text("Customer and need", "客户与需求"),
    calls=("segments", "values", "review_insights", "recommend_audience"),
    late=True,
    facts=(
        Fact("reviews.count", Text("reviews of such products", "同类评论"), True, DATA, ("item.category",)),
        Fact("segments.customers", Text("known customers", "已知客户"), supplier=DATA),
        Fact("audience.reach", Text("reachable customers", "可触达客户"), supplier=MARKETING),
    ),
    lines=(
        line(
            "The {{segments.customers}} known customers fall into {{segments.shown}} segments; {{segments.name_1}} "
            "bring {{segments.money_1}} of the money with {{segments.share_1}} of the people.",
            "{{segments.customers}}位已知客户分为{{segments.shown}}个客群，其中{{segments.name_1}}"
            "以{{segments.share_1}}的人数贡献{{segments.money_1}}的金额。",
        ),
        line(
            "{{reviews.count}} reviews of {{reviews.scope}} give {{reviews.rating}} stars on average.",
            "{{reviews.scope}}的{{reviews.count}}条评论平均{{reviews.rating}}星。",
        ),
        line(
            "Praised most: {{reviews.praise_1_name}}, in {{reviews.praise_1_count}} of {{reviews.count}} reviews.",
            "好评最多的是{{reviews.praise_1_name}}：{{reviews.count}}条评论中有{{reviews.praise_1_count}}条。",
        ),
        line(
            "Complained about most: {{reviews.pain_1_name}}, in {{reviews.pain_1_count}} of {{reviews.count}} reviews; "
            "a need that the new product can meet.",
            "抱怨最多的是{{reviews.pain_1_name}}：{{reviews.count}}条评论中有{{reviews.pain_1_count}}条，"
            "这是新品可以满足的需求。",
        ),
        line("{{audience.reach}} customers can be told.", "可触达客户{{audience.reach}}人。"),
    ),
    tables=(
        Grid(Text("Segments", "客群"), _SEGMENT_HEADS, _segments("segments")),
        Grid(Text("Segments by value", "按价值分群"), _SEGMENT_HEADS, _segments("values")),
        Grid(Text("What buyers complain about", "抱怨"), _THEME_HEADS, _themes("pain")),
        Grid(Text("What buyers praise", "好评"), _THEME_HEADS, _themes("praise")),
    ),
)
