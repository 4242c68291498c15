"""Small tools with known figures, for testing the brief without a forecast: 50 units a week at 25, cost 10."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import insert, update

from shop import Actor, Draft, Figure, Shop, ToolError, ToolResult
from shop import schema as t
from tools.registry import BoundTool, ToolFunction, bind, tool

Overrides = dict[str, dict[str, Any]]
WEEKLY = [50.0] * 12


def figure(name: str, value: Any, unit: str, low: float | None = None, high: float | None = None) -> Figure:
    reason = "" if value is not None else "needs the unit cost"
    return Figure(id=name, label=name, value=value, unit=unit, low=low, high=high, formula="given", reason=reason)  # type: ignore[arg-type]


def add_market(shop: Shop, sku: str = "K-1") -> None:
    """What a business case needs of the market: a margin of the category's products, and a rival's price."""
    with shop.begin() as connection:
        connection.execute(
            update(t.products).where(t.products.c.sku == sku).values(cost_cents=900, list_price_cents=2100)
        )
        row = {"competitor": "Rival", "sku": sku, "day": date(2026, 5, 30), "price_cents": 2300, "rating": 4.1}
        connection.execute(insert(t.competitor_prices).values(**row))


def small_tools(shop: Shop, overrides: Overrides) -> dict[str, BoundTool]:
    """Tools bound to a shop; `overrides[tool]` replaces figures' values, or refuses with the text under `refuse`."""

    def result(name: str, figures: list[Figure], *warnings: str) -> ToolResult:
        changes = overrides.get(name, {})
        if "refuse" in changes:
            raise ToolError(changes["refuse"])
        changed = tuple(f.model_copy(update={"value": changes[f.id]}) if f.id in changes else f for f in figures)
        return ToolResult(summary="", figures=changed, warnings=warnings)

    @tool("read", "internal")
    def recommend_price(shop: Shop, product: str, cost: float | None = None) -> ToolResult:
        """Recommend a price.

        Args:
            product: Draft id.
            cost: Unit cost.
        """
        return result(
            "recommend_price",
            [
                figure("price.recommended", 24.0, "money", 22.0, 27.0),
                figure("price.floor", None if cost is None else cost * 1.2, "money"),
                figure("price.elasticity", -2.0, "ratio", -2.5, -1.5),
                figure("price.market_median", 23.0, "money"),
                figure("price.comparables", 14, "count"),
                figure("price.support_low", 8.0, "money"),
                figure("price.support_high", 60.0, "money"),
            ],
        )

    @tool("read", "internal")
    def forecast_launch(
        shop: Shop, product: str, price: float | None = None, launch_date: str | None = None, weeks: int = 12
    ) -> ToolResult:
        """Forecast a launch.

        Args:
            product: Draft id.
            price: Price.
            launch_date: Day.
            weeks: Weeks.
        """
        draft = shop.draft(product)
        assert isinstance(draft, Draft)
        if not draft.category:
            raise ToolError("Without a category nothing can be compared; give one.")
        first = date.fromisoformat(launch_date) if launch_date else date(2026, 7, 1)
        p = price or 24.0
        figures = [
            figure("launch.units_12w", 600.0, "units", 400.0, 900.0),
            figure("launch.revenue_12w", 600 * p, "money", 400 * p, 900 * p),
            figure("launch.horizon", weeks, "weeks"),
            figure("launch.price", p, "money"),
            figure("launch.date", first, "date"),
            figure("launch.analogues", 6, "count"),
            figure("launch.base_rate_hit", 3, "count"),
            figure("launch.base_rate_of", 6, "count"),
            figure("launch.wape", 0.45, "share"),
            figure("launch.bias", -0.02, "share"),
            figure("launch.coverage", 0.8, "share"),
            figure("launch.backtests", 40, "count"),
            figure("launch.effect", -0.02, "share", -0.06, 0.03),
            figure("launch.effect_units", -8.0, "units", -24.0, 12.0),
            figure("launch.effect_weeks", 8, "weeks"),
            figure("launch.neighbour_1_name", "K-1", "text"),
            figure("launch.neighbour_1_rate", 50.0, "units"),
        ]
        for n, units in enumerate(WEEKLY, start=1):
            figures.append(figure(f"launch.week_{n:02d}", units, "units", units * 0.6, units * 1.6))
            figures.append(figure(f"launch.week_{n:02d}_start", first + timedelta(weeks=n - 1), "date"))
        for n in range(1, 7):
            figures += [
                figure(f"launch.analogue_{n}_name", f"Kettle [{n}] | old", "text"),
                figure(f"launch.analogue_{n}_units", 300.0 + 100 * n, "units"),
                figure(f"launch.analogue_{n}_price", 20.0 + n, "money"),
                figure(f"launch.analogue_{n}_similarity", 0.9 - n / 20, "share"),
                figure(f"launch.analogue_{n}_weight", 1 / 6, "share"),
                figure(f"launch.analogue_{n}_launched", date(2025, n, 1), "date"),
                figure(f"launch.analogue_{n}_fate", "kept", "text"),
            ]
        return result("forecast_launch", figures, "The season is taken from {{launch.analogues}} launches.")

    @tool("read", "internal")
    def plan_inventory(shop: Shop, product: str, lead_time_days: int = 30, service_level: float = 0.95) -> ToolResult:
        """Plan the first buy.

        Args:
            product: Draft id.
            lead_time_days: Days.
            service_level: Share.
        """
        draft = shop.draft(product)
        assert isinstance(draft, Draft)
        if not draft.category:
            raise ToolError("Without a forecast there is no first buy; give a category.")
        cost = draft.cost
        return result(
            "plan_inventory",
            [
                figure("buy.first_buy", None if cost is None else 500, "units"),
                figure("buy.lead_time", lead_time_days, "days"),
                figure("buy.service_level", service_level, "share"),
                figure("buy.safety_stock", 60, "units"),
                figure("buy.reorder_point", 270, "units"),
                figure("buy.cover_weeks", None if cost is None else 10, "weeks"),
                figure("buy.p_stockout", None if cost is None else 0.2, "share"),
                figure("buy.p_overstock", None if cost is None else 0.3, "share"),
                figure("buy.cash", None if cost is None else 500 * cost, "money"),
            ],
        )

    @tool("read", "internal")
    def review_insights(shop: Shop, query: str, category: str | None = None) -> ToolResult:
        """Read reviews.

        Args:
            query: What to find out.
            category: Category.
        """
        themes = [("praise", "Quiet", 30), ("pain", "Short cord", 12)]
        figures = [figure("reviews.count", 120, "count"), figure("reviews.rating", 4.2, "ratio")]
        for kind, name, count in themes:
            figures += [
                figure(f"reviews.{kind}_1_name", name, "text"),
                figure(f"reviews.{kind}_1_count", count, "count"),
                figure(f"reviews.{kind}_1_share", count / 120, "share"),
            ]
        return result("review_insights", figures)

    functions: tuple[ToolFunction, ...] = (recommend_price, forecast_launch, plan_inventory, review_insights)
    return bind(functions, shop, Actor(role="manager", id="m-1"))
