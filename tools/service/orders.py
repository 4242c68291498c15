"""What a shopper may see: her own orders, and what products there are, without anything the shop keeps to itself."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process
from sqlalchemy import func, select

from shop import Rows, Shop, Table, ToolError, ToolResult
from shop import schema as t
from shop.service import rows
from shop.service.choose import method_name
from shop.service.plans import own_order
from shop.service.types import Account, Item, Order, Variant
from tools.figures import Sheet
from tools.registry import tool

MOST_ORDERS = 20
MOST_VARIANTS = 30
_ALIKE = 70  # rapidfuzz WRatio from which a name is taken for the one that was said


@tool("read", "own")
def list_orders(shop: Shop) -> ToolResult:
    """List the customer's own orders, the latest first."""
    customer = shop.acting.actor.id
    o, n = t.orders.c, t.order_lines.c
    query = (
        select(o.id, o.status, o.placed_at, func.sum(n.units).label("units"), func.sum(n.units * n.price_cents))
        .join_from(t.orders, t.order_lines)
        .where(o.customer_id == customer)
        .group_by(o.id, o.status, o.placed_at)
        .order_by(o.placed_at.desc(), o.id)
    )
    with shop.engine.connect() as connection:
        found = connection.execute(query).all()
    sheet = Sheet()
    count = sheet.add("orders.count", "Orders", len(found), "count", "orders of the account")
    if not found:
        return ToolResult(summary=f"Your account holds {count} orders.", figures=sheet.figures)
    cells = []
    for number, (order_id, status, placed_at, units, total) in enumerate(found[:MOST_ORDERS], 1):
        stem, own = f"orders.item_{number}", Rows(table="orders", where={"id": (order_id,)}, count=1)
        cells.append(
            (
                sheet.add(f"{stem}_id", "Order", order_id, "text", "its number", rows=own),
                sheet.add(f"{stem}_day", "Placed on", placed_at.date(), "date", "day of the order", rows=own),
                sheet.add(f"{stem}_status", "Status", status, "text", "as it stands now", rows=own),
                sheet.add(f"{stem}_units", "Items", int(units), "count", "units ordered", rows=own),
                sheet.add(
                    f"{stem}_total", "Total", int(total) / 100, "money", "sum of the items", exact=True, rows=own
                ),
            )
        )
    table = Table(title="Your orders", columns=("Order", "Placed on", "Status", "Items", "Total"), rows=tuple(cells))
    shown = "" if len(found) <= MOST_ORDERS else " The latest are shown; get_order shows an older one by its number."
    return ToolResult(
        summary=f"Your account holds {count} orders. The latest is {{{{orders.item_1_id}}}}, "
        f"{{{{orders.item_1_status}}}}, for {{{{orders.item_1_total}}}}.{shown}",
        figures=sheet.figures,
        tables=(table,),
    )


@tool("read", "own")
def get_order(shop: Shop, order: str) -> ToolResult:
    """Show one of the customer's own orders: status, items, payment, where it goes.

    Args:
        order: Number of the order.
    """
    customer = shop.acting.actor.id
    with shop.engine.connect() as connection:
        found = own_order(connection, customer, order)
        account = rows.read_account(connection, customer)
        query = select(t.shipments.c.tracking).where(t.shipments.c.order_id == found.id)
        tracking = [number for row in connection.execute(query.order_by(t.shipments.c.number)) for number in row[0]]
    sheet = Sheet()
    own = Rows(table="orders", where={"id": (found.id,)}, count=1)
    sheet.add("order.id", "Order", found.id, "text", "its number", rows=own)
    sheet.add("order.status", "Status", found.status, "text", "as it stands now", rows=own)
    sheet.add("order.total", "Total", found.total_cents / 100, "money", "sum of the items", exact=True, rows=own)
    items = _item_rows(sheet, "order", found.items)
    facts = _facts(sheet, found, account, tracking)
    return ToolResult(
        summary="Order {{order.id}} is {{order.status}}; its items cost {{order.total}}. " + facts,
        figures=sheet.figures,
        tables=(Table(title="Items of {{order.id}}", columns=("Item", "Number", "Options", "Price"), rows=items),),
    )


