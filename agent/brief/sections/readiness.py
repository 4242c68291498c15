"""Retail readiness: one score from what must be in place on the launch day, and what is not."""

from __future__ import annotations

from agent.brief.declare import MERCHANDISING, Fact, Grid, SectionPlan, Text, heads, line, row
from agent.brief.plan import Plan
from shop.types import Unit

PARTS = {
    "images": "Images|图片",
    "content": "Content|文案",
    "stock": "Stock in time|按时到货",
    "parity": "Price within the recommended range|售价在建议区间内",
    "tags": "Attributes and tags|属性与标签",
}
_IMAGES = ("image", "images", "picture", "pictures", "photo", "photos", "图片", "主图")


def derive(plan: Plan) -> None:
    given = {key.casefold() for key, value in plan.draft.attributes.items() if value}
    has_images = 1.0 if given & set(_IMAGES) else None
    reason = "no image is named in the draft; add an attribute such as image"
    plan.enter("readiness.images", "Images", has_images, "share", "an image is named in the draft", reason)
    plan.derive(
        "readiness.content",
        "Content",
        "share",
        ("content.ready", "content.asked"),
        "pieces of copy ready / pieces asked for",
        lambda done, asked: done / asked,
    )
    plan.derive(
        "readiness.stock",
        "Stock in time",
        "share",
        ("allocation.slack",),
        "one if the first buy can land before the launch, else zero",
        lambda days: float(days >= 0),
    )
    plan.enter("readiness.parity", "Price in range", *_parity(plan))
    plan.derive(
        "readiness.tags", "Attributes and tags", "share", ("item.completeness",), "attribute completeness", float
    )
    _derive_score(plan)


def _parity(plan: Plan) -> tuple[float | None, Unit, str, str, tuple[str, ...]]:
    price, low, high = (plan.number(f"price.{n}") for n in ("planned", "recommended.low", "recommended.high"))
    known = price is not None and low is not None and high is not None
    inside = float(low <= price <= high) if known else None  # type: ignore[operator]
    rule = "one if the planned price lies in the recommended range, else zero"
    return inside, "share", rule, "needs a price and a range", ("price.planned", "price.recommended")


def _derive_score(plan: Plan) -> None:
    known = {part: value for part in PARTS if (value := plan.number(f"readiness.{part}")) is not None}
    of = [f"readiness.{part}" for part in known]
    rule = "mean of the parts, those that are unknown counted as not in place, on a scale that ends at a hundred"
    reason = "nothing of it is known yet"
    score = round(100 * sum(known.values()) / len(PARTS)) if known else None
    plan.enter("readiness.score", "Readiness", score, "count", rule, reason, of)
    plan.enter("readiness.unknown", "Parts unknown", len(PARTS) - len(known), "count", "count of parts unknown")


SECTION = SectionPlan(
    id="readiness",
    title=Text("Retail readiness", "上架准备"),
    gate="G3",
    after=("allocation", "content", "item", "price"),
    derive=derive,
    late=True,
    facts=(
        Fact("readiness.score", Text("readiness score", "准备度"), True, MERCHANDISING),
        Fact("readiness.images", Text("images", "图片"), False, MERCHANDISING),
    ),
    lines=(
        line(
            "Readiness stands at {{readiness.score}}; {{readiness.unknown}} parts are unknown and count as "
            "not in place.",
            "准备度{{readiness.score}}分；{{readiness.unknown}}项未知，按未就绪计。",
        ),
    ),
    tables=(
        Grid(
            Text("Parts", "分项"),
            heads("Part|分项", "In place|就绪程度"),
            tuple(row(name, f"{{{{readiness.{part}}}}}") for part, name in PARTS.items()),
            whole=True,
        ),
    ),
)
