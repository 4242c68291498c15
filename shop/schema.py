"""The shop's tables (SQLAlchemy Core), the same on SQLite and Postgres. Money is integer cents."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from shop.brief_pack import BriefDocument

metadata = MetaData()

meta = Table("meta", metadata, Column("key", String, primary_key=True), Column("value", Text, nullable=False))

products = Table(
    "products",
    metadata,
    Column("sku", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False, default=""),
    Column("category", Text, nullable=False, default="", index=True),  # a path: "Kitchen > Kettles"
    Column("brand", Text, nullable=False, default=""),
    Column("description", Text, nullable=False, default=""),
    Column("description_zh", Text, nullable=False, default=""),
    Column("attributes", JSON, nullable=False, default=dict),
    Column("cost_cents", BigInteger),
    Column("list_price_cents", BigInteger),
    Column("launch_date", Date, index=True),  # null where the data starts after the launch
    Column("delisted_date", Date),
    Column("source", String, nullable=False, default=""),
    Column("declared", String, nullable=False, default=""),  # columns that a product list gave: not derived from sales
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", String, primary_key=True),  # D-0001
    Column("name", Text, nullable=False),
    Column("category", Text, nullable=False, default=""),
    Column("cost_cents", BigInteger),
    Column("price_cents", BigInteger),
    Column("launch_date", Date),
    Column("description", Text, nullable=False, default=""),
    Column("attributes", JSON, nullable=False, default=dict),
    Column("created_on", Date, nullable=False),
)

prices = Table(
    "prices",
    metadata,
    Column("sku", String, ForeignKey("products.sku"), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("price_cents", BigInteger, nullable=False),
)

competitor_prices = Table(
    "competitor_prices",
    metadata,
    Column("competitor", String, primary_key=True),
    Column("sku", String, ForeignKey("products.sku"), primary_key=True),  # our product it competes with
    Column("day", Date, primary_key=True),
    Column("price_cents", BigInteger, nullable=False),
    Column("rating", Float),
    Column("reviews", Integer),
)

warehouses = Table(
    "warehouses",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("region", Text, nullable=False, default=""),
)

stock = Table(
    "stock",
    metadata,
    Column("sku", String, ForeignKey("products.sku"), primary_key=True),
    Column("warehouse_id", String, ForeignKey("warehouses.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("on_hand", Integer, nullable=False),
)

customers = Table(
    "customers",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", Text, nullable=False, default=""),
    Column("email", Text, nullable=False, default=""),
    Column("zip", String, nullable=False, default=""),
    Column("region", Text, nullable=False, default=""),
    Column("joined_on", Date),
    Column("attributes", JSON, nullable=False, default=dict),
)

orders = Table(
    "orders",
    metadata,
    Column("id", String, primary_key=True),
    Column("customer_id", String, ForeignKey("customers.id"), index=True),  # null: guest
    Column("placed_at", DateTime, nullable=False, index=True),
    Column("status", String, nullable=False, default="delivered"),
    Column("channel", String, nullable=False, default="web"),
    Column("region", Text, nullable=False, default=""),
    Column("source", String, nullable=False, default=""),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_id", String, ForeignKey("orders.id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("sku", String, ForeignKey("products.sku"), nullable=False, index=True),
    Column("units", Integer, nullable=False),
    Column("price_cents", BigInteger, nullable=False),  # paid per unit, after discount
    Column("discount_cents", BigInteger, nullable=False, default=0),  # per unit
    Column("promotion_id", String, ForeignKey("promotions.id")),
)

returns = Table(
    "returns",
    metadata,
    Column("id", String, primary_key=True),
    Column("order_id", String),  # the order returned from, where the source says it
    Column("sku", String, ForeignKey("products.sku"), nullable=False, index=True),
    Column("customer_id", String),
    Column("day", Date, nullable=False),
    Column("units", Integer, nullable=False),
    Column("refund_cents", BigInteger, nullable=False),  # for all units together
    Column("reason", Text, nullable=False, default=""),
)

events = Table(
    "events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("customer_id", String, index=True),
    Column("session", String, nullable=False, default=""),
    Column("at", DateTime, nullable=False, index=True),
    Column("kind", String, nullable=False),  # view, search, cart
    Column("sku", String),
    Column("query", Text, nullable=False, default=""),
)

promotions = Table(
    "promotions",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("mechanic", String, nullable=False),  # percentage, coupon, threshold, bundle, gift
    Column("category", Text, nullable=False, default=""),
    Column("sku", String),
    Column("starts", Date, nullable=False),
    Column("ends", Date, nullable=False),
    Column("depth", Float, nullable=False),  # share off the price, 0.2 is 20 %
)

coupons = Table(
    "coupons",
    metadata,
    Column("code", String, primary_key=True),
    Column("promotion_id", String, ForeignKey("promotions.id"), nullable=False),
    Column("customer_id", String, ForeignKey("customers.id"), nullable=False),
    Column("sent_on", Date, nullable=False),
    Column("order_id", String),  # where it was redeemed
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", String, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("name", Text, nullable=False),
    Column("channel", String, nullable=False),  # search, social, display, email, sms, video, affiliate
    Column("category", Text, nullable=False, default=""),
    Column("spend_cents", BigInteger, nullable=False),
    Column("impressions", Integer, nullable=False),
    Column("clicks", Integer, nullable=False),
    Column("conversions", Integer, nullable=False),
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", String, primary_key=True),
    Column("sku", String, ForeignKey("products.sku"), nullable=False, index=True),
    Column("customer_id", String),
    Column("day", Date, nullable=False),
    Column("rating", Integer, nullable=False),
    Column("title", Text, nullable=False, default=""),
    Column("text", Text, nullable=False),
    Column("language", String, nullable=False, default="en"),
)

policies = Table(
    "policies",
    metadata,
    Column("id", String, primary_key=True),
    Column("title", Text, nullable=False),
    Column("section", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", String, nullable=False, default="en"),
    Column("effective_from", Date, nullable=False),
    Column("effective_to", Date),
)

daily = Table(  # the roll-up that tools read instead of order lines
    "daily",
    metadata,
    Column("sku", String, ForeignKey("products.sku"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("units", Integer, nullable=False, default=0),
    Column("orders", Integer, nullable=False, default=0),
    Column("revenue_cents", BigInteger, nullable=False, default=0),
    Column("discount_cents", BigInteger, nullable=False, default=0),
    Column("returned_units", Integer, nullable=False, default=0),
    Column("refund_cents", BigInteger, nullable=False, default=0),
    Column("in_stock", Boolean),  # null where the shop keeps no stock record
    Index("daily_day", "day"),
)

forecast_errors = (
    Table(  # how each method did on a week that has come since, by class of series; see `./debut feedback`
        "forecast_errors",
        metadata,
        Column("week", Date, primary_key=True),  # first day of the week forecast
        Column("kind", String, primary_key=True),  # smooth, intermittent, short
        Column("method", String, primary_key=True),
        Column("error", Float, nullable=False),  # mean absolute error over the scale of each series
        Column("bias", Float, nullable=False),  # mean of actual less forecast over the scale
        Column("series", Integer, nullable=False),
        Column("weight_before", Float, nullable=False),
        Column("weight_after", Float, nullable=False),
    )
)

forecast_drift = Table(  # what was found to have moved when errors were last taken in
    "forecast_drift",
    metadata,
    Column("week", Date, primary_key=True),  # first day of the last week taken in
    Column("subject", String, primary_key=True),  # an input, or a class and a method
    Column("test", String, primary_key=True),  # psi, page_hinkley
    Column("value", Float, nullable=False),
    Column("alarm", Boolean, nullable=False),
)

outside_series = Table(  # numbers from outside the shop that demand may follow: an index, the weather, searches
    "outside_series",
    metadata,
    Column("name", String, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("value", Float, nullable=False),
)

briefs = Table(  # a brief never changes once stored; a new version is a new row
    "briefs",
    metadata,
    Column("id", String, primary_key=True),
    Column("plan_hash", String, nullable=False),
    Column("draft_id", String, nullable=False, index=True),
    Column("data_cutoff", Date, nullable=False),
    Column("created_on", Date, nullable=False),
    Column("document", BriefDocument, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("file", Text, nullable=False),  # base name only
    Column("sha256", String, nullable=False),
    Column("finished_at", DateTime, nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("rows_kept", Integer, nullable=False),
    Column("rows_refused", Integer, nullable=False),
)


# -- service: what a shopper sees and may have changed ----------------------------------------------------------------

variants = Table(  # which products are versions of the same thing, so that one may stand for another
    "variants",
    metadata,
    Column("sku", String, ForeignKey("products.sku"), primary_key=True),
    Column("type_id", String, nullable=False, index=True),
    Column("type_name", Text, nullable=False),
    Column("available", Boolean, nullable=False),
)


def _address_columns() -> list[Column[str]]:
    optional = [Column(name, Text, nullable=False, default="") for name in ("address2", "state", "country")]
    return [*(Column(name, Text, nullable=False) for name in ("address1", "city", "zip")), *optional]


customer_addresses = Table(
    "customer_addresses",
    metadata,
    Column("customer_id", String, ForeignKey("customers.id"), primary_key=True),
    *_address_columns(),
)

order_addresses = Table(
    "order_addresses",
    metadata,
    Column("order_id", String, ForeignKey("orders.id"), primary_key=True),
    *_address_columns(),
)

payment_methods = Table(
    "payment_methods",
    metadata,
    Column("customer_id", String, ForeignKey("customers.id"), primary_key=True),
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),  # credit_card, paypal, gift_card
    Column("brand", String, nullable=False, default=""),
    Column("last_four", String, nullable=False, default=""),
    Column("balance_cents", BigInteger),  # of a gift card
)

payments = Table(
    "payments",
    metadata,
    Column("order_id", String, ForeignKey("orders.id"), primary_key=True),
    Column("number", Integer, primary_key=True),  # from 1, in the order they were made
    Column("kind", String, nullable=False),  # payment, refund
    Column("cents", BigInteger, nullable=False),
    Column("method_id", String, nullable=False),
)

shipments = Table(
    "shipments",
    metadata,
    Column("order_id", String, ForeignKey("orders.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("tracking", JSON, nullable=False),
    Column("skus", JSON, nullable=False),
)

requests = Table(  # an order is cancelled, returned or exchanged once
    "requests",
    metadata,
    Column("order_id", String, ForeignKey("orders.id"), primary_key=True),
    Column("kind", String, nullable=False),  # cancel, return, exchange
    Column("reason", Text, nullable=False, default=""),
    Column("items", JSON, nullable=False, default=list),
    Column("new_items", JSON, nullable=False, default=list),
    Column("method_id", String, nullable=False, default=""),
    Column("difference_cents", BigInteger),
)

tickets = Table(  # what was handed over to a person
    "tickets",
    metadata,
    Column("id", String, primary_key=True),  # T-0001
    Column("customer_id", String, index=True),  # null: nobody was identified
    Column("session", String, nullable=False),
    Column("summary", Text, nullable=False),
    Column("created_at", DateTime, nullable=False),
)

# -- changes: what waits for a person, what was carried out, and the record of both -----------------------------------

pending_actions = Table(
    "pending_actions",
    metadata,
    Column("id", String, primary_key=True),
    Column("tool", String, nullable=False),
    Column("subject", String, nullable=False),  # the order, customer, product or draft that changes
    Column("arguments", JSON, nullable=False),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    Column("version", String, nullable=False),  # of the subject's rows when it was proposed
    Column("content_hash", String, nullable=False),
    Column("request_hash", String, nullable=False, index=True),  # of the call as it was sent
    Column("actor_role", String, nullable=False),
    Column("actor_id", String, nullable=False, index=True),
    Column("status", String, nullable=False),  # pending, done, rejected
    Column("created_at", DateTime, nullable=False),
    Column("expires_at", DateTime, nullable=False),
)

executions = Table(  # one row per change that was carried out: the key is made from its content
    "executions",
    metadata,
    Column("key", String, primary_key=True),
    Column("action_id", String, ForeignKey("pending_actions.id"), nullable=False),
    Column("subject", String, nullable=False, index=True),
    Column("number", Integer, nullable=False),  # how many there were for the subject, with this one
    Column("at", DateTime, nullable=False),
)

decisions = Table(  # approved changes that another system carries out
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("change", String, nullable=False),  # reorder, campaign
    Column("product", String, nullable=False),
    Column("value", Text, nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("decided_on", Date, nullable=False),
)

audit = Table(  # append-only: each row's hash covers the row before it
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", DateTime, nullable=False),
    Column("session", String, nullable=False),
    Column("actor_role", String, nullable=False),
    Column("actor_id", String, nullable=False),
    Column("decision", String, nullable=False),  # propose, execute, reject
    Column("action_id", String, nullable=False),
    Column("tool", String, nullable=False),
    Column("content_hash", String, nullable=False),  # of arguments and effect: the row itself holds no personal data
    Column("version", String, nullable=False),
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
)
_REFUSE_SQLITE = (
    "CREATE TRIGGER audit_{verb} BEFORE {verb} ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
)
_REFUSE_POSTGRES = (
    "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$",
    "CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()",
)


def _ddl(statement: str, dialect: str) -> Any:
    return DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]


for _verb in ("update", "delete"):
    event.listen(audit, "after_create", _ddl(_REFUSE_SQLITE.format(verb=_verb), "sqlite"))
for _statement in _REFUSE_POSTGRES:
    event.listen(audit, "after_create", _ddl(_statement, "postgresql"))


class days_between(FunctionElement[int]):  # noqa: N801  (an SQL function, named like one)
    """`days_between(later, earlier)`: whole days between two date columns, on every dialect."""

    type = Integer()
    inherit_cache = True
    name = "days_between"


@compiles(days_between)
def _days_between(element: Any, compiler: Any, **kw: Any) -> str:
    later, earlier = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({later} - {earlier})"


@compiles(days_between, "sqlite")
def _days_between_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    later, earlier = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST(julianday({later}) - julianday({earlier}) AS INTEGER)"
