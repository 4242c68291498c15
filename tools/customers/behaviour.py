"""What stands beside segments by behaviour: their stability, where visits drop off, what goes with and after what."""

from __future__ import annotations

import numpy as np
from sqlalchemy import select

from shop import Shop, Table
from shop import schema as t
from tools.customers.clusters import Clusters
from tools.customers.paths import Chain, absorbing_chain, read_visits
from tools.customers.read import LEAST_SHOWN, of_known
from tools.customers.sequences import Sequel, sequels
from tools.figures import Sheet
from tools.promotion.bundles import Rule, rules

_ORDERS = 30_000  # of the latest that patterns are looked for in
_SHOWN = 5


def behaviour_tables(shop: Shop, sheet: Sheet, clusters: Clusters | None) -> list[Table]:
    """Tables of stability, paths, sequences and rules; those without enough to tell are left out."""
    found = [_stability(sheet, clusters)] if clusters else []
    chain = shop.learned("customer-paths", lambda: _chain(shop))
    later, together = shop.learned("customer-patterns", lambda: _patterns(shop))
    found += [_paths(sheet, chain)] if chain else []
    found += [_later(sheet, later)] if later else []
    return [*found, *([_together(sheet, together)] if together else [])]


def _chain(shop: Shop) -> Chain | None:
    visits = read_visits(shop)
    return absorbing_chain(visits) if len(visits) >= 20 * LEAST_SHOWN else None


def _patterns(shop: Shop) -> tuple[list[Sequel], list[Rule]]:
    """What categories follow each other, and which go together in an order, over the latest orders."""
    o, line, p = t.orders, t.order_lines, t.products
    latest = select(o.c.id).where(*of_known(shop)).order_by(o.c.placed_at.desc()).limit(_ORDERS).subquery()
    query = (
        select(o.c.customer_id, o.c.id, p.c.category)
        .join(latest, latest.c.id == o.c.id)
        .join(line, line.c.order_id == o.c.id)
        .join(p, p.c.sku == line.c.sku)
        .where(line.c.units > 0, p.c.category != "")
        .order_by(o.c.customer_id, o.c.placed_at, o.c.id)
    )
    histories: dict[str, dict[str, list[str]]] = {}
    with shop.engine.connect() as connection:
        for customer, order, category in connection.execute(query):
            histories.setdefault(customer, {}).setdefault(order, []).append(category)
    inside = [list(orders.values()) for orders in histories.values()]
    return sequels(inside), rules([order for orders in inside for order in orders])


def _stability(sheet: Sheet, clusters: Clusters) -> Table:
    rows = []
    best: dict[str, tuple[str, int, float]] = {}
    for each in clusters.judged:
        best.setdefault(each[0], each)
    how = "mean adjusted Rand index with the groups of bootstrap samples; one is the same each time"
    for i, (method, groups, stability) in enumerate(best.values(), start=1):
        rows.append(
            (
                method,
                sheet.add(f"stability.groups_{i}", "Groups", groups, "count", "most stable number"),
                sheet.add(f"stability.index_{i}", "Stability", stability, "ratio", how),
            )
        )
    return Table(title="How stable the groups are", columns=("Method", "Groups", "Stability"), rows=tuple(rows))


def _paths(sheet: Sheet, chain: Chain) -> Table:
    rows = []
    how = "absorbing Markov chain of known customers' visits over eight weeks; a purchase is an order within the hour"
    sheet.add("paths.visits", "Visits", chain.visits, "count", "of known customers, eight weeks")
    for i, step in enumerate(chain.steps):
        if np.isfinite(chain.buys[i]):
            rows.append(
                (
                    step,
                    sheet.add(f"paths.passes_{i + 1}", "Times per visit", chain.passes[i], "ratio", how),
                    sheet.add(f"paths.drops_{i + 1}", "Leave from here", chain.drops[i], "share", how),
                    sheet.add(f"paths.buys_{i + 1}", "Buy in the end", chain.buys[i], "share", how),
                )
            )
    columns = ("Step", "Times per visit", "Leave from here", "Buy in the end")
    return Table(title="Where visits drop off", columns=columns, rows=tuple(rows))


def _later(sheet: Sheet, found: list[Sequel]) -> Table:
    how = "order of first purchases against the order that chance would have; false discovery rate one in twenty"
    kept = [(each.first, each.then, each.customers, each.lift) for each in found if each.customers >= LEAST_SHOWN]
    return _pairs(sheet, "Bought one after the other", "later", ("First", "Then", "Customers"), how, kept)


def _together(sheet: Sheet, found: list[Rule]) -> Table:
    how = "FP-growth; Fisher's exact test, false discovery rate one in twenty"
    kept = [(rule.first, rule.second, rule.together, rule.lift) for rule in found if rule.together >= LEAST_SHOWN]
    return _pairs(sheet, "Bought together", "together", ("First", "Second", "Orders"), how, kept)


def _pairs(
    sheet: Sheet, title: str, stem: str, names: tuple[str, str, str], how: str, found: list[tuple[str, str, int, float]]
) -> Table:
    """Pairs of things with how many had both and how many times chance that is: `stem.first_1` and so on."""
    first, second, both = names
    rows = [
        (
            sheet.add(f"{stem}.{first.lower()}_{i}", first, one, "text", how),
            sheet.add(f"{stem}.{second.lower()}_{i}", second, other, "text", how),
            sheet.add(f"{stem}.{both.lower()}_{i}", both, count, "count", how),
            sheet.add(f"{stem}.lift_{i}", "Times chance", lift, "ratio", how),
        )
        for i, (one, other, count, lift) in enumerate(found[:_SHOWN], start=1)
    ]
    return Table(title=title, columns=(*names, "Lift"), rows=tuple(rows))
