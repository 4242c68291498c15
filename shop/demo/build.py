"""Builds the demo shop: draws the market, the people and their words, and writes all tables in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, func, insert, select

from shop import rollup
from shop import schema as t
from shop.demo import people as folk
from shop.demo import reveal, service, visits, voices
from shop.demo.baskets import Baskets, pack
from shop.demo.catalogue import FULL, LAST_DAY, SMALL, Item, Scale, make_items
from shop.demo.market import Market, simulate
from shop.demo.people import CHANNELS, Coupon, People
from shop.demo.truth import Truth
from shop.demo.words import Words, load
from shop.errors import BadInput
from shop.store import Shop

WAREHOUSES = (("WH-EAST", "Harrisburg warehouse", "Northeast", 0.58), ("WH-WEST", "Reno warehouse", "West", 0.42))
_CHUNK = 20_000
Progress = Callable[[str, float], None]
Rows = Iterable[dict[str, Any]]


@dataclass(frozen=True)
class World:
    """All that was drawn, before it becomes rows."""

    words: Words
    scale: Scale
    items: list[Item]
    people: People
    coupons: list[Coupon]
    market: Market
    baskets: Baskets


def build(url: str, seed: int = 7, small: bool = False, progress: Progress | None = None) -> Truth:
    """Write the demo shop into an empty database and return what is true in it.

    The same seed gives the same rows. All tables are filled in one transaction: a failed build leaves an empty shop.

    Args:
        url: SQLAlchemy URL; tables are created where there are none.
        seed: Of everything that is drawn.
        small: About sixty products and a year of days, for tests.
        progress: Called with what is being done and the share done, between 0 and 1.

    Raises:
        BadInput: The address cannot be used, or a shop stands there already.
    """
    report = progress or (lambda _what, _share: None)
    shop = Shop.open(url, create=True)
    try:
        _refuse_filled(shop)
        report("Drawing the market", 0.0)
        world = draw(seed, SMALL if small else FULL, load(small))
        with shop.begin() as connection:
            for share, table, rows in _tables(world, seed):
                report(f"Writing {table.name.replace('_', ' ')}", share)
                _insert(connection, table, rows)
            report("Rolling up sales", 0.85)
            rollup.rebuild(connection)
        report("Done", 1.0)
    finally:
        shop.engine.dispose()
    return reveal.reveal(seed, world.words, world.scale, world.items, world.people, world.coupons, world.market)


def draw(seed: int, scale: Scale, words: Words) -> World:
    """Draw the whole world; every part has its own stream of random numbers, so that parts change apart."""
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(5)]
    items = make_items(words, scale, streams[0])
    people = folk.make_people(words, scale, streams[1])
    coupons = folk.plan_coupons(people, len(words.departments), scale.days, streams[2])
    grid = folk.coupon_grid(coupons, scale.days, len(words.departments))
    market = simulate(words, items, scale, grid, streams[3])
    baskets = pack(words, items, market, people, coupons, streams[4])
    return World(words, scale, items, people, coupons, market, baskets)


def _refuse_filled(shop: Shop) -> None:
    with shop.engine.connect() as connection:
        filled = any(
            connection.execute(select(func.count()).select_from(table)).scalar() for table in (t.products, t.orders)
        )
    if filled:
        raise BadInput("There is a shop at this address already; build the demo shop into a fresh database.")


def _insert(connection: Connection, table: Table, rows: Rows) -> None:
    listed = list(rows)
    for start in range(0, len(listed), _CHUNK):
        connection.execute(insert(table), listed[start : start + _CHUNK])


def _tables(world: World, seed: int) -> Iterable[tuple[float, Table, Rows]]:
    """Every table with its rows, in an order that satisfies the foreign keys, with the share done before it."""
    words, scale, market = world.words, world.scale, world.market
    first = scale.first_day
    midnight = datetime.combine(first, time())
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence([seed, 1]).spawn(3)]
    args = (words, world.items, world.baskets, world.people)
    facts = {"name": "Northlight Home & Living", "currency": "USD", "demo_seed": str(seed)}
    yield 0.2, t.meta, [{"key": key, "value": value} for key, value in facts.items()]
    yield 0.2, t.products, [_product(world, item, column) for column, item in enumerate(world.items)]
    yield 0.2, t.drafts, _drafts(words)
    yield 0.2, t.prices, market.offers.price_rows
    yield 0.21, t.competitor_prices, market.rival_rows
    yield 0.23, t.warehouses, [{"id": w[0], "name": w[1], "region": w[2]} for w in WAREHOUSES]
    yield 0.23, t.stock, _stock(world)
    yield 0.32, t.customers, folk.customer_rows(words, world.people, world.coupons, first)
    yield 0.33, t.promotions, market.offers.promotions + folk.coupon_promotions(words, world.coupons, first)
    yield 0.33, t.orders, _orders(world, midnight)
    yield 0.42, t.order_lines, _lines(world)
    yield 0.57, t.coupons, _coupons(world)
    returns = voices.make_returns(*args, first, scale.days, streams[0])
    yield 0.58, t.returns, returns
    yield from _service(world, seed, {row["order_id"] for row in returns})
    yield 0.6, t.campaigns, market.campaign_rows
    yield 0.61, t.reviews, voices.make_reviews(*args, first, scale.days, scale.reviews, streams[1])
    yield 0.63, t.policies, _policies(words)
    yield 0.64, t.events, visits.make_events(*args, midnight, scale.days - scale.stream, streams[2])


def _service(world: World, seed: int, returned: set[str]) -> Iterable[tuple[float, Table, Rows]]:
    """What customers are served with; streams of their own leave everything else as it was drawn."""
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence([seed, 2]).spawn(2)]
    people, baskets = world.people, world.baskets
    addresses, methods = service.make_addresses(people, streams[0]), service.make_methods(people, streams[1])
    recent = service.recent_orders(baskets, world.scale.days * 86_400, returned)
    yield 0.59, t.variants, service.variants(world.words, world.items, world.market.on_hand[-1].tolist())
    yield 0.59, t.customer_addresses, addresses
    yield 0.59, t.payment_methods, methods
    yield 0.59, t.order_addresses, service.order_addresses(baskets, recent, addresses)
    yield 0.59, t.payments, service.order_payments(people, baskets, recent, methods)


def _product(world: World, item: Item, column: int) -> dict[str, Any]:
    first = world.scale.first_day
    attributes = {fact.attribute: fact.value for fact in item.facts}
    return {
        "sku": item.sku,
        "name": item.name,
        "name_zh": item.name_zh,
        "category": world.words.category(item.sub),
        "brand": item.brand[0],
        "description": item.description,
        "description_zh": item.description_zh,
        "attributes": attributes | {"Colour": item.colour, "Warranty": item.warranty},
        "cost_cents": item.cost,
        "list_price_cents": int(world.market.offers.list_price[-1, column]),
        "launch_date": first + timedelta(days=item.start) if item.start >= 0 else None,
        "delisted_date": None if item.end is None else first + timedelta(days=item.end),
        "source": "demo",
    }


def _drafts(words: Words) -> Rows:
    categories = {words.category(sub) for sub in range(len(words.subs))}
    known = [draft for draft in words.shared["drafts"] if draft["category"] in categories]
    for number, draft in enumerate(known):
        launch = draft.get("launch")
        yield {
            "id": f"D-{number + 1:04d}",
            "name": draft["name"],
            "category": draft["category"],
            "cost_cents": draft["cost"],
            "price_cents": draft.get("price"),
            "launch_date": date.fromisoformat(launch) if launch else None,
            "description": draft["description"],
            "attributes": draft["attributes"],
            "created_on": LAST_DAY - timedelta(days=9 + 5 * number),
        }


def _stock(world: World) -> Rows:
    """What the warehouses counted: every Sunday, on every delivery, and on every day that ended empty."""
    on_hand, received = world.market.on_hand, world.market.received
    days = np.arange(len(on_hand))[:, None]
    counted = (on_hand >= 0) & ((days % 7 == 6) | (received > 0) | (on_hand == 0))
    first = world.scale.first_day
    for day, column in zip(*np.nonzero(counted), strict=True):
        total = int(on_hand[day, column])
        east = round(total * WAREHOUSES[0][3])
        for place, amount in ((0, east), (1, total - east)):
            yield {
                "sku": world.items[column].sku,
                "warehouse_id": WAREHOUSES[place][0],
                "day": first + timedelta(days=int(day)),
                "on_hand": amount,
            }


def _orders(world: World, midnight: datetime) -> Rows:
    baskets, regions = world.baskets, world.words.shared["people"]["regions"]
    last = world.scale.days * 86_400
    for number in range(len(baskets.second)):
        second, customer = int(baskets.second[number]), int(baskets.customer[number])
        age = (last - second) // 86_400
        yield {
            "id": voices.order_id(number),
            "customer_id": None if customer < 0 else world.people.ids[customer],
            "placed_at": midnight + timedelta(seconds=second),
            "status": "pending" if age < 1 else "shipped" if age < 5 else "delivered",
            "channel": CHANNELS[baskets.channel[number]],
            "region": regions[baskets.region[number]]["name"],
            "source": "demo",
        }


def _lines(world: World) -> Rows:
    baskets, promotions = world.baskets, world.market.offers.promotions
    ids = [row["id"] for row in promotions] + [coupon.promotion_id for coupon in world.coupons]
    columns = (baskets.order, baskets.line, baskets.item, baskets.units, baskets.paid, baskets.discount)
    for order, line, item, units, paid, discount, promotion in zip(
        *(column.tolist() for column in columns), baskets.promotion.tolist(), strict=True
    ):
        yield {
            "order_id": voices.order_id(order),
            "line": line,
            "sku": world.items[item].sku,
            "units": units,
            "price_cents": paid,
            "discount_cents": discount,
            "promotion_id": None if promotion < 0 else ids[promotion],
        }


def _coupons(world: World) -> Rows:
    used = {(place, customer): order for place, customer, order in world.baskets.redeemed}
    for place, coupon in enumerate(world.coupons):
        for customer in np.flatnonzero(coupon.treated):
            order = used.get((place, int(customer)))
            yield {
                "code": f"{coupon.promotion_id}-{world.people.ids[customer][2:]}",
                "promotion_id": coupon.promotion_id,
                "customer_id": world.people.ids[customer],
                "sent_on": world.scale.first_day + timedelta(days=coupon.start),
                "order_id": None if order is None else voices.order_id(order),
            }


def _policies(words: Words) -> Rows:
    for entry in words.policies:
        common = {"effective_from": entry["from"], "effective_to": entry.get("to")}
        for suffix, end, language in (("", "", "en"), ("-ZH", "_zh", "zh")):
            texts = {key: entry[f"{key}{end}"] for key in ("title", "section", "text")}
            yield {"id": entry["id"] + suffix, "language": language, **texts, **common}
