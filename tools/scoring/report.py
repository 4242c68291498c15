"""The score as figures, a table of weeks, the split of the gap, and what to learn from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from shop import Product, Rows, Shop, Table
from shop.types import Chart, Unit
from tools.figures import Sheet, evidence
from tools.scoring.alerts import REVISE, Alert
from tools.scoring.compare import Score, SoldWeeks, lost_units
from tools.scoring.plan import FrozenPlan, Pair

HELD = 0.05  # a gap below this share of the plan teaches nothing
COVERED = 0.8  # share of weeks that P10 to P90 promises to hold
DEMAND = ("demand", "traffic", "conversion")  # what the interval is about
HELD_PLAN, SCATTER = "held", "scatter"
FACTORS = {
    "traffic": "People who looked",
    "conversion": "Buyers among them",
    "demand": "Demand",
    "availability": "Availability",
    "price": "Price paid",
}
# What a gap teaches, by the factor that made most of it and whether it fell short.
LESSONS = {
    ("traffic", True): "too few people saw it: look at search, placement and advertising before the price",
    ("traffic", False): "more people saw it than such sales need: what drew them is worth keeping",
    ("conversion", True): "people looked and did not buy: look at price, page and reviews",
    ("conversion", False): "more of those who looked bought: there may be room in the price",
    ("demand", True): "fewer wanted it than the earlier launches suggested: reorder later and look at price and page",
    ("demand", False): "more wanted it than the earlier launches suggested: secure supply before the next weeks",
    ("availability", True): "it was out of stock: the first buy or the reorder came too late",
    ("availability", False): "stock held better than planned",
    ("price", True): "it sold below the planned price: ask which discounts were needed",
    ("price", False): "it sold above the planned price without losing the plan",
}
_NO_PRICE = "the plan named no price; set one on the next draft"
_MASKED = "out of stock most of the week, so demand was not seen"


def enter(shop: Shop, sheet: Sheet, pair: Pair, plan: FrozenPlan, sold: SoldWeeks, score: Score) -> None:
    """All figures of the score but those of single weeks."""
    product, weeks = pair.product, len(sold.units)
    assert product.launch_date is not None
    rows = evidence(shop, "daily", {"sku": (product.sku,)}, product.launch_date, _end(product, weeks))
    stored = Rows(table="briefs", where={"id": (plan.brief,)}, count=1)
    name = f"{product.name} ({product.sku})"
    sheet.add("score.product", "Product", name, "text", "matched to the draft by name" if pair.by_name else "as linked")
    which = "approved when it launched" if plan.approved else "the last one stored before the launch"
    sheet.add("score.brief", "Brief", plan.brief, "text", which, rows=stored)
    sheet.add("score.plan_hash", "Plan hash", plan.plan_hash[:12], "text", "of the stored brief", rows=stored)
    sheet.add("score.planned_launch", "Planned launch", plan.launch, "date", "of the stored brief", rows=stored)
    sheet.add("score.launched", "Launch", product.launch_date, "date", "from the catalogue")
    sheet.add("score.weeks", "Weeks scored", weeks, "weeks", "whole weeks since the launch, as far as planned")
    middle, units = float(plan.weeks.middle[:weeks].sum()), float(sold.units.sum())
    _total(sheet, plan, weeks, middle, stored)
    sheet.add("score.units", "Units sold", units, "units", "sum of the weeks scored", rows=rows)
    share = units / middle if middle else None
    sheet.add(
        "score.attained", "Share of the plan", share, "share", "units sold over P50", reason="no unit was planned"
    )
    low, high = plan.setting("plan_low", REVISE[0]), plan.setting("plan_high", REVISE[1])
    sheet.add("score.revise_low", "Revised below", low, "share", "setting")
    sheet.add("score.revise_high", "Revised above", high, "share", "setting")
    _money(sheet, plan, sold, stored, rows)
    _fit(sheet, score)
    _stock(sheet, plan, sold, rows, stored)


def _total(sheet: Sheet, plan: FrozenPlan, weeks: int, middle: float, stored: Rows) -> None:
    """The planned units; their interval is known for the whole plan alone, since weekly bounds do not add up."""
    whole = plan.total if weeks == plan.horizon else None
    low, high = (None, None) if whole is None else (whole.low, whole.high)
    how = "sum of weekly P50; bounds are those of the whole plan's total"
    sheet.add("score.units_plan", "Units planned (P10 to P90)", middle, "units", how, low=low, high=high, rows=stored)


def _money(sheet: Sheet, plan: FrozenPlan, sold: SoldWeeks, stored: Rows, rows: Rows) -> None:
    price, weeks = plan.weeks.price, len(sold.units)
    units, revenue = float(sold.units.sum()), float(sold.revenue.sum())
    expected = None if price is None else price * float(plan.weeks.middle[:weeks].sum())
    sheet.add("score.price_plan", "Planned price", price, "money", "of the brief", rows=stored, reason=_NO_PRICE)
    paid = revenue / units if units else None
    sheet.add("score.price", "Price paid", paid, "money", "revenue over units", rows=rows, reason="nothing was sold")
    sheet.add("score.revenue_plan", "Revenue planned", expected, "money", "P50 times price", reason=_NO_PRICE)
    sheet.add("score.revenue", "Revenue", revenue, "money", "sum of the weeks scored", rows=rows)


def _fit(sheet: Sheet, score: Score) -> None:
    judged = [place for place in score.places if place != "not judged"]
    sheet.add("score.judged", "Weeks judged", len(judged), "count", "weeks in stock long enough, or above even so")
    inside = judged.count("inside")
    sheet.add("score.inside", "Weeks inside P10 to P90", inside, "count", "sales at the rate of the days in stock")
    reason = "no week was in stock long enough to judge, or nothing was sold"
    how = "over the weeks judged, against sales at the rate of the days in stock"
    sheet.add("score.bias", "Bias of the plan", score.bias, "share", f"plan less actual, {how}", reason=reason)
    sheet.add("score.wape", "Weekly error of the plan", score.wape, "share", f"absolute errors, {how}", reason=reason)


def _stock(sheet: Sheet, plan: FrozenPlan, sold: SoldWeeks, rows: Rows, stored: Rows) -> None:
    unknown = "the shop keeps no stock record of it; import one"
    out = None if sold.days_out is None else int(sold.days_out.sum())
    sheet.add("score.days_out", "Days out of stock", out, "days", "days recorded", rows=rows, reason=unknown)
    how = "sales at the rate of the days in stock, less sales, over the weeks judged"
    sheet.add("score.lost", "Units lost to stock-outs", lost_units(sold), "units", how, reason=unknown)
    none = "the brief names no first buy"
    sheet.add("score.first_buy", "First buy planned", plan.first_buy, "units", "of the brief", rows=stored, reason=none)
    share = float(sold.units.sum()) / plan.first_buy if plan.first_buy else None
    sheet.add("score.sell_through", "Sold of the first buy", share, "share", "units sold over first buy", reason=none)


def gap_table(sheet: Sheet, plan: FrozenPlan, score: Score) -> Table:
    """The gap and what made it, in money where a price was planned."""
    unit: Unit = "units" if plan.weeks.price is None else "money"
    sheet.add("score.gap", "Gap to the plan", score.gap, unit, "actual less plan, over the weeks scored")
    how = (
        "Shapley split of weekly units (demand, or traffic times conversion; times availability) times price, added "
        "up; the parts sum to the gap"
    )
    if "traffic" in score.effects:
        how += "; planned traffic is what brings the planned units at the category's conversion"
    rows = [
        (FACTORS[name], sheet.add(f"score.gap_{name}", f"Gap from {name}", effect, unit, how))
        for name, effect in score.effects.items()
    ]
    return Table(title="What the gap came from", columns=("Factor", "Part"), rows=(*rows, ("Gap", "{{score.gap}}")))


def week_table(sheet: Sheet, product: Product, plan: FrozenPlan, sold: SoldWeeks, score: Score) -> tuple[Table, Chart]:
    """Plan and actual, week by week."""
    assert product.launch_date is not None
    cells, stems = [], []
    for index, place in enumerate(score.places):
        stem, start = f"score.week_{index + 1:02d}", product.launch_date + timedelta(weeks=index)
        low, middle, high = (float(bound[index]) for bound in (plan.weeks.low, plan.weeks.middle, plan.weeks.high))
        began = sheet.add(f"{stem}_start", "First day of the launch week", start, "date", "launch date plus weeks")
        planned = sheet.add(f"{stem}_plan", "Planned units", middle, "units", "of the brief", low=low, high=high)
        units = sheet.add(f"{stem}_units", "Units sold", float(sold.units[index]), "units", "sum of days")
        known = score.demand[index] == score.demand[index]
        rate = float(score.demand[index]) if known else None
        demand = sheet.add(
            f"{stem}_demand", "In stock all week", rate, "units", "rate of days in stock", reason=_MASKED
        )
        cells.append((began, f"{{{{{stem}_plan.low}}}}", planned, f"{{{{{stem}_plan.high}}}}", units, demand, place))
        stems.append(stem)
    columns = ("Week from", "P10", "P50", "P90", "Sold", "In stock all week", "Against the interval")
    table = Table(title="Plan and actual by week", columns=columns, rows=tuple(cells))
    chart = Chart(
        kind="line",
        title="Plan and actual by week",
        x_label="Week from",
        y_label="Units",
        x=tuple(f"{stem}_start" for stem in stems),
        series={
            "P10": tuple(f"{stem}_plan.low" for stem in stems),
            "P50": tuple(f"{stem}_plan" for stem in stems),
            "P90": tuple(f"{stem}_plan.high" for stem in stems),
            "Sold": tuple(f"{stem}_units" for stem in stems),
        },
    )
    return table, chart


def summary(sheet: Sheet, score: Score) -> str:
    """What happened, what made the gap, and the lesson."""
    said = [
        "{{score.product}} sold {{score.units}} units in its first {{score.weeks}}, against {{score.units_plan}} in "
        "the plan of brief {{score.brief}}."
    ]
    if sheet.known("score.attained"):
        said[0] = said[0][:-1] + " ({{score.attained}} of it)."
    said.append("Of {{score.judged}} weeks judged, {{score.inside}} lay between P10 and P90.")
    parts = ", ".join(f"{FACTORS[name].lower()} {{{{score.gap_{name}}}}}" for name in score.effects)
    of = "revenue" if sheet.known("score.revenue_plan") else "units"
    said.append(f"The gap in {of} is {{{{score.gap}}}}: {parts}.")
    return " ".join([*said, lesson(sheet, score)])


def lesson(sheet: Sheet, score: Score) -> str:
    """One sentence on the factor that moved most in the gap's direction; demand inside its interval is scatter."""
    floor = HELD * sheet.value("score.revenue_plan" if sheet.known("score.revenue_plan") else "score.units_plan")
    factor = main_factor(score, floor)
    if factor == HELD_PLAN:
        return "Lesson: the plan held."
    if factor == SCATTER:
        return "Lesson: the weeks lay inside the interval as often as promised, so the gap is ordinary scatter."
    return f"Lesson: {LESSONS[factor, score.gap < 0]}."


