"""The shop's tables (SQLAlchemy Core), the same on SQLite and Postgres. Money is integer cents."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
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
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

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

briefs = Table(  # a brief never changes once stored; a new version is a new row
    "briefs",
    metadata,
    Column("id", String, primary_key=True),
    Column("plan_hash", String, nullable=False),
    Column("draft_id", String, nullable=False, index=True),
    Column("data_cutoff", Date, nullable=False),
    Column("created_on", Date, nullable=False),
    Column("document", JSON, nullable=False),
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
