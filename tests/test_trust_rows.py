"""What a customer's connection can read: her own rows and the shelf; every other read is refused by the database."""

from __future__ import annotations

import pytest
from service_shop import acting, fill, rows
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError

from shop import BadInput, Shop
from shop import schema as t
from shop.own_rows import INTERNAL_FACTS, ROWS, Door, is_public
from shop.session import Session

OWNED = [t.customers, t.customer_addresses, t.payment_methods, t.orders, t.order_lines, t.order_addresses, t.payments]


@pytest.fixture
def shop(any_shop: Shop) -> Shop:
    full = fill(any_shop)
    with full.begin() as connection:
        kept = {"colour": "red", "Supplier": "Cannery Row Ltd", "unit-cost": "3.33", "supplier_sku": "X"}
        connection.execute(t.products.update().where(t.products.c.sku == "MUG-RED").values(attributes=kept))
    return full


@pytest.mark.parametrize("table", OWNED, ids=str)
def test_a_customers_table_holds_her_own_rows(shop: Shop, table: object) -> None:
    def owner(row: dict[str, object]) -> object:
        orders = {order["id"]: order["customer_id"] for order in rows(shop, t.orders)}
        return row.get("customer_id") or orders.get(str(row.get("order_id"))) or row["id"]

    everyones = rows(shop, table)
    for person in ("anna", "ben"):
        assert rows(acting(shop, person), table) == [row for row in everyones if owner(row) == person]
    assert rows(acting(shop, ""), table) == []


def test_what_the_shop_keeps_to_itself_is_not_there(shop: Shop) -> None:
    anna = acting(shop)
    assert {row["cost_cents"] for row in rows(shop, t.products)} == {333}
    assert {row["cost_cents"] for row in rows(anna, t.products)} == {None}
    assert rows(anna, t.products, sku="MUG-RED")[0]["attributes"] == {"colour": "red"}
    assert {row["units"] for row in rows(anna, t.daily)} <= {None}
    assert anna.cutoff == shop.cutoff
    assert anna.drafts() == []


@pytest.mark.parametrize("table", sorted(set(t.metadata.tables.values()) - set(ROWS), key=str), ids=str)
def test_every_other_table_is_refused(shop: Shop, table: object) -> None:
    with pytest.raises(DBAPIError):
        rows(acting(shop), table)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT cost_cents FROM {home}.products",
        "SELECT email FROM {home}.customers",
        "UPDATE orders SET status = 'cancelled'",
        "UPDATE {home}.orders SET status = 'cancelled'",
        "DELETE FROM {home}.customers",
        "DROP TABLE {home}.drafts",
        "CREATE TABLE mine (a INTEGER)",
    ],
)
def test_nothing_gets_past_a_view(shop: Shop, statement: str) -> None:
    home = "main" if shop.engine.dialect.name == "sqlite" else "public"
    with pytest.raises(DBAPIError), acting(shop).engine.connect() as connection:
        connection.execute(text(statement.format(home=home)))


@pytest.mark.parametrize("statement", ["ATTACH DATABASE ':memory:' AS other", "PRAGMA query_only=OFF"])
def test_sqlite_cannot_be_talked_round(empty_shop: Shop, statement: str) -> None:
    with pytest.raises(DBAPIError), acting(fill(empty_shop)).engine.connect() as connection:
        connection.execute(text(statement))


def test_the_connection_knows_her_as_soon_as_she_is_identified(shop: Shop) -> None:
    session = Session("customer")
    chat = shop.acting_as(session)
    assert rows(chat, t.orders) == []
    session.identify("ben")
    assert [row["id"] for row in rows(chat, t.orders)] == ["#W4"]
    assert len(rows(shop, t.orders)) == 5, "the shop's own engine sees every row, before and after"


def test_two_customers_on_one_pool_do_not_mix(shop: Shop) -> None:
    anna, ben = acting(shop), acting(shop, "ben")
    for _ in range(20):
        with anna.engine.connect() as one, ben.engine.connect() as other:
            assert {row.customer_id for row in one.execute(select(t.orders))} == {"anna"}
            assert {row.customer_id for row in other.execute(select(t.orders))} == {"ben"}


def test_a_customers_engine_is_that_of_the_shop_for_who_asks_which_it_is(shop: Shop) -> None:
    anna = acting(shop)
    assert (anna.engine.url, anna.engine.dialect) == (shop.engine.url, shop.engine.dialect)


def test_a_second_server_finds_the_views_of_the_first(shop: Shop) -> None:
    first = rows(acting(shop), t.orders)
    other = Shop.open(str(shop.engine.url))
    assert rows(acting(other), t.orders) == first == rows(acting(shop), t.orders)
    other.close()


def test_a_user_who_may_not_make_roles_is_told_what_to_grant(postgres_shop: Shop) -> None:
    with postgres_shop.begin() as connection:
        connection.execute(text("CREATE ROLE clerk LOGIN"))
    door = Door(create_engine(postgres_shop.engine.url.set(username="clerk")))
    try:
        with pytest.raises(BadInput, match="give this user CREATEROLE"), door.connect("anna"):
            pass
    finally:
        door.engine.dispose()
        with postgres_shop.begin() as connection:
            connection.execute(text("DROP ROLE clerk"))


def test_facts_are_told_apart_by_their_names() -> None:
    assert not any(is_public(name) for name in (*INTERNAL_FACTS, "Unit cost", "supplier-name", "Gross Margin"))
    assert all(is_public(name) for name in ("colour", "material", "capacity_l", "image"))
