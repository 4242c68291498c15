"""Item master: what is known of the product itself, and how much of it is still empty."""

from __future__ import annotations

from collections import Counter

from agent.brief.declare import BUYING, MERCHANDISING, Fact, Grid, Line, SectionPlan, Text, numbered
from agent.brief.plan import Plan
from shop import Draft

MAX_ATTRIBUTES = 12
CORE_FIELDS = {
    "name": Text("name", "名称"),
    "category": Text("category", "品类"),
    "cost": Text("unit cost", "单位成本"),
    "price": Text("price", "售价"),
    "launch_date": Text("launch date", "上市日期"),
    "description": Text("description", "描述"),
}


def usual_attributes(attributes: list[dict[str, str]]) -> list[str]:
    """Attributes that at least half of the products carry, most frequent first."""
    counts = Counter(key for each in attributes for key, value in each.items() if value)
    return [key for key, count in counts.most_common() if 2 * count >= len(attributes)]


def completeness(draft: Draft, usual: list[str]) -> tuple[list[str], list[str]]:
    """Master-data fields that are filled and those that are empty: the core fields, then the usual attributes."""
    core = {name: getattr(draft, name) not in (None, "") for name in CORE_FIELDS}
    given = {key.casefold() for key, value in draft.attributes.items() if value}
    extra = {name: name.casefold() in given for name in usual}
    fields = {**core, **extra}
    return [name for name, is_filled in fields.items() if is_filled], [n for n, f in fields.items() if not f]


def enter_item(plan: Plan) -> None:
    """Enter the draft's own fields. They come before any tool is called: the calls are made from them."""
    draft = plan.draft
    said = f"as entered for draft {draft.id}"
    plan.enter("item.draft_id", "Draft", draft.id, "text", said)
    plan.enter("item.name", "Product name", draft.name, "text", said)
    plan.enter("item.category", "Category", draft.category, "text", said)
    plan.enter("item.cost", "Unit cost", draft.cost, "money", said)
    plan.enter("item.price", "Planned price", draft.price, "money", said)
    plan.enter("item.launch_date", "Launch date", draft.launch_date, "date", said)
    plan.enter("item.budget", "Launch spend", plan.budget, "money", "as given for this brief")


def derive(plan: Plan) -> None:
    draft, category = plan.draft, plan.draft.category
    peers = plan.once("peers", lambda: plan.shop.products(category)) if category else None
    filled, empty = completeness(draft, [] if peers is None else usual_attributes(list(peers["attributes"])))
    rule = "core fields, and attributes that at least half of the category's products carry"
    plan.enter("item.filled", "Master-data fields filled", len(filled), "count", f"filled fields among: {rule}")
    plan.enter("item.expected", "Master-data fields expected", len(filled) + len(empty), "count", f"count of: {rule}")
    plan.derive(
        "item.completeness",
        "Attribute completeness",
        "share",
        ("item.filled", "item.expected"),
        "fields filled / fields expected",
        lambda done, all_: done / all_,
    )
    names = [CORE_FIELDS[n].of(plan.locale) if n in CORE_FIELDS else n for n in empty]
    plan.enter(
        "item.empty",
        "Empty fields",
        ("、" if plan.locale == "zh" else ", ").join(names),
        "text",
        f"expected fields without a value; expected are {rule}",
        reason="none is empty",
    )
    for n, (key, value) in enumerate(sorted(draft.attributes.items())[:MAX_ATTRIBUTES], start=1):
        plan.enter(f"item.attribute_{n}_name", "Attribute", key, "text", f"as entered for draft {draft.id}")
        plan.enter(f"item.attribute_{n}_value", f"Attribute {key}", value, "text", f"as entered for draft {draft.id}")


SECTION = SectionPlan(
    id="item",
    title=Text("Item master", "商品主数据"),
    derive=derive,
    facts=(
        Fact("item.category", Text("category", "品类"), bold=True, supplier=MERCHANDISING),
        Fact("item.cost", Text("unit cost", "单位成本"), bold=True, supplier=BUYING),
        Fact("item.launch_date", Text("launch date", "上市日期"), bold=True, supplier=MERCHANDISING),
        Fact("item.completeness", Text("attribute completeness", "资料完整度"), bold=True, supplier=MERCHANDISING),
    ),
    lines=(
        Line(Text("{{item.name}} is planned for {{item.category}}.", "{{item.name}}，归入{{item.category}}。")),
        Line(
            Text(
                "{{item.name}} has no category yet, so it is held against the whole shop.",
                "{{item.name}}尚未归类，暂与全店商品比较。",
            ),
            when=lambda plan: not plan.knows("item.category"),
        ),
        Line(
            Text(
                "Its unit cost is {{item.cost}}, its planned price {{item.price}}.",
                "单位成本{{item.cost}}，计划售价{{item.price}}。",
            )
        ),
        Line(
            Text("Its unit cost is {{item.cost}}.", "单位成本{{item.cost}}。"),
            when=lambda plan: not plan.knows("item.price"),
        ),
        Line(
            Text("Its planned price is {{item.price}}.", "计划售价{{item.price}}。"),
            when=lambda plan: not plan.knows("item.cost"),
        ),
        Line(
            Text("No price is set; this brief plans at the recommended one.", "售价未定，本简报按建议售价测算。"),
            when=lambda plan: not plan.knows("item.price") and plan.knows("price.recommended"),
        ),
        Line(Text("It launches on {{item.launch_date}}.", "{{item.launch_date}}上市。")),
        Line(
            Text(
                "{{item.filled}} of {{item.expected}} master-data fields are filled ({{item.completeness}}).",
                "主数据应填{{item.expected}}项，已填{{item.filled}}项（{{item.completeness}}）。",
            )
        ),
        Line(Text("Still empty: {{item.empty}}.", "待补：{{item.empty}}。")),
    ),
    tables=(
        Grid(
            Text("Attributes", "商品属性"),
            (Text("Attribute", "属性"), Text("Value", "内容")),
            numbered(range(1, MAX_ATTRIBUTES + 1), "{{item.attribute_#_name}}", "{{item.attribute_#_value}}"),
        ),
    ),
)
