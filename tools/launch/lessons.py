"""What the plans of earlier launches missed, beside the launches themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shop import Rows, Shop, Table
from shop.lessons import lessons
from tools.figures import Sheet

_FACTORS = {
    "traffic": "people who looked",
    "conversion": "buyers among them",
    "demand": "demand",
    "availability": "stock",
    "price": "price paid",
    "held": "the plan held",
    "scatter": "ordinary scatter",
}


def lesson_table(shop: Shop, sheet: Sheet, skus: list[str]) -> Table | None:
    """How far the plans of the analogues were off, by the latest lesson of each; None where none was planned here.

    Args:
        shop: Lessons of weeks after its cut-off are not seen.
        sheet: Gets the figures, `launch.lessons`, `launch.plan_bias` and those of each analogue.
        skus: The analogues, as numbered in the sheet from one.
    """
    known = lessons(shop, skus)
    if known.empty:
        return None
    last = known.groupby("sku").last()
    found = last.to_dict("index")
    rows = tuple(_row(sheet, number, sku, found[sku]) for number, sku in enumerate(skus, start=1) if sku in found)
    judged = last.dropna(subset=["demand"])
    sold = float(judged["demand"].sum())
    bias = float((judged["plan_judged"] - judged["demand"]).sum()) / sold if sold else None
    sheet.add("launch.lessons", "Analogues with a lesson", len(last), "count", "launches planned and scored here")
    sheet.add(
        "launch.plan_bias",
        "Bias of the analogues' plans",
        bias,
        "share",
        "plan less demand over demand, over the weeks judged; above zero the plans were too high",
        rows=Rows(table="launch_lessons", where={"sku": tuple(last.index)}, count=len(known)),
        reason="no week of theirs could be judged",
    )
    columns = ("Analogue", "Weeks", "Planned", "Sold", "Of the plan", "What made the gap")
    return Table(title="What the plans of these analogues missed", columns=columns, rows=rows)


def _row(sheet: Sheet, number: int, sku: str, lesson: Mapping[Any, Any]) -> tuple[str, ...]:
    stem = f"launch.analogue_{number}_lesson"
    rows = Rows(table="launch_lessons", where={"sku": (sku,)}, count=1)
    share = float(lesson["units"]) / float(lesson["units_plan"]) if lesson["units_plan"] else None
    return (
        f"{{{{launch.analogue_{number}_name}}}}",
        sheet.add(f"{stem}_weeks", "Weeks of the lesson", int(lesson["week"]), "count", "as scored", rows=rows),
        sheet.add(f"{stem}_plan", "Planned units", float(lesson["units_plan"]), "units", "P50 of its brief", rows=rows),
        sheet.add(f"{stem}_units", "Units sold", float(lesson["units"]), "units", "over the same weeks", rows=rows),
        sheet.add(
            f"{stem}_share", "Share of its plan", share, "share", "units sold over P50", reason="no unit was planned"
        ),
        _FACTORS[str(lesson["factor"])],
    )
