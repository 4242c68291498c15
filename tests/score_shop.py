"""A launch made by hand: its draft, its stored brief, and four weeks of sales of which every number is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from shop import Actor, Shop
from shop import schema as t
from shop.database import insert_new

MANAGER = Actor(role="manager", id="m-1")
LAUNCH = date(2026, 3, 2)


def document(
    price: float | None = 10.0, weeks: int = 4, more: Mapping[str, Any] | None = None, **settings: Any
) -> dict[str, Any]:
    """What a stored brief holds as far as a score reads it; `more` are further figures as (value, unit)."""

    def figure(name: str, value: Any, unit: str, low: float | None = None, high: float | None = None) -> dict[str, Any]:
        reason = "" if value is not None else "no price"
        return {"id": name, "label": name, "value": value, "unit": unit, "low": low, "high": high, "reason": reason}

    figures = [
        figure("launch.date", LAUNCH.isoformat(), "date"),
        figure("launch.price", price, "money"),
        figure(f"launch.units_{weeks}w", 28.0 * weeks, "units", 15.0 * weeks, 40.0 * weeks),
        figure("buy.first_buy", 100, "units"),
    ]
    figures += [figure(f"launch.week_{n:02d}", 28.0, "units", 14.0, 42.0) for n in range(1, weeks + 1)]
    figures += [figure(name, value, unit) for name, (value, unit) in (more or {}).items()]
    cutoff = (LAUNCH - timedelta(days=9)).isoformat()
    return {"figures": {entry["id"]: entry for entry in figures}, "settings": settings, "data_cutoff": cutoff}


def store(shop: Shop, brief: str, draft: str, cutoff: date, content: dict[str, Any]) -> None:
    row = {"id": brief, "plan_hash": "f" * 64, "draft_id": draft, "data_cutoff": cutoff, "document": content}
    with shop.begin() as connection:
        insert_new(connection, t.briefs, [row | {"created_on": cutoff + timedelta(days=1)}])


def sell(shop: Shop, sku: str, days: list[int], price: float, out: set[int] = frozenset()) -> None:  # type: ignore[assignment]
    rows = [
        {
            "sku": sku,
            "day": LAUNCH + timedelta(days=n),
            "units": units,
            "revenue_cents": round(units * price * 100),
            "in_stock": n not in out,
        }
        for n, units in enumerate(days)
    ]
    with shop.begin() as connection:
        insert_new(connection, t.daily, rows)


def kettle_shop(shop: Shop) -> Shop:
    """Turn an empty shop into one where the draft D-0001 has become K-1, planned by B-0001."""
    past = shop.as_of(LAUNCH - timedelta(days=20))
    past.add_draft("Aurora kettle", "Kitchen > Kettles", 4.0, 10.0, LAUNCH)
    products = [
        {"sku": "K-1", "name": "Aurora Kettle", "category": "Kitchen > Kettles", "launch_date": LAUNCH},
        {"sku": "K-0", "name": "Old kettle", "category": "Kitchen > Kettles", "launch_date": date(2025, 1, 6)},
    ]
    with shop.begin() as connection:
        insert_new(connection, t.products, products)
    store(shop, "B-0001", "D-0001", LAUNCH - timedelta(days=9), document())
    # Four a day for two weeks at the planned price, then three days out of stock, then half the sales at a lower price.
    sell(shop, "K-1", [4] * 14 + [4] * 4 + [0] * 3 + [2] * 7, 10.0, out={18, 19, 20})
    return shop