def main_factor(score: Score, floor: float) -> str:
    """The factor that made most of the gap, `HELD_PLAN` where none moved beyond `floor`, or `SCATTER`."""
    way = -1 if score.gap < 0 else 1
    moved = {name: way * effect for name, effect in score.effects.items() if way * effect > floor}
    if not moved:
        return HELD_PLAN
    judged = [place for place in score.places if place != "not judged"]
    if judged and judged.count("inside") >= COVERED * len(judged):
        moved = {name: effect for name, effect in moved.items() if name not in DEMAND}
    return max(moved, key=lambda name: moved[name]) if moved else SCATTER


def warnings(alerts: Sequence[Alert], pair: Pair, plan: FrozenPlan, score: Score) -> tuple[str, ...]:
    """Alerts first, then what the comparison cannot be sure of."""
    found = [alert.text for alert in alerts]
    if not plan.approved:
        found.append("Nobody approved a brief before the launch, so the last one written before it is the plan.")
    if pair.by_name:
        found.append("The product was matched to its draft by name alone; nothing else on record ties them.")
    if plan.launch != pair.product.launch_date:
        found.append(
            "It launched on {{score.launched}}, not on {{score.planned_launch}} as planned: weeks are compared by "
            "their number since the launch, so another season is part of the gap."
        )
    if "not judged" in score.places:
        found.append("Weeks out of stock for most of their days are not judged, and their lost sales are a guess.")
    if "traffic" not in score.effects:
        found.append(
            "Visits were not recorded over all these weeks, so demand is not split into traffic and conversion."
        )
    return tuple(found)


def _end(product: Product, weeks: int) -> date:
    assert product.launch_date is not None
    return product.launch_date + timedelta(days=7 * weeks - 1)
