"""`customer_profile`: one customer's habits, interests, needs, value and risk; nothing that names or reaches them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import select

from shop import Shop, Table, ToolError, ToolResult
from shop import schema as t
from shop.resolve import find_customer
from tools.customers.profile import Taste, due, read_lines, taste
from tools.customers.read import Base, customer_churn, customer_values, read_base
from tools.customers.reasons import reasons
from tools.customers.rfm import rfm_names
from tools.figures import Sheet, evidence
from tools.registry import tool

_SHOWN = 4
_YOUNG = "too few of the shop's customers came again, or stayed away, to learn it from"


@tool("read", "internal")
def customer_profile(shop: Shop, customer: str) -> ToolResult:
    """Describe one customer: habits, interests, needs, value and churn risk.

    Args:
        customer: Customer id or name.
    """
    who = find_customer(shop, customer)
    base = read_base(shop)
    if who not in base.known.index:
        raise ToolError(f"Customer {who} has not paid for an order yet; there is no profile to show.")
    sheet = Sheet()
    _basics(sheet, shop, base, who)
    lines = read_lines(shop, [who])
    liked = taste(lines, shop.products()[["sku", "category", "list_price"]])
    tables = (_interests(sheet, liked), _habits(sheet, liked), _needs(sheet, lines, pd.Timestamp(shop.today)))
    doubts = [*_value(sheet, shop, who), *_risk(sheet, shop, who)]
    summary = (
        "{{person.id}} is in the segment {{person.segment}}: {{person.orders}} purchases worth {{person.spent}}, the "
        "last {{person.away}} ago"
    )
    if sheet.known("person.value"):
        summary += ", expected to spend {{person.value}} in half a year"
    if sheet.known("person.risk"):
        summary += "; the chance to be lost is {{person.risk}}"
    return ToolResult(
        summary=summary + ".",
        figures=sheet.figures,
        tables=tuple(table for table in tables if table.rows),
        warnings=tuple(doubts),
    )


def _basics(sheet: Sheet, shop: Shop, base: Base, who: str) -> None:
    c = t.customers
    with shop.engine.connect() as connection:
        region, joined = connection.execute(select(c.c.region, c.c.joined_on).where(c.c.id == who)).one()
    row: dict[Any, float] = base.known.loc[who].to_dict()
    rows = evidence(shop, "orders", {"customer_id": (who,)})
    unknown = "it is not on record"
    sheet.add("person.id", "Customer", who, "text", "as found")
    sheet.add("person.region", "Region", region or None, "text", "on record", reason=unknown)
    sheet.add("person.joined", "Customer since", joined, "date", "on record", reason=unknown)
    segment = str(rfm_names(base.known)[who])
    sheet.add("person.segment", "Segment", segment, "text", "quintiles of recency, frequency and money")
    sheet.add("person.orders", "Days with a purchase", int(row["purchases"]), "count", "three years", rows=rows)
    sheet.add("person.spent", "Spent", row["spent"], "money", "sum of orders, three years", rows=rows)
    sheet.add("person.basket", "Money of an order", row["basket"], "money", "mean", rows=rows)
    sheet.add("person.away", "Time since the last purchase", row["recency"], "weeks", "to today", rows=rows)
    gap = None if np.isnan(row["gap"]) else row["gap"]
    reason = "there has been one purchase only"
    sheet.add("person.gap", "Weeks between purchases", gap, "weeks", "mean", rows=rows, reason=reason)


def _interests(sheet: Sheet, liked: Taste) -> Table:
    rows = []
    for kind, shares in (("category", liked.categories), ("brand", liked.brands)):
        for i, (name, share) in enumerate(shares[:_SHOWN], start=1):
            label = sheet.add(f"likes.{kind}_{i}", kind.capitalize(), name, "text", "most money first")
            part = sheet.add(f"likes.{kind}_share_{i}", "Share of the money", share, "share", "money of it over all")
            rows.append((kind, label, part))
    return Table(title="Interests", columns=("What", "Name", "Share of the money"), rows=tuple(rows))


def _habits(sheet: Sheet, liked: Taste) -> Table:
    start, end, share = liked.hours
    first = sheet.add("habits.from", "From", f"{start:02d}:00", "text", "eight hours in a row with most orders")
    last = sheet.add("habits.to", "Until", f"{end:02d}:59", "text", "eight hours in a row with most orders")
    rows = [
        (
            "hours",
            f"{first} to {last}",
            sheet.add("habits.hours", "Share in these hours", share, "share", "orders in them"),
        ),
        (
            "channel",
            sheet.add("habits.channel", "Channel", liked.channel[0], "text", "most orders"),
            sheet.add("habits.channel_share", "Share by this channel", liked.channel[1], "share", "orders by it"),
        ),
        ("days", "weekend", sheet.add("habits.weekend", "Share at weekends", liked.weekend, "share", "orders then")),
    ]
    if liked.band is not None:
        how = "thirds of the list prices in each product's category"
        share_of = sheet.add("habits.band_share", "Share of the units", liked.band[1], "share", how)
        rows.append(("prices", f"{liked.band[0]} third of the category", share_of))
    return Table(title="Habits", columns=("Habit", "What", "Share"), rows=tuple(rows))


def _needs(sheet: Sheet, lines: pd.DataFrame, today: pd.Timestamp) -> Table:
    rows = []
    for i, each in enumerate(due(lines, today)[:_SHOWN], start=1):
        rows.append(
            (
                sheet.add(f"needs.category_{i}", "Category", each.category, "text", "bought three times or more"),
                sheet.add(f"needs.every_{i}", "Usually every", each.every, "days", "median of the gaps"),
                sheet.add(f"needs.since_{i}", "Last bought", each.since, "days", "days to today"),
            )
        )
    return Table(title="Due again", columns=("Category", "Usually every", "Days since"), rows=tuple(rows))


def _value(sheet: Sheet, shop: Shop, who: str) -> list[str]:
    """Expected spending; a shop that is too young for it says so."""
    try:
        values = customer_values(shop)
    except ToolError:
        sheet.add("person.value", "Expected in half a year", None, "money", reason=_YOUNG)
        return ["What this customer will spend is unknown: the shop has too few customers who came again."]
    how = f"{values.chosen} of Pareto/NBD with Gamma-Gamma, two-stage LightGBM and a line through RFM"
    sheet.add("person.value", "Expected in half a year", _of(values.expected, who), "money", how)
    alive = _of(values.alive, who)
    sheet.add("person.alive", "Chance to be a customer still", alive, "share", "Pareto/NBD by maximum likelihood")
    purchases = _of(values.purchases, who)
    sheet.add("person.purchases", "Purchases expected in half a year", purchases, "count", "Pareto/NBD")
    return []


def _risk(sheet: Sheet, shop: Shop, who: str) -> list[str]:
    label = "Chance to be lost"
    try:
        churn = customer_churn(shop)
    except ToolError:
        sheet.add("person.risk", label, None, "share", reason=_YOUNG)
        return ["The chance to lose this customer is unknown: the shop has too few customers to learn it from."]
    how = f"{churn.chosen}: no purchase in the weeks within which four in five returns come"
    sheet.add("person.risk", label, _of(churn.risk, who), "share", how)
    sheet.add("person.weeks", "Weeks that count as lost", churn.weeks, "weeks", "Kaplan-Meier")
    why = "; ".join(reasons(churn, who))
    none = "nothing in particular raises it"
    sheet.add("person.why", "What raises it", why or None, "text", "largest terms of the log odds", reason=none)
    return []


def _of(values: pd.Series[Any], who: str) -> float:
    return float(values.loc[who])
