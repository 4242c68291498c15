"""`segment_customers`: who buys here, as groups by RFM, by how they shop, or by what they are expected to spend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from shop import Shop, Table, ToolError, ToolResult
from shop.types import Count
from tools.customers.behaviour import behaviour_tables
from tools.customers.clusters import SIZES, Clusters, cluster, group_names
from tools.customers.read import LEAST_SHOWN, Base, customer_values, favourite, read_base
from tools.customers.rfm import SEGMENTS, rfm_names
from tools.figures import Sheet
from tools.registry import tool

MOST = 8
TIERS = {
    2: ("upper half", "lower half"),
    3: ("top third", "middle third", "bottom third"),
    4: ("top quarter", "upper middle", "lower middle", "bottom quarter"),
    5: ("top fifth", "upper fifth", "middle fifth", "lower fifth", "bottom fifth"),
    6: ("top", "very high", "high", "medium", "low", "very low"),
    7: ("top", "very high", "high", "medium", "low", "very low", "bottom"),
    8: ("top", "very high", "high", "upper medium", "lower medium", "low", "very low", "bottom"),
}


@dataclass(frozen=True)
class Grouping:
    """A segment of each customer, in the order to show them, and how it was made."""

    names: pd.Series[Any]
    order: tuple[str, ...]
    how: str
    clusters: Clusters | None = None


@tool("read", "internal")
def segment_customers(
    shop: Shop, by: Literal["rfm", "behaviour", "value"] = "rfm", segments: Count | None = None
) -> ToolResult:
    """Divide the customers into segments with their size, value and habits.

    Args:
        by: rfm (how lately, often and much they bought), behaviour (how they shop) or value (what they will spend).
        segments: How many segments, 2 to 8; left out, the number that fits best. RFM has its own.
    """
    if segments is not None and not 2 <= segments <= MOST:
        raise ToolError(f"Customers can be divided into 2 to {MOST} segments, not {segments}; give another number.")
    base = read_base(shop)
    grouping = group(shop, base, by, segments)
    sheet = Sheet()
    rows, hidden = _rows(sheet, base, grouping)
    total = sheet.add("segments.customers", "Customers", len(base.known), "count", "customers with a paid order")
    sheet.add("segments.shown", "Segments", len(rows), "count", "groups of five people and more")
    tables = [Table(title="Segments", columns=_COLUMNS, rows=tuple(rows))]
    if by == "behaviour":
        tables += behaviour_tables(shop, sheet, grouping.clusters)
    best = max(range(len(rows)), key=lambda i: sheet.value(f"segments.money_{i + 1}")) + 1
    summary = (
        f"The {total} known customers fall into {{{{segments.shown}}}} segments. {{{{segments.name_{best}}}}} bring "
        f"{{{{segments.money_{best}}}}} of the money with {{{{segments.share_{best}}}}} of the people."
    )
    warnings = _warnings(sheet, by, segments, hidden)
    return ToolResult(summary=summary, figures=sheet.figures, tables=tuple(tables), warnings=warnings)


def group(shop: Shop, base: Base, by: str, segments: int | None = None) -> Grouping:
    """The segment of each customer.

    Raises:
        ToolError: There are too few customers for it.
    """
    if by == "behaviour":
        return _by_behaviour(shop, base, segments)
    if by == "value":
        return _by_value(shop, base, segments or 4)
    return Grouping(rfm_names(base.known), SEGMENTS, "quintiles of recency, frequency and money")


def _by_behaviour(shop: Shop, base: Base, segments: int | None) -> Grouping:
    sizes = (segments,) if segments else SIZES
    try:
        found = shop.learned(f"customer-clusters-{segments or 0}", lambda: cluster(base.habits, sizes))
    except ValueError as error:
        raise ToolError(f"Too few customers to tell habits apart: {error}; segment_customers by rfm works.") from error
    names = [*group_names(base.habits, found.labels), "no clear habit"]
    how = f"{found.method} on standard scores of the habits; chosen by bootstrap stability"
    labels = pd.Series([names[label] for label in found.labels], index=base.habits.index, dtype=object)
    return Grouping(labels, tuple(names), how, found)


def _by_value(shop: Shop, base: Base, segments: int) -> Grouping:
    values = customer_values(shop).expected.reindex(base.known.index).fillna(0.0)
    place = np.minimum(((-values).rank(method="first", pct=True) * segments - 1e-9).astype(int), segments - 1)
    names = pd.Series([TIERS[segments][i] for i in place], index=base.known.index, dtype=object)
    return Grouping(names, TIERS[segments], "money expected over half a year, in equal groups")


_COLUMNS = ("Segment", "Customers", "Share", "Money", "Spent each", "Weeks since", "Basket", "Favourite")


def _rows(sheet: Sheet, base: Base, grouping: Grouping) -> tuple[list[tuple[str, ...]], int]:
    """A row per segment of five people and more, and the people in smaller ones."""
    known, spent = base.known, float(base.known["spent"].sum())
    sizes = grouping.names.value_counts()
    segment = base.bought["customer"].map(grouping.names)
    rows: list[tuple[str, ...]] = []
    for name in grouping.order:
        if sizes.get(name, 0) < LEAST_SHOWN:
            continue
        number, here = len(rows) + 1, known[grouping.names == name]
        liked = favourite(base.bought[segment == name])
        add, i = sheet.add, number
        rows.append(
            (
                add(f"segments.name_{i}", "Segment", name, "text", grouping.how),
                add(f"segments.size_{i}", "Customers", len(here), "count", grouping.how),
                add(f"segments.share_{i}", "Share of the customers", len(here) / len(known), "share", "size over all"),
                add(f"segments.money_{i}", "Share of the money", here["spent"].sum() / spent, "share", "three years"),
                add(f"segments.spent_{i}", "Spent per customer", here["spent"].mean(), "money", "mean, three years"),
                add(f"segments.away_{i}", "Weeks since last", here["recency"].median(), "weeks", "median"),
                add(f"segments.basket_{i}", "Money of an order", here["basket"].median(), "money", "median"),
                add(f"segments.likes_{i}", "Favourite", liked, "text", "most money", reason="no category is known"),
            )
        )
    if not rows:
        raise ToolError(f"No group has {LEAST_SHOWN} people, so none is shown; ask for fewer segments.")
    return rows, int(sizes[sizes < LEAST_SHOWN].sum())


def _warnings(sheet: Sheet, by: str, segments: int | None, hidden: int) -> tuple[str, ...]:
    found = []
    if hidden:
        count = sheet.add("segments.hidden", "Customers not shown", hidden, "count", "in groups of fewer than five")
        found.append(f"Groups of fewer than five people are not shown: {count} customers are in them.")
    if by == "rfm" and segments is not None:
        found.append("RFM has segments of its own; by behaviour or by value takes a number.")
    return tuple(found)
