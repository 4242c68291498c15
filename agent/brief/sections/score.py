"""Post-launch score: the frozen plan against what happened, once the product is on sale."""

from __future__ import annotations

from agent.brief.declare import DATA, Fact, Grid, SectionPlan, Text, heads, line, row

_FACTORS = {
    "traffic": "Traffic|流量",
    "conversion": "Conversion|转化",
    "price": "Price|价格",
    "availability": "Availability|有货",
}

SECTION = SectionPlan(
    id="score",
    title=Text("Post-launch score", "上市后评分"),
    gate="G5",
    calls=("score_launch",),
    late=True,
    facts=(Fact("score.units", Text("units sold", "实际销量"), True, DATA),),
    lines=(
        line(
            "After {{score.weeks}} {{score.units}} units are sold against {{score.units_plan}} planned "
            "({{score.units_plan.low}} to {{score.units_plan.high}}).",
            "上市{{score.weeks}}后售出{{score.units}}件，计划{{score.units_plan}}件"
            "（{{score.units_plan.low}}至{{score.units_plan.high}}）。",
        ),
        line(
            "{{score.inside}} of {{score.judged}} weeks fell inside their interval.",
            "{{score.judged}}周中有{{score.inside}}周落在区间内。",
        ),
        line(
            "The product is not on sale yet; from the first whole week on this section holds plan against actual.",
            "商品尚未上市；自首个完整周起，此处对照计划与实际。",
            when=lambda plan: not plan.knows("score.units"),
        ),
    ),
    tables=(
        Grid(
            Text("Where the gap comes from", "差距来源"),
            heads("Factor|因素", "Effect|影响"),
            tuple(row(name, f"{{{{score.gap_{key}}}}}") for key, name in _FACTORS.items()),
        ),
    ),
)
