"""Analogues: the earlier launches that the forecast rests on, and what became of them."""

from __future__ import annotations

from agent.brief.declare import DATA, Fact, Grid, Line, SectionPlan, Text, numbered

MAX_ANALOGUES = 10

SECTION = SectionPlan(
    id="analogues",
    title=Text("Analogues", "相似新品"),
    calls=("forecast_launch",),
    after=("price",),
    facts=(
        Fact(
            "launch.analogues",
            Text("analogues", "相似新品"),
            bold=True,
            supplier=DATA,
            needs=("item.category",),
            said=True,
        ),
        Fact("launch.analogue_1_name", Text("closest analogue", "最接近的新品"), supplier=DATA),
    ),
    lines=(
        Line(
            Text(
                "The forecast is read off {{launch.analogues}} earlier launches of this shop.",
                "预测参照本店{{launch.analogues}}个历史新品。",
            )
        ),
        Line(
            Text(
                "The most alike, {{launch.analogue_1_name}}, sold {{launch.analogue_1_units}} units "
                "in its first {{launch.horizon}} ({{launch.analogue_1_fate}}).",
                "最相似的是{{launch.analogue_1_name}}，上市{{launch.horizon}}售出{{launch.analogue_1_units}}件"
                "（{{launch.analogue_1_fate}}）。",
            )
        ),
        Line(
            Text(
                "Fewer than {{rule.min_analogues}} analogues: read the interval, not the middle.",
                "相似新品不足{{rule.min_analogues}}个，应以区间为准，不宜只看中位数。",
            ),
            when=lambda plan: (plan.number("launch.analogues") or 0) < plan.settings.min_analogues,
        ),
    ),
    tables=(
        Grid(
            Text("Earlier launches like it", "可参照的历史新品"),
            (
                Text("Launch", "新品"),
                Text("Launched", "上市日期"),
                Text("Price", "售价"),
                Text("Similarity", "相似度"),
                Text("Weight", "权重"),
                Text("Units", "销量"),
                Text("Outcome", "去向"),
            ),
            numbered(
                range(1, MAX_ANALOGUES + 1),
                "{{launch.analogue_#_name}}",
                "{{launch.analogue_#_launched}}",
                "{{launch.analogue_#_price}}",
                "{{launch.analogue_#_similarity}}",
                "{{launch.analogue_#_weight}}",
                "{{launch.analogue_#_units}}",
                "{{launch.analogue_#_fate}}",
            ),
        ),
    ),
)
