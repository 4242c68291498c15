"""What the demo shop's customers can be served with: addresses, ways to pay, payments of recent orders, variants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from numpy.random import Generator

from shop.demo.baskets import Baskets
from shop.demo.catalogue import Item
from shop.demo.people import People
from shop.demo.voices import order_id
from shop.demo.words import Words

RECENT = 60 * 86_400  # seconds: of older orders neither payment nor address is kept
STREETS = (
    "Maple Street",
    "Oak Avenue",
    "Cedar Lane",
    "Birch Road",
    "Linden Way",
    "Park Street",
    "Mill Lane",
    "Hill Road",
)
TOWNS = ("Ashford", "Brookfield", "Clearwater", "Fairview", "Greenville", "Kingston", "Milton", "Riverside")
BRANDS = ("visa", "mastercard")
Rows = Iterable[dict[str, Any]]


def make_addresses(people: People, rng: Generator) -> list[dict[str, Any]]:
    """One address a customer, with the postcode that her account has."""
    picks = rng.integers(0, [980, len(STREETS), len(TOWNS), 90], (len(people.ids), 4)).tolist()
    return [
        {
            "customer_id": customer,
            "address1": f"{number + 1} {STREETS[street]}",
            "address2": f"Flat {flat + 1}" if flat < 30 else "",
            "city": TOWNS[town],
            "state": "",
            "country": "USA",
            "zip": postcode,
        }
        for customer, postcode, (number, street, town, flat) in zip(people.ids, people.zips, picks, strict=True)
    ]


def make_methods(people: People, rng: Generator) -> list[dict[str, Any]]:
    """A card or PayPal for everybody, and a gift card for one customer in three; the first one pays."""
    rows = []
    for place, customer in enumerate(people.ids):
        number, kind, brand, gift, cents = rng.integers(0, [10_000, 10, 2, 3, 20_000]).tolist()
        common = {"customer_id": customer, "brand": "", "last_four": "", "balance_cents": None}
        key = place + 1
        if kind < 7:
            card = {"id": f"card_{key}", "kind": "credit_card", "brand": BRANDS[brand], "last_four": f"{number:04d}"}
            rows.append({**common, **card})
        else:
            rows.append({**common, "id": f"paypal_{key}", "kind": "paypal"})
        if gift == 0:
            rows.append({**common, "id": f"gift_card_{key}", "kind": "gift_card", "balance_cents": cents + 500})
    return rows


def recent_orders(baskets: Baskets, last: int, returned: set[str]) -> list[int]:
    """Places of the orders that can be served: recent, of a customer, nothing sent back yet."""
    return [
        place
        for place in range(len(baskets.second))
        if baskets.customer[place] >= 0
        and last - int(baskets.second[place]) <= RECENT
        and order_id(place) not in returned
    ]


def order_addresses(baskets: Baskets, places: list[int], addresses: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Recent orders go to their owner's address."""
    for place in places:
        address = {
            name: value for name, value in addresses[int(baskets.customer[place])].items() if name != "customer_id"
        }
        yield {"order_id": order_id(place), **address}


def order_payments(
    people: People, baskets: Baskets, places: list[int], methods: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Recent orders were paid whole with their owner's first method."""
    first: dict[str, str] = {}
    for method in methods:
        first.setdefault(method["customer_id"], method["id"])
    total = dict.fromkeys(places, 0)
    for order, units, paid in zip(baskets.order.tolist(), baskets.units.tolist(), baskets.paid.tolist(), strict=True):
        if order in total:
            total[order] += units * paid
    for place in places:
        used = first[people.ids[int(baskets.customer[place])]]
        yield {"order_id": order_id(place), "number": 1, "kind": "payment", "cents": total[place], "method_id": used}


def variants(words: Words, items: list[Item], on_hand: list[int]) -> Iterator[dict[str, Any]]:
    """Products of one sub-category stand for each other; those on sale and in stock (-1: not counted) are available."""
    for item, stock in zip(items, on_hand, strict=True):
        sub = words.subs[item.sub]
        available = item.end is None and stock != 0
        yield {"sku": item.sku, "type_id": sub.prefix, "type_name": sub.name, "available": available}