@tool("read", "service")
def get_product(shop: Shop, product: str) -> ToolResult:
    """Show a product and its variants with options, price and whether each is available.

    Args:
        product: What it is called, or the number of the product or of one of its variants.
    """
    with shop.engine.connect() as connection:
        v = t.variants.c
        known = connection.execute(select(v.type_id, v.type_name).distinct().order_by(v.type_name)).all()
        own = connection.execute(select(v.type_id).where(func.lower(v.sku) == product.lower())).scalar()
        type_id = own or _type_of(product, {row.type_id: row.type_name for row in known})
        variants = list(rows.read_variants(connection, types=[type_id]).values())
    sheet = Sheet()
    name = sheet.add("product.name", "Product", variants[0].type_name, "text", "from the catalogue")
    sheet.add("product.id", "Number", type_id, "text", "of the product, not of a variant")
    count = sheet.add("product.variants", "Variants", len(variants), "count", "all there are")
    free = [one for one in variants if one.available]
    left = sheet.add("product.available", "Available variants", len(free), "count", "those that can be ordered now")
    shown = tuple(_variant_row(sheet, number, one) for number, one in enumerate([*free, *_out(variants)], 1))
    columns = ("Variant", "Number", "Options", "Price", "Available")
    return ToolResult(
        summary=f"{name} comes in {count} variants, of which {left} can be ordered now.",
        figures=sheet.figures,
        tables=(Table(title=f"Variants of {name}", columns=columns, rows=shown[:MOST_VARIANTS]),),
        warnings=("Not all variants are shown; ask for one by its options.",) if len(shown) > MOST_VARIANTS else (),
    )


def _out(variants: Iterable[Variant]) -> list[Variant]:
    return [one for one in variants if not one.available]


def _type_of(said: str, names: dict[str, str]) -> str:
    if said in names:
        return said
    found = process.extract(said.lower(), {k: n.lower() for k, n in names.items()}, scorer=fuzz.WRatio, limit=5)
    best = [key for _, score, key in found if score >= _ALIKE and score == found[0][1]]
    if len(best) == 1:
        return str(best[0])
    close = ", ".join(names[key] for _, _, key in found)
    if not close:
        raise ToolError("The shop keeps no list of variants; search_products finds products by what they are.")
    raise ToolError(f"There is no one product “{said}”; the closest are {close}; say which.")


def _item_rows(sheet: Sheet, stem: str, items: Iterable[Item]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            sheet.add(f"{stem}.item_{number}_name", "Item", item.name, "text", "from the catalogue"),
            sheet.add(f"{stem}.item_{number}_sku", "Number of the item", item.sku, "text", "of this variant"),
            _options(sheet, f"{stem}.item_{number}_options", item.options),
            sheet.add(
                f"{stem}.item_{number}_price", "Price", item.price_cents / 100, "money", "paid for one", exact=True
            ),
        )
        for number, item in enumerate(items, 1)
    )


def _variant_row(sheet: Sheet, number: int, one: Variant) -> tuple[str, ...]:
    stem = f"product.item_{number}"
    price = None if one.price_cents is None else one.price_cents / 100
    return (
        sheet.add(f"{stem}_name", "Variant", one.name, "text", "from the catalogue"),
        sheet.add(f"{stem}_sku", "Number of the variant", one.sku, "text", "to order it by"),
        _options(sheet, f"{stem}_options", one.options),
        sheet.add(f"{stem}_price", "Price", price, "money", "today's price", exact=True, reason="no price on record"),
        "yes" if one.available else "no",
    )


def _options(sheet: Sheet, figure_id: str, options: dict[str, str]) -> str:
    text = ", ".join(f"{name} {value}" for name, value in options.items())
    return sheet.add(figure_id, "Options", text or None, "text", "from the catalogue", reason="none on record")


def _facts(sheet: Sheet, order: Order, account: Account, tracking: list[str]) -> str:
    """Where it goes, how it was paid and how it travels, each with the reason where it is unknown."""
    nowhere, where = "no address on record for this order", order.address
    line = where.one_line() if where else None
    sheet.add("order.address", "Goes to", line, "text", "address of the order", reason=nowhere, private=True)
    paid = [account.method(each) for each in dict.fromkeys(payment.method_id for payment in order.payments)]
    ways = ", ".join(f"{method_name(method)} ({method.id})" for method in paid if method)
    sheet.add("order.paid_with", "Paid with", ways or None, "text", "methods of the account", reason="not on record")
    parts = ["It goes to {{order.address}} and was paid with {{order.paid_with}}."]
    if tracking:
        sheet.add("order.tracking", "Tracking", ", ".join(tracking), "text", "numbers of the parcels")
        parts.append("Tracking: {{order.tracking}}.")
    if order.request and order.request.kind != "cancel":
        skus = ", ".join(order.request.items)
        sheet.add("order.asked", "Items to come back", skus, "text", f"{order.request.kind} that was asked for")
        parts.append("These items are to come back: {{order.asked}}.")
    return " ".join(parts)
