"""Accounts and orders in the tables: every read is of one customer's own rows, every write is the difference of two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import BindParameter, Connection, Table, bindparam, func, insert, or_, select, update

from shop import rollup
from shop import schema as t
from shop.database import insert_new
from shop.own_rows import is_public
from shop.service.rules import CANCELLED
from shop.service.types import Account, Address, Item, Method, Order, Payment, Request, Variant

ADDRESS = tuple(Address.__dataclass_fields__)
_REQUEST = tuple(Request.__dataclass_fields__)

# Read on every call, so built once.
_CUSTOMER: BindParameter[str] = bindparam("customer")
_ACCOUNT = (
    select(t.customers.c.name, *(t.customer_addresses.c[name] for name in ADDRESS))
    .outerjoin_from(t.customers, t.customer_addresses)
    .where(t.customers.c.id == _CUSTOMER)
)
_METHODS = (
    select(t.payment_methods).where(t.payment_methods.c.customer_id == _CUSTOMER).order_by(t.payment_methods.c.id)
)
_ORDER = (
    select(
        t.orders.c.id,
        t.orders.c.status,
        *(t.order_addresses.c[name] for name in ADDRESS),
        *(t.requests.c[name].label(f"request_{name}") for name in _REQUEST),
    )
    .outerjoin_from(t.orders, t.order_addresses)
    .outerjoin(t.requests, t.requests.c.order_id == t.orders.c.id)
    .where(t.orders.c.customer_id == _CUSTOMER, func.lower(t.orders.c.id).in_(bindparam("wanted", expanding=True)))
)
_ITEMS = (
    select(
        t.order_lines.c.line,
        t.order_lines.c.sku,
        t.order_lines.c.units,
        t.order_lines.c.price_cents,
        t.products.c.name,
        t.products.c.attributes,
        func.coalesce(t.variants.c.type_id, "").label("type"),
    )
    .join_from(t.order_lines, t.products)
    .outerjoin(t.variants, t.variants.c.sku == t.order_lines.c.sku)
    .where(t.order_lines.c.order_id == bindparam("order"))
    .order_by(t.order_lines.c.line)
)
_PAYMENTS = select(t.payments).where(t.payments.c.order_id == bindparam("order")).order_by(t.payments.c.number)


def find_customer(connection: Connection, email: str, name: str, zip_code: str) -> str | None:
    """Id of the one customer with this e-mail address, else with this name and postcode; None unless exactly one."""
    c = t.customers.c
    if email:
        chosen = [func.lower(c.email) == email.strip().lower()]
    else:
        words = " ".join(name.split()).lower()
        chosen = [func.lower(c.name) == words, func.lower(c.zip) == zip_code.strip().lower(), c.zip != ""]
    found = connection.execute(select(c.id).where(*chosen).limit(2)).scalars().all()
    return str(found[0]) if len(found) == 1 else None


def read_account(connection: Connection, customer_id: str) -> Account:
    """A customer's account."""
    row = connection.execute(_ACCOUNT, {"customer": customer_id}).mappings().one()
    methods = connection.execute(_METHODS, {"customer": customer_id}).mappings()
    return Account(
        customer_id,
        row["name"],
        _address(dict(row)),
        tuple(
            Method(each["id"], each["kind"], each["brand"], each["last_four"], each["balance_cents"])
            for each in methods
        ),
    )


def read_order(connection: Connection, customer_id: str, said: str) -> Order | None:
    """The customer's own order of this number, with or without its `#`; None where she has none such."""
    number = said.strip().lower()
    wanted = [number, number[1:] if number.startswith("#") else f"#{number}"]
    row = connection.execute(_ORDER, {"customer": customer_id, "wanted": wanted}).mappings().first()
    if row is None:
        return None
    order = {"order": row["id"]}
    items = tuple(
        Item(each.line, each.sku, each.name, each.price_cents, each.type, _options(each.attributes))
        for each in connection.execute(_ITEMS, order)
        for _ in range(each.units)
    )
    payments = tuple(Payment(each.kind, each.cents, each.method_id) for each in connection.execute(_PAYMENTS, order))
    return Order(row["id"], customer_id, row["status"], items, payments, _address(dict(row)), _request(dict(row)))


