"""The figures, tables and sentences of `plan_advertising`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from shop import Chart, Shop, Table
from tools.advertising.plan import Plan
from tools.advertising.read import Learned, cost_per_click, expected_rates
from tools.figures import Sheet, evidence, interval

_CURVES = (
    "carry-over and saturation fitted to weekly units of the campaign categories; season, discounts and shared shocks "
    "taken out; bootstrap over blocks of weeks"
)
_LIKELY = 0.1  # chance of so few orders by bad luck alone at which a channel is stopped


@dataclass(frozen=True)
class Asked:
    """What the plan is for: the budget asked and usable, its first day, the category ("" is the shop), and the
    channels that were asked for without any evidence."""

    budget: float
    usable: float
    start: date
    category: str
    missing: tuple[str, ...]


def totals(shop: Shop, sheet: Sheet, learned: Learned, plan: Plan, asked: Asked) -> None:
    what = "contribution" if learned.media.costed else "revenue"
    names = learned.media.groups if not asked.category else (asked.category,)
    rows = evidence(shop, "campaigns", {"category": names}) if any(names) else evidence(shop, "campaigns", {})
    sheet.add("ads.budget", "Budget asked for", asked.budget, "money", "as given")
    sheet.add("ads.usable", "Budget within the joint limit", asked.usable, "money", "limit less what is promised")
    spent = float(plan.by_week.sum())
    sheet.add("ads.planned", "Budget planned", spent, "money", "sum over channels and weeks", rows=rows)
    sheet.add("ads.unspent", "Beyond the evidence", plan.unspent, "money", "budget over the most ever spent per week")
    sheet.add("ads.start", "First day", asked.start, "date", "as said, or the launch, or today")
    sheet.add("ads.weeks", "Weeks", len(plan.by_week), "weeks", "as given")
    sheet.add("ads.category", "Advertised", asked.category or "the whole shop", "text", "of the product")
    sheet.add_draws("ads.worth", f"Extra {what} of the category from the plan", plan.worth, "money", _CURVES, rows)
    sheet.add_draws(
        "ads.gain",
        f"Extra {what} against an equal split of the same money",
        plan.gain,
        "money",
        "the plan's less the equal split's, by bootstrap draw",
        rows,
    )
    sheet.add(
        "ads.p_better", "Chance to beat the equal split", float((plan.gain > 0).mean()), "share", "share of draws"
    )
    sheet.add(
        "ads.marginal",
        f"Extra {what} from the last unit of money",
        float(np.average(plan.marginal, weights=plan.by_week.sum(axis=0) + 1e-9)),
        "ratio",
        "slope of the expected response at the plan, weighted by spend",
    )
    sheet.add(
        "ads.worthwhile",
        "Budget up to which the last unit of money brings at least itself",
        plan.worthwhile,
        "money",
        "best splits of rising budgets, until the slope of the response falls to one",
        reason="even the first unit of money is not expected to bring itself back",
    )


def split(sheet: Sheet, learned: Learned, plan: Plan, asked: Asked) -> Table:
    """Budget, rates and marginal return of each channel."""
    cells = []
    total = plan.by_week.sum(axis=0)
    placed = {name: asked.category or _usual(learned, name) for name in plan.channels}
    rates = expected_rates(learned, placed, (asked.start.month - 1) // 3 + 1)
    for c, name in enumerate(plan.channels):
        stem, category = f"ads.{name}", placed[name]
        clicked, ordered = rates[name]
        price = cost_per_click(learned.campaigns, name, category)
        clicks = None if price is None else float(total[c] / price)
        rate = f"campaigns so far, {learned.clicks.name}, chosen on left-out campaigns; bounds for the next campaign"
        order_rate = f"campaigns so far, {learned.orders.name}, chosen on left-out campaigns; bounds for the next one"
        no_click = "no click is on record for it"
        row = (
            sheet.add(f"{stem}_name", "Channel", name, "text", "of the plan"),
            sheet.add(
                f"{stem}_budget", f"Budget for {name}", float(total[c]), "money", "equal marginal return (SLSQP)"
            ),
            sheet.add(f"{stem}_ctr", f"Click rate of {name}", clicked[0], "share", rate, clicked[1], clicked[2]),
            sheet.add(f"{stem}_cvr", f"Order rate of {name}", ordered[0], "share", order_rate, ordered[1], ordered[2]),
            sheet.add(f"{stem}_clicks", f"Clicks from {name}", clicks, "count", "budget over price", reason=no_click),
            sheet.add(
                f"{stem}_marginal",
                f"Extra from the last unit in {name}",
                plan.marginal[c],
                "ratio",
                "slope at the plan",
            ),
        )
        sheet.add(
            f"{stem}_orders",
            f"Orders from clicks in {name}",
            None if clicks is None else clicks * ordered[0],
            "count",
            "clicks times order rate",
            None if clicks is None else clicks * ordered[1],
            None if clicks is None else clicks * ordered[2],
            reason=no_click,
        )
        cells.append(row)
    columns = ("Channel", "Budget", "Click rate", "Order rate", "Clicks", "Last unit brings")
    return Table(title="Budget by channel", columns=columns, rows=tuple(cells))


def weeks_ahead(sheet: Sheet, plan: Plan, start: date) -> Table:
    cells = []
    for week, money in enumerate(plan.by_week):
        stem = f"ads.week_{week + 1}"
        day = sheet.add(f"{stem}_start", "Week from", start + timedelta(weeks=week), "date", "of the plan")
        row = [
            sheet.add(f"{stem}_{name}", f"{name} in this week", float(money[c]), "money", "equal marginal return")
            for c, name in enumerate(plan.channels)
        ]
        cells.append((day, *row))
    return Table(title="Budget by week", columns=("Week from", *plan.channels), rows=tuple(cells))


def stop_loss(sheet: Sheet, learned: Learned, plan: Plan, asked: Asked) -> Table:
    """For each channel the spend at which to look, and the orders under which to stop.

    The spend is that of the first fortnight, or more where so little could not tell bad luck from a bad channel.
    """
    from scipy.stats import poisson

    cells = []
    placed = {name: asked.category or _usual(learned, name) for name in plan.channels}
    rates = expected_rates(learned, placed, (asked.start.month - 1) // 3 + 1)
    for c, name in enumerate(plan.channels):
        category = placed[name]
        price = cost_per_click(learned.campaigns, name, category)
        total = float(plan.by_week[:, c].sum())
        if price is None or total <= 0:
            continue
        low = float(rates[name][1][1])
        # Zero orders must be unlikely for a channel at the low end of what is normal.
        enough = -np.log(_LIKELY) / max(low / price, 1e-12)
        look = max(float(plan.by_week[:2, c].sum()), enough)
        if look > total:
            continue
        least = int(poisson.ppf(_LIKELY, look / price * low))
        stem = f"ads.{name}"
        how = "tenth percentile of orders at the low end of the order rate (Poisson)"
        cells.append(
            (
                name,
                sheet.add(f"{stem}_stop_spend", f"Spend in {name} at which to look", look, "money", "first fortnight"),
                sheet.add(f"{stem}_stop_orders", f"Orders under which to stop {name}", max(least, 1), "count", how),
            )
        )
    return Table(title="When to stop", columns=("Channel", "After spending", "Stop under orders"), rows=tuple(cells))


def chart(plan: Plan) -> Chart:
    return Chart(
        kind="bar",
        title="Budget by channel",
        x_label="Channel",
        y_label="Budget",
        x=tuple(f"ads.{name}_name" for name in plan.channels),
        series={"Budget": tuple(f"ads.{name}_budget" for name in plan.channels)},
    )


def summary(sheet: Sheet) -> str:
    text = [
        "Spend {{ads.planned}} on {{ads.category}} over {{ads.weeks}} from {{ads.start}}, split as the table says: "
        f"it should bring {{{{ads.worth}}}} (P10 to P90: {interval('ads.worth')}).",
        f"Against an equal split that is {{{{ads.gain}}}} more (P10 to P90: {interval('ads.gain')}).",
        "The last unit of money brings {{ads.marginal}}.",
    ]
    if sheet.known("ads.worthwhile"):
        text.append("Beyond {{ads.worthwhile}} the last unit no longer brings itself back.")
    if sheet.known("ads.joint_return"):
        text.append(
            "Of the limit of {{ads.limit}} the first buy takes {{ads.stock_money}}, so that the last unit of money "
            "brings {{ads.joint_return}} in either; {{ads.left}} is left for promotion."
        )
    elif sheet.known("ads.left"):
        text.append("Of the limit of {{ads.limit}}, {{ads.left}} is left.")
    return " ".join(text)


def warnings(sheet: Sheet, learned: Learned, plan: Plan, asked: Asked) -> tuple[str, ...]:
    found = [
        "It hangs on the past: spend was not varied at random, so a channel booked ahead of strong weeks looks better "
        "than it is. A region or some weeks without it would tell."
    ]
    if sheet.value("ads.p_better") < 0.9:
        found.append("Whether this beats an equal split cannot be told: too many draws say otherwise.")
    if asked.usable < asked.budget:
        found.append("The joint limit with stock and promotion leaves {{ads.usable}} of {{ads.budget}}.")
    if sheet.known("ads.limit") and not sheet.known("ads.stock_money"):
        found.append("What stock takes of the limit is unknown: {{ads.stock_money}}; advertising alone is held to it.")
    if plan.unspent > 0:
        found.append("{{ads.unspent}} is left over: never was so much spent in a week, and beyond it nothing is known.")
    if asked.missing:
        found.append(f"Nothing was ever spent on {', '.join(asked.missing)}; it gets no money before a small test.")
    if not learned.media.costed:
        found.append("Costs are not known, so returns are counted in revenue, not in contribution.")
    if plan.worthwhile is None:
        found.append("Even the first unit of money is not expected to bring itself back; keep the money.")
    elif not plan.open_ended and plan.worthwhile < float(plan.by_week.sum()):
        found.append("More than {{ads.worthwhile}} does not pay: a smaller budget flips the last channels to a gain.")
    return tuple(found)


def _usual(learned: Learned, channel: str) -> str:
    """The category the channel spent most on."""
    mine = learned.campaigns[learned.campaigns["channel"] == channel]
    return str(mine.groupby("category")["spend"].sum().idxmax())
