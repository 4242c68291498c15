"""The figures, tables and sentences of `plan_promotion`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from shop import Chart, Draft, Product, Shop, Table
from tools.figures import Sheet, evidence, interval
from tools.promotion.bundles import Rule
from tools.promotion.contribution import Ground, breakeven_lift
from tools.promotion.coupons import CouponEvidence
from tools.promotion.plan import CouponPlan, Cut
from tools.promotion.response import Effects

_HOW = (
    "Poisson regression of weekly units with product and week effects on depth, promotion, the weeks after it and the "
    "rest of the category; draws of its estimates"
)
_NEVER = "this shop never ran one here, so nothing tells what it does; try it on a few products against others"
_Z80 = 1.2816
_MECHANICS = ("threshold", "bundle", "gift")
_MOST_RULES = 3


@dataclass(frozen=True)
class Asked:
    """What is planned: item, first and last day, weeks, money that may be given away, price and cost per unit."""

    item: Draft | Product
    start: date
    end: date
    weeks: int
    budget: float | None
    price: float
    cost: float


def headline(shop: Shop, sheet: Sheet, asked: Asked, found: Effects, base: Ground, cut: Cut) -> None:
    skus = tuple(shop.products(found.source or None)["sku"])
    rows = evidence(shop, "daily", {"sku": skus} if found.source else {})
    outcome = cut.outcome
    sheet.add("promo.product", "Product", asked.item.name, "text", "as resolved")
    sheet.add("promo.category", "Category", asked.item.category or "no category", "text", "of the product")
    sheet.add("promo.start", "First day", asked.start, "date", "as said, or the launch, or today")
    sheet.add("promo.end", "Last day", asked.end, "date", "first day plus the weeks")
    sheet.add("promo.weeks", "Weeks", asked.weeks, "weeks", "as given")
    sheet.add("promo.budget", "Budget for discounts", asked.budget, "money", "as given", reason="no limit was given")
    sheet.add("promo.depth", "Depth", cut.depth, "share", "most expected contribution among depths seen", rows=rows)
    price = asked.price * (1 - cut.depth)
    sheet.add("promo.price", "Price while it runs", price, "money", "price less depth")
    sheet.add_draws("promo.uplift", "Extra units while it runs", outcome.uplift, "share", _HOW, rows)
    sheet.add_draws(
        "promo.contribution",
        "Extra contribution of the category until four weeks after",
        outcome.contribution,
        "money",
        "the product's while it runs, less the dip after it, plus the rest of the category; by draw",
        rows,
    )
    sheet.add_draws("promo.own", "Of it: the product while it runs", outcome.own, "money", "margin times units", rows)
    sheet.add_draws("promo.dip", "Of it: the four weeks after", outcome.dip, "money", "purchases pulled forward", rows)
    sheet.add_draws("promo.halo", "Of it: the rest of the category", outcome.halo, "money", "halo, or theft", rows)
    sheet.add_draws("promo.given", "Given away in discounts", outcome.given, "money", "units times the cut", rows)
    chance = float((outcome.contribution > 0).mean())
    sheet.add("promo.p_pays", "Chance that it pays", chance, "share", "share of draws above zero")
    needed = breakeven_lift(base, found.draws(len(base.units), np.random.default_rng(0)), cut.depth, asked.weeks)
    sheet.add(
        "promo.needed",
        "Extra units at which it just pays",
        needed,
        "share",
        "contribution set to zero, dip and halo as expected",
        reason="at this depth a unit sells below cost, so no number of units pays",
    )
    sheet.add("promo.source", "Promotions that it rests on", found.source or "the whole shop", "text", "narrowest")
    sheet.add("promo.episodes", "Promotions of products there", found.episodes, "count", "runs of weeks", rows=rows)
    sheet.add("promo.seen_low", "Shallowest usual depth there", found.low, "share", "P5 of promoted weeks", rows=rows)
    sheet.add("promo.seen_high", "Deepest usual depth there", found.high, "share", "P95 of promoted weeks", rows=rows)


def depths(sheet: Sheet, tried: list[Cut], chosen: Cut) -> Table:
    cells = []
    for number, cut in enumerate(tried, start=1):
        stem = f"promo.depth_{number}"
        out = cut.outcome
        mark = " (planned)" if cut is chosen else ""
        cells.append(
            (
                sheet.add(f"{stem}_cut", "Depth tried", cut.depth, "share", "inside the depths seen") + mark,
                sheet.add_draws(f"{stem}_uplift", "Extra units", out.uplift, "share", _HOW),
                sheet.add_draws(f"{stem}_given", "Given away", out.given, "money", "units times the cut"),
                sheet.add_draws(f"{stem}_contribution", "Extra contribution", out.contribution, "money", _HOW),
            )
        )
    columns = ("Depth", "Extra units", "Given away", "Extra contribution")
    return Table(title="Depth and what it leaves until four weeks after", columns=columns, rows=tuple(cells))


def mechanics(
    sheet: Sheet, cut: Cut, seen: CouponEvidence | None, coupons: CouponPlan | None, run: pd.DataFrame
) -> Table:
    """All mechanics side by side; money goes to those that are expected to pay."""
    value = sheet.add_draws(
        "promo.percentage_value", "Contribution, percentage", cut.outcome.contribution, "money", _HOW
    )
    paid = cut.given if cut.expected > 0 else 0.0
    budget = sheet.add("promo.percentage_budget", "Budget, percentage", paid, "money", "discounts, if it pays")
    cells: list[tuple[str, ...]] = [("percentage", value, budget), _coupon(sheet, seen, coupons)]
    times = dict(zip(run["mechanic"], run["count"], strict=True))
    for name in _MECHANICS:
        why = _NEVER if not times.get(name) else "its sales are not told apart from other promotions'"
        label = f"Contribution, {name}"
        cells.append((name, sheet.add(f"promo.{name}_value", label, None, "money", reason=why), "none"))
    columns = ("Mechanic", "Extra contribution", "Budget")
    return Table(title="Mechanics", columns=columns, rows=tuple(cells))


def _coupon(sheet: Sheet, seen: CouponEvidence | None, plan: CouponPlan | None) -> tuple[str, ...]:
    none_held = "no coupon was held back from random customers, so buyers by coupon may have bought anyway"
    reason = none_held if seen is None else "the budget does not pay for the smallest mailing"
    bounds: tuple[float | None, float | None] = (None, None)
    if seen is not None:
        bounds = (seen.bought[0] - _Z80 * seen.bought[1], seen.bought[0] + _Z80 * seen.bought[1])
    sheet.add(
        "promo.coupon_effect",
        "Change of the chance to buy by a coupon",
        None if seen is None else seen.bought[0],
        "share",
        "customers who got one less those held out at random, until four weeks after",
        *bounds,
        reason=none_held,
    )
    sure = plan is not None and plan.sure
    sheet.add(
        "promo.coupon_customers",
        "Customers to send a coupon",
        plan.customers if plan is not None and sure else None,
        "count",
        "best-ranked share of those who ordered within a year, ranked by models that had not seen them",
        reason=reason if plan is None else "no share of customers is sure to bring more than the coupon costs",
    )
    value = sheet.add(
        "promo.coupon_value",
        "Contribution, coupon",
        None if plan is None else plan.contribution,
        "money",
        "doubly robust effect on contribution of the best-ranked share, per customer, times customers",
        None if plan is None else plan.low,
        None if plan is None else plan.high,
        reason=reason,
    )
    paid = plan.cost if plan is not None and sure else 0.0
    budget = sheet.add("promo.coupon_budget", "Budget, coupon", paid, "money", "discounts, if it surely pays")
    return "coupon", value, budget


def bundles(sheet: Sheet, category: str, partners: list[Rule], leaders: pd.DataFrame) -> list[Table]:
    """What goes with the product: the best seller of each category that is bought with its own beyond chance."""
    cells = []
    for number, rule in enumerate(partners[:_MOST_RULES], start=1):
        other = rule.second if rule.first == category else rule.first
        stem = f"promo.bundle_{number}"
        name = str(leaders.loc[other, "name"]) if other in leaders.index else other
        formula = "orders of the last year; FP-growth, Fisher's test, Benjamini and Hochberg"
        cells.append(
            (
                sheet.add(f"{stem}_with", "Bundle with", name, "text", "best seller of the category"),
                sheet.add(f"{stem}_category", "Its category", other, "text", formula),
                sheet.add(f"{stem}_lift", "Bought together, times chance", rule.lift, "ratio", formula),
                sheet.add(f"{stem}_orders", "Orders with both", rule.together, "count", formula),
                sheet.add(f"{stem}_q", "Chance of a false pair", rule.q, "share", formula),
            )
        )
    columns = ("With", "Category", "Times chance", "Orders", "Chance of a false pair")
    return [Table(title="Bundles", columns=columns, rows=tuple(cells))] if cells else []


def channels(sheet: Sheet, shop: Shop, category: str) -> list[Table]:
    """Where to announce it: what an order from each channel's clicks cost, cheapest first."""
    top = category.split(" > ")[0]
    frame = shop.campaigns(category=top or None)
    if frame.empty:
        frame = shop.campaigns()
    sums = frame.groupby("channel")[["spend", "clicks", "conversions"]].sum()
    sums = sums[(sums["conversions"] > 0) & (sums["spend"] > 0)]
    sums = sums.assign(each=sums["spend"] / sums["conversions"]).sort_values("each")
    rows = evidence(shop, "campaigns", {"channel": tuple(sums.index)}) if len(sums) else None
    cells = []
    for name, row in sums.iterrows():
        stem = f"promo.{name}"
        how = "campaigns so far: clicks that ordered; they might have ordered anyway"
        cells.append(
            (
                str(name),
                sheet.add(f"{stem}_cost", "Cost per order", float(row["each"]), "money", how, rows=rows),
                sheet.add(f"{stem}_orders", "Orders so far", int(row["conversions"]), "count", how, rows=rows),
            )
        )
    columns = ("Channel", "Cost per order", "Orders so far")
    return [Table(title="Channels to announce it in", columns=columns, rows=tuple(cells))] if cells else []