def read_variants(connection: Connection, skus: Iterable[str] = (), types: Iterable[str] = ()) -> dict[str, Variant]:
    """Variants by SKU: those named, and all of the types named, cheapest first."""
    p, v = t.products.c, t.variants.c
    query = (
        select(p.sku, p.name, p.list_price_cents, p.attributes, v.type_id, v.type_name, v.available)
        .join_from(t.variants, t.products)
        .where(or_(v.sku.in_(list(skus)), v.type_id.in_(list(types))))
        .order_by(p.list_price_cents, p.sku)
    )
    return {
        row.sku: Variant(
            row.sku, row.name, row.type_id, row.type_name, row.list_price_cents, row.available, _options(row.attributes)
        )
        for row in connection.execute(query)
    }


def write(connection: Connection, before: tuple[Account, Order | None], after: tuple[Account, Order | None]) -> None:
    """Bring the tables from one state to another; rows that are equal in both are not touched."""
    _write_account(connection, before[0], after[0])
    old, new = before[1], after[1]
    if old is None or new is None or old == new:
        return
    if old.status != new.status:
        connection.execute(update(t.orders).where(t.orders.c.id == new.id).values(status=new.status))
    if old.address != new.address and new.address is not None:
        _put(connection, t.order_addresses, {"order_id": new.id}, asdict(new.address))
    if new.request is not None and old.request != new.request:
        values = asdict(new.request) | {"items": list(new.request.items), "new_items": list(new.request.new_items)}
        connection.execute(insert(t.requests), [{"order_id": new.id, **values}])
    fresh = [
        {"order_id": new.id, "number": number, **asdict(payment)}
        for number, payment in enumerate(new.payments, 1)
        if number > len(old.payments)
    ]
    if fresh:
        connection.execute(insert(t.payments), fresh)
    if old.items != new.items:
        _write_lines(connection, old, new)
    if old.items != new.items or (new.status == CANCELLED) != (old.status == CANCELLED):
        rollup.rebuild(connection, {item.sku for item in (*old.items, *new.items)})


def _write_account(connection: Connection, old: Account, new: Account) -> None:
    if old.address != new.address and new.address is not None:
        _put(connection, t.customer_addresses, {"customer_id": new.id}, asdict(new.address))
        connection.execute(update(t.customers).where(t.customers.c.id == new.id).values(zip=new.address.zip))
    m = t.payment_methods.c
    for was, now in zip(old.methods, new.methods, strict=True):
        if was != now:
            chosen = (m.customer_id == new.id, m.id == now.id)
            connection.execute(update(t.payment_methods).where(*chosen).values(balance_cents=now.balance_cents))


def _write_lines(connection: Connection, old: Order, new: Order) -> None:
    """Units that stay keep their line; a changed unit takes over an emptied line, or gets one of its own."""
    line = t.order_lines.c
    stay: dict[int, int] = {item.line: 0 for item in old.items}
    changed: list[Item] = []
    for was, now in zip(old.items, new.items, strict=True):
        if was == now:
            stay[was.line] += 1
        else:
            changed.append(now)
    last = max(stay)
    for number, units in stay.items():
        own = (line.order_id == new.id, line.line == number)
        if units:
            connection.execute(update(t.order_lines).where(*own).values(units=units))
            continue
        place = next(i for i, item in enumerate(changed) if item.line == number)
        connection.execute(update(t.order_lines).where(*own).values(**_line(changed.pop(place))))
    rows = [{"order_id": new.id, "line": last + i, **_line(item)} for i, item in enumerate(changed, 1)]
    if rows:
        connection.execute(insert(t.order_lines), rows)


def _line(item: Item) -> dict[str, Any]:
    # What the variant costs today has no discount and belongs to no promotion.
    return {"sku": item.sku, "units": 1, "price_cents": item.price_cents, "discount_cents": 0, "promotion_id": None}


def _put(connection: Connection, table: Table, key: Mapping[str, str], values: Mapping[str, Any]) -> None:
    if not insert_new(connection, table, [{**key, **values}]):
        own = [table.c[name] == value for name, value in key.items()]
        connection.execute(update(table).where(*own).values(**values))


def _options(attributes: Mapping[str, Any]) -> dict[str, str]:
    """What a customer may know a variant by; who asks may see every row, what she is told of it must not differ."""
    return {name: str(value) for name, value in attributes.items() if is_public(name)}


def _address(row: Mapping[str, Any]) -> Address | None:
    return None if row["address1"] is None else Address(**{name: row[name] for name in ADDRESS})


def _request(row: Mapping[str, Any]) -> Request | None:
    if row["request_kind"] is None:
        return None
    values = {name: row[f"request_{name}"] for name in _REQUEST}
    return Request(**{**values, "items": tuple(values["items"]), "new_items": tuple(values["new_items"])})
