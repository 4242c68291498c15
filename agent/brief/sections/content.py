"""Content pack: the copy for every channel in both languages, within its limits, every claim traced to a fact."""

from __future__ import annotations

from agent.brief.calls import CHANNELS, COPY, LANGUAGES
from agent.brief.declare import MERCHANDISING, Fact, Grid, SectionPlan, Text, heads, line, same
from agent.brief.plan import Plan
from agent.ledger import placeholders
from agent.render import render

MAX_PARTS = 8
CHANNEL_NAMES = {
    "title": Text("Title", "标题"),
    "bullets": Text("Bullets", "卖点"),
    "description": Text("Description", "描述"),
    "email": Text("E-mail", "邮件"),
    "sms": Text("Text message", "短信"),
    "social": Text("Social post", "社交帖"),
    "ad": Text("Advertisement", "广告"),
}
LANGUAGE_NAMES = {"en": Text("English", "英文"), "zh": Text("Chinese", "中文")}


def written(plan: Plan, key: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """The parts of a copy call: name, text with the values in place, and the figures that it names."""
    result = next((r for r in plan.ledger.results if r.call and r.call == plan.settled.get(key)), None)
    if result is None or not result.tables:
        return []
    language = key.rsplit("_", 1)[1]
    figures = {figure.id: figure for figure in result.figures}
    return [
        (part, render(text, figures, language), tuple(placeholders(text))) for part, text, *_ in result.tables[0].rows
    ]


def derive(plan: Plan) -> None:
    claims: set[str] = set()
    ready = 0
    for key in COPY:
        _, channel, language = key.split("_")
        stem = f"content.{channel}_{language}"
        parts = written(plan, key)[:MAX_PARTS]
        for n, (part, text, of) in enumerate(parts, start=1):
            plan.enter(f"{stem}_{n}_part", "Part", part, "text", "part of the copy")
            plan.enter(f"{stem}_{n}", f"Copy: {channel}", text, "text", "the tool's copy", of=of, untrusted=True)
        claims.update(name for _, _, of in parts for name in of)
        problems = [name for name in plan.ledger if name.startswith(f"{key}.problem_")]
        ready += bool(parts) and not problems
    made = [f"content.{key.removeprefix('copy_')}_1" for key in COPY if written(plan, key)]
    rule = "pieces of copy that could be written and passed their checks"
    reason = "no piece of copy could be written; add facts to the draft"
    plan.enter("content.ready", "Pieces of copy ready", ready or None, "count", rule, reason, made)
    plan.enter("content.asked", "Pieces of copy asked for", len(COPY), "count", "channels x languages")
    plan.enter("content.claims", "Facts that the copy tells", len(claims), "count", "figures that the copy names")


def _grid(language: str) -> Grid:
    rows = []
    for channel in CHANNELS:
        stem = f"content.{channel}_{language}"
        for n in range(1, MAX_PARTS + 1):
            rows.append((CHANNEL_NAMES[channel], same(f"{{{{{stem}_{n}_part}}}}"), same(f"{{{{{stem}_{n}}}}}")))
    name = LANGUAGE_NAMES[language]
    title = Text(f"Copy in {name.en}", f"{name.zh}文案")
    return Grid(title, heads("Channel|渠道", "Part|部分", "Text|文字"), tuple(rows))


SECTION = SectionPlan(
    id="content",
    title=Text("Content pack", "内容包"),
    gate="G3",
    calls=COPY,
    derive=derive,
    late=True,
    facts=(Fact("content.ready", Text("copy with backed claims", "有据文案"), True, MERCHANDISING),),
    lines=(
        line(
            "{{content.ready}} of {{content.asked}} pieces of copy are ready, from {{content.claims}} facts.",
            "{{content.asked}}份文案中{{content.ready}}份可用，依据{{content.claims}}项事实。",
        ),
        line(
            "A piece that is lacking says below which facts the draft needs.",
            "缺少的文案，下方说明草案还需哪些事实。",
            when=lambda plan: (plan.number("content.ready") or 0) < len(COPY),
        ),
    ),
    tables=tuple(_grid(language) for language in LANGUAGES),
)