def calendar(sheet: Sheet, clashes: pd.DataFrame) -> list[Table]:
    cells = []
    for number, row in enumerate(clashes.to_dict("records"), start=1):
        stem = f"promo.clash_{number}"
        cells.append(
            (
                sheet.add(f"{stem}_name", "Promotion", f"{row['name']} ({row['id']})", "text", "on record"),
                sheet.add(f"{stem}_starts", "Starts", row["starts"], "date", "on record"),
                sheet.add(f"{stem}_ends", "Ends", row["ends"], "date", "on record"),
            )
        )
    return [Table(title="Overlaps", columns=("Promotion", "Starts", "Ends"), rows=tuple(cells))] if cells else []


def chart(tried: list[Cut]) -> Chart:
    stems = [f"promo.depth_{number}" for number in range(1, len(tried) + 1)]
    ids = tuple(f"{stem}_contribution" for stem in stems)
    return Chart(
        kind="line",
        title="Contribution by depth",
        x_label="Depth",
        y_label="Extra contribution until four weeks after",
        x=tuple(f"{stem}_cut" for stem in stems),
        series={"P10": tuple(f"{i}.low" for i in ids), "P50": ids, "P90": tuple(f"{i}.high" for i in ids)},
    )


def summary(sheet: Sheet) -> str:
    pays = sheet.value("promo.p_pays")
    verdict = "It pays" if pays >= 0.9 else "It does not pay" if pays <= 0.1 else "Whether it pays cannot be told"
    return (
        "Of the cuts tried, {{promo.depth}} leaves the most: {{promo.product}} at {{promo.price}} from {{promo.start}} "
        f"to {{{{promo.end}}}} sells {{{{promo.uplift}}}} more (P10 to P90: {interval('promo.uplift')}). "
        f"{verdict}: the category's contribution until four weeks after changes by {{{{promo.contribution}}}} "
        f"(P10 to P90: {interval('promo.contribution')}), {{{{promo.dip}}}} of it in the weeks after."
    )


def warnings(sheet: Sheet, asked: Asked, found: Effects, clashes: pd.DataFrame) -> tuple[str, ...]:
    said = [
        "It hangs on past promotions in {{promo.source}}: they were not placed at random, and slow weeks got more of "
        "them; weeks before them are taken out, other reasons are not."
    ]
    if sheet.known("promo.needed"):
        said.append("The verdict flips where extra units cross {{promo.needed}}.")
    if asked.item.category != found.source:
        said.append("Too few promotions ran in {{promo.category}}; those of {{promo.source}} stand in.")
    if isinstance(asked.item, Draft):
        said.append("Past promotions were on products that sold already; one in a launch's first weeks may do less.")
    if sheet.value("promo.p_pays") <= 0.1:
        said.append("No depth tried is expected to pay; keep the price.")
    if not clashes.empty:
        said.append("It overlaps promotions on record; move it or end those first.")
    return tuple(said)
