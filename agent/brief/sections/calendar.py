"""Calendar and owners: what has to happen by when, who does it, what it waits for, and why this launch week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from agent.brief.declare import (
    BUYING,
    FINANCE,
    MARKETING,
    MERCHANDISING,
    SERVICE,
    SUPPLY,
    Fact,
    Grid,
    SectionPlan,
    Text,
    heads,
    line,
    same,
)
from agent.brief.plan import Plan


@dataclass(frozen=True)
class Task:
    """A task: weeks from the launch by which it is done, who does it, and the task it waits for."""

    key: str
    weeks: int
    name: Text
    owner: Text
    role: str
    after: str = ""


TASKS = (
    Task("approve", -12, Text("Approve the business case", "批准商业方案"), MERCHANDISING, "merchandising"),
    Task("terms", -10, Text("Agree terms with the supplier", "与供应商确认条款"), BUYING, "buying", "approve"),
    Task("order", 0, Text("Order the first buy", "下首单"), SUPPLY, "supply", "terms"),
    Task("content", -6, Text("Finish images and copy", "完成图片与文案"), MERCHANDISING, "merchandising", "approve"),
    Task("plan_media", -4, Text("Book advertising and promotion", "排定广告与促销"), MARKETING, "marketing", "content"),
    Task("brief_service", -3, Text("Brief customer service", "客服培训"), SERVICE, "service", "content"),
    Task("ready", -2, Text("Check readiness", "上架检查"), MERCHANDISING, "merchandising", "plan_media"),
    Task("land", -1, Text("Stock is on the shelf", "到货上架"), SUPPLY, "supply", "order"),
    Task("launch", 0, Text("Launch", "上市"), MERCHANDISING, "merchandising", "land"),
    Task(
        "look",
        2,
        Text("First look: traffic, price, stock", "首次复盘：流量、价格、库存"),
        MERCHANDISING,
        "merchandising",
        "launch",
    ),
    Task("review", 4, Text("Review against the plan", "对照计划复盘"), MERCHANDISING, "merchandising", "look"),
    Task("markdown", 6, Text("Decide on a markdown", "决定是否降价"), MERCHANDISING, "merchandising", "review"),
    Task("deeper", 10, Text("Decide on a deeper one", "决定是否加深降价"), MERCHANDISING, "merchandising", "markdown"),
    Task("close", 12, Text("Score the launch, keep the lessons", "评分并沉淀经验"), FINANCE, "finance", "deeper"),
)


def derive(plan: Plan) -> None:
    launch = plan.draft.launch_date
    lead = plan.number("buy.lead_time")
    for task in TASKS:
        day = _day(task, launch, lead)
        of = ("item.launch_date", "buy.lead_time") if task.key == "order" else ("item.launch_date",)
        rule = "launch date - lead time" if task.key == "order" else "launch date + weeks of the task"
        reason = "needs the launch date" if launch is None else "needs the lead time"
        plan.enter(f"task.{task.key}", task.name.en, day, "date", rule, reason, of)
        owner = plan.settings.owners.get(task.role, task.owner.of(plan.locale))
        plan.enter(f"task.{task.key}_owner", "Owner", owner, "text", "as set for this brief, else the role")
    late = [task for task in TASKS if (day := _day(task, launch, lead)) is not None and day < plan.today]
    words = ("、" if plan.locale == "zh" else "; ").join(task.name.of(plan.locale) for task in late)
    plan.enter("task.late", "Tasks whose day has passed", words, "text", "tasks before today", "none")
    slack = plan.number("allocation.slack")
    reason = "needs the launch date and the lead time"
    of = ("allocation.slack",)
    plan.enter("task.slack", "Days to spare on the critical path", slack, "days", "order, delivery, launch", reason, of)


def _day(task: Task, launch: date | None, lead: float | None) -> date | None:
    if launch is None:
        return None
    if task.key == "order":
        return None if lead is None else launch - timedelta(days=lead)
    return launch + timedelta(weeks=task.weeks)


def _names(task: Task) -> Text:
    found = next((other.name for other in TASKS if other.key == task.after), None)
    return same("–") if found is None else found


SECTION = SectionPlan(
    id="calendar",
    title=Text("Calendar and owners", "日程与负责人"),
    gate="G2",
    calls=("plan_launch_calendar",),
    after=("allocation", "buy"),
    derive=derive,
    late=True,
    facts=(
        Fact("task.slack", Text("critical path", "关键路径"), True, SUPPLY, ("item.launch_date", "buy.lead_time")),
        Fact("calendar.launch_1_date", Text("best launch week", "最佳上市周"), supplier=MERCHANDISING),
    ),
    lines=(
        line(
            "The critical path is order, delivery, launch, with {{task.slack}} to spare.",
            "关键路径为下单、到货、上市，余量{{task.slack}}。",
        ),
        line(
            "Of the weeks looked at, the one from {{calendar.launch_1_date}} brings the most: "
            "{{calendar.launch_1_contribution}}.",
            "所比较的各周中，{{calendar.launch_1_date}}起的一周最好，贡献{{calendar.launch_1_contribution}}。",
        ),
        line("Days that have passed already: {{task.late}}.", "已过期：{{task.late}}。"),
    ),
    tables=(
        Grid(
            Text("Tasks", "任务"),
            heads("Task|任务", "By|截止", "Owner|负责人", "Waits for|前置"),
            tuple(
                (task.name, same(f"{{{{task.{task.key}}}}}"), same(f"{{{{task.{task.key}_owner}}}}"), _names(task))
                for task in sorted(TASKS, key=lambda task: task.weeks)
            ),
        ),
        Grid(
            Text("Launch week against rules of thumb", "上市周与简单规则比较"),
            heads("Calendar|方案", "Contribution|贡献"),
            (
                (Text("This calendar", "本方案"), same("{{calendar.contribution}}")),
                (Text("As soon as ready", "尽早上市"), same("{{calendar.asap}}")),
                (Text("Even spacing", "均匀排期"), same("{{calendar.even}}")),
                (Text("Most valuable first", "价值优先"), same("{{calendar.greedy}}")),
            ),
        ),
    ),
)
